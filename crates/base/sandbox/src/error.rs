//! Why the jail could not be closed, with the way to mend it.

use std::io;
use std::path::PathBuf;

/// The jail is not closed; the process must not read attacker bytes.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Another thread would stay outside.
    #[error(
        "the process already has {threads} threads, and those would stay outside the sandbox; \
         enter it first thing in `main`"
    )]
    NotAlone {
        /// Threads found.
        threads: usize,
    },
    /// `/proc` is not there to count threads.
    #[error("failed to count the threads of this process in `/proc/self/task`; mount /proc")]
    Threads(#[source] io::Error),
    /// The state folder cannot be prepared or entered.
    #[error("failed to {action} the state folder `{path}`")]
    StateDir {
        /// What was tried.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The unprivileged user may not write where all state goes.
    #[error(
        "the state folder `{path}` is not writable for user {ids}; \
         give it to that user: chown -R {ids} {path}"
    )]
    StateDirNotWritable {
        /// The folder.
        path: PathBuf,
        /// Who the process is.
        ids: crate::Ids,
    },
    /// The hard limit on descriptors is too low.
    #[error(
        "{needed} open files are needed and the hard limit is {limit}; \
         raise it (`ulimit -Hn`, or `LimitNOFILE=` in a systemd unit) or run fewer deckies"
    )]
    TooFewDescriptors {
        /// Descriptors asked for.
        needed: u64,
        /// The hard limit.
        limit: u64,
    },
    /// Started by root, and no user to become was given.
    #[error(
        "started as root without an unprivileged user to become; \
         name one, or allow a weak sandbox to stay root (not recommended)"
    )]
    StaysRoot,
    /// The user to become is root.
    #[error("user {0} has the rights of root and cannot be the unprivileged user")]
    RootAsUser(crate::Ids),
    /// Giving up a privilege failed.
    #[error(
        "failed to {what}; inside a container or a user namespace, start as an unprivileged user \
         instead of root"
    )]
    Privileges {
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Root's rights came back after they were given up.
    #[error("the rights of root could be taken back after they were given up")]
    StillPrivileged,
    /// The kernel does not isolate files.
    #[error(
        "Landlock is not available in this kernel ({why}); {mend}, or start with \
         --allow-weak-sandbox to run without file-system isolation (not recommended)"
    )]
    NoLandlock {
        /// What is missing.
        why: &'static str,
        /// How to get it.
        mend: &'static str,
    },
    /// Landlock is there and refused the rules.
    #[error("failed to restrict files with Landlock")]
    Landlock(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The kernel or a container does not let us filter system calls.
    #[error(
        "system calls cannot be filtered ({why}); use a kernel with CONFIG_SECCOMP_FILTER (a \
         container must allow `seccomp`), or start with --allow-weak-sandbox to run without \
         (not recommended)"
    )]
    NoSeccomp {
        /// What failed.
        why: String,
    },
    /// The self-test could not run.
    #[error("failed to run the sandbox's self-test")]
    SelfTest(#[source] io::Error),
    /// Forbidden acts that worked.
    #[error(
        "the sandbox does not hold: {}; refusing to run (--allow-weak-sandbox overrides, not \
         recommended)", worked.join(", ")
    )]
    Open {
        /// What worked although it must not.
        worked: Vec<&'static str>,
    },
}
