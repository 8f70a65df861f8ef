//! The interpreter: lists, pipelines, compound commands, functions.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use base_shell::ast::{
    AndOr, AndOrList, CaseItemPostAction, Command, CompoundCommand, CompoundList, FunctionBody,
    Pipeline, Program, SeparatorOperator,
};
use base_shell::{Limits, Missing, ParseFault};

use super::fd::{Fd, pipe};
use super::io::{Boxed, Job};
use super::limits;
use super::proc::Proc;
use crate::fs::Device;

/// A variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variable {
    pub(crate) value: Vec<u8>,
    pub(crate) exported: bool,
}

/// Where control goes after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Break(u32),
    Continue(u32),
    Return,
    Exit,
}

/// How messages begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// bash at a prompt or with `-c`.
    Bash,
    /// bash reading a script: with line numbers.
    BashScript,
    /// dash.
    Dash,
}

/// `set` options that are implemented.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) errexit: bool,
    pub(crate) nounset: bool,
    pub(crate) xtrace: bool,
    pub(crate) noglob: bool,
}

/// A shell. A clone is a subshell.
#[derive(Clone)]
pub(crate) struct Interp {
    pub(crate) proc: Proc,
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) functions: BTreeMap<String, Arc<FunctionBody>>,
    pub(crate) aliases: BTreeMap<String, Vec<u8>>,
    pub(crate) params: Vec<Vec<u8>>,
    /// `$0`.
    pub(crate) name: Vec<u8>,
    pub(crate) dialect: Dialect,
    pub(crate) status: u8,
    pub(crate) interactive: bool,
    pub(crate) options: Options,
    pub(crate) background: Option<u32>,
    pub(crate) history: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Values of local variables to put back, one list per running function.
    pub(crate) locals: Vec<Vec<(String, Option<Variable>)>>,
    /// `$$`.
    pub(crate) shell_pid: u32,
    pub(crate) line: usize,
    pub(crate) loops: u32,
    /// Inside a condition, where a failure is an answer.
    pub(crate) conditions: u32,
    /// Bytes of all variables.
    pub(crate) heap: usize,
    pub(crate) is_subshell: bool,
    /// `exec` just made its redirections last.
    pub(crate) keep_fds: bool,
}

impl Interp {
    /// A shell in `proc`, called `name`.
    pub(crate) fn new(proc: Proc, name: &[u8], dialect: Dialect) -> Self {
        let mut shell = Self {
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            params: Vec::new(),
            name: name.to_vec(),
            dialect,
            status: 0,
            interactive: false,
            options: Options::default(),
            background: None,
            history: Arc::default(),
            locals: Vec::new(),
            shell_pid: proc.pid,
            line: 1,
            loops: 0,
            conditions: 0,
            heap: 0,
            is_subshell: false,
            keep_fds: false,
            proc,
        };
        let env = std::mem::take(&mut shell.proc.env);
        for (name, value) in env {
            shell.assign(&name, value);
            shell.export(&name);
        }
        if shell.variable("IFS").is_none() {
            shell.assign("IFS", b" \t\n".to_vec());
        }
        let level =
            shell.variable("SHLVL").and_then(|v| String::from_utf8_lossy(&v).parse::<u32>().ok());
        shell.assign("SHLVL", level.map_or(1, |n| n.saturating_add(1)).to_string().into_bytes());
        shell.export("SHLVL");
        let cwd = shell.proc.cwd.clone();
        shell.assign("PWD", cwd);
        shell.export("PWD");
        shell
    }

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

