//! What is asked of every file, as it was read.

use base_model::Timestamp;

use crate::shell::regex::Regex;

/// What is asked of every file.
pub(super) struct Plan {
    pub(super) tree: Expression,
    pub(super) min_depth: usize,
    pub(super) max_depth: usize,
    /// A directory comes after what is in it.
    pub(super) depth_first: bool,
    /// Stays on the file system it started on.
    pub(super) one_system: bool,
}

pub(super) enum Expression {
    Test(Test),
    Act(Action),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Comma(Vec<Expression>),
}

/// Compared with a number: less, exactly, more.
#[derive(Clone, Copy)]
pub(super) struct Compare {
    pub(super) sign: i8,
    pub(super) number: u64,
}

impl Compare {
    pub(super) const fn holds(self, value: u64) -> bool {
        match self.sign {
            1 => value > self.number,
            -1 => value < self.number,
            _ => value == self.number,
        }
    }
}

/// Which of a file's times.
#[derive(Clone, Copy)]
pub(super) enum Time {
    Access,
    Change,
    Modify,
}

pub(super) enum Test {
    Always(bool),
    Name(Vec<u8>, bool),
    Path(Vec<u8>, bool),
    Link(Vec<u8>, bool),
    Regex(Box<Regex>),
    Kind(Vec<u8>),
    Size(Compare, u64),
    Empty,
    User(u32),
    Group(u32),
    NoUser,
    NoGroup,
    /// Bits, and `=`, `-` or `/`.
    Perm(u16, u8),
    /// Age in units of so many seconds.
    Age(Time, Compare, i64),
    Newer(Time, Timestamp),
    Links(Compare),
    Inode(Compare),
    Readable,
    Writable,
    Executable,
}

pub(super) enum Action {
    Print {
        zero: bool,
    },
    Printf(Vec<u8>),
    List,
    Delete,
    Prune,
    Quit,
    /// Words; whether many files come at once; whether in the file's directory.
    Exec {
        words: Vec<Vec<u8>>,
        many: bool,
        inside: bool,
    },
}
