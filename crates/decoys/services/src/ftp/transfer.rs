//! A transfer over the data connection.

use decoys_host::fs::Ino;

/// Bytes handed to the data connection at once.
pub(super) const PIECE: usize = 64 * 1024;

/// What is to go over the data connection.
#[derive(Debug)]
pub(super) enum Job {
    /// A listing.
    Listing { verb: String, bytes: Vec<u8>, count: usize, all: bool },
    /// A file, from `at` to `size`.
    Download { path: Vec<u8>, name: Vec<u8>, ino: Ino, at: u64, size: u64 },
    /// A file that comes in, written at `at`.
    Upload { path: Vec<u8>, name: Vec<u8>, ino: Ino, at: u64, received: u64, unique: bool },
}

/// Where the data connection is.
#[derive(Debug, Default)]
pub(super) enum Channel {
    /// Nothing was agreed.
    #[default]
    None,
    /// A port is being opened, for `PASV` or `EPSV`.
    Opening { extended: bool },
    /// The client may connect to this port.
    Listening(u16),
    /// It has.
    Connected,
    /// It wants to be connected to.
    Active,
}
