use std::pin::Pin;

use base_model::Fact;
use decoys_kit::{TlsFacts, TlsServer};
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslVerifyMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_openssl::SslStream;

use super::site;
use crate::tls::{Acceptor, Handshake, accept};

/// What became of both sides.
struct Met {
    server: Result<TlsFacts, String>,
    facts: Vec<Fact>,
    client: Result<(), String>,
}

fn client(set: impl FnOnce(&mut SslContextBuilder)) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    set(&mut builder);
    builder.build()
}

async fn meet(acceptor: &Acceptor, context: &SslContext) -> Met {
    let (near, far) = duplex(64 * 1024);
    let mut ssl = Ssl::new(context).unwrap();
    ssl.set_hostname("www.corp.lan").unwrap();
    let mut stream = SslStream::new(ssl, far).unwrap();
    let (handshake, connected) = tokio::join!(accept(near, Vec::new(), acceptor), async {
        let connected = Pin::new(&mut stream).connect().await;
        connected.map_err(|error| error.to_string())
    });
    let facts = handshake.facts();
    let Handshake { outcome, .. } = handshake;
    match (outcome, connected) {
        (Ok((mut server, facts_of_tls)), Ok(())) => {
            server.write_all(b"hello").await.unwrap();
            let mut word = [0; 5];
            stream.read_exact(&mut word).await.unwrap();
            stream.write_all(b"world").await.unwrap();
            server.read_exact(&mut word).await.unwrap();
            assert_eq!(&word, b"world");
            Met { server: Ok(facts_of_tls), facts, client: Ok(()) }
        }
        (server, client) => Met {
            server: server.map(|(_, facts)| facts).map_err(|failure| failure.reason),
            facts,
            client,
        },
    }
}

fn kinds(facts: &[Fact]) -> Vec<&str> {
    facts.iter().map(|fact| fact.kind().name).collect()
}

#[tokio::test]
async fn both_sides_agree_and_the_client_is_known() {
    let acceptor = Acceptor::new(TlsServer::Nginx, &site(true)).unwrap();
    let context = client(|builder| builder.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap());
    let met = meet(&acceptor, &context).await;
    let agreed = met.server.unwrap();
    assert_eq!((agreed.version.as_str(), agreed.alpn.as_deref()), ("TLSv1.3", Some("http/1.1")));
    assert_eq!(agreed.sni.as_deref(), Some("www.corp.lan"));
    assert_eq!(kinds(&met.facts), ["tls_client_hello", "tls_session"]);
    let session = met.facts[1].fields();
    assert!(agreed.ja4.starts_with("t13d") && session.text("ja4") == Some(&agreed.ja4));
    assert_eq!(session.text("sni"), Some("www.corp.lan"));
    assert_eq!(session.text("alpn"), Some("h2,http/1.1"));
    assert_eq!(session.text("alpn_selected"), Some("http/1.1"));
    assert_eq!(session.text("ja3s").map(str::len), Some(32));
}

#[tokio::test]
async fn a_client_that_shares_nothing_is_told_of_with_the_reason() {
    let acceptor = Acceptor::new(TlsServer::Nginx, &site(true)).unwrap();
    let context = client(|builder| builder.set_alpn_protos(b"\x03foo").unwrap());
    let met = meet(&acceptor, &context).await;
    assert!(met.client.is_err());
    assert_eq!(met.server.unwrap_err(), "no application protocol");
    assert_eq!(kinds(&met.facts), ["tls_client_hello", "tls_alert"]);
    // The same client is welcome where nobody asks what it wants to speak.
    let acceptor = Acceptor::new(TlsServer::Postfix, &site(true)).unwrap();
    assert!(meet(&acceptor, &context).await.server.is_ok());
}

#[tokio::test]
async fn the_alert_of_a_client_is_kept() {
    let acceptor = Acceptor::new(TlsServer::Apache, &site(true)).unwrap();
    let context = client(|builder| builder.set_verify(SslVerifyMode::PEER));
    let met = meet(&acceptor, &context).await;
    assert!(met.server.is_err());
    let alert = met.facts.last().unwrap();
    assert_eq!(alert.kind().name, "tls_alert");
    assert_eq!(alert.fields().get("alert"), Some(&48.into()), "{alert:?}");
}

#[tokio::test]
async fn rubbish_without_end_and_silence_end_only_themselves() {
    let acceptor = Acceptor::new(TlsServer::Postfix, &site(true)).unwrap();
    let (near, mut far) = duplex(1024);
    // A hello that is announced long and comes in records of one byte.
    let flood = async {
        far.write_all(&[22, 3, 1, 0, 4, 1, 1, 0xff, 0]).await?;
        for _ in 0..200_000 {
            far.write_all(&[22, 3, 1, 0, 1, 0]).await?;
        }
        std::io::Result::Ok(())
    };
    let (handshake, flooded) = tokio::join!(accept(near, Vec::new(), &acceptor), flood);
    assert!(handshake.outcome.is_err());
    assert_eq!(kinds(&handshake.facts()), ["tls_alert"]);
    drop(handshake);
    drop(flooded);
    let (near, far) = duplex(1024);
    drop(far);
    let handshake = accept(near, Vec::new(), &acceptor).await;
    assert_eq!(handshake.outcome.err().unwrap().reason, "connection closed");
    assert!(meet(&acceptor, &client(|_| {})).await.server.is_ok());
}

#[tokio::test]
async fn what_was_read_before_the_handshake_is_part_of_it() {
    let acceptor = Acceptor::new(TlsServer::Nginx, &site(true)).unwrap();
    let (near, far) = duplex(64 * 1024);
    let mut stream = SslStream::new(Ssl::new(&client(|_| {})).unwrap(), far).unwrap();
    let serving = async {
        let mut near = near;
        let mut early = vec![0; 7];
        near.read_exact(&mut early).await.unwrap();
        accept(near, early, &acceptor).await
    };
    let (handshake, connected) = tokio::join!(serving, Pin::new(&mut stream).connect());
    connected.unwrap();
    assert!(handshake.hello.is_some() && handshake.outcome.is_ok());
}
