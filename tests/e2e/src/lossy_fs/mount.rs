//! What a test holds.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fuser::{BackgroundSession, Config, MountOption, SessionACL};
use rustix::mount::UnmountFlags;
use tempfile::TempDir;

use super::content::PAGE;
use super::fuse::Mounted;
use super::tree::{Owner, Tree};

/// A mounted file system; unmounted when dropped. Programs that work on it should have ended by
/// then.
pub struct LossyFs {
    tree: Arc<Mutex<Tree>>,
    folder: TempDir,
    _session: BackgroundSession,
}

impl LossyFs {
    /// Mounts an empty one, or says why that is not possible here.
    #[must_use]
    pub fn mount() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            crate::skipped("mounting a file system needs root");
            return None;
        }
        if !Path::new("/dev/fuse").exists() {
            crate::skipped("/dev/fuse is not there");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // The decoy process is another user and passes through here.
        let passable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), passable).unwrap();
        let owner = Owner { mode: 0o755, uid: 0, gid: 0 };
        let tree = Arc::new(Mutex::new(Tree::new(owner)));
        let mut config = Config::default();
        config.acl = SessionACL::All;
        config.mount_options =
            vec![MountOption::FSName("lossy".into()), MountOption::DefaultPermissions];
        let session = fuser::spawn_mount(Mounted::new(Arc::clone(&tree)), folder.path(), &config);
        Some(Self { tree, folder, _session: session.expect("a file system mounted") })
    }

    /// A path on it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Power fails and comes back: everything that was not made durable is gone. With a seed, some
    /// of it had reached the disk by itself. Kill the programs that write first.
    pub fn power_cut(&self, seed: Option<u64>) {
        let mut state = seed.unwrap_or_default();
        let chance = seed.map(|_| {
            move |below: u64| {
                // SplitMix64: good enough to spread harm, and the same for a seed everywhere.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) % below
            }
        });
        self.tree.lock().unwrap().cut_power(chance);
    }

    /// Leaves room for so many bytes, in whole pages; what is freed does not add to it. `None` lifts
    /// the limit.
    pub fn leave_room(&self, bytes: Option<u64>) {
        self.tree.lock().unwrap().room = bytes.map(|bytes| bytes / PAGE);
    }

    /// Forbids or allows every change.
    pub fn read_only(&self, read_only: bool) {
        self.tree.lock().unwrap().read_only = read_only;
    }
}

impl Drop for LossyFs {
    fn drop(&mut self) {
        // At once for new users, and for good when the last old one is gone.
        let _ = rustix::mount::unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::Write as _;
    use std::os::unix::fs::{MetadataExt as _, chown};

    use super::*;

    fn sync(path: &Path) {
        File::open(path).unwrap().sync_all().unwrap();
    }

    #[test]
    fn names_and_content_survive_once_both_are_synced() {
        let Some(lossy) = LossyFs::mount() else { return };
        let (root, folder) = (lossy.path(""), lossy.path("folder"));
        fs::create_dir(&folder).unwrap();
        sync(&root);
        fs::write(folder.join("kept"), "kept").unwrap();
        chown(folder.join("kept"), Some(65534), Some(65534)).unwrap();
        sync(&folder.join("kept"));
        fs::write(folder.join("empty"), "content without sync").unwrap();
        sync(&folder);
        fs::write(folder.join("nameless"), "content").unwrap();
        sync(&folder.join("nameless"));
        fs::rename(folder.join("kept"), folder.join("renamed")).unwrap();
        lossy.power_cut(None);
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["empty", "kept"]);
        assert_eq!(fs::read_to_string(folder.join("kept")).unwrap(), "kept");
        assert_eq!(fs::metadata(folder.join("kept")).unwrap().uid(), 65534);
        assert_eq!(fs::metadata(folder.join("empty")).unwrap().len(), 0);
        fs::rename(folder.join("kept"), folder.join("empty")).unwrap();
        sync(&folder);
        lossy.power_cut(Some(1));
        assert_eq!(fs::read_to_string(folder.join("empty")).unwrap(), "kept");
        assert!(!folder.join("kept").exists());
        fs::remove_dir_all(&folder).unwrap();
        assert!(fs::read_dir(&root).unwrap().next().is_none());
    }

    #[test]
    fn a_hard_link_is_one_file_before_and_after() {
        let Some(lossy) = LossyFs::mount() else { return };
        let (one, two) = (lossy.path("one"), lossy.path("two"));
        fs::write(&one, "x").unwrap();
        fs::hard_link(&one, &two).unwrap();
        sync(&one);
        sync(&lossy.path(""));
        lossy.power_cut(None);
        assert_eq!(fs::metadata(&one).unwrap().nlink(), 2);
        OpenOptions::new().append(true).open(&one).unwrap().write_all(b"y").unwrap();
        assert_eq!(fs::read_to_string(&two).unwrap(), "xy");
        fs::remove_file(&one).unwrap();
        assert_eq!(fs::metadata(&two).unwrap().nlink(), 1);
    }

    #[test]
    fn room_ends_and_comes_back_and_writing_is_forbidden_and_allowed() {
        let Some(lossy) = LossyFs::mount() else { return };
        let path = lossy.path("file");
        lossy.leave_room(Some(8192));
        let mut file = File::create(&path).unwrap();
        let error = file.write_all(&[1; 10_000]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(fs::metadata(&path).unwrap().len(), 8192);
        lossy.leave_room(None);
        file.write_all(&[1; 10_000]).unwrap();
        lossy.read_only(true);
        let refused = |outcome: std::io::Result<()>| {
            assert_eq!(outcome.unwrap_err().kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        };
        refused(file.write_all(b"x"));
        refused(File::create(lossy.path("other")).map(drop));
        refused(fs::remove_file(&path));
        assert_eq!(fs::read(&path).unwrap().len(), 18_192);
        lossy.read_only(false);
        fs::remove_file(&path).unwrap();
    }
}