    /// Tells of a syntax error in `source`.
    pub(crate) async fn complain_of_syntax(&mut self, source: &[u8], fault: &ParseFault) {
        let line_text = |line: usize| {
            let text = source.split(|&b| b == b'\n').nth(line.saturating_sub(1));
            text.unwrap_or_default().to_vec()
        };
        let end = source.split(|&b| b == b'\n').count();
        let mut message = self.syntax_prefix(match fault {
            ParseFault::Syntax { line, .. } => *line,
            ParseFault::Incomplete(Missing::Compound) => end + 1,
            _ => end,
        });
        match fault {
            ParseFault::Syntax { near, .. } if self.dialect == Dialect::Dash => {
                message.extend_from_slice(b"Syntax error: ");
                let near = base_shell::text::decode(near);
                if near == b"newline" {
                    message.extend_from_slice(b"newline unexpected\n");
                } else {
                    message.push(b'"');
                    message.extend(near);
                    message.extend_from_slice(b"\" unexpected\n");
                }
            }
            ParseFault::Syntax { near, line } => {
                message.extend_from_slice(b"syntax error near unexpected token `");
                message.extend(base_shell::text::decode(near));
                message.extend_from_slice(b"'\n");
                if !self.interactive {
                    message.extend(self.syntax_prefix(*line));
                    message.push(b'`');
                    message.extend(line_text(*line));
                    message.extend_from_slice(b"'\n");
                }
            }
            ParseFault::Incomplete(Missing::Close(c)) => {
                message.extend(
                    format!("unexpected EOF while looking for matching `{c}'\n").into_bytes(),
                );
            }
            ParseFault::Incomplete(_) => {
                message.extend_from_slice(b"syntax error: unexpected end of file\n")
            }
            ParseFault::TooDeep | ParseFault::TooLong => {
                message.extend_from_slice(b"memory exhausted\n");
            }
        }
        self.proc.err(message).await;
    }

    fn syntax_prefix(&self, line: usize) -> Vec<u8> {
        let mut prefix = self.name.clone();
        let tail = match self.dialect {
            Dialect::Bash if self.interactive => ": ".to_owned(),
            Dialect::Bash => format!(": -c: line {line}: "),
            Dialect::BashScript => format!(": line {line}: "),
            Dialect::Dash => format!(": {line}: "),
        };
        prefix.extend_from_slice(tail.as_bytes());
        prefix
    }

