//! SMTP: `AUTH LOGIN` or `AUTH PLAIN`, then a mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::wire::Wire;
use super::{Fault, Visitor};
use crate::plan::{Login, Mail, SmtpVisit};

/// Most lines of one reply.
const MOST_LINES: usize = 200;

pub(super) async fn visit(visitor: &Visitor, visit: &SmtpVisit) -> Result<(), Fault> {
    let mut client = Client(visitor.wire(&visit.door).await?);
    client.reply().await?;
    let hello = client.say(&format!("EHLO {}", visit.helo)).await?;
    let mechanisms = hello.lines.iter().find_map(|line| line.get(4..)?.strip_prefix("AUTH "));
    let plain = mechanisms.is_some_and(|all| !all.contains("LOGIN") && all.contains("PLAIN"));
    let mut taken = false;
    for login in &visit.logins {
        let code = client.log_in(login, plain).await?;
        taken = code == 235;
        visitor.tried(&visit.door, login, taken).await;
        if taken || code == 421 {
            break;
        }
    }
    if let Some(mail) = visit.mail.as_ref().filter(|_| taken)
        && client.mail(mail).await?
    {
        visitor.mailed().await;
    }
    match client.say("QUIT").await {
        Ok(_) | Err(Fault::Ended(_) | Fault::Broken(_)) => Ok(()),
        Err(fault) => Err(fault),
    }
}

struct Client(Wire);

struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Client {
    async fn say(&mut self, command: &str) -> Result<Reply, Fault> {
        self.0.send(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// RFC 5321 §4.2.1: a dash after the code says that more lines come.
    async fn reply(&mut self) -> Result<Reply, Fault> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = self.0.line("an SMTP reply").await?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code = code.ok_or(Fault::Odd("an SMTP reply"))?;
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !more {
                return Ok(Reply { code, lines });
            }
        }
        Err(Fault::TooLong("an SMTP reply"))
    }

    async fn log_in(&mut self, login: &Login, plain: bool) -> Result<u16, Fault> {
        let (user, password) = (&login.username, &login.password);
        if plain {
            let text = STANDARD.encode(format!("\0{user}\0{password}"));
            return Ok(self.say(&format!("AUTH PLAIN {text}")).await?.code);
        }
        for text in ["AUTH LOGIN".to_owned(), STANDARD.encode(user)] {
            let code = self.say(&text).await?.code;
            if code != 334 {
                return Ok(code);
            }
        }
        Ok(self.say(&STANDARD.encode(password)).await?.code)
    }

    /// Sends a mail. Returns whether it was taken.
    async fn mail(&mut self, mail: &Mail) -> Result<bool, Fault> {
        let Mail { from, to, subject, text } = mail;
        for (command, good) in [
            (format!("MAIL FROM:<{from}>"), 2),
            (format!("RCPT TO:<{to}>"), 2),
            ("DATA".to_owned(), 3),
        ] {
            if self.say(&command).await?.code / 100 != good {
                return Ok(false);
            }
        }
        // RFC 5321 §4.5.2: a dot at the beginning of a line is doubled.
        let text = text.replace("\n.", "\n..").replace('\n', "\r\n");
        let whole =
            format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\n{text}\r\n.");
        Ok(self.say(&whole).await?.code == 250)
    }
}
