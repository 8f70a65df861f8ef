//! What a user is told when something cannot be done: what, why, and how to mend it.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Exit codes (`spec/cli.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed.
    Failed = 1,
    /// Bad usage.
    Usage = 2,
    /// It took too long.
    Timeout = 3,
    /// What is named is not there.
    NotFound = 4,
    /// Something is in the way.
    Conflict = 5,
    /// Not permitted.
    Permission = 6,
    /// Something cannot be reached.
    Unreachable = 7,
    /// It was done in part, or something is not as it should be.
    Partial = 8,
    /// A signal ended it.
    Interrupted = 130,
}

impl Exit {
    /// A name for programs.
    const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Timeout => "timeout",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Permission => "permission",
            Self::Unreachable => "unreachable",
            Self::Partial => "partial",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A refusal that the user can act on.
#[derive(Debug)]
pub(crate) struct Refusal {
    exit: Exit,
    what: String,
    hint: String,
}

impl Refusal {
    pub(crate) fn new(exit: Exit, what: impl fmt::Display, hint: impl fmt::Display) -> Self {
        Self { exit, what: what.to_string(), hint: hint.to_string() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Refusal {}

/// An error with everything that led to it, on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some libraries repeat their source in their own text.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

/// Tells the user and gives the exit code.
#[expect(clippy::print_stderr, reason = "this is what the user is told")]
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {}", chain(error.as_ref()));
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
    if let Some(refusal) = refusal {
        eprintln!("hint: {}", refusal.hint);
    }
    ExitCode::from(refusal.map_or(Exit::Failed, |refusal| refusal.exit) as u8)
}

/// Tells a program, in JSON on standard output, and gives the exit code.
#[expect(clippy::print_stdout, reason = "this is the answer of a command that was asked for JSON")]
pub(crate) fn report_json(error: &anyhow::Error) -> ExitCode {
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
    let exit = refusal.map_or(Exit::Failed, |refusal| refusal.exit);
    let told = serde_json::json!({ "error": {
        "code": exit.name(),
        "message": chain(error.as_ref()),
        "hint": refusal.map(|refusal| &refusal.hint),
    } });
    println!("{told:#}");
    ExitCode::from(exit as u8)
}
