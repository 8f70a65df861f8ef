//! An actor on its way: connects from its own address, and tells what happens.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::Fault;
use super::wire::Wire;
use crate::plan::Login;
use crate::run::{Happening, Note, Pace};
use crate::world::Door;

/// Longest wait for a connection.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long a knock listens.
const LISTENING: Duration = Duration::from_millis(1200);

/// One actor.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    /// Its place in the plan.
    pub(crate) actor: usize,
    /// Where it comes from.
    pub(crate) source: Ipv4Addr,
    /// How fast it is.
    pub(crate) pace: Pace,
    /// Who hears what happens.
    pub(crate) notes: mpsc::Sender<Note>,
}

impl Visitor {
    /// A connection to `door`.
    pub(crate) async fn connect(&self, door: &Door) -> Result<TcpStream, Fault> {
        match self.dial(door.address).await {
            Ok(stream) => {
                self.tell(Happening::Connected(door.clone())).await;
                Ok(stream)
            }
            Err(fault) => {
                self.tell(Happening::Unreachable(door.clone())).await;
                Err(fault)
            }
        }
    }

    /// The same for text and packets.
    pub(crate) async fn wire(&self, door: &Door) -> Result<Wire, Fault> {
        Ok(Wire::new(self.connect(door).await?))
    }

    /// A further connection of a visit that is going on.
    pub(crate) async fn dial(&self, to: SocketAddrV4) -> Result<TcpStream, Fault> {
        // The world holds no other address; here it costs nothing to be sure.
        if !to.ip().is_loopback() {
            let source = std::io::ErrorKind::PermissionDenied.into();
            return Err(Fault::Unreachable { to, source });
        }
        let socket = TcpSocket::new_v4().map_err(Fault::Source)?;
        socket.bind((self.source, 0).into()).map_err(Fault::Source)?;
        let connected = timeout(CONNECTING, socket.connect(to.into())).await;
        let connected = connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let stream = connected.map_err(|source| Fault::Unreachable { to, source })?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Connects, hears what is said unasked, and leaves.
    pub(crate) async fn knock(&self, door: &Door) -> Result<(), Fault> {
        let mut wire = self.wire(door).await?;
        wire.listen(LISTENING).await
    }

    /// Waits for `ms` at normal speed.
    pub(crate) async fn pause(&self, ms: u64) {
        self.wait(Duration::from_millis(ms)).await;
    }

    /// Waits for `time` at normal speed.
    pub(crate) async fn wait(&self, time: Duration) {
        sleep(self.pace.shortened(time)).await;
    }

    /// A login was tried.
    pub(crate) async fn tried(&self, door: &Door, login: &Login, accepted: bool) {
        let (door, login) = (door.clone(), login.clone());
        self.tell(Happening::Tried { door, login, accepted }).await;
    }

    /// A command was answered.
    pub(crate) async fn commanded(&self, command: &str) {
        self.tell(Happening::Commanded(command.to_owned())).await;
    }

    /// A request was answered.
    pub(crate) async fn requested(&self) {
        self.tell(Happening::Requested).await;
    }

    /// A file was taken.
    pub(crate) async fn uploaded(&self, path: &str) {
        self.tell(Happening::Uploaded(path.to_owned())).await;
    }

    /// A mail was taken.
    pub(crate) async fn mailed(&self) {
        self.tell(Happening::Mailed).await;
    }

    /// An act ended early.
    pub(crate) async fn failed(&self, fault: Fault) {
        self.tell(Happening::Failed(fault)).await;
    }

    pub(crate) async fn tell(&self, what: Happening) {
        // The listener is gone only at the very end, when nobody wants to know.
        drop(self.notes.send(Note { actor: self.actor, what }).await);
    }
}
