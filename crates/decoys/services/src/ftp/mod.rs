//! The FTP server of the decky: vsftpd, `ProFTPD` or Pure-FTPd, as its persona says.
//!
//! Logins are the machine's accounts, and anonymous ones where the persona has them. Files are the
//! machine's: what comes in here is in the shell and over SFTP, with the owner and permissions that
//! the server gives. Data connections are passive; to the client's own address an active one is
//! taken note of and never comes about, as behind a firewall. Words and order of each server are in
//! `dialect`, those of TLS in `security`. Not here: opening active data connections, TLS from the first
//! byte, `CCC`, conversion of line ends.

mod command;
mod dialect;
mod listing;
mod security;
mod session;
mod transfer;
mod view;

use base_model::catalogue;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

/// Data ports of one decky; more clients than this are told that there is none.
const DATA_PORTS: u8 = 4;

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "ftp",
        summary: "FTP server (vsftpd, ProFTPD or Pure-FTPd) over the machine's files",
        fidelity: Fidelity::High,
        listens: &[Listen::tcp(21).with_data_ports(DATA_PORTS)],
        settings: &[
            SettingSpec {
                key: "server",
                label: "Server",
                kind: SettingKind::Enum(&["vsftpd", "proftpd", "pure-ftpd"]),
                help: "which server it is; the decky's own choice when unset",
            },
            SettingSpec {
                key: "banner",
                label: "Banner",
                kind: SettingKind::Text,
                help: "greeting without 220, e.g. FTP server ready.",
            },
            SettingSpec {
                key: "anonymous",
                label: "Anonymous logins",
                kind: SettingKind::Bool,
                help: "whether anonymous and ftp get in; the decky's own choice when unset",
            },
            SettingSpec {
                key: "mode",
                label: "Logins",
                kind: SettingKind::Enum(&["mixed", "always", "never", "anonymous"]),
                help: "mixed: the machine's accounts; always: everybody; never; anonymous only",
            },
            SettingSpec {
                key: "tls",
                label: "AUTH TLS",
                kind: SettingKind::Bool,
                help: "whether connections can be encrypted; yes when unset",
            },
        ],
        events: &[
            &catalogue::USER,
            &catalogue::AUTH_ATTEMPT,
            &catalogue::LOGIN_SUCCESS,
            &catalogue::COMMAND,
            &catalogue::LIST,
            &catalogue::DOWNLOAD_ATTEMPT,
            &catalogue::UPLOAD,
            &catalogue::FILE_CAPTURED,
            &catalogue::FILE_SKIPPED,
            &catalogue::BOUNCE_ATTEMPT,
            &catalogue::DATA_REFUSED,
            &catalogue::PROTOCOL_ERROR,
        ],
    },
    open: Open::Stream(|opening| Box::new(session::FtpSession::new(opening))),
};

#[cfg(test)]
mod tests;
