//! Finding nodes: `path_resolution(7)` and what is asked of a node that was found.

use super::{Access, Creds, ROOT, Stat, Vfs};
use crate::fs::path::join;
use crate::fs::{Errno, Ino, Kind, Node};

/// Symbolic links followed in one look-up.
const MAX_LINKS: usize = 40;
/// `PATH_MAX`.
pub(super) const MAX_PATH: usize = 4096;
/// `NAME_MAX`.
const MAX_NAME: usize = 255;
/// Parts looked at in one look-up, links included.
const MAX_STEPS: usize = 2048;

impl Vfs {
    /// Finds `path` seen from `cwd`, following a final link when `follow`.
    ///
    /// # Errors
    /// As `path_resolution(7)`.
    pub fn find(&self, creds: &Creds, cwd: &[u8], path: &[u8], follow: bool) -> Result<Ino, Errno> {
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        let (parent, name) = self.walk(creds, cwd, path, follow)?;
        match name {
            None => Ok(parent),
            Some(name) => self.entry(parent, &name).ok_or(Errno::NoEntry),
        }
    }

    /// `stat(2)` (`follow`) or `lstat(2)`.
    ///
    /// # Errors
    /// As `path_resolution(7)`.
    pub fn stat(
        &self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        follow: bool,
    ) -> Result<Stat, Errno> {
        let ino = self.find(creds, cwd, path, follow)?;
        self.stat_ino(ino).ok_or(Errno::NoEntry)
    }

    /// `fstat(2)`.
    #[must_use]
    pub fn stat_ino(&self, ino: Ino) -> Option<Stat> {
        let node = self.node(ino)?.clone();
        let nlink = match &node.kind {
            Kind::Directory(entries) => {
                let dirs =
                    entries.values().filter(|ino| self.node(**ino).is_some_and(Node::is_dir));
                2 + dirs.count() as u64
            }
            _ => 1,
        };
        Some(Stat { ino, nlink, node })
    }

    /// The real path of `path`: links and dots resolved.
    ///
    /// # Errors
    /// As `path_resolution(7)`.
    pub fn real_path(&self, creds: &Creds, cwd: &[u8], path: &[u8]) -> Result<Vec<u8>, Errno> {
        let (parent, name, mut real) = self.walk_named(creds, cwd, path, true)?;
        if let Some(name) = name {
            self.entry(parent, &name).ok_or(Errno::NoEntry)?;
            real.push(b'/');
            real.extend_from_slice(&name);
        }
        if real.is_empty() {
            real.push(b'/');
        }
        Ok(real)
    }

    /// Names in the directory `ino`, sorted by bytes.
    ///
    /// # Errors
    /// `ENOTDIR`, `EACCES`.
    pub fn list(&self, creds: &Creds, ino: Ino) -> Result<Vec<(Vec<u8>, Ino)>, Errno> {
        let node = self.node(ino).ok_or(Errno::NoEntry)?;
        let Kind::Directory(entries) = &node.kind else { return Err(Errno::NotDirectory) };
        if !creds.may(node, Access::Read) {
            return Err(Errno::Access);
        }
        Ok(entries.iter().map(|(name, ino)| (name.clone(), *ino)).collect())
    }

    /// The directory of `path` and its last name; no name when it ends in the directory itself.
    /// A final link is followed when `follow`.
    pub(super) fn walk(
        &self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        follow: bool,
    ) -> Result<(Ino, Option<Vec<u8>>), Errno> {
        self.walk_named(creds, cwd, path, follow).map(|(directory, name, _)| (directory, name))
    }

    /// As [`Vfs::walk`], with the real path of the directory, empty for the root.
    fn walk_named(
        &self,
        creds: &Creds,
        cwd: &[u8],
        path: &[u8],
        follow: bool,
    ) -> Result<Place, Errno> {
        if path.is_empty() {
            return Err(Errno::NoEntry);
        }
        if path.len() > MAX_PATH || path.contains(&0) {
            return Err(if path.contains(&0) { Errno::Invalid } else { Errno::NameTooLong });
        }
        let full = join(cwd, path);
        let must_be_dir = full.ends_with(b"/") || full.ends_with(b"/.");
        let mut todo = parts(&full);
        let mut trail = vec![ROOT];
        let mut names: Vec<Vec<u8>> = Vec::new();
        let real = |names: &[Vec<u8>]| -> Vec<u8> {
            names
                .iter()
                .flat_map(|name| std::iter::once(b'/').chain(name.iter().copied()))
                .collect()
        };
        let mut links = 0;
        let mut steps = 0;
        while let Some(part) = todo.pop() {
            steps += 1;
            if steps > MAX_STEPS {
                return Err(Errno::NameTooLong);
            }
            let here = trail.last().copied().unwrap_or(ROOT);
            let node = self.node(here).ok_or(Errno::NoEntry)?;
            if !node.is_dir() {
                return Err(Errno::NotDirectory);
            }
            if !creds.may(node, Access::Execute) {
                return Err(Errno::Access);
            }
            if part == b"." {
                continue;
            }
            if part == b".." {
                if trail.len() > 1 {
                    trail.pop();
                    names.pop();
                }
                continue;
            }
            if part.len() > MAX_NAME {
                return Err(Errno::NameTooLong);
            }
            let last = todo.is_empty();
            let Some(ino) = self.entry(here, &part) else {
                return if last {
                    Ok((here, Some(part), real(&names)))
                } else {
                    Err(Errno::NoEntry)
                };
            };
            match self.node(ino).map(|node| &node.kind) {
                Some(Kind::Symlink(target)) if !last || follow || must_be_dir => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::Loop);
                    }
                    if target.first() == Some(&b'/') {
                        trail.truncate(1);
                        names.clear();
                    }
                    todo.extend(parts(target));
                }
                Some(Kind::Directory(_)) if !last => {
                    trail.push(ino);
                    names.push(part);
                }
                Some(Kind::Directory(_)) | None => return Ok((here, Some(part), real(&names))),
                Some(_) if !last || must_be_dir => return Err(Errno::NotDirectory),
                Some(_) => return Ok((here, Some(part), real(&names))),
            }
        }
        Ok((trail.last().copied().unwrap_or(ROOT), None, real(&names)))
    }

    /// The node called `name` in `directory`.
    pub(super) fn entry(&self, directory: Ino, name: &[u8]) -> Option<Ino> {
        match &self.node(directory)?.kind {
            Kind::Directory(entries) => entries.get(name).copied(),
            _ => None,
        }
    }

    /// Whether `inner` is `outer` or below it.
    pub(super) fn contains(&self, outer: Ino, inner: Ino) -> bool {
        let mut stack = vec![outer];
        while let Some(ino) = stack.pop() {
            if ino == inner {
                return true;
            }
            if let Some(Kind::Directory(entries)) = self.node(ino).map(|node| &node.kind) {
                stack.extend(entries.values());
            }
        }
        false
    }
}

/// A directory, a name in it if one is left, and the directory's real path.
type Place = (Ino, Option<Vec<u8>>, Vec<u8>);

/// The parts of a path, last one first.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|&b| b == b'/').filter(|part| !part.is_empty());
    let mut parts: Vec<_> = parts.map(<[u8]>::to_vec).collect();
    parts.reverse();
    parts
}
