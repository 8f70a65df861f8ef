//! The child process, seen from both sides.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use base_sandbox::{Ids, Jail, Report, prepare_state_dir, unprivileged_user};
use tempfile::TempDir;

/// Marks the child's command line.
pub(crate) const FLAG: &str = "--scenario";

/// What a test has around its child.
pub(crate) struct World {
    name: &'static str,
    outside: TempDir,
}

impl World {
    pub(crate) fn new(name: &'static str) -> Self {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "not yours").unwrap();
        // Readable for everyone: what refuses is the jail, not file permissions.
        make_public(outside.path());
        make_public(&outside.path().join("secret"));
        let world = Self { name, outside };
        prepare_state_dir(&world.state(), user()).unwrap();
        world
    }

    /// The folder beside and above the state folder.
    pub(crate) fn outside(&self) -> &Path {
        self.outside.path()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.outside.path().join("state")
    }

    /// Starts the child; its standard input is the returned socket.
    pub(crate) fn start(&self) -> Running {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([FLAG, self.name])
            .arg(self.state())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines, socket: ours }
    }

    /// Runs the child to its end, which must be a good one.
    pub(crate) fn run(self) {
        self.start().finish();
    }
}

/// A child at work.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub(crate) socket: UnixStream,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line the child prints; its error output when it ended instead.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        if line.is_empty() {
            panic!("the child ended: {}", self.errors());
        }
        line.trim_end().to_owned()
    }

    pub(crate) fn finish(mut self) {
        drop(self.socket);
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {errors}");
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        errors
    }
}

/// Whom the child becomes: someone only when the tests run as root.
pub(crate) fn user() -> Option<Ids> {
    base_sandbox::is_root().then(unprivileged_user)
}

pub(crate) fn jail(state_dir: &Path) -> Jail {
    Jail { state_dir: state_dir.to_path_buf(), user: user(), open_files: 64, allow_weak: false }
}

/// Enters the jail as every ordinary scenario does.
pub(crate) fn enter(state_dir: &Path) -> Report {
    base_sandbox::enter(&jail(state_dir)).unwrap()
}

/// Tells the parent.
#[expect(clippy::print_stdout, reason = "the pipe to the parent")]
pub(crate) fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Waits until the parent closes its socket.
pub(crate) fn wait_for_the_parent() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn make_public(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}
