//! Files that cross the connection of the session itself.

mod scp;
mod sftp;

use super::BIN;

/// Where OpenSSH's own programs lie.
const OPENSSH: &str = "/usr/lib/openssh";

programs! {
    "scp" in BIN, 273_024 => scp::run;
    "sftp-server" in OPENSSH, 149_056 => sftp::run;
}
