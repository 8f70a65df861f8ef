//! A client without I/O, and the session it talks to.

use std::sync::{Arc, LazyLock, Mutex};

use base_model::{PersonaSecret, Timestamp, catalogue};
use chacha20::ChaCha12Rng;
use curve25519_dalek::MontgomeryPoint;
use decoys_kit::Choices;
use decoys_kit::ssh::{
    AuthAnswer, AuthTry, Channel, ChannelOpen, ChannelRequest, ClientLists, Method, SshContext,
    SshReply, SshSession,
};
use rand_core::SeedableRng as _;

use crate::ssh::cipher::{Keys, Opener, Sealer};
use crate::ssh::connection::Connection;
use crate::ssh::kex::{Agreed, Answer, Hash, Said};
use crate::ssh::keys::HostKeys;
use crate::ssh::numbers::*;
use crate::ssh::packet::{Inbound, Outbound};
use crate::ssh::suite::{Cipher, Mac};
use crate::ssh::wire::{Put as _, Reader};
use crate::ssh::{auth, sign};
use crate::world::Outward;

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
const BANNER: &str = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7";
const CIPHER: &str = "aes128-ctr";
const MAC: &str = "umac-64-etm@openssh.com";
const IDENT: &[u8] = b"SSH-2.0-client";

static KEYS: LazyLock<HostKeys> =
    LazyLock::new(|| HostKeys::derive(&Choices::new(&PersonaSecret::new([1; 32]))).unwrap());

/// What was called, in order.
pub(super) type Calls = Arc<Mutex<Vec<String>>>;

/// Lets `pw` in, runs `echo`, `cat` and `flood`.
pub(super) struct Script(pub(super) Calls);

impl SshSession for Script {
    fn on_open(&mut self, _cx: &mut SshContext<'_>) {}

    fn on_client(&mut self, _cx: &mut SshContext<'_>, ident: &[u8]) {
        self.call(format!("client {}", ident.escape_ascii()));
    }

    fn on_lists(&mut self, _cx: &mut SshContext<'_>, lists: &ClientLists) {
        self.call(format!("lists {}", lists.kex));
    }

    fn on_auth(&mut self, cx: &mut SshContext<'_>, user: &[u8], attempt: AuthTry) {
        let answer = match &attempt {
            AuthTry::Password(password) if password == b"pw" => AuthAnswer::Accept,
            AuthTry::KeyboardInteractive(answers) if answers.is_empty() => {
                AuthAnswer::Prompt(vec![("Password: ".into(), false)])
            }
            _ => AuthAnswer::Reject(&[Method::Password]),
        };
        self.call(format!("auth {} {attempt:?}", user.escape_ascii()));
        cx.emit(catalogue::connect());
        cx.commit();
        cx.reply(SshReply::Auth(answer));
    }

    fn on_channel_open(&mut self, cx: &mut SshContext<'_>, channel: Channel, open: ChannelOpen) {
        self.call(format!("open {} {open:?}", channel.0));
        cx.reply(SshReply::Opened(channel, open == ChannelOpen::Session));
    }

    fn on_channel_request(
        &mut self,
        cx: &mut SshContext<'_>,
        channel: Channel,
        request: ChannelRequest,
    ) {
        self.call(format!("request {} {request:?}", channel.0));
        let runs = matches!(request, ChannelRequest::Exec(_) | ChannelRequest::Shell);
        cx.reply(SshReply::Requested(channel, runs));
        match request {
            ChannelRequest::Exec(line) if line == b"flood" => {
                cx.reply(SshReply::Data(channel, vec![b'x'; 3 << 20]));
            }
            ChannelRequest::Exec(line) if line != b"cat" => {
                cx.reply(SshReply::Data(channel, line));
                cx.reply(SshReply::Eof(channel));
                cx.reply(SshReply::ExitStatus(channel, 0));
                cx.reply(SshReply::Close(channel));
            }
            _ => {}
        }
    }

    fn on_data(&mut self, cx: &mut SshContext<'_>, channel: Channel, bytes: &[u8]) {
        self.call(format!("data {} {}", channel.0, bytes.len()));
        cx.reply(SshReply::Data(channel, bytes.to_vec()));
    }

    fn on_eof(&mut self, _cx: &mut SshContext<'_>, channel: Channel) {
        self.call(format!("eof {}", channel.0));
    }

    fn on_channel_close(&mut self, _cx: &mut SshContext<'_>, channel: Channel) {
        self.call(format!("close {}", channel.0));
    }

    fn on_full(&mut self, channel: Channel, full: bool) {
        self.call(format!("full {} {full}", channel.0));
    }

    fn on_timeout(&mut self, _cx: &mut SshContext<'_>) {}

    fn on_close(&mut self, cx: &mut SshContext<'_>) {
        self.call("end".into());
        cx.emit(catalogue::connect());
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        None
    }

    fn banner(&self) -> &'static str {
        BANNER
    }
}

impl Script {
    fn call(&self, call: String) {
        self.0.lock().unwrap().push(call);
    }
}

/// A connection that is driven by hand.
pub(super) fn connection(calls: &Calls) -> Connection {
    let session = Box::new(Script(Arc::clone(calls)));
    Connection::new(session, ChaCha12Rng::from_seed([3; 32]), KEYS.clone())
}

/// `SSH_MSG_KEXINIT` of a client with these lists.
pub(super) fn kexinit(kex: &str, host_key: &str, cipher: &str, mac: &str) -> Vec<u8> {
    let mut message = vec![KEXINIT];
    message.extend([9; 16]);
    for list in [kex, host_key, cipher, cipher, mac, mac, "none", "none", "", ""] {
        message.put_string(list.as_bytes());
    }
    message.extend([0; 5]);
    message
}

/// The client's lists.
fn lists(strict: bool) -> Vec<u8> {
    let kex = if strict {
        "curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com"
    } else {
        "curve25519-sha256"
    };
    kexinit(kex, "ssh-ed25519", CIPHER, MAC)
}

/// A client.
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) calls: Calls,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
    rng: ChaCha12Rng,
    strict: bool,
    session_id: Vec<u8>,
    /// Everything it sent, and got.
    pub(super) sent: Vec<u8>,
    pub(super) got: Vec<u8>,
    /// Effects on the world are performed as they come.
    pub(super) performs: bool,
}

