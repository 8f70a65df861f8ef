//! What the text of a message shows.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::{Digest as _, Md5};

/// Links told of.
const MAX_URLS: usize = 64;
/// Longest link.
const MAX_URL: usize = 2048;
/// Shortest run of base64 that counts.
const MIN_RUN: usize = 32;

/// Links in order, each once.
pub(super) fn urls(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    while out.len() < MAX_URLS {
        let Some(rest) = lower.get(from..) else { break };
        let Some(at) = rest.find("http") else { break };
        let start = from + at;
        from = start + 4;
        let tail = lower.get(start..).unwrap_or_default();
        if !tail.starts_with("http://") && !tail.starts_with("https://") {
            continue;
        }
        let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"'`{}|\\^".contains(c);
        let whole = text.get(start..).unwrap_or_default();
        let length = whole.find(ends).unwrap_or(whole.len());
        let url = whole.get(..length).unwrap_or_default();
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?']);
        from = start + url.len().max(4);
        let bare = url.len() <= "https://".len();
        if !bare && url.len() <= MAX_URL && !out.iter().any(|known| known == url) {
            out.push(url.to_owned());
        }
    }
    out
}

/// Charikar's similarity hash over lower-case words, weighted by how often each comes.
pub(super) fn simhash(text: &str) -> String {
    let mut words: BTreeMap<String, i64> = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    if words.is_empty() {
        return String::new();
    }
    let mut sums = [0_i64; 64];
    for (word, weight) in words {
        let digest = Md5::digest(word.as_bytes());
        let bits = digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum += if bits >> (63 - at) & 1 == 1 { weight } else { -weight };
        }
    }
    let hash = sums.iter().fold(0_u64, |hash, sum| hash << 1 | u64::from(*sum > 0));
    format!("{hash:016x}")
}

/// Bytes that the largest decodable run of base64 holds.
pub(super) fn largest_base64(text: &str) -> u64 {
    let mut largest = 0;
    let mut run = Vec::new();
    let mut close = |run: &mut Vec<u8>| {
        let fits = run.len() / 4 * 4;
        let decodes = |length: usize| {
            run.get(..length).and_then(|run| STANDARD_NO_PAD.decode(run).ok()).map(|d| d.len())
        };
        if run.len() >= MIN_RUN
            && let Some(length) = decodes(run.len()).or_else(|| decodes(fits))
        {
            largest = largest.max(length as u64);
        }
        run.clear();
    };
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => run.push(byte),
            // Encoders break lines within a run.
            b'\r' | b'\n' if run.len() >= MIN_RUN => {}
            _ => close(&mut run),
        }
    }
    close(&mut run);
    largest
}

/// Whether a script in `html` builds a file for download.
pub(super) fn smuggles(html: &str) -> bool {
    let lower = html.to_ascii_lowercase();
    let anchor = lower
        .split("<a")
        .skip(1)
        .any(|rest| rest.split('>').next().is_some_and(|tag| tag.contains("download")))
        || lower.contains(".download");
    let builds = ["blob", "uint8array", "createobjecturl"].iter().any(|word| lower.contains(word));
    anchor && lower.contains("<script") && builds
}

/// The password that `text` gives for an archive.
pub(super) fn password(text: &str) -> Option<String> {
    const WORDS: &[&str] = &["password", "passwort", "passcode", "mot de passe", "contraseña"];
    let lower = text.to_lowercase();
    // Lower case may change lengths; then the text itself is searched.
    let lower = if lower.len() == text.len() { lower.as_str() } else { text };
    WORDS.iter().find_map(|word| {
        let at = lower.find(word)? + word.len();
        let rest = text.get(at..)?.trim_start();
        let value = rest.strip_prefix([':', '=']).or_else(|| rest.strip_prefix("is "))?;
        let value = value.split_whitespace().next()?;
        let value = value.trim_matches(['"', '\'', ',', ';', '.', '(', ')']);
        (!value.is_empty() && value.len() <= 64).then(|| value.to_owned())
    })
}
