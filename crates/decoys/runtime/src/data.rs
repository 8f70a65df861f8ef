//! Data connections: ports that the keeper opened beforehand, each for one client at a time.
//!
//! A port of the pool always listens, because this process can neither open nor close one. Who
//! connects before a session has announced the port, or is somebody else, is let go unheard.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use decoys_kit::TlsOffer;
use events_link::{DataSocket, Socket};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{NoTls, Secured, Wire};

/// Bytes read at once.
const READ: usize = 64 * 1024;
/// Connections that may have come before a port is announced.
const MAX_EARLY: usize = 64;

/// The data ports of one service of one decky.
pub(crate) struct DataPorts(Mutex<Vec<Port>>);

/// A listening socket and its port.
struct Port {
    listener: std::net::TcpListener,
    socket: Socket,
    number: u16,
}

impl DataPorts {
    pub(crate) fn new(ports: impl IntoIterator<Item = (DataSocket, OwnedFd)>) -> Self {
        let port = |(named, descriptor): (DataSocket, OwnedFd)| Port {
            listener: descriptor.into(),
            socket: named.socket,
            number: named.port,
        };
        Self(Mutex::new(ports.into_iter().map(port).collect()))
    }

    /// Gives up the sockets that no session has.
    pub(crate) fn into_sockets(self: Arc<Self>) -> Vec<(Socket, OwnedFd)> {
        let ports = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        ports.into_iter().map(|port| (port.socket, port.listener.into())).collect()
    }

    /// Takes the port that has rested longest.
    fn take(self: &Arc<Self>) -> io::Result<Lease> {
        let mut ports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ports.is_empty() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let port = ports.remove(0);
        drop(ports);
        let number = port.number;
        let mut lease = Lease { port: Some(port), listener: None, number, pool: Arc::clone(self) };
        lease.begin()?;
        Ok(lease)
    }
}

/// A port while it is one session's.
struct Lease {
    port: Option<Port>,
    listener: Option<TcpListener>,
    number: u16,
    pool: Arc<DataPorts>,
}

impl Lease {
    fn begin(&mut self) -> io::Result<()> {
        let Some(port) = &self.port else { return Err(io::ErrorKind::NotConnected.into()) };
        port.listener.set_nonblocking(true)?;
        let mut early = 0;
        while early < MAX_EARLY && port.listener.accept().is_ok() {
            early += 1;
        }
        self.listener = Some(TcpListener::from_std(port.listener.try_clone()?)?);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.listener = None;
        if let Some(port) = self.port.take() {
            self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).push(port);
        }
    }
}

/// What happened.
pub(crate) enum Happened {
    Connected,
    Refused(IpAddr),
    /// This many bytes are in [`DataConnection::bytes`].
    Bytes(usize),
    Sent,
    Ended,
    Failed,
}

/// The data connection of one session.
pub(crate) struct DataConnection {
    pool: Option<Arc<DataPorts>>,
    client: IpAddr,
    lease: Option<Lease>,
    stream: Option<Wire<TcpStream>>,
    out: Vec<u8>,
    sent: usize,
    sending: bool,
    buffer: Vec<u8>,
}

impl DataConnection {
    pub(crate) fn new(pool: Option<Arc<DataPorts>>, client: IpAddr) -> Self {
        Self {
            pool,
            client: client.to_canonical(),
            lease: None,
            stream: None,
            out: Vec::new(),
            sent: 0,
            sending: false,
            buffer: Vec::new(),
        }
    }

    /// Opens a port.
    pub(crate) fn listen(&mut self) -> Option<u16> {
        self.close();
        match self.pool.as_ref()?.take() {
            Ok(lease) => Some(self.lease.insert(lease).number),
            Err(error) => {
                tracing::debug!(%error, "no data port");
                None
            }
        }
    }

