//! What is in force after entering the jail, for health and for the log.

use std::fmt;

use crate::Ids;

/// What [`enter`](crate::enter) put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Who the process is.
    pub ids: Ids,
    /// Descriptors it may have open.
    pub open_files: u64,
    /// Landlock's interface version in use; absent when files are not isolated.
    pub landlock: Option<u32>,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// What is missing from a full jail; empty unless a weak sandbox was allowed.
    pub weaknesses: Vec<Weakness>,
    /// What an older kernel or the way of starting leaves to another layer; no weakness.
    pub notes: Vec<&'static str>,
}

/// A missing wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// The process kept the rights of root.
    Root,
    /// Files are not isolated.
    Files {
        /// Why.
        why: &'static str,
    },
    /// System calls are not filtered: connections and programs are possible.
    Calls {
        /// Why.
        why: String,
    },
}

impl Report {
    /// Whether a wall is missing. The caller must say so loudly, at start and in health.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        !self.weaknesses.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {}, {} open files", self.ids, self.open_files)?;
        match self.landlock {
            Some(abi) => write!(f, ", files isolated (Landlock {abi})")?,
            None => f.write_str(", files NOT isolated")?,
        }
        f.write_str(if self.seccomp {
            ", system calls filtered"
        } else {
            ", system calls NOT filtered"
        })?;
        self.weaknesses.iter().try_for_each(|weakness| write!(f, "; WEAK: {weakness}"))?;
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the decoy process runs as root"),
            Self::Files { why } => {
                write!(f, "an intruder who breaks out of a decoy can reach all files ({why})")
            }
            Self::Calls { why } => write!(
                f,
                "an intruder who breaks out of a decoy can open connections and run programs ({why})"
            ),
        }
    }
}
