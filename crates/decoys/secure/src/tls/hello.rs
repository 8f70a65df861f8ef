//! What a `ClientHello` gives away (`spec/fingerprints.md` §4): JA3, JA4 and the raw lists.
//!
//! Total on arbitrary bytes. GREASE values (RFC 8701) count nowhere.

use base_model::Sha256Digest;
use openssl::hash::{MessageDigest, hash};

use super::reader::{First, Reader, first_message};

/// Longest hello looked into; OpenSSL takes no longer ones either.
const MOST: usize = 131_396;
const CLIENT_HELLO: u8 = 1;

const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const FORMATS: u16 = 11;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const TICKET: u16 = 35;
const PSK: u16 = 41;
const EARLY_DATA: u16 = 42;
const VERSIONS: u16 = 43;

/// How far a hello has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is whole.
    Whole(Hello),
    /// More bytes are needed.
    Need,
    /// The client speaks something else.
    Not,
}

/// The lists of a `ClientHello`, in the order the client sent them, without GREASE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    legacy: u16,
    /// Host name it asks for, as sent.
    pub sni: Option<Vec<u8>>,
    /// Protocols it would speak, as sent.
    pub alpn: Vec<Vec<u8>>,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    groups: Vec<u16>,
    formats: Vec<u8>,
    signatures: Vec<u16>,
    versions: Vec<u16>,
    session_id: bool,
    ticket: bool,
}

impl Hello {
    /// Reads the hello at the beginning of what a client sent.
    #[must_use]
    pub fn read(stream: &[u8]) -> Heard {
        match first_message(stream, MOST) {
            First::Whole(CLIENT_HELLO, body) => Self::body(&body).map_or(Heard::Not, Heard::Whole),
            First::Whole(..) | First::Not => Heard::Not,
            First::Need => Heard::Need,
        }
    }

    fn body(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let mut hello = Self { legacy: reader.short()?, ..Self::default() };
        reader.take(32)?;
        hello.session_id = !reader.short_vector()?.is_empty();
        hello.ciphers = plain(Reader(reader.vector()?).shorts());
        reader.short_vector()?;
        // Clients of SSL 3.0 have no extensions.
        let mut extensions = Reader(reader.vector().unwrap_or_default());
        while let Some(kind) = extensions.short() {
            let data = extensions.vector()?;
            if !is_grease(kind) {
                hello.extensions.push(kind);
                hello.extension(kind, data);
            }
        }
        Some(hello)
    }

    /// Takes an extension in; one that is broken is only counted.
    fn extension(&mut self, kind: u16, data: &[u8]) {
        let mut reader = Reader(data);
        let list =
            |mut reader: Reader<'_>| plain(Reader(reader.vector().unwrap_or_default()).shorts());
        match kind {
            SERVER_NAME => {
                let mut names = Reader(reader.vector().unwrap_or_default());
                if names.byte() == Some(0) {
                    self.sni = names.vector().map(<[u8]>::to_vec);
                }
            }
            GROUPS => self.groups = list(reader),
            FORMATS => self.formats = reader.short_vector().unwrap_or_default().to_vec(),
            SIGNATURES => self.signatures = list(reader),
            ALPN => {
                let mut names = Reader(reader.vector().unwrap_or_default());
                while let Some(name) = names.short_vector() {
                    self.alpn.push(name.to_vec());
                }
            }
            TICKET => self.ticket = !data.is_empty(),
            VERSIONS => {
                self.versions = plain(Reader(reader.short_vector().unwrap_or_default()).shorts());
            }
            _ => {}
        }
    }

