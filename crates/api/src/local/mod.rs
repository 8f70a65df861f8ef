//! The local socket: how commands on this machine reach the DECNET that runs on a state folder.

mod client;
mod frames;
mod live;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientError};
pub use live::{Follower, Heard};

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// Its name in the state folder.
const NAME: &str = "api.sock";

/// The folder, held open, and the socket's path by way of it: the address of a socket has room for
/// about 100 bytes, a folder's path may have more.
fn reach(state: &Path) -> io::Result<(File, PathBuf)> {
    let folder = File::open(state)?;
    let path = format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd());
    Ok((folder, path.into()))
}

/// Opens the socket in the folder `state`, which is this process's alone.
///
/// # Errors
/// When the folder does not allow it.
pub fn listen(state: &Path) -> io::Result<UnixListener> {
    let (_folder, path) = reach(state)?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connects to the DECNET that runs on `state`.
async fn connect(state: &Path) -> io::Result<UnixStream> {
    let (_folder, path) = reach(state)?;
    UnixStream::connect(path).await
}
