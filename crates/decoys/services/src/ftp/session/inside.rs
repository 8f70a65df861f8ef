//! What those who are in may do that needs no data connection.

use decoys_host::fs::Errno;
use decoys_host::persona::FtpServer;
use decoys_kit::StreamContext;

use super::{FtpSession, MAX_ENTRIES, parse_stamp, shown};
use crate::ftp::dialect::Say;
use crate::ftp::view::View;
use crate::ftp::{command, dialect, listing};

impl FtpSession {
    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    pub(super) fn inside(
        &mut self,
        cx: &mut StreamContext<'_>,
        verb: &str,
        argument: &[u8],
        mut view: View,
    ) {
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

    pub(super) fn change(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], mut view: View) {
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

    pub(super) fn times(
        &mut self,
        cx: &mut StreamContext<'_>,
        verb: &str,
        argument: &[u8],
        view: &View,
    ) {
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

    pub(super) fn stat(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], view: &View) {
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

    pub(super) fn mlst(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], view: &View) {
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

    pub(super) fn site(&mut self, cx: &mut StreamContext<'_>, argument: &[u8], view: &mut View) {
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
}
