//! The kernel's questions, answered from the tree.
//!
//! Nothing is cached by the kernel but pages of open files, so that a power cut shows at once.
//! Locks are the kernel's own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenAccMode, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::content::PAGE;
use super::tree::{Body, Owner, ROOT, Tree, empty_file, empty_folder};

/// Nothing the kernel was told stays true by itself.
const TTL: Duration = Duration::ZERO;
/// Pages of an empty disk, for those who ask.
const PAGES: u64 = 1 << 24;
const GENERATION: Generation = Generation(0);

/// The mounted side; shares the tree with the test.
pub(super) struct Mounted {
    pub(super) tree: Arc<Mutex<Tree>>,
    listings: Mutex<Listings>,
}

/// Folders being read, each as it was when opened.
#[derive(Default)]
struct Listings {
    next: u64,
    open: BTreeMap<u64, Vec<(OsString, u64, FileType)>>,
}

impl Mounted {
    pub(super) fn new(tree: Arc<Mutex<Tree>>) -> Self {
        Self { tree, listings: Mutex::default() }
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap()
    }

    fn make(
        &self,
        parent: INodeNo,
        name: &OsStr,
        body: Body,
        owner: Owner,
    ) -> Result<FileAttr, Errno> {
        let mut tree = self.tree();
        let ino = tree.make(parent.0, name, body, owner)?;
        attributes(&tree, ino)
    }
}

fn attributes(tree: &Tree, ino: u64) -> Result<FileAttr, Errno> {
    let node = tree.node(ino)?;
    let (kind, size) = match &node.body {
        Body::File(content) => (FileType::RegularFile, content.len()),
        Body::Folder { .. } => (FileType::Directory, PAGE),
    };
    let at = node.modified;
    Ok(FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(PAGE) * (PAGE / 512),
        atime: at,
        mtime: at,
        ctime: at,
        crtime: at,
        kind,
        perm: node.mode,
        nlink: node.links,
        uid: node.uid,
        gid: node.gid,
        rdev: 0,
        blksize: PAGE as u32,
        flags: 0,
    })
}

fn owner(request: &Request, mode: u32, umask: u32) -> Owner {
    let mode = (mode & !umask & 0o7777) as u16;
    Owner { mode, uid: request.uid(), gid: request.gid() }
}

fn done(reply: ReplyEmpty, outcome: Result<(), Errno>) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn entry(reply: ReplyEntry, outcome: Result<FileAttr, Errno>) {
    match outcome {
        Ok(attributes) => reply.entry(&TTL, &attributes, GENERATION),
        Err(error) => reply.error(error),
    }
}

fn attr(reply: ReplyAttr, outcome: Result<FileAttr, Errno>) {
    match outcome {
        Ok(attributes) => reply.attr(&TTL, &attributes),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let tree = self.tree();
        let found = tree.lookup(parent.0, name).and_then(|ino| attributes(&tree, ino));
        entry(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        attr(reply, attributes(&self.tree(), ino.0));
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut tree = self.tree();
        let mut set = || {
            if let Some(size) = size {
                tree.resize(ino.0, size)?;
            }
            let node = tree.writable(ino.0)?;
            node.mode = mode.map_or(node.mode, |mode| (mode & 0o7777) as u16);
            node.uid = uid.unwrap_or(node.uid);
            node.gid = gid.unwrap_or(node.gid);
            match mtime {
                Some(TimeOrNow::SpecificTime(at)) => node.modified = at,
                Some(TimeOrNow::Now) => node.modified = SystemTime::now(),
                None => {}
            }
            attributes(&tree, ino.0)
        };
        attr(reply, set());
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        entry(reply, self.make(parent, name, empty_folder(), owner(request, mode, umask)));
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.make(parent, name, empty_file(), owner(request, mode, umask)) {
            Ok(attributes) => {
                reply.created(&TTL, &attributes, GENERATION, FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.tree().remove(parent.0, name, false));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(reply, self.tree().remove(parent.0, name, true));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        if !(flags - RenameFlags::RENAME_NOREPLACE).is_empty() {
            return reply.error(Errno::EINVAL);
        }
        done(reply, self.tree().rename((parent.0, name), (newparent.0, newname), replace));
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let mut tree = self.tree();
        let linked = tree.link(ino.0, newparent.0, newname);
        entry(reply, linked.and_then(|()| attributes(&tree, ino.0)));
    }

    fn open(&self, _: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        let mut tree = self.tree();
        let opened = match flags.acc_mode() {
            OpenAccMode::O_RDONLY => tree.node(ino.0).map(drop),
            OpenAccMode::O_WRONLY | OpenAccMode::O_RDWR => tree.writable(ino.0).map(drop),
        };
        match opened {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.tree().content(ino.0) {
            Ok(content) => reply.data(content.read(offset, size.into())),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.tree().write(ino.0, offset, data) {
            Ok(count) => reply.written(count),
            Err(error) => reply.error(error),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let mut tree = self.tree();
        let synced = tree.writable(ino.0).map(drop);
        done(reply, synced.and_then(|()| tree.content(ino.0).map(super::content::Content::sync)));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(reply, self.tree().sync_names(ino.0));
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let tree = self.tree();
        let names = match tree.names(ino.0) {
            Ok(names) => names.clone(),
            Err(error) => return reply.error(error),
        };
        let kind = |of| attributes(&tree, of).map_or(FileType::RegularFile, |found| found.kind);
        let up =
            [(".".into(), ino.0, FileType::Directory), ("..".into(), ROOT, FileType::Directory)];
        let listed = up.into_iter().chain(names.into_iter().map(|(name, of)| (name, of, kind(of))));
        let mut listings = self.listings.lock().unwrap();
        listings.next += 1;
        let handle = listings.next;
        listings.open.insert(handle, listed.collect());
        reply.opened(FileHandle(handle), FopenFlags::empty());
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listings = self.listings.lock().unwrap();
        let Some(listing) = listings.open.get(&handle.0) else {
            return reply.error(Errno::EBADF);
        };
        for (next, (name, ino, kind)) in (1..).zip(listing).skip(offset as usize) {
            if reply.add(INodeNo(*ino), next, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.listings.lock().unwrap().open.remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let free = self.tree().room.unwrap_or(PAGES);
        reply.statfs(PAGES, free, free, PAGES, PAGES, PAGE as u32, 255, PAGE as u32);
    }
}
