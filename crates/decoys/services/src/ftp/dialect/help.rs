//! Answers of many lines.

use decoys_host::persona::FtpServer;

/// `FEAT`; `tls` when it is set up. Pure-FTPd lists it anyway.
pub(in crate::ftp) const fn features(server: FtpServer, tls: bool) -> &'static str {
    match server {
        FtpServer::Vsftpd if tls => {
            "211-Features:\r\n AUTH TLS\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n PBSZ\r\n PROT\r\n \
             REST STREAM\r\n SIZE\r\n TVFS\r\n211 End"
        }
        FtpServer::ProFtpd if tls => {
            "211-Features:\r\n AUTH TLS\r\n CCC\r\n CLNT\r\n CSID\r\n EPRT\r\n EPSV\r\n HOST\r\n \
             LANG C.UTF-8*\r\n MDTM\r\n MFF modify;UNIX.group;UNIX.mode;\r\n MFMT\r\n \
             MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.groupname*;UNIX.mode*;UNIX.owner*;UNIX.ownername*;\r\n \
             PBSZ\r\n PROT\r\n RANG STREAM\r\n REST STREAM\r\n SIZE\r\n SSCN\r\n TVFS\r\n UTF8\r\n211 End"
        }
        FtpServer::Vsftpd => {
            "211-Features:\r\n EPRT\r\n EPSV\r\n MDTM\r\n PASV\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n211 End"
        }
        FtpServer::ProFtpd => {
            "211-Features:\r\n CLNT\r\n CSID\r\n EPRT\r\n EPSV\r\n HOST\r\n LANG C.UTF-8*\r\n MDTM\r\n \
             MFF modify;UNIX.group;UNIX.mode;\r\n MFMT\r\n \
             MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.groupname*;UNIX.mode*;UNIX.owner*;UNIX.ownername*;\r\n \
             RANG STREAM\r\n REST STREAM\r\n SIZE\r\n TVFS\r\n UTF8\r\n211 End"
        }
        FtpServer::PureFtpd => {
            "211-Extensions supported:\r\n UTF8\r\n EPRT\r\n IDLE\r\n MDTM\r\n SIZE\r\n MFMT\r\n REST STREAM\r\n \
             MLST type*;size*;sizd*;modify*;UNIX.mode*;UNIX.uid*;UNIX.gid*;unique*;\r\n MLSD\r\n PRET\r\n \
             AUTH TLS\r\n PBSZ\r\n PROT\r\n TVFS\r\n ESTA\r\n PASV\r\n EPSV\r\n ESTP\r\n211 End."
        }
    }
}

/// `HELP`; `ip` is the server's address, `tls` whether it is set up.
pub(in crate::ftp) fn help(server: FtpServer, ip: &str, tls: bool) -> String {
    let text = match server {
        FtpServer::Vsftpd => "214-The following commands are recognized.\r\n \
            ABOR ACCT ALLO APPE CDUP CWD  DELE EPRT EPSV FEAT HELP LIST MDTM MKD\r\n \
            MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN REST RETR RMD  RNFR\r\n \
            RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD\r\n \
            XPWD XRMD\r\n214 Help OK."
            .to_owned(),
        FtpServer::ProFtpd => format!(
            "214-The following commands are recognized (* =>'s unimplemented):\r\n \
             CWD     XCWD    CDUP    XCUP    SMNT*   QUIT    PORT    PASV    \r\n \
             EPRT    EPSV    ALLO    RNFR    RNTO    DELE    MDTM    RMD     \r\n \
             XRMD    MKD     XMKD    PWD     XPWD    SIZE    SYST    HELP    \r\n \
             NOOP    FEAT    OPTS    HOST    CLNT    AUTH*   CCC*    CONF*   \r\n \
             ENC*    MIC*    PBSZ*   PROT*   TYPE    STRU    MODE    RETR    \r\n \
             STOR    STOU    APPE    REST    ABOR    RANG    USER    PASS    \r\n \
             ACCT*   REIN*   LIST    NLST    STAT    SITE    MLSD    MLST    \r\n\
             214 Direct comments to root@{ip}"
        ),
        FtpServer::PureFtpd => site_help(server, ip),
    };
    if !tls {
        return text;
    }
    let known = ["AUTH", "CCC", "PBSZ", "PROT"];
    known.iter().fold(text, |text, verb| text.replace(&format!("{verb}*"), &format!("{verb} ")))
}

/// `SITE HELP`.
pub(in crate::ftp) fn site_help(server: FtpServer, ip: &str) -> String {
    match server {
        FtpServer::Vsftpd => "214 CHMOD UMASK HELP".to_owned(),
        FtpServer::ProFtpd => format!(
            "214-The following SITE commands are recognized (* =>'s unimplemented)\r\n HELP\r\n \
             CHGRP\r\n CHMOD\r\n214 Direct comments to root@{ip}"
        ),
        FtpServer::PureFtpd => "214-The following SITE commands are recognized\r\n ALIAS\r\n \
            CHMOD\r\n IDLE\r\n UTIME\r\n214 Pure-FTPd - http://pureftpd.org/"
            .to_owned(),
    }
}

/// `STAT` without a path.
pub(in crate::ftp) fn status(
    server: FtpServer,
    version: &str,
    client: &str,
    user: &str,
    binary: bool,
) -> String {
    let mode = if binary { "BINARY" } else { "ASCII" };
    match server {
        FtpServer::Vsftpd => format!(
            "211-FTP server status:\r\n     Connected to {client}\r\n     Logged in as {user}\r\n     \
             TYPE: {mode}\r\n     No session bandwidth limit\r\n     \
             Session timeout in seconds is 300\r\n     Control connection is plain text\r\n     \
             Data connections will be plain text\r\n     \
             At session startup, client count was 1\r\n     \
             vsFTPd {version} - secure, fast, stable\r\n211 End of status"
        ),
        FtpServer::ProFtpd => format!(
            "211-Status of 'Debian'\r\n Connected from {client} ({client})\r\n \
             Logged in as {user}\r\n TYPE: {mode}, STRUcture: File, Mode: Stream\r\n \
             No data connection\r\n211 End of status"
        ),
        FtpServer::PureFtpd => "211 https://www.pureftpd.org/".to_owned(),
    }
}
