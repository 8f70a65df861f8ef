//! What an SSH server decides, apart from how SSH is spoken.
//!
//! The edge terminates transport, key exchange and channel windows with whatever library it likes;
//! every answer that an attacker can tell apart comes from an [`SshSession`].

use std::borrow::Cow;

use base_model::Timestamp;

use crate::context::Context;

/// A channel of the connection, numbered by the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel(pub u32);

/// A try to authenticate (RFC 4252).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthTry {
    /// The `none` method: asks which methods there are.
    None,
    /// A password.
    Password(Vec<u8>),
    /// A password with the one that is to replace it.
    PasswordChange {
        /// The present password.
        old: Vec<u8>,
        /// The wished one.
        new: Vec<u8>,
    },
    /// Answers to the prompts of [`AuthAnswer::Prompt`]; empty at the method's start.
    KeyboardInteractive(Vec<Vec<u8>>),
    /// A public key, offered (`signed` false) or used with a valid signature (`signed` true).
    PublicKey {
        /// Algorithm name, for example `ssh-ed25519`.
        algorithm: String,
        /// `SHA256:` and unpadded base64.
        fingerprint: String,
        /// Whether possession was proven.
        signed: bool,
    },
    /// A method that there is none of here, by its name.
    Other(Vec<u8>),
}

/// What a client lists first of all (RFC 4253 §7.1), names separated by commas as it sent them.
/// Pairs are from client to server, and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLists {
    /// Key exchange methods, with the markers among them.
    pub kex: String,
    /// Host key algorithms.
    pub host_keys: String,
    /// Ciphers.
    pub ciphers: [String; 2],
    /// Message authentication codes.
    pub macs: [String; 2],
    /// Compression methods.
    pub compressions: [String; 2],
    /// Languages.
    pub languages: [String; 2],
    /// A guess at the next message follows.
    pub guesses: bool,
}

/// The answer to an [`AuthTry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthAnswer {
    /// Let in.
    Accept,
    /// Refused; these methods may go on.
    Reject(&'static [Method]),
    /// Asks (keyboard-interactive); each prompt with its echo flag.
    Prompt(Vec<(String, bool)>),
}

/// An authentication method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `publickey`.
    PublicKey,
    /// `password`.
    Password,
    /// `keyboard-interactive`.
    KeyboardInteractive,
    /// `gssapi-keyex`.
    GssapiKeyex,
    /// `gssapi-with-mic`.
    GssapiWithMic,
}

/// A channel a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelOpen {
    /// `session`.
    Session,
    /// `direct-tcpip` (RFC 4254 §7.2).
    DirectTcpip {
        /// Host to lead to.
        host: Vec<u8>,
        /// Port there.
        port: u32,
    },
}

/// A request on a channel (RFC 4254 §6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelRequest {
    /// `pty-req`.
    Pty {
        /// Terminal type.
        term: Vec<u8>,
        /// Columns and rows.
        size: (u32, u32),
        /// Terminal modes: opcode and value (RFC 4254 §8).
        modes: Vec<(u8, u32)>,
    },
    /// `env`.
    Env {
        /// Name.
        name: Vec<u8>,
        /// Value.
        value: Vec<u8>,
    },
    /// `shell`.
    Shell,
    /// `exec`, with the command line.
    Exec(Vec<u8>),
    /// `subsystem`.
    Subsystem(Vec<u8>),
    /// `window-change`: columns and rows.
    WindowChange(u32, u32),
    /// `signal`, without `SIG`.
    Signal(Vec<u8>),
    /// `auth-agent-req@openssh.com`.
    AgentForward,
    /// `x11-req`.
    X11Forward,
}

/// What an SSH session can do to its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshReply {
    /// Answers the pending [`AuthTry`]; exactly one per try.
    Auth(AuthAnswer),
    /// Answers the pending channel open; exactly one per open.
    Opened(Channel, bool),
    /// Answers the pending channel request; exactly one per request.
    Requested(Channel, bool),
    /// Channel data.
    Data(Channel, Vec<u8>),
    /// Extended data of type stderr.
    Stderr(Channel, Vec<u8>),
    /// Exit status of the program.
    ExitStatus(Channel, u32),
    /// No more data from us.
    Eof(Channel),
    /// Closes the channel.
    Close(Channel),
    /// Ends the connection with an RFC 4253 §11.1 reason code and text.
    Disconnect(u32, Cow<'static, str>),
    /// Closes the connection without a word.
    Hangup,
}

/// Context of an SSH session.
pub type SshContext<'a> = Context<'a, SshReply>;

/// The decisions of one SSH connection. Total: no input may panic, block or grow it without bound.
pub trait SshSession: Send {
    /// The client is there.
    fn on_open(&mut self, cx: &mut SshContext<'_>);
    /// The client said what it is (identification string without line end).
    fn on_client(&mut self, cx: &mut SshContext<'_>, ident: &[u8]);
    /// The client said what algorithms it has.
    fn on_lists(&mut self, cx: &mut SshContext<'_>, lists: &ClientLists);
    /// The client tries to authenticate as `user`.
    fn on_auth(&mut self, cx: &mut SshContext<'_>, user: &[u8], attempt: AuthTry);
    /// The client opens a channel.
    fn on_channel_open(&mut self, cx: &mut SshContext<'_>, channel: Channel, open: ChannelOpen);
    /// The client requests something on a channel.
    fn on_channel_request(
        &mut self,
        cx: &mut SshContext<'_>,
        channel: Channel,
        request: ChannelRequest,
    );
    /// Channel data from the client.
    fn on_data(&mut self, cx: &mut SshContext<'_>, channel: Channel, bytes: &[u8]);
    /// No more data from the client on this channel.
    fn on_eof(&mut self, cx: &mut SshContext<'_>, channel: Channel);
    /// The channel is gone.
    fn on_channel_close(&mut self, cx: &mut SshContext<'_>, channel: Channel);
    /// The client does not take what is written on this channel (`full`), or does again. Meanwhile
    /// input is held back, and a program there should rest.
    fn on_full(&mut self, channel: Channel, full: bool);
    /// The instant given by `poll_timeout` has come.
    fn on_timeout(&mut self, cx: &mut SshContext<'_>);
    /// The connection is gone. Facts may still be emitted.
    fn on_close(&mut self, cx: &mut SshContext<'_>);
    /// When `on_timeout` wants to be called next.
    fn poll_timeout(&self) -> Option<Timestamp>;
    /// The identification string to send, without line end.
    fn banner(&self) -> &str;
}
