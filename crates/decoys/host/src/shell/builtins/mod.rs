//! Commands that the shell itself is: one file per family, one line each in the table.
//!
//! A builtin is an `async fn(&mut Interp, Vec<Vec<u8>>) -> Flow` that gets its name first among the
//! arguments and sets the status itself.

mod alias;
mod directory;
mod flow;
mod history;
mod jobs;
mod limits;
mod name;
mod output;
mod read;
mod set;
mod test;
mod variable;

use base_shell::text::encode;

use super::interp::{Dialect, Flow, Interp};
use super::io::Boxed;
use super::proc::Stop;

/// A builtin: it sets the status itself.
pub(crate) type Builtin = for<'a> fn(&'a mut Interp, Vec<Vec<u8>>) -> Boxed<'a, Flow>;

macro_rules! table {
    ($($name:literal => $family:ident::$function:ident),* $(,)?) => {
        const TABLE: &[(&str, Builtin)] = &[
            $(($name, |shell, arguments| Box::pin($family::$function(shell, arguments)))),*
        ];
    };
}

table! {
    ":" => flow::yes, "true" => flow::yes, "false" => flow::no, "cd" => directory::cd,
    "pwd" => directory::pwd, "echo" => output::echo, "printf" => output::printf,
    "exit" => flow::exit, "logout" => flow::exit, "export" => variable::export,
    "readonly" => variable::export, "declare" => variable::declare,
    "typeset" => variable::declare, "local" => variable::local, "unset" => variable::unset,
    "set" => set::set, "shift" => set::shift, "read" => read::read, "type" => name::type_of,
    "command" => name::command, "builtin" => name::command, "source" => flow::source,
    "." => flow::source, "eval" => flow::eval, "exec" => flow::exec, "test" => test::test,
    "[" => test::test, "break" => flow::leave, "continue" => flow::leave,
    "return" => flow::give_back, "alias" => alias::alias, "unalias" => alias::unalias,
    "history" => history::history, "jobs" => jobs::jobs, "wait" => jobs::wait,
    "kill" => jobs::kill, "umask" => limits::umask, "ulimit" => limits::ulimit,
    "trap" => flow::yes, "shopt" => flow::yes, "hash" => flow::yes, "let" => test::let_,
    "times" => limits::times, "disown" => flow::yes, "enable" => flow::yes,
    "complete" => flow::yes, "bind" => flow::yes,
}

/// Builtins that dash does not have.
const BASH_ONLY: &[&str] = &[
    "source", "declare", "typeset", "history", "logout", "shopt", "let", "builtin", "disown",
    "enable", "complete", "bind",
];

/// The builtin called `name`.
pub(crate) fn find(name: &str, dialect: Dialect) -> Option<Builtin> {
    if dialect == Dialect::Dash && BASH_ONLY.contains(&name) {
        return None;
    }
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, builtin)| *builtin)
}

/// Names of all builtins, for completion.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name_of(arguments: &[Vec<u8>]) -> String {
    arguments.first().map(|name| text(name)).unwrap_or_default()
}

/// Whether `name` can be a variable.
fn is_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.len() < 256
}

/// `name=value`, or a name alone.
fn split_assignment(argument: &[u8]) -> (String, Option<Vec<u8>>) {
    match argument.iter().position(|&b| b == b'=') {
        Some(at) => {
            let (name, value) = argument.split_at_checked(at).unwrap_or((argument, b"="));
            (encode(name), Some(value.get(1..).unwrap_or_default().to_vec()))
        }
        None => (encode(argument), None),
    }
}

impl Interp {
    /// Writes to standard output and sets the status.
    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.proc.args = vec![self.name.clone()];
        self.status = match self.proc.out(bytes).await {
            Ok(()) => 0,
            Err(Stop::Pipe) => 141,
            Err(Stop::Status(status)) => status,
        };
    }

    /// Tells `message` and sets the status.
    async fn fail(&mut self, message: impl AsRef<[u8]>, status: u8) -> Flow {
        self.complain(message).await;
        self.status = status;
        Flow::Next
    }
}
