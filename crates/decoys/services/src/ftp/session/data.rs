//! The data connection: opened, used for one job, told of.

use std::net::IpAddr;
use std::time::Duration;

use base_model::catalogue::Captured;
use base_model::{Sha256Digest, Timestamp, catalogue};
use decoys_host::persona::FtpServer;
use decoys_kit::{Side, StreamContext};

use super::{FtpSession, MAX_ENTRIES, shown, unique_name};
use crate::ftp::dialect::Say;
use crate::ftp::listing;
use crate::ftp::transfer::{Channel, Job, PIECE};
use crate::ftp::view::View;

/// How long a client may take to connect, and a transfer to go on.
const CONNECTING: Duration = Duration::from_secs(60);
const STALLED: Duration = Duration::from_secs(300);
/// Largest content kept as a blob (`spec/services.md` §4).
const MAX_CAPTURE: u64 = 52_428_800;

impl FtpSession {
    pub(super) fn open_port(&mut self, cx: &mut StreamContext<'_>, extended: bool) {
        self.channel = Channel::Opening { extended };
        cx.side(Side::Listen);
    }

    pub(super) fn port_opened(
        &mut self,
        cx: &mut StreamContext<'_>,
        extended: bool,
        port: Option<u16>,
    ) {
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

    pub(super) fn active(
        &mut self,
        cx: &mut StreamContext<'_>,
        verb: &str,
        target: Option<(IpAddr, u16)>,
    ) {
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

    pub(super) fn list(
        &mut self,
        cx: &mut StreamContext<'_>,
        verb: &str,
        argument: &[u8],
        view: &View,
    ) {
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

    pub(super) fn retrieve(
        &mut self,
        cx: &mut StreamContext<'_>,
        argument: &[u8],
        at: u64,
        view: &View,
    ) {
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

    pub(super) fn store(
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
    pub(super) fn wants_channel_first(&self) -> bool {
        matches!(self.channel, Channel::None) && self.server != FtpServer::PureFtpd
    }

    /// Begins `job` as soon as the data connection is there.
    pub(super) fn begin(&mut self, cx: &mut StreamContext<'_>, job: Job) {
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

    pub(super) fn start(&mut self, cx: &mut StreamContext<'_>) {
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
        if self.security.data {
            self.securing = true;
            cx.side(Side::StartTls);
        } else {
            self.go_on(cx);
        }
    }

    /// Sends the next piece, or ends what has no more.
    pub(super) fn go_on(&mut self, cx: &mut StreamContext<'_>) {
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

    pub(super) fn uploaded(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
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
    pub(super) fn finish(&mut self, cx: &mut StreamContext<'_>, complete: bool) {
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

    pub(super) fn close_job(&mut self, cx: &mut StreamContext<'_>) -> Option<(Job, Timestamp)> {
        let job = self.job.take();
        self.running = false;
        self.securing = false;
        self.job_until = None;
        self.channel = Channel::None;
        cx.side(Side::Close);
        self.touch(cx.now());
        job
    }

    /// Tells of a job that is over, and keeps what came in. Returns the bytes that went over.
    pub(super) fn tell_job(
        &mut self,
        cx: &mut StreamContext<'_>,
        job: &Job,
        complete: bool,
    ) -> u64 {
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
    pub(super) fn give_up(&mut self, cx: &mut StreamContext<'_>, what: Say<'_>) {
        if let Some((job, _)) = self.close_job(cx) {
            self.tell_job(cx, &job, false);
            self.say(cx, what);
        }
    }

    pub(super) fn abort(&mut self, cx: &mut StreamContext<'_>) {
        self.told_as = Some(b"ABOR".to_vec());
        self.give_up(cx, Say::Aborted);
    }
}
