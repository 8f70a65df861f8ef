//! One SSH connection: routes what the edge reports to authentication and channels.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base_model::{Peer, SessionId, Timestamp, catalogue};
use decoys_host::{HostHandle, persona};
use decoys_kit::Opening;
use decoys_kit::ssh::{
    AuthTry, Channel, ChannelOpen, ChannelRequest, ClientLists, SshContext, SshReply, SshSession,
};

use super::auth::Auth;
use super::channel::{Forward, Open, Pty, Wishes};
use super::program::{Caller, Program, Run};
use super::tell;

/// OpenSSH's `LoginGraceTime`.
const GRACE: Duration = Duration::from_secs(120);
/// OpenSSH's `MaxSessions`; forwardings share the bound here.
const MAX_CHANNELS: usize = 10;
/// Longest command line taken (OpenSSH's packet limit is 256 KiB).
const MAX_COMMAND: usize = 64 * 1024;
/// Longest identification string (RFC 4253 §4.2).
const MAX_IDENT: usize = 255;
const MAX_TERM: usize = 256;
const MAX_MODES: usize = 256;

/// A connection.
pub(super) struct Session {
    host: HostHandle,
    peer: Peer,
    local: Peer,
    banner: String,
    client: Vec<u8>,
    auth: Auth,
    /// The connection's first session id, until a session channel takes it.
    first_session: Option<SessionId>,
    channels: BTreeMap<Channel, Open>,
    /// Channels whose client does not take what is written; programs there rest.
    full: BTreeSet<Channel>,
    /// When an unauthenticated connection is let go.
    grace: Option<Timestamp>,
    over: bool,
}

impl Session {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let distro = &opening.host.decky().distro;
        let version = opening.settings.text("ssh_version").filter(|text| {
            text.len() < MAX_IDENT - 8 && text.bytes().all(|b| (0x20..0x7f).contains(&b))
        });
        let banner = match version {
            Some(version) => format!("SSH-2.0-{version}"),
            None => persona::ssh_banner(&opening.host.choices(), distro),
        };
        Self {
            auth: Auth::new(opening.host.clone()),
            host: opening.host,
            peer: opening.peer,
            local: opening.local,
            banner,
            client: Vec::new(),
            first_session: Some(opening.session),
            channels: BTreeMap::new(),
            full: BTreeSet::new(),
            grace: None,
            over: false,
        }
    }

    fn begin(&mut self, cx: &SshContext<'_>) {
        if self.grace.is_none() && self.auth.user().is_none() && !self.over {
            self.grace = Some(cx.now() + GRACE);
        }
    }

    fn start(&mut self, cx: &mut SshContext<'_>, channel: Channel, run: Run) -> bool {
        let Some((account, method)) = self.auth.user() else { return false };
        let Some(Open::Waiting(session, wishes)) = self.channels.get(&channel) else {
            return false;
        };
        let connection =
            (self.peer.ip.to_string(), self.peer.port, self.local.ip.to_string(), self.local.port);
        let caller = Caller { host: &self.host, account, method, client: &self.client, connection };
        let program = Program::start(cx, channel, *session, &caller, wishes, run);
        cx.reply(SshReply::Requested(channel, true));
        self.channels.insert(channel, Open::Running(Box::new(program)));
        self.run(cx, channel);
        true
    }

    /// Lets the program on `channel` go on.
    fn run(&mut self, cx: &mut SshContext<'_>, channel: Channel) {
        if let Some(Open::Running(program)) = self.channels.get_mut(&channel)
            && !program.run(cx)
        {
            self.channels.insert(channel, Open::Closed);
        }
    }

    /// Answers a request that only sets something up, or none at all.
    fn request(&mut self, cx: &SshContext<'_>, channel: Channel, request: ChannelRequest) -> bool {
        let now = cx.now();
        match (self.channels.get_mut(&channel), request) {
            (Some(Open::Waiting(_, wishes)), ChannelRequest::Pty { mut term, size, mut modes }) => {
                term.truncate(MAX_TERM);
                modes.truncate(MAX_MODES);
                let taken = wishes.pty.is_none();
                if taken {
                    wishes.pty = Some(Pty { term, size, modes });
                }
                taken
            }
            (Some(Open::Waiting(_, wishes)), ChannelRequest::Env { name, value }) => {
                wishes.add_env(name, value)
            }
            (Some(Open::Waiting(_, wishes)), ChannelRequest::AgentForward) => {
                wishes.agent = true;
                false
            }
            (Some(Open::Waiting(_, wishes)), ChannelRequest::X11Forward) => {
                wishes.x11 = true;
                false
            }
            (Some(Open::Waiting(_, wishes)), ChannelRequest::WindowChange(columns, rows)) => {
                if let Some(pty) = &mut wishes.pty {
                    pty.size = (columns, rows);
                }
                true
            }
            (Some(Open::Running(program)), ChannelRequest::WindowChange(columns, rows)) => {
                program.resize(now, columns, rows);
                true
            }
            (Some(Open::Running(program)), ChannelRequest::Signal(name)) => {
                program.signal(&name);
                true
            }
            _ => false,
        }
    }

    fn end_all(&mut self, cx: &mut SshContext<'_>) {
        for (_, open) in std::mem::take(&mut self.channels) {
            match open {
                Open::Running(mut program) => program.finish(cx),
                Open::Forward(forward) => forward.tell(cx, b""),
                Open::Waiting(..) | Open::Closed => {}
            }
        }
    }
}

impl SshSession for Session {
    fn on_open(&mut self, cx: &mut SshContext<'_>) {
        self.begin(cx);
    }

