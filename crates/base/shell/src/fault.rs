//! Limits, and the ways in which a script can fail to parse.

/// Bounds of one parse.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest source.
    pub bytes: usize,
    /// Deepest nesting of substitutions, groups and compound commands together. Sixteen is more
    /// than scripts use, and parses within a fraction of a two-megabyte stack even unoptimised.
    pub depth: usize,
    /// Most tokens.
    pub tokens: usize,
    /// Most parsing work, see the `cost` module: one unit is a token read once.
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, depth: 16, tokens: 16 * 1024, work: 1 << 19 }
    }
}

/// What an unfinished script waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A closing `'`, `"`, `` ` ``, `)` or `}`.
    Close(char),
    /// The end line of a here-document.
    HereDocument,
    /// The rest of a compound command, pipeline or list.
    Compound,
}

/// Why a script did not parse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFault {
    /// It may become valid with further lines.
    #[error("unfinished script")]
    Incomplete(Missing),
    /// It is wrong at the token `near` (`newline` for a line end) on `line`, counted from one.
    #[error("syntax error near `{near}` on line {line}")]
    Syntax {
        /// The token, in the encoding of [`crate::text`].
        near: String,
        /// Line number.
        line: usize,
    },
    /// Nested deeper than [`Limits::depth`], or so that parsing would take too long.
    #[error("nested too deeply")]
    TooDeep,
    /// Longer than [`Limits::bytes`] or [`Limits::tokens`].
    #[error("too long")]
    TooLong,
}
