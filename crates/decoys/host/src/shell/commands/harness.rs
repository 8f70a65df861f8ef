//! A shell for the tests of commands: runs lines, collects what came out.

use base_model::Timestamp;

use crate::HostHandle;
use crate::shell::{Act, Item, Process, Spawn, Stdio};

/// Noon of the first day of 2026, twelve days after the test machine booted.
pub(super) const NOW: i64 = 1_767_268_800;

/// What a line did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) status: u8,
    /// What was told besides the line itself.
    pub(super) acts: Vec<Act>,
    /// Seconds it took.
    pub(super) took: i64,
}

/// Runs command lines on one machine, each in a session of its own.
pub(super) struct Shell {
    pub(super) host: HostHandle,
    user: &'static str,
    now: Timestamp,
}

impl Shell {
    /// Root's, on Debian.
    pub(super) fn new() -> Self {
        Self::of("root")
    }

    /// The shell of `user`.
    pub(super) fn of(user: &'static str) -> Self {
        Self { user, ..Self::on(crate::testing::host(1, "debian")) }
    }

    /// Root's, on `host`.
    pub(super) fn on(host: HostHandle) -> Self {
        Self { host, user: "root", now: Timestamp::from_micros(NOW * 1_000_000) }
    }

    /// The same machine, as `user`.
    pub(super) fn also(&self, user: &'static str) -> Self {
        Self { host: self.host.clone(), user, now: self.now }
    }

    /// Runs `line` with nothing to read.
    pub(super) fn run(&mut self, line: &str) -> Done {
        self.feed(line, b"")
    }

    /// Runs `line`, which reads `input`.
    pub(super) fn feed(&mut self, line: &str, input: &[u8]) -> Done {
        let mut process = Process::spawn(
            &self.host,
            Spawn {
                account: self.host.account(self.user.as_bytes()).unwrap(),
                stdio: Stdio::Pipes,
                command: Some(line.as_bytes().to_vec()),
                env: Vec::new(),
                connection: ("198.51.100.9".to_owned(), 40022, "10.0.3.1".to_owned(), 22),
                now: self.now,
                entry: crate::shell::Entry::Ssh,
            },
        );
        process.input(input);
        process.end_of_input();
        let started = self.now;
        let mut done = Done::default();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        for _ in 0..200_000 {
            process.poll(self.now);
            for item in process.take() {
                match item {
                    Item::Out(bytes) => out.extend(bytes),
                    Item::Err(bytes) => err.extend(bytes),
                    Item::Act(Act::Command { .. }) => {}
                    Item::Act(act) => done.acts.push(act),
                }
            }
            if let Some(status) = process.exit() {
                done.status = status;
                done.took = self.now.seconds() - started.seconds();
                done.out = String::from_utf8_lossy(&out).into_owned();
                done.err = String::from_utf8_lossy(&err).into_owned();
                return done;
            }
            self.now = process.wake_at().expect("it waits for something").max(self.now);
        }
        panic!("{line} does not end");
    }

    /// Runs `line` and demands that it prints `out`, tells nothing and succeeds.
    #[track_caller]
    pub(super) fn prints(&mut self, line: &str, out: &str) {
        let done = self.run(line);
        assert_eq!((done.out.as_str(), done.err.as_str(), done.status), (out, "", 0), "{line}");
    }

    /// Runs `line` and demands that it prints `out`, tells `err` and ends with `status`.
    #[track_caller]
    pub(super) fn gives(&mut self, line: &str, out: &str, err: &str, status: u8) {
        let done = self.run(line);
        assert_eq!(
            (done.out.as_str(), done.err.as_str(), done.status),
            (out, err, status),
            "{line}"
        );
    }
}
