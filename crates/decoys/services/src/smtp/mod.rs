//! Postfix, the mail server of the decky's distribution, on 25 and 587.
//!
//! Takes mail for its own domain from everybody and for all others from those who log in, with the
//! texts, limits and pauses of Postfix. A message is kept with its exact bytes, looked into
//! (`content`), delivered to the mailbox on the machine, and told of, before the client hears that it
//! was queued. On 587 a login comes first. `STARTTLS` is offered, not
//! demanded, so that passwords in plain text come in too. Not here: sending anything on.

mod command;
mod content;
mod data;
mod mailbox;
mod policy;
mod sasl;
mod session;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "smtp",
        summary: "Postfix mail server that takes mail and logins",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(25), Listen::tcp(587)],
        settings: &[
            SettingSpec {
                key: "banner",
                label: "Banner",
                kind: SettingKind::Text,
                help: "greeting, with or without 220, e.g. mail.corp.local ESMTP Postfix",
            },
            SettingSpec {
                key: "smtp_banner",
                label: "Banner (other name)",
                kind: SettingKind::Text,
                help: "the same as banner, which wins",
            },
        ],
        events: &[
            &catalogue::EHLO,
            &catalogue::AUTH_ATTEMPT,
            &catalogue::LOGIN_SUCCESS,
            &catalogue::MAIL_FROM,
            &catalogue::RCPT_TO,
            &catalogue::RCPT_DENIED,
            &catalogue::RCPT_REJECTED_SYNTAX,
            &catalogue::VRFY,
            &catalogue::UNKNOWN_COMMAND,
            &catalogue::MESSAGE_ACCEPTED,
            &catalogue::MESSAGE_STORED,
            &catalogue::PROTOCOL_ERROR,
        ],
    },
    open: Open::Stream(|opening| Box::new(session::SmtpSession::new(opening))),
};

#[cfg(test)]
mod tests;
