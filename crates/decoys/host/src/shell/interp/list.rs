//! Sources and lists: `;`, `&`, `&&`, `||`.

use base_shell::ast::{AndOr, AndOrList, CompoundList, Pipeline, Program, SeparatorOperator};
use base_shell::{Limits, ParseFault};

use super::{Flow, Interp};
use crate::fs::Device;
use crate::shell::fd::Fd;
use crate::shell::io::{Boxed, Job};
use crate::shell::limits;

/// Whether `script` is the beginning of a command whose rest is on the next line.
pub(crate) fn wants_more(script: &[u8]) -> bool {
    script.len() < limits::LINE
        && matches!(base_shell::parse(script, &Limits::default()), Err(ParseFault::Incomplete(_)))
}

impl Interp {
    /// Runs a whole script.
    pub(crate) async fn run_source(&mut self, source: &[u8]) -> Flow {
        match base_shell::parse(source, &Limits::default()) {
            Ok(program) => self.run_program(&program).await,
            Err(fault) => {
                self.complain_of_syntax(source, &fault).await;
                self.status = 2;
                Flow::Next
            }
        }
    }

    pub(crate) async fn run_program(&mut self, program: &Program) -> Flow {
        for list in &program.complete_commands {
            match self.run_list(list).await {
                Flow::Next => {}
                other => return other,
            }
        }
        Flow::Next
    }

    pub(crate) async fn run_list(&mut self, list: &CompoundList) -> Flow {
        for item in &list.0 {
            let flow = match item.1 {
                SeparatorOperator::Sequence => self.run_and_or(&item.0).await,
                SeparatorOperator::Async => {
                    self.run_in_background(item.0.clone()).await;
                    Flow::Next
                }
            };
            if flow != Flow::Next {
                return flow;
            }
        }
        Flow::Next
    }

    pub(crate) async fn run_and_or(&mut self, list: &AndOrList) -> Flow {
        let last = list.additional.len();
        let mut flow = self.run_condition_or_not(&list.first, last > 0).await;
        for (at, next) in list.additional.iter().enumerate() {
            if flow != Flow::Next {
                return flow;
            }
            let (wanted, pipeline) = match next {
                AndOr::And(pipeline) => (true, pipeline),
                AndOr::Or(pipeline) => (false, pipeline),
            };
            if (self.status == 0) == wanted {
                flow = self.run_condition_or_not(pipeline, at + 1 < last).await;
            }
        }
        flow
    }

    async fn run_condition_or_not(&mut self, pipeline: &Pipeline, condition: bool) -> Flow {
        self.conditions += u32::from(condition || pipeline.bang);
        let flow = self.run_pipeline(pipeline).await;
        self.conditions -= u32::from(condition || pipeline.bang);
        if pipeline.bang {
            self.status = u8::from(self.status == 0);
        }
        let failed = self.status != 0 && !pipeline.bang && !condition;
        if failed && self.options.errexit && self.conditions == 0 && flow == Flow::Next {
            return Flow::Exit;
        }
        flow
    }

    async fn run_in_background(&mut self, list: AndOrList) {
        let (running, number) = {
            let io = self.proc.io.lock();
            let running = io.jobs.iter().filter(|job| job.done.is_none()).count();
            (running, io.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1)
        };
        if running >= limits::JOBS || self.proc.depth >= limits::DEPTH {
            self.complain("fork: retry: Resource temporarily unavailable").await;
            self.status = 254;
            return;
        }
        let pid = self.proc.host.with(crate::Machine::new_pid);
        let mut sub = self.subshell();
        sub.interactive = false;
        sub.proc.parent = sub.proc.pid;
        sub.proc.pid = pid;
        sub.forked = true;
        sub.proc.fds.insert(0, Fd::Device(Device::Null));
        let text = base_shell::text::decode(&list.to_string());
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        let job = Job { number, pid, text, done: None };
        self.background = Some(pid);
        self.status = 0;
        let future: Boxed<'static, u8> = Box::pin(async move {
            let _ = sub.run_and_or(&list).await;
            sub.status
        });
        self.proc.io.lock().new_jobs.push((job, future));
        if self.interactive && !self.is_subshell {
            self.proc.err(format!("[{number}] {pid}\n")).await;
        }
    }
}
