//! Programs: finding them, telling why one cannot run, starting it.

use std::sync::PoisonError;
use std::task::Poll;

use base_shell::text::{decode, encode};

use super::{Dialect, Flow, Interp};
use crate::HostHandle;
use crate::fs::{Access, Content, Errno, Kind};
use crate::persona::Sh;
use crate::shell::commands;
use crate::shell::fd::Fd;
use crate::shell::io::Boxed;
use crate::shell::proc::{Outcome, Proc, Stop};

impl Interp {
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
            match commands::find_path(self.proc.host.distro(), &real) {
                Some(command) => self.status = self.run_entry(command, arguments).await,
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
            "sh" | "dash" | "ash" => {
                let dash = base != "sh" || self.proc.host.distro().sh != Sh::Bash;
                self.run_script(path, arguments, dash).await;
            }
            "bash" => self.run_script(path, arguments, false).await,
            _ => {
                let old = !self.proc.host.distro().bash_is(5, 2);
                let tail = if old {
                    format!(": {interpreter}: bad interpreter: No such file or directory")
                } else {
                    ": cannot execute: required file not found".to_owned()
                };
                self.not_run(name, &tail, ": not found", if old { 126 } else { 127 }).await;
            }
        }
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

    /// Runs a program of the list in a process of its own.
    pub(crate) async fn run_entry(
        &mut self,
        command: &'static commands::Command,
        arguments: Vec<Vec<u8>>,
    ) -> u8 {
        let mut proc = Proc { args: arguments, env: self.environment(), ..self.proc.clone() };
        proc.depth += 1;
        // A child of its own runs it in the process it was forked as.
        if !std::mem::take(&mut self.forked) {
            proc.parent = self.proc.pid;
            proc.pid = self.proc.host.with(crate::Machine::new_pid);
        }
        for fd in proc.fds.values() {
            if let Fd::File(file) = fd {
                *file.writer.lock().unwrap_or_else(PoisonError::into_inner) =
                    command.name.to_owned();
            }
        }
        let line = String::from_utf8_lossy(&proc.args.join(&b' ')).into_owned();
        self.proc.host.with(|machine| machine.set_running(proc.session_pid, &line));
        let outcome = running(&mut proc, command).await;
        self.proc.io.lock().transfer = false;
        let shell = if self.proc.io.is_tty() { "-bash" } else { "bash" };
        self.proc.host.with(|machine| machine.set_running(proc.session_pid, shell));
        match outcome {
            Ok(status) | Err(Stop::Status(status)) => status,
            Err(Stop::Pipe) => 141,
        }
    }
}

/// Keeps a program in the process table while it runs.
struct Running<'h>(&'h HostHandle, u32);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.with(|machine| machine.ended(self.1));
    }
}

/// Runs `command` until it ends or a signal ends it.
async fn running(proc: &mut Proc, command: &'static commands::Command) -> Outcome {
    let (host, pid) = (proc.host.clone(), proc.pid);
    let process = proc.as_process();
    host.with(|machine| machine.started(process));
    let guard = Running(&host, pid);
    let mut run = (command.run)(proc);
    let outcome = std::future::poll_fn(|cx| {
        if let Some(signal) = host.with(|machine| machine.deadly(pid)) {
            return Poll::Ready(Err(Stop::Status(128_u8.saturating_add(signal))));
        }
        run.as_mut().poll(cx)
    })
    .await;
    drop(guard);
    outcome
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
