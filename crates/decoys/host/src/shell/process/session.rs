//! Reading command lines and running them: from a request, a pipe or a terminal.

use std::sync::PoisonError;
use std::task::Poll;

use crate::shell::interp::{Dialect, Flow, Interp, wants_more};
use crate::shell::io::{Act, Boxed, Shared};
use crate::shell::limits;
use crate::shell::proc::Proc;
use crate::shell::readline::{Line, read_line};

/// `bash -c line`.
pub(super) async fn run_command_line(proc: Proc, line: Vec<u8>) -> u8 {
    let mut shell = Interp::new(proc, b"bash", Dialect::Bash);
    let mark = shell.begin_line(&line);
    let flow = shell.interruptible(&line).await;
    shell.end_line(mark);
    let _ = flow;
    shell.status
}

/// A shell that reads its script from a pipe, line by line.
pub(super) async fn run_piped_shell(proc: Proc) -> u8 {
    let mut shell = Interp::new(proc, b"bash", Dialect::BashScript);
    let io = shell.proc.io.clone();
    let mut script = Vec::new();
    let mut ended = false;
    while !ended {
        loop {
            match io.byte().await {
                None => {
                    ended = true;
                    break;
                }
                Some(b'\n') => {
                    script.push(b'\n');
                    break;
                }
                Some(byte) => script.push(byte),
            }
            if script.len() > limits::LINE {
                break;
            }
        }
        if !ended && wants_more(&script) {
            continue;
        }
        let line = std::mem::take(&mut script);
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let mark = shell.begin_line(line.trim_ascii_end());
        let flow = shell.interruptible(&line).await;
        shell.end_line(mark);
        if flow == Flow::Exit {
            break;
        }
    }
    shell.status
}

/// A login shell on a terminal.
pub(super) async fn run_login_shell(proc: Proc) -> u8 {
    let mut shell = Interp::new(proc, b"-bash", Dialect::Bash);
    shell.interactive = true;
    let aliases: &[(&str, &str)] = if shell.proc.user.creds.uid == 0 {
        &[("ll", "ls -alF"), ("la", "ls -A"), ("l", "ls -CF")]
    } else {
        &[
            ("ll", "ls -l"),
            ("la", "ls -A"),
            ("l", "ls -CF"),
            ("ls", "ls --color=auto"),
            ("grep", "grep --color=auto"),
        ]
    };
    for (name, value) in aliases {
        shell.aliases.insert((*name).to_owned(), value.as_bytes().to_vec());
    }
    shell.load_history();
    let loaded = shell.history.lock().unwrap_or_else(PoisonError::into_inner).len();
    let io = shell.proc.io.clone();
    loop {
        shell.tell_finished_jobs().await;
        let Some(line) = shell.read_command().await else {
            shell.proc.err("logout\n").await;
            break;
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        shell.remember(&line);
        let mark = shell.begin_line(&line);
        io.lock().foreground = true;
        let flow = shell.interruptible(&line).await;
        io.lock().foreground = false;
        shell.end_line(mark);
        if flow == Flow::Exit {
            break;
        }
    }
    shell.save_history(loaded);
    shell.status
}

impl Interp {
    /// Tells that a command line starts; its fuel is fresh.
    pub(crate) fn begin_line(&mut self, line: &[u8]) -> usize {
        self.proc.io.lock().begin_command(Act::Command {
            line: line.to_vec(),
            user: self.proc.user.name.clone(),
            uid: self.proc.user.creds.uid,
            pwd: self.proc.cwd.clone(),
            status: None,
        })
    }

    /// Adds the status to what [`Interp::begin_line`] told, if that was not taken yet.
    pub(crate) fn end_line(&mut self, mark: usize) {
        self.proc.io.lock().end_command(mark, self.status);
    }

    /// Runs `line` until it ends, is interrupted or killed.
    async fn interruptible(&mut self, line: &[u8]) -> Flow {
        let io = self.proc.io.clone();
        let saved = (self.proc.fds.clone(), self.proc.depth, self.locals.len());
        let mut line_future: Boxed<'_, Flow> = Box::pin(self.run_source(line));
        let ended = std::future::poll_fn(|cx| {
            let stopped = |io: &Shared| {
                let io = io.lock();
                match (io.interrupt, io.killed) {
                    (true, _) => Some(130),
                    (_, true) => Some(137),
                    _ => None,
                }
            };
            if let Some(status) = stopped(&io) {
                return Poll::Ready(Err(status));
            }
            match line_future.as_mut().poll(cx) {
                Poll::Ready(flow) => Poll::Ready(stopped(&io).map_or(Ok(flow), Err)),
                Poll::Pending => {
                    stopped(&io).map_or(Poll::Pending, |status| Poll::Ready(Err(status)))
                }
            }
        })
        .await;
        drop(line_future);
        match ended {
            Ok(flow) => flow,
            Err(status) => {
                let (fds, depth, locals) = saved;
                self.proc.fds = fds;
                self.proc.depth = depth;
                self.locals.truncate(locals);
                (self.loops, self.conditions) = (0, 0);
                self.status = status;
                {
                    let mut io = self.proc.io.lock();
                    io.begin_line();
                    io.echo = io.tty.is_some();
                }
                if status == 137 {
                    self.proc.err("Killed\n").await;
                }
                if self.interactive { Flow::Next } else { Flow::Exit }
            }
        }
    }

    /// Reads a command of as many lines as it needs; `None` at the end of input.
    async fn read_command(&mut self) -> Option<Vec<u8>> {
        let io = self.proc.io.clone();
        let mut script: Vec<u8> = Vec::new();
        loop {
            let prompt = if script.is_empty() { self.prompt() } else { b"> ".to_vec() };
            let history = self.history.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let complete = |head: &[u8]| self.complete(head);
            match read_line(&io, &prompt, &history, &complete).await {
                Line::End if script.is_empty() => return None,
                Line::End => {
                    self.complain("syntax error: unexpected end of file").await;
                    self.status = 2;
                    script.clear();
                }
                Line::Interrupted => {
                    self.status = 130;
                    script.clear();
                }
                Line::Text(line) => {
                    script.extend(line);
                    if !wants_more(&script) {
                        return Some(script);
                    }
                    script.push(b'\n');
                }
            }
        }
    }
}
