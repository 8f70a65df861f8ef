//! A login over telnet, by the telnet client.

use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use e2e::{Decnet, Options, missing, until};
use serde_json::Value;

/// What the client shows, as far as it has come.
struct Screen {
    pieces: mpsc::Receiver<Vec<u8>>,
    text: String,
}

impl Screen {
    /// Waits until `wanted` is shown, and forgets what came up to there.
    fn await_text(&mut self, wanted: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(at) = self.text.find(wanted) {
                self.text.drain(..at + wanted.len());
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok(piece) => self.text.push_str(&String::from_utf8_lossy(&piece)),
                Err(_) => panic!("no `{wanted}` in `{}`", self.text),
            }
        }
    }
}

fn say(stdin: &mut ChildStdin, line: &str) {
    stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    stdin.flush().unwrap();
}

#[test]
fn a_telnet_session_is_told_and_recorded() {
    if missing("telnet") {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let decky = decnet.decky();
    let (address, port) = decky.endpoint("telnet");
    let (user, password) = decky.login();
    let mut client = Command::new("telnet")
        .args([&address, &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("telnet runs");
    let (mut stdin, mut stdout) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
    let (sender, pieces) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut screen = Screen { pieces, text: String::new() };
    screen.await_text("login: ");
    say(&mut stdin, &user);
    screen.await_text("Password: ");
    say(&mut stdin, "not-the-password");
    screen.await_text("Login incorrect");
    screen.await_text("login: ");
    say(&mut stdin, &user);
    screen.await_text("Password: ");
    say(&mut stdin, &password);
    screen.await_text("# ");
    say(&mut stdin, "id; cat /proc/mounts > /tmp/.m");
    screen.await_text("uid=0(root)");
    say(&mut stdin, "exit");
    screen.await_text("logout");
    let _ended = client.wait().unwrap();
    let logs = |decnet: &mut Decnet, kind: &str| -> Vec<Value> {
        let page = decnet.api(&format!("/logs?limit=100&search=event:{kind}"));
        page["data"].as_array().unwrap().clone()
    };
    let recorded = until("the recording", || logs(&mut decnet, "session_recorded").pop());
    assert_eq!(recorded["service"], "telnet");
    assert_eq!(logs(&mut decnet, "telnet_negotiation").len(), 1);
    assert!(!logs(&mut decnet, "file_captured").is_empty());
    let sid = recorded["session_id"].as_str().unwrap();
    let transcript = decnet.api(&format!("/transcripts/{}/{sid}?service=telnet", decky.name()));
    let shown: String = transcript["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event[1] == "o")
        .map(|event| event[2].as_str().unwrap())
        .collect();
    assert!(shown.contains("uid=0(root)"), "{shown}");
}
