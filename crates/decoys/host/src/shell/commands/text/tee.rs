//! `tee`.

use crate::fs::Errno;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts::new("ai", &[("append", b'a')])).await?;
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
