//! PostgreSQL, protocol 3: clear, MD5 and SCRAM passwords, then simple queries. One connection for
//! each login, as servers hang up after a refusal.

use md5::{Digest as _, Md5};

use super::scram;
use super::wire::{Cursor, Wire};
use super::{Fault, Visitor};
use crate::draw::Draw;
use crate::plan::{DatabaseVisit, Login};

const PROTOCOL: u32 = 3 << 16;
const DATABASE: &str = "postgres";
/// Most messages of one answer.
const MOST_MESSAGES: usize = 10_000;

pub(super) async fn visit(visitor: &Visitor, visit: &DatabaseVisit) -> Result<(), Fault> {
    for login in &visit.logins {
        let mut client = Client(visitor.wire(&visit.door).await?);
        let accepted = client.log_in(login).await?;
        visitor.tried(&visit.door, login, accepted).await;
        if accepted {
            for query in &visit.queries {
                client.send(b'Q', &zeroed(query)).await?;
                client.until_ready().await?;
                visitor.commanded(query).await;
            }
            return client.send(b'X', &[]).await;
        }
    }
    Ok(())
}

struct Client(Wire);

impl Client {
    async fn log_in(&mut self, login: &Login) -> Result<bool, Fault> {
        let Login { username, password } = login;
        let mut startup = PROTOCOL.to_be_bytes().to_vec();
        for text in ["user", username, "database", DATABASE, ""] {
            startup.extend_from_slice(&zeroed(text));
        }
        let length = u32::try_from(startup.len() + 4).map_err(|_| Fault::TooLong("a startup"))?;
        self.0.send(&[&length.to_be_bytes()[..], &startup].concat()).await?;
        let mut draw = Draw::new(0, &format!("nonce/{username}/{password}"));
        let nonce = format!("{:016x}{:016x}", draw.number(), draw.number());
        loop {
            let (kind, body) = self.message().await?;
            if kind == b'E' {
                return Ok(false);
            }
            if kind != b'R' {
                continue;
            }
            let mut body = Cursor(&body);
            let odd = Fault::Odd("a PostgreSQL challenge");
            let Some(wanted) = body.be32() else { return Err(odd) };
            let answer = match wanted {
                0 => return self.until_ready().await,
                3 => zeroed(password),
                5 => zeroed(&hashed(login, body.0)),
                10 => {
                    let first = format!("n,,{}", scram::first(&nonce));
                    let length = u32::try_from(first.len()).unwrap_or(0);
                    let mut out = zeroed("SCRAM-SHA-256");
                    out.extend_from_slice(&length.to_be_bytes());
                    out.extend_from_slice(first.as_bytes());
                    out
                }
                11 => {
                    let server_first = String::from_utf8_lossy(body.0);
                    let last = scram::last(&nonce, &server_first, password);
                    last.ok_or(odd)?.into_bytes()
                }
                // The server's own proof: a bot does not care.
                12 => continue,
                _ => return Err(odd),
            };
            self.send(b'p', &answer).await?;
        }
    }

    /// Reads to the end of an answer. Returns whether there was no error.
    async fn until_ready(&mut self) -> Result<bool, Fault> {
        let mut good = true;
        for _ in 0..MOST_MESSAGES {
            match self.message().await?.0 {
                b'Z' => return Ok(good),
                b'E' => good = false,
                _ => {}
            }
        }
        Err(Fault::TooLong("a PostgreSQL answer"))
    }

    async fn send(&mut self, kind: u8, body: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(body.len() + 4).map_err(|_| Fault::TooLong("a query"))?;
        self.0.send(&[&[kind][..], &length.to_be_bytes(), body].concat()).await
    }

    async fn message(&mut self) -> Result<(u8, Vec<u8>), Fault> {
        const WHAT: &str = "a PostgreSQL message";
        let head = self.0.exactly(5, WHAT).await?;
        let (&kind, length) = head.split_first().ok_or(Fault::Odd(WHAT))?;
        let length = Cursor(length).be32().and_then(|length| length.checked_sub(4));
        let length = usize::try_from(length.ok_or(Fault::Odd(WHAT))?).unwrap_or(usize::MAX);
        Ok((kind, self.0.exactly(length, WHAT).await?))
    }
}

fn zeroed(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// `md5` and the hash of the hash of password and user, with the salt.
fn hashed(login: &Login, salt: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let inner = Md5::new().chain_update(&login.password).chain_update(&login.username).finalize();
    let outer = Md5::new().chain_update(hex(&inner)).chain_update(salt).finalize();
    format!("md5{}", hex(&outer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_user_password_and_salt() {
        let of =
            |user: &str, password: &str, salt: &[u8]| hashed(&Login::new(user, password), salt);
        let hash = of("postgres", "secret", b"\x01\x02\x03\x04");
        assert!(hash.starts_with("md5") && hash.len() == 35);
        // md5(md5("secret" + "postgres") + salt), worked out with md5sum.
        assert_eq!(hash, "md5bb41a296aab6baccb36ff243a562abff");
        assert_ne!(hash, of("postgres", "secret", b"\x01\x02\x03\x05"));
    }
}
