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

/// An absent file says nothing about the wall, and nothing was reached.
fn cannot<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| super::is_refusal(&error) || error.kind() == io::ErrorKind::NotFound)
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
