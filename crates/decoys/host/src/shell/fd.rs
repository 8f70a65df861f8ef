//! Open files of a process.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::io::{Shared, Stream, Written};
use super::limits;
use crate::HostHandle;
use crate::fs::{Device, Errno, Ino};

/// Descriptors by number.
pub(crate) type Fds = BTreeMap<i32, Fd>;

/// Something a descriptor stands for. Clones share it.
#[derive(Clone)]
pub(crate) enum Fd {
    /// Input of the session: the terminal or what the client sends.
    Input,
    /// Output of the session.
    Session(Stream),
    /// Reading end of a pipe.
    PipeRead(Arc<PipeReader>),
    /// Writing end of a pipe.
    PipeWrite(Arc<PipeWriter>),
    /// A file.
    File(Arc<OpenFile>),
    /// A device.
    Device(Device),
    /// Text of a here-document.
    Text(Arc<Mutex<VecDeque<u8>>>),
    /// Collects the output of a command substitution.
    Capture(Arc<Mutex<Vec<u8>>>),
}

/// Why a write did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// Nobody reads any more: `SIGPIPE`.
    Broken,
    /// The kernel refused.
    Errno(Errno),
}

pub(crate) struct Pipe {
    bytes: VecDeque<u8>,
    readers: bool,
    writers: bool,
}

type SharedPipe = Arc<Mutex<Pipe>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes its end when the last descriptor goes.
pub(crate) struct PipeReader(SharedPipe, Shared);
/// Closes its end when the last descriptor goes.
pub(crate) struct PipeWriter(SharedPipe, Shared);

impl Drop for PipeReader {
    fn drop(&mut self) {
        lock(&self.0).readers = false;
        self.1.lock().progress += 1;
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        lock(&self.0).writers = false;
        self.1.lock().progress += 1;
    }
}

/// A new pipe.
pub(crate) fn pipe(io: &Shared) -> (Fd, Fd) {
    let pipe = Arc::new(Mutex::new(Pipe { bytes: VecDeque::new(), readers: true, writers: true }));
    let reader = PipeReader(pipe.clone(), io.clone());
    (Fd::PipeRead(Arc::new(reader)), Fd::PipeWrite(Arc::new(PipeWriter(pipe, io.clone()))))
}

/// An open regular file. Dropping the last descriptor of a written file tells of it.
pub(crate) struct OpenFile {
    pub(crate) host: HostHandle,
    pub(crate) io: Shared,
    pub(crate) ino: Ino,
    pub(crate) path: Vec<u8>,
    pub(crate) append: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) user: String,
    pub(crate) uid: u32,
    pub(crate) writer: Mutex<String>,
    pub(crate) offset: Mutex<u64>,
    pub(crate) written: Mutex<bool>,
}

impl OpenFile {
    fn read(&self, max: usize) -> Vec<u8> {
        let now = self.io.now();
        let mut offset = lock(&self.offset);
        let bytes = self.host.read(self.ino, *offset, max, now);
        *offset += bytes.len() as u64;
        bytes
    }

