//! Whether the DECNET of a ready file still runs.
//!
//! A ready file outlives a daemon that was killed, and then whatever listens on all addresses of
//! the machine, its own SSH server for one, answers where deckies were. Attackers are let loose only
//! while the daemon that wrote the file answers on its API.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
/// A refusal is far smaller.
const MOST_BYTES: u64 = 16 * 1024;
/// Every problem that the API tells has a type of this form.
const MARK: &[u8] = b"urn:decnet:problem:";

/// Whether DECNET's API answers at `api`.
pub(crate) async fn is_alive(api: SocketAddr) -> bool {
    timeout(PATIENCE, ask(api)).await.is_ok_and(|asked| asked.unwrap_or(false))
}

async fn ask(api: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(api).await?;
    let request =
        format!("GET /api/v1/health HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    Ok(answer.windows(MARK.len()).any(|part| part == MARK))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn alive_with(answer: &'static str) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::with_capacity(1024)).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let alive = is_alive(api).await;
        server.await.unwrap();
        alive
    }

    #[tokio::test]
    async fn only_a_decnet_is_taken_for_one() {
        let ours = "HTTP/1.1 401 Unauthorized\r\n\r\n{\"type\":\"urn:decnet:problem:x\"}";
        assert!(alive_with(ours).await);
        assert!(!alive_with("SSH-2.0-OpenSSH_9.2p1\r\n").await);
        assert!(!alive_with("HTTP/1.1 200 OK\r\n\r\n{}").await);
    }
}
