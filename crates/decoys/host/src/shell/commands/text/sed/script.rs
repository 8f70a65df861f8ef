//! A script as it was read.

use crate::shell::regex::Regex;

/// Commands in order; blocks are jumps.
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// `#n` on the first line.
    pub(super) quiet: bool,
}

/// A command with the lines it is for.
pub(super) struct Command {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negated: bool,
    pub(super) verb: Verb,
}

/// Which lines.
pub(super) enum Address {
    Line(u64),
    Last,
    /// `/re/`; without an expression the last one used.
    Match(Option<Box<Regex>>),
    /// `first~step`.
    Step(u64, u64),
    /// `+N` after the first address.
    More(u64),
    /// `~N` after the first address.
    Multiple(u64),
    /// `0` before `,/re/`.
    Zero,
}

/// What to do.
pub(super) enum Verb {
    /// `{`: to where, when the lines are not meant.
    Block(usize),
    EndBlock,
    Label,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// To the command at this place; to the end without one.
    Branch(Option<usize>),
    BranchIf(Option<usize>),
    BranchUnless(Option<usize>),
    Delete,
    DeleteFirst,
    HoldCopy,
    HoldAppend,
    HoldGet,
    HoldGetAppend,
    HoldSwap,
    List,
    Next,
    NextAppend,
    Print,
    PrintFirst,
    Quit(u8),
    QuitSilently(u8),
    Read(Vec<u8>),
    Write(Vec<u8>),
    Number,
    Substitute(Box<Substitute>),
    Translate(Box<[u8; 256]>),
    Clear,
    FileName,
}

/// `s/regex/with/flags`.
pub(super) struct Substitute {
    /// Without one the last one used.
    pub(super) regex: Option<Regex>,
    pub(super) with: Vec<Part>,
    pub(super) global: bool,
    pub(super) print: bool,
    /// Which match is the first to be replaced.
    pub(super) number: usize,
    pub(super) write: Option<Vec<u8>>,
}

/// A piece of a replacement.
pub(super) enum Part {
    Text(Vec<u8>),
    /// `&` and `\1`.
    Group(usize),
    Case(Case),
}

/// `\U`, `\L`, `\u`, `\l`, `\E`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    UpperNext,
    LowerNext,
    End,
}
