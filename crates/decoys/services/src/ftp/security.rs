//! `AUTH`, `PBSZ` and `PROT` (RFC 4217): what each server answers, and what it leads to. Texts and order
//! are those measured at the servers themselves.

use decoys_host::persona::FtpServer;
use decoys_kit::TlsServer;

/// What is encrypted on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Security {
    /// The server offers it.
    pub(super) offered: bool,
    /// The control connection is.
    pub(super) control: bool,
    /// Data connections are to be.
    pub(super) data: bool,
}

/// What comes of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Say(String),
    /// Says it, and begins TLS.
    Begin(&'static str),
    /// The server does not know the command where it stands.
    Unknown,
    /// It wants a login first.
    LoginFirst,
}

/// The software, as far as its TLS goes.
pub(super) const fn tls_server(server: FtpServer) -> TlsServer {
    match server {
        FtpServer::Vsftpd => TlsServer::Vsftpd,
        FtpServer::ProFtpd => TlsServer::ProFtpd,
        FtpServer::PureFtpd => TlsServer::PureFtpd,
    }
}

impl Security {
    /// What `server` does for `verb`, one of the three. vsftpd knows the word `AUTH` only before a
    /// login.
    pub(super) fn command(
        &mut self,
        server: FtpServer,
        verb: &str,
        argument: &str,
        logged_in: bool,
    ) -> Answer {
        let argument = argument.to_ascii_uppercase();
        match (server, verb) {
            _ if !self.offered => self.refused(server, verb),
            (FtpServer::Vsftpd, "AUTH") if logged_in => Answer::Unknown,
            (FtpServer::Vsftpd, "AUTH") if self.control => Answer::LoginFirst,
            (FtpServer::ProFtpd, "AUTH") if self.control => {
                say("503 Unwilling to accept second AUTH")
            }
            (FtpServer::ProFtpd, "AUTH") if argument.is_empty() => {
                say("504 AUTH requires at least one argument")
            }
            (_, "AUTH") => match argument.as_str() {
                "TLS" | "TLS-C" | "TLS-P" | "SSL" if !self.control => Answer::Begin(match server {
                    FtpServer::Vsftpd => "234 Proceed with negotiation.",
                    FtpServer::ProFtpd => "234 AUTH TLS successful",
                    FtpServer::PureFtpd => "234 AUTH TLS OK.",
                }),
                // Pure-FTPd says so again and does nothing.
                "TLS" | "TLS-C" | "TLS-P" | "SSL" => say("234 AUTH TLS OK."),
                _ => say(match server {
                    FtpServer::Vsftpd => "504 Unknown AUTH type.",
                    FtpServer::ProFtpd => "500 AUTH not understood",
                    FtpServer::PureFtpd => "500 This security scheme is not implemented",
                }),
            },
            _ if !self.control => match server {
                FtpServer::Vsftpd => Answer::Say(format!("503 {verb} needs a secure connection.")),
                FtpServer::ProFtpd => Answer::Unknown,
                FtpServer::PureFtpd => self.refused(server, verb),
            },
            (FtpServer::Vsftpd, "PBSZ") => say("200 PBSZ set to 0."),
            (FtpServer::ProFtpd, "PBSZ") if argument == "0" => say("200 PBSZ 0 successful"),
            (FtpServer::ProFtpd, "PBSZ") => say("200 PBSZ=0 successful"),
            (FtpServer::PureFtpd, "PBSZ") => say("200 PBSZ=0"),
            _ => self.level(server, &argument),
        }
    }

    /// `PROT` on an encrypted connection.
    fn level(&mut self, server: FtpServer, level: &str) -> Answer {
        match level {
            "P" | "C" => self.data = level == "P",
            _ if server == FtpServer::PureFtpd => {
                self.data = matches!(level, "S" | "E");
            }
            _ => {}
        }
        say(match (server, level) {
            (FtpServer::Vsftpd, "P") => "200 PROT now Private.",
            (FtpServer::Vsftpd, "C") => "200 PROT now Clear.",
            (FtpServer::Vsftpd, "S" | "E") => "536 PROT not supported.",
            (FtpServer::Vsftpd, _) => "504 PROT not recognized.",
            (FtpServer::ProFtpd, "P") => "200 Protection set to Private",
            (FtpServer::ProFtpd, "C") => "200 Protection set to Clear",
            (FtpServer::ProFtpd, "") => "501 Invalid number of parameters",
            (FtpServer::ProFtpd, "S" | "E") => {
                return Answer::Say(format!("536 PROT {level} unsupported"));
            }
            (FtpServer::ProFtpd, _) => {
                return Answer::Say(format!("504 PROT {level} unsupported"));
            }
            (FtpServer::PureFtpd, "P") => "200 Data protection level set to \"private\"",
            (FtpServer::PureFtpd, "C") => "200 Data protection level set to \"clear\"",
            (FtpServer::PureFtpd, "S" | "E") => {
                return Answer::Say(format!(
                    "200 Protection level {level} not understood. Fallback to \"private\""
                ));
            }
            (FtpServer::PureFtpd, "") => "503 Missing argument",
            (FtpServer::PureFtpd, _) => "534 Fallback to [C]",
        })
    }

    fn refused(self, server: FtpServer, verb: &str) -> Answer {
        match (server, verb) {
            (FtpServer::Vsftpd, "AUTH") | (FtpServer::ProFtpd, _) => Answer::Unknown,
            (FtpServer::Vsftpd, _) => say("550 Permission denied."),
            (FtpServer::PureFtpd, "AUTH") => say("500 This security scheme is not implemented"),
            (FtpServer::PureFtpd, "PBSZ") => say("503 PBSZ=0"),
            (FtpServer::PureFtpd, _) => {
                say("503 PROT must be preceded by a successful PBSZ command")
            }
        }
    }
}

fn say(text: &str) -> Answer {
    Answer::Say(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_connections_are_private_only_behind_a_private_control_connection() {
        for server in [FtpServer::Vsftpd, FtpServer::ProFtpd, FtpServer::PureFtpd] {
            let mut security = Security { offered: true, ..Security::default() };
            security.command(server, "PROT", "P", false);
            assert!(!security.data, "{server:?}");
            let begun = security.command(server, "AUTH", "tls", false);
            assert!(matches!(begun, Answer::Begin(text) if text.starts_with("234 ")));
            security.control = true;
            security.command(server, "PBSZ", "0", false);
            security.command(server, "PROT", "P", false);
            assert!(security.data, "{server:?}");
            security.command(server, "PROT", "C", false);
            assert!(!security.data, "{server:?}");
        }
    }
}
