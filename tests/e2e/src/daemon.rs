//! `decnet up` as a child process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{self, Answer};
use crate::wait::until;

/// The password that tests choose at the first login.
const PASSWORD: &str = "a-password-of-the-tests";

/// Services of deckies unless a test says otherwise.
const SERVICES: &str = "ftp,http,https,mysql,postgres,redis,smtp,ssh,telnet";

/// The `decnet` binary of this build.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "decnet"]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        build.env("CARGO_TARGET_DIR", profile.parent().unwrap());
        build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        assert!(build.status().unwrap().success(), "decnet does not build");
        profile.join("decnet")
    })
}

/// How to start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--deckies`.
    pub deckies: Option<usize>,
    /// `--db`.
    pub db: Option<String>,
    /// `--state-dir`; one in the test's folder when not given.
    pub state_dir: Option<PathBuf>,
    /// Further arguments.
    pub more: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
}

/// A running daemon; ended with its folder when dropped.
pub struct Decnet {
    child: Option<Child>,
    folder: TempDir,
    /// How it is started next.
    pub options: Options,
    /// Daemons of other tests have their deckies elsewhere.
    first_address: String,
    /// The ready file's content.
    pub ready: Value,
    token: Option<String>,
}

/// A decky of the ready file.
#[derive(Clone, Debug)]
pub struct Decky(pub Value);

impl Decky {
    /// Its name.
    pub fn name(&self) -> String {
        self.0["name"].as_str().unwrap().to_owned()
    }

    /// Where its `service` is reached.
    pub fn endpoint(&self, service: &str) -> (String, u16) {
        let services = self.0["services"].as_array().unwrap();
        let found = services.iter().find(|one| one["name"] == service).expect("service");
        (found["address"].as_str().unwrap().to_owned(), found["port"].as_u64().unwrap() as u16)
    }

    /// User and password of its first login.
    pub fn login(&self) -> (String, String) {
        let login = &self.0["logins"][0];
        let text = |key: &str| login[key].as_str().unwrap().to_owned();
        (text("username"), text("password"))
    }
}

/// A block of addresses that no other daemon of the tests is likely to have.
fn first_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number =
        std::process::id().wrapping_mul(7).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    format!("127.{}.{}.1", 1 + (number >> 8) % 126, number % 256)
}

impl Decnet {
    /// Starts on a new state folder and waits until everything answers.
    pub fn start(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ready, token, first_address) = (Value::Null, None, first_address());
        let mut decnet = Self { child: None, folder, options, first_address, ready, token };
        decnet.start_again();
        decnet
    }

    /// Starts on the same state folder.
    pub fn start_again(&mut self) {
        self.spawn();
        self.await_ready();
    }

    /// Starts without waiting.
    pub fn spawn(&mut self) {
        let log = File::options().create(true).append(true).open(self.path("stderr")).unwrap();
        // A killed daemon cannot remove it.
        drop(fs::remove_file(self.path("ready")));
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits for the ready file.
    pub fn await_ready(&mut self) {
        let ready = self.path("ready");
        self.ready = until("the ready file", || {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("decnet ended with {status}:\n{}", self.diagnostics());
            }
            serde_json::from_slice(&fs::read(&ready).ok()?).ok()
        });
    }

    /// The command as it is started.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.arg("up").arg("--state-dir").arg(self.state_dir());
        command.args(["--api-addr", "127.0.0.1:0", "--ready-file"]).arg(self.path("ready"));
        if let Some(deckies) = self.options.deckies {
            command.args(["--deckies", &deckies.to_string()]);
        }
        command.args(["--ip-start", &self.first_address]);
        if let Some(db) = &self.options.db {
            command.args(["--db", db]);
        }
        let says = |flag: &str| self.options.more.iter().any(|given| given == flag);
        if !says("--services") && !says("--config") {
            // One decky then has everything that a test may try.
            command.args(["--services", SERVICES]);
        }
        command.args(&self.options.more);
        command.envs(self.options.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The state folder.
    pub fn state_dir(&self) -> PathBuf {
        self.options.state_dir.clone().unwrap_or_else(|| self.path("state"))
    }

    /// A path in the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the daemon wrote to standard error.
    pub fn diagnostics(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// All deckies.
    pub fn deckies(&self) -> Vec<Decky> {
        self.ready["deckies"].as_array().unwrap().iter().cloned().map(Decky).collect()
    }

    /// The first decky.
    pub fn decky(&self) -> Decky {
        self.deckies().remove(0)
    }

    /// Host and port of the API.
    pub fn api_address(&self) -> String {
        self.ready["api"].as_str().unwrap().trim_start_matches("http://").to_owned()
    }

    /// Process id of control.
    pub fn control_pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Process id of the decoy process, once there is one.
    pub fn decoy_pid(&self) -> Option<u32> {
        let parent = self.control_pid().to_string();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after = stat.rsplit(") ").next().unwrap_or_default();
            let mut fields = after.split(' ');
            let running = fields.next().is_some_and(|state| state != "Z");
            running && fields.next() == Some(&parent)
        })
    }

    /// Kills a process of ours at once.
    pub fn kill(pid: u32) {
        let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
        // It may be gone already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }

    /// Kills control at once and collects it.
    pub fn kill_control(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks for an orderly end and waits for it. Returns whether it was one.
    pub fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return true };
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until("the end", || child.try_wait().unwrap()).success()
    }

    /// Asks the API, logged in as its administrator.
    pub fn api(&mut self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    /// Asks the API, logged in as its administrator, whatever it answers.
    pub fn get(&mut self, path: &str) -> Answer {
        let token = self.token();
        let path = format!("/api/v1{path}");
        http::request(&self.api_address(), "GET", &path, Some(&token), None).unwrap()
    }

    /// A token of the administrator; changes the first password if need be.
    pub fn token(&mut self) -> String {
        if let Some(token) = &self.token {
            return token.clone();
        }
        if let Some(first) = self.ready["password"].as_str().map(str::to_owned) {
            let token = self.login(&first);
            let change = json!({"old_password": first, "new_password": PASSWORD});
            let path = "/api/v1/auth/change-password";
            let answer =
                http::request(&self.api_address(), "POST", path, Some(&token), Some(&change));
            assert_eq!(answer.unwrap().status, 200);
            self.ready["password"] = Value::Null;
        }
        let token = self.login(PASSWORD);
        self.token = Some(token.clone());
        token
    }

    fn login(&self, password: &str) -> String {
        let login = json!({"username": self.ready["user"], "password": password});
        let path = "/api/v1/auth/login";
        let answer = http::request(&self.api_address(), "POST", path, None, Some(&login)).unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Decnet {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            eprintln!("── decnet said:\n{}", self.diagnostics());
        }
    }
}
