//! Who comes in, and what is said to those who do not.

use std::time::Duration;

use base_model::catalogue;
use decoys_host::persona::FtpServer;
use decoys_kit::StreamContext;
use rand_core::Rng as _;

use super::{Delayed, FtpSession, MAX_SECRET, Mode, secret, shown};
use crate::ftp::dialect;
use crate::ftp::dialect::Say;
use crate::ftp::view::View;

/// PAM's failure delay, as for every login of the machine.
const DELAY_MICROS: u64 = 2_000_000;
const ANONYMOUS_ROOT: &[u8] = b"/srv/ftp";

impl FtpSession {
    pub(super) fn before_login(&mut self, cx: &mut StreamContext<'_>, verb: &str) {
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

    pub(super) fn help(&mut self, cx: &mut StreamContext<'_>) {
        let text = dialect::help(self.server, &self.local.ip.to_string(), self.security.offered);
        self.reply(cx, &text);
    }

    pub(super) fn user(&mut self, cx: &mut StreamContext<'_>, name: &[u8]) {
        self.tell(cx, catalogue::ftp_user(name));
        if self.view.is_some() {
            return self.say(cx, Say::AlreadyIn);
        }
        if name.is_empty() && self.server == FtpServer::ProFtpd {
            return self.reply(cx, "500 USER: command requires a parameter");
        }
        let anonymous = self.is_anonymous(name);
        if anonymous && self.security.control && self.server == FtpServer::Vsftpd {
            return self.reply(cx, "530 Anonymous sessions may not use encryption.");
        }
        if anonymous && self.server == FtpServer::PureFtpd {
            self.let_in(name, b"", cx, true);
            return;
        }
        self.user = Some(name.to_vec());
        let shown = shown(name);
        self.say(cx, Say::Password { user: &shown, anonymous });
    }

    pub(super) fn is_anonymous(&self, name: &[u8]) -> bool {
        let offered = self.anonymous || self.mode == Mode::AnonymousOnly;
        offered && self.mode != Mode::Never && matches!(name, b"anonymous" | b"ftp")
    }

    pub(super) fn pass(&mut self, cx: &mut StreamContext<'_>, password: &[u8]) {
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

    pub(super) fn let_in(
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
}
