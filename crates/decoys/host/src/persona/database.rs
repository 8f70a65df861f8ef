//! The database servers of a release, and what is a decky's own about them.

use base_model::Decky;
use decoys_kit::Choices;

use super::Release;
use super::facts::token;

impl Release {
    /// The program of the MySQL family's server.
    #[must_use]
    pub fn mysql_program(&self) -> &'static str {
        if self.mysql.contains("MariaDB") { "mariadbd" } else { "mysqld" }
    }

    /// Where the MySQL family's server may write files for its clients.
    pub(super) fn mysql_files(&self) -> &'static str {
        if self.mysql_program() == "mysqld" { "/var/lib/mysql-files" } else { "/var/lib/mysql" }
    }

    /// The major version of PostgreSQL, which is in all its paths.
    #[must_use]
    pub fn postgres_major(&self) -> &str {
        self.postgres.split('.').next().unwrap_or_default()
    }
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