    /// Begins to send `bytes`.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        self.out = bytes;
        self.sent = 0;
        self.sending = true;
    }

    /// Ends connection and port.
    pub(crate) fn close(&mut self) {
        self.lease = None;
        self.out = Vec::new();
        self.sending = false;
        if let Some(stream) = self.stream.take() {
            // The kernel goes on to send what it holds.
            stream.close_now();
        }
    }

    /// Encrypts the connection.
    pub(crate) async fn start_tls(
        &mut self,
        secured: &Secured<'_>,
        offer: &TlsOffer,
    ) -> Result<(), NoTls> {
        let stream = self.stream.as_mut().ok_or(NoTls)?;
        secured.upgrade(stream, Vec::new(), offer, true).await.map(drop)
    }

    /// The bytes that [`Happened::Bytes`] counts.
    pub(crate) fn bytes(&self, count: usize) -> &[u8] {
        self.buffer.get(..count).unwrap_or_default()
    }

    /// Waits for what happens next; may be dropped and called again at any time.
    pub(crate) async fn next(&mut self, reads: bool) -> Happened {
        if let Some(stream) = &mut self.stream {
            if self.sending {
                let happened = send(stream, &self.out, &mut self.sent).await;
                self.sending = false;
                self.out = Vec::new();
                return happened;
            }
            if reads {
                self.buffer.resize(READ, 0);
                return read(stream, &mut self.buffer).await;
            }
            return std::future::pending().await;
        }
        let Some(listener) = self.lease.as_ref().and_then(|lease| lease.listener.as_ref()) else {
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, peer)) if peer.ip().to_canonical() == self.client => {
                self.stream = Some(Wire::Plain(stream));
                self.lease = None;
                Happened::Connected
            }
            Ok((_, peer)) => Happened::Refused(peer.ip().to_canonical()),
            Err(_) => Happened::Failed,
        }
    }
}

/// Sends the rest of `out`; dropped, it goes on where it was.
async fn send(stream: &mut Wire<TcpStream>, out: &[u8], sent: &mut usize) -> Happened {
    while let Some(rest) = out.get(*sent..).filter(|rest| !rest.is_empty()) {
        match stream.write(rest).await {
            Ok(count) if count > 0 => *sent += count,
            Ok(_) | Err(_) => return Happened::Failed,
        }
    }
    match stream.flush().await {
        Ok(()) => Happened::Sent,
        Err(_) => Happened::Failed,
    }
}

async fn read(stream: &mut Wire<TcpStream>, buffer: &mut [u8]) -> Happened {
    match stream.read(buffer).await {
        Ok(0) => Happened::Ended,
        Ok(count) => Happened::Bytes(count),
        Err(_) => Happened::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn pool() -> Arc<DataPorts> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        Arc::new(DataPorts::new([(DataSocket { socket: Socket(1), port }, listener.into())]))
    }

    async fn connect_from(source: Ipv4Addr, port: u16) -> TcpStream {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((source, 0).into()).unwrap();
        socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_client_is_served_and_the_port_is_free_for_the_next() {
        let pool = pool();
        let client = Ipv4Addr::new(127, 0, 0, 9);
        let mut data = DataConnection::new(Some(Arc::clone(&pool)), client.into());
        let port = data.listen().unwrap();
        let mut other = DataConnection::new(Some(pool), client.into());
        assert_eq!(other.listen(), None, "the one port is taken");
        let mut stranger = connect_from(Ipv4Addr::new(127, 0, 0, 66), port).await;
        let refused = data.next(false).await;
        assert!(matches!(refused, Happened::Refused(ip) if ip == Ipv4Addr::new(127, 0, 0, 66)));
        assert_eq!(stranger.read(&mut [0]).await.unwrap_or(0), 0);
        let stream = connect_from(client, port).await;
        assert!(matches!(data.next(false).await, Happened::Connected));
        assert!(other.listen().is_some(), "the port is given back once the client is there");
        data.send(b"hello".to_vec());
        assert!(matches!(data.next(false).await, Happened::Sent));
        data.close();
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }

    #[tokio::test]
    async fn who_came_before_the_port_was_announced_is_not_served() {
        let pool = pool();
        let port = pool.0.lock().unwrap()[0].number;
        let client = Ipv4Addr::new(127, 0, 0, 9);
        let mut early = connect_from(client, port).await;
        let mut data = DataConnection::new(Some(pool), client.into());
        assert_eq!(data.listen(), Some(port));
        assert_eq!(early.read(&mut [0]).await.unwrap_or(0), 0);
    }
}
