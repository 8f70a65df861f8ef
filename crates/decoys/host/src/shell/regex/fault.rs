//! Why an expression is none.

/// The errors of `regcomp(3)`, in GNU's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Fault {
    Invalid,
    BackReference,
    Bracket,
    Parenthesis,
    UnmatchedRight,
    Brace,
    BraceContent,
    Class,
    RangeEnd,
    TrailingBackslash,
    TooBig,
}

impl Fault {
    /// The text of `regerror(3)`.
    pub(in crate::shell) const fn text(self) -> &'static str {
        match self {
            Self::Invalid => "Invalid regular expression",
            Self::BackReference => "Invalid back reference",
            Self::Bracket => "Unmatched [, [^, [:, [., or [=",
            Self::Parenthesis => "Unmatched ( or \\(",
            Self::UnmatchedRight => "Unmatched ) or \\)",
            Self::Brace => "Unmatched \\{",
            Self::BraceContent => "Invalid content of \\{\\}",
            Self::Class => "Invalid character class name",
            Self::RangeEnd => "Invalid range end",
            Self::TrailingBackslash => "Trailing backslash",
            Self::TooBig => "Regular expression too big",
        }
    }
}
