//! What is asked for, checked: names and folders go into a unit file and onto command lines.

use std::path::{Component, Path, PathBuf};

use clap::Args;

use crate::refusal::{Exit, Refusal};

/// Longest name that the account tools take.
const LONGEST_NAME: usize = 32;
/// Where the unit's protection hides or empties what is there.
const HIDDEN: [&str; 9] =
    ["/dev", "/etc", "/home", "/proc", "/root", "/run", "/sys", "/tmp", "/var/tmp"];

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  decnet init --dry-run\n  decnet init\n  \
                        decnet init --user trap --group trap --install-dir /srv/trap\n  \
                        decnet init --deinit\n  decnet init --deinit --purge")]
pub(crate) struct Init {
    /// Say what would be done and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not start the service, nor at boot.
    #[arg(long)]
    pub(crate) no_start: bool,
    /// Write program, unit and tmpfiles entry again even when they are as they are to be.
    #[arg(long)]
    pub(crate) force: bool,
    /// Undo: service, program and settings go; data, secrets and user stay.
    #[arg(long)]
    pub(crate) deinit: bool,
    /// With --deinit: data, secrets, and the user and group that `init` made go too.
    #[arg(long)]
    pub(crate) purge: bool,
    /// User that the service runs as.
    #[arg(long, value_name = "NAME", default_value = "decnet")]
    pub(crate) user: String,
    /// Its group.
    #[arg(long, value_name = "NAME", default_value = "decnet")]
    pub(crate) group: String,
    /// Where the program goes.
    #[arg(long, value_name = "DIR", default_value = "/opt/decnet")]
    pub(crate) install_dir: PathBuf,
    /// Accepted and without effect.
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) venv_dir: Option<PathBuf>,
    /// Folder that stands in for `/`: files are made below it, accounts and services are let be.
    #[arg(long, value_name = "DIR", hide = true)]
    pub(crate) prefix: Option<PathBuf>,
}

/// Who and where, in a form that is safe to write into files.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) user: String,
    pub(super) group: String,
    pub(super) install_dir: PathBuf,
}

impl Names {
    /// The names of `options`.
    ///
    /// # Errors
    /// When one cannot be used.
    pub(super) fn parse(options: &Init) -> Result<Self, Refusal> {
        check_name(&options.user, "--user")?;
        check_name(&options.group, "--group")?;
        check_folder(&options.install_dir)?;
        Ok(Self {
            user: options.user.clone(),
            group: options.group.clone(),
            install_dir: options.install_dir.components().collect(),
        })
    }

    /// The program.
    pub(super) fn program(&self) -> PathBuf {
        self.install_dir.join("bin/decnet")
    }
}

fn check_name(name: &str, flag: &str) -> Result<(), Refusal> {
    let mut letters = name.bytes();
    let begins = letters.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let goes_on = letters.all(|byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-'
    });
    if name == "root" {
        let hint = "name one that nothing else runs as; it is made if it is not there";
        return Err(Refusal::new(
            Exit::Usage,
            format!("{flag} root: DECNET is not for root"),
            hint,
        ));
    }
    if begins && goes_on && name.len() <= LONGEST_NAME {
        return Ok(());
    }
    let hint = "a name is up to 32 of a-z, 0-9, _ and -, and begins with a letter or _";
    Err(Refusal::new(Exit::Usage, format!("{flag} {name:?} is not a name"), hint))
}

fn check_folder(folder: &Path) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        let what = format!("--install-dir {} {why}", folder.display());
        Err(Refusal::new(Exit::Failed, what, "give a folder of its own, like /opt/decnet"))
    };
    if !folder.is_absolute() {
        return refuse("is not absolute");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !folder.as_os_str().as_encoded_bytes().iter().all(|&byte| plain(byte)) {
        return refuse("has letters other than a-z, A-Z, 0-9, `.`, `_` and `-`");
    }
    if folder.components().any(|part| part == Component::ParentDir) {
        return refuse("leads upwards");
    }
    if folder.components().count() < 3 {
        return refuse("is not a folder of its own");
    }
    if HIDDEN.iter().any(|hidden| folder.starts_with(hidden)) {
        return refuse("is where the service cannot see it");
    }
    if folder.starts_with(super::layout::STATE_DIR) || folder.starts_with("/var/log") {
        return refuse("is where data goes");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        init: Init,
    }

    fn parse(arguments: &[&str]) -> Result<Names, String> {
        let line = Line::parse_from([&["init"], arguments].concat());
        Names::parse(&line.init).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn what_could_change_the_meaning_of_a_unit_is_refused() {
        for user in ["root", "", "a b", "0", "-x", "A", "%u", "x\nUser=root", &"a".repeat(33)] {
            assert!(parse(&[&format!("--user={user}")]).is_err(), "{user:?}");
            assert!(parse(&[&format!("--group={user}")]).is_err(), "{user:?}");
        }
        let folders =
            ["opt/decnet", "/opt/a b", "/opt/%h", "/opt/../etc/x", "/opt", "/", "/opt/a\nb"];
        for folder in folders.iter().chain(&["/home/me/decnet", "/var/lib/decnet/bin", "/tmp/x"]) {
            assert!(parse(&["--install-dir", folder]).is_err(), "{folder:?}");
        }
    }

    #[test]
    fn names_and_folders_of_ones_own_are_taken() {
        let names = parse(&["--user", "_trap-2", "--install-dir", "/srv//trap/"]).unwrap();
        assert_eq!(names.user, "_trap-2");
        assert_eq!(names.program(), Path::new("/srv/trap/bin/decnet"));
    }
}
