//! What is wrong with a request for a fleet, each finding with its place.

use std::fmt;

/// Findings of one kind that are kept; a file that is wrong throughout is not read to its end.
const KEPT: usize = 200;

/// Where in a text, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// One thing that is wrong, or that will not be as the operator may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` when it concerns no text or all of it.
    pub at: Option<Place>,
    /// What.
    pub text: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Problem {
    /// `text`, at `at`.
    #[must_use]
    pub fn new(at: Option<Place>, text: impl Into<String>) -> Self {
        Self { at, text: text.into(), hint: None }
    }

    /// With a hint, if there is one.
    #[must_use]
    pub fn hinted(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.at {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.text)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// As much of `text` as a message can show.
pub(crate) fn brief(text: &(impl fmt::Display + ?Sized)) -> String {
    const SHOWN: usize = 80;
    let text = text.to_string();
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// Everything that is wrong with a request, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// All of them; at least one.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    more: usize,
}

impl Findings {
    /// Something that must be mended.
    pub(crate) fn error(&mut self, problem: Problem) {
        if self.errors.len() < KEPT {
            self.errors.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Something the operator should know.
    pub(crate) fn warn(&mut self, problem: Problem) {
        if self.warnings.len() < KEPT {
            self.warnings.push(problem);
        }
    }

    /// Whether so much is wrong that looking on is pointless.
    pub(crate) fn is_full(&self) -> bool {
        self.errors.len() >= KEPT
    }

    /// `value` with the warnings, or all errors.
    pub(crate) fn conclude<T>(mut self, value: T) -> Result<(T, Vec<Problem>), Problems> {
        if self.errors.is_empty() {
            self.warnings.sort_by_key(|problem| problem.at);
            return Ok((value, self.warnings));
        }
        self.errors.sort_by_key(|problem| problem.at);
        if self.more > 0 {
            self.errors.push(Problem::new(None, format!("and {} more", self.more)));
        }
        Err(Problems(self.errors))
    }
}
