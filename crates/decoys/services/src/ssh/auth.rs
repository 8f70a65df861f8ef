//! Who is let in, and how refusals look.

use std::time::Duration;

use base_model::{Secret, Timestamp, catalogue};
use decoys_host::{Account, HostHandle};
use decoys_kit::ssh::{AuthAnswer, AuthTry, Method, SshContext, SshReply};
use rand_core::Rng as _;

/// OpenSSH's `MaxAuthTries`.
const MAX_TRIES: u32 = 6;
/// RFC 4253 §11.1 `SSH_DISCONNECT_PROTOCOL_ERROR`, which OpenSSH uses for too many tries.
const TOO_MANY: u32 = 2;
/// Longest secret kept whole (RFC 4252 sets none; OpenSSH refuses longer ones).
const MAX_SECRET: usize = 1024;
/// PAM's failure delay: two seconds, spread by a quarter to both sides.
const DELAY_MICROS: u64 = 2_000_000;

const METHODS: &[Method] = &[Method::PublicKey, Method::Password];
const METHODS_WITH_INTERACTIVE: &[Method] =
    &[Method::PublicKey, Method::Password, Method::KeyboardInteractive];

/// Authentication of one connection.
pub(super) struct Auth {
    host: HostHandle,
    interactive: bool,
    tries: u32,
    failures: u32,
    /// A refusal that is being delayed.
    pending: Option<Timestamp>,
    user: Option<(Account, &'static str)>,
}

impl Auth {
    pub(super) fn new(host: HostHandle) -> Self {
        let interactive = host.distro().keyboard_interactive;
        Self { host, interactive, tries: 0, failures: 0, pending: None, user: None }
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
        match attempt {
            AuthTry::None => cx.reply(SshReply::Auth(AuthAnswer::Reject(self.methods()))),
            AuthTry::Password(password) => self.password(cx, user, &password, "password"),
            AuthTry::KeyboardInteractive(answers) => match answers.first() {
                Some(answer) => self.password(cx, user, answer, "keyboard-interactive"),
                None if self.interactive => {
                    let prompt = vec![("Password: ".to_owned(), false)];
                    cx.reply(SshReply::Auth(AuthAnswer::Prompt(prompt)));
                }
                None => self.refuse(cx),
            },
            AuthTry::PublicKey { algorithm, fingerprint, signed } => {
                cx.emit(catalogue::pubkey_attempt(
                    user,
                    &algorithm,
                    &fingerprint,
                    "",
                    signed,
                    false,
                ));
                cx.commit();
                self.refuse(cx);
            }
        }
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
        let right = password.len() <= MAX_SECRET && self.host.check_login(user, password);
        let account = if right { self.host.account(user) } else { None };
        let kept = password.get(..MAX_SECRET).unwrap_or(password);
        let secret = Secret::plaintext(kept);
        cx.emit(catalogue::auth_attempt(user, &secret, method, account.is_some()));
        match account {
            Some(account) => {
                cx.emit(catalogue::login_success(user, method, self.tries));
                cx.commit();
                self.user = Some((account, method));
                cx.reply(SshReply::Auth(AuthAnswer::Accept));
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
            cx.reply(SshReply::Disconnect(TOO_MANY, "Too many authentication failures"));
        } else {
            cx.reply(SshReply::Auth(AuthAnswer::Reject(self.methods())));
        }
    }

    const fn methods(&self) -> &'static [Method] {
        if self.interactive { METHODS_WITH_INTERACTIVE } else { METHODS }
    }
}
