//! The interpreter: one file per construct of the language.
//!
//! `list` runs sources, lists, `&&`, `||` and `&`; `pipeline` joins stages; `compound` and `loops`
//! hold `if`, `case`, `for`, `while`; `function` calls; `simple` runs a simple command and `program`
//! finds and starts programs; `redirect` opens files; `message` tells what went wrong.

mod compound;
mod function;
mod list;
mod loops;
mod message;
mod pipeline;
mod program;
mod redirect;
mod simple;
mod variable;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base_shell::ast::FunctionBody;

pub(crate) use self::list::wants_more;
pub(crate) use self::redirect::Opening;
pub(crate) use self::variable::Variable;
use super::proc::Proc;

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
    /// This subshell was forked for one command, which runs in its process.
    pub(crate) forked: bool,
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
            forked: false,
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

    /// A subshell.
    pub(crate) fn subshell(&self) -> Self {
        let mut sub = self.clone();
        sub.is_subshell = true;
        sub.forked = false;
        sub.interactive = false;
        sub.locals.clear();
        sub.proc.depth += 1;
        if self.interactive {
            // Messages keep the form of the shell it came from.
            sub.interactive = true;
        }
        sub
    }
}
