//! MySQL: handshake 10, `mysql_native_password` and the fast way of `caching_sha2_password`, then
//! queries. One connection for each login, as servers hang up after a refusal.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::wire::{Cursor, Wire};
use super::{Fault, Visitor};
use crate::plan::{DatabaseVisit, Login};

/// `LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH`.
const CAPABILITIES: u32 = 0x0008_a201;
const UTF8: u8 = 33;
const MOST_PACKET: u32 = 16 * 1024 * 1024;
const QUERY: u8 = 3;
const QUIT: u8 = 1;
const NATIVE: &[u8] = b"mysql_native_password";
const CACHING: &[u8] = b"caching_sha2_password";
/// Most packets of one answer.
const MOST_ROWS: usize = 10_000;

pub(super) async fn visit(visitor: &Visitor, visit: &DatabaseVisit) -> Result<(), Fault> {
    for login in &visit.logins {
        let mut client = Client { wire: visitor.wire(&visit.door).await?, sequence: 0 };
        let accepted = client.log_in(login).await?;
        visitor.tried(&visit.door, login, accepted).await;
        if accepted {
            for query in &visit.queries {
                client.query(query).await?;
                visitor.commanded(query).await;
            }
            client.sequence = 0;
            return client.send(&[QUIT]).await;
        }
    }
    Ok(())
}

struct Client {
    wire: Wire,
    sequence: u8,
}

impl Client {
    async fn log_in(&mut self, login: &Login) -> Result<bool, Fault> {
        let greeting = self.packet().await?;
        // Too many connections, or a host that may not connect.
        if greeting.first() == Some(&0xff) {
            return Ok(false);
        }
        let (plugin, salt) = challenge(&greeting).ok_or(Fault::Odd("the MySQL greeting"))?;
        let response = scramble(&plugin, &salt, &login.password);
        let mut out = CAPABILITIES.to_le_bytes().to_vec();
        out.extend_from_slice(&MOST_PACKET.to_le_bytes());
        out.push(UTF8);
        out.extend_from_slice(&[0; 23]);
        out.extend_from_slice(login.username.as_bytes());
        out.push(0);
        out.push(u8::try_from(response.len()).unwrap_or(0));
        out.extend_from_slice(&response);
        out.extend_from_slice(&plugin);
        out.push(0);
        self.send(&out).await?;
        loop {
            let answer = self.packet().await?;
            match answer.first() {
                Some(0) => return Ok(true),
                // Another plugin, with a salt of its own.
                Some(0xfe) => {
                    let mut rest = Cursor(answer.get(1..).unwrap_or_default());
                    let plugin = rest.zero_terminated().ok_or(Fault::Odd("a MySQL answer"))?;
                    let salt = rest.0.strip_suffix(&[0]).unwrap_or(rest.0);
                    self.send(&scramble(plugin, salt, &login.password)).await?;
                }
                // The password is known; its success follows.
                Some(1) if answer.get(1) == Some(&3) => {}
                // The whole password is wanted over an encrypted connection, which this is not.
                _ => return Ok(false),
            }
        }
    }

    async fn query(&mut self, query: &str) -> Result<(), Fault> {
        self.sequence = 0;
        let mut out = vec![QUERY];
        out.extend_from_slice(query.as_bytes());
        self.send(&out).await?;
        let first = self.packet().await?;
        if matches!(first.first(), None | Some(0 | 0xff)) {
            return Ok(());
        }
        // Columns and rows each end with a short packet that begins with 0xfe.
        let mut ends = 0;
        for _ in 0..MOST_ROWS {
            let packet = self.packet().await?;
            match packet.first() {
                Some(0xff) => return Ok(()),
                Some(0xfe) if packet.len() < 9 => ends += 1,
                _ => {}
            }
            if ends == 2 {
                return Ok(());
            }
        }
        Err(Fault::TooLong("a MySQL answer"))
    }

    async fn send(&mut self, payload: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(payload.len()).map_err(|_| Fault::TooLong("a query"))?;
        let [a, b, c, _] = length.to_le_bytes();
        let mut out = vec![a, b, c, self.sequence];
        out.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.wire.send(&out).await
    }

    async fn packet(&mut self) -> Result<Vec<u8>, Fault> {
        let head = self.wire.exactly(4, "a MySQL packet").await?;
        let &[a, b, c, sequence] = head.as_slice() else { return Err(Fault::Odd("a packet")) };
        self.sequence = sequence.wrapping_add(1);
        let length = u32::from_le_bytes([a, b, c, 0]);
        self.wire.exactly(usize::try_from(length).unwrap_or(usize::MAX), "a MySQL packet").await
    }
}

/// Plugin and salt of a greeting.
fn challenge(greeting: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut rest = Cursor(greeting);
    if rest.byte()? != 10 {
        return None;
    }
    rest.zero_terminated()?;
    rest.take(4)?;
    let mut salt = rest.take(8)?.to_vec();
    // A filler, capabilities, character set, status, capabilities.
    rest.take(1 + 2 + 1 + 2 + 2)?;
    let length = rest.byte()?;
    rest.take(10)?;
    let more = usize::from(length).saturating_sub(8).max(13);
    let second = rest.take(more)?;
    salt.extend_from_slice(second.strip_suffix(&[0]).unwrap_or(second));
    let plugin = rest.zero_terminated().unwrap_or(NATIVE);
    Some((if plugin == CACHING { CACHING } else { NATIVE }.to_vec(), salt))
}

/// The password, mixed with the salt as `plugin` has it; empty for no password.
fn scramble(plugin: &[u8], salt: &[u8], password: &str) -> Vec<u8> {
    if password.is_empty() {
        return Vec::new();
    }
    if plugin == CACHING {
        let once = Sha256::digest(password);
        let twice = Sha256::digest(once);
        let mask = Sha256::new().chain_update(twice).chain_update(salt).finalize();
        return once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
    }
    let once = Sha1::digest(password);
    let twice = Sha1::digest(once);
    let mask = Sha1::new().chain_update(salt).chain_update(twice).finalize();
    once.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_gives_plugin_and_salt() {
        let mut greeting = vec![10];
        greeting.extend_from_slice(b"8.0.36\0\x07\0\0\0ABCDEFGH\0\xff\xf7\x21\x02\0\xff\x81\x15");
        greeting.extend_from_slice(&[0; 10]);
        greeting.extend_from_slice(b"IJKLMNOPQRST\0mysql_native_password\0");
        let (plugin, salt) = challenge(&greeting).unwrap();
        assert_eq!((plugin.as_slice(), salt.as_slice()), (NATIVE, &b"ABCDEFGHIJKLMNOPQRST"[..]));
        for cut in 0..greeting.len() - NATIVE.len() - 1 {
            assert_eq!(challenge(&greeting[..cut]), None, "{cut}");
        }
    }

    /// As servers check it: the stored double hash is enough to get the single one back.
    #[test]
    fn the_server_can_check_a_scramble() {
        let salt = b"ABCDEFGHIJKLMNOPQRST";
        let sent = scramble(NATIVE, salt, "secret");
        let stored = Sha1::digest(Sha1::digest("secret"));
        let mask = Sha1::new().chain_update(salt).chain_update(stored).finalize();
        let once: Vec<u8> = sent.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(Sha1::digest(once), stored);
        assert!(scramble(NATIVE, salt, "").is_empty());
        assert_eq!(scramble(CACHING, salt, "secret").len(), 32);
    }
}
