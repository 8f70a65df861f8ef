//! What each server says. Texts are those of vsftpd 3.0, `ProFTPD` 1.3 and Pure-FTPd 1.0 as Debian
//! packages them.

mod help;
mod reply;

pub(super) use help::{features, help, site_help, status};
pub(super) use reply::{Say, say};

use decoys_host::persona::FtpServer;

/// Commands that a server knows, besides `HELP` and `QUIT`.
pub(super) fn knows(server: FtpServer, verb: &str) -> bool {
    const ALL: &[&str] = &[
        "ABOR", "ACCT", "ALLO", "APPE", "CDUP", "CWD", "DELE", "EPRT", "EPSV", "FEAT", "HELP",
        "LIST", "MDTM", "MKD", "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PORT", "PWD",
        "QUIT", "REST", "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "STAT", "STOR", "STOU",
        "STRU", "SYST", "TYPE", "USER", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD",
    ];
    let more: &[&str] = match server {
        FtpServer::Vsftpd => &["REIN", "SMNT", "PBSZ", "PROT"],
        FtpServer::ProFtpd => &["REIN", "SMNT", "MLSD", "MLST", "MFMT", "CLNT"],
        FtpServer::PureFtpd => &["MLSD", "MLST", "MFMT", "AUTH", "PBSZ", "PROT"],
    };
    ALL.contains(&verb) || more.contains(&verb)
}

/// How long a silent client is kept, in seconds.
pub(super) const fn idle_seconds(server: FtpServer) -> u64 {
    match server {
        FtpServer::Vsftpd => 300,
        FtpServer::ProFtpd => 1200,
        FtpServer::PureFtpd => 900,
    }
}

/// Failed logins after which the client is let go.
pub(super) const fn max_failures(server: FtpServer) -> u32 {
    match server {
        FtpServer::Vsftpd | FtpServer::ProFtpd => 3,
        FtpServer::PureFtpd => 5,
    }
}