    /// The last `bytes` read are to be read again.
    pub(crate) fn give_back(&self, bytes: usize) {
        let mut offset = lock(&self.offset);
        *offset = offset.saturating_sub(bytes as u64);
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Errno> {
        if !self.writable {
            return Err(Errno::BadDescriptor);
        }
        let now = self.io.now();
        let mut offset = lock(&self.offset);
        self.host.with(|machine| {
            if self.append {
                *offset = machine.fs.node(self.ino).map_or(0, crate::fs::Node::size);
            }
            machine.fs.write(self.ino, *offset, bytes, now)
        })?;
        *offset += bytes.len() as u64;
        *lock(&self.written) = true;
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if !*lock(&self.written) || !is_captured(&self.path) {
            return;
        }
        let content = self.host.with(|machine| content(machine, self.ino));
        if let Some(content) = content {
            self.io.written(Written {
                path: self.path.clone(),
                content,
                user: self.user.clone(),
                uid: self.uid,
                writer: lock(&self.writer).clone(),
            });
        }
    }
}

/// The bytes of `ino` when it holds its own.
pub(crate) fn content(machine: &crate::Machine, ino: Ino) -> Option<Arc<Vec<u8>>> {
    match machine.fs.node(ino).map(|node| &node.kind) {
        Some(crate::fs::Kind::File(crate::fs::Content::Bytes(bytes))) => Some(bytes.clone()),
        _ => None,
    }
}

/// Whether files at `path` are captured (`spec/services.md` §4).
pub(crate) fn is_captured(path: &[u8]) -> bool {
    const ROOTS: [&[u8]; 7] =
        [b"/root/", b"/tmp/", b"/var/tmp/", b"/home/", b"/var/www/", b"/opt/", b"/dev/shm/"];
    let name = crate::fs::base_name(path);
    ROOTS.iter().any(|root| path.starts_with(root))
        && name != b".bash_history"
        && name != b".viminfo"
}

impl Fd {
    /// Whether it is the terminal.
    pub(crate) fn is_tty(&self, io: &Shared) -> bool {
        match self {
            Self::Input | Self::Session(_) => io.is_tty(),
            Self::Device(device) => *device == Device::Tty,
            _ => false,
        }
    }

    /// At least one byte unless at the end, at most `max`.
    pub(crate) async fn read(&self, io: &Shared, host: &HostHandle, max: usize) -> Vec<u8> {
        match self {
            Self::Input if io.is_tty() => super::readline::cooked(io, max).await,
            Self::Device(Device::Tty) => super::readline::cooked(io, max).await,
            Self::Input => io.bytes(max).await,
            Self::PipeRead(reader) => {
                poll_fn(|_| {
                    let mut pipe = lock(&reader.0);
                    if pipe.bytes.is_empty() && pipe.writers {
                        return Poll::Pending;
                    }
                    let take = pipe.bytes.len().min(max);
                    let bytes: Vec<u8> = pipe.bytes.drain(..take).collect();
                    reader.1.lock().progress += 1;
                    Poll::Ready(bytes)
                })
                .await
            }
            Self::File(file) => {
                if file.readable {
                    file.read(max)
                } else {
                    Vec::new()
                }
            }
            Self::Device(device) => host.with(|machine| machine.read_device(*device, max)),
            Self::Text(text) => {
                let mut text = lock(text);
                let take = text.len().min(max);
                text.drain(..take).collect()
            }
            Self::Session(_) | Self::PipeWrite(_) | Self::Capture(_) => Vec::new(),
        }
    }

    /// Writes all of `bytes`.
    pub(crate) async fn write(&self, io: &Shared, bytes: &[u8]) -> Result<(), WriteError> {
        io.spend(bytes.len() / 4096);
        match self {
            Self::Session(stream) => {
                io.write(*stream, bytes).await;
                Ok(())
            }
            Self::Input | Self::Device(Device::Tty) if io.is_tty() => {
                io.write(Stream::Out, bytes).await;
                Ok(())
            }
            Self::PipeWrite(writer) => {
                let mut rest = bytes;
                poll_fn(|_| {
                    let mut pipe = lock(&writer.0);
                    if !pipe.readers {
                        return Poll::Ready(Err(WriteError::Broken));
                    }
                    let room = limits::PIPE.saturating_sub(pipe.bytes.len()).min(rest.len());
                    let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
                    pipe.bytes.extend(now);
                    rest = later;
                    if room > 0 {
                        writer.1.lock().progress += 1;
                    }
                    if rest.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
                })
                .await
            }
            Self::File(file) => file.write(bytes).map_err(WriteError::Errno),
            Self::Device(Device::Full) => Err(WriteError::Errno(Errno::NoSpace)),
            Self::Device(_) => Ok(()),
            Self::Capture(buffer) => {
                let mut buffer = lock(buffer);
                let room = limits::SUBSTITUTION.saturating_sub(buffer.len());
                if bytes.len() > room {
                    io.lock().killed = true;
                }
                buffer.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
                Ok(())
            }
            Self::Input | Self::PipeRead(_) | Self::Text(_) => {
                Err(WriteError::Errno(Errno::BadDescriptor))
            }
        }
    }
}
