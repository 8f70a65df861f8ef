//! The configuration file: `[section]`, `key = value`, comments after `#` or `;`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;

use super::table::{ALL, Place};

/// Most bytes of a file.
const LONGEST: u64 = 1024 * 1024;
/// Sections of settings that other builds have.
const OTHERS: [&str; 8] =
    ["api", "bus", "swarm", "logging", "ingester", "tracing", "agent", "master"];

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// By variable.
    pub(super) values: BTreeMap<String, Found>,
    pub(super) faults: Vec<Fault>,
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) value: String,
    pub(super) line: usize,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Line and column.
    at: Option<(usize, usize)>,
    what: String,
    /// Whether it cannot be passed over.
    pub(crate) is_error: bool,
    in_file: bool,
}

impl Fault {
    fn new(line: usize, column: usize, is_error: bool, what: String) -> Self {
        Self { at: Some((line, column)), what, is_error, in_file: true }
    }

    /// Whether the file is at fault, so that nothing in it can be relied on.
    pub(crate) const fn breaks_file(&self) -> bool {
        self.is_error && self.in_file
    }

    /// A variable that nothing reads.
    pub(super) fn of_environment(name: &str, hint: Option<&str>) -> Self {
        let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        Self {
            at: None,
            what: format!("nothing reads the variable {name}{hint}"),
            is_error: false,
            in_file: false,
        }
    }

    /// A variable with a value that will not do.
    pub(super) fn of_value(name: &str, why: &str) -> Self {
        Self {
            at: None,
            what: format!("{name} cannot be that: {why}"),
            is_error: true,
            in_file: false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "{} line {line} column {column}: ", super::path().display())?;
        }
        f.write_str(&self.what)
    }
}

/// Reads a file; one that is not there says nothing.
pub(super) fn read(path: &Path) -> Read {
    let text = fs::metadata(path).and_then(|metadata| {
        if metadata.len() > LONGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too long"));
        }
        fs::read_to_string(path)
    });
    match text {
        Ok(text) => understand(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Read::default(),
        Err(error) => {
            let what = format!("`{}` cannot be read: {error}", path.display());
            Read {
                faults: vec![Fault { at: None, what, is_error: true, in_file: true }],
                ..Read::default()
            }
        }
    }
}

/// What a text says.
pub(super) fn understand(text: &str) -> Read {
    let (mut read, mut section) = (Read::default(), String::new());
    for (at, whole) in text.lines().enumerate() {
        let (at, line) = (at + 1, without_comment(whole).trim());
        let column = whole.chars().take_while(|c| c.is_whitespace()).count() + 1;
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.trim().to_ascii_lowercase();
            if !is_known(&section) {
                let what = format!("nothing reads the section [{section}]");
                read.faults.push(Fault::new(at, column, false, what));
            }
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) if is_known(&section) => {
                read.setting(&section, key.trim(), value.trim(), (at, column));
            }
            Some(_) if section.is_empty() => {
                let what = "a setting stands in a section, as [decnet]".to_owned();
                read.faults.push(Fault::new(at, column, true, what));
            }
            // Of a section that was already named.
            Some(_) => {}
            None => {
                let what = "a line is `[section]` or `key = value`".to_owned();
                read.faults.push(Fault::new(at, column, true, what));
            }
        }
    }
    read
}

fn is_known(section: &str) -> bool {
    let ours = ALL.iter().any(
        |setting| matches!(setting.place, Place::File { section: ours, .. } if ours == section),
    );
    ours || OTHERS.contains(&section)
}

impl Read {
    fn setting(&mut self, section: &str, key: &str, value: &str, (line, column): (usize, usize)) {
        let key = key.to_ascii_lowercase().replace('_', "-");
        // In the general section a key is the variable's name.
        let variable = format!("DECNET_{}", key.to_ascii_uppercase().replace('-', "_"));
        let found = ALL.iter().find(|setting| match setting.place {
            Place::File { section: ours, key: known } => {
                (ours == section && known == key)
                    || (section == "decnet" && setting.variable == Some(&variable))
            }
            Place::Environment | Place::Daemon => false,
        });
        let mut fault = |is_error, what| {
            self.faults.push(Fault::new(line, column, is_error, what));
        };
        let Some(setting) = found else {
            let secret = ALL.iter().any(|setting| setting.variable == Some(&variable));
            if secret && section == "decnet" {
                let what = format!("`{key}` is not read from a file; set {variable}");
                return fault(false, what);
            }
            let here = ALL.iter().filter_map(|setting| match setting.place {
                Place::File { section: ours, key } if ours == section => Some(key),
                _ => None,
            });
            let hint = operate_fleet::did_you_mean(&key, here);
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            return fault(false, format!("nothing reads `{key}` in [{section}]{hint}"));
        };
        if let Err(why) = (setting.check)(value) {
            return fault(true, format!("`{key}` cannot be that: {why}"));
        }
        if let Some(name) = setting.variable {
            self.values.insert(name.to_owned(), Found { value: value.to_owned(), line });
        }
    }
}

