//! Bytes as text without loss.
//!
//! The grammar works on `str`, attackers send bytes. Bytes that are not UTF-8 become characters of
//! the last private-use plane (`U+10FF00` + byte); real characters of that range are spelled byte
//! by byte too, so that [`decode`] is an exact inverse.

const ESCAPED: u32 = 0x0010_FF00;
/// Stands for a `[` that the grammar must not take for an array subscript.
pub(crate) const LITERAL_BRACKET: char = '\u{10FE5B}';

/// Text that [`decode`] turns back into exactly `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if u32::from(character) >= ESCAPED - 0x100 {
                let mut buffer = [0; 4];
                escape(character.encode_utf8(&mut buffer).as_bytes(), &mut out);
            } else {
                out.push(character);
            }
        }
        escape(chunk.invalid(), &mut out);
    }
    out
}

fn escape(bytes: &[u8], out: &mut String) {
    out.extend(bytes.iter().filter_map(|&byte| char::from_u32(ESCAPED + u32::from(byte))));
}

/// The bytes that [`encode`] made `text` from.
#[must_use]
pub fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character).checked_sub(ESCAPED).map(u8::try_from) {
            Some(Ok(byte)) => out.push(byte),
            _ if character == LITERAL_BRACKET => out.push(b'['),
            _ => {
                let mut buffer = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
    out
}
