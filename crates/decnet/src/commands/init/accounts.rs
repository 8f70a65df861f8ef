//! User and group, and the marker that says which of them `init` made.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;

use super::files::{self, Content, Guard};
use super::layout::MARKER;
use super::machine::Machine;
use super::options::Names;

/// A user or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    User,
    Group,
}

impl Account {
    /// Its name.
    pub(super) fn name(self, names: &Names) -> &str {
        match self {
            Self::User => &names.user,
            Self::Group => &names.group,
        }
    }

    /// What it is called on a line of the marker.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    /// Its number.
    ///
    /// # Errors
    /// When the tables cannot be read, or it is root's.
    pub(super) fn number(self, machine: &Machine, names: &Names) -> anyhow::Result<Option<u32>> {
        let number = match self {
            Self::User => machine.user_id(&names.user),
            Self::Group => machine.group_id(&names.group),
        }?;
        anyhow::ensure!(number != Some(0), "{} {} is root", self.word(), self.name(names));
        Ok(number)
    }

    /// Makes it: without a password, a shell or a home to log in to.
    pub(super) fn make(self, machine: &Machine, names: &Names) -> anyhow::Result<()> {
        match self {
            Self::Group => machine.run("groupadd", &["--system", &names.group])?,
            Self::User => {
                let shells = ["/usr/sbin/nologin", "/sbin/nologin"];
                let shell = shells.into_iter().find(|shell| Path::new(shell).exists());
                let home = names.install_dir.display().to_string();
                let arguments = [
                    "--system",
                    "--gid",
                    &names.group,
                    "--home-dir",
                    &home,
                    "--no-create-home",
                    "--shell",
                    shell.unwrap_or("/bin/false"),
                    "--comment",
                    "DECNET",
                    &names.user,
                ];
                machine.run("useradd", &arguments)?;
            }
        }
        self.mark(machine, names)
    }

    /// Whether `init` made it.
    pub(super) fn is_ours(self, machine: &Machine, names: &Names) -> anyhow::Result<bool> {
        let line = self.line(names);
        Ok(marked(machine)?.lines().any(|one| one == line))
    }

    /// Removes it.
    pub(super) fn remove(self, machine: &Machine, names: &Names) -> anyhow::Result<()> {
        match self {
            Self::User => machine.run("userdel", &[&names.user]),
            Self::Group => machine.run("groupdel", &[&names.group]),
        }
    }

    fn mark(self, machine: &Machine, names: &Names) -> anyhow::Result<()> {
        let text = format!("{}{}\n", marked(machine)?, self.line(names));
        let guard = Guard { mode: 0o644, ids: None };
        files::write_file(&machine.at(MARKER), guard, &Content::Text(text))
    }

    fn line(self, names: &Names) -> String {
        format!("{} {}", self.word(), self.name(names))
    }
}

fn marked(machine: &Machine) -> anyhow::Result<String> {
    match fs::read_to_string(machine.at(MARKER)) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("failed to read `{MARKER}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_marked_is_ours() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine::new(Some(root.path()));
        let (user, group) = ("decnet".into(), "trap".into());
        let names = Names { user, group, install_dir: "/opt/decnet".into() };
        let ours = |account: Account| account.is_ours(&machine, &names).unwrap();
        assert!(!ours(Account::User));
        Account::User.mark(&machine, &names).unwrap();
        assert!(ours(Account::User) && !ours(Account::Group));
        Account::Group.mark(&machine, &names).unwrap();
        assert!(ours(Account::User) && ours(Account::Group));
    }

    #[test]
    fn an_account_that_is_root_by_number_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/passwd"), "toor:x:0:0::/:\n").unwrap();
        let machine = Machine::new(Some(root.path()));
        let (user, group) = ("toor".into(), "toor".into());
        let names = Names { user, group, install_dir: "/opt/decnet".into() };
        Account::User.number(&machine, &names).unwrap_err();
        assert_eq!(Account::Group.number(&machine, &names).unwrap(), None);
    }
}