/// A comment begins a line, or follows a blank.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if matches!(c, '#' | ';') && before.is_whitespace() {
            return line.get(..at).unwrap_or(line);
        }
        before = c;
    }
    line
}

/// Sets `key` of `section` in the file at `path`, and leaves the rest of it as it is.
pub(crate) fn write(path: &Path, section: &str, key: &str, value: &str) -> anyhow::Result<()> {
    let shown = path.display();
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read `{shown}`")),
    };
    let text = with(&before, section, key, value);
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::File::create(&part)?;
        // Who may read it stays as it was: a database's password may stand in it.
        if let Ok(metadata) = fs::metadata(path) {
            file.set_permissions(metadata.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    written().with_context(|| format!("failed to write `{shown}`"))
}

/// `text` with the setting in it.
fn with(text: &str, section: &str, key: &str, value: &str) -> String {
    let setting = format!("{key} = {value}");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let (mut inside, mut end) = (false, None);
    let mut place = None;
    for (at, line) in lines.iter().enumerate() {
        let line = without_comment(line).trim();
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = name.trim().eq_ignore_ascii_case(section);
        }
        if inside && !line.is_empty() {
            end = Some(at + 1);
        }
        let name = line.split_once('=').map(|(name, _)| name.trim().replace('_', "-"));
        if inside && name.is_some_and(|name| name.eq_ignore_ascii_case(key)) {
            place = Some(at);
        }
    }
    match (place.and_then(|at| lines.get_mut(at)), end) {
        (Some(line), _) => *line = setting,
        (None, Some(end)) => lines.insert(end, setting),
        (None, None) => lines.extend([format!("[{section}]"), setting]),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_fills_variables_and_comments_say_nothing() {
        let read = understand(
            "# DECNET\n[decnet]\nstate-dir = /srv/decnet ; ours\nAPI_ADDR=127.0.0.1:1 # x\n\
             [database]\r\nurl = mysql://u:p;w@h/d\r\n[web]\nadmin-user = eve\n",
        );
        assert!(read.faults.is_empty(), "{:?}", read.faults);
        let value = |name: &str| read.values[name].value.as_str();
        assert_eq!(value("DECNET_STATE_DIR"), "/srv/decnet");
        assert_eq!(value("DECNET_API_ADDR"), "127.0.0.1:1");
        assert_eq!(value("DECNET_DB_URL"), "mysql://u:p;w@h/d");
        assert_eq!(read.values["DECNET_ADMIN_USER"].line, 8);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let read = understand(
            "early = 1\n[decnet]\n  state-dri = /x\njwt-secret = hunter2\napi-addr = x\nno line\n\
             [odd]\na = b\n[bus]\nsocket = /run/x\n",
        );
        let told: Vec<_> =
            read.faults.iter().map(|fault| (fault.at.unwrap(), fault.is_error)).collect();
        let expected = [
            ((1, 1), true),
            ((3, 3), false),
            ((4, 1), false),
            ((5, 1), true),
            ((6, 1), true),
            ((7, 1), false),
            ((10, 1), false),
        ];
        assert_eq!(told, expected, "{:?}", read.faults);
        assert!(read.faults[1].to_string().ends_with("did you mean state-dir?"));
        assert!(!format!("{:?}", read.faults).contains("hunter2"));
        assert!(read.values.is_empty());
    }

    #[test]
    fn setting_one_leaves_the_rest_as_it_is() {
        let before = "# top\n[decnet]\napi_addr = 1 # old\n\n[web]\n; who\n";
        let after = with(before, "decnet", "api-addr", "127.0.0.1:2");
        assert_eq!(after, "# top\n[decnet]\napi-addr = 127.0.0.1:2\n\n[web]\n; who\n");
        let after = with(&after, "decnet", "log", "debug");
        assert!(after.contains("api-addr = 127.0.0.1:2\nlog = debug\n\n[web]"), "{after}");
        assert_eq!(with("", "web", "admin-user", "eve"), "[web]\nadmin-user = eve\n");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("below/decnet.ini");
        write(&path, "web", "admin-user", "eve").unwrap();
        write(&path, "web", "admin-user", "ida").unwrap();
        assert_eq!(read(&path).values["DECNET_ADMIN_USER"].value, "ida");
    }
}