impl Client {
    /// Connected, with identification strings exchanged.
    pub(super) fn new() -> Self {
        let calls = Calls::default();
        let mut client = Self {
            connection: connection(&calls),
            calls,
            inbound: Inbound::new(),
            outbound: Outbound::new(),
            rng: ChaCha12Rng::from_seed([4; 32]),
            strict: false,
            session_id: Vec::new(),
            sent: Vec::new(),
            got: Vec::new(),
            performs: true,
        };
        client.connection.begin(NOW);
        let line = client.take();
        assert_eq!(line, format!("{BANNER}\r\n").as_bytes());
        client.write(&[IDENT, b"\r\n"].concat());
        client
    }

    /// With keys exchanged.
    pub(super) fn keyed(strict: bool) -> Self {
        let mut client = Self::new();
        let ours = client.receive().unwrap();
        client.exchange(&ours, strict);
        client
    }

    /// Logged in.
    pub(super) fn logged_in() -> Self {
        let mut client = Self::keyed(true);
        client.service();
        client.password(b"root", b"pw");
        assert_eq!(client.receive().unwrap(), [USERAUTH_SUCCESS]);
        assert_eq!(client.receive().unwrap()[0], GLOBAL_REQUEST);
        client
    }

    /// Exchanges keys after the server's lists `theirs`.
    pub(super) fn exchange(&mut self, theirs: &[u8], strict: bool) {
        self.begin_exchange(strict);
        self.finish_exchange(theirs, strict);
    }

    fn begin_exchange(&mut self, strict: bool) {
        self.strict = strict;
        self.send(&lists(strict));
    }

    fn finish_exchange(&mut self, theirs: &[u8], strict: bool) {
        let ours = lists(strict);
        let secret = [5; 32];
        let public = MontgomeryPoint::mul_base_clamped(secret).to_bytes();
        let mut init = vec![KEX_INIT];
        init.put_string(&public);
        self.send(&init);
        let reply = self.receive().unwrap();
        assert_eq!(reply[0], KEX_REPLY);
        let mut reader = Reader::new(&reply[1..]);
        let (host_key, server) = (reader.string().unwrap(), reader.string().unwrap());
        let signature = reader.string().unwrap();
        let shared = MontgomeryPoint(server.try_into().unwrap()).mul_clamped(secret);
        let string = |bytes: &[u8]| {
            let mut out = Vec::new();
            out.put_string(bytes);
            out
        };
        let mut number = Vec::new();
        number.put_mpint(shared.as_bytes());
        let answer = Answer { client: string(&public), server: string(server), secret: number };
        let said = Said {
            client_ident: IDENT,
            server_ident: BANNER.as_bytes(),
            client_init: &ours,
            server_init: theirs,
            host_key,
            group: None,
        };
        let exchange = said.hash(Hash::Sha256, &answer);
        assert!(sign::verify("ssh-ed25519", host_key, signature, &exchange));
        if self.session_id.is_empty() {
            self.session_id.clone_from(&exchange);
        }
        let agreed = Agreed {
            hash: Hash::Sha256,
            secret: &answer.secret,
            exchange: &exchange,
            session: &self.session_id,
        };
        let (cipher, mac) = (Cipher::find(CIPHER).unwrap(), Mac::find(MAC).unwrap());
        let keys = |[iv, key, tag]: [u8; 3]| Keys {
            cipher,
            mac,
            iv: agreed.derive(iv, cipher.iv()),
            key: agreed.derive(key, cipher.key()),
            mac_key: agreed.derive(tag, mac.key()),
        };
        let sealer = Sealer::new(&keys(*b"ACE")).unwrap();
        let opener = Opener::new(&keys(*b"BDF")).unwrap();
        assert_eq!(self.receive().unwrap(), [NEWKEYS]);
        self.inbound.rekey(opener, strict, false);
        self.send(&[NEWKEYS]);
        self.outbound.rekey(sealer, strict, false);
    }

