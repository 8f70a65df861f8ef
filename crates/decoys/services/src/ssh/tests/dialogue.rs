//! Golden dialogues: scripts of what a client does, with all that came of it.
//!
//! Lines that begin with `>` are the script: `> login USER PASSWORD`, `> try USER PASSWORD`,
//! `> none USER`,
//! `> change USER OLD NEW`, `> method USER NAME`, `> key USER`, `> open N`, `> forward N HOST PORT`, `> pty N TERM`, `> env N K V`,
//! `> shell N`, `> exec N LINE`, `> sftp N`, `> send N BYTES` (with escapes), `> eof N`,
//! `> close N`, `> size N COLUMNS ROWS`, `> signal N NAME`, `> wait SECONDS`. The other lines are
//! what followed; `UPDATE=1` rewrites them.

use std::time::Duration;

use base_model::{Peer, SessionId, Timestamp};
use chacha20::ChaCha12Rng;
use decoys_host::HostHandle;
use decoys_kit::ssh::{AuthTry, Channel, ChannelOpen, ChannelRequest, SshReply, SshSession};
use decoys_kit::transcript::START;
use decoys_kit::{Context, Effect, Open, Opening, Settings};
use rand_core::SeedableRng;

use decoys_host::testing;

/// What came of one input.
pub(super) type Acts = Vec<Effect<SshReply>>;

/// A session driven by hand.
pub(super) struct Client {
    pub(super) session: Box<dyn SshSession>,
    rng: ChaCha12Rng,
    pub(super) now: Timestamp,
    pub(super) acts: Acts,
}

impl Client {
    pub(super) fn on(host: &HostHandle) -> Self {
        let Open::Ssh(open) = &super::super::SERVICE.open else { panic!("not ssh") };
        let session = open(Opening {
            host: host.clone(),
            settings: Settings::default(),
            peer: Peer { ip: [198, 51, 100, 9].into(), port: 40022 },
            local: Peer { ip: [10, 0, 3, 1].into(), port: 22 },
            session: SessionId::from_entropy([9; 16]),
        });
        let rng = ChaCha12Rng::from_seed([1; 32]);
        let mut client = Self { session, rng, now: START, acts: Vec::new() };
        client.step(|session, cx| session.on_client(cx, b"SSH-2.0-Go"));
        client
    }

    pub(super) fn logged_in(host: &HostHandle, user: &str, password: &str) -> Self {
        let mut client = Self::on(host);
        client.password(user, password);
        client
    }

    pub(super) fn step(
        &mut self,
        step: impl FnOnce(&mut dyn SshSession, &mut Context<'_, SshReply>),
    ) {
        let mut acts = Vec::new();
        step(self.session.as_mut(), &mut Context::new(self.now, &mut self.rng, &mut acts));
        self.acts.extend(acts);
    }

    pub(super) fn password(&mut self, user: &str, password: &str) {
        let attempt = AuthTry::Password(password.as_bytes().to_vec());
        self.step(|session, cx| session.on_auth(cx, user.as_bytes(), attempt));
    }

    pub(super) fn open(&mut self, channel: u32) {
        self.step(|session, cx| {
            session.on_channel_open(cx, Channel(channel), ChannelOpen::Session)
        });
    }

    pub(super) fn request(&mut self, channel: u32, request: ChannelRequest) {
        self.step(|session, cx| session.on_channel_request(cx, Channel(channel), request));
    }

    pub(super) fn pty(&mut self, channel: u32, term: &str) {
        let term = term.as_bytes().to_vec();
        self.request(channel, ChannelRequest::Pty { term, size: (80, 24), modes: vec![(53, 1)] });
    }

    pub(super) fn send(&mut self, channel: u32, bytes: &[u8]) {
        self.step(|session, cx| session.on_data(cx, Channel(channel), bytes));
    }

    pub(super) fn eof(&mut self, channel: u32) {
        self.step(|session, cx| session.on_eof(cx, Channel(channel)));
    }

    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        let mut turns = 0;
        while let Some(due) = self.session.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.step(|session, cx| session.on_timeout(cx));
            turns += 1;
            assert!(turns < 100_000, "timeouts do not end");
        }
        self.now = end;
    }

    /// Runs `line` and gives what it printed.
    pub(super) fn exec(&mut self, channel: u32, line: &[u8]) -> Vec<u8> {
        self.open(channel);
        self.request(channel, ChannelRequest::Exec(line.to_vec()));
        self.eof(channel);
        self.wait(Duration::from_secs(600));
        self.output(channel)
    }

    /// All data sent on `channel` so far, both streams.
    pub(super) fn output(&self, channel: u32) -> Vec<u8> {
        let of = |act: &Effect<SshReply>| match act {
            Effect::Reply(SshReply::Data(c, bytes) | SshReply::Stderr(c, bytes))
                if c.0 == channel =>
            {
                Some(bytes.clone())
            }
            _ => None,
        };
        self.acts.iter().filter_map(of).collect::<Vec<_>>().concat()
    }

    pub(super) fn facts(&self) -> Vec<String> {
        let of = |act: &Effect<SshReply>| match act {
            Effect::Emit(_, fact) => Some(format!(
                "{} {}",
                fact.kind().name,
                serde_json::to_string(fact.fields()).unwrap()
            )),
            _ => None,
        };
        self.acts.iter().filter_map(of).collect()
    }
}

