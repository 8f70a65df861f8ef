//! Linux `telnetd` with `login` behind it.
//!
//! Options first, in the order of that server; without answers no prompt comes. Then the accounts,
//! the pauses and the shell that SSH has, recorded and captured alike. The client's options in their
//! order are told of, because they tell clients apart. A device with a prompt of its own (BusyBox)
//! would be another [`login::Login`].

mod login;
mod options;
mod session;
mod wire;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "telnet",
        summary: "Linux telnetd with login and shell",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(23)],
        settings: &[
            SettingSpec {
                key: "password",
                label: "Root password",
                kind: SettingKind::Password,
                help: "password of root when ssh sets none; the decky's own account when unset",
            },
            SettingSpec {
                key: "user",
                label: "Second user",
                kind: SettingKind::Text,
                help: "a second account when ssh sets none; needs its password",
            },
            SettingSpec {
                key: "user_password",
                label: "Second user's password",
                kind: SettingKind::Password,
                help: "password of the second account",
            },
            SettingSpec {
                key: "users",
                label: "Further users",
                kind: SettingKind::Password,
                help: "further accounts as user:password,user:password when ssh sets none",
            },
        ],
        events: &[
            &catalogue::TELNET_NEGOTIATION,
            &catalogue::AUTH_ATTEMPT,
            &catalogue::LOGIN_SUCCESS,
            &catalogue::COMMAND,
            &catalogue::DOWNLOAD_ATTEMPT,
            &catalogue::FILE_CAPTURED,
            &catalogue::FILE_SKIPPED,
            &catalogue::FILE_UPLOAD,
            &catalogue::FILE_DOWNLOAD,
            &catalogue::SESSION_RECORDED,
            &catalogue::SESSION_ENDED,
        ],
    },
    open: Open::Stream(|opening| Box::new(session::TelnetSession::new(opening))),
};

#[cfg(test)]
mod tests;
