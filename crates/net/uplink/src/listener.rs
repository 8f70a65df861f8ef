//! One listening socket on a decky's address.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::num::NonZeroU16;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use crate::AddressError;

/// Connections that the kernel completes while the decoy process is busy or restarting.
const BACKLOG: i32 = 1024;

/// Added to a port that is not to be had: 22 is reached at 20022, which people remember.
const HIGH: u16 = 20_000;

/// A socket that listens for one decky, non-blocking and closed on `exec`.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// The port that clients must connect to; keep it and pass it to [`bind`] next time.
    pub reached_at: u16,
    /// Why that is not the port the decky claims to have open.
    pub instead: Option<HighPort>,
}

/// Why a high port stands in for the claimed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HighPort {
    /// Ports this low are for privileged processes.
    NotPermitted,
    /// Another socket has it.
    Taken,
    /// It was that port before and stays it.
    AsBefore,
}

impl fmt::Display for HighPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPermitted => {
                "a port this low is not permitted; start as root, grant CAP_NET_BIND_SERVICE or \
                 lower net.ipv4.ip_unprivileged_port_start"
            }
            Self::Taken => "the port is taken on this address",
            Self::AsBefore => "the port was given before and is kept",
        })
    }
}

/// No socket could be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be a decky's.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The machine does not have the address (IPv6 may be switched off).
    #[error("this machine has no address {0}; give an address of 127.0.0.0/8")]
    NoSuchAddress(IpAddr),
    /// The process or the machine has no descriptor left.
    #[error(
        "no descriptor is left for {0}; raise the limit (`ulimit -n`, or `LimitNOFILE=` in the \
         systemd unit) or deploy fewer deckies"
    )]
    NoDescriptor(SocketAddr),
    /// Something else.
    #[error("failed to listen on {address}")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// A port for data connections.
#[derive(Debug)]
pub struct DataPort {
    /// The socket, non-blocking and closed on `exec`.
    pub socket: TcpListener,
    /// The port.
    pub port: u16,
}

/// Connections that the kernel completes for a data port: its client's, and some to be turned away.
const DATA_BACKLOG: i32 = 4;

/// Listens on `ip` on a port of those that the kernel hands out by itself, which is where servers let
/// it choose the ports of data connections.
///
/// # Errors
/// When `ip` is not a loopback address of this machine, or the system gives no socket.
pub fn data_port(ip: IpAddr) -> Result<DataPort, BindError> {
    let address = SocketAddr::new(crate::check_address(ip)?, 0);
    let socket = open(address, DATA_BACKLOG).map_err(|errno| match errno {
        Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT => BindError::NoSuchAddress(ip),
        Errno::MFILE | Errno::NFILE => BindError::NoDescriptor(address),
        errno => BindError::Socket { address, source: errno.into() },
    })?;
    let listener = finish(socket, None)?;
    Ok(DataPort { socket: listener.socket, port: listener.reached_at })
}

/// Listens on `ip` for the decky's `port`.
///
/// Tried in this order: `previous` (where clients reached it last time), `port`, `port` + 20000, any
/// free port. Only what makes a port unavailable leads to the next; other failures are errors.
///
/// # Errors
/// When `ip` is not a loopback address of this machine, or the system gives no socket.
pub fn bind(
    ip: IpAddr,
    port: NonZeroU16,
    previous: Option<NonZeroU16>,
) -> Result<Listener, BindError> {
    let ip = crate::check_address(ip)?;
    let port = port.get();
    if let Some(previous) = previous.map(NonZeroU16::get).filter(|&previous| previous != port)
        && let Ok(socket) = listen(ip, previous)?
    {
        return finish(socket, Some(HighPort::AsBefore));
    }
    let why = match listen(ip, port)? {
        Ok(socket) => return finish(socket, None),
        Err(why) => why,
    };
    if let Some(high) = port.checked_add(HIGH)
        && let Ok(socket) = listen(ip, high)?
    {
        return finish(socket, Some(why));
    }
    match listen(ip, 0)? {
        Ok(socket) => finish(socket, Some(why)),
        Err(_) => Err(BindError::Socket {
            address: (ip, 0).into(),
            source: io::ErrorKind::AddrInUse.into(),
        }),
    }
}

fn finish(socket: TcpListener, instead: Option<HighPort>) -> Result<Listener, BindError> {
    match socket.local_addr() {
        Ok(address) => Ok(Listener { socket, reached_at: address.port(), instead }),
        Err(source) => {
            Err(BindError::Socket { address: SocketAddr::from(([127, 0, 0, 1], 0)), source })
        }
    }
}

/// A listening socket, or why the port is unavailable.
fn listen(ip: IpAddr, port: u16) -> Result<Result<TcpListener, HighPort>, BindError> {
    let address = SocketAddr::new(ip, port);
    match open(address, BACKLOG) {
        Ok(socket) => Ok(Ok(socket)),
        Err(Errno::ACCESS) => Ok(Err(HighPort::NotPermitted)),
        Err(Errno::ADDRINUSE) => Ok(Err(HighPort::Taken)),
        Err(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT) => Err(BindError::NoSuchAddress(ip)),
        Err(Errno::MFILE | Errno::NFILE) => Err(BindError::NoDescriptor(address)),
        Err(errno) => Err(BindError::Socket { address, source: errno.into() }),
    }
}

