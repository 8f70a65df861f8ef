//! Packets of the client.

use crate::inbox::Inbox;

/// Capabilities (`CLIENT_…`).
pub(super) const CONNECT_WITH_DB: u32 = 1 << 3;
pub(super) const PROTOCOL_41: u32 = 1 << 9;
pub(super) const SSL: u32 = 1 << 11;
pub(super) const SECURE_CONNECTION: u32 = 1 << 15;
pub(super) const MULTI_STATEMENTS: u32 = 1 << 16;
pub(super) const PLUGIN_AUTH: u32 = 1 << 19;
pub(super) const CONNECT_ATTRS: u32 = 1 << 20;
pub(super) const LENENC_AUTH: u32 = 1 << 21;
pub(super) const SESSION_TRACK: u32 = 1 << 23;
pub(super) const DEPRECATE_EOF: u32 = 1 << 24;

/// Capabilities of MariaDB beyond the first 32.
pub(super) const EXTENDED_METADATA: u32 = 1 << 3;
pub(super) const CACHE_METADATA: u32 = 1 << 4;
/// Set by clients that are not MariaDB's.
const LONG_PASSWORD: u32 = 1;

/// What came of looking for a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// Its number and content.
    Done(u8, Vec<u8>),
    /// More bytes are needed.
    Need,
    /// Longer than is taken.
    TooLong,
}

/// Takes the first packet out of `input`; `most` is the longest that is taken.
pub(super) fn packet(input: &mut Inbox, most: usize) -> Parsed {
    let waiting = input.rest();
    let Some([a, b, c, number]) = waiting.first_chunk::<4>().copied() else { return Parsed::Need };
    let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    if length > most {
        return Parsed::TooLong;
    }
    let Some(packet) = waiting.get(4..4 + length) else { return Parsed::Need };
    let packet = packet.to_vec();
    input.skip(4 + length);
    Parsed::Done(number, packet)
}

/// Reads through a packet; past its end everything is none.
#[derive(Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A little-endian number of `bytes` bytes.
    pub(super) fn int(&mut self, bytes: usize) -> Option<u64> {
        let taken = self.take(bytes)?;
        Some(taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A length-encoded number.
    pub(super) fn length(&mut self) -> Option<u64> {
        match self.byte()? {
            0xfc => self.int(2),
            0xfd => self.int(3),
            0xfe => self.int(8),
            0xfb | 0xff => None,
            small => Some(small.into()),
        }
    }

    /// Bytes after their length.
    pub(super) fn counted(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.length()?).ok()?;
        self.take(length)
    }

    /// Bytes up to a NUL.
    pub(super) fn text(&mut self) -> Option<&'b [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.take(end)?;
        self.byte();
        Some(text)
    }
}

/// What a client says when it logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) capabilities: u32,
    /// MariaDB's own.
    pub(super) extended: u32,
    pub(super) charset: u8,
    pub(super) user: Vec<u8>,
    pub(super) response: Vec<u8>,
    pub(super) database: Option<Vec<u8>>,
    pub(super) plugin: Option<Vec<u8>>,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Most attributes that are kept.
const MAX_ATTRIBUTES: usize = 64;

/// Reads the answer to the greeting; none when it is not one.
pub(super) fn login(packet: &[u8]) -> Option<Login> {
    let mut reader = Reader(packet);
    let capabilities = u32::try_from(reader.int(4)?).ok()?;
    if capabilities & PROTOCOL_41 == 0 {
        return old_login(packet);
    }
    reader.int(4)?;
    let charset = reader.byte()?;
    reader.take(19)?;
    let own = u32::try_from(reader.int(4)?).ok()?;
    let extended = if capabilities & LONG_PASSWORD == 0 { own } else { 0 };
    let mut login = Login { capabilities, extended, charset, ..Login::default() };
    if reader.0.is_empty() && capabilities & SSL != 0 {
        return Some(login);
    }
    login.user = reader.text()?.to_vec();
    login.response = if capabilities & LENENC_AUTH != 0 {
        reader.counted()?.to_vec()
    } else if capabilities & SECURE_CONNECTION != 0 {
        let length = usize::from(reader.byte()?);
        reader.take(length)?.to_vec()
    } else {
        reader.text().unwrap_or_default().to_vec()
    };
    if capabilities & CONNECT_WITH_DB != 0 {
        // Some clients leave the last NUL out.
        let rest = reader.0;
        let database = reader.text().unwrap_or(rest);
        login.database = (!database.is_empty()).then(|| database.to_vec());
    }
    if capabilities & PLUGIN_AUTH != 0 {
        let rest = reader.0;
        let plugin = reader.text().unwrap_or(rest);
        login.plugin = (!plugin.is_empty()).then(|| plugin.to_vec());
    }
    if capabilities & CONNECT_ATTRS != 0 {
        login.attributes = attributes(&mut reader).unwrap_or_default();
    }
    Some(login)
}

