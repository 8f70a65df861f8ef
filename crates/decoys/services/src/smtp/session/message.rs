//! The message itself: taken, looked into, delivered.

use std::time::Duration;

use base_model::catalogue::Envelope;
use base_model::{Timestamp, catalogue};
use decoys_kit::StreamContext;

use super::{MAX_MESSAGE, Mode, SmtpSession, Transaction, shown};
use crate::smtp::data::Data;
use crate::smtp::mailbox::Letter;
use crate::smtp::{content, mailbox};

impl SmtpSession {
    /// Postfix's short queue id: the microsecond, and the number of the queue file. A file system
    /// gives out a freed number again, so it hardly moves.
    pub(super) fn queue_id(&self, now: Timestamp) -> String {
        let micros = now.micros().rem_euclid(1_000_000);
        let base = self.host.choices().range("smtp.queue.inode", 0x2_0000, 0x1f_0000);
        let moved = u64::try_from(now.seconds().rem_euclid(3)).unwrap_or(0);
        format!("{micros:05X}{:X}", base + moved)
    }

    pub(super) fn data(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
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

    pub(super) fn data_ended(&mut self, cx: &mut StreamContext<'_>) {
        if let Mode::Data(data) = std::mem::replace(&mut self.mode, Mode::Command) {
            self.finish(cx, data, None);
        }
    }

    pub(super) fn bdat(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
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

    pub(super) fn take_chunk(&mut self, cx: &mut StreamContext<'_>, input: &[u8]) -> usize {
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

    pub(super) fn chunk_ended(&mut self, cx: &mut StreamContext<'_>) {
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
    pub(super) fn finish(&mut self, cx: &mut StreamContext<'_>, data: Data, chunk: Option<u64>) {
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

    pub(super) fn deliver(&self, transaction: &Transaction, bytes: &[u8], now: Timestamp) {
        let unknown = (b"unknown".to_vec(), true);
        let (helo, extended) = self.helo.as_ref().unwrap_or(&unknown);
        let (helo, ip, fqdn) = (shown(helo), self.peer.ip, &self.fqdn);
        let protocol = match (extended, self.encrypted, self.user.is_some()) {
            (true, true, true) => "ESMTPSA",
            (true, true, false) => "ESMTPS",
            (true, false, true) => "ESMTPA",
            (true, false, false) => "ESMTP",
            (false, ..) => "SMTP",
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
}
