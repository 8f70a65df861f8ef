//! What the bus is told of a mail that came in (`spec/bus.md` §6): domains, numbers and digests, and
//! neither addresses nor names nor text.

use std::collections::BTreeSet;

use base_model::Event;
use serde_json::{Map, Value, json};
use store_db::LogRow;

/// Most recipients and files that are looked at.
const MAX_ITEMS: usize = 1000;

/// A mail that came in.
#[derive(Debug)]
pub(crate) struct Received(Map<String, Value>);

/// What `event` says of a mail, when it is about one.
pub(crate) fn received(event: &Event) -> Option<Received> {
    if event.kind != "message_stored" {
        return None;
    }
    let fields = &event.fields;
    let stored_as = fields.text("stored_as")?;
    let text = |key: &str| fields.text(key).unwrap_or_default();
    let flag = |key: &str| fields.get(key).is_some_and(truth);
    let msg_id = text("msg_id");
    let recipients: Vec<&str> = text("rcpt_to")
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|recipient| !recipient.is_empty())
        .take(MAX_ITEMS)
        .collect();
    let files: Vec<&Value> = match fields.get("attachments_json") {
        Some(Value::Array(files)) => files.iter().take(MAX_ITEMS).collect(),
        _ => Vec::new(),
    };
    let of_files = |key: &'static str| files.iter().filter_map(move |file| file.get(key)?.as_str());
    let hashes = unique(of_files("sha256").map(str::to_ascii_lowercase));
    let any = |key: &str| files.iter().any(|file| file.get(key).is_some_and(truth));
    let payload = json!({
        "source_id": if msg_id.is_empty() { stored_as } else { msg_id },
        "decky_id": event.decky.to_string(),
        "service": event.service,
        "subject": text("subject"),
        "from_domain": domain(text("from_hdr")),
        "mail_from_domain": domain(text("mail_from")),
        "return_path_domain": domain(text("return_path")),
        "rcpt_count": recipients.len(),
        "rcpt_domains": unique(recipients.iter().filter_map(|recipient| domain(recipient))),
        "x_mailer": fields.text("x_mailer").filter(|mailer| !mailer.is_empty()),
        "dkim_signed": flag("dkim_signed"),
        "spf_pass": flag("spf_pass"),
        "urls": fields.get("urls_json").cloned().unwrap_or_else(|| json!([])),
        "attachment_count": files.len(),
        "attachment_sha256s": hashes,
        "attachment_extensions": unique(of_files("filename").filter_map(extension)),
        "body_simhash": text("body_simhash"),
        "body_base64_bytes": fields.get("body_base64_bytes").and_then(Value::as_u64).unwrap_or(0),
        "attachment_macros": any("macro_indicator"),
        "attachment_password_protected": any("encrypted"),
        "html_smuggling": flag("html_smuggling"),
        "stored_as": stored_as,
        "body_sha256": text("body_sha256"),
    });
    let Value::Object(payload) = payload else { return None };
    // What is not there is left out rather than null.
    Some(Received(payload.into_iter().filter(|(_, value)| !value.is_null()).collect()))
}

impl Received {
    /// The payload, once it is known who sent it.
    pub(crate) fn sent_by(self, uuid: &str, row: &LogRow) -> Value {
        let mut payload = self.0;
        payload.insert("attacker_uuid".into(), uuid.into());
        payload.insert("attacker_ip".into(), row.attacker_ip.clone().into());
        Value::Object(payload)
    }
}

/// In lower case what follows the last `@`, as far as it can be a domain.
fn domain(address: &str) -> Option<String> {
    let (_, after) = address.rsplit_once('@')?;
    let ends = |c: char| !(c.is_alphanumeric() || c == '.' || c == '-');
    let domain = after.split(ends).next().unwrap_or_default();
    (!domain.is_empty()).then(|| domain.to_lowercase())
}

/// `.ext` in lower case.
fn extension(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let fits = !stem.is_empty()
        && (1..=16).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| format!(".{}", extension.to_ascii_lowercase()))
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => matches!(text.to_ascii_lowercase().as_str(), "1" | "true" | "yes"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Each once, in the order first seen.
fn unique(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_endings_are_all_that_is_left_of_names() {
        assert_eq!(domain("\"x@y\" <Boss@Corp.Example>"), Some("corp.example".to_owned()));
        assert_eq!((domain("root"), domain("a@")), (None, None));
        assert_eq!(extension("Invoice.PDF.exe"), Some(".exe".to_owned()));
        assert_eq!((extension(".bashrc"), extension("x.")), (None, None));
    }
}
