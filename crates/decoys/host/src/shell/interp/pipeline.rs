//! Pipelines.

use std::future::poll_fn;
use std::task::Poll;

use base_shell::ast::{Command, Pipeline};

use super::{Flow, Interp};
use crate::shell::fd::{Fd, pipe};
use crate::shell::io::Boxed;
use crate::shell::limits;

impl Interp {
    pub(super) async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Flow {
        let started = self.proc.io.now();
        let flow = match pipeline.seq.as_slice() {
            [] => Flow::Next,
            [only] => self.run_command(only).await,
            stages if stages.len() > limits::STAGES => {
                self.complain("fork: retry: Resource temporarily unavailable").await;
                self.status = 254;
                Flow::Next
            }
            stages => {
                self.run_stages(stages).await;
                Flow::Next
            }
        };
        if pipeline.timed.is_some() {
            let real = self.proc.io.now().since(started);
            let (minutes, seconds) = (real.as_secs() / 60, real.as_secs() % 60);
            let millis = real.subsec_millis() + 2;
            self.proc
                .err(format!(
                    "\nreal\t{minutes}m{seconds}.{millis:03}s\nuser\t0m0.001s\nsys\t0m0.001s\n"
                ))
                .await;
        }
        flow
    }

    /// Runs the stages side by side, joined by pipes; the status is the last one's.
    async fn run_stages(&mut self, stages: &[Command]) {
        if self.proc.depth >= limits::DEPTH {
            self.complain("fork: retry: Resource temporarily unavailable").await;
            self.status = 254;
            return;
        }
        let mut running: Vec<Option<Boxed<'_, u8>>> = Vec::new();
        let mut input: Option<Fd> = None;
        for (at, stage) in stages.iter().enumerate() {
            let mut sub = self.subshell();
            sub.proc.parent = sub.proc.pid;
            sub.proc.pid = self.proc.host.with(crate::Machine::new_pid);
            sub.forked = true;
            if let Some(input) = input.take() {
                sub.proc.fds.insert(0, input);
            }
            if at + 1 < stages.len() {
                let (reader, writer) = pipe(&self.proc.io);
                sub.proc.fds.insert(1, writer);
                input = Some(reader);
            }
            running.push(Some(Box::pin(async move {
                let _ = sub.run_command(stage).await;
                sub.status
            })));
        }
        let mut status = 0;
        let io = self.proc.io.clone();
        poll_fn(|cx| {
            loop {
                let before = io.lock().progress;
                let last = running.len().saturating_sub(1);
                for (at, slot) in running.iter_mut().enumerate() {
                    let Some(stage) = slot else { continue };
                    if let Poll::Ready(done) = stage.as_mut().poll(cx) {
                        // Dropping it closes its ends of the pipes.
                        *slot = None;
                        io.lock().progress += 1;
                        if at == last {
                            status = done;
                        }
                    }
                }
                if running.iter().all(Option::is_none) {
                    return Poll::Ready(());
                }
                let io = io.lock();
                if io.progress == before || io.killed || io.interrupt {
                    return Poll::Pending;
                }
            }
        })
        .await;
        self.status = status;
    }
}
