//! The database servers of a release, and what is a decky's own about them.

use base_model::Decky;
use decoys_kit::Choices;

use super::facts::token;
use super::{Distro, Release};

impl Release {
    /// The program of the MySQL family's server.
    #[must_use]
    pub fn mysql_program(&self) -> &'static str {
        // MariaDB's server got its name with 10.4.
        let maria = self.mysql.contains("MariaDB") && !self.mysql.starts_with("5.");
        if maria { "mariadbd" } else { "mysqld" }
    }

    /// The major version of PostgreSQL, which is in all its paths.
    #[must_use]
    pub fn postgres_major(&self) -> &str {
        self.postgres.split('.').next().unwrap_or_default()
    }
}

/// Where the MySQL family's server may write files for its clients.
pub(super) fn mysql_files(distro: &Distro, release: &Release) -> &'static str {
    if release.mysql.contains("MariaDB") {
        "/var/lib/mysql"
    } else if distro.family == "debian" {
        "/var/lib/mysql-files"
    } else {
        "/var/lib/mysql-keyring"
    }
}

/// Who runs the decky's Redis server: root, unless the operator wants the account of its own.
pub(super) fn redis_user(decky: &Decky) -> &'static str {
    let setting = decky.service("redis").and_then(|redis| redis.settings.get("run_as"));
    let own = setting.and_then(|user| user.as_str()) == Some("redis");
    if own { "redis" } else { "root" }
}

/// The password of the decky's Redis server: the operator's, or on one of three deckies a bait one;
/// empty where there is none.
pub(super) fn redis_password(decky: &Decky, choices: &Choices<'_>) -> String {
    let setting = decky.service("redis").and_then(|redis| redis.settings.get("requirepass"));
    match setting.and_then(|value| value.as_str()).filter(|text| !text.is_empty()) {
        Some("none") => String::new(),
        Some(password) => password.to_owned(),
        None if choices.range("redis.open", 0, 2) > 0 => String::new(),
        None => token(choices, "redis.password", 18),
    }
}

/// What `redis.conf` has of the decky's own.
pub(super) fn redis_line(decky: &Decky, choices: &Choices<'_>, release: &Release) -> String {
    let password = redis_password(decky, choices);
    let password = if password.is_empty() {
        "# requirepass foobared".to_owned()
    } else {
        format!("requirepass {password}")
    };
    let seven = release.redis.starts_with('7');
    let more = if seven { "\nenable-protected-configs yes\nenable-module-command yes" } else { "" };
    format!("{password}{more}")
}