fn render(acts: &Acts, out: &mut String) {
    for act in acts {
        match act {
            Effect::Emit(session, fact) => {
                let fields = serde_json::to_string(fact.fields()).unwrap();
                let session =
                    session.map_or(String::new(), |s| format!("[{}] ", &s.to_string()[..4]));
                out.push_str(&format!("E: {session}{} {fields}\n", fact.kind().name));
            }
            Effect::Keep(blob) => out.push_str(&format!(
                "K: {} bytes {}\n",
                blob.bytes.len(),
                &blob.sha256.to_string()[..12]
            )),
            Effect::Record(piece) => {
                for line in piece.lines.lines() {
                    out.push_str(&format!("R: {line}\n"));
                }
            }
            Effect::Commit => out.push_str("W: durable\n"),
            Effect::Reply(SshReply::Data(channel, bytes)) => {
                lines(&format!("S{}", channel.0), bytes, out)
            }
            Effect::Reply(SshReply::Stderr(channel, bytes)) => {
                lines(&format!("S{}!", channel.0), bytes, out)
            }
            Effect::Reply(reply) => out.push_str(&format!("A: {reply:?}\n")),
        }
    }
}

fn lines(tag: &str, bytes: &[u8], out: &mut String) {
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        out.push_str(&format!("{tag}: {}\n", line.escape_ascii()));
    }
}

/// The inverse of `escape_ascii`.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next().unwrap() {
                b'r' => out.push(b'\r'),
                b'n' => out.push(b'\n'),
                b't' => out.push(b'\t'),
                b'x' => {
                    let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                    out.push(
                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap(),
                    );
                }
                other => out.push(other),
            },
            byte => out.push(byte),
        }
    }
    out
}

fn play(text: &str) -> String {
    let distro =
        text.lines().next().and_then(|line| line.strip_prefix("# on ")).unwrap_or("debian");
    let host = testing::host(1, distro);
    let mut client = Client::on(&host);
    let mut out = String::new();
    let mut shown = 0;
    for line in text.lines() {
        if line.starts_with('#') || line.is_empty() {
            out.push_str(&format!("{line}\n"));
            continue;
        }
        let Some(script) = line.strip_prefix("> ") else { continue };
        out.push_str(&format!("{line}\n"));
        act(&mut client, script);
        render(&client.acts[shown..].to_vec(), &mut out);
        shown = client.acts.len();
    }
    client.step(|session, cx| session.on_close(cx));
    render(&client.acts[shown..].to_vec(), &mut out);
    out
}

fn act(client: &mut Client, script: &str) {
    let mut words = script.splitn(2, ' ');
    let (verb, rest) = (words.next().unwrap(), words.next().unwrap_or(""));
    let parts: Vec<&str> = rest.split(' ').collect();
    let number = || parts[0].parse::<u32>().unwrap();
    let tail = || rest.split_once(' ').map_or("", |(_, tail)| tail);
    let user = parts[0].as_bytes().to_vec();
    match verb {
        "login" | "try" => client.password(parts[0], parts.get(1).copied().unwrap_or("")),
        "none" => client.step(|session, cx| session.on_auth(cx, &user, AuthTry::None)),
        "change" => client.step(|session, cx| {
            let (old, new) = (parts[1].as_bytes().to_vec(), parts[2].as_bytes().to_vec());
            session.on_auth(cx, &user, AuthTry::PasswordChange { old, new });
        }),
        "method" => client.step(|session, cx| {
            session.on_auth(cx, &user, AuthTry::Other(parts[1].as_bytes().to_vec()));
        }),
        "interactive" => {
            client.step(|session, cx| {
                session.on_auth(cx, &user, AuthTry::KeyboardInteractive(Vec::new()))
            });
        }
        "key" => client.step(|session, cx| {
            let attempt = AuthTry::PublicKey {
                algorithm: "ssh-ed25519".into(),
                fingerprint: "SHA256:abc".into(),
                signed: false,
            };
            session.on_auth(cx, &user, attempt);
        }),
        "open" => client.open(number()),
        "forward" => {
            let open = ChannelOpen::DirectTcpip {
                host: parts[1].as_bytes().to_vec(),
                port: parts[2].parse().unwrap(),
            };
            let channel = Channel(number());
            client.step(|session, cx| session.on_channel_open(cx, channel, open));
        }
        "pty" => client.pty(number(), parts[1]),
        "env" => {
            let (name, value) = (parts[1].as_bytes().to_vec(), parts[2].as_bytes().to_vec());
            client.request(number(), ChannelRequest::Env { name, value });
        }
        "shell" => client.request(number(), ChannelRequest::Shell),
        "exec" => client.request(number(), ChannelRequest::Exec(tail().as_bytes().to_vec())),
        "sftp" => client.request(number(), ChannelRequest::Subsystem(b"sftp".to_vec())),
        "send" => client.send(number(), &unescape(tail())),
        "type" => {
            for byte in unescape(tail()) {
                client.send(number(), &[byte]);
                client.now = client.now + Duration::from_millis(130);
            }
        }
        "size" => {
            let (columns, rows) = (parts[1].parse().unwrap(), parts[2].parse().unwrap());
            client.request(number(), ChannelRequest::WindowChange(columns, rows));
        }
        "signal" => client.request(number(), ChannelRequest::Signal(parts[1].as_bytes().to_vec())),
        "eof" => client.eof(number()),
        "close" => client
            .step(|session, cx| session.on_channel_close(cx, Channel(parts[0].parse().unwrap()))),
        "wait" => client.wait(Duration::from_secs_f64(parts[0].parse().unwrap())),
        other => panic!("unknown verb {other}"),
    }
}

#[test]
fn golden_dialogues_pass() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ssh/transcripts");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let played = play(&text);
        count += 1;
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, played).unwrap();
        } else {
            assert_eq!(played, text, "{}", path.display());
        }
    }
    assert!(count >= 5);
}
