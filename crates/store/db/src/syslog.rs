//! The RFC 5424 rendering of an event (`spec/ingest.md` §1), and its parser.
//!
//! A rendering at the edge: length limits apply here and nowhere else. One event is always one line,
//! whatever bytes an attacker put into it.

use base_model::Timestamp;
use base_model::catalogue::{self, Severity};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Facility local0.
const FACILITY: u8 = 16;
/// Our structured data element.
const ELEMENT: &str = "relay@55555";
/// Longest value, in bytes before escaping.
const MAX_VALUE: usize = 8 * 1024;

/// One line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// RFC 5424 severity, 0 to 7.
    pub severity: u8,
    /// When.
    pub at: Timestamp,
    /// The decky's name.
    pub hostname: String,
    /// The service.
    pub app: String,
    /// The kind of event.
    pub msgid: String,
    /// Parameters of our element, in order.
    pub params: Vec<(String, String)>,
    /// Free text after the structured data.
    pub msg: Option<String>,
}

/// The number of a severity.
#[must_use]
pub fn severity_of(kind: &str) -> u8 {
    match catalogue::find(kind).map(|kind| kind.severity) {
        Some(Severity::Warning) => 4,
        Some(Severity::Info) | None => 6,
    }
}

/// A JSON value as a parameter value: text as it is, the rest as compact JSON.
#[must_use]
pub fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Line {
    /// The line, without line end.
    #[must_use]
    pub fn render(&self) -> String {
        let priority = u32::from(FACILITY) * 8 + u32::from(self.severity.min(7));
        let host = header(&self.hostname, 255);
        let (app, msgid) = (header(&self.app, 48), header(&self.msgid, 32));
        let mut line = format!("<{priority}>1 {} {host} {app} - {msgid} ", self.at.rfc3339(6));
        if self.params.is_empty() {
            line.push('-');
        } else {
            line.push('[');
            line.push_str(ELEMENT);
            let mut cut = Vec::new();
            for (name, value) in &self.params {
                let kept = prefix(value, MAX_VALUE);
                if kept.len() < value.len() {
                    cut.push(name.as_str());
                }
                param(&mut line, name, kept);
            }
            if !cut.is_empty() {
                param(&mut line, "_cut", prefix(&cut.join(","), MAX_VALUE));
            }
            line.push(']');
        }
        if let Some(msg) = &self.msg {
            line.push(' ');
            escape(&mut line, msg, false);
        }
        line
    }

    /// Reads a line of ours, or one like it. `None` when it is not RFC 5424.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix('<')?;
        let (priority, rest) = rest.split_once('>')?;
        let priority: u16 = priority.parse().ok().filter(|&p| p <= 191)?;
        let rest = rest.strip_prefix("1 ")?;
        let mut header = rest.splitn(6, ' ');
        let at = OffsetDateTime::parse(header.next()?, &Rfc3339).ok()?;
        let (hostname, app) = (header.next()?, header.next()?);
        let _process = header.next()?;
        let (msgid, rest) = (header.next()?, header.next()?);
        let (params, rest) = structured_data(rest)?;
        let msg = match rest.strip_prefix(' ') {
            Some(msg) => Some(unescape(msg.strip_prefix('\u{feff}').unwrap_or(msg), false)),
            None if rest.is_empty() => None,
            None => return None,
        };
        Some(Self {
            severity: u8::try_from(priority % 8).unwrap_or(6),
            at: Timestamp::from_utc(at),
            hostname: hostname.to_owned(),
            app: app.to_owned(),
            msgid: msgid.to_owned(),
            params,
            msg,
        })
    }
}

/// A header part: printable ASCII without blanks, `-` when empty.
fn header(text: &str, limit: usize) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    let printable = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    text.chars().take(limit).map(printable).collect()
}

fn param(line: &mut String, name: &str, value: &str) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    line.push(' ');
    if name.is_empty() {
        line.push('_');
    }
    line.extend(name.chars().take(32).map(|c| if allowed(c) { c } else { '_' }));
    line.push_str("=\"");
    escape(line, value, true);
    line.push('"');
}

