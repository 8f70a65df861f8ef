//! Where things are on a machine that DECNET is installed on.

/// Everything that is kept.
pub(super) const STATE_DIR: &str = "/var/lib/decnet";
/// Captured files in it.
pub(super) const ARTIFACTS: &str = "/var/lib/decnet/artifacts";
/// Settings, secrets and the marker.
pub(super) const SETTINGS_DIR: &str = "/etc/decnet";
/// Settings of the operator's.
pub(super) const SETTINGS: &str = "/etc/decnet/decnet.ini";
/// Keys and the first password.
pub(super) const SECRETS: &str = "/etc/decnet/secrets.env";
/// Which accounts `init` made.
pub(super) const MARKER: &str = "/etc/decnet/made-by-init";
/// The service.
pub(super) const UNIT: &str = "/etc/systemd/system/decnet.service";
/// Its name.
pub(super) const UNIT_NAME: &str = "decnet.service";
/// Modes and owners of the data folders, which systemd restores at boot.
pub(super) const TMPFILES: &str = "/etc/tmpfiles.d/decnet.conf";
