//! `cat` and `tee`.

use super::options::{Accepts, read};
use crate::fs::Errno;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "tee" {
        return tee(proc).await;
    }
    let accepts =
        Accepts { short: "AbeEnstTuv", long: &[("number", b'n'), ("show-all", b'A')], status: 1 };
    let options = read(proc, &accepts).await?;
    let numbered = options.has(b'n') || options.has(b'b');
    let marked = options.has(b'E') || options.has(b'A') || options.has(b'e');
    let mut files = options.rest;
    if files.is_empty() {
        files.push(b"-".to_vec());
    }
    let mut status = 0;
    let mut number = 0_u64;
    let mut at_start = true;
    for file in files {
        let mut source = match proc.source(&file) {
            Ok(source) => source,
            Err(errno) => {
                proc.complain(&file, errno.text()).await;
                status = 1;
                continue;
            }
        };
        loop {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            if !numbered && !marked {
                proc.out(&piece).await?;
                continue;
            }
            let mut out = Vec::new();
            for line in piece.split_inclusive(|&b| b == b'\n') {
                if numbered && at_start {
                    number += 1;
                    out.extend(format!("{number:>6}\t").into_bytes());
                }
                let (text, ended) = match line.strip_suffix(b"\n") {
                    Some(text) => (text, true),
                    None => (line, false),
                };
                out.extend_from_slice(text);
                if ended {
                    out.extend_from_slice(if marked { b"$\n" } else { b"\n" });
                }
                at_start = ended;
            }
            proc.out(&out).await?;
        }
    }
    Ok(status)
}

async fn tee(proc: &mut Proc) -> Outcome {
    let options =
        read(proc, &Accepts { short: "ai", long: &[("append", b'a')], status: 1 }).await?;
    let now = proc.io.now();
    let mut status = 0;
    let mut files = Vec::new();
    for file in &options.rest {
        let opened = proc.host.with(|machine| {
            let mode = 0o666 & !proc.umask;
            let ino = machine.fs.create(&proc.user.creds, &proc.cwd, file, mode, now)?;
            if !options.has(b'a') {
                machine.fs.truncate(ino, 0, now)?;
            }
            Ok::<_, Errno>(ino)
        });
        match opened {
            Ok(ino) => files.push((file.clone(), ino)),
            Err(errno) => {
                proc.complain(file, errno.text()).await;
                status = 1;
            }
        }
    }
    loop {
        let piece = proc.read(64 * 1024).await;
        if piece.is_empty() {
            break;
        }
        for (file, ino) in &files {
            let written = proc.host.with(|machine| {
                let size = machine.fs.node(*ino).map_or(0, crate::fs::Node::size);
                machine.fs.write(*ino, size, &piece, now)
            });
            if let Err(errno) = written {
                proc.complain(file, errno.text()).await;
                status = 1;
            }
        }
        proc.out(&piece).await?;
    }
    for (file, _) in files {
        proc.tell_written(&file, "tee");
    }
    Ok(status)
}
