//! The smallest complete service: a line echo that knows its host's name.
//!
//! Copy this folder for a new service. It shows what each has: a `SERVICE`, a bounded parser, a
//! session without I/O, transcripts. It is compiled and tested like the others but listed nowhere.

mod session;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "template",
        summary: "answers each line with itself",
        fidelity: Fidelity::Low,
        listens: &[Listen::tcp(7)],
        settings: &[SettingSpec {
            key: "greeting",
            label: "Greeting",
            kind: SettingKind::Text,
            help: "first line sent; the host name when unset",
        }],
        events: &[&catalogue::PROTOCOL_ERROR],
    },
    open: Open::Stream(|opening| Box::new(session::TemplateSession::new(opening))),
};
