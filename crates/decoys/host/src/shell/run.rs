//! Simple commands: functions, builtins, programs.

use std::sync::PoisonError;

use base_shell::ast::{
    Assignment, AssignmentName, AssignmentValue, CommandPrefixOrSuffixItem, IoRedirect,
    SimpleCommand,
};
use base_shell::text::{decode, encode};

use super::builtins;
use super::commands;
use super::expand::Abort;
use super::fd::Fd;
use super::interp::{Dialect, Flow, Interp};
use super::io::Boxed;
use super::limits;
use super::proc::{Proc, Stop};
use crate::fs::{Access, Content, Errno, Kind};

/// Commands whose arguments that look like assignments are not split.
const DECLARATIONS: &[&str] = &["export", "readonly", "local", "declare", "typeset", "alias"];

impl Interp {
    pub(crate) async fn run_simple(&mut self, command: &SimpleCommand) -> Flow {
        let mut assignments: Vec<&Assignment> = Vec::new();
        let mut redirects: Vec<IoRedirect> = Vec::new();
        let mut words: Vec<(String, bool)> = Vec::new();
        for item in command.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect.clone()),
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    assignments.push(assignment)
                }
                CommandPrefixOrSuffixItem::Word(word) => words.push((word.value.clone(), false)),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {}
            }
        }
        if let Some(word) = &command.word_or_name {
            if let Some(location) = &word.loc {
                self.line = location.start.line;
            }
            words.extend(self.unalias(&word.value).into_iter().map(|word| (word, false)));
        }
        for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect.clone()),
                CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                    words.push((word.value.clone(), true))
                }
                CommandPrefixOrSuffixItem::Word(word) => words.push((word.value.clone(), false)),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    words.push(("/dev/fd/63".into(), false))
                }
            }
        }
        let arguments = match self.expand_arguments(&words).await {
            Ok(arguments) => arguments,
            Err(abort) => return self.aborted(abort),
        };
        if arguments.iter().map(|a| a.len() + 8).sum::<usize>() > limits::ARGUMENTS {
            let name = arguments.first().cloned().unwrap_or_default();
            self.complain([&name[..], b": Argument list too long"].concat()).await;
            self.status = 126;
            return Flow::Next;
        }
        if self.options.xtrace && !arguments.is_empty() {
            let mut line = b"+ ".to_vec();
            line.extend(arguments.join(&b' '));
            line.push(b'\n');
            self.proc.err(line).await;
        }
        let saved = self.proc.fds.clone();
        let flow = if self.redirect(&redirects).await.is_err() {
            self.status = 1;
            Flow::Next
        } else if arguments.is_empty() {
            self.assign_all(&assignments, !command_substitution(&assignments)).await
        } else {
            let flow = self.run_with(&assignments, arguments).await;
            // `exec` without a command makes its redirections last.
            if self.keep_fds {
                self.keep_fds = false;
                return flow;
            }
            flow
        };
        self.proc.fds = saved;
        flow
    }

    /// The words that an alias stands for.
    fn unalias(&self, word: &str) -> Vec<String> {
        match self.aliases.get(word) {
            Some(value) if self.interactive => {
                let text = encode(value);
                text.split_whitespace().map(str::to_owned).collect()
            }
            _ => vec![word.to_owned()],
        }
    }

    async fn expand_arguments(&mut self, words: &[(String, bool)]) -> Result<Vec<Vec<u8>>, Abort> {
        let mut out: Vec<Vec<u8>> = Vec::new();
        for (word, assignment) in words {
            let name = out.first().map(|name| String::from_utf8_lossy(name).into_owned());
            let whole =
                *assignment && name.is_some_and(|name| DECLARATIONS.contains(&name.as_str()));
            if whole {
                out.push(self.expand_string(word).await?);
            } else {
                out.extend(self.expand_word(word).await?);
            }
        }
        Ok(out)
    }

    async fn assign_all(&mut self, assignments: &[&Assignment], reset: bool) -> Flow {
        if reset {
            self.status = 0;
        }
        for assignment in assignments {
            match self.assignment(assignment).await {
                Ok((name, value)) => self.assign(&name, value),
                Err(abort) => return self.aborted(abort),
            }
        }
        Flow::Next
    }

    async fn assignment(&mut self, assignment: &Assignment) -> Result<(String, Vec<u8>), Abort> {
        let name = match &assignment.name {
            AssignmentName::VariableName(name) | AssignmentName::ArrayElementName(name, _) => {
                name.clone()
            }
        };
        let mut value = match &assignment.value {
            AssignmentValue::Scalar(word) => self.expand_string(&word.value).await?,
            AssignmentValue::Array(elements) => match elements.first() {
                Some((_, word)) => self.expand_string(&word.value).await?,
                None => Vec::new(),
            },
        };
        if assignment.append {
            value = [self.variable(&name).unwrap_or_default(), value].concat();
        }
        Ok((name, value))
    }

    async fn run_with(&mut self, assignments: &[&Assignment], arguments: Vec<Vec<u8>>) -> Flow {
        if !self.proc.io.may_start() {
            self.status = 137;
            return Flow::Exit;
        }
        let mut before = Vec::new();
        for assignment in assignments {
            match self.assignment(assignment).await {
                Ok((name, value)) => {
                    before.push((name.clone(), self.variables.get(&name).cloned()));
                    self.assign(&name, value);
                    self.export(&name);
                }
                Err(abort) => return self.aborted(abort),
            }
        }
        let flow = self.run_named(arguments).await;
        for (name, value) in before.into_iter().rev() {
            self.restore_variable(name, value);
        }
        flow
    }

    /// Runs `arguments`: a function, a builtin or a program.
    pub(crate) fn run_named(&mut self, arguments: Vec<Vec<u8>>) -> Boxed<'_, Flow> {
        Box::pin(async move {
            let name = arguments.first().cloned().unwrap_or_default();
            let text = encode(&name);
            if let Some(body) = self.functions.get(&text).cloned() {
                let arguments = arguments.into_iter().skip(1).collect();
                return self.call(body, arguments).await;
            }
            if let Some(builtin) = builtins::find(&text, self.dialect) {
                return builtin(self, arguments).await;
            }
            self.run_program_named(arguments).await;
            Flow::Next
        })
    }

    /// Finds the program and runs it.
    pub(crate) async fn run_program_named(&mut self, arguments: Vec<Vec<u8>>) {
        let name = arguments.first().cloned().unwrap_or_default();
        let path = match self.which(&name) {
            Ok(path) => path,
            Err(Errno::NoEntry) if name.contains(&b'/') => {
                return self
                    .not_run(&name, ": No such file or directory", ": not found", 127)
                    .await;
            }
            Err(Errno::NoEntry) => {
                return self.not_run(&name, ": command not found", ": not found", 127).await;
            }
            Err(Errno::IsDirectory) => {
                return self.not_run(&name, ": Is a directory", ": Permission denied", 126).await;
            }
            Err(Errno::NotDirectory) => {
                return self.not_run(&name, ": Not a directory", ": Not a directory", 126).await;
            }
            Err(_) => {
                return self
                    .not_run(&name, ": Permission denied", ": Permission denied", 126)
                    .await;
            }
        };
        self.run_path(path, name, arguments).await;
    }

    async fn not_run(&mut self, name: &[u8], bash: &str, dash: &str, status: u8) {
        let tail = if self.dialect == Dialect::Dash { dash } else { bash };
        let shown = if name.iter().any(|b| !(0x20..0x7f).contains(b)) {
            ansi_quoted(name)
        } else {
            name.to_vec()
        };
        self.complain([&shown[..], tail.as_bytes()].concat()).await;
        self.status = status;
    }

    /// The path of the program `name`.
    pub(crate) fn which(&self, name: &[u8]) -> Result<Vec<u8>, Errno> {
        if name.is_empty() {
            return Err(Errno::NoEntry);
        }
        if name.contains(&b'/') {
            return self.runnable(name).map(|()| self.proc.absolute(name));
        }
        let path = self.variable("PATH").unwrap_or_default();
        let mut refused = Errno::NoEntry;
        for directory in path.split(|&b| b == b':').take(64) {
            let directory = if directory.is_empty() { &b"."[..] } else { directory };
            let candidate = crate::fs::join(directory, name);
            match self.runnable(&candidate) {
                Ok(()) => return Ok(self.proc.absolute(&candidate)),
                Err(Errno::Access) => refused = Errno::Access,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn runnable(&self, path: &[u8]) -> Result<(), Errno> {
        let creds = &self.proc.user.creds;
        self.proc.host.with(|machine| {
            let ino = machine.fs.find(creds, &self.proc.cwd, path, true)?;
            let node = machine.fs.node(ino).ok_or(Errno::NoEntry)?;
            match node.kind {
                Kind::Directory(_) => Err(Errno::IsDirectory),
                Kind::File(_) if creds.may(node, Access::Execute) => Ok(()),
                _ => Err(Errno::Access),
            }
        })
    }

    async fn run_path(&mut self, path: Vec<u8>, name: Vec<u8>, arguments: Vec<Vec<u8>>) {
        let real = self.proc.host.with(|machine| {
            let creds = &self.proc.user.creds;
            let ino = machine.fs.find(creds, b"/", &path, true).ok()?;
            let real = machine.fs.real_path(creds, b"/", &path).ok()?;
            let program = matches!(machine.fs.node(ino)?.kind, Kind::File(Content::Program { .. }));
            Some((program, real, machine.fs.read(ino, 0, 4096)))
        });
        let Some((program, real, head)) = real else {
            return self.not_run(&name, ": No such file or directory", ": not found", 127).await;
        };
        if program {
            match commands::find_path(&real) {
                Some(command) => self.run_command_program(command, arguments).await,
                // A daemon started by hand: it would complain about its environment and leave.
                None => self.status = 1,
            }
            return;
        }
        if head.starts_with(b"\x7fELF") {
            return self.run_foreign_elf(&head, &name).await;
        }
        if let Some(line) = head.strip_prefix(b"#!") {
            let line = line.split(|&b| b == b'\n').next().unwrap_or_default();
            return self.run_interpreted(line, &path, &name, arguments).await;
        }
        if head.iter().take(80).any(|&b| b == 0) {
            return self
                .not_run(
                    &name,
                    ": cannot execute binary file: Exec format error",
                    ": Exec format error",
                    126,
                )
                .await;
        }
        self.run_script(&path, arguments, self.dialect == Dialect::Dash).await;
    }

    async fn run_foreign_elf(&mut self, head: &[u8], name: &[u8]) {
        let machine = head
            .get(18..20)
            .map_or(0, |m| m.iter().rev().fold(0_u16, |n, b| n << 8 | u16::from(*b)));
        let sixty_four = head.get(4) == Some(&2);
        if machine == 0x3e && sixty_four && head.len() >= 64 {
            // The right architecture, but the loader it names is not there.
            self.not_run(name, ": cannot execute: required file not found", ": not found", 127)
                .await;
        } else {
            self.not_run(
                name,
                ": cannot execute binary file: Exec format error",
                ": Exec format error",
                126,
            )
            .await;
        }
    }

    async fn run_interpreted(
        &mut self,
        line: &[u8],
        path: &[u8],
        name: &[u8],
        arguments: Vec<Vec<u8>>,
    ) {
        let text = String::from_utf8_lossy(line).into_owned();
        let mut words = text.split_whitespace();
        let mut interpreter = words.next().unwrap_or_default().to_owned();
        if interpreter.ends_with("/env") {
            interpreter = words.next().unwrap_or_default().to_owned();
        }
        let base = interpreter.rsplit('/').next().unwrap_or_default();
        match base {
            "sh" | "dash" | "ash" => self.run_script(path, arguments, true).await,
            "bash" => self.run_script(path, arguments, false).await,
            _ => {
                let old = self.proc.host.distro().bash_version.starts_with("5.1");
                let tail = if old {
                    format!(": {interpreter}: bad interpreter: No such file or directory")
                } else {
                    ": cannot execute: required file not found".to_owned()
                };
                self.not_run(name, &tail, ": not found", if old { 126 } else { 127 }).await;
            }
        }
    }

    /// Runs the shell script at `path`.
    pub(crate) async fn run_script(&mut self, path: &[u8], arguments: Vec<Vec<u8>>, dash: bool) {
        let source = self.proc.slurp(path).await.unwrap_or_default();
        let name = arguments.first().cloned().unwrap_or_default();
        let mut proc = self.proc.clone();
        proc.depth += 1;
        proc.env = self.environment();
        let dialect = if dash { Dialect::Dash } else { Dialect::BashScript };
        let mut shell = Interp::new(proc, &name, dialect);
        shell.params = arguments.into_iter().skip(1).collect();
        let run: Boxed<'_, Flow> = Box::pin(shell.run_source(&source));
        let _ = run.await;
        self.status = shell.status;
    }

    async fn run_command_program(
        &mut self,
        command: &'static commands::Command,
        arguments: Vec<Vec<u8>>,
    ) {
        self.status = self.run_entry(command, arguments).await;
    }

    /// Runs a program of the list in a process of its own.
    pub(crate) async fn run_entry(
        &mut self,
        command: &'static commands::Command,
        arguments: Vec<Vec<u8>>,
    ) -> u8 {
        let mut proc = Proc { args: arguments, env: self.environment(), ..self.proc.clone() };
        proc.depth += 1;
        proc.pid = self.proc.host.with(crate::Machine::new_pid);
        for fd in proc.fds.values() {
            if let Fd::File(file) = fd {
                *file.writer.lock().unwrap_or_else(PoisonError::into_inner) =
                    command.name.to_owned();
            }
        }
        let line = String::from_utf8_lossy(&proc.args.join(&b' ')).into_owned();
        self.proc.host.with(|machine| machine.set_running(proc.session_pid, &line));
        let outcome = (command.run)(&mut proc).await;
        self.proc.io.lock().transfer = false;
        let shell = if self.proc.io.is_tty() { "-bash" } else { "bash" };
        self.proc.host.with(|machine| machine.set_running(proc.session_pid, shell));
        match outcome {
            Ok(status) | Err(Stop::Status(status)) => status,
            Err(Stop::Pipe) => 141,
        }
    }
}

/// Whether one of the values is the output of a command, whose status then counts.
fn command_substitution(assignments: &[&Assignment]) -> bool {
    assignments.iter().any(|assignment| match &assignment.value {
        AssignmentValue::Scalar(word) => word.value.contains("$(") || word.value.contains('`'),
        AssignmentValue::Array(_) => false,
    })
}

/// `name` as `$'…'`.
fn ansi_quoted(name: &[u8]) -> Vec<u8> {
    let mut out = b"$'".to_vec();
    for &byte in &decode(&encode(name)) {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\'' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x20..0x7f => out.push(byte),
            _ => out.extend(format!("\\{byte:03o}").into_bytes()),
        }
    }
    out.push(b'\'');
    out
}
