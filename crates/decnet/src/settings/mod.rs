//! What can be set, where, and to what (`spec/cli.md` §5).
//!
//! One table ([`ALL`]) says which settings this build has. A flag wins over the environment, that
//! over the configuration file, and that over the default. The file only fills what is not set.

mod file;
mod table;

pub(crate) use file::{Fault, write};
pub(crate) use table::{ALL, Place, Setting, find};

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use base_runtime::environment;
use clap::Command;

/// Where the configuration file is unless `DECNET_CONFIG` says otherwise.
const FILE: &str = "/etc/decnet/decnet.ini";

/// The configuration file as it was when the program started.
static READ: OnceLock<file::Read> = OnceLock::new();

/// Where the configuration file is.
pub(crate) fn path() -> PathBuf {
    environment::variable("DECNET_CONFIG").unwrap_or_else(|| FILE.to_owned()).into()
}

/// Reads the configuration file. From then on it fills what the environment does not set.
pub(crate) fn load() {
    let read = READ.get_or_init(|| file::read(&path()));
    let values = read.values.iter().map(|(name, found)| (name.clone(), found.value.clone()));
    environment::fill(values.collect::<BTreeMap<_, _>>());
}

/// `command` with what the configuration file says as defaults of the flags that variables set.
pub(crate) fn fill(command: Command) -> Command {
    let values = READ.get().map(|read| &read.values);
    let filled = command.mut_args(|arg| {
        let name = arg.get_env().and_then(|name| name.to_str());
        match name.and_then(|name| values?.get(name)) {
            Some(found) => arg.default_value(found.value.as_str()).hide_default_value(true),
            None => arg,
        }
    });
    filled.mut_subcommands(fill)
}

/// What is wrong in the configuration file and in the environment.
pub(crate) fn faults() -> Vec<Fault> {
    let mut faults = READ.get().map(|read| read.faults.clone()).unwrap_or_default();
    for name in environment::names("DECNET_") {
        match find(&name) {
            None => {
                let names = ALL.iter().filter_map(|setting| setting.variable);
                let hint = operate_fleet::did_you_mean(&name, names);
                // The test harness of DECNET has its own.
                if !name.starts_with("DECNET_TESTS_") {
                    faults.push(Fault::of_environment(&name, hint.as_deref()));
                }
            }
            Some(setting) => {
                let value = environment::variable(&name).unwrap_or_default();
                if !value.is_empty()
                    && let Err(why) = (setting.check)(&value)
                {
                    faults.push(Fault::of_value(&name, &why));
                }
            }
        }
    }
    faults
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Environment,
    File { line: usize },
    Default,
    Daemon,
    NoDaemon,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment => f.write_str("environment"),
            Self::File { line } => write!(f, "{} line {line}", path().display()),
            Self::Default => f.write_str("default"),
            Self::Daemon => f.write_str("the DECNET that runs"),
            Self::NoDaemon => f.write_str("not known: no DECNET runs"),
        }
    }
}

/// What a setting is here and now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) value: Option<String>,
    pub(crate) origin: Origin,
}

impl Effective {
    /// The value as it may be shown.
    pub(crate) fn shown(&self, setting: &Setting) -> Option<String> {
        self.value.as_deref().map(setting.mask)
    }
}

/// What the environment or the file says.
pub(crate) fn variable(setting: &Setting) -> Option<String> {
    environment::variable(setting.variable?)
}

/// What a setting that the daemon is started with would be.
pub(crate) fn effective(setting: &Setting) -> Effective {
    let found = setting.variable.and_then(|name| READ.get()?.values.get(name));
    let set = setting.variable.and_then(environment::set);
    match (set, found) {
        (Some(value), _) => Effective { value: Some(value), origin: Origin::Environment },
        (None, Some(found)) => Effective {
            value: Some(found.value.clone()),
            origin: Origin::File { line: found.line },
        },
        (None, None) => Effective { value: setting.usual(), origin: Origin::Default },
    }
}

/// A configuration file with every setting, as a comment, at its default.
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "# Configuration of DECNET. A flag wins over the environment, and that over this file.\n",
    );
    let mut sections: BTreeMap<&str, Vec<(&Setting, &str)>> = BTreeMap::new();
    for setting in ALL {
        if let Place::File { section, key } = setting.place {
            sections.entry(section).or_default().push((setting, key));
        }
    }
    for (section, settings) in sections {
        text.push_str(&format!("\n[{section}]\n"));
        for (setting, key) in settings {
            let default = setting.default.unwrap_or_default();
            text.push_str(&format!("# {}\n# {key} = {default}\n", setting.about));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_a_file_without_fault_and_without_effect() {
        let text = reference();
        let read = file::understand(&text);
        assert!(read.faults.is_empty() && read.values.is_empty(), "{text}");
        let uncommented = text.replace("# api-addr", "api-addr");
        let read = file::understand(&uncommented);
        assert_eq!(read.values["DECNET_API_ADDR"].value, "127.0.0.1:8000");
    }

    #[test]
    fn every_setting_has_one_name_and_a_default_that_will_do() {
        let mut names = std::collections::BTreeSet::new();
        for setting in ALL {
            assert!(names.insert(setting.key), "{}", setting.key);
            if let Some(default) = setting.default {
                assert_eq!((setting.check)(default), Ok(()), "{}", setting.key);
            }
            assert_eq!(find(setting.key).map(|one| one.key), Some(setting.key));
        }
    }
}
