//! FTP: logins, commands, and passive transfers.

use std::net::SocketAddrV4;

use super::wire::Wire;
use super::{Fault, Visitor};
use crate::plan::{FtpVisit, FtpWork};

/// Most lines of one reply.
const MOST_LINES: usize = 200;

pub(super) async fn visit(visitor: &Visitor, visit: &FtpVisit) -> Result<(), Fault> {
    let mut control = Control { wire: visitor.wire(&visit.door).await?, at: visit.door.address };
    control.reply().await?;
    for login in &visit.logins {
        control.say(&format!("USER {}", login.username)).await?;
        let accepted = control.say(&format!("PASS {}", login.password)).await?.code == 230;
        visitor.tried(&visit.door, login, accepted).await;
        if accepted {
            for work in &visit.work {
                control.perform(visitor, work).await?;
            }
            break;
        }
    }
    match control.say("QUIT").await {
        Ok(_) | Err(Fault::Ended(_) | Fault::Broken(_)) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// The control connection.
struct Control {
    wire: Wire,
    at: SocketAddrV4,
}

/// A reply: its code and last line.
struct Reply {
    code: u16,
    text: String,
}

impl Control {
    async fn say(&mut self, command: &str) -> Result<Reply, Fault> {
        self.wire.send(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// RFC 959 §4.2: several lines end with one that has the code and a blank.
    async fn reply(&mut self) -> Result<Reply, Fault> {
        for _ in 0..MOST_LINES {
            let line = self.wire.line("an FTP reply").await?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            if let (Some(code), Some(b' ') | None) = (code, line.as_bytes().get(3)) {
                return Ok(Reply { code, text: line });
            }
        }
        Err(Fault::TooLong("an FTP reply"))
    }

    async fn perform(&mut self, visitor: &Visitor, work: &FtpWork) -> Result<(), Fault> {
        match work {
            FtpWork::Command(command) => {
                self.say(command).await?;
                visitor.commanded(command).await;
            }
            FtpWork::List => {
                if let Some(mut data) = self.open(visitor, "LIST").await? {
                    data.rest("a listing").await?;
                    self.reply().await?;
                }
                visitor.commanded("LIST").await;
            }
            FtpWork::Store(payload) => {
                self.say("TYPE I").await?;
                if let Some(mut data) =
                    self.open(visitor, &format!("STOR {}", payload.name)).await?
                {
                    data.send(&payload.bytes).await?;
                    data.finish().await?;
                    drop(data);
                    if self.reply().await?.code == 226 {
                        visitor.uploaded(&payload.name).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// A data connection for `command` (RFC 2428 §3), unless the server wants none.
    async fn open(&mut self, visitor: &Visitor, command: &str) -> Result<Option<Wire>, Fault> {
        let reply = self.say("EPSV").await?;
        if reply.code != 229 {
            return Ok(None);
        }
        let port = passive_port(&reply.text).ok_or(Fault::Odd("the passive port"))?;
        let stream = visitor.dial(SocketAddrV4::new(*self.at.ip(), port)).await?;
        let reply = self.say(command).await?;
        Ok((reply.code / 100 == 1).then(|| Wire::new(stream)))
    }
}

/// `229 text (|||port|)`.
fn passive_port(text: &str) -> Option<u16> {
    let inner = text.split("(|||").nth(1)?;
    inner.split('|').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passive_port_is_found() {
        let port = passive_port("229 Entering Extended Passive Mode (|||40123|).");
        assert_eq!(port, Some(40123));
        assert_eq!(passive_port("229 (|||x|)"), None);
        assert_eq!(passive_port("229"), None);
    }
}
