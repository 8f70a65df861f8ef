//! JARM, the active fingerprint of a TLS server (`spec/fingerprints.md` §9): ten hellos, and what the
//! server chooses each time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const ALL: &[u16] = &[
    0x0016, 0x0033, 0x0067, 0xc09e, 0xc0a2, 0x009e, 0x0039, 0x006b, 0xc09f, 0xc0a3, 0x009f, 0x0045,
    0x00be, 0x0088, 0x00c4, 0x009a, 0xc008, 0xc009, 0xc023, 0xc0ac, 0xc0ae, 0xc02b, 0xc00a, 0xc024,
    0xc0ad, 0xc0af, 0xc02c, 0xc072, 0xc073, 0xcca9, 0x1302, 0x1301, 0xcc14, 0xc007, 0xc012, 0xc013,
    0xc027, 0xc02f, 0xc014, 0xc028, 0xc030, 0xc060, 0xc061, 0xc076, 0xc077, 0xcca8, 0x1305, 0x1304,
    0x1303, 0xcc13, 0xc011, 0x000a, 0x002f, 0x003c, 0xc09c, 0xc0a0, 0x009c, 0x0035, 0x003d, 0xc09d,
    0xc0a1, 0x009d, 0x0041, 0x00ba, 0x0084, 0x00c0, 0x0007, 0x0004, 0x0005,
];
const GREASE: u16 = 0x0a0a;

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Forward,
    Reverse,
    TopHalf,
    BottomHalf,
    MiddleOut,
}
use Order::{BottomHalf, Forward, MiddleOut, Reverse, TopHalf};

struct Probe {
    version: u16,
    without_13: bool,
    ciphers: Order,
    grease: bool,
    rare: bool,
    /// The highest of the supported versions, when they are said.
    support: Option<u16>,
    extensions: Order,
}

const fn probe(version: u16, ciphers: Order, support: Option<u16>, extensions: Order) -> Probe {
    Probe { version, without_13: false, ciphers, grease: false, rare: false, support, extensions }
}

const PROBES: &[Probe] = &[
    probe(0x0303, Forward, Some(0x0303), Reverse),
    probe(0x0303, Reverse, Some(0x0303), Forward),
    probe(0x0303, TopHalf, None, Forward),
    Probe { rare: true, ..probe(0x0303, BottomHalf, None, Forward) },
    Probe { rare: true, grease: true, ..probe(0x0303, MiddleOut, None, Reverse) },
    probe(0x0302, Forward, None, Forward),
    probe(0x0304, Forward, Some(0x0304), Reverse),
    probe(0x0304, Reverse, Some(0x0304), Forward),
    Probe { without_13: true, ..probe(0x0304, Forward, Some(0x0304), Forward) },
    Probe { grease: true, ..probe(0x0304, MiddleOut, Some(0x0304), Reverse) },
];

fn ordered<T: Clone>(items: &[T], order: Order) -> Vec<T> {
    let (middle, odd) = (items.len() / 2, items.len() % 2 == 1);
    match order {
        Forward => items.to_vec(),
        Reverse => items.iter().rev().cloned().collect(),
        BottomHalf => items[middle + usize::from(odd)..].to_vec(),
        TopHalf => {
            let mut out: Vec<T> = if odd { vec![items[middle].clone()] } else { Vec::new() };
            out.extend(ordered(&ordered(items, Reverse), BottomHalf));
            out
        }
        MiddleOut => {
            let mut out: Vec<T> = if odd { vec![items[middle].clone()] } else { Vec::new() };
            for at in 1..=middle {
                out.push(items[middle + at - usize::from(!odd)].clone());
                out.push(items[middle - at].clone());
            }
            out
        }
    }
}

fn vector(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &vector(data)].concat()
}

