//! Greetings and logins.

use std::time::Duration;

use base_model::{Secret, catalogue};
use decoys_kit::StreamContext;
use rand_core::Rng as _;

use super::{EXTENSIONS, MAX_SECRET, Mode, STARTTLS, SmtpSession};
use crate::smtp::sasl;

/// PAM's failure delay behind Cyrus: two seconds, spread by a quarter to both sides.
const AUTH_DELAY_MICROS: u64 = 2_000_000;

impl SmtpSession {
    pub(super) fn unknown(&mut self, cx: &mut StreamContext<'_>, line: &[u8], verb: &[u8]) {
        self.tell(cx, catalogue::unknown_command(line));
        let is_header = verb.len() > 1 && verb.ends_with(b":");
        let forbidden = matches!(verb, b"CONNECT" | b"GET" | b"POST")
            || self.modern && !verb.first().is_some_and(u8::is_ascii_uppercase);
        if is_header || forbidden {
            let text = "221 2.7.0 Error: I can break rules, too. Goodbye.".to_owned();
            return self.say_after(cx, Duration::ZERO, text, true);
        }
        let code = if self.modern { 500 } else { 502 };
        self.fail(cx, format!("{code} 5.5.2 Error: command not recognized"));
    }

    pub(super) fn helo(&mut self, cx: &mut StreamContext<'_>, verb: &[u8], arguments: &[&[u8]]) {
        let verb = if verb == b"EHLO" { "EHLO" } else { "HELO" };
        if arguments.is_empty() {
            return self.fail(cx, format!("501 Syntax: {verb} hostname"));
        }
        // What Postfix keeps of the name is all its words without the blanks between them.
        let name = arguments.concat();
        self.tell(cx, catalogue::ehlo(verb, &name));
        self.helo = Some((name, verb == "EHLO"));
        self.transaction = None;
        if verb == "HELO" {
            return self.say(cx, format!("250 {}", self.fqdn));
        }
        let mut text = format!("250-{}", self.fqdn);
        for (at, extension) in EXTENSIONS.iter().enumerate() {
            if *extension == STARTTLS && self.encrypted {
                continue;
            }
            let mark = if at + 1 == EXTENSIONS.len() { ' ' } else { '-' };
            text.push_str(&format!("\r\n250{mark}{extension}"));
        }
        self.say(cx, text);
    }

    pub(super) fn auth(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        if self.transaction.is_some() {
            return self.fail(cx, "503 5.5.1 Error: MAIL transaction in progress");
        }
        if self.user.is_some() {
            return self.fail(cx, "503 5.5.1 Error: already authenticated");
        }
        match arguments {
            [mechanism] => self.authenticate(cx, sasl::begin(mechanism, None)),
            [mechanism, initial] => self.authenticate(cx, sasl::begin(mechanism, Some(initial))),
            _ => self.fail(cx, "501 5.5.4 Syntax: AUTH mechanism"),
        }
    }

    pub(super) fn authenticate(&mut self, cx: &mut StreamContext<'_>, step: sasl::Step) {
        match step {
            sasl::Step::Ask(exchange, prompt) => {
                self.mode = Mode::Sasl(exchange);
                self.say(cx, format!("334 {prompt}"));
            }
            sasl::Step::Aborted => self.fail(cx, "501 5.7.0 Authentication aborted"),
            sasl::Step::Fail(why) => {
                self.fail(cx, format!("535 5.7.8 Error: authentication failed: {why}"));
            }
            sasl::Step::Try { user, password, mechanism } => {
                self.try_login(cx, &user, &password, mechanism);
            }
        }
    }

    pub(super) fn try_login(
        &mut self,
        cx: &mut StreamContext<'_>,
        user: &[u8],
        password: &[u8],
        mechanism: &'static str,
    ) {
        self.tries += 1;
        // People give their address as well as their name.
        let own = format!("@{}", self.host.domain());
        let name = user.strip_suffix(own.as_bytes()).unwrap_or(user);
        let right = password.len() <= MAX_SECRET && self.host.check_login(name, password);
        let secret = Secret::plaintext(password.get(..MAX_SECRET).unwrap_or(password));
        let method = if mechanism == "PLAIN" { "plain" } else { "login" };
        self.tell(cx, catalogue::auth_attempt(user, &secret, method, right));
        if right {
            self.tell(cx, catalogue::login_success(user, method, self.tries));
            self.user = Some(String::from_utf8_lossy(name).into_owned());
            return self.say(cx, "235 2.7.0 Authentication successful");
        }
        let spread = cx.rng().next_u64() % (AUTH_DELAY_MICROS / 2);
        let delay = Duration::from_micros(AUTH_DELAY_MICROS * 3 / 4 + spread);
        let text = "535 5.7.8 Error: authentication failed: authentication failure".to_owned();
        self.say_after(cx, delay, text, false);
        self.errors += 1;
    }
}
