//! The settings of this build.

use std::net::SocketAddr;

use store_db::DbUrl;

/// Where a setting is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the configuration file, or a variable of the same meaning.
    File { section: &'static str, key: &'static str },
    /// In a variable only: secrets, and where the file is.
    Environment,
    /// In the database, through the API.
    Daemon,
}

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its name here.
    pub(crate) key: &'static str,
    pub(crate) variable: Option<&'static str>,
    /// The flag of `decnet up` that wins over both.
    pub(crate) flag: Option<&'static str>,
    pub(crate) place: Place,
    pub(crate) default: Option<&'static str>,
    /// What it is for, in a sentence.
    pub(crate) about: &'static str,
    /// Whether a value will do.
    pub(crate) check: fn(&str) -> Result<(), String>,
    /// A value as it may be shown.
    pub(crate) mask: fn(&str) -> String,
}

const fn decnet(key: &'static str) -> Place {
    Place::File { section: "decnet", key }
}

/// All of them.
pub(crate) const ALL: &[Setting] = &[
    Setting {
        key: "state-dir",
        variable: Some("DECNET_STATE_DIR"),
        flag: Some("--state-dir"),
        place: decnet("state-dir"),
        default: None,
        about: "Folder for everything that is kept; /var/lib/decnet for root, else ~/.local/state/decnet.",
        check: not_empty,
        mask: str::to_owned,
    },
    Setting {
        key: "api-addr",
        variable: Some("DECNET_API_ADDR"),
        flag: Some("--api-addr"),
        place: decnet("api-addr"),
        default: Some("127.0.0.1:8000"),
        about: "Address and port of the API; port 0 takes any free one.",
        check: address,
        mask: str::to_owned,
    },
    Setting {
        key: "db-url",
        variable: Some("DECNET_DB_URL"),
        flag: Some("--db"),
        place: Place::File { section: "database", key: "url" },
        default: None,
        about: "Database: a SQLite file, or mysql://user:password@host:port/name; decnet.db in the state folder when not given.",
        check: database,
        mask: without_password,
    },
    Setting {
        key: "admin-user",
        variable: Some("DECNET_ADMIN_USER"),
        flag: None,
        place: Place::File { section: "web", key: "admin-user" },
        default: Some("admin"),
        about: "Name of the administrator that the first start makes.",
        check: not_empty,
        mask: str::to_owned,
    },
    Setting {
        key: "admin-password",
        variable: Some("DECNET_ADMIN_PASSWORD"),
        flag: None,
        place: Place::Environment,
        default: None,
        about: "That administrator's first password; one is made when it is not given.",
        check: password,
        mask: hidden,
    },
    Setting {
        key: "jwt-secret",
        variable: Some("DECNET_JWT_SECRET"),
        flag: None,
        place: Place::Environment,
        default: None,
        about: "Key that sessions are signed with; one is made and kept in the state folder when it is not given.",
        check: jwt_secret,
        mask: hidden,
    },
    Setting {
        key: "secret-key",
        variable: Some("DECNET_SECRET_KEY"),
        flag: None,
        place: Place::Environment,
        default: None,
        about: "Key that secrets in the database are sealed with; one is made and kept in the state folder when it is not given.",
        check: sealing_key,
        mask: hidden,
    },
    Setting {
        key: "log",
        variable: Some("DECNET_LOG"),
        flag: None,
        place: decnet("log"),
        default: Some("info"),
        about: "Level of diagnostics: error, warn, info, debug or trace, also per part as info,sqlx=warn.",
        check: not_empty,
        mask: str::to_owned,
    },
    Setting {
        key: "config",
        variable: Some("DECNET_CONFIG"),
        flag: None,
        place: Place::Environment,
        default: Some("/etc/decnet/decnet.ini"),
        about: "Where the configuration file is.",
        check: not_empty,
        mask: str::to_owned,
    },
    Setting {
        key: "deployment-limit",
        variable: None,
        flag: None,
        place: Place::Daemon,
        default: Some("10"),
        about: "Deckies there may be.",
        check: limit,
        mask: str::to_owned,
    },
];

