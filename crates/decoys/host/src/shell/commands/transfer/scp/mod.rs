//! `scp` as the far side runs it: `-t` takes files, `-f` gives them (the protocol of rcp).

mod sink;
mod source;

use self::sink::Sink;
use self::source::Source;
use crate::shell::proc::{Outcome, Proc};

/// Longest control line.
const MAX_LINE: usize = 4096 + 64;
const PIECE: usize = 64 * 1024;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let mut letters = Vec::new();
    let mut paths = Vec::new();
    let mut only_paths = false;
    for argument in proc.arguments() {
        match argument.strip_prefix(b"-").filter(|rest| !only_paths && !rest.is_empty()) {
            Some(b"-") => only_paths = true,
            Some(rest) => letters.extend_from_slice(rest),
            None => paths.push(argument),
        }
    }
    proc.io.lock().transfer = true;
    if letters.contains(&b't') {
        let target = paths.pop().unwrap_or_else(|| b".".to_vec());
        return Sink::new(proc, letters.contains(&b'p'))
            .run(&target, letters.contains(&b'd'))
            .await;
    }
    if letters.contains(&b'f') {
        let (recursive, keep) = (letters.contains(&b'r'), letters.contains(&b'p'));
        return Source::new(proc, recursive, keep).run(paths).await;
    }
    if paths.len() < 2 {
        proc.err("usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n           [-i identity_file] [-J destination] [-l limit] [-o ssh_option]\n           [-P port] [-S program] [-X sftp_option] source ... target\n").await;
        return Ok(1);
    }
    let far = paths.iter().find(|path| path.contains(&b':'));
    let host = far.and_then(|path| path.split(|&b| b == b':').next()).unwrap_or_default().to_vec();
    let host = host.rsplit(|&b| b == b'@').next().unwrap_or_default().to_vec();
    proc.io.sleep(std::time::Duration::from_millis(2020)).await;
    proc.err(
        [
            &b"ssh: Could not resolve hostname "[..],
            &host,
            b": Temporary failure in name resolution\nscp: Connection closed\n",
        ]
        .concat(),
    )
    .await;
    Ok(255)
}

/// Reads up to and without the next line feed; `None` at the end of input.
async fn line(proc: &Proc) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let byte = *proc.read(1).await.first()?;
        if byte == b'\n' {
            return Some(out);
        }
        out.push(byte);
        if out.len() > MAX_LINE {
            return None;
        }
    }
}