    /// The highest version it speaks.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.versions.iter().copied().max().unwrap_or(self.legacy)
    }

    /// JA3: hexadecimal MD5 of the lists.
    #[must_use]
    pub fn ja3(&self) -> String {
        let formats: Vec<u16> = self.formats.iter().map(|&one| u16::from(one)).collect();
        md5(&format!(
            "{},{},{},{},{}",
            self.legacy,
            decimals(&self.ciphers),
            decimals(&self.extensions),
            decimals(&self.groups),
            decimals(&formats)
        ))
    }

    /// JA4: readable prefix, digest of the ciphers, digest of extensions and signatures.
    #[must_use]
    pub fn ja4(&self) -> String {
        let [ciphers, rest] = self.ja4_lists();
        format!("{}_{}_{}", self.ja4_prefix(), sha12(&ciphers), sha12(&rest))
    }

    /// JA4 with its lists instead of digests.
    #[must_use]
    pub fn ja4_raw(&self) -> String {
        let [ciphers, rest] = self.ja4_lists();
        format!("{}_{ciphers}_{rest}", self.ja4_prefix())
    }

    fn ja4_prefix(&self) -> String {
        let version = match self.version() {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            _ => "00",
        };
        let alpn = self.alpn.first().and_then(|name| Some((*name.first()?, *name.last()?)));
        let alpn = match alpn {
            None => "00".to_owned(),
            Some((first, last))
                if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
            {
                [first, last].iter().map(|&byte| char::from(byte)).collect()
            }
            Some((first, last)) => {
                let (first, last) = (format!("{first:02x}"), format!("{last:02x}"));
                first.chars().take(1).chain(last.chars().skip(1)).collect()
            }
        };
        format!(
            "t{version}{}{:02}{:02}{alpn}",
            if self.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' },
            self.ciphers.len().min(99),
            self.extensions.len().min(99)
        )
    }

    fn ja4_lists(&self) -> [String; 2] {
        let mut ciphers = self.ciphers.clone();
        ciphers.sort_unstable();
        let mut extensions: Vec<u16> = self
            .extensions
            .iter()
            .copied()
            .filter(|&kind| kind != SERVER_NAME && kind != ALPN)
            .collect();
        extensions.sort_unstable();
        let mut rest = hexes(&extensions);
        if !self.signatures.is_empty() {
            rest.push('_');
            rest.push_str(&hexes(&self.signatures));
        }
        [hexes(&ciphers), rest]
    }

    /// Ciphers, decimal, joined by `-`.
    #[must_use]
    pub fn raw_ciphers(&self) -> String {
        decimals(&self.ciphers)
    }

    /// Extensions, decimal, joined by `-`.
    #[must_use]
    pub fn raw_extensions(&self) -> String {
        decimals(&self.extensions)
    }

    /// Elliptic curves and other groups, decimal, joined by `-`.
    #[must_use]
    pub fn raw_groups(&self) -> String {
        decimals(&self.groups)
    }

    /// How it would resume an earlier session, joined by commas.
    #[must_use]
    pub fn resumption(&self) -> String {
        let has = |kind| self.extensions.contains(&kind);
        // TLS 1.3 fills the session id for middleboxes only.
        let id = self.session_id && !self.versions.contains(&0x0304);
        let ways = [
            (self.ticket, "session_ticket"),
            (has(PSK), "psk"),
            (has(EARLY_DATA), "early_data_0rtt"),
            (id, "session_id"),
        ];
        let ways: Vec<_> = ways.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        ways.join(",")
    }
}

/// The name of a version as events have it.
pub(super) fn version_name(version: u16) -> String {
    match version {
        0x0304 => "TLS 1.3".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0300 => "SSL 3.0".to_owned(),
        0x0002 => "SSL 2.0".to_owned(),
        other => format!("0x{other:04x}"),
    }
}

/// Whether a value means nothing (RFC 8701).
const fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

fn plain(values: Vec<u16>) -> Vec<u16> {
    values.into_iter().filter(|&value| !is_grease(value)).collect()
}

pub(super) fn decimals(values: &[u16]) -> String {
    values.iter().map(u16::to_string).collect::<Vec<_>>().join("-")
}

fn hexes(values: &[u16]) -> String {
    values.iter().map(|value| format!("{value:04x}")).collect::<Vec<_>>().join(",")
}

/// Twelve hexadecimal digits of SHA-256; zeros for nothing.
fn sha12(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    Sha256Digest::of(text.as_bytes()).to_string().chars().take(12).collect()
}