fn escape(line: &mut String, text: &str, quoted: bool) {
    for c in text.chars() {
        match c {
            '\\' => line.push_str("\\\\"),
            '"' | ']' if quoted => {
                line.push('\\');
                line.push(c);
            }
            '\0'..='\x1f' | '\x7f' => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
}

/// Undoes [`escape`] in one pass from left to right; a backslash before anything else stands for
/// itself (RFC 5424 §6.3.3).
fn unescape(text: &str, quoted: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        out.push_str(before);
        let after = escaped.get(1..).unwrap_or_default();
        match after.chars().next() {
            Some(c @ ('"' | ']')) if quoted => {
                out.push(c);
                rest = after.get(1..).unwrap_or_default();
            }
            Some('\\') => {
                out.push('\\');
                rest = after.get(1..).unwrap_or_default();
            }
            Some('u') => match control(after) {
                Some(c) => {
                    out.push(c);
                    rest = after.get(5..).unwrap_or_default();
                }
                None => {
                    out.push('\\');
                    rest = after;
                }
            },
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The control character that `u00XX` at the start of `text` stands for.
fn control(text: &str) -> Option<char> {
    let digits = text.strip_prefix("u00")?.get(..2)?;
    let number = u8::from_str_radix(digits, 16).ok()?;
    let c = char::from(number);
    (digits.bytes().all(|b| b.is_ascii_hexdigit()) && c.is_ascii_control()).then_some(c)
}

/// A structured data part: parameters of our element, in order.
type Params = Vec<(String, String)>;

fn structured_data(text: &str) -> Option<(Params, &str)> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some((Vec::new(), rest));
    }
    let mut params = Vec::new();
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('[') {
        let end = inside.find([' ', ']'])?;
        let (id, mut inside) = inside.split_at(end);
        while let Some(after) = inside.strip_prefix(' ') {
            let (name, after) = after.split_once("=\"")?;
            let close = closing_quote(after)?;
            let (value, after) = after.split_at(close);
            if id == ELEMENT {
                params.push((name.to_owned(), unescape(value, true)));
            }
            inside = after.get(1..)?;
        }
        rest = inside.strip_prefix(']')?;
    }
    (rest.len() < text.len()).then_some((params, rest))
}

/// Where the first quote is that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => byte == b'"',
    })
}

/// The longest prefix of at most `limit` bytes that ends at a character.
fn prefix(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(params: Vec<(String, String)>, msg: Option<String>) -> Line {
        Line {
            severity: 4,
            at: Timestamp::from_micros(1_767_225_600_123_456),
            hostname: "decky-01".into(),
            app: "ssh".into(),
            msgid: "command".into(),
            params,
            msg,
        }
    }

    #[test]
    fn renders_as_documented() {
        let params = vec![("command".to_owned(), "echo \"a]\\\" > x\n".to_owned())];
        assert_eq!(
            line(params, None).render(),
            r#"<132>1 2026-01-01T00:00:00.123456Z decky-01 ssh - command [relay@55555 command="echo \"a\]\\\" > x\u000a"]"#
        );
    }

    #[test]
    fn long_values_are_cut_and_named() {
        let rendered = line(vec![("body".into(), "é".repeat(8000))], None).render();
        let parsed = Line::parse(&rendered).unwrap();
        assert_eq!(parsed.params[0].1, "é".repeat(4096));
        assert_eq!(parsed.params[1], ("_cut".into(), "body".into()));
    }

    #[test]
    fn other_elements_and_emitters_are_tolerated() {
        let text = r#"<13>1 2026-01-01T01:00:00+01:00 h a 77 m [timeQuality tzKnown="1"][relay@55555 k="v\]w" x.y-z="\q"] hello"#;
        let parsed = Line::parse(text).unwrap();
        assert_eq!(parsed.at.to_string(), "2026-01-01T00:00:00.000000Z");
        assert_eq!(parsed.params, [("k".into(), "v]w".into()), ("x.y-z".into(), "\\q".to_owned())]);
        assert_eq!(parsed.msg.as_deref(), Some("hello"));
        assert_eq!(Line::parse("hello"), None);
        assert_eq!(Line::parse("<13>1 2026-01-01T01:00:00Z h a - m [x"), None);
    }

    #[test]
    fn a_hostile_header_stays_one_field() {
        let hostile = Line { hostname: "a b\n".into(), msgid: String::new(), ..line(vec![], None) };
        let parsed = Line::parse(&hostile.render()).unwrap();
        assert_eq!((parsed.hostname.as_str(), parsed.msgid.as_str()), ("a_b_", "-"));
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_read_back(
            params in proptest::collection::vec(("[a-zA-Z0-9_.-]{1,32}", any::<String>()), 0..5),
            msg in proptest::option::of(any::<String>()),
        ) {
            let line = line(params, msg.map(|msg| msg.trim_start_matches('\u{feff}').to_owned()));
            let rendered = line.render();
            prop_assert!(!rendered.contains('\n'));
            prop_assert_eq!(Line::parse(&rendered), Some(line));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in any::<String>()) {
            let _ = Line::parse(&text);
            let _ = Line::parse(&format!("<13>1 2026-01-01T01:00:00Z h a - m {text}"));
        }
    }
}
