//! Questions about mailboxes and queues.

use base_model::catalogue;
use decoys_kit::StreamContext;

use super::{SmtpSession, shown};
use crate::smtp::command::address;

impl SmtpSession {
    pub(super) fn vrfy(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        let arguments = match arguments {
            [one, flag] if flag.eq_ignore_ascii_case(b"SMTPUTF8") => &[*one][..],
            all => all,
        };
        let [word] = arguments else {
            if arguments.is_empty() {
                return self.fail(cx, "501 5.5.4 Syntax: VRFY address [SMTPUTF8]");
            }
            return self.fail(cx, "501 5.1.3 Bad recipient address syntax");
        };
        let address = address(word).filter(|address| !address.local.is_empty());
        let verdict = match &address {
            Some(address) => self.recipient(address).map(|_| ()),
            None => Err("501 5.1.3 Bad recipient address syntax".to_owned()),
        };
        match verdict {
            Ok(()) => {
                let text = format!("252 2.0.0 {}", shown(word));
                self.tell(cx, catalogue::vrfy(word, &text));
                self.say(cx, text);
            }
            Err(refusal) => {
                self.tell(cx, catalogue::vrfy(word, &refusal));
                self.fail(cx, refusal);
            }
        }
    }

    pub(super) fn etrn(&mut self, cx: &mut StreamContext<'_>, arguments: &[&[u8]]) {
        if self.helo.is_none() {
            return self.fail(cx, "503 Error: send HELO/EHLO first");
        }
        if self.transaction.is_some() {
            return self.fail(cx, "503 Error: MAIL transaction in progress");
        }
        match arguments {
            [domain] => {
                let name = domain.strip_prefix(b"@").or(domain.strip_prefix(b"#"));
                let name = name.unwrap_or(domain);
                let fine = |b: &u8| b.is_ascii_alphanumeric() || b"-.".contains(b);
                if name.is_empty() || !name.iter().all(fine) {
                    return self.fail(cx, "501 Error: invalid parameter syntax");
                }
                self.fail(cx, format!("459 <{}>: service unavailable", shown(domain)));
            }
            _ => self.fail(cx, "500 Syntax: ETRN domain"),
        }
    }
}
