//! One connection: commands in, Postfix's replies and events out.
//!
//! Lines are taken one by one, because a reply may have to wait (Postfix sleeps before it answers a
//! client that errs a lot), and what follows then waits with it.

use std::time::Duration;

use base_model::catalogue::{self, Envelope};
use base_model::{Fact, Kind, Peer, Secret, Timestamp};
use decoys_host::HostHandle;
use decoys_kit::{Opening, StreamContext, StreamSession};
use rand_core::Rng as _;

use super::command::{Address, address, words};
use super::content;
use super::data::{Data, Step};
use super::mailbox::{self, Letter};
use super::policy::{Policy, Verdict};
use super::sasl::{self, Exchange};

/// `smtpd_timeout`.
const TIMEOUT: Duration = Duration::from_secs(300);
/// `smtpd_soft_error_limit`, `smtpd_hard_error_limit`, `smtpd_error_sleep_time`.
const SOFT_ERRORS: u32 = 10;
const HARD_ERRORS: u32 = 20;
const ERROR_SLEEP: Duration = Duration::from_secs(1);
/// `smtpd_junk_command_limit`.
const JUNK: u32 = 100;
/// `line_length_limit`.
const MAX_LINE: usize = 2048;
/// `smtpd_sasl_response_limit`.
const MAX_RESPONSE: usize = 12_288;
/// `message_size_limit`.
const MAX_MESSAGE: usize = 10_240_000;
/// `smtpd_recipient_limit`.
const MAX_RECIPIENTS: usize = 1000;
/// Input held while a reply waits; the network holds the rest.
const MAX_HELD: usize = 128 * 1024;
/// Longest secret kept.
const MAX_SECRET: usize = 1024;
/// PAM's failure delay behind Cyrus: two seconds, spread by a quarter to both sides.
const AUTH_DELAY_MICROS: u64 = 2_000_000;
/// Submission (RFC 6409).
const SUBMISSION: u16 = 587;

/// What EHLO lists after the host name. `STARTTLS` belongs after `ETRN`, once the runtime can turn a
/// stream into TLS.
const EXTENSIONS: &[&str] = &[
    "PIPELINING",
    "SIZE 10240000",
    "VRFY",
    "ETRN",
    "AUTH PLAIN LOGIN",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "SMTPUTF8",
    "CHUNKING",
];

/// What the next bytes are.
enum Mode {
    Command,
    Sasl(Exchange),
    /// Text after DATA.
    Data(Data),
    /// Bytes of a chunk left, whether it is the last, its size, and the reply that refuses it.
    Chunk {
        left: u64,
        size: u64,
        last: bool,
        refusal: Option<String>,
    },
}

/// A reply that waits.
struct Delayed {
    due: Timestamp,
    text: String,
    closes: bool,
}

/// A mail transaction.
#[derive(Default)]
struct Transaction {
    sender: Vec<u8>,
    recipients: Vec<(Vec<u8>, Option<decoys_host::Account>)>,
    utf8: bool,
    /// Given at the first recipient.
    queue_id: String,
    /// What BDAT brought so far.
    chunks: Option<Data>,
    /// An earlier chunk was refused.
    failed: bool,
}

pub(super) struct SmtpSession {
    host: HostHandle,
    policy: Policy,
    peer: Peer,
    banner: String,
    fqdn: String,
    submission: bool,
    /// Postfix from 3.7 on words some refusals otherwise.
    modern: bool,
    helo: Option<(Vec<u8>, bool)>,
    user: Option<String>,
    tries: u32,
    transaction: Option<Transaction>,
    mode: Mode,
    errors: u32,
    junk: u32,
    input: Vec<u8>,
    line: Vec<u8>,
    /// The line was longer than what is kept of it.
    cut: bool,
    /// Facts were told that the next reply must wait for.
    told: bool,
    delayed: Option<Delayed>,
    deadline: Option<Timestamp>,
    over: bool,
}

