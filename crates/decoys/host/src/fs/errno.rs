//! Why an operation was refused.

/// The errors of `errno(3)` that the simulated kernel gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// `ENOENT`.
    NoEntry,
    /// `EACCES`.
    Access,
    /// `EPERM`.
    NotPermitted,
    /// `EEXIST`.
    Exists,
    /// `ENOTDIR`.
    NotDirectory,
    /// `EISDIR`.
    IsDirectory,
    /// `ENOTEMPTY`.
    NotEmpty,
    /// `ELOOP`.
    Loop,
    /// `ENAMETOOLONG`.
    NameTooLong,
    /// `ENOSPC`.
    NoSpace,
    /// `EINVAL`.
    Invalid,
    /// `EROFS`.
    ReadOnly,
    /// `EBADF`.
    BadDescriptor,
    /// `EBUSY`.
    Busy,
    /// `EFBIG`.
    TooBig,
}

impl Errno {
    /// The text of `strerror(3)`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::NoEntry => "No such file or directory",
            Self::Access => "Permission denied",
            Self::NotPermitted => "Operation not permitted",
            Self::Exists => "File exists",
            Self::NotDirectory => "Not a directory",
            Self::IsDirectory => "Is a directory",
            Self::NotEmpty => "Directory not empty",
            Self::Loop => "Too many levels of symbolic links",
            Self::NameTooLong => "File name too long",
            Self::NoSpace => "No space left on device",
            Self::Invalid => "Invalid argument",
            Self::ReadOnly => "Read-only file system",
            Self::BadDescriptor => "Bad file descriptor",
            Self::Busy => "Device or resource busy",
            Self::TooBig => "File too large",
        }
    }
}
