//! Folders and files as they are to be: looked at first, changed only when they differ.
//!
//! What is changed here is root's to change, so nothing follows a symbolic link in the last part of
//! a path, and a file is there as a whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{Gid, Mode, OFlags, Uid};

/// Bytes compared at a time.
const CHUNK: usize = 64 * 1024;

/// Mode and owner of a file or folder; an owner that cannot be given is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) mode: u32,
    pub(super) ids: Option<(u32, u32)>,
}

impl Guard {
    /// Whether `path` has them.
    fn holds(self, path: &Path) -> io::Result<bool> {
        let metadata = fs::symlink_metadata(path)?;
        let ids = (metadata.uid(), metadata.gid());
        Ok(metadata.mode() & 0o7777 == self.mode && self.ids.is_none_or(|wanted| wanted == ids))
    }

    /// Gives them to what is open: its path may lead elsewhere by now.
    fn give(self, file: &File) -> io::Result<()> {
        if let Some((uid, gid)) = self.ids {
            rustix::fs::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        // After the owner: a change of it takes the set-group-ID bit away.
        rustix::fs::fchmod(file, Mode::from_raw_mode(self.mode))?;
        Ok(())
    }
}

/// Whether the folder is there as it is to be.
pub(super) fn folder_is(path: &Path, guard: Guard) -> anyhow::Result<bool> {
    match kind(path)? {
        None => Ok(false),
        Some(kind) if kind.is_dir() => Ok(guard.holds(path)?),
        Some(_) => anyhow::bail!("`{}` is there and is not a folder", path.display()),
    }
}

/// Whether the folder is there.
///
/// # Errors
/// When someone beside root may write in it.
pub(super) fn is_roots_folder(path: &Path) -> anyhow::Result<bool> {
    let Some(kind) = kind(path)? else { return Ok(false) };
    anyhow::ensure!(kind.is_dir(), "`{}` is there and is not a folder", path.display());
    let metadata = fs::symlink_metadata(path).with_context(|| read(path))?;
    // Who is not root only tries things out, in a folder of their own.
    let owner = if base_sandbox::is_root() { 0 } else { metadata.uid() };
    anyhow::ensure!(
        metadata.uid() == owner && metadata.mode() & 0o022 == 0,
        "users beside root may write in `{}`, and root may run what is there: mend its owner and \
         mode, or give another --install-dir",
        path.display()
    );
    Ok(true)
}

/// Makes the folder, or mends its mode and owner.
pub(super) fn make_folder(path: &Path, guard: Guard) -> anyhow::Result<()> {
    let made = || {
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        guard.give(&open(path, OFlags::DIRECTORY)?)
    };
    made().with_context(|| format!("failed to make the folder `{}`", path.display()))
}

/// Whether the file has its mode and owner, and what it has to hold.
pub(super) fn file_is(path: &Path, guard: Guard, content: &Content) -> anyhow::Result<bool> {
    match kind(path)? {
        None => Ok(false),
        Some(kind) if kind.is_file() => {
            let held = || io::Result::Ok(guard.holds(path)? && content.is_in(path)?);
            held().with_context(|| read(path))
        }
        Some(_) => anyhow::bail!("`{}` is there and is not a file", path.display()),
    }
}

/// What a file is to hold.
pub(super) enum Content {
    /// This text.
    Text(String),
    /// What this file holds.
    Of(PathBuf),
    /// Whatever it holds already.
    Any,
}

impl Content {
    fn is_in(&self, path: &Path) -> io::Result<bool> {
        match self {
            Self::Text(text) => Ok(fs::read(path)? == text.as_bytes()),
            Self::Of(source) => same(File::open(source)?, File::open(path)?),
            Self::Any => Ok(true),
        }
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        match self {
            Self::Text(text) => file.write_all(text.as_bytes()),
            Self::Of(source) => io::copy(&mut File::open(source)?, file).map(drop),
            Self::Any => Ok(()),
        }
    }
}

fn same(one: File, other: File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let size = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    let (mut one, mut other) = (one, other);
    loop {
        let (mut left, mut right) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
        Read::by_ref(&mut one).take(size).read_to_end(&mut left)?;
        Read::by_ref(&mut other).take(size).read_to_end(&mut right)?;
        match left == right {
            false => return Ok(false),
            true if left.is_empty() => return Ok(true),
            true => {}
        }
    }
}

/// Writes the file; who reads it meanwhile has the old one or the new one. [`Content::Any`] only
/// mends mode and owner.
pub(super) fn write_file(path: &Path, guard: Guard, content: &Content) -> anyhow::Result<()> {
    let written = || {
        if matches!(content, Content::Any) {
            return guard.give(&open(path, OFlags::NONBLOCK)?);
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = folder.join(name);
        // What an interrupted start left, whoever may read that.
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        content.write(&mut file)?;
        guard.give(&file)?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        File::open(folder)?.sync_all()
    };
    written().with_context(|| format!("failed to write `{}`", path.display()))
}

/// Whether anything is at `path`.
pub(super) fn is_there(path: &Path) -> anyhow::Result<bool> {
    Ok(kind(path)?.is_some())
}

/// Whether `path` is a folder with nothing in it.
pub(super) fn is_empty_folder(path: &Path) -> anyhow::Result<bool> {
    match kind(path)? {
        Some(kind) if kind.is_dir() => {
            Ok(fs::read_dir(path).with_context(|| read(path))?.next().is_none())
        }
        _ => Ok(false),
    }
}

/// Removes a file, an empty folder, or with `whole` a folder and everything in it.
pub(super) fn remove(path: &Path, whole: bool) -> anyhow::Result<()> {
    let removed = match kind(path)? {
        None => Ok(()),
        // Does not follow links, neither at the top nor inside.
        Some(kind) if kind.is_dir() && whole => fs::remove_dir_all(path),
        Some(kind) if kind.is_dir() => fs::remove_dir(path),
        Some(_) => fs::remove_file(path),
    };
    removed.with_context(|| format!("failed to remove `{}`", path.display()))
}

fn kind(path: &Path) -> anyhow::Result<Option<fs::FileType>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| read(path)),
    }
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

