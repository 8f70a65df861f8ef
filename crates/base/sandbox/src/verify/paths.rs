//! Forbidden acts on files outside the state folder.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// A name, and whether the act is refused.
type Act = (&'static str, fn() -> bool);

/// What must not be possible.
pub(super) const FORBIDDEN: &[Act] = &[
    ("read /etc/passwd", || cannot(File::open("/etc/passwd"))),
    ("read a program", || cannot(File::open("/bin/sh"))),
    ("read own environment", || cannot(File::open("/proc/self/environ"))),
    ("write own memory", || cannot(OpenOptions::new().write(true).open("/proc/self/mem"))),
    ("list /", || cannot(fs::read_dir("/"))),
    ("list /proc", || cannot(fs::read_dir("/proc"))),
    ("list the parent of the state folder", || cannot(fs::read_dir(".."))),
    ("write a device", || cannot(OpenOptions::new().write(true).open("/dev/null"))),
    ("open the terminal", || cannot(OpenOptions::new().read(true).write(true).open("/dev/tty"))),
    ("make a file beside the state folder", || cannot_make("..")),
    ("make a file in /tmp", || cannot_make("/tmp")),
    ("make a file in /dev/shm", || cannot_make("/dev/shm")),
    ("make a file in /", || cannot_make("/")),
];

/// An absent file says nothing about the wall, and nothing was reached; a file system that is mounted
/// read-only is a wall of its own, which the kernel comes to first.
fn cannot<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| {
        let kind = error.kind();
        super::is_refusal(&error)
            || matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::ReadOnlyFilesystem)
    })
}

/// Tries to make a file in `folder`, and removes it when that worked.
fn cannot_make(folder: &str) -> bool {
    let path = Path::new(folder).join(format!(".decnet-sandbox-test-{}", std::process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&path);
    if made.is_ok() {
        // Where making is possible removing is; if not, an empty file stays.
        let _ = fs::remove_file(&path);
    }
    cannot(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_file_system_is_a_wall_and_a_full_one_is_not() {
        let error = |number| Err::<(), _>(io::Error::from_raw_os_error(number));
        assert!(cannot(error(libc::EROFS)) && cannot(error(libc::EACCES)));
        assert!(!cannot(error(libc::ENOSPC)) && !cannot(Ok(())));
    }
}
