//! One connection: commands in, the server's replies and events out, files over the data connection.
//!
//! A command that needs the data connection is a [`Job`] that waits for it; the commands after it wait
//! with it, except `ABOR`.

use std::net::IpAddr;
use std::time::Duration;

use base_model::catalogue::{self, Captured};
use base_model::{Fact, Peer, Secret, Sha256Digest, Timestamp};
use decoys_host::HostHandle;
use decoys_host::fs::Errno;
use decoys_host::persona::{self, FtpServer};
use decoys_kit::{Opening, Side, SideEvent, StreamContext, StreamSession};
use rand_core::Rng as _;

use super::command::{self, Command};
use super::dialect::{self, Say};
use super::listing;
use super::transfer::{Channel, Job, PIECE};
use super::view::View;

/// Longest command line.
const MAX_LINE: usize = 4096;
/// Input held while a job or a pause lasts; the network holds the rest.
const MAX_HELD: usize = 64 * 1024;
/// How long a client may take to connect, and a transfer to go on.
const CONNECTING: Duration = Duration::from_secs(60);
const STALLED: Duration = Duration::from_secs(300);
/// Longest secret kept.
const MAX_SECRET: usize = 1024;
/// Largest content kept as a blob (`spec/services.md` §4).
const MAX_CAPTURE: u64 = 52_428_800;
/// PAM's failure delay, as for every login of the machine.
const DELAY_MICROS: u64 = 2_000_000;
/// Entries of a listing.
const MAX_ENTRIES: usize = 10_000;
const ANONYMOUS_ROOT: &[u8] = b"/srv/ftp";

/// A reply that waits.
struct Delayed {
    due: Timestamp,
    text: String,
    closes: bool,
}

/// How logins are decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Mixed,
    Always,
    Never,
    AnonymousOnly,
}

pub(super) struct FtpSession {
    host: HostHandle,
    server: FtpServer,
    peer: Peer,
    local: Peer,
    banner: Option<String>,
    anonymous: bool,
    mode: Mode,
    user: Option<Vec<u8>>,
    view: Option<View>,
    failures: u32,
    tries: u32,
    binary: bool,
    restart: u64,
    rename: Option<Vec<u8>>,
    channel: Channel,
    job: Option<(Job, Timestamp)>,
    running: bool,
    /// When the job began, or is given up.
    job_until: Option<Timestamp>,
    sent: u64,
    received: u64,
    input: Vec<u8>,
    /// The line being answered, when its answer is told of as a command.
    told_as: Option<Vec<u8>>,
    told: bool,
    delayed: Option<Delayed>,
    deadline: Option<Timestamp>,
    over: bool,
}