fn read(path: &Path) -> String {
    format!("failed to look at `{}`", path.display())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const PRIVATE: Guard = Guard { mode: 0o600, ids: None };

    fn text(text: &str) -> Content {
        Content::Text(text.to_owned())
    }

    #[test]
    fn a_file_that_differs_in_content_or_mode_is_not_as_it_is_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        assert!(!file_is(&path, PRIVATE, &text("x")).unwrap());
        write_file(&path, PRIVATE, &text("x")).unwrap();
        assert!(file_is(&path, PRIVATE, &text("x")).unwrap());
        assert!(!file_is(&path, PRIVATE, &text("y")).unwrap());
        assert!(!file_is(&path, Guard { mode: 0o640, ids: None }, &text("x")).unwrap());
        let copy = folder.path().join("copy");
        write_file(&copy, PRIVATE, &Content::Of(path.clone())).unwrap();
        assert!(file_is(&copy, PRIVATE, &Content::Of(path.clone())).unwrap());
        fs::write(&path, "y").unwrap();
        assert!(!file_is(&copy, PRIVATE, &Content::Of(path)).unwrap());
    }

    #[test]
    fn a_link_is_never_written_through_nor_taken_for_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "theirs").unwrap();
        symlink(&target, &link).unwrap();
        file_is(&link, PRIVATE, &text("theirs")).unwrap_err();
        symlink(&target, folder.path().join("new.part")).unwrap();
        write_file(&folder.path().join("new"), PRIVATE, &text("ours")).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        let (inside, kept) = (folder.path().join("inside"), folder.path().join("kept"));
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        fs::create_dir(&inside).unwrap();
        symlink(&kept, inside.join("out")).unwrap();
        folder_is(&inside.join("out"), PRIVATE).unwrap_err();
        remove(&inside, true).unwrap();
        assert!(kept.join("file").exists() && !inside.exists());
    }

    #[test]
    fn a_folder_that_others_write_in_is_not_one_for_programs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bin");
        assert!(!is_roots_folder(&path).unwrap());
        make_folder(&path, Guard { mode: 0o755, ids: None }).unwrap();
        assert!(is_roots_folder(&path).unwrap());
        make_folder(&path, Guard { mode: 0o775, ids: None }).unwrap();
        is_roots_folder(&path).unwrap_err();
    }

    #[test]
    fn the_set_group_id_bit_survives_a_change_of_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("artifacts");
        let ids = base_sandbox::is_root().then_some((61_184, 61_184));
        let guard = Guard { mode: 0o2775, ids };
        make_folder(&path, guard).unwrap();
        assert!(folder_is(&path, guard).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o2775);
        assert!(is_empty_folder(&path).unwrap());
    }
}
