//! What a service brings to the machine it runs on.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base_model::Decky;
use serde::Deserialize;

/// Accounts and files that come with a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServicePersona {
    /// Registry name of the service.
    pub(crate) name: String,
    /// System accounts: `name:uid:gid:comment:home:shell`.
    pub(crate) accounts: String,
    /// Groups: `name:gid`.
    pub(crate) groups: String,
    /// Lines of the tree.
    pub(crate) nodes: String,
    /// Texts of its files.
    pub(crate) texts: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: Vec<ServicePersona>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program; a test reads it")]
static SERVICES: LazyLock<Vec<ServicePersona>> = LazyLock::new(|| {
    let text = include_str!("../../data/personas/services.toml");
    toml::from_str::<File>(text).expect("embedded services").service
});

/// What the services of `decky` bring, in the order of the file.
pub(crate) fn services_of(decky: &Decky) -> impl Iterator<Item = &'static ServicePersona> + '_ {
    SERVICES.iter().filter(|service| decky.service(&service.name).is_some())
}

/// The FTP servers a machine may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FtpServer {
    /// vsftpd.
    Vsftpd,
    /// `ProFTPD`.
    ProFtpd,
    /// Pure-FTPd.
    PureFtpd,
}

/// The FTP server of `decky`: what its operator set, else its own choice.
#[must_use]
pub fn ftp_server(decky: &Decky) -> FtpServer {
    let set = decky.service("ftp").and_then(|ftp| ftp.settings.get("server"));
    match set.and_then(|value| value.as_str()) {
        Some("vsftpd") => FtpServer::Vsftpd,
        Some("proftpd") => FtpServer::ProFtpd,
        Some("pure-ftpd") => FtpServer::PureFtpd,
        _ => match decoys_kit::Choices::new(&decky.secret).range("persona.ftp.server", 0, 5) {
            0..=2 => FtpServer::Vsftpd,
            3 | 4 => FtpServer::ProFtpd,
            _ => FtpServer::PureFtpd,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_service_reads() {
        assert!(SERVICES.iter().any(|service| service.name == "smtp"));
        for service in SERVICES.iter() {
            for line in service.nodes.lines().filter(|line| line.starts_with("f ")) {
                let key = line.rsplit('@').next().unwrap();
                assert!(service.texts.contains_key(key), "{line}");
            }
        }
    }
}
