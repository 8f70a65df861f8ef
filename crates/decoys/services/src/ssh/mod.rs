//! OpenSSH on a Unix machine with a real login.
//!
//! What an SSH server decides: which credentials are let in and how refusals look, which channels
//! open, what runs on them. Shell, scp and sftp are programs of the decky's machine
//! (`decoys_host::shell`), so what one connection leaves behind the next one finds. Everything
//! tried is told before it is answered. Transport and key exchange are the edge's. Not here:
//! agent and X11 forwarding (refused), remote port forwarding.

mod auth;
mod channel;
mod program;
mod session;
mod tell;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "ssh",
        summary: "OpenSSH server with login, shell, scp and sftp",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(22)],
        settings: &[
            SettingSpec {
                key: "password",
                label: "Root password",
                kind: SettingKind::Password,
                help: "password of root; the decky's own account when unset",
            },
            SettingSpec {
                key: "user",
                label: "Second user",
                kind: SettingKind::Text,
                help: "a second account, member of group sudo; needs its password",
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
                help: "further accounts as user:password,user:password",
            },
            SettingSpec {
                key: "hostname",
                label: "Host name",
                kind: SettingKind::Text,
                help: "name shown by the machine, e.g. mail-01.corp.local",
            },
            SettingSpec {
                key: "ssh_version",
                label: "SSH version",
                kind: SettingKind::Text,
                help: "software version of the banner, e.g. OpenSSH_9.2p1 Debian-2+deb12u7",
            },
            SettingSpec {
                key: "auth_mode",
                label: "Logins",
                kind: SettingKind::Enum(&["exact", "any", "never"]),
                help: "which passwords known users get in with",
            },
            SettingSpec {
                key: "motd",
                label: "Login text",
                kind: SettingKind::Text,
                help: "text after login instead of the distribution's",
            },
        ],
        events: &[
            &catalogue::AUTH_ATTEMPT,
            &catalogue::PUBKEY_ATTEMPT,
            &catalogue::LOGIN_SUCCESS,
            &catalogue::COMMAND,
            &catalogue::DOWNLOAD_ATTEMPT,
            &catalogue::FILE_CAPTURED,
            &catalogue::FILE_SKIPPED,
            &catalogue::FILE_UPLOAD,
            &catalogue::FILE_DOWNLOAD,
            &catalogue::TCPIP_FORWARD,
            &catalogue::SESSION_RECORDED,
            &catalogue::SESSION_ENDED,
            &catalogue::SSH_CLIENT_BANNER,
            &catalogue::SSH_CLIENT_KEXINIT,
            &catalogue::PROTOCOL_ERROR,
        ],
    },
    open: Open::Ssh(|opening| Box::new(session::Session::new(opening))),
};

#[cfg(test)]
mod tests;
