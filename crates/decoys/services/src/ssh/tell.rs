//! Turns what a program did into facts.

use base_model::catalogue::{self, Captured, Command, KexInit};
use base_model::{SessionId, Sha256Digest};
use decoys_host::shell::{Act, Written};
use decoys_kit::ssh::{ClientLists, SshContext};
use md5::{Digest as _, Md5};

/// Largest content kept as a blob (`spec/services.md` §4).
const MAX_CAPTURE: usize = 52_428_800;

/// Tells of `act` in `session`.
pub(super) fn act(cx: &mut SshContext<'_>, session: SessionId, act: Act, exec: bool) {
    match act {
        Act::Command { line, user, uid, pwd, status } => {
            let command = Command {
                line: &line,
                user: &user,
                uid,
                pwd: &pwd,
                status: status.unwrap_or(0),
                exec,
            };
            let fact = match status {
                Some(_) => catalogue::command(&command),
                None => catalogue::running_command(&command),
            };
            cx.emit_in(session, fact);
        }
        Act::Written(written) => file(cx, session, &written),
        Act::Transfer { protocol, upload: true, path, size, content } => {
            let digest =
                content.map_or_else(|| Sha256Digest::of(b""), |bytes| Sha256Digest::of(&bytes));
            cx.emit_in(session, catalogue::file_upload(protocol, &path, size, digest));
        }
        Act::Transfer { protocol, path, size, .. } => {
            cx.emit_in(session, catalogue::file_download(protocol, &path, size));
        }
        Act::Fetch { tool, url } => cx.emit_in(session, catalogue::download_attempt(tool, &url)),
    }
}

fn file(cx: &mut SshContext<'_>, session: SessionId, written: &Written) {
    let size = written.content.len() as u64;
    if written.content.len() > MAX_CAPTURE {
        return cx.emit_in(session, catalogue::file_skipped(&written.path, size, "oversize"));
    }
    let sha256 = cx.keep(written.content.as_ref().clone());
    let now = cx.now();
    let file = Captured {
        sha256,
        size,
        path: &written.path,
        user: &written.user,
        uid: written.uid,
        writer: &written.writer,
        mtime: now,
    };
    cx.emit_in(session, catalogue::file_captured(now, &file));
}

/// Tells what algorithms the client has, with its HASSH: the MD5 of those lists that tell clients
/// apart (`spec/fingerprints.md` §3).
pub(super) fn lists(cx: &mut SshContext<'_>, lists: &ClientLists) {
    let [cipher, _] = &lists.ciphers;
    let [mac, _] = &lists.macs;
    let [compression, _] = &lists.compressions;
    let algorithms = [lists.kex.as_str(), cipher, mac, compression].join(";");
    let hash = Md5::digest(algorithms.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let [language, _] = &lists.languages;
    let has = |marker: &str| lists.kex.split(',').any(|name| name == marker);
    cx.emit(catalogue::ssh_client_kexinit(&KexInit {
        hassh: &hash,
        algorithms: &algorithms,
        host_keys: &lists.host_keys,
        languages: language,
        first_kex_follows: lists.guesses,
        ext_info: has("ext-info-c"),
        strict: has("kex-strict-c-v00@openssh.com"),
    }));
}