/// The setting called `name`, here, as a variable, or as `section.key` of the file.
pub(crate) fn find(name: &str) -> Option<&'static Setting> {
    ALL.iter().find(|setting| {
        let in_file = match setting.place {
            Place::File { section, key } => name.split_once('.') == Some((section, key)),
            Place::Environment | Place::Daemon => false,
        };
        setting.key == name || setting.variable == Some(name) || in_file
    })
}

impl Setting {
    /// What it is when nobody says otherwise.
    pub(crate) fn usual(&self) -> Option<String> {
        match self.key {
            "state-dir" => {
                let root = base_sandbox::is_root();
                Some(base_runtime::environment::default_state_dir(root).display().to_string())
            }
            _ => self.default.map(str::to_owned),
        }
    }

    /// Its name in the API.
    pub(crate) fn member(&self) -> &'static str {
        match self.key {
            "deployment-limit" => "deployment_limit",
            key => key,
        }
    }
}

fn not_empty(value: &str) -> Result<(), String> {
    if value.trim().is_empty() { Err("it must not be empty".to_owned()) } else { Ok(()) }
}

fn address(value: &str) -> Result<(), String> {
    let wrong = |_| "an address with a port is wanted, as 127.0.0.1:8000".to_owned();
    value.parse::<SocketAddr>().map(drop).map_err(wrong)
}

fn database(value: &str) -> Result<(), String> {
    value.parse::<DbUrl>().map(drop).map_err(|error| error.to_string())
}

fn password(value: &str) -> Result<(), String> {
    api::password_rules(value).map_err(|rule| format!("it {rule}"))
}

fn jwt_secret(value: &str) -> Result<(), String> {
    api::JwtSecret::parse(value).map(drop).map_err(|error| error.to_string())
}

fn sealing_key(value: &str) -> Result<(), String> {
    operate_fleet::SealingKey::parse(value).map(drop).map_err(|error| error.to_string())
}

fn limit(value: &str) -> Result<(), String> {
    match value.parse::<u16>() {
        Ok(1..=500) => Ok(()),
        _ => Err("a whole number from 1 to 500 is wanted".to_owned()),
    }
}

/// What stands for a secret.
fn hidden(_: &str) -> String {
    "********".to_owned()
}

/// A URL without its password; what is none could be anything, and is not shown.
fn without_password(value: &str) -> String {
    value.parse::<DbUrl>().map_or_else(|_| hidden(value), |url| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let shown = |key: &str, value: &str| (find(key).unwrap().mask)(value);
        for key in ["jwt-secret", "secret-key", "admin-password"] {
            assert_eq!(shown(key, "hunter2"), "********");
        }
        assert!(!shown("db-url", "mysql://u:hunter2@h/d").contains("hunter2"));
        assert!(!shown("db-url", "mysql:/u:hunter2@h/d").contains("hunter2"));
        assert_eq!(shown("api-addr", "127.0.0.1:1"), "127.0.0.1:1");
    }

    #[test]
    fn a_setting_has_a_name_here_a_variable_and_a_place_in_the_file() {
        for name in ["db-url", "DECNET_DB_URL", "database.url"] {
            assert_eq!(find(name).map(|one| one.key), Some("db-url"), "{name}");
        }
        assert!(find("decnet.jwt-secret").is_none() && find("DECNET_X").is_none());
    }

    #[test]
    fn values_are_checked_and_secrets_not_repeated() {
        let check = |key: &str, value: &str| (find(key).unwrap().check)(value);
        assert!(check("api-addr", "127.0.0.1").is_err());
        assert!(check("deployment-limit", "501").is_err());
        assert!(check("jwt-secret", &"x".repeat(31)).is_err_and(|why| !why.contains("xx")));
        assert!(check("jwt-secret", &"x".repeat(32)).is_ok());
    }
}
