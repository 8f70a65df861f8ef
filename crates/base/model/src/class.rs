//! What sort of act an event is (`spec/ingest.md` §7).

/// How much an event says about intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Housekeeping and malformed input.
    Noise,
    /// Looking around; also everything unknown.
    Scan,
    /// Trying credentials.
    Auth,
    /// Doing something with the machine.
    Interaction,
}

/// The class of event `kind` on `service`.
#[must_use]
pub fn classify(service: &str, kind: &str) -> Class {
    match kind {
        // A DNS look-up is a scan; a query elsewhere is work.
        "query" if service == "dns" || service == "llmnr" => Class::Scan,
        // A PostgreSQL start-up packet comes from an attacker.
        "startup" if service == "postgres" => Class::Scan,
        "command" | "exec" | "query" | "input" | "shell_input" | "execute" | "run"
        | "sql_query" | "redis_command" | "ldap_search" | "mail_from" | "rcpt_to"
        | "rcpt_denied" | "message_accepted" | "message_stored" | "file_captured" | "upload"
        | "download_attempt" | "retr" | "publish" | "subscribe" | "session_recorded"
        | "zone_transfer" | "tunneling_suspect" | "file_upload" | "file_download"
        | "tcpip_forward" | "bounce_attempt" => Class::Interaction,
        "auth" | "auth_attempt" | "pubkey_attempt" | "bind" | "auth_response" | "login_success" => {
            Class::Auth
        }
        "startup" | "shutdown" | "config_error" | "parse_error" | "unknown_packet"
        | "unknown_opcode" | "unknown_command" | "protocol_error" | "error" | "session_skipped" => {
            Class::Noise
        }
        _ => Class::Scan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_depends_on_the_service_where_it_must() {
        assert_eq!(classify("mysql", "query"), Class::Interaction);
        assert_eq!(classify("dns", "query"), Class::Scan);
        assert_eq!(classify("postgres", "startup"), Class::Scan);
        assert_eq!(classify("ssh", "startup"), Class::Noise);
        assert_eq!(classify("ssh", "never_heard_of"), Class::Scan);
    }
}