    /// Changes keys on the client's wish.
    pub(super) fn rekey(&mut self) {
        let strict = self.strict;
        self.begin_exchange(strict);
        let theirs = self.receive().unwrap();
        self.finish_exchange(&theirs, strict);
    }

    pub(super) fn session_id(&self) -> &[u8] {
        &self.session_id
    }

    /// Asks for authentication; takes what comes before the answer.
    pub(super) fn service(&mut self) {
        let mut message = vec![SERVICE_REQUEST];
        message.put_string(b"ssh-userauth");
        self.send(&message);
        if self.strict {
            assert_eq!(self.receive().unwrap()[0], EXT_INFO);
        }
        assert_eq!(self.receive().unwrap()[0], SERVICE_ACCEPT);
    }

    pub(super) fn password(&mut self, user: &[u8], password: &[u8]) {
        let message = password_request(user, password);
        self.send(&message);
    }

    /// Opens a session channel and returns its number.
    pub(super) fn open(&mut self, window: u32) -> u32 {
        let mut message = vec![CHANNEL_OPEN];
        message.put_string(b"session");
        [77, window, 32768].iter().for_each(|value| message.put_u32(*value));
        self.send(&message);
        let answer = self.receive().unwrap();
        let mut reader = Reader::new(&answer[1..]);
        assert_eq!((answer[0], reader.u32().unwrap()), (CHANNEL_OPEN_CONFIRMATION, 77));
        let number = reader.u32().unwrap();
        assert_eq!((reader.u32().unwrap(), reader.u32().unwrap()), (0, 32768));
        number
    }

    /// Runs `line` on `channel`; takes the answers to that.
    pub(super) fn exec(&mut self, channel: u32, line: &[u8]) {
        let mut message = vec![CHANNEL_REQUEST];
        message.put_u32(channel);
        message.put_string(b"exec");
        message.put_bool(true);
        message.put_string(line);
        self.send(&message);
        assert_eq!(self.receive().unwrap()[0], CHANNEL_WINDOW_ADJUST);
        assert_eq!(self.receive().unwrap()[0], CHANNEL_SUCCESS);
    }

    pub(super) fn data(&mut self, channel: u32, bytes: &[u8]) {
        let mut message = vec![CHANNEL_DATA];
        message.put_u32(channel);
        message.put_string(bytes);
        self.send(&message);
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: &[u8]) {
        let mut out = Vec::new();
        self.outbound.put(message, &mut self.rng, &mut out);
        self.write(&out);
    }

    /// Sends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        self.connection.receive(NOW, bytes);
        self.perform();
    }

    /// Performs what is to be performed.
    pub(super) fn perform(&mut self) -> Vec<Outward> {
        let mut all = Vec::new();
        while self.performs
            && let Some(outward) = self.connection.outward()
        {
            all.push(outward);
            self.connection.performed(NOW);
        }
        all
    }

    /// Takes all bytes that came.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let bytes = self.connection.output().to_vec();
        self.connection.sent(NOW, bytes.len());
        self.got.extend_from_slice(&bytes);
        bytes
    }

    /// The next message that came.
    pub(super) fn receive(&mut self) -> Option<Vec<u8>> {
        let bytes = self.take();
        self.inbound.push(&bytes);
        let mut payload = Vec::new();
        self.inbound.take(&mut payload).unwrap()?;
        Some(payload)
    }

    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// A request to authenticate by password.
pub(super) fn password_request(user: &[u8], password: &[u8]) -> Vec<u8> {
    let mut message = vec![USERAUTH_REQUEST];
    [user, auth::SERVICE, b"password"].iter().for_each(|part| message.put_string(part));
    message.put_bool(false);
    message.put_string(password);
    message
}
