//! A machine with a handful of commands, served on a port of its own; what happened is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use base_model::{PersonaSecret, Timestamp, catalogue};
use chacha20::ChaCha12Rng;
use decoys_kit::Choices;
use decoys_kit::ssh::{
    AuthAnswer, AuthTry, Channel, ChannelOpen, ChannelRequest, ClientLists, Method, SshContext,
    SshReply, SshSession,
};
use decoys_secure::ssh::{HostKeys, serve};
use decoys_secure::{Outward, Stalled, World};
use rand_core::SeedableRng as _;
use tokio::net::TcpListener;

/// Bytes of output a program makes at once.
const BURST: usize = 64 * 1024;

/// The keys of all machines here; RSA takes a while to make.
static KEYS: LazyLock<HostKeys> = LazyLock::new(|| {
    let secret = PersonaSecret::new([1; 32]);
    let choices = Choices::new(&secret);
    let mut keys = HostKeys::derive(&choices).unwrap();
    keys.add(&HostKeys::make_rsa(&choices, "OpenSSH_9.2p1").unwrap()).unwrap();
    keys
});

/// What the world saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Tries and requests, as text.
    pub(crate) calls: Mutex<Vec<String>>,
    /// Kinds of facts told.
    pub(crate) told: Mutex<Vec<String>>,
    pub(crate) panics: AtomicUsize,
    pub(crate) closed: AtomicUsize,
}

impl Seen {
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

struct TestWorld(Arc<Seen>);

impl World for TestWorld {
    fn now(&self) -> Timestamp {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap())
    }

    fn perform(
        &self,
        outward: Outward,
    ) -> Pin<Box<dyn Future<Output = Result<(), Stalled>> + Send + '_>> {
        Box::pin(async move {
            match outward {
                Outward::Emit(_, fact) => {
                    self.0.told.lock().unwrap().push(fact.kind().name.to_owned());
                }
                // As a disk does, this takes a while.
                Outward::Commit => {
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                    }
                }
                Outward::Keep(_) | Outward::Record(_) => {}
            }
            Ok(())
        })
    }

    fn panicked(&self) {
        self.0.panics.fetch_add(1, Ordering::SeqCst);
    }
}

/// A served machine.
pub(crate) struct Machine {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
}

impl Machine {
    /// Serves until the runtime ends.
    pub(crate) async fn start() -> Self {
        Self::calling_itself("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7").await
    }

