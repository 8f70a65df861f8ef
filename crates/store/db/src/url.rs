//! Where the database is: parsed once, printed without its password.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DbUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A MariaDB or MySQL server.
    MySql(MySqlUrl),
}

/// How to reach a MariaDB or MySQL server. `Debug` does not print the password.
#[derive(Clone, PartialEq, Eq)]
pub struct MySqlUrl {
    /// Host name or address.
    pub host: String,
    /// TCP port, 3306 unless given.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Password; may be empty.
    pub password: String,
    /// Schema name.
    pub database: String,
}

/// The text names no database we can use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The part before `://` is not one of ours.
    #[error(
        "unknown database kind `{0}`: write a file path, sqlite:///path/to/decnet.db or mysql://user:password@host/database"
    )]
    Scheme(String),
    /// There is nothing after `sqlite://`.
    #[error("the database path is empty: write a file path such as /var/lib/decnet/decnet.db")]
    EmptyPath,
    /// A part of a server URL is missing or malformed.
    #[error(
        "bad {part} in the database URL: {mend} (form: mysql://user:password@host:port/database)"
    )]
    Part {
        /// Which part.
        part: &'static str,
        /// How to mend it.
        mend: &'static str,
    },
}

impl FromStr for DbUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => match text.split_once(':') {
                Some((scheme @ ("sqlite" | "mysql" | "mariadb"), rest)) => (scheme.into(), rest),
                _ => ("sqlite".to_owned(), text),
            },
        };
        match scheme.as_str() {
            "sqlite" if rest.is_empty() => Err(UrlError::EmptyPath),
            "sqlite" => Ok(Self::Sqlite(rest.into())),
            "mysql" | "mariadb" => server(rest).map(Self::MySql),
            _ => Err(UrlError::Scheme(scheme)),
        }
    }
}

fn server(rest: &str) -> Result<MySqlUrl, UrlError> {
    let bad = |part, mend| UrlError::Part { part, mend };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    // The last `@` separates, so that an unescaped one in the password does no harm.
    let (login, place) =
        rest.rsplit_once('@').ok_or(bad("login", "put user:password@ before the host"))?;
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (address, database) =
        place.split_once('/').ok_or(bad("database name", "add /database after the host"))?;
    if database.is_empty() || database.contains('/') {
        return Err(bad("database name", "add exactly one /database after the host"));
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(v6) => {
            let (host, after) = v6.split_once(']').ok_or(bad("host", "close the `[` with `]`"))?;
            (host, after.strip_prefix(':').unwrap_or_default())
        }
        None => address.split_once(':').unwrap_or((address, "")),
    };
    let port = match port {
        "" => 3306,
        text => text.parse().map_err(|_| bad("port", "use a number from 1 to 65535"))?,
    };
    let text = |text: &str| decoded(text).ok_or(bad("escape", "write % as %25"));
    let (host, user, database) = (text(host)?, text(user)?, text(database)?);
    if host.is_empty() {
        return Err(bad("host", "name the server"));
    }
    if user.is_empty() {
        return Err(bad("user", "name the database user"));
    }
    Ok(MySqlUrl { host, port, user, password: text(password)?, database })
}

/// Undoes percent-encoding; `None` when an escape is malformed or the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::MySql(url) => {
                write!(f, "mysql://{}@{}:{}/{}", url.user, url.host, url.port, url.database)
            }
        }
    }
}

impl fmt::Debug for DbUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for MySqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&DbUrl::MySql(self.clone()), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_understood() {
        let path = |text: &str| DbUrl::Sqlite(text.into());
        assert_eq!("/a/b.db".parse(), Ok(path("/a/b.db")));
        assert_eq!("decnet.db".parse(), Ok(path("decnet.db")));
        assert_eq!("sqlite:///a/b.db".parse(), Ok(path("/a/b.db")));
        assert_eq!("sqlite:b.db".parse(), Ok(path("b.db")));
        let expected = MySqlUrl {
            host: "db".into(),
            port: 3307,
            user: "de cnet".into(),
            password: "p@s%s:w".into(),
            database: "d".into(),
        };
        assert_eq!(
            "mariadb://de%20cnet:p@s%25s:w@db:3307/d?x=1".parse(),
            Ok(DbUrl::MySql(expected))
        );
        let Ok(DbUrl::MySql(url)) = "mysql://u@[::1]/d".parse() else { panic!("not a server") };
        assert_eq!((url.host.as_str(), url.port, url.password.as_str()), ("::1", 3306, ""));
    }

    #[test]
    fn the_password_is_never_printed() {
        let url: DbUrl = "mysql://u:hunter2@h/d".parse().unwrap();
        assert!(!format!("{url} {url:?}").contains("hunter2"));
    }

    #[test]
    fn mistakes_say_how_to_mend_them() {
        for (text, expected) in [
            ("postgres://u@h/d", "unknown database kind `postgres`"),
            ("sqlite://", "the database path is empty"),
            ("mysql://h/d", "bad login"),
            ("mysql://u@h", "bad database name"),
            ("mysql://u@h:99999/d", "bad port"),
            ("mysql://u:%zz@h/d", "bad escape"),
            ("mysql://:p@h/d", "bad user"),
        ] {
            let error = text.parse::<DbUrl>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
