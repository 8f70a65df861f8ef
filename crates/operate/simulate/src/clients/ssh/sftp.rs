//! SFTP, version 3 (draft-ietf-secsh-filexfer-02): one file, written and closed.

use super::work::Run;
use crate::clients::Fault;
use crate::clients::wire::Cursor;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const WRITE: u8 = 6;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
/// `SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC`.
const FLAGS: u32 = 0x1a;
/// As OpenSSH's client writes.
const PIECE: usize = 32 * 1024;
const LONGEST_PACKET: usize = 256 * 1024;

/// Writes `bytes` to `path` and leaves.
pub(super) async fn put(mut run: Run, path: &str, bytes: &[u8]) -> Result<(), Fault> {
    send(&mut run, INIT, &3u32.to_be_bytes()).await?;
    if packet(&mut run).await?.0 != VERSION {
        return Err(Fault::Odd("the SFTP version"));
    }
    let mut open = number(1);
    string(&mut open, path.as_bytes());
    open.extend_from_slice(&FLAGS.to_be_bytes());
    // No attributes.
    open.extend_from_slice(&[0; 4]);
    send(&mut run, OPEN, &open).await?;
    let (kind, body) = packet(&mut run).await?;
    let handle = (kind == HANDLE).then(|| handle(&body)).flatten();
    let handle = handle.ok_or(Fault::Odd("the SFTP handle"))?;
    let mut offset = 0u64;
    for piece in bytes.chunks(PIECE) {
        let mut write = number(2);
        string(&mut write, &handle);
        write.extend_from_slice(&offset.to_be_bytes());
        string(&mut write, piece);
        send(&mut run, WRITE, &write).await?;
        succeeded(&mut run).await?;
        offset += piece.len() as u64;
    }
    let mut close = number(3);
    string(&mut close, &handle);
    send(&mut run, CLOSE, &close).await?;
    succeeded(&mut run).await?;
    run.finish().await
}

fn number(id: u32) -> Vec<u8> {
    id.to_be_bytes().to_vec()
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(bytes);
}

async fn send(run: &mut Run, kind: u8, body: &[u8]) -> Result<(), Fault> {
    let mut out = Vec::with_capacity(body.len() + 5);
    let length = u32::try_from(body.len() + 1).map_err(|_| Fault::TooLong("an SFTP packet"))?;
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    run.send(&out).await
}

/// The next packet: its kind and the rest.
async fn packet(run: &mut Run) -> Result<(u8, Vec<u8>), Fault> {
    loop {
        let mut said = Cursor(&run.said);
        if let Some(length) = said.be32() {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > LONGEST_PACKET {
                return Err(Fault::TooLong("an SFTP packet"));
            }
            if let Some(body) = said.take(length) {
                let (kind, body) = body.split_first().ok_or(Fault::Odd("an SFTP packet"))?;
                let packet = (*kind, body.to_vec());
                run.said.drain(..length + 4);
                return Ok(packet);
            }
        }
        if !run.receive().await? {
            return Err(Fault::Ended("an SFTP packet"));
        }
    }
}

fn handle(body: &[u8]) -> Option<Vec<u8>> {
    let mut body = Cursor(body);
    body.be32()?;
    let length = usize::try_from(body.be32()?).ok()?;
    body.take(length).map(<[u8]>::to_vec)
}

async fn succeeded(run: &mut Run) -> Result<(), Fault> {
    let (kind, body) = packet(run).await?;
    // After the request's number comes `SSH_FX_OK`, which is zero.
    if kind == STATUS && body.get(4..8) == Some(&[0; 4]) {
        return Ok(());
    }
    Err(Fault::Odd("the SFTP status"))
}