    /// How a message of the shell begins.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        let mut prefix = self.name.clone();
        let numbered = self.proc.host.distro().bash_version.starts_with("5.1");
        let tail = match self.dialect {
            Dialect::Bash if self.interactive || !numbered => ": ".to_owned(),
            Dialect::Bash | Dialect::BashScript => format!(": line {}: ", self.line),
            Dialect::Dash => format!(": {}: ", self.line),
        };
        prefix.extend_from_slice(tail.as_bytes());
        prefix
    }

    /// A message of the shell on standard error.
    pub(crate) async fn complain(&self, message: impl AsRef<[u8]>) {
        let mut line = self.prefix();
        line.extend_from_slice(message.as_ref());
        line.push(b'\n');
        self.proc.err(line).await;
    }

    /// A subshell.
    pub(crate) fn subshell(&self) -> Self {
        let mut sub = self.clone();
        sub.is_subshell = true;
        sub.interactive = false;
        sub.locals.clear();
        sub.proc.depth += 1;
        if self.interactive {
            // Messages keep the form of the shell it came from.
            sub.interactive = true;
        }
        sub
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

    async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Flow {
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
            sub.proc.pid = self.proc.host.with(crate::Machine::new_pid);
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

    /// Runs one command.
    pub(crate) fn run_command<'a>(&'a mut self, command: &'a Command) -> Boxed<'a, Flow> {
        Box::pin(async move {
            self.proc.io.tick().await;
            if self.proc.depth >= limits::DEPTH {
                // Endless recursion of a real shell runs into its stack's end.
                self.proc.err("Segmentation fault\n").await;
                self.status = 139;
                return Flow::Exit;
            }
            self.proc.depth += 1;
            let flow = match command {
                Command::Simple(simple) => self.run_simple(simple).await,
                Command::Compound(compound, redirects) => {
                    let saved = self.proc.fds.clone();
                    let redirects = redirects.as_ref().map_or(&[][..], |list| &list.0);
                    let flow = if self.redirect(redirects).await.is_ok() {
                        self.run_compound(compound).await
                    } else {
                        self.status = 1;
                        Flow::Next
                    };
                    self.proc.fds = saved;
                    flow
                }
                Command::Function(function) => {
                    if self.functions.len() < 1024 {
                        let name = function.fname.value.clone();
                        self.functions.insert(name, Arc::new(function.body.clone()));
                    }
                    self.status = 0;
                    Flow::Next
                }
                Command::ExtendedTest(test, _) => {
                    self.status = match self.extended_test(&test.expr).await {
                        Ok(true) => 0,
                        Ok(false) => 1,
                        Err(_) => 2,
                    };
                    Flow::Next
                }
            };
            self.proc.depth = self.proc.depth.saturating_sub(1);
            flow
        })
    }

    async fn run_compound(&mut self, compound: &CompoundCommand) -> Flow {
        match compound {
            CompoundCommand::BraceGroup(group) => self.run_list(&group.list).await,
            CompoundCommand::Subshell(subshell) => {
                let mut sub = self.subshell();
                let _ = sub.run_list(&subshell.list).await;
                self.status = sub.status;
                Flow::Next
            }
            CompoundCommand::IfClause(clause) => {
                if let Some(flow) = self.condition(&clause.condition, true).await {
                    return flow;
                }
                if self.status == 0 {
                    return self.run_list(&clause.then).await;
                }
                for other in clause.elses.iter().flatten() {
                    if let Some(condition) = &other.condition {
                        if let Some(flow) = self.condition(condition, true).await {
                            return flow;
                        }
                        if self.status != 0 {
                            continue;
                        }
                    }
                    return self.run_list(&other.body).await;
                }
                self.status = 0;
                Flow::Next
            }
            CompoundCommand::WhileClause(clause) => {
                self.run_while(&clause.0, &clause.1.list, true).await
            }
            CompoundCommand::UntilClause(clause) => {
                self.run_while(&clause.0, &clause.1.list, false).await
            }
            CompoundCommand::ForClause(clause) => {
                let values = match &clause.values {
                    Some(words) => match self.expand_words(words).await {
                        Ok(values) => values,
                        Err(abort) => return self.aborted(abort),
                    },
                    None => self.params.clone(),
                };
                self.status = 0;
                self.loops += 1;
                let mut flow = Flow::Next;
                for value in values {
                    self.proc.io.tick().await;
                    self.assign(&clause.variable_name, value);
                    flow = self.run_list(&clause.body.list).await;
                    if !self.goes_on(&mut flow) {
                        break;
                    }
                }
                self.loops -= 1;
                flow
            }
            CompoundCommand::CaseClause(clause) => {
                let value = match self.expand_string(&clause.value.value).await {
                    Ok(value) => value,
                    Err(abort) => return self.aborted(abort),
                };
                self.status = 0;
                let mut fall_through = false;
                for item in &clause.cases {
                    let mut hit = fall_through;
                    for pattern in &item.patterns {
                        if hit {
                            break;
                        }
                        match self.expand_pattern(&pattern.value).await {
                            Ok(pattern) => hit = super::pattern::matches(&pattern, &value),
                            Err(abort) => return self.aborted(abort),
                        }
                    }
                    if !hit {
                        continue;
                    }
                    if let Some(list) = &item.cmd {
                        let flow = self.run_list(list).await;
                        if flow != Flow::Next {
                            return flow;
                        }
                    }
                    match item.post_action {
                        CaseItemPostAction::ExitCase => return Flow::Next,
                        CaseItemPostAction::UnconditionallyExecuteNextCaseItem => {
                            fall_through = true
                        }
                        CaseItemPostAction::ContinueEvaluatingCases => fall_through = false,
                    }
                }
                Flow::Next
            }
            CompoundCommand::Arithmetic(arithmetic) => {
                self.status = match self.arithmetic(&arithmetic.expr.value).await {
                    Ok(value) => u8::from(value == 0),
                    Err(_) => 1,
                };
                Flow::Next
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                if let Some(start) = &clause.initializer
                    && let Err(abort) = self.arithmetic(&start.value).await
                {
                    return self.aborted(abort);
                }
                self.status = 0;
                self.loops += 1;
                let mut flow = Flow::Next;
                loop {
                    self.proc.io.tick().await;
                    match &clause.condition {
                        Some(condition) if !condition.value.trim().is_empty() => {
                            match self.arithmetic(&condition.value).await {
                                Ok(0) | Err(_) => break,
                                Ok(_) => {}
                            }
                        }
                        _ => {}
                    }
                    flow = self.run_list(&clause.body.list).await;
                    if !self.goes_on(&mut flow) {
                        break;
                    }
                    if let Some(update) = &clause.updater
                        && self.arithmetic(&update.value).await.is_err()
                    {
                        break;
                    }
                }
                self.loops -= 1;
                flow
            }
            CompoundCommand::Coprocess(_) => {
                self.complain("coproc: Resource temporarily unavailable").await;
                self.status = 1;
                Flow::Next
            }
        }
    }

    /// Runs a condition; something when control leaves.
    async fn condition(&mut self, list: &CompoundList, _: bool) -> Option<Flow> {
        self.conditions += 1;
        let flow = self.run_list(list).await;
        self.conditions -= 1;
        (flow != Flow::Next).then_some(flow)
    }

    async fn run_while(
        &mut self,
        condition: &CompoundList,
        body: &CompoundList,
        wanted: bool,
    ) -> Flow {
        let mut status = 0;
        let mut flow = Flow::Next;
        self.loops += 1;
        loop {
            self.proc.io.tick().await;
            if let Some(left) = self.condition(condition, wanted).await {
                flow = left;
                if !self.goes_on(&mut flow) {
                    break;
                }
                continue;
            }
            if (self.status == 0) != wanted {
                break;
            }
            flow = self.run_list(body).await;
            status = self.status;
            if !self.goes_on(&mut flow) {
                break;
            }
        }
        self.loops -= 1;
        if flow == Flow::Next {
            self.status = status;
        }
        flow
    }

    /// Whether the loop goes on after `flow`, which is turned into what the loop itself does.
    fn goes_on(&self, flow: &mut Flow) -> bool {
        match *flow {
            Flow::Next => true,
            Flow::Continue(1) => {
                *flow = Flow::Next;
                true
            }
            Flow::Break(1) => {
                *flow = Flow::Next;
                false
            }
            Flow::Break(n) => {
                *flow = Flow::Break(n - 1);
                false
            }
            Flow::Continue(n) => {
                *flow = Flow::Continue(n - 1);
                false
            }
            Flow::Return | Flow::Exit => false,
        }
    }

    /// Calls the function `body` with `arguments`.
    pub(crate) async fn call(&mut self, body: Arc<FunctionBody>, arguments: Vec<Vec<u8>>) -> Flow {
        let params = std::mem::replace(&mut self.params, arguments);
        let loops = std::mem::take(&mut self.loops);
        self.locals.push(Vec::new());
        let saved = self.proc.fds.clone();
        let redirects = body.1.as_ref().map_or(&[][..], |list| &list.0);
        let flow = if self.redirect(redirects).await.is_ok() {
            let command = Command::Compound(body.0.clone(), None);
            self.run_command(&command).await
        } else {
            self.status = 1;
            Flow::Next
        };
        self.proc.fds = saved;
        self.params = params;
        self.loops = loops;
        for (name, value) in self.locals.pop().unwrap_or_default().into_iter().rev() {
            self.restore_variable(name, value);
        }
        match flow {
            Flow::Exit => Flow::Exit,
            _ => Flow::Next,
        }
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<Vec<u8>> {
        self.variables.get(name).map(|variable| variable.value.clone())
    }

    /// Sets a variable; one that would take too much memory is what kills a real shell too.
    pub(crate) fn assign(&mut self, name: &str, mut value: Vec<u8>) {
        if value.len() > limits::VALUE || self.heap + value.len() > limits::VARIABLES {
            self.proc.io.lock().killed = true;
            value.truncate(0);
        }
        let added = value.len() + name.len();
        let old = self.variables.get(name).map_or(0, |old| old.value.len() + name.len());
        self.heap = (self.heap + added).saturating_sub(old);
        self.variables.entry(name.to_owned()).or_default().value = value;
    }

    /// Marks a variable for the environment of programs.
    pub(crate) fn export(&mut self, name: &str) {
        self.variables.entry(name.to_owned()).or_default().exported = true;
    }

    /// Removes a variable.
    pub(crate) fn unset(&mut self, name: &str) {
        if let Some(old) = self.variables.remove(name) {
            self.heap = self.heap.saturating_sub(old.value.len() + name.len());
        }
    }

    pub(crate) fn restore_variable(&mut self, name: String, value: Option<Variable>) {
        match value {
            Some(variable) => {
                self.assign(&name, variable.value);
                if let Some(slot) = self.variables.get_mut(&name) {
                    slot.exported = variable.exported;
                }
            }
            None => self.unset(&name),
        }
    }

    /// The environment for programs.
    pub(crate) fn environment(&self) -> BTreeMap<String, Vec<u8>> {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }
}
