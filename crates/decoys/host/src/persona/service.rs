//! Which servers a machine runs where there is a choice.

use base_model::Decky;

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
