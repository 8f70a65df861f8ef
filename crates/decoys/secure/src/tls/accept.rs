//! Handshakes: a plain stream in, an encrypted one out, and what was learnt on the way.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base_model::{Fact, catalogue};
use decoys_kit::{TlsFacts, TlsServer};
use openssl::error::ErrorStack;
use openssl::ssl::{self, Ssl, SslContext};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_openssl::SslStream;

use super::answer::Answer;
use super::hello::{Heard, Hello, version_name};
use super::identity::{Identity, IdentityError};
use super::manners;
use super::tap::Tap;

/// OpenSSL counts the alerts that a peer sent from here.
const ALERTS: i32 = 1000;
/// Bytes of what was no hello that are kept.
const SAMPLE: usize = 256;

/// A server's key and manners, ready for clients. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    context: SslContext,
    patience: Duration,
    tickets: bool,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Acceptor {
    /// One with the manners of `server`, as `identity`.
    ///
    /// # Errors
    /// When OpenSSL does not take the key.
    pub fn new(server: TlsServer, identity: &Identity) -> Result<Self, IdentityError> {
        let context = manners::context(server, identity)?;
        Ok(Self { context, patience: manners::patience(server), tickets: true })
    }

    /// The same for connections whose clients may only send: a ticket that nobody reads would turn
    /// their closing into a reset, and what is under way would be lost.
    #[must_use]
    pub fn without_tickets(self) -> Self {
        Self { tickets: false, ..self }
    }
}

/// Why there is no encrypted stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// OpenSSL's word for it, or ours.
    pub reason: String,
    /// The alert that the client sent (RFC 8446 §6).
    pub alert: Option<u8>,
}

impl Failure {
    fn of(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), alert: None }
    }

    fn stack(stack: &ErrorStack) -> Self {
        let Some(error) = stack.errors().first() else { return Self::of("unknown") };
        let alert = u8::try_from(error.reason_code() - ALERTS).ok();
        Self { reason: error.reason().unwrap_or("unknown").to_owned(), alert }
    }

    fn ssl(error: &ssl::Error) -> Self {
        match (error.ssl_error(), error.io_error()) {
            (Some(stack), _) => Self::stack(stack),
            (None, Some(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Self::of("handshake too long")
            }
            // The client left, with or without a reset.
            _ => Self::of("connection closed"),
        }
    }
}

/// What came of a handshake.
#[derive(Debug)]
pub struct Handshake<S> {
    /// What the client said first, when it was a hello.
    pub hello: Option<Hello>,
    /// What we answered.
    pub answer: Option<Answer>,
    /// The stream, with what was agreed.
    pub outcome: Result<(TlsStream<S>, TlsFacts), Failure>,
    /// The beginning of what the client sent, when it was no hello.
    sample: Vec<u8>,
}

/// Shakes hands with the client of `stream`, of which `early` was read already.
pub async fn accept<S>(stream: S, early: Vec<u8>, acceptor: &Acceptor) -> Handshake<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let tap = Tap::new(stream, early);
    let made = Ssl::new(&acceptor.context).and_then(|mut ssl| {
        if !acceptor.tickets {
            ssl.set_num_tickets(0)?;
        }
        SslStream::new(ssl, tap)
    });
    let mut stream = match made {
        Ok(stream) => stream,
        Err(stack) => {
            let outcome = Err(Failure::stack(&stack));
            return Handshake { hello: None, answer: None, outcome, sample: Vec::new() };
        }
    };
    let shaking = Pin::new(&mut stream).accept();
    let shaken = tokio::time::timeout(acceptor.patience, shaking).await;
    let beginning = stream.get_mut().close();
    let hello = match Hello::read(&beginning.heard) {
        Heard::Whole(hello) => Some(hello),
        Heard::Need | Heard::Not => None,
    };
    let answer = Answer::read(&beginning.said);
    let outcome = match shaken {
        Ok(Ok(())) => {
            let facts = agreed(stream.ssl(), hello.as_ref());
            Ok((TlsStream(stream), facts))
        }
        Ok(Err(error)) => Err(Failure::ssl(&error)),
        Err(_) => Err(Failure::of("timeout")),
    };
    let mut sample = beginning.heard;
    sample.truncate(if hello.is_some() { 0 } else { SAMPLE });
    Handshake { hello, answer, outcome, sample }
}

fn agreed(ssl: &ssl::SslRef, hello: Option<&Hello>) -> TlsFacts {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    TlsFacts {
        version: ssl.version_str().to_owned(),
        cipher: ssl.current_cipher().map_or("", |cipher| cipher.name()).to_owned(),
        ja4: hello.map(Hello::ja4).unwrap_or_default(),
        sni: hello.and_then(|hello| hello.sni.as_deref()).map(lossy),
        alpn: ssl.selected_alpn_protocol().map(lossy),
        resumed: ssl.session_reused(),
    }
}

impl<S> Handshake<S> {
    /// What there is to tell.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        let ja3s = self.answer.as_ref().map(Answer::ja3s);
        if let Some(hello) = &self.hello {
            let (ja3, ja4, ja4_raw) = (hello.ja3(), hello.ja4(), hello.ja4_raw());
            let (ciphers, extensions) = (hello.raw_ciphers(), hello.raw_extensions());
            let (groups, resumption) = (hello.raw_groups(), hello.resumption());
            let said = catalogue::ClientHello {
                ja3: &ja3,
                ja4: &ja4,
                ja4_raw: &ja4_raw,
                version: &version_name(hello.version()),
                sni: hello.sni.as_deref(),
                alpn: &hello.alpn.join(&b','),
                ciphers: &ciphers,
                extensions: &extensions,
                groups: &groups,
                resumption: &resumption,
            };
            facts.push(catalogue::tls_client_hello(&said));
            if let Ok((_, agreed)) = &self.outcome {
                let session = catalogue::TlsSession {
                    hello: said,
                    ja3s: ja3s.as_deref(),
                    version: &agreed.version,
                    cipher: &agreed.cipher,
                    alpn: agreed.alpn.as_deref(),
                    resumed: agreed.resumed,
                };
                facts.push(catalogue::tls_session(&session));
            }
        }
        if let Err(failure) = &self.outcome {
            let Failure { reason, alert } = failure;
            facts.push(catalogue::tls_alert(reason, *alert, &self.sample));
        }
        facts
    }
}

/// An encrypted stream.
#[derive(Debug)]
pub struct TlsStream<S>(SslStream<Tap<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
