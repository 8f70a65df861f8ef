//! `ls`.

mod listing;
mod render;

use self::listing::{Flags, entries};
use self::render::render;
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new(
        "aAlhrtSdF1iRCsnGgoLkUcupQmxX",
        &[
            ("all", b'a'),
            ("almost-all", b'A'),
            ("human-readable", b'h'),
            ("reverse", b'r'),
            ("recursive", b'R'),
            ("directory", b'd'),
            ("inode", b'i'),
            ("color", b'Q'),
            ("classify", b'F'),
            ("full-time", b'l'),
            ("time-style", b'Q'),
        ],
    )
    .status(2);
    let options = read(proc, &accepts).await?;
    let flags = Flags {
        all: options.has(b'a'),
        almost: options.has(b'A'),
        long: options.has(b'l') || options.has(b'n') || options.has(b'g') || options.has(b'o'),
        human: options.has(b'h'),
        reverse: options.has(b'r'),
        by_time: options.last_of(b"tSU") == Some(b't'),
        by_size: options.last_of(b"tSU") == Some(b'S'),
        classify: options.has(b'F') || options.has(b'p'),
        inode: options.has(b'i'),
        numeric: options.has(b'n'),
        columns: !options.has(b'1') && (proc.out_is_tty() || options.has(b'C')),
    };
    let mut paths = options.rest.clone();
    if paths.is_empty() {
        paths.push(b".".to_vec());
    }
    let mut status = 0;
    let mut files = Vec::new();
    let mut directories = Vec::new();
    for path in paths {
        let follow = !flags.long || path.ends_with(b"/");
        let found = proc.host.with(|machine| {
            let stat = |follow| machine.fs.stat(&proc.user.creds, &proc.cwd, &path, follow);
            stat(follow).or_else(|_| stat(false))
        });
        match found {
            Ok(stat) if stat.node.is_dir() && !options.has(b'd') => directories.push(path),
            Ok(stat) => files.push((path, stat)),
            Err(errno) => {
                let text = [
                    &b"ls: cannot access "[..],
                    &quoted(&path),
                    b": ",
                    errno.text().as_bytes(),
                    b"\n",
                ]
                .concat();
                proc.err(text).await;
                status = 2;
            }
        }
    }
    let titled = files.len() + directories.len() > 1 || options.has(b'R') || status != 0;
    let mut blank = !files.is_empty();
    if !files.is_empty() {
        let text = render(proc, files, &flags, false);
        proc.out(text).await?;
    }
    directories.sort();
    let mut todo: Vec<Vec<u8>> = directories.into_iter().rev().collect();
    let mut shown = 0;
    while let Some(path) = todo.pop() {
        shown += 1;
        if shown > 5000 {
            break;
        }
        match entries(proc, &path, &flags) {
            Err(errno) => {
                let text = [
                    &b"ls: cannot open directory "[..],
                    &quoted(&path),
                    b": ",
                    errno.text().as_bytes(),
                    b"\n",
                ];
                proc.err(text.concat()).await;
                status = 2;
            }
            Ok(list) => {
                if titled {
                    let title = [if blank { &b"\n"[..] } else { b"" }, &path, b":\n"].concat();
                    proc.out(title).await?;
                }
                blank = true;
                if options.has(b'R') {
                    let mut below: Vec<Vec<u8>> = list
                        .iter()
                        .filter(|(name, stat)| stat.node.is_dir() && name != b"." && name != b"..")
                        .map(|(name, _)| crate::fs::join(&path, name))
                        .collect();
                    below.sort();
                    todo.extend(below.into_iter().rev());
                }
                let text = render(proc, list, &flags, true);
                proc.out(text).await?;
            }
        }
    }
    Ok(status)
}