    /// Serves as the server whose identification is `banner`.
    pub(crate) async fn calling_itself(banner: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let theirs = Arc::clone(&seen);
        let keys = tokio::task::spawn_blocking(|| KEYS.clone()).await.unwrap();
        tokio::spawn(async move {
            for seed in 0_u8.. {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let seen = Arc::clone(&theirs);
                let session = Box::new(Session::new(Arc::clone(&seen), banner));
                let rng = ChaCha12Rng::from_seed([seed; 32]);
                let keys = keys.clone();
                tokio::spawn(async move {
                    serve(stream, session, rng, keys, Arc::new(TestWorld(Arc::clone(&seen)))).await;
                    seen.closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, seen }
    }
}

enum Program {
    /// Writes so many bytes yet.
    Bytes(usize),
    Cat,
    Sink(usize),
}

struct Session {
    banner: &'static str,
    seen: Arc<Seen>,
    programs: BTreeMap<Channel, Program>,
    full: BTreeSet<Channel>,
    wake: Option<Timestamp>,
}

impl Session {
    const fn new(seen: Arc<Seen>, banner: &'static str) -> Self {
        Self { banner, seen, programs: BTreeMap::new(), full: BTreeSet::new(), wake: None }
    }

    fn call(&self, call: String) {
        self.seen.calls.lock().unwrap().push(call);
    }

    fn exit(&mut self, cx: &mut SshContext<'_>, channel: Channel, status: u32) {
        self.programs.remove(&channel);
        cx.emit(catalogue::startup(&[]));
        cx.commit();
        cx.reply(SshReply::Eof(channel));
        cx.reply(SshReply::ExitStatus(channel, status));
        cx.reply(SshReply::Close(channel));
    }

    fn exec(&mut self, cx: &mut SshContext<'_>, channel: Channel, line: &str) {
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let program = match command {
            "bytes" => Program::Bytes(argument.parse().unwrap()),
            "cat" => Program::Cat,
            "sink" => Program::Sink(0),
            "panic" => panic!("as it was asked to"),
            "err" => {
                cx.reply(SshReply::Stderr(channel, argument.as_bytes().to_vec()));
                return self.exit(cx, channel, 3);
            }
            _ => {
                cx.reply(SshReply::Data(channel, argument.as_bytes().to_vec()));
                return self.exit(cx, channel, 0);
            }
        };
        self.programs.insert(channel, program);
        self.wake = Some(cx.now());
    }
}

impl SshSession for Session {
    fn on_open(&mut self, _cx: &mut SshContext<'_>) {}

    fn on_client(&mut self, _cx: &mut SshContext<'_>, ident: &[u8]) {
        self.call(format!("client {}", ident.escape_ascii()));
    }

    fn on_lists(&mut self, _cx: &mut SshContext<'_>, lists: &ClientLists) {
        self.call(format!("lists {}", lists.kex));
    }

    fn on_auth(&mut self, cx: &mut SshContext<'_>, user: &[u8], attempt: AuthTry) {
        self.call(format!("auth {} {attempt:?}", user.escape_ascii()));
        cx.emit(catalogue::startup(&[]));
        cx.commit();
        let answer = match attempt {
            AuthTry::Password(password) if password == b"pw" => AuthAnswer::Accept,
            AuthTry::KeyboardInteractive(answers) => match answers.first() {
                Some(answer) if answer == b"pw" => AuthAnswer::Accept,
                None => AuthAnswer::Prompt(vec![("Password: ".into(), false)]),
                Some(_) => AuthAnswer::Reject(&[Method::Password]),
            },
            _ => AuthAnswer::Reject(&[
                Method::PublicKey,
                Method::Password,
                Method::KeyboardInteractive,
            ]),
        };
        cx.reply(SshReply::Auth(answer));
    }

    fn on_channel_open(&mut self, cx: &mut SshContext<'_>, channel: Channel, open: ChannelOpen) {
        self.call(format!("open {open:?}"));
        cx.reply(SshReply::Opened(channel, open == ChannelOpen::Session));
    }

    fn on_channel_request(
        &mut self,
        cx: &mut SshContext<'_>,
        channel: Channel,
        request: ChannelRequest,
    ) {
        self.call(format!("request {request:?}"));
        cx.reply(SshReply::Requested(channel, true));
        match request {
            ChannelRequest::Exec(line) => {
                let line = String::from_utf8(line).unwrap();
                self.exec(cx, channel, &line);
            }
            ChannelRequest::Shell => self.exec(cx, channel, "cat"),
            _ => {}
        }
    }

    fn on_data(&mut self, cx: &mut SshContext<'_>, channel: Channel, bytes: &[u8]) {
        match self.programs.get_mut(&channel) {
            Some(Program::Cat) => cx.reply(SshReply::Data(channel, bytes.to_vec())),
            Some(Program::Sink(count)) => *count += bytes.len(),
            Some(Program::Bytes(_)) | None => {}
        }
    }

    fn on_eof(&mut self, cx: &mut SshContext<'_>, channel: Channel) {
        match self.programs.get(&channel) {
            Some(Program::Cat) => self.exit(cx, channel, 0),
            Some(Program::Sink(count)) => {
                cx.reply(SshReply::Data(channel, format!("{count}").into_bytes()));
                self.exit(cx, channel, 0);
            }
            Some(Program::Bytes(_)) | None => {}
        }
    }

    fn on_channel_close(&mut self, _cx: &mut SshContext<'_>, channel: Channel) {
        self.programs.remove(&channel);
    }

    fn on_full(&mut self, channel: Channel, full: bool) {
        if full {
            self.full.insert(channel);
        } else {
            self.full.remove(&channel);
            self.wake = Some(Timestamp::from_micros(0));
        }
    }

    fn on_timeout(&mut self, cx: &mut SshContext<'_>) {
        self.wake = None;
        let writing: Vec<Channel> = self
            .programs
            .iter()
            .filter(|(channel, program)| {
                matches!(program, Program::Bytes(_)) && !self.full.contains(channel)
            })
            .map(|(channel, _)| *channel)
            .collect();
        for &channel in &writing {
            let Some(Program::Bytes(left)) = self.programs.get_mut(&channel) else { continue };
            let count = BURST.min(*left);
            *left -= count;
            let done = *left == 0;
            cx.reply(SshReply::Data(channel, vec![b'x'; count]));
            if done {
                self.exit(cx, channel, 0);
            }
        }
        if !writing.is_empty() {
            self.wake = Some(cx.now() + Duration::from_micros(1));
        }
    }

    fn on_close(&mut self, cx: &mut SshContext<'_>) {
        cx.emit(catalogue::connect());
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.wake
    }

    fn banner(&self) -> &'static str {
        self.banner
    }
}