fn open(address: SocketAddr, backlog: i32) -> rustix::io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    // Connections of an earlier run that linger do not keep the port.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, backlog)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    /// An address of this test alone: not one that deckies are assigned, and another in each process
    /// that runs tests.
    fn decky(number: u8) -> IpAddr {
        let [.., high, low] = std::process::id().to_be_bytes();
        IpAddr::from([127, 200 + number, high, low.clamp(1, 254)])
    }

    /// A port that was free a moment ago on `ip`.
    fn free_port(ip: IpAddr) -> NonZeroU16 {
        let probe = TcpListener::bind((ip, 0)).unwrap();
        NonZeroU16::new(probe.local_addr().unwrap().port()).unwrap()
    }

    #[test]
    fn the_claimed_port_is_taken_when_it_is_free() {
        let port = free_port(decky(1));
        let listener = bind(decky(1), port, None).unwrap();
        assert_eq!((listener.reached_at, listener.instead), (port.get(), None));
        assert_eq!(listener.socket.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(
            rustix::io::fcntl_getfd(&listener.socket)
                .unwrap()
                .contains(rustix::io::FdFlags::CLOEXEC)
        );

        let mut client = TcpStream::connect((decky(1), port.get())).unwrap();
        let (mut served, peer) = accept(&listener.socket);
        assert!(peer.ip().is_loopback());
        client.write_all(b"x").unwrap();
        served.read_exact(&mut [0]).unwrap();
    }

    #[test]
    fn two_deckies_have_the_same_port_each_on_its_own_address() {
        let port = free_port(decky(2));
        let first = bind(decky(2), port, None).unwrap();
        let second = bind(decky(3), port, None).unwrap();
        assert_eq!((first.reached_at, second.reached_at), (port.get(), port.get()));
        TcpStream::connect((decky(4), port.get())).unwrap_err();
    }

    #[test]
    fn a_taken_port_is_replaced_and_the_replacement_is_kept() {
        let port = free_port(decky(5));
        let occupied = bind(decky(5), port, None).unwrap();
        let other = bind(decky(5), port, None).unwrap();
        assert_eq!(other.instead, Some(HighPort::Taken));
        assert_ne!(other.reached_at, port.get());

        let before = NonZeroU16::new(other.reached_at);
        drop(other);
        let again = bind(decky(5), port, before).unwrap();
        assert_eq!(
            (NonZeroU16::new(again.reached_at), again.instead),
            (before, Some(HighPort::AsBefore))
        );
        drop(occupied);
    }

    #[test]
    fn a_previous_port_that_is_gone_gives_way_to_the_claimed_one() {
        let (port, previous) = (free_port(decky(6)), free_port(decky(7)));
        let _taken = TcpListener::bind((decky(6), previous.get()));
        if port != previous {
            let listener = bind(decky(6), port, Some(previous)).unwrap();
            assert_eq!((listener.reached_at, listener.instead), (port.get(), None));
        }
    }

    #[test]
    fn a_low_port_that_is_not_to_be_had_is_reached_20000_higher() {
        let port = NonZeroU16::new(1).unwrap();
        let ip = decky(8);
        // As root the first socket has port 1 and the second is moved; otherwise the first is moved
        // already and the second takes any port.
        let first = bind(ip, port, None).unwrap();
        let second = bind(ip, port, None).unwrap();
        let reached = [first.reached_at, second.reached_at];
        assert!(reached.contains(&20_001), "{reached:?}");
        assert!(second.instead.is_some());
    }

    #[test]
    fn a_port_near_the_end_still_finds_a_replacement() {
        let port = NonZeroU16::new(65_535).unwrap();
        let _taken = TcpListener::bind((decky(9), 65_535)).unwrap();
        let listener = bind(decky(9), port, None).unwrap();
        assert_eq!(listener.instead, Some(HighPort::Taken));
        TcpStream::connect((decky(9), listener.reached_at)).unwrap();
    }

    #[test]
    fn data_ports_of_one_decky_differ_and_stay_on_its_address() {
        let ip = decky(10);
        let (first, second) = (data_port(ip).unwrap(), data_port(ip).unwrap());
        assert_ne!(first.port, second.port);
        let mut client = TcpStream::connect((ip, first.port)).unwrap();
        accept(&first.socket).0.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
        TcpStream::connect((decky(11), first.port)).unwrap_err();
        assert!(data_port("0.0.0.0".parse().unwrap()).is_err());
    }

    #[test]
    fn no_socket_is_opened_where_others_could_reach_it() {
        let port = NonZeroU16::new(8080).unwrap();
        for outside in ["0.0.0.0", "::", "192.0.2.1", "::ffff:0.0.0.0"] {
            let error = bind(outside.parse().unwrap(), port, None).unwrap_err();
            assert!(matches!(error, BindError::Address(AddressError::Reachable(_))), "{error}");
        }
    }

    fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
        listener.set_nonblocking(false).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        stream.set_nonblocking(false).unwrap();
        (stream, peer)
    }
}
