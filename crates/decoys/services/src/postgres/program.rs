//! Programs that `COPY … PROGRAM` starts: lines of the machine's simulated shell.

use base_model::Timestamp;
use base_model::catalogue::{self, Captured};
use decoys_host::HostHandle;
use decoys_host::shell::{Act, Entry, Item, Process, Spawn, Stdio};
use decoys_kit::StreamContext;

/// Turns that a program gets; one that goes on is ended.
const MAX_TURNS: u32 = 200;
/// Most bytes of its output that are taken.
const MAX_OUTPUT: usize = 1024 * 1024;

/// What a program came to.
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) status: u8,
    pub(super) acts: Vec<Act>,
    pub(super) user: String,
    pub(super) uid: u32,
}

/// Runs `line` as the server's account in `folder` with `input`.
pub(super) fn run(
    host: &HostHandle,
    folder: &str,
    line: &str,
    input: &[u8],
    from: (&str, u16),
    now: Timestamp,
) -> Output {
    let account = host.account(b"postgres").or_else(|| host.account(b"nobody"));
    let mut out = Output {
        stdout: Vec::new(),
        status: 1,
        acts: Vec::new(),
        user: "postgres".to_owned(),
        uid: 0,
    };
    let Some(account) = account else { return out };
    out.user.clone_from(&account.name);
    out.uid = account.uid;
    let mut process = Process::spawn(
        host,
        Spawn {
            account,
            stdio: Stdio::Pipes,
            command: Some(format!("cd {folder} 2>/dev/null\n{line}").into_bytes()),
            env: Vec::new(),
            connection: (from.0.to_owned(), from.1, "127.0.0.1".to_owned(), 5432),
            now,
            entry: Entry::Server,
        },
    );
    process.input(input);
    process.end_of_input();
    let mut at = now;
    for _ in 0..MAX_TURNS {
        process.poll(at);
        for item in process.take() {
            match item {
                Item::Out(bytes) if out.stdout.len() < MAX_OUTPUT => out.stdout.extend(bytes),
                Item::Act(act) => out.acts.push(act),
                _ => {}
            }
        }
        if process.exit().is_some() {
            break;
        }
        // It sleeps: the statement does not wait for it.
        match process.wake_at() {
            Some(wake) => at = at.max(wake),
            None => break,
        }
    }
    out.status = process.exit().unwrap_or(0);
    out
}

/// Tells of what a program did besides running.
pub(super) fn tell(cx: &mut StreamContext<'_>, act: &Act) {
    match act {
        Act::Written(written) => {
            let now = cx.now();
            let sha256 = cx.keep(written.content.as_ref().clone());
            let file = Captured {
                sha256,
                size: written.content.len() as u64,
                path: &written.path,
                user: &written.user,
                uid: written.uid,
                writer: &written.writer,
                mtime: now,
            };
            cx.emit(catalogue::database_file(now, &file, "copy_program"));
        }
        Act::Fetch { tool, url } => cx.emit(catalogue::download_attempt(tool, url)),
        Act::Command { .. } | Act::Transfer { .. } => {}
    }
}