impl FtpSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let host = opening.host;
        let settings = opening.settings;
        let server = match settings.text("server") {
            Some("vsftpd") => FtpServer::Vsftpd,
            Some("proftpd") => FtpServer::ProFtpd,
            Some("pure-ftpd") => FtpServer::PureFtpd,
            _ => persona::ftp_server(host.decky()),
        };
        let own = host.choices().range("ftp.anonymous", 0, 1) == 1;
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect();
        Self {
            server,
            peer: opening.peer,
            local: opening.local,
            banner: settings.text("banner").map(clean),
            anonymous: settings.flag("anonymous").unwrap_or(own),
            mode: match settings.text("mode") {
                Some("always") => Mode::Always,
                Some("never") => Mode::Never,
                Some("anonymous") => Mode::AnonymousOnly,
                _ => Mode::Mixed,
            },
            host,
            user: None,
            view: None,
            failures: 0,
            tries: 0,
            binary: false,
            restart: 0,
            rename: None,
            channel: Channel::None,
            job: None,
            running: false,
            job_until: None,
            sent: 0,
            received: 0,
            input: Vec::new(),
            told_as: None,
            told: false,
            delayed: None,
            deadline: None,
            over: false,
        }
    }

    fn touch(&mut self, now: Timestamp) {
        self.deadline = Some(now + Duration::from_secs(dialect::idle_seconds(self.server)));
    }

    fn tell(&mut self, cx: &mut StreamContext<'_>, fact: Fact) {
        cx.emit(fact);
        self.told = true;
    }

    fn say(&mut self, cx: &mut StreamContext<'_>, what: Say<'_>) {
        self.reply(cx, &dialect::say(self.server, what));
    }

    /// Sends a reply once what it concerns is durable.
    fn reply(&mut self, cx: &mut StreamContext<'_>, text: &str) {
        if let Some(line) = self.told_as.take() {
            let code = text.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            self.tell(cx, catalogue::ftp_command(&line, code));
        }
        if std::mem::take(&mut self.told) {
            cx.commit();
        }
        cx.send(format!("{text}\r\n"));
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.over = true;
        self.deadline = None;
        self.delayed = None;
        self.job = None;
        self.input = Vec::new();
        cx.side(Side::Close);
        cx.close();
    }

    fn greeting(&self, now: Timestamp) -> String {
        if let Some(banner) = &self.banner {
            return format!("220 {banner}");
        }
        let utc = now.to_utc();
        match self.server {
            FtpServer::Vsftpd => format!("220 (vsFTPd {})", self.version()),
            FtpServer::ProFtpd => {
                // Debian's configuration names the system, others keep to what it says by itself.
                match self.host.distro().mail_label.split('/').next() {
                    Some(label) if !label.is_empty() => {
                        format!("220 ProFTPD Server ({label}) [{}]", self.local.ip)
                    }
                    _ => "220 FTP Server ready.".to_owned(),
                }
            }
            FtpServer::PureFtpd => {
                let private = if self.anonymous {
                    ""
                } else {
                    "220-This is a private system - No anonymous login\r\n"
                };
                format!(
                    "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n\
                     220-You are user number 1 of 50 allowed.\r\n\
                     220-Local time is now {:02}:{:02}. Server port: {}.\r\n{private}\
                     220-IPv6 connections are also welcome on this server.\r\n\
                     220 You will be disconnected after 15 minutes of inactivity.",
                    utc.hour(),
                    utc.minute(),
                    self.local.port
                )
            }
        }
    }

    fn version(&self) -> &'static str {
        self.host.distro().package(match self.server {
            FtpServer::Vsftpd => "vsftpd",
            FtpServer::ProFtpd => "proftpd",
            FtpServer::PureFtpd => "pure-ftpd",
        })
    }

    fn is_waiting(&self) -> bool {
        let opening = matches!(self.channel, Channel::Opening { .. });
        self.delayed.is_some() || self.job.is_some() || opening
    }

    fn work(&mut self, cx: &mut StreamContext<'_>) {
        while !self.over {
            let Some(end) = self.input.iter().position(|&byte| byte == b'\n') else {
                if self.input.len() > MAX_LINE && !self.is_waiting() {
                    let sample = self.input.get(..256).unwrap_or_default().to_vec();
                    self.tell(cx, catalogue::protocol_error("line too long", &sample));
                    self.say(cx, Say::TooLong);
                    self.end(cx);
                }
                return;
            };
            let line = self.input.get(..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let command = command::read(line);
            if self.is_waiting() {
                if self.running && command.verb == "ABOR" {
                    self.input.drain(..=end);
                    self.abort(cx);
                    continue;
                }
                return;
            }
            let long = line.len() > MAX_LINE;
            self.input.drain(..=end);
            if long {
                let sample = command.line.get(..256).unwrap_or_default();
                self.tell(cx, catalogue::protocol_error("line too long", sample));
                self.say(cx, Say::TooLong);
                self.end(cx);
                return;
            }
            self.command(cx, &command);
        }
    }

    fn command(&mut self, cx: &mut StreamContext<'_>, command: &Command) {
        let verb = command.verb.as_str();
        let quiet = matches!(
            verb,
            "USER" | "PASS" | "RETR" | "STOR" | "STOU" | "APPE" | "LIST" | "NLST" | "MLSD"
        );
        self.told_as = (!quiet).then(|| command.line.clone());
        match verb {
            "USER" => return self.user(cx, &command.argument),
            "PASS" => return self.pass(cx, &command.argument),
            "QUIT" => {
                self.say(cx, Say::Bye { sent: self.sent, received: self.received });
                return self.end(cx);
            }
            "FEAT" => return self.reply(cx, dialect::features(self.server)),
            _ => {}
        }
        let Some(view) = self.view.clone() else { return self.before_login(cx, verb) };
        self.inside(cx, verb, &command.argument, view);
    }

    fn before_login(&mut self, cx: &mut StreamContext<'_>, verb: &str) {
        let known = dialect::knows(self.server, verb);
        match (self.server, verb) {
            (FtpServer::ProFtpd | FtpServer::PureFtpd, "HELP") => self.help(cx),
            (FtpServer::ProFtpd | FtpServer::PureFtpd, "SYST") => {
                self.reply(cx, "215 UNIX Type: L8");
            }
            (FtpServer::ProFtpd | FtpServer::PureFtpd, "NOOP") => self.say(cx, Say::Noop),
            (FtpServer::ProFtpd, verb) if !known => self.say(cx, Say::Unknown { verb }),
            _ => self.say(cx, Say::LoginFirst),
        }
    }

    fn help(&mut self, cx: &mut StreamContext<'_>) {
        let text = dialect::help(self.server, &self.local.ip.to_string());
        self.reply(cx, &text);
    }

    fn user(&mut self, cx: &mut StreamContext<'_>, name: &[u8]) {
        self.tell(cx, catalogue::ftp_user(name));
        if self.view.is_some() {
            return self.say(cx, Say::AlreadyIn);
        }
        if name.is_empty() && self.server == FtpServer::ProFtpd {
            return self.reply(cx, "500 USER: command requires a parameter");
        }
        let anonymous = self.is_anonymous(name);
        if anonymous && self.server == FtpServer::PureFtpd {
            self.let_in(name, b"", cx, true);
            return;
        }
        self.user = Some(name.to_vec());
        let shown = shown(name);
        self.say(cx, Say::Password { user: &shown, anonymous });
    }

    fn is_anonymous(&self, name: &[u8]) -> bool {
        let offered = self.anonymous || self.mode == Mode::AnonymousOnly;
        offered && self.mode != Mode::Never && matches!(name, b"anonymous" | b"ftp")
    }

    fn pass(&mut self, cx: &mut StreamContext<'_>, password: &[u8]) {
        if self.view.is_some() {
            return self.say(cx, Say::AlreadyIn);
        }
        let Some(name) = self.user.take() else { return self.say(cx, Say::UserFirst) };
        let anonymous = self.is_anonymous(&name);
        let right = match self.mode {
            _ if anonymous => true,
            Mode::Never | Mode::AnonymousOnly => false,
            Mode::Always => true,
            Mode::Mixed => password.len() <= MAX_SECRET && self.host.check_login(&name, password),
        };
        if right {
            return self.let_in(&name, password, cx, anonymous);
        }
        self.tries += 1;
        self.failures += 1;
        self.tell(cx, catalogue::auth_attempt(&name, &secret(password), "password", false));
        cx.commit();
        self.told = false;
        let spread = cx.rng().next_u64() % (DELAY_MICROS / 2);
        let delay = Duration::from_micros(DELAY_MICROS * 3 / 4 + spread);
        let closes = self.failures >= dialect::max_failures(self.server);
        let text = dialect::say(self.server, Say::LoginFailed);
        self.delayed = Some(Delayed { due: cx.now() + delay, text, closes });
    }

    fn let_in(
        &mut self,
        name: &[u8],
        password: &[u8],
        cx: &mut StreamContext<'_>,
        anonymous: bool,
    ) {
        self.tries += 1;
        let account = if anonymous { None } else { self.host.account(name) };
        let guest = self.host.account(b"ftp");
        // A user that is none of the machine's is a guest, as with vsftpd's `guest_enable`.
        let as_guest = account.is_none();
        let Some(account) = account.or(guest) else {
            self.tell(cx, catalogue::auth_attempt(name, &secret(password), "password", false));
            return self.say(cx, Say::LoginFailed);
        };
        self.tell(cx, catalogue::auth_attempt(name, &secret(password), "password", true));
        self.tell(cx, catalogue::login_success(name, "password", self.tries));
        let umask = if self.server == FtpServer::Vsftpd { 0o077 } else { 0o022 };
        let mut view = View {
            host: self.host.clone(),
            name: account.name.clone(),
            creds: self.host.creds(&account),
            root: if as_guest { ANONYMOUS_ROOT.to_vec() } else { Vec::new() },
            cwd: if as_guest { b"/".to_vec() } else { account.home.clone().into_bytes() },
            umask,
        };
        if view.directory(b".").is_err() {
            view.cwd = b"/".to_vec();
        }
        let (user, home) = (shown(name), shown(&view.cwd));
        self.view = Some(view);
        self.say(cx, Say::LoggedIn { user: &user, home: &home, anonymous });
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    fn inside(&mut self, cx: &mut StreamContext<'_>, verb: &str, argument: &[u8], mut view: View) {
        let now = cx.now();
        let path = shown(argument);
        let path = path.as_str();
        let restart = std::mem::take(&mut self.restart);
        let rename = self.rename.take();
        if !dialect::knows(self.server, verb) {
            return self.say(cx, Say::Unknown { verb });
        }
        match verb {
            "SYST" => self.reply(cx, "215 UNIX Type: L8"),
            "HELP" => self.help(cx),
            "NOOP" => self.say(cx, Say::Noop),
            "ALLO" => self.say(cx, Say::Allocated),
            "CLNT" => self.reply(cx, "200 OK"),
            "ACCT" | "REIN" | "SMNT" => self.say(cx, Say::NotImplemented { verb }),
            "AUTH" | "PBSZ" | "PROT" => self.say(cx, Say::NoSecurity { verb }),
            "OPTS" => match path.to_ascii_uppercase().as_str() {
                "UTF8 ON" | "UTF-8 ON" | "UTF8" => self.say(cx, Say::Utf8),
                _ => self.say(cx, Say::BadOption),
            },
            "TYPE" => match path.to_ascii_uppercase().split(' ').next().unwrap_or_default() {
                "A" => {
                    self.binary = false;
                    self.say(cx, Say::Type { letter: 'A' });
                }
                "I" | "L" => {
                    self.binary = true;
                    self.say(cx, Say::Type { letter: 'I' });
                }
                _ => self.say(cx, Say::BadType { argument: path }),
            },
            "MODE" if path.eq_ignore_ascii_case("s") => self.say(cx, Say::Mode),
            "MODE" => self.say(cx, Say::BadMode { argument: path }),
            "STRU" if path.eq_ignore_ascii_case("f") => self.say(cx, Say::Structure),
            "STRU" => self.say(cx, Say::BadStructure { argument: path }),
            "REST" => match path.trim().parse::<u64>() {
                Ok(at) => {
                    self.restart = at;
                    self.say(cx, Say::Restart { at });
                }
                Err(_) => self.say(cx, Say::BadRestart),
            },
            "PWD" | "XPWD" => {
                let cwd = shown(&view.cwd).replace('"', "\"\"");
                self.say(cx, Say::Directory(&cwd));
            }
            "CWD" | "XCWD" | "CDUP" | "XCUP" => {
                let up = matches!(verb, "CDUP" | "XCUP");
                self.change(cx, if up { b".." } else { argument }, view);
            }
            "MKD" | "XMKD" => {
                let whole = shown(&view.absolute(argument));
                match view.make_directory(argument, now) {
                    Ok(()) => self.say(cx, Say::Made { path: &whole }),
                    Err(errno) => self.say(cx, Say::NotMade { path, errno }),
                }
            }
            "RMD" | "XRMD" => match view.remove(argument, true, now) {
                Ok(()) => self.say(cx, Say::DirectoryRemoved),
                Err(errno) => self.say(cx, Say::DirectoryNotRemoved { path, errno }),
            },
            "DELE" => match view.remove(argument, false, now) {
                Ok(()) => self.say(cx, Say::Deleted { path }),
                Err(errno) => self.say(cx, Say::NotDeleted { path, errno }),
            },
            "RNFR" => match view.node(argument, false) {
                Ok(_) => {
                    self.rename = Some(argument.to_vec());
                    self.say(cx, Say::RenameFrom);
                }
                Err(errno) => self.say(cx, Say::NoRenameFrom { path, errno }),
            },
            "RNTO" => match rename {
                None => self.say(cx, Say::RenameFirst),
                Some(from) => match view.rename(&from, argument, now) {
                    Ok(()) => self.say(cx, Say::Renamed),
                    Err(errno) => self.say(cx, Say::NotRenamed { path, errno }),
                },
            },
            "SIZE" if self.server == FtpServer::ProFtpd && !self.binary => {
                self.reply(cx, "550 SIZE not allowed in ASCII mode");
            }
            "SIZE" => match view.readable(argument) {
                Ok((_, size)) => self.reply(cx, &format!("213 {size}")),
                Err(errno) => self.say(cx, Say::NoSize { path, errno }),
            },
            "MDTM" | "MFMT" => self.times(cx, verb, argument, &view),
            "STAT" if argument.is_empty() => {
                let (client, user) = (self.peer.ip.to_string(), view.name.clone());
                let version = self.version();
                let text = dialect::status(self.server, version, &client, &user, self.binary);
                self.reply(cx, &text);
            }
            "STAT" => self.stat(cx, argument, &view),
            "MLST" => self.mlst(cx, argument, &view),
            "SITE" => self.site(cx, argument, &mut view),
            "PASV" => self.open_port(cx, false),
            "EPSV" => match path.to_ascii_uppercase().as_str() {
                "ALL" => self.say(cx, Say::ExtendedOnly),
                "" => self.open_port(cx, true),
                family => {
                    let fits = (family == "1") == self.local.ip.to_canonical().is_ipv4();
                    if fits && matches!(family, "1" | "2") {
                        self.open_port(cx, true);
                    } else {
                        self.say(cx, Say::BadProtocol);
                    }
                }
            },
            "PORT" => self.active(cx, verb, command::port(argument)),
            "EPRT" => self.active(cx, verb, command::extended_port(argument)),
            "ABOR" => self.say(cx, Say::NothingToAbort),
            "LIST" | "NLST" | "MLSD" => self.list(cx, verb, argument, &view),
            "RETR" => self.retrieve(cx, argument, restart, &view),
            "STOR" | "STOU" | "APPE" => self.store(cx, verb, argument, restart, &view),
            verb => self.say(cx, Say::Unknown { verb }),
        }
    }

    fn change(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], mut view: View) {
        let path = shown(argument);
        if argument.is_empty() && self.server == FtpServer::ProFtpd {
            return self.reply(cx, "501 Invalid number of parameters");
        }
        let home = argument.is_empty() && self.server == FtpServer::PureFtpd;
        let to = match (home, self.host.account(view.name.as_bytes())) {
            (true, Some(account)) if view.root.is_empty() => account.home.into_bytes(),
            _ => argument.to_vec(),
        };
        let entered = if to.is_empty() { Err(Errno::NoEntry) } else { view.directory(&to) };
        match entered {
            Ok(()) => {
                view.cwd = view.absolute(&to);
                let shown = shown(&view.cwd);
                self.view = Some(view);
                self.say(cx, Say::Changed { path: &shown });
            }
            Err(errno) => self.say(cx, Say::NotChanged { path: &path, errno }),
        }
    }

    fn times(&mut self, cx: &mut StreamContext<'_>, verb: &str, argument: &[u8], view: &View) {
        let path = shown(argument);
        let set = verb == "MFMT" || self.server == FtpServer::Vsftpd;
        if set
            && let Some((stamp, name)) = path.split_once(' ')
            && let Some(at) = parse_stamp(stamp)
        {
            return match view.touch(name.as_bytes(), at, cx.now()) {
                Ok(()) => self.say(cx, Say::TimeSet { stamp, path: name }),
                Err(errno) => self.say(cx, Say::NoTime { path: name, errno }),
            };
        }
        match view.node(argument, true) {
            Ok((_, node)) if node.is_file() => {
                self.reply(cx, &format!("213 {}", listing::stamp(node.mtime)));
            }
            Ok(_) => self.say(cx, Say::NoTime { path: &path, errno: Errno::IsDirectory }),
            Err(errno) => self.say(cx, Say::NoTime { path: &path, errno }),
        }
    }

    fn stat(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], view: &View) {
        let path = shown(argument);
        let entries = view.entries(argument).unwrap_or_default();
        let entries = entries.get(..MAX_ENTRIES).unwrap_or(&entries);
        let lines = listing::long(self.server, view, entries, cx.now());
        let lines = String::from_utf8_lossy(&lines).into_owned();
        let text = match self.server {
            FtpServer::Vsftpd => format!("213-Status follows:\r\n{lines}213 End of status"),
            FtpServer::ProFtpd => {
                let lines: String = lines.lines().map(|line| format!(" {line}\r\n")).collect();
                let directory = view.node(argument, true).is_ok_and(|(_, node)| node.is_dir());
                let code = if directory { 212 } else { 213 };
                format!("{code}-Status of {path}:\r\n{lines}{code} End of status")
            }
            FtpServer::PureFtpd => format!("213-STAT\r\n{lines}213 End."),
        };
        self.reply(cx, &text);
    }

    fn mlst(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], view: &View) {
        let argument = if argument.is_empty() { b"." } else { argument };
        let path = shown(argument);
        match view.node(argument, true) {
            Ok((ino, node)) => {
                let entry = (argument.to_vec(), ino, node);
                let facts = listing::facts(self.server, view, &entry);
                let whole = shown(&view.absolute(argument));
                let text = match self.server {
                    FtpServer::PureFtpd => format!("250-Begin\r\n {facts}{path}\r\n250 End."),
                    FtpServer::Vsftpd | FtpServer::ProFtpd => {
                        format!(
                            "250-Start of list for {path}\r\n {facts}{whole}\r\n250 End of list"
                        )
                    }
                };
                self.reply(cx, &text);
            }
            Err(errno) => self.say(cx, Say::NoDownload { path: &path, errno }),
        }
    }

    fn site(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], view: &mut View) {
        let text = shown(argument);
        let (word, rest) = text.split_once(' ').unwrap_or((text.as_str(), ""));
        match word.to_ascii_uppercase().as_str() {
            "HELP" => {
                let text = dialect::site_help(self.server, &self.local.ip.to_string());
                self.reply(cx, &text);
            }
            "UMASK" => self.say(cx, Say::Umask),
            "CHMOD" => {
                let (mode, path) = rest.split_once(' ').unwrap_or(("", rest));
                let changed = match u16::from_str_radix(mode, 8) {
                    Ok(mode) if mode <= 0o777 => view.chmod(path.as_bytes(), mode, cx.now()),
                    _ => Err(Errno::Invalid),
                };
                match changed {
                    Ok(()) => self.say(cx, Say::ModeSet { path }),
                    Err(errno) => self.say(cx, Say::ModeNotSet { path, errno }),
                }
            }
            word => self.say(cx, Say::BadSite { argument: word }),
        }
    }

    fn open_port(&mut self, cx: &mut StreamContext<'_>, extended: bool) {
        self.channel = Channel::Opening { extended };
        cx.side(Side::Listen);
    }

    fn port_opened(&mut self, cx: &mut StreamContext<'_>, extended: bool, port: Option<u16>) {
        let Some(port) = port else {
            self.channel = Channel::None;
            return self.say(cx, Say::NoPort);
        };
        self.channel = Channel::Listening(port);
        if extended {
            return self.say(cx, Say::ExtendedPassive { port });
        }
        let [high, low] = port.to_be_bytes();
        let ip = match self.local.ip.to_canonical() {
            IpAddr::V4(ip) => ip.to_string().replace('.', ","),
            IpAddr::V6(_) => "0,0,0,0".to_owned(),
        };
        self.say(cx, Say::Passive { address: &format!("{ip},{high},{low}") });
    }

    fn active(&mut self, cx: &mut StreamContext<'_>, verb: &str, target: Option<(IpAddr, u16)>) {
        let Some((ip, port)) = target else { return self.say(cx, Say::BadPort { verb }) };
        let client = self.peer.ip.to_canonical();
        let (foreign, low) = (ip.to_canonical() != client, port < 1024);
        if foreign {
            self.tell(cx, catalogue::bounce_attempt(verb, ip, port));
        }
        if foreign || low {
            let (ip, client) = (ip.to_string(), client.to_string());
            let low = low && !foreign;
            return self.say(cx, Say::IllegalPort { verb, ip: &ip, client: &client, low });
        }
        cx.side(Side::Close);
        self.channel = Channel::Active;
        self.say(cx, Say::Active { verb });
    }

    fn list(&mut self, cx: &mut StreamContext<'_>, verb: &str, argument: &[u8], view: &View) {
        let options: Vec<u8> = argument
            .split(|&byte| byte == b' ')
            .take_while(|word| word.starts_with(b"-"))
            .flatten()
            .copied()
            .collect();
        let mut rest = argument;
        while rest.starts_with(b"-") {
            let end = rest.iter().position(|&byte| byte == b' ');
            rest = end.and_then(|end| rest.get(end + 1..)).unwrap_or_default();
        }
        let path = if rest.is_empty() { b"." } else { rest };
        self.tell(cx, catalogue::ftp_list(verb, &view.absolute(path)));
        let all = options.contains(&b'a')
            || verb == "MLSD"
            || verb == "NLST" && self.server == FtpServer::PureFtpd;
        let mut entries = view.entries(path).unwrap_or_default();
        let directory = view.node(path, true).is_ok_and(|(_, node)| node.is_dir());
        if directory && !all {
            entries.retain(|(name, ..)| !name.starts_with(b"."));
        }
        if directory && all {
            for (at, name) in [&b"."[..], b".."].into_iter().enumerate() {
                let inside = [path, b"/", name].concat();
                if let Ok((ino, node)) = view.node(&inside, true) {
                    entries.insert(at.min(entries.len()), (name.to_vec(), ino, node));
                }
            }
        }
        entries.truncate(MAX_ENTRIES);
        let bytes = match verb {
            "NLST" => entries.iter().flat_map(|(name, ..)| [name, &b"\r\n"[..]].concat()).collect(),
            "MLSD" => entries
                .iter()
                .flat_map(|entry| {
                    let facts = listing::facts(self.server, view, entry);
                    [facts.as_bytes(), &entry.0, b"\r\n"].concat()
                })
                .collect(),
            _ => listing::long(self.server, view, &entries, cx.now()),
        };
        let (verb, count) = (verb.to_owned(), entries.len());
        self.begin(cx, Job::Listing { verb, bytes, count, all });
    }

    fn retrieve(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], at: u64, view: &View) {
        let whole = view.absolute(argument);
        if self.wants_channel_first() {
            self.tell(cx, catalogue::ftp_download(&whole, None, "failure"));
            return self.say(cx, Say::NoChannel);
        }
        match view.readable(argument) {
            Ok((ino, size)) => {
                let (name, at) = (argument.to_vec(), at.min(size));
                self.begin(cx, Job::Download { path: whole, name, ino, at, size });
            }
            Err(errno) => {
                self.tell(cx, catalogue::ftp_download(&whole, None, "failure"));
                self.say(cx, Say::NoDownload { path: &shown(argument), errno });
            }
        }
    }

    fn store(
        &mut self,
        cx: &mut StreamContext<'_>,
        verb: &str,
        argument: &[u8],
        restart: u64,
        view: &View,
    ) {
        let unique = verb == "STOU";
        let name = if unique { unique_name(view, argument) } else { argument.to_vec() };
        if self.wants_channel_first() {
            return self.say(cx, Say::NoChannel);
        }
        let keeps = verb == "APPE" || restart > 0;
        match view.writable(&name, keeps, cx.now()) {
            Ok((ino, size)) => {
                let at = if verb == "APPE" { size } else { restart.min(size) };
                let path = view.absolute(&name);
                self.begin(cx, Job::Upload { path, name, ino, at, received: 0, unique });
            }
            Err(errno) => {
                let line = [verb.as_bytes(), b" ", argument].concat();
                self.told_as = Some(line);
                self.say(cx, Say::NoUpload { path: &shown(argument), errno });
            }
        }
    }

    /// Whether a missing data connection is told of before a missing file.
    fn wants_channel_first(&self) -> bool {
        matches!(self.channel, Channel::None) && self.server != FtpServer::PureFtpd
    }

    /// Begins `job` as soon as the data connection is there.
    fn begin(&mut self, cx: &mut StreamContext<'_>, job: Job) {
        match self.channel {
            Channel::None | Channel::Opening { .. } => self.say(cx, Say::NoChannel),
            Channel::Active => {
                self.channel = Channel::None;
                self.say(cx, Say::NotConnected);
            }
            Channel::Listening(_) => {
                self.job = Some((job, cx.now()));
                self.job_until = Some(cx.now() + CONNECTING);
            }
            Channel::Connected => {
                self.job = Some((job, cx.now()));
                self.start(cx);
            }
        }
    }

    fn start(&mut self, cx: &mut StreamContext<'_>) {
        let Some((job, _)) = self.job.take() else { return };
        self.running = true;
        self.job_until = Some(cx.now() + STALLED);
        let binary = self.binary;
        match &job {
            Job::Listing { verb, .. } => self.say(cx, Say::ListBegins { verb }),
            Job::Download { name, size, .. } => {
                let path = shown(name);
                self.say(cx, Say::DownloadBegins { path: &path, size: *size, binary });
            }
            Job::Upload { name, unique, .. } => {
                let path = shown(name);
                self.say(cx, Say::UploadBegins { path: &path, binary, unique: *unique });
            }
        }
        self.job = Some((job, cx.now()));
        self.go_on(cx);
    }

    /// Sends the next piece, or ends what has no more.
    fn go_on(&mut self, cx: &mut StreamContext<'_>) {
        let now = cx.now();
        self.job_until = Some(now + STALLED);
        let piece = match &mut self.job {
            Some((Job::Listing { bytes, .. }, _)) => std::mem::take(bytes),
            Some((Job::Download { ino, at, size, .. }, _)) => {
                let left = usize::try_from(size.saturating_sub(*at)).unwrap_or(PIECE);
                let piece = self.host.read(*ino, *at, left.min(PIECE), now);
                *at += piece.len() as u64;
                piece
            }
            Some((Job::Upload { .. }, _)) | None => return,
        };
        if piece.is_empty() {
            return self.finish(cx, true);
        }
        self.sent += piece.len() as u64;
        cx.side(Side::Send(piece));
    }

    fn uploaded(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        let now = cx.now();
        self.job_until = Some(now + STALLED);
        let Some((Job::Upload { ino, at, received, .. }, _)) = &mut self.job else { return };
        let written = self.host.with(|machine| machine.fs.write(*ino, *at, bytes, now));
        *at += bytes.len() as u64;
        *received += bytes.len() as u64;
        self.received += bytes.len() as u64;
        if written.is_err() {
            self.give_up(cx, Say::DiskFull);
        }
    }

    /// The job is over; `complete` unless it was cut off.
    fn finish(&mut self, cx: &mut StreamContext<'_>, complete: bool) {
        let Some((job, begun)) = self.close_job(cx) else { return };
        let micros = u64::try_from(cx.now().since(begun).as_micros()).unwrap_or(u64::MAX);
        let bytes = self.tell_job(cx, &job, complete);
        if !complete {
            return;
        }
        match &job {
            Job::Listing { verb, count, all, .. } => {
                self.say(cx, Say::ListDone { verb, count: *count, all: *all });
            }
            Job::Download { .. } | Job::Upload { .. } => {
                self.say(cx, Say::Done { bytes, micros });
            }
        }
    }

    fn close_job(&mut self, cx: &mut StreamContext<'_>) -> Option<(Job, Timestamp)> {
        let job = self.job.take();
        self.running = false;
        self.job_until = None;
        self.channel = Channel::None;
        cx.side(Side::Close);
        self.touch(cx.now());
        job
    }

    /// Tells of a job that is over, and keeps what came in. Returns the bytes that went over.
    fn tell_job(&mut self, cx: &mut StreamContext<'_>, job: &Job, complete: bool) -> u64 {
        match job {
            Job::Listing { .. } => 0,
            Job::Download { path, at, .. } => {
                let outcome = if complete { "success" } else { "failure" };
                self.tell(cx, catalogue::ftp_download(path, Some(*at), outcome));
                *at
            }
            Job::Upload { path, ino, received, .. } => {
                let now = cx.now();
                let size =
                    self.host.with(|m| m.fs.node(*ino).map_or(0, decoys_host::fs::Node::size));
                if size > MAX_CAPTURE {
                    self.tell(cx, catalogue::file_skipped(path, size, "oversize"));
                    return *received;
                }
                let length = usize::try_from(size).unwrap_or(0);
                let content = self.host.read(*ino, 0, length, now);
                let sha256 = Sha256Digest::of(&content);
                cx.keep(content);
                if let Some(view) = &self.view {
                    let file = Captured {
                        sha256,
                        size,
                        path,
                        user: &view.name,
                        uid: view.creds.uid,
                        writer: match self.server {
                            FtpServer::Vsftpd => "vsftpd",
                            FtpServer::ProFtpd => "proftpd",
                            FtpServer::PureFtpd => "pure-ftpd",
                        },
                        mtime: now,
                    };
                    cx.emit(catalogue::file_captured(now, &file));
                }
                self.tell(cx, catalogue::ftp_upload(path, size, sha256, complete));
                *received
            }
        }
    }

    /// Ends the job with a refusal.
    fn give_up(&mut self, cx: &mut StreamContext<'_>, what: Say<'_>) {
        if let Some((job, _)) = self.close_job(cx) {
            self.tell_job(cx, &job, false);
            self.say(cx, what);
        }
    }

    fn abort(&mut self, cx: &mut StreamContext<'_>) {
        self.told_as = Some(b"ABOR".to_vec());
        self.give_up(cx, Say::Aborted);
    }
}

