//! Who sends, and to whom.

use base_model::{Kind, Timestamp, catalogue};
use decoys_kit::StreamContext;

use super::{MAX_MESSAGE, SmtpSession, Transaction, shown};
use crate::smtp::command::{Address, address};
use crate::smtp::policy::Verdict;

/// `smtpd_recipient_limit`.
const MAX_RECIPIENTS: usize = 1000;

impl SmtpSession {
    pub(super) fn mail(&mut self, cx: &mut StreamContext<'_>, line: &[u8], arguments: &[&[u8]]) {
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

    pub(super) fn rcpt(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
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

    pub(super) fn deny(
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
    pub(super) fn recipient(
        &self,
        address: &Address,
    ) -> Result<Option<decoys_host::Account>, String> {
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

    pub(super) fn add_recipient(
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
