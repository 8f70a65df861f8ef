//! Answering on a listener: HTTP/1.1 with a bound on everything a client could take its time with.
//!
//! On the local socket the operating system says who calls, so no token is needed; whoever is neither
//! root nor the user that runs DECNET is not answered at all.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base_runtime::Shutdown;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::Service as _;

use crate::access::Local;
use crate::api::Api;
use crate::guard::Client;
use crate::{proxies, router, telemetry};

/// Connections at a time; more wait in the listener's backlog.
const CONNECTIONS: usize = 2048;
/// How long a request's head may take to arrive, from the end of the one before.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Bytes of a request's head.
const HEAD_SIZE: usize = 32 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// How long sent bytes may stay unacknowledged before the client counts as gone.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long answers under way may take once the end was asked for.
const FAREWELL: Duration = Duration::from_secs(10);
/// Pause after a failed accept: mostly a want of descriptors, which takes a moment to pass.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the API on `listener` until `shutdown` is asked for, then lets answers under way end.
pub async fn serve(listener: TcpListener, api: Api, shutdown: Shutdown) {
    let router = router(api.clone());
    serve_router(listener, api, router, shutdown).await;
}

/// The same with a router of the caller's making around the one of [`router()`]: for a dashboard under
/// the same address.
pub async fn serve_router(listener: TcpListener, api: Api, router: Router, shutdown: Shutdown) {
    serve_limited(listener, api, router, shutdown, HEAD_TIME).await;
}

/// Serves the API on the local socket `listener`, for operators of this machine.
pub async fn serve_local(listener: UnixListener, api: Api, shutdown: Shutdown) {
    let router = router(api.clone());
    accept_all(Listener::Local(listener), api, router, shutdown, HEAD_TIME).await;
}

pub(crate) async fn serve_limited(
    listener: TcpListener,
    api: Api,
    router: Router,
    shutdown: Shutdown,
    head_time: Duration,
) {
    accept_all(Listener::Tcp(listener), api, router, shutdown, head_time).await;
}

/// Where requests come from.
enum Listener {
    Tcp(TcpListener),
    Local(UnixListener),
}

enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Local(UnixStream, Local),
}

impl Listener {
    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                listener.accept().await.map(|(stream, addr)| Accepted::Tcp(stream, addr))
            }
            Self::Local(listener) => loop {
                let (stream, _) = listener.accept().await?;
                let uid = stream.peer_cred()?.uid();
                if uid == 0 || uid == rustix::process::geteuid().as_raw() {
                    return Ok(Accepted::Local(stream, Local { uid }));
                }
                telemetry::stranger_refused(uid);
            },
        }
    }
}

async fn accept_all(
    listener: Listener,
    api: Api,
    router: Router,
    shutdown: Shutdown,
    head_time: Duration,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let accept = async || {
        let place = places.clone().acquire_owned().await;
        (place, listener.accept().await)
    };
    loop {
        let (place, accepted) = tokio::select! {
            () = shutdown.asked() => break,
            next = accept() => next,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok(accepted) => {
                let (router, api, shutdown) = (router.clone(), api.clone(), shutdown.clone());
                connections.spawn(async move {
                    match accepted {
                        Accepted::Tcp(stream, addr) => {
                            patient(&stream);
                            let from = From::Network(addr);
                            talk(stream, from, router, api, shutdown, head_time).await;
                        }
                        Accepted::Local(stream, local) => {
                            let from = From::Machine(local);
                            talk(stream, from, router, api, shutdown, head_time).await;
                        }
                    }
                    drop(place);
                });
            }
            Err(error) => {
                telemetry::accept_failed(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    api.0.closing.ask();
    let all = async { while connections.join_next().await.is_some() {} };
    // Whoever is not done by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(FAREWELL, all).await;
}

/// Who is at the other end.
#[derive(Clone, Copy)]
enum From {
    Network(SocketAddr),
    Machine(Local),
}

fn patient(stream: &TcpStream) {
    // Live frames are small and should not wait for one another.
    let _ = stream.set_nodelay(true);
    let unacknowledged = u32::try_from(UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, unacknowledged);
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: From,
    router: Router,
    api: Api,
    shutdown: Shutdown,
    head_time: Duration,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        match from {
            From::Network(addr) => {
                let trusted = &api.0.config.trusted_proxies;
                let client = proxies::client(addr, request.headers(), trusted);
                request.extensions_mut().insert(Client(client));
            }
            From::Machine(local) => {
                request.extensions_mut().insert(Client(Ipv4Addr::LOCALHOST.into()));
                request.extensions_mut().insert(local);
            }
        }
        async move {
            // A router is always ready.
            let answer: Result<_, Infallible> = router.call(request).await;
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_header_size(HEAD_SIZE)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.asked() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        telemetry::connection_ended(&error);
    }
}