/// Hexadecimal MD5; empty when the library refuses, which it does not.
pub(super) fn md5(text: &str) -> String {
    let digest = hash(MessageDigest::md5(), text.as_bytes());
    digest.map_or_else(
        |_| String::new(),
        |digest| digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hello of `spec/fingerprints.md`'s JA4 vector, in a browser's own order and with GREASE.
    fn browser() -> Hello {
        let ciphers = [
            0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
            0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let extensions = [
            0x001b, 0x0000, 0x0033, 0x0010, 0x44cd, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
            0x002b, 0xff01, 0x000b, 0x000a, 0xfe0d,
        ];
        Hello {
            legacy: 0x0303,
            sni: Some(b"example.org".to_vec()),
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ciphers: ciphers.to_vec(),
            extensions: extensions.to_vec(),
            signatures: vec![0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601],
            versions: vec![0x0304, 0x0303],
            ..Hello::default()
        }
    }

    fn with_versions(version: u16, ciphers: &[u16]) -> Hello {
        Hello { legacy: version, ciphers: ciphers.to_vec(), ..Hello::default() }
    }

    #[test]
    fn ja4_and_ja3_are_the_public_ones() {
        assert_eq!(browser().ja4(), "t13d1516h2_8daaf6152771_d8a2da3f94cd");
        assert_eq!(with_versions(771, &[47, 53]).ja3(), "577fbfd57b256f5467f2fe09d1105a26");
        assert_eq!(with_versions(771, &[]).ja3(), "bddda940f9963577c41d7c28b1a5f65f");
        assert_eq!(with_versions(769, &[]).ja4(), "t10i000000_000000000000_000000000000");
    }

    #[test]
    fn odd_protocols_show_hexadecimal_digits() {
        let hello = Hello { alpn: vec![vec![0xab, 0xcd]], ..browser() };
        assert!(hello.ja4().starts_with("t13d1516ad_"), "{}", hello.ja4());
    }

    fn record(body: &[u8]) -> Vec<u8> {
        [&[22, 3, 1][..], &u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    fn message() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([4, 1, 2, 3, 4]);
        body.extend([0, 6, 0x1a, 0x1a, 0x13, 0x01, 0x00, 0x2f, 1, 0]);
        let mut extensions = vec![0x2a, 0x2a, 0, 0, 0, 0, 0, 10, 0, 8, 0, 0, 5];
        extensions.extend(b"a.lan");
        extensions
            .extend([0, 35, 0, 1, 9, 0, 10, 0, 6, 0, 4, 0x3a, 0x3a, 0, 29, 0, 11, 0, 2, 1, 0]);
        body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend(extensions);
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[1], &length[1..], &body].concat()
    }

    #[test]
    fn a_hello_is_put_together_over_records_and_without_grease() {
        let message = message();
        let whole = record(&message);
        let Heard::Whole(hello) = Hello::read(&whole) else { panic!("not read") };
        assert_eq!(hello.sni.as_deref(), Some(&b"a.lan"[..]));
        assert_eq!(hello.raw_ciphers(), "4865-47");
        assert_eq!(hello.raw_extensions(), "0-35-10-11");
        assert_eq!(hello.raw_groups(), "29");
        assert_eq!(hello.resumption(), "session_ticket,session_id");
        let (one, two) = message.split_at(50);
        let cut = [record(one), record(two)].concat();
        assert_eq!(Hello::read(&cut), Heard::Whole(hello));
        for end in 0..whole.len() {
            assert_eq!(Hello::read(&whole[..end]), Heard::Need, "{end}");
        }
    }

    #[test]
    fn no_bytes_upset_the_reader() {
        let whole = record(&message());
        for at in 0..whole.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                if let Heard::Whole(hello) = Hello::read(&bytes) {
                    assert!(!hello.ja4().is_empty() && hello.ja3().len() == 32);
                }
            }
        }
        assert_eq!(Hello::read(b"GET / HTTP/1.0\r\n\r\n"), Heard::Not);
        assert_eq!(Hello::read(&[22, 3, 1, 0xff, 0xff]), Heard::Not);
        assert_eq!(Hello::read(&[22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]), Heard::Not);
        assert_eq!(Hello::read(&[22, 3, 1, 0, 0, 22, 3, 1, 0, 0]), Heard::Not);
    }
}