fn attributes(reader: &mut Reader<'_>) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut inner = Reader(reader.counted()?);
    let mut out = Vec::new();
    while !inner.0.is_empty() && out.len() < MAX_ATTRIBUTES {
        let (Some(name), Some(value)) = (inner.counted(), inner.counted()) else { break };
        out.push((name.to_vec(), value.to_vec()));
    }
    Some(out)
}

/// The form of clients before 4.1.
fn old_login(packet: &[u8]) -> Option<Login> {
    let mut reader = Reader(packet);
    let capabilities = u32::try_from(reader.int(2)?).ok()?;
    reader.int(3)?;
    let user = reader.text()?.to_vec();
    let response = reader.text().unwrap_or(reader.0).to_vec();
    Some(Login { capabilities, user, response, ..Login::default() })
}

/// `COM_CHANGE_USER` as a login of a client with `capabilities`.
pub(super) fn change_user(packet: &[u8], capabilities: u32) -> Option<Login> {
    let mut reader = Reader(packet);
    let user = reader.text()?.to_vec();
    let length = usize::from(reader.byte()?);
    let response = reader.take(length)?.to_vec();
    let database = reader.text().unwrap_or_default();
    let database = (!database.is_empty()).then(|| database.to_vec());
    let charset = reader.int(2).unwrap_or(45);
    let plugin = reader.text().filter(|plugin| !plugin.is_empty()).map(<[u8]>::to_vec);
    let attributes = attributes(&mut reader).unwrap_or_default();
    let charset = u8::try_from(charset).unwrap_or(255);
    Some(Login { capabilities, extended: 0, charset, user, response, database, plugin, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_a_real_client_is_read() {
        // mariadb 10.11: user, 20 bytes, database, plugin, two attributes.
        let capabilities = PROTOCOL_41
            | SECURE_CONNECTION
            | PLUGIN_AUTH
            | CONNECT_ATTRS
            | CONNECT_WITH_DB
            | LENENC_AUTH;
        let mut packet = capabilities.to_le_bytes().to_vec();
        packet.extend(0x0100_0000_u32.to_le_bytes());
        packet.push(45);
        packet.extend([0; 23]);
        packet.extend(b"root\0\x14");
        packet.extend([7; 20]);
        packet.extend(b"app\0mysql_native_password\0\x14\x03_os\x05Linux\x04_pid\x0512345");
        let login = login(&packet).unwrap();
        assert_eq!((login.user.as_slice(), login.response.len()), (&b"root"[..], 20));
        assert_eq!(login.database.as_deref(), Some(&b"app"[..]));
        assert_eq!(login.plugin.as_deref(), Some(&b"mysql_native_password"[..]));
        assert_eq!(login.attributes[0], (b"_os".to_vec(), b"Linux".to_vec()));
    }

    #[test]
    fn cut_packets_are_no_logins_and_long_ones_are_refused() {
        for length in 0..60 {
            drop(login(&vec![0xff; length]));
            drop(change_user(&vec![b'a'; length], u32::MAX));
        }
        assert_eq!(packet(&mut Inbox::of(&[0xff, 0xff, 0xff, 0]), 1 << 20), Parsed::TooLong);
        assert_eq!(packet(&mut Inbox::of(&[3, 0, 0, 0, 1]), 3), Parsed::Need);
        let mut two = Inbox::of(&[1, 0, 0, 0, 14, 1, 0, 0, 0, 1]);
        assert_eq!(packet(&mut two, 1), Parsed::Done(0, vec![14]));
        assert_eq!(packet(&mut two, 1), Parsed::Done(0, vec![1]));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_to_their_end_or_not_at_all(bytes: Vec<u8>, capabilities: u32) {
            let mut input = Inbox::of(&bytes);
            while let Parsed::Done(_, content) = packet(&mut input, 300) {
                drop(login(&content));
                drop(change_user(&content, capabilities));
            }
            assert!(bytes.ends_with(input.rest()));
        }
    }
}