fn hello(probe: &Probe, host: &str) -> Vec<u8> {
    let ciphers: Vec<u16> =
        ALL.iter().copied().filter(|one| !probe.without_13 || one >> 8 != 0x13).collect();
    let mut ciphers = ordered(&ciphers, probe.ciphers);
    if probe.grease {
        ciphers.insert(0, GREASE);
    }
    let ciphers: Vec<u8> = ciphers.iter().flat_map(|one| one.to_be_bytes()).collect();
    let mut extensions = Vec::new();
    if probe.grease {
        extensions.extend(extension(GREASE, &[]));
    }
    let name = [&[0][..], &vector(host.as_bytes())].concat();
    extensions.extend(extension(0, &vector(&name)));
    extensions.extend(extension(0x17, &[]));
    extensions.extend(extension(1, &[1]));
    extensions.extend(extension(0xff01, &[0]));
    extensions.extend(extension(10, &[0, 8, 0, 0x1d, 0, 0x17, 0, 0x18, 0, 0x19]));
    extensions.extend(extension(11, &[1, 0]));
    extensions.extend(extension(0x23, &[]));
    let protocols: &[&[u8]] = if probe.rare {
        &[
            b"\x08http/0.9",
            b"\x08http/1.0",
            b"\x06spdy/1",
            b"\x06spdy/2",
            b"\x06spdy/3",
            b"\x03h2c",
            b"\x02hq",
        ]
    } else {
        &[
            b"\x08http/0.9",
            b"\x08http/1.0",
            b"\x08http/1.1",
            b"\x06spdy/1",
            b"\x06spdy/2",
            b"\x06spdy/3\x02h2",
            b"\x03h2c",
            b"\x02hq",
        ]
    };
    let protocols = ordered(protocols, probe.extensions).concat();
    extensions.extend(extension(16, &vector(&protocols)));
    let signatures = [4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1, 2, 1];
    extensions.extend(extension(13, &vector(&signatures)));
    let mut share = Vec::new();
    if probe.grease {
        share.extend([0x0a, 0x0a, 0, 1, 0]);
    }
    share.extend([0, 0x1d, 0, 32]);
    share.extend([0x5a; 32]);
    extensions.extend(extension(0x33, &vector(&share)));
    extensions.extend(extension(0x2d, &[1, 1]));
    if let Some(highest) = probe.support {
        let versions: Vec<u16> = (0x0301..=highest).collect();
        let mut versions = ordered(&versions, probe.extensions);
        if probe.grease {
            versions.insert(0, GREASE);
        }
        let versions: Vec<u8> = versions.iter().flat_map(|one| one.to_be_bytes()).collect();
        let length = u8::try_from(versions.len()).unwrap();
        extensions.extend(extension(0x2b, &[&[length][..], &versions].concat()));
    }
    let mut body = probe.version.min(0x0303).to_be_bytes().to_vec();
    body.extend([0x42; 32]);
    body.push(32);
    body.extend([0x24; 32]);
    body.extend(vector(&ciphers));
    body.extend([1, 0]);
    body.extend(vector(&extensions));
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[1][..], &length[1..], &body].concat();
    let record = if probe.version == 0x0304 { 0x0301 } else { probe.version };
    [&[22][..], &record.to_be_bytes(), &vector(&message)].concat()
}

/// Cipher, version, ALPN and extensions of the answer, each empty when there is none.
fn read(answer: &[u8]) -> [String; 4] {
    let nothing = || [const { String::new() }; 4];
    if answer.first() != Some(&22) || answer.get(5) != Some(&2) {
        return nothing();
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let after = 44 + usize::from(answer[43]);
    let mut rest = answer.get(after + 5..).unwrap_or_default();
    let mut left = usize::from(u16::from_be_bytes([answer[after + 3], answer[after + 4]]));
    let (mut kinds, mut alpn) = (Vec::new(), String::new());
    while left >= 4 && rest.len() >= 4 {
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let Some(data) = rest.get(4..4 + length) else { break };
        if rest[..2] == [0, 16] {
            alpn = String::from_utf8_lossy(data.get(3..).unwrap_or_default()).into_owned();
        }
        kinds.push(hex(&rest[..2]));
        rest = &rest[4 + length..];
        left = left.saturating_sub(4 + length);
    }
    [hex(&answer[after..after + 2]), hex(&answer[9..11]), alpn, kinds.join("-")]
}

/// What the server at `address` answers to each of the ten hellos.
#[must_use]
pub fn answers(address: &str, port: u16) -> Vec<String> {
    let ask = |probe: &Probe| {
        let mut stream = TcpStream::connect((address, port)).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&hello(probe, address)).unwrap();
        let mut answer = vec![0; 1484];
        let count = stream.read(&mut answer).unwrap_or(0);
        read(&answer[..count]).join("|")
    };
    PROBES.iter().map(ask).collect()
}

/// The fingerprint of ten `answers`, as it is published: ciphers and versions, then a digest.
#[must_use]
pub fn fingerprint(answers: &[String]) -> String {
    let mut table = ALL.to_vec();
    // The table has the suites of TLS 1.3 last.
    table.sort_unstable_by_key(|one| (one >> 8 == 0x13, *one));
    let (mut head, mut tail) = (String::new(), String::new());
    for answer in answers {
        let parts: Vec<&str> = answer.split('|').collect();
        let cipher = u16::from_str_radix(parts[0], 16).ok();
        let index = cipher.and_then(|one| table.iter().position(|known| *known == one));
        head.push_str(&index.map_or("00".to_owned(), |at| format!("{:02x}", at + 1)));
        let digit = parts[1].chars().nth(3).and_then(|digit| digit.to_digit(10));
        let letter = digit.and_then(|digit| "abcdef".chars().nth(usize::try_from(digit).ok()?));
        head.push(letter.unwrap_or('0'));
        tail.push_str(parts[2]);
        tail.push_str(parts[3]);
    }
    if tail.is_empty() && head.chars().all(|one| one == '0') {
        return "0".repeat(62);
    }
    let digest = base_model::Sha256Digest::of(tail.as_bytes()).to_string();
    format!("{head}{}", &digest[..32])
}