impl StreamSession for FtpSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.touch(cx.now());
        let text = self.greeting(cx.now());
        cx.send(format!("{text}\r\n"));
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if self.over {
            return;
        }
        self.touch(cx.now());
        let room =
            if self.is_waiting() { MAX_HELD.saturating_sub(self.input.len()) } else { bytes.len() };
        self.input.extend(bytes.iter().take(room));
        self.work(cx);
    }

    fn on_side(&mut self, cx: &mut StreamContext<'_>, event: SideEvent<'_>) {
        if self.over {
            return;
        }
        let opening = match self.channel {
            Channel::Opening { extended } => Some(extended),
            _ => None,
        };
        match (event, opening) {
            (SideEvent::Listening(port), Some(extended)) => {
                self.port_opened(cx, extended, Some(port));
            }
            (SideEvent::Failed, Some(extended)) => self.port_opened(cx, extended, None),
            (SideEvent::Connected, _) => {
                self.channel = Channel::Connected;
                if self.job.is_some() {
                    self.start(cx);
                }
            }
            (SideEvent::Refused(ip), _) => {
                let port = if let Channel::Listening(port) = self.channel { port } else { 0 };
                self.tell(cx, catalogue::data_refused(ip, port));
                if self.server == FtpServer::Vsftpd && self.job.is_some() {
                    self.give_up(cx, Say::WrongClient);
                } else {
                    cx.commit();
                    self.told = false;
                }
            }
            (SideEvent::Bytes(bytes), _) => self.uploaded(cx, bytes),
            (SideEvent::Sent, _) if self.running => self.go_on(cx),
            (SideEvent::Ended, _) if self.running => self.finish(cx, true),
            (SideEvent::Failed, _) if self.job.is_some() => self.give_up(cx, Say::Broken),
            (SideEvent::Failed, _) => self.channel = Channel::None,
            (SideEvent::Listening(_) | SideEvent::Sent | SideEvent::Ended, _) => {}
        }
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if self.over {
            return;
        }
        let now = cx.now();
        if self.delayed.as_ref().is_some_and(|delayed| delayed.due <= now)
            && let Some(delayed) = self.delayed.take()
        {
            self.touch(now);
            cx.send(format!("{}\r\n", delayed.text));
            if delayed.closes {
                return self.end(cx);
            }
            return self.work(cx);
        }
        if self.job_until.is_some_and(|until| until <= now) {
            let what = if self.running { Say::Broken } else { Say::NotConnected };
            self.give_up(cx, what);
            return self.work(cx);
        }
        if self.job.is_none() && self.deadline.is_some_and(|deadline| deadline <= now) {
            self.say(cx, Say::Idle);
            self.end(cx);
        }
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        if let Some((job, _)) = self.job.take() {
            self.tell_job(cx, &job, false);
            cx.commit();
        }
        self.over = true;
        self.deadline = None;
        self.delayed = None;
        self.job_until = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.delayed {
            Some(delayed) => Some(delayed.due),
            None => self.job_until.or(self.deadline),
        }
    }

    fn reads(&self) -> bool {
        // During a transfer commands are read on, because one may be `ABOR`.
        !self.is_waiting() || self.running && self.input.len() < MAX_LINE
    }

    fn reads_side(&self) -> bool {
        self.running && matches!(self.job, Some((Job::Upload { .. }, _)))
    }
}

/// `name`, or with the first free number.
fn unique_name(view: &View, name: &[u8]) -> Vec<u8> {
    let name = if name.is_empty() { b"STOU" } else { name };
    let free = |name: &[u8]| view.node(name, false).is_err();
    if free(name) {
        return name.to_vec();
    }
    let numbered = |n: u32| [name, format!(".{n}").as_bytes()].concat();
    (1..1000).map(numbered).find(|name| free(name)).unwrap_or_else(|| numbered(1000))
}

fn secret(bytes: &[u8]) -> Secret {
    Secret::plaintext(bytes.get(..MAX_SECRET).unwrap_or(bytes))
}

/// `bytes` as a reply holds them.
fn shown(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(bytes).chars().map(printable).collect()
}

/// `YYYYMMDDHHMMSS`.
fn parse_stamp(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    // Days since the epoch of a date in the proleptic Gregorian calendar.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second.min(59);
    Some(Timestamp::from_micros(seconds * 1_000_000))
}
