//! Who is let in, and how refusals look.

use std::time::Duration;

use base_model::{Secret, Timestamp, catalogue};
use decoys_host::{Account, HostHandle};
use decoys_kit::ssh::{AuthAnswer, AuthTry, Method, SshContext, SshReply};
use rand_core::Rng as _;

/// OpenSSH's `MaxAuthTries`.
const MAX_TRIES: u32 = 6;
/// RFC 4253 §11.1 `SSH_DISCONNECT_PROTOCOL_ERROR`, the one code that OpenSSH's server sends.
const PROTOCOL_ERROR: u32 = 2;
/// Longest secret kept whole (RFC 4252 sets none; OpenSSH refuses longer ones).
const MAX_SECRET: usize = 1024;
/// PAM's failure delay: two seconds, spread by a quarter to both sides.
const DELAY_MICROS: u64 = 2_000_000;

const METHODS: &[Method] = &[Method::PublicKey, Method::Password];
/// Without PAM there is nothing that would ask, but the method is offered.
const METHODS_WITH_INTERACTIVE: &[Method] =
    &[Method::PublicKey, Method::Password, Method::KeyboardInteractive];
const METHODS_WITH_GSSAPI: &[Method] =
    &[Method::PublicKey, Method::GssapiKeyex, Method::GssapiWithMic, Method::Password];

/// Authentication of one connection.
pub(super) struct Auth {
    host: HostHandle,
    methods: &'static [Method],
    /// Who the first try was for; OpenSSH takes no other on the same connection.
    name: Option<Vec<u8>>,
    /// Tries of any method.
    attempts: u32,
    /// Credentials tried.
    tries: u32,
    failures: u32,
    /// A refusal that is being delayed.
    pending: Option<Timestamp>,
    user: Option<(Account, &'static str)>,
}

impl Auth {
    pub(super) fn new(host: HostHandle) -> Self {
        let offers = |name: &str| host.distro().ssh_methods.iter().any(|method| method == name);
        let methods = if offers("gssapi-with-mic") {
            METHODS_WITH_GSSAPI
        } else if offers("keyboard-interactive") {
            METHODS_WITH_INTERACTIVE
        } else {
            METHODS
        };
        Self {
            host,
            methods,
            name: None,
            attempts: 0,
            tries: 0,
            failures: 0,
            pending: None,
            user: None,
        }
    }

    /// Who got in, and by which method.
    pub(super) const fn user(&self) -> Option<&(Account, &'static str)> {
        self.user.as_ref()
    }

    /// When a delayed answer is due.
    pub(super) const fn due(&self) -> Option<Timestamp> {
        self.pending
    }

    pub(super) fn on_try(&mut self, cx: &mut SshContext<'_>, user: &[u8], attempt: AuthTry) {
        if self.user.is_some() || self.pending.is_some() {
            // The edge hands over one try at a time, and none after success.
            return;
        }
        self.attempts += 1;
        let style = user.iter().position(|&byte| byte == b':').unwrap_or(user.len());
        let name = user.get(..style).unwrap_or(user);
        let first = self.name.get_or_insert_with(|| name.to_vec());
        if first != name {
            let (from, to) = (String::from_utf8_lossy(first), String::from_utf8_lossy(name));
            let text = format!(
                "Change of username or service not allowed: \
                 ({from},ssh-connection) -> ({to},ssh-connection)"
            );
            self.tell_refused(cx, user, attempt);
            return cx.reply(SshReply::Disconnect(PROTOCOL_ERROR, text.into()));
        }
        match attempt {
            AuthTry::None if self.attempts == 1 => {
                cx.reply(SshReply::Auth(AuthAnswer::Reject(self.methods())));
            }
            AuthTry::Password(password) => self.password(cx, user, &password, "password"),
            attempt => {
                self.tell_refused(cx, user, attempt);
                self.refuse(cx);
            }
        }
    }

    /// Tells of a try that is refused whatever it holds.
    fn tell_refused(&mut self, cx: &mut SshContext<'_>, user: &[u8], attempt: AuthTry) {
        let fact = match attempt {
            AuthTry::None | AuthTry::Other(_) => return,
            AuthTry::Password(password) => {
                self.tries += 1;
                catalogue::auth_attempt(user, &secret(&password), "password", false)
            }
            AuthTry::PasswordChange { old, new } => {
                self.tries += 1;
                catalogue::password_change(user, &secret(&old), &secret(&new))
            }
            AuthTry::KeyboardInteractive(answers) => {
                let Some(answer) = answers.first() else { return };
                self.tries += 1;
                catalogue::auth_attempt(user, &secret(answer), "keyboard-interactive", false)
            }
            AuthTry::PublicKey { algorithm, fingerprint, signed } => {
                catalogue::pubkey_attempt(user, &algorithm, &fingerprint, "", signed, false)
            }
        };
        cx.emit(fact);
        cx.commit();
    }

    /// The delayed refusal, once its time has come.
    pub(super) fn on_timeout(&mut self, cx: &mut SshContext<'_>) {
        if self.pending.is_some_and(|due| cx.now() >= due) {
            self.pending = None;
            self.refuse(cx);
        }
    }

    fn password(
        &mut self,
        cx: &mut SshContext<'_>,
        user: &[u8],
        password: &[u8],
        method: &'static str,
    ) {
        self.tries += 1;
        // The comparison is the same for every name, known or not.
        let name = self.name.as_deref().unwrap_or(user);
        let right = password.len() <= MAX_SECRET && self.host.check_login(name, password);
        let account = if right { self.host.account(name) } else { None };
        cx.emit(catalogue::auth_attempt(user, &secret(password), method, account.is_some()));
        match account {
            Some(account) => {
                cx.emit(catalogue::login_success(user, method, self.tries));
                cx.commit();
                self.user = Some((account, method));
                cx.reply(SshReply::Auth(AuthAnswer::Accept));
            }
            // OpenSSH cannot read these, and gives up without a word.
            None if user.contains(&0) || method == "password" && password.contains(&0) => {
                cx.commit();
                cx.reply(SshReply::Hangup);
            }
            None => {
                cx.commit();
                let spread = cx.rng().next_u64() % (DELAY_MICROS / 2);
                let delay = Duration::from_micros(DELAY_MICROS * 3 / 4 + spread);
                self.pending = Some(cx.now() + delay);
            }
        }
    }

    fn refuse(&mut self, cx: &mut SshContext<'_>) {
        self.failures += 1;
        if self.failures >= MAX_TRIES {
            let text = "Too many authentication failures";
            cx.reply(SshReply::Disconnect(PROTOCOL_ERROR, text.into()));
        } else {
            cx.reply(SshReply::Auth(AuthAnswer::Reject(self.methods())));
        }
    }

    const fn methods(&self) -> &'static [Method] {
        self.methods
    }
}

/// As much of a secret as is kept.
fn secret(bytes: &[u8]) -> Secret {
    Secret::plaintext(bytes.get(..MAX_SECRET).unwrap_or(bytes))
}
