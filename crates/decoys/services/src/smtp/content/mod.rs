//! What is in a message: headers, files, links (`spec/services.md` §12).
//!
//! Total and bounded whatever the bytes are: `parts` walks the tree with a limit on its depth and on
//! the number of parts, header and transfer decoding is the mail parser's, each for one part at a
//! time, so that nesting is never its business.

mod file;
mod parts;
mod text;

use base_model::Sha256Digest;
use base_model::catalogue::{Attachment, Contents};

use self::parts::Part;

/// Headers told of, and the longest value of one.
const MAX_HEADERS: usize = 100;
const MAX_VALUE: usize = 1024;
/// Files told of.
const MAX_FILES: usize = 64;
/// Text looked into.
const MAX_TEXT: usize = 1024 * 1024;

/// What was found in a message.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) contents: Contents,
    /// The decoded files, in the order of `contents.attachments`.
    pub(super) files: Vec<Vec<u8>>,
}

/// Looks into `message`.
pub(super) fn look(message: &[u8]) -> Found {
    let mut found = Found::default();
    let (headers, body) = parts::split(message);
    found.contents.body_sha256 = Some(Sha256Digest::of(body));
    headers_of(&mut found.contents, headers);
    let mut texts = String::new();
    let mut html = String::new();
    parts::walk(message, &mut |part| {
        if found.contents.content_type.is_empty() {
            found.contents.content_type.clone_from(&part.content_type);
        }
        if part.is_file() {
            add_file(&mut found, part);
        } else if let Some(text) = &part.text {
            let target = if part.content_type == "text/html" { &mut html } else { &mut texts };
            let room = MAX_TEXT.saturating_sub(target.len());
            target.extend(text.chars().take(room));
            target.push('\n');
        }
    });
    let contents = &mut found.contents;
    contents.html_smuggling = text::smuggles(&html);
    contents.archive_password = text::password(&texts);
    texts.push_str(&html);
    contents.urls = text::urls(&texts);
    contents.body_simhash = text::simhash(&texts);
    contents.body_base64_bytes = text::largest_base64(&texts);
    found
}

fn add_file(found: &mut Found, part: Part) {
    if found.files.len() >= MAX_FILES {
        return;
    }
    let encrypted = file::is_encrypted(&part.bytes);
    found.contents.attachments.push(Attachment {
        filename: part.filename.unwrap_or_default().chars().take(255).collect(),
        content_type: part.content_type.chars().take(128).collect(),
        size: part.bytes.len() as u64,
        sha256: Sha256Digest::of(&part.bytes),
        macro_indicator: file::has_macros(&part.bytes),
        encrypted,
    });
    found.files.push(part.bytes);
}

fn headers_of(contents: &mut Contents, headers: &[u8]) {
    for (name, value) in parts::headers(headers).into_iter().take(MAX_HEADERS) {
        let lower = name.to_ascii_lowercase();
        let value: String = value.chars().take(MAX_VALUE).collect();
        let claims = |what: &str| value.to_ascii_lowercase().contains(what);
        let first = |slot: &mut String| {
            if slot.is_empty() {
                slot.clone_from(&value);
            }
        };
        match lower.as_str() {
            "subject" => first(&mut contents.subject),
            "from" => first(&mut contents.from),
            "to" => first(&mut contents.to),
            "date" => first(&mut contents.date),
            "message-id" => first(&mut contents.message_id),
            "return-path" => first(&mut contents.return_path),
            "x-mailer" => contents.x_mailer.clone_from(&value),
            "user-agent" => first(&mut contents.x_mailer),
            "dkim-signature" => contents.dkim_present = true,
            "authentication-results" => {
                contents.dkim_signed |= claims("dkim=pass");
                contents.spf_pass |= claims("spf=pass");
            }
            _ => {}
        }
        contents.headers.push((name, value));
    }
}

#[cfg(test)]
mod tests;
