//! The one folder that the decoy process may touch.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rustix::fs::{Access, Mode, OFlags};
use rustix::process::{Gid, Uid};

use crate::{Ids, SandboxError};

/// Makes `dir` (and its parents) when missing, closes it to others and gives it to `owner`.
///
/// For the keeper, before it starts the decoy process; `owner` is [`None`] when the keeper is not
/// root. Only the folder itself is changed, never through a symbolic link: what is inside belongs
/// to attackers, and walking it as root would let them choose what root changes.
///
/// # Errors
/// When the folder cannot be made, is a symbolic link, or cannot be given away.
pub fn prepare_state_dir(dir: &Path, owner: Option<Ids>) -> Result<(), SandboxError> {
    let failed =
        |action| move |source| SandboxError::StateDir { action, path: dir.to_path_buf(), source };
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(failed("make the parent of"))?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("make")(error));
        }
        Ok(()) | Err(_) => {}
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(dir, flags, Mode::empty())
        .map_err(|errno| failed("open")(errno.into()))?;
    if let Some(ids) = owner {
        rustix::fs::fchown(&folder, Some(Uid::from_raw(ids.uid)), Some(Gid::from_raw(ids.gid)))
            .map_err(|errno| failed("give away")(errno.into()))?;
    }
    rustix::fs::fchmod(&folder, Mode::RWXU).map_err(|errno| failed("close")(errno.into()))
}

/// Makes `dir` the working folder. It stays valid when its parents become untraversable with the
/// change of user, which is why every later path is relative.
pub(crate) fn enter(dir: &Path) -> Result<(), SandboxError> {
    std::env::set_current_dir(dir).map_err(|source| SandboxError::StateDir {
        action: "enter",
        path: dir.to_path_buf(),
        source,
    })
}

/// Whether the process, as it is, may list and write the working folder.
pub(crate) fn check_writable(dir: &Path) -> Result<(), SandboxError> {
    rustix::fs::access(".", Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).map_err(|_| {
        SandboxError::StateDirNotWritable { path: dir.to_path_buf(), ids: Ids::current() }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    #[test]
    fn the_folder_is_made_and_closed_to_others() {
        let outside = tempfile::tempdir().unwrap();
        let dir = outside.path().join("a/b");
        prepare_state_dir(&dir, None).unwrap();
        prepare_state_dir(&dir, Some(Ids::current())).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn a_symbolic_link_is_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let (target, link) = (outside.path().join("target"), outside.path().join("link"));
        fs::create_dir(&target).unwrap();
        let before = fs::metadata(&target).unwrap().mode();
        symlink(&target, &link).unwrap();
        assert!(matches!(
            prepare_state_dir(&link, Some(Ids { uid: 61_184, gid: 61_184 })),
            Err(SandboxError::StateDir { action: "open", .. })
        ));
        assert_eq!(fs::metadata(&target).unwrap().mode(), before);
    }
}