    fn on_client(&mut self, cx: &mut SshContext<'_>, ident: &[u8]) {
        self.begin(cx);
        self.client = ident.get(..MAX_IDENT).unwrap_or(ident).to_vec();
        cx.emit(catalogue::ssh_client_banner(&self.client));
    }

    fn on_lists(&mut self, cx: &mut SshContext<'_>, lists: &ClientLists) {
        tell::lists(cx, lists);
    }

    fn on_auth(&mut self, cx: &mut SshContext<'_>, user: &[u8], attempt: AuthTry) {
        self.begin(cx);
        if self.over {
            return;
        }
        self.auth.on_try(cx, user, attempt);
        if self.auth.user().is_some() {
            self.grace = None;
        }
    }

    fn on_channel_open(&mut self, cx: &mut SshContext<'_>, channel: Channel, open: ChannelOpen) {
        let open_now = self.channels.values().filter(|open| !matches!(open, Open::Closed)).count();
        if self.over || self.auth.user().is_none() || open_now >= MAX_CHANNELS {
            return cx.reply(SshReply::Opened(channel, false));
        }
        let opened = match open {
            ChannelOpen::Session => {
                let session = self.first_session.take().unwrap_or_else(|| cx.new_session());
                Open::Waiting(session, Wishes::default())
            }
            ChannelOpen::DirectTcpip { mut host, port } => {
                host.truncate(1024);
                Open::Forward(Forward::new(cx.now(), host, port))
            }
        };
        self.channels.insert(channel, opened);
        cx.reply(SshReply::Opened(channel, true));
    }

    fn on_channel_request(
        &mut self,
        cx: &mut SshContext<'_>,
        channel: Channel,
        request: ChannelRequest,
    ) {
        let answer = match request {
            ChannelRequest::Shell => self.start(cx, channel, Run::Shell),
            ChannelRequest::Exec(line) if line.len() <= MAX_COMMAND => {
                self.start(cx, channel, Run::Exec(line))
            }
            ChannelRequest::Exec(line) => {
                let sample = line.get(..256).unwrap_or_default();
                cx.emit(catalogue::protocol_error("command too long", sample));
                false
            }
            ChannelRequest::Subsystem(name) if name == b"sftp" => {
                self.start(cx, channel, Run::Subsystem(b"/usr/lib/openssh/sftp-server"))
            }
            ChannelRequest::Subsystem(_) => false,
            other => {
                let answer = self.request(cx, channel, other);
                cx.reply(SshReply::Requested(channel, answer));
                return self.run(cx, channel);
            }
        };
        // A start that succeeded has answered already, before its first output.
        if !answer {
            cx.reply(SshReply::Requested(channel, false));
        }
    }

    fn on_data(&mut self, cx: &mut SshContext<'_>, channel: Channel, bytes: &[u8]) {
        let now = cx.now();
        match self.channels.get_mut(&channel) {
            Some(Open::Running(program)) => {
                program.input(now, bytes);
                self.run(cx, channel);
            }
            Some(Open::Forward(forward)) => {
                forward.finish(cx, channel, bytes);
                self.channels.insert(channel, Open::Closed);
            }
            Some(Open::Waiting(..) | Open::Closed) | None => {}
        }
    }

    fn on_eof(&mut self, cx: &mut SshContext<'_>, channel: Channel) {
        match self.channels.get_mut(&channel) {
            Some(Open::Running(program)) => {
                program.end_of_input();
                self.run(cx, channel);
            }
            Some(Open::Forward(forward)) => {
                forward.finish(cx, channel, b"");
                self.channels.insert(channel, Open::Closed);
            }
            Some(Open::Waiting(..) | Open::Closed) | None => {}
        }
    }

    fn on_channel_close(&mut self, cx: &mut SshContext<'_>, channel: Channel) {
        self.full.remove(&channel);
        match self.channels.remove(&channel) {
            Some(Open::Running(mut program)) => program.finish(cx),
            Some(Open::Forward(forward)) => forward.tell(cx, b""),
            Some(Open::Waiting(..) | Open::Closed) | None => {}
        }
    }

    fn on_full(&mut self, channel: Channel, full: bool) {
        if full {
            self.full.insert(channel);
        } else {
            self.full.remove(&channel);
        }
    }

    fn on_timeout(&mut self, cx: &mut SshContext<'_>) {
        self.auth.on_timeout(cx);
        if self.grace.is_some_and(|grace| cx.now() >= grace) {
            self.grace = None;
            self.over = true;
            return cx.reply(SshReply::Hangup);
        }
        let now = cx.now();
        let due: Vec<Channel> = self
            .channels
            .iter()
            .filter(|(channel, open)| match open {
                Open::Running(_) if self.full.contains(channel) => false,
                Open::Running(program) => program.due().is_some_and(|due| due <= now),
                Open::Forward(forward) => forward.deadline() <= now,
                Open::Waiting(..) | Open::Closed => false,
            })
            .map(|(channel, _)| *channel)
            .collect();
        for channel in due {
            if let Some(Open::Forward(forward)) = self.channels.get(&channel) {
                forward.finish(cx, channel, b"");
                self.channels.insert(channel, Open::Closed);
            } else {
                self.run(cx, channel);
            }
        }
    }

    fn on_close(&mut self, cx: &mut SshContext<'_>) {
        self.over = true;
        self.grace = None;
        self.end_all(cx);
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        if self.over {
            return None;
        }
        let channels = self.channels.iter().filter_map(|(channel, open)| match open {
            Open::Running(_) if self.full.contains(channel) => None,
            Open::Running(program) => program.due(),
            Open::Forward(forward) => Some(forward.deadline()),
            Open::Waiting(..) | Open::Closed => None,
        });
        channels.chain(self.auth.due()).chain(self.grace).min()
    }

    fn banner(&self) -> &str {
        &self.banner
    }
}
