//! Turns what a program did into facts.

use base_model::catalogue::{self, Captured, Command};
use base_model::{SessionId, Sha256Digest};
use decoys_host::shell::{Act, Written};
use decoys_kit::Context;

/// Largest content kept as a blob (`spec/services.md` §4).
const MAX_CAPTURE: usize = 52_428_800;

/// Tells of `act` in `session`.
pub(super) fn act<R>(cx: &mut Context<'_, R>, session: SessionId, act: Act, exec: bool) {
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

fn file<R>(cx: &mut Context<'_, R>, session: SessionId, written: &Written) {
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
