//! Mail that came over SMTP (`spec/services.md` §12, `spec/ingest.md` §9).

use serde_json::{Value, json};

use super::{Fact, Kind};
use crate::{Fields, Sha256Digest, Timestamp};

/// A client greeted.
pub const EHLO: Kind = Kind::info("ehlo");
/// A sender was named.
pub const MAIL_FROM: Kind = Kind::info("mail_from");
/// A recipient was accepted.
pub const RCPT_TO: Kind = Kind::info("rcpt_to");
/// A recipient was refused by policy.
pub const RCPT_DENIED: Kind = Kind::warning("rcpt_denied");
/// A recipient was refused because it is no address.
pub const RCPT_REJECTED_SYNTAX: Kind = Kind::warning("rcpt_rejected_syntax");
/// An address was asked about.
pub const VRFY: Kind = Kind::info("vrfy");
/// A command that there is none of.
pub const UNKNOWN_COMMAND: Kind = Kind::info("unknown_command");
/// A message was accepted.
pub const MESSAGE_ACCEPTED: Kind = Kind::warning("message_accepted");
/// An accepted message was kept and looked into.
pub const MESSAGE_STORED: Kind = Kind::warning("message_stored");

/// Longest sample of an unknown command.
const MAX_COMMAND: usize = 128;

/// The client called itself `name` by `verb` (`EHLO`, `HELO`).
#[must_use]
pub fn ehlo(verb: &str, name: &[u8]) -> Fact {
    Fact::new(&EHLO, Fields::new().bytes("domain", name).with("verb", verb))
}

/// The sender `address`; `parameters` as sent.
#[must_use]
pub fn mail_from(address: &[u8], parameters: &[u8]) -> Fact {
    let domain = address.iter().rposition(|&b| b == b'@').and_then(|at| address.get(at + 1..));
    let mut fields = Fields::new()
        .bytes("value", address)
        .bytes("mail_from", address)
        .bytes("domain", domain.unwrap_or_default());
    if !parameters.is_empty() {
        fields = fields.bytes("parameters", parameters);
    }
    Fact::new(&MAIL_FROM, fields)
}

/// The recipient `address` was answered with `reply`, which tells what became of it; `kind` is one of
/// [`RCPT_TO`], [`RCPT_DENIED`] and [`RCPT_REJECTED_SYNTAX`].
#[must_use]
pub fn rcpt(kind: &'static Kind, address: &[u8], reply: &str) -> Fact {
    Fact::new(kind, Fields::new().bytes("value", address).with("reply", reply))
}

/// The client asked about `address` and was answered `reply`.
#[must_use]
pub fn vrfy(address: &[u8], reply: &str) -> Fact {
    Fact::new(&VRFY, Fields::new().bytes("value", address).with("reply", reply))
}

/// The client sent `line`, which is no command here.
#[must_use]
pub fn unknown_command(line: &[u8]) -> Fact {
    let line = line.get(..MAX_COMMAND).unwrap_or(line);
    Fact::new(&UNKNOWN_COMMAND, Fields::new().bytes("command", line))
}

/// The envelope of an accepted message.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// Queue id, as the client was told.
    pub msg_id: &'a str,
    /// Sender.
    pub mail_from: &'a [u8],
    /// Recipients in order.
    pub rcpt_to: &'a [Vec<u8>],
    /// Bytes of the message as received.
    pub size: u64,
    /// Whether more came than was kept.
    pub truncated: bool,
}

impl Envelope<'_> {
    fn recipients(&self) -> Vec<u8> {
        self.rcpt_to.join(&b","[..])
    }
}

/// A message was accepted for `envelope`.
#[must_use]
pub fn message_accepted(envelope: &Envelope<'_>) -> Fact {
    let fields = Fields::new()
        .bytes("mail_from", envelope.mail_from)
        .bytes("rcpt_to", &envelope.recipients())
        .with("rcpt_count", envelope.rcpt_to.len())
        .with("body_bytes", envelope.size)
        .with("truncated", u8::from(envelope.truncated))
        .with("msg_id", envelope.msg_id);
    Fact::new(&MESSAGE_ACCEPTED, fields)
}

/// A file within a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// File name, decoded; empty when it has none.
    pub filename: String,
    /// Media type.
    pub content_type: String,
    /// Bytes, decoded.
    pub size: u64,
    /// Digest of the decoded bytes; names the blob.
    pub sha256: Sha256Digest,
    /// Holds macros.
    pub macro_indicator: bool,
    /// Locked by a password.
    pub encrypted: bool,
}