impl SmtpSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let host = opening.host;
        let fqdn = host.fqdn();
        let set = opening.settings.text("banner").or_else(|| opening.settings.text("smtp_banner"));
        let banner = match set {
            // A line end in a setting would let it say more than a greeting.
            Some(text) => text.chars().filter(|c| !c.is_control()).collect(),
            None => format!("{fqdn} ESMTP Postfix{}", host.distro().mail_banner()),
        };
        let banner = match banner.strip_prefix("220 ") {
            Some(_) => banner,
            None => format!("220 {banner}"),
        };
        let version = host.distro().package("postfix");
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        let modern = (numbers.next(), numbers.next()) >= (Some(3), Some(7));
        Self {
            policy: Policy::new(host.clone()),
            host,
            peer: opening.peer,
            banner,
            fqdn,
            submission: opening.local.port == SUBMISSION,
            modern,
            helo: None,
            user: None,
            tries: 0,
            transaction: None,
            mode: Mode::Command,
            errors: 0,
            junk: 0,
            input: Vec::new(),
            line: Vec::new(),
            cut: false,
            told: false,
            delayed: None,
            deadline: None,
            over: false,
        }
    }

    fn tell(&mut self, cx: &mut StreamContext<'_>, fact: Fact) {
        cx.emit(fact);
        self.told = true;
    }

    /// Replies, after the pause that a client with many errors gets.
    fn say(&mut self, cx: &mut StreamContext<'_>, text: impl Into<String>) {
        self.say_after(cx, Duration::ZERO, text.into(), false);
    }

    fn say_after(
        &mut self,
        cx: &mut StreamContext<'_>,
        pause: Duration,
        text: String,
        closes: bool,
    ) {
        if std::mem::take(&mut self.told) {
            cx.commit();
        }
        let slow = if self.errors >= SOFT_ERRORS { ERROR_SLEEP } else { Duration::ZERO };
        let pause = pause + slow;
        if pause.is_zero() {
            self.send(cx, &text, closes);
        } else {
            self.delayed = Some(Delayed { due: cx.now() + pause, text, closes });
        }
    }

    fn send(&mut self, cx: &mut StreamContext<'_>, text: &str, closes: bool) {
        cx.send(format!("{text}\r\n"));
        if closes {
            self.end(cx);
        }
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.over = true;
        self.deadline = None;
        self.delayed = None;
        self.input = Vec::new();
        cx.close();
    }

    /// Replies to an error and counts it.
    fn fail(&mut self, cx: &mut StreamContext<'_>, text: impl Into<String>) {
        self.say(cx, text);
        self.errors += 1;
    }

    /// Works through the input as far as it goes.
    fn work(&mut self, cx: &mut StreamContext<'_>) {
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while !self.over && self.delayed.is_none() {
            if self.errors >= HARD_ERRORS {
                let text = format!("421 4.7.0 {} Error: too many errors", self.fqdn);
                self.say_after(cx, Duration::ZERO, text, true);
                continue;
            }
            if rest.is_empty() {
                break;
            }
            let used = match &mut self.mode {
                Mode::Command | Mode::Sasl(_) => self.take_line(cx, rest),
                Mode::Data(data) => match data.take(rest) {
                    Step::Goes => rest.len(),
                    Step::Ended(used) => {
                        self.data_ended(cx);
                        used
                    }
                },
                Mode::Chunk { .. } => self.take_chunk(cx, rest),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
        if !self.over {
            self.input = rest.to_vec();
        }
    }

    /// Takes `input` up to the end of a line, and does what the line says once it is whole.
    fn take_line(&mut self, cx: &mut StreamContext<'_>, input: &[u8]) -> usize {
        let most = if matches!(self.mode, Mode::Sasl(_)) { MAX_RESPONSE } else { MAX_LINE };
        let end = input.iter().position(|&byte| byte == b'\n');
        let piece = input.get(..end.unwrap_or(input.len())).unwrap_or(input);
        let room = most.saturating_sub(self.line.len());
        self.cut |= piece.len() > room;
        self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
        let Some(end) = end else { return input.len() };
        let mut line = std::mem::take(&mut self.line);
        while line.last().is_some_and(u8::is_ascii_whitespace) {
            line.pop();
        }
        let cut = std::mem::take(&mut self.cut);
        match std::mem::replace(&mut self.mode, Mode::Command) {
            Mode::Sasl(_) if cut => self.fail(cx, "500 5.5.6 SASL response limit exceeded"),
            Mode::Sasl(exchange) => {
                let step = sasl::go_on(exchange, &line);
                self.authenticate(cx, step);
            }
            _ => {
                if cut {
                    self.tell(cx, catalogue::protocol_error("line too long", &line));
                }
                self.command(cx, &line);
            }
        }
        end + 1
    }

    fn command(&mut self, cx: &mut StreamContext<'_>, line: &[u8]) {
        if std::str::from_utf8(line).is_err() {
            self.tell(cx, catalogue::unknown_command(line));
            return self.fail(cx, "500 5.5.2 Error: bad UTF-8 syntax");
        }
        let words = words(line);
        let Some((verb, arguments)) = words.split_first() else {
            return self.fail(cx, "500 5.5.2 Error: bad syntax");
        };
        let upper = verb.to_ascii_uppercase();
        if matches!(upper.as_slice(), b"NOOP" | b"RSET" | b"VRFY" | b"ETRN") {
            self.junk += 1;
            if self.junk > JUNK {
                self.errors += 1;
            }
        }
        match upper.as_slice() {
            b"HELO" | b"EHLO" => self.helo(cx, &upper, arguments),
            b"AUTH" => self.auth(cx, arguments),
            b"MAIL" => self.mail(cx, line, arguments),
            b"RCPT" => self.rcpt(cx, arguments),
            b"DATA" => self.data(cx, arguments),
            b"BDAT" => self.bdat(cx, arguments),
            b"RSET" if arguments.is_empty() => {
                self.transaction = None;
                self.say(cx, "250 2.0.0 Ok");
            }
            b"RSET" => self.fail(cx, "501 5.5.4 Syntax: RSET"),
            b"NOOP" => self.say(cx, "250 2.0.0 Ok"),
            b"VRFY" => self.vrfy(cx, arguments),
            b"ETRN" => self.etrn(cx, arguments),
            b"QUIT" => self.say_after(cx, Duration::ZERO, "221 2.0.0 Bye".to_owned(), true),
            b"STARTTLS" => self.fail(cx, "502 5.5.1 Error: command not implemented"),
            b"XCLIENT" | b"XFORWARD" if self.transaction.is_some() => {
                self.fail(cx, "503 5.5.1 Error: MAIL transaction in progress");
            }
            b"XCLIENT" | b"XFORWARD" => {
                self.fail(cx, "550 5.7.0 Error: insufficient authorization");
            }
            _ => self.unknown(cx, line, &upper),
        }
    }

    fn unknown(&mut self, cx: &mut StreamContext<'_>, line: &[u8], verb: &[u8]) {
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

    fn helo(&mut self, cx: &mut StreamContext<'_>, verb: &[u8], arguments: &[&[u8]]) {
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
            let mark = if at + 1 == EXTENSIONS.len() { ' ' } else { '-' };
            text.push_str(&format!("\r\n250{mark}{extension}"));
        }
        self.say(cx, text);
    }

    fn auth(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
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

    fn authenticate(&mut self, cx: &mut StreamContext<'_>, step: sasl::Step) {
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

    fn try_login(
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

    fn mail(&mut self, cx: &mut StreamContext<'_>, line: &[u8], arguments: &[&[u8]]) {
        if self.transaction.is_some() {
            return self.fail(cx, "503 5.5.1 Error: nested MAIL command");
        }
        let [from, sender, parameters @ ..] = arguments else {
            return self.fail(cx, "501 5.5.4 Syntax: MAIL FROM:<address>");
        };
        if !from.eq_ignore_ascii_case(b"FROM:") {
            return self.fail(cx, "501 5.5.4 Syntax: MAIL FROM:<address>");
        }
        let Some(address) = address(sender) else {
            return self.fail(cx, "501 5.1.7 Bad sender address syntax");
        };
        let mut utf8 = false;
        for parameter in parameters {
            if let Err(refusal) = mail_parameter(parameter, &mut utf8) {
                return self.fail(cx, refusal);
            }
        }
        if !utf8 && !address.text.is_ascii() {
            return self.fail(cx, "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
        }
        let after = line.windows(sender.len()).position(|window| window == *sender);
        let rest = after.and_then(|at| line.get(at + sender.len()..)).unwrap_or_default();
        self.tell(cx, catalogue::mail_from(&address.text, rest.trim_ascii()));
        self.transaction =
            Some(Transaction { sender: address.text, utf8, ..Transaction::default() });
        self.say(cx, "250 2.1.0 Ok");
    }

    fn rcpt(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        let Some(transaction) = &self.transaction else {
            return self.fail(cx, "503 5.5.1 Error: need MAIL command");
        };
        if transaction.chunks.is_some() {
            return self.fail(cx, "503 5.5.1 Error: RCPT after BDAT");
        }
        let [to, recipient, parameters @ ..] = arguments else {
            return self.fail(cx, "501 5.5.4 Syntax: RCPT TO:<address>");
        };
        if !to.eq_ignore_ascii_case(b"TO:") {
            return self.fail(cx, "501 5.5.4 Syntax: RCPT TO:<address>");
        }
        let utf8 = transaction.utf8;
        let full = transaction.recipients.len() >= MAX_RECIPIENTS;
        let address = address(recipient).filter(|address| !address.local.is_empty());
        let Some(address) = address else {
            let text = "501 5.1.3 Bad recipient address syntax";
            self.tell(cx, catalogue::rcpt(&catalogue::RCPT_REJECTED_SYNTAX, recipient, text));
            return self.fail(cx, text);
        };
        if let Some(refusal) = parameters.iter().find_map(|p| rcpt_parameter(p).err()) {
            return self.fail(cx, refusal);
        }
        if !utf8 && !address.text.is_ascii() {
            return self.fail(cx, "553 5.6.7 Must declare SMTPUTF8 to send unicode address");
        }
        if full {
            return self.fail(cx, "452 4.5.3 Error: too many recipients");
        }
        match self.recipient(&address) {
            Ok(account) => {
                let text = "250 2.1.5 Ok";
                self.tell(cx, catalogue::rcpt(&catalogue::RCPT_TO, &address.text, text));
                self.add_recipient(cx.now(), address, account);
                self.say(cx, text);
            }
            Err(refusal) => {
                self.deny(cx, &catalogue::RCPT_DENIED, &address.text, refusal);
            }
        }
    }

    fn deny(
        &mut self,
        cx: &mut StreamContext<'_>,
        kind: &'static Kind,
        text: &[u8],
        refusal: String,
    ) {
        self.tell(cx, catalogue::rcpt(kind, text, &refusal));
        self.fail(cx, refusal);
    }

    /// Who gets mail for `address`, as far as it is somebody here; else the refusal.
    fn recipient(&self, address: &Address) -> Result<Option<decoys_host::Account>, String> {
        let shown = shown(&address.text);
        if self.submission && self.user.is_none() {
            return Err(format!(
                "530 5.7.0 <{shown}>: Recipient address rejected: Authentication required"
            ));
        }
        match self.policy.verdict(address) {
            Verdict::Local => Ok(self.policy.account(&address.local)),
            Verdict::Nobody => Err(format!(
                "550 5.1.1 <{shown}>: Recipient address rejected: User unknown in local recipient table"
            )),
            Verdict::Foreign if self.user.is_some() => Ok(None),
            Verdict::Foreign => Err(format!("554 5.7.1 <{shown}>: Relay access denied")),
        }
    }

    fn add_recipient(
        &mut self,
        now: Timestamp,
        address: Address,
        account: Option<decoys_host::Account>,
    ) {
        let id = self.queue_id(now);
        if let Some(transaction) = &mut self.transaction {
            if transaction.queue_id.is_empty() {
                transaction.queue_id = id;
            }
            transaction.recipients.push((address.text, account));
        }
    }

    /// Postfix's short queue id: the microsecond, and the number of the queue file. A file system
    /// gives out a freed number again, so it hardly moves.
    fn queue_id(&self, now: Timestamp) -> String {
        let micros = now.micros().rem_euclid(1_000_000);
        let base = self.host.choices().range("smtp.queue.inode", 0x2_0000, 0x1f_0000);
        let moved = u64::try_from(now.seconds().rem_euclid(3)).unwrap_or(0);
        format!("{micros:05X}{:X}", base + moved)
    }

    fn data(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        let state = self.transaction.as_ref().map(|t| (t.chunks.is_some(), t.recipients.len()));
        match state {
            Some((true, _)) => self.fail(cx, "503 5.5.1 Error: DATA after BDAT"),
            None => self.fail(cx, "503 5.5.1 Error: need RCPT command"),
            Some((_, 0)) => self.fail(cx, "554 5.5.1 Error: no valid recipients"),
            Some(_) if !arguments.is_empty() => self.fail(cx, "501 5.5.4 Syntax: DATA"),
            Some(_) => {
                self.mode = Mode::Data(Data::new(MAX_MESSAGE));
                self.say(cx, "354 End data with <CR><LF>.<CR><LF>");
            }
        }
    }

    fn data_ended(&mut self, cx: &mut StreamContext<'_>) {
        if let Mode::Data(data) = std::mem::replace(&mut self.mode, Mode::Command) {
            self.finish(cx, data, None);
        }
    }

    fn bdat(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        let size = arguments.first().and_then(|size| {
            let digits = size.iter().all(u8::is_ascii_digit);
            std::str::from_utf8(size).ok().filter(|_| digits)?.parse::<u64>().ok()
        });
        let last = match arguments {
            [_] => Some(false),
            [_, last] if last.eq_ignore_ascii_case(b"LAST") => Some(true),
            _ => None,
        };
        let (Some(size), Some(last)) = (size, last) else {
            let text = "521 5.5.4 Syntax: BDAT count [LAST]".to_owned();
            return self.say_after(cx, Duration::ZERO, text, true);
        };
        if size == 0 && !last {
            return self.fail(cx, "551 5.7.1 Null BDAT request");
        }
        let refusal = match &mut self.transaction {
            None => Some("503 5.5.1 Error: need RCPT command".to_owned()),
            Some(transaction) if transaction.failed => {
                Some(format!("551 5.0.0 Discarded {size} bytes after earlier error"))
            }
            Some(transaction) if transaction.recipients.is_empty() => {
                Some("554 5.5.1 Error: no valid recipients".to_owned())
            }
            Some(transaction) => {
                let data = transaction.chunks.get_or_insert_with(|| Data::new(MAX_MESSAGE));
                let limit = MAX_MESSAGE as u64;
                (size > limit.saturating_sub(data.total()))
                    .then(|| "552 5.3.4 Chunk exceeds message size limit".to_owned())
            }
        };
        self.mode = Mode::Chunk { left: size, size, last, refusal };
        if size == 0 {
            self.chunk_ended(cx);
        }
    }

    fn take_chunk(&mut self, cx: &mut StreamContext<'_>, input: &[u8]) -> usize {
        let Mode::Chunk { left, refusal, .. } = &mut self.mode else { return input.len() };
        let used = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
        *left -= used as u64;
        let done = *left == 0;
        if refusal.is_none()
            && let Some(data) = self.transaction.as_mut().and_then(|t| t.chunks.as_mut())
        {
            data.chunk(input.get(..used).unwrap_or(input));
        }
        if done {
            self.chunk_ended(cx);
        }
        used
    }

    fn chunk_ended(&mut self, cx: &mut StreamContext<'_>) {
        let Mode::Chunk { size, last, refusal, .. } =
            std::mem::replace(&mut self.mode, Mode::Command)
        else {
            return;
        };
        if let Some(refusal) = refusal {
            match &mut self.transaction {
                Some(_) if last => self.transaction = None,
                Some(transaction) => transaction.failed = true,
                None => {}
            }
            return self.fail(cx, refusal);
        }
        if !last {
            return self.say(cx, format!("250 2.0.0 Ok: {size} bytes"));
        }
        if let Some(data) = self.transaction.as_mut().and_then(|t| t.chunks.take()) {
            self.finish(cx, data, Some(size));
        }
    }

    /// The message is whole: keeps it, looks into it, delivers it, and says that it is queued.
    fn finish(&mut self, cx: &mut StreamContext<'_>, data: Data, chunk: Option<u64>) {
        let Some(transaction) = self.transaction.take() else { return };
        let total = data.total();
        let truncated = total > MAX_MESSAGE as u64;
        let bytes = data.into_bytes();
        let found = content::look(&bytes);
        let recipients: Vec<Vec<u8>> =
            transaction.recipients.iter().map(|(text, _)| text.clone()).collect();
        let envelope = Envelope {
            msg_id: &transaction.queue_id,
            mail_from: &transaction.sender,
            rcpt_to: &recipients,
            size: bytes.len() as u64,
            truncated,
        };
        if !truncated {
            self.deliver(&transaction, &bytes, cx.now());
            self.tell(cx, catalogue::message_accepted(&envelope));
        }
        for file in found.files {
            cx.keep(file);
        }
        let sha256 = cx.keep(bytes);
        let fact = catalogue::message_stored(cx.now(), &envelope, sha256, &found.contents);
        self.tell(cx, fact);
        if truncated {
            return self.fail(cx, "552 5.3.4 Error: message file too big");
        }
        self.errors = 0;
        self.junk = 0;
        let id = &transaction.queue_id;
        match chunk {
            Some(size) => self.say(cx, format!("250 2.0.0 Ok: {size} bytes queued as {id}")),
            None => self.say(cx, format!("250 2.0.0 Ok: queued as {id}")),
        }
    }

    fn deliver(&self, transaction: &Transaction, bytes: &[u8], now: Timestamp) {
        let unknown = (b"unknown".to_vec(), true);
        let (helo, extended) = self.helo.as_ref().unwrap_or(&unknown);
        let (helo, ip, fqdn) = (shown(helo), self.peer.ip, &self.fqdn);
        let protocol = match (extended, self.user.is_some()) {
            (true, true) => "ESMTPA",
            (true, false) => "ESMTP",
            (false, _) => "SMTP",
        };
        for (recipient, account) in &transaction.recipients {
            let Some(account) = account else { continue };
            let (id, date) = (&transaction.queue_id, mailbox::date(now));
            let trace = format!(
                "from {helo} (unknown [{ip}])\n\tby {fqdn} (Postfix) with {protocol} id {id}\n\
                 \tfor <{}>; {date}",
                shown(recipient)
            );
            let sender = &transaction.sender;
            mailbox::deliver(&self.host, account, &Letter { sender, recipient, trace, bytes }, now);
        }
    }

    fn vrfy(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        let arguments = match arguments {
            [one, flag] if flag.eq_ignore_ascii_case(b"SMTPUTF8") => &[*one][..],
            all => all,
        };
        let [word] = arguments else {
            if arguments.is_empty() {
                return self.fail(cx, "501 5.5.4 Syntax: VRFY address [SMTPUTF8]");
            }
            return self.fail(cx, "501 5.1.3 Bad recipient address syntax");
        };
        let address = address(word).filter(|address| !address.local.is_empty());
        let verdict = match &address {
            Some(address) => self.recipient(address).map(|_| ()),
            None => Err("501 5.1.3 Bad recipient address syntax".to_owned()),
        };
        match verdict {
            Ok(()) => {
                let text = format!("252 2.0.0 {}", shown(word));
                self.tell(cx, catalogue::vrfy(word, &text));
                self.say(cx, text);
            }
            Err(refusal) => {
                self.tell(cx, catalogue::vrfy(word, &refusal));
                self.fail(cx, refusal);
            }
        }
    }

    fn etrn(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        if self.helo.is_none() {
            return self.fail(cx, "503 Error: send HELO/EHLO first");
        }
        if self.transaction.is_some() {
            return self.fail(cx, "503 Error: MAIL transaction in progress");
        }
        match arguments {
            [domain] => {
                let name = domain.strip_prefix(b"@").or(domain.strip_prefix(b"#"));
                let name = name.unwrap_or(domain);
                let fine = |b: &u8| b.is_ascii_alphanumeric() || b"-.".contains(b);
                if name.is_empty() || !name.iter().all(fine) {
                    return self.fail(cx, "501 Error: invalid parameter syntax");
                }
                self.fail(cx, format!("459 <{}>: service unavailable", shown(domain)));
            }
            _ => self.fail(cx, "500 Syntax: ETRN domain"),
        }
    }
}

impl StreamSession for SmtpSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.deadline = Some(cx.now() + TIMEOUT);
        let banner = self.banner.clone();
        self.send(cx, &banner, false);
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if self.over {
            return;
        }
        self.deadline = Some(cx.now() + TIMEOUT);
        let room = if self.delayed.is_some() {
            MAX_HELD.saturating_sub(self.input.len())
        } else {
            bytes.len()
        };
        self.input.extend(bytes.iter().take(room));
        self.work(cx);
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if self.over {
            return;
        }
        if self.delayed.as_ref().is_some_and(|delayed| delayed.due <= cx.now())
            && let Some(delayed) = self.delayed.take()
        {
            self.deadline = Some(cx.now() + TIMEOUT);
            self.send(cx, &delayed.text, delayed.closes);
            self.work(cx);
        } else if self.delayed.is_none() && self.deadline.is_some_and(|at| at <= cx.now()) {
            let text = format!("421 4.4.2 {} Error: timeout exceeded", self.fqdn);
            self.send(cx, &text, true);
        }
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        if !self.over && matches!(self.mode, Mode::Data(_) | Mode::Chunk { .. }) {
            let sample = self.transaction.as_ref().map_or(&b""[..], |t| t.sender.as_slice());
            cx.emit(catalogue::protocol_error("connection closed within a message", sample));
        }
        self.over = true;
        self.deadline = None;
        self.delayed = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.delayed {
            Some(delayed) => Some(delayed.due),
            None => self.deadline,
        }
    }

    fn reads(&self) -> bool {
        self.delayed.is_none()
    }
}

fn mail_parameter(parameter: &[u8], utf8: &mut bool) -> Result<(), String> {
    let upper = parameter.to_ascii_uppercase();
    let (name, value) = match upper.iter().position(|&byte| byte == b'=') {
        Some(at) => upper.split_at(at),
        None => (upper.as_slice(), &b""[..]),
    };
    let value = value.get(1..).unwrap_or_default();
    match name {
        b"BODY" if value == b"8BITMIME" || value == b"7BIT" => Ok(()),
        b"SIZE" => {
            let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
            if !digits {
                return Err("501 5.5.4 Bad message size syntax".to_owned());
            }
            let size = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
            match size {
                Some(size) if size <= MAX_MESSAGE as u64 => Ok(()),
                _ => Err("552 5.3.4 Message size exceeds fixed limit".to_owned()),
            }
        }
        b"AUTH" => Ok(()),
        b"RET" if value == b"FULL" || value == b"HDRS" => Ok(()),
        b"RET" => Err("501 5.5.4 Bad RET parameter syntax".to_owned()),
        b"ENVID" if !value.is_empty() => Ok(()),
        b"ENVID" => Err("501 5.5.4 Bad ENVID parameter syntax".to_owned()),
        b"SMTPUTF8" if value.is_empty() => {
            *utf8 = true;
            Ok(())
        }
        _ => Err(format!("555 5.5.4 Unsupported option: {}", shown(parameter))),
    }
}

fn rcpt_parameter(parameter: &[u8]) -> Result<(), String> {
    let upper = parameter.to_ascii_uppercase();
    if let Some(value) = upper.strip_prefix(b"NOTIFY=") {
        let mut words = value.split(|&byte| byte == b',');
        let known = |word: &[u8]| matches!(word, b"SUCCESS" | b"FAILURE" | b"DELAY");
        return if value == b"NEVER" || words.all(known) {
            Ok(())
        } else {
            Err("501 5.5.4 Error: Bad NOTIFY parameter syntax".to_owned())
        };
    }
    if let Some(value) = upper.strip_prefix(b"ORCPT=") {
        return if value.contains(&b';') {
            Ok(())
        } else {
            Err("501 5.5.4 Error: Bad ORCPT parameter syntax".to_owned())
        };
    }
    Err(format!("555 5.5.4 Unsupported option: {}", shown(parameter)))
}

/// `bytes` as Postfix prints what it does not trust.
fn shown(bytes: &[u8]) -> String {
    let printable = |c: char| if c.is_control() { '?' } else { c };
    String::from_utf8_lossy(bytes).chars().map(printable).collect()
}
