//! The machine that is changed: paths below a root, who has which number, programs that are run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

/// Folders that administrators' tools are in, whatever the caller's `PATH` says.
const TOOLS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A machine, or a folder that stands in for one.
#[derive(Debug)]
pub(super) struct Machine {
    root: PathBuf,
    /// Whether it is this machine: accounts can be made and services be started.
    pub(super) live: bool,
}

/// Who a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// root alone.
    Root,
    /// root, and the service's group.
    RootAndGroup,
    /// The service's user and group.
    Service,
}

impl Machine {
    /// This machine, or `prefix` in its place.
    pub(super) fn new(prefix: Option<&Path>) -> Self {
        match prefix {
            None => Self { root: "/".into(), live: true },
            Some(root) => Self { root: root.to_path_buf(), live: false },
        }
    }

    /// Where `path` of the machine really is.
    pub(super) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether systemd runs it; a stand-in is taken for one that it runs.
    pub(super) fn has_systemd(&self) -> bool {
        !self.live || Path::new("/run/systemd/system").is_dir()
    }

    /// The number of `user`.
    pub(super) fn user_id(&self, user: &str) -> anyhow::Result<Option<u32>> {
        self.number("/etc/passwd", user)
    }

    /// The number of `group`.
    pub(super) fn group_id(&self, group: &str) -> anyhow::Result<Option<u32>> {
        self.number("/etc/group", group)
    }

    /// The third field of the line that begins with `name`.
    fn number(&self, table: &str, name: &str) -> anyhow::Result<Option<u32>> {
        let text = match fs::read(self.at(table)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("failed to read `{table}`")),
        };
        let text = String::from_utf8_lossy(&text);
        let mut lines = text.lines().map(|line| line.split(':'));
        let fields = lines.find_map(|mut fields| (fields.next() == Some(name)).then_some(fields));
        let number = fields.and_then(|mut fields| fields.nth(1)?.parse().ok());
        Ok(number)
    }

    /// User and group number that a file of `owner` is to have; nothing while an account is not there,
    /// and for a user who is not root, who cannot give files away.
    pub(super) fn ids(
        &self,
        owner: Owner,
        user: &str,
        group: &str,
    ) -> anyhow::Result<Option<(u32, u32)>> {
        if !base_sandbox::is_root() {
            return Ok(None);
        }
        let uid = match owner {
            Owner::Root | Owner::RootAndGroup => Some(0),
            Owner::Service => self.user_id(user)?,
        };
        let gid = match owner {
            Owner::Root => Some(0),
            Owner::RootAndGroup | Owner::Service => self.group_id(group)?,
        };
        Ok(uid.zip(gid))
    }

    /// Runs a tool of the machine's and waits for it.
    ///
    /// # Errors
    /// With what it said, when it is not there or fails.
    pub(super) fn run(&self, tool: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let shown = format!("{tool} {}", arguments.join(" "));
        let output = self.command(tool)?.args(arguments).output();
        let output = output.with_context(|| format!("failed to run `{shown}`"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        anyhow::bail!("`{shown}` failed ({}): {said}", output.status)
    }

    /// Whether a tool says yes.
    pub(super) fn says_yes(&self, tool: &str, arguments: &[&str]) -> anyhow::Result<bool> {
        let mut command = self.command(tool)?;
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().with_context(|| format!("failed to run `{tool}`"))?;
        Ok(status.success())
    }

    fn command(&self, tool: &str) -> anyhow::Result<Command> {
        anyhow::ensure!(self.live, "{tool} is not for a stand-in");
        let path =
            TOOLS.iter().map(|folder| Path::new(folder).join(tool)).find(|path| path.is_file());
        let path = path.with_context(|| format!("`{tool}` is not installed"))?;
        let mut command = Command::new(path);
        command.stdin(Stdio::null()).env("LC_ALL", "C");
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_from_the_tables_of_the_machine() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine::new(Some(root.path()));
        assert_eq!(machine.user_id("decnet").unwrap(), None);
        fs::create_dir(root.path().join("etc")).unwrap();
        let table = "root:x:0:0::/:\nbroken\ndecnetx:x:7:8::/:\ndecnet:x:990:988::/:\n";
        fs::write(root.path().join("etc/passwd"), table).unwrap();
        assert_eq!(machine.user_id("decnet").unwrap(), Some(990));
        assert_eq!(machine.user_id("broken").unwrap(), None);
        assert_eq!(machine.group_id("decnet").unwrap(), None);
    }

    #[test]
    fn no_path_of_a_stand_in_leaves_it() {
        let machine = Machine::new(Some(Path::new("/tmp/x")));
        assert_eq!(machine.at("/etc/decnet"), Path::new("/tmp/x/etc/decnet"));
        machine.run("true", &[]).unwrap_err();
    }
}