/// What is in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Headers in order, decoded.
    pub headers: Vec<(String, String)>,
    /// Decoded `Subject`.
    pub subject: String,
    /// Decoded `From`.
    pub from: String,
    /// Decoded `To`.
    pub to: String,
    /// `Date` as sent.
    pub date: String,
    /// `Message-ID` as sent.
    pub message_id: String,
    /// Media type of the whole.
    pub content_type: String,
    /// `Return-Path` as sent.
    pub return_path: String,
    /// `X-Mailer`, else `User-Agent`.
    pub x_mailer: String,
    /// An `Authentication-Results` claims `dkim=pass`.
    pub dkim_signed: bool,
    /// There is a `DKIM-Signature`.
    pub dkim_present: bool,
    /// An `Authentication-Results` claims `spf=pass`.
    pub spf_pass: bool,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Links in text parts.
    pub urls: Vec<String>,
    /// 64-bit similarity hash of the words in 16 hex digits; empty without words.
    pub body_simhash: String,
    /// Bytes of the largest decodable run of base64 in text parts.
    pub body_base64_bytes: u64,
    /// A script builds a file for download.
    pub html_smuggling: bool,
    /// A password for an attachment that the text gives away.
    pub archive_password: Option<String>,
    /// Digest of everything after the header.
    pub body_sha256: Option<Sha256Digest>,
}

/// The message of `envelope` was kept as blob `sha256` and its attachments as theirs.
#[must_use]
pub fn message_stored(
    at: Timestamp,
    envelope: &Envelope<'_>,
    sha256: Sha256Digest,
    contents: &Contents,
) -> Fact {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let attachment = |file: &Attachment| {
        json!({
            "filename": file.filename,
            "content_type": file.content_type,
            "size": file.size,
            "sha256": file.sha256.to_string(),
            "macro_indicator": file.macro_indicator,
            "encrypted": file.encrypted,
        })
    };
    let attachments: Vec<Value> = contents.attachments.iter().map(attachment).collect();
    let header = |(name, value): &(String, String)| json!([name, value]);
    let headers: Vec<Value> = contents.headers.iter().map(header).collect();
    let fields = Fields::new()
        .with("msg_id", envelope.msg_id)
        .with("stored_as", stored_as(at, sha256, envelope.msg_id))
        .with("sha256", sha256.to_string())
        .with("size", envelope.size)
        .with("truncated", u8::from(envelope.truncated))
        .bytes("mail_from", envelope.mail_from)
        .bytes("rcpt_to", &envelope.recipients())
        .with("subject", cut(&contents.subject, 512))
        .with("from_hdr", cut(&contents.from, 256))
        .with("to_hdr", cut(&contents.to, 512))
        .with("date_hdr", cut(&contents.date, 64))
        .with("message_id_hdr", cut(&contents.message_id, 256))
        .with("content_type", cut(&contents.content_type, 128))
        .with("return_path", cut(&contents.return_path, 256))
        .with("x_mailer", cut(&contents.x_mailer, 256))
        .with("dkim_signed", u8::from(contents.dkim_signed))
        .with("dkim_present", u8::from(contents.dkim_present))
        .with("spf_pass", u8::from(contents.spf_pass))
        .with("attachment_count", attachments.len())
        .with("attachments_json", Value::Array(attachments))
        .with("urls_json", contents.urls.clone())
        .with("body_simhash", contents.body_simhash.as_str())
        .with("body_base64_bytes", contents.body_base64_bytes)
        .with("html_smuggling", u8::from(contents.html_smuggling))
        .with_some("archive_password", contents.archive_password.clone())
        .with_some("body_sha256", contents.body_sha256.map(|digest| digest.to_string()))
        .with("headers_ordered", Value::Array(headers));
    let mut fact = Fact::new(&MESSAGE_STORED, fields).naming(sha256);
    for file in &contents.attachments {
        if !fact.blobs().contains(&file.sha256) {
            fact = fact.naming(file.sha256);
        }
    }
    fact
}

/// `<UTC second>_<first 12 of sha256>_<queue id>.eml` (`spec/services.md` §12).
fn stored_as(at: Timestamp, sha256: Sha256Digest, msg_id: &str) -> String {
    let safe = |c: &char| c.is_ascii_alphanumeric();
    let id: String = msg_id.chars().filter(safe).take(32).collect();
    let digest = sha256.to_string();
    format!("{}_{}_{id}.eml", at.rfc3339(0), digest.get(..12).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_message_names_its_blobs_once_each() {
        let digest = Sha256Digest::of(b"mail");
        let file = Attachment {
            filename: "a.doc".into(),
            content_type: "application/msword".into(),
            size: 1,
            sha256: Sha256Digest::of(b"x"),
            macro_indicator: true,
            encrypted: false,
        };
        let contents = Contents { attachments: vec![file.clone(), file], ..Contents::default() };
        let envelope = Envelope {
            msg_id: "4BC/../30",
            mail_from: b"a@b.c",
            rcpt_to: &[b"x@y.z".to_vec(), b"q@y.z".to_vec()],
            size: 4,
            truncated: false,
        };
        let fact = message_stored(Timestamp::from_micros(0), &envelope, digest, &contents);
        assert_eq!(fact.blobs(), [digest, Sha256Digest::of(b"x")]);
        let name = fact.fields().text("stored_as").unwrap();
        assert!(
            name.starts_with("1970-01-01T00:00:00Z_") && name.ends_with("_4BC30.eml"),
            "{name}"
        );
        assert_eq!(fact.fields().text("rcpt_to"), Some("x@y.z,q@y.z"));
    }
}
