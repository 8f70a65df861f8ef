//! `sftp-server`: SFTP version 3 (draft-ietf-secsh-filexfer-02) on the machine's files, as
//! OpenSSH's answers.

mod code;
mod directory;
mod extended;
mod file;
mod server;
mod tree;
mod wire;

use crate::shell::proc::{Outcome, Proc};

/// Longest packet, as OpenSSH's `SFTP_MAX_MSG_LENGTH`.
const MAX_PACKET: usize = 256 * 1024;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    proc.io.lock().transfer = true;
    let mut server = server::Server::new(proc);
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let mut used = 0;
        while let Some(head) = buffer.get(used..).and_then(|rest| rest.first_chunk::<4>()) {
            let length = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
            if length == 0 || length > MAX_PACKET {
                return Ok(11);
            }
            let Some(packet) = buffer.get(used + 4..used + 4 + length) else { break };
            let Some(reply) = server.packet(packet) else {
                server.close_all();
                return Ok(11);
            };
            used += 4 + length;
            server.proc().out(reply).await?;
        }
        buffer.drain(..used);
        let piece = server.proc().read(64 * 1024).await;
        if piece.is_empty() {
            server.close_all();
            return Ok(0);
        }
        buffer.extend(piece);
    }
}
