//! Telling who started us how we are: the datagrams of `sd_notify`, which systemd and others read.
//!
//! Nothing is sent where nobody listens, and a message that cannot be sent changes nothing.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use base_runtime::{Shutdown, environment};

/// Whoever started us.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    /// Connected to its socket.
    socket: Option<UnixDatagram>,
    /// How often it wants a sign of life.
    beat: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names, if any.
    pub(crate) fn from_environment() -> Self {
        let Some(path) = environment::variable("NOTIFY_SOCKET") else { return Self::default() };
        let watched = environment::variable("WATCHDOG_PID")
            .is_none_or(|pid| pid.parse() == Ok(std::process::id()));
        let patience = environment::variable("WATCHDOG_USEC").filter(|_| watched);
        Self::new(&path, patience.and_then(|micros| micros.parse().ok()))
    }

    /// The one at `path`; `@` begins the name of a socket without a file.
    fn new(path: &str, patience_us: Option<u64>) -> Self {
        let address = match path.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None => SocketAddr::from_pathname(path),
        };
        let connected = address.and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.connect_addr(&address)?;
            // Whoever does not read is not waited for.
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        if let Err(error) = &connected {
            tracing::warn!(%error, "NOTIFY_SOCKET cannot be reached");
        }
        // Twice in the time allowed, as systemd advises.
        let beat = patience_us.map(|micros| Duration::from_micros(micros / 2));
        Self { socket: connected.ok(), beat: beat.filter(|beat| !beat.is_zero()) }
    }

    /// Everything answers.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The end has begun.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Signs of life from the runtime that does the work, until the end is asked for; a runtime that
    /// hangs gives none.
    pub(crate) async fn live(&self, shutdown: &Shutdown) {
        let Some(beat) = self.beat else { return };
        let mut beats = tokio::time::interval(beat);
        loop {
            tokio::select! {
                _ = beats.tick() => self.tell("WATCHDOG=1"),
                () = shutdown.asked() => return,
            }
        }
    }

    fn tell(&self, message: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(message.as_bytes())
        {
            tracing::warn!(%error, "NOTIFY_SOCKET does not take a message");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn it_hears_of_readiness_life_and_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let supervisor = Supervisor::new(path.to_str().unwrap(), Some(20_000));
        supervisor.ready("3 deckies");
        assert_eq!(next(&socket), "READY=1\nSTATUS=3 deckies");
        let shutdown = Shutdown::default();
        let beats = async {
            let heard = tokio::task::spawn_blocking(move || {
                assert_eq!(
                    (next(&socket), next(&socket)),
                    ("WATCHDOG=1".into(), "WATCHDOG=1".into())
                );
                socket
            });
            let socket = heard.await.unwrap();
            shutdown.ask();
            socket
        };
        let ((), socket) = tokio::join!(supervisor.live(&shutdown), beats);
        supervisor.stopping();
        socket.set_nonblocking(true).unwrap();
        let mut last = next(&socket);
        while last == "WATCHDOG=1" {
            last = next(&socket);
        }
        assert!(last.starts_with("STOPPING=1\n"));
    }

    #[test]
    fn a_socket_without_a_file_is_reached_too() {
        let name = format!("decnet-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        Supervisor::new(&format!("@{name}"), None).ready("up");
        assert_eq!(next(&socket), "READY=1\nSTATUS=up");
    }

    #[test]
    fn a_supervisor_that_is_gone_or_does_not_read_stops_nothing() {
        Supervisor::new("/nonexistent/socket", Some(1)).ready("up");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _unread = UnixDatagram::bind(&path).unwrap();
        let supervisor = Supervisor::new(path.to_str().unwrap(), None);
        for _ in 0..2000 {
            supervisor.stopping();
        }
    }
}
