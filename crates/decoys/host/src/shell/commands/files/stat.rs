//! `stat`.

use base_model::Timestamp;

use super::mode::mode_text;
use super::owner_names;
use crate::clock;
use crate::fs::{Kind, Node, Stat};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new("c:Lft", &[("format=", b'c')]);
    let options = read(proc, &accepts).await?;
    if options.rest.is_empty() {
        return Err(proc.missing_operand().await);
    }
    let mut status = 0;
    for path in &options.rest {
        let found =
            proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, path, options.has(b'L')));
        match found {
            Ok(found) => {
                let text = match options.value(b'c') {
                    Some(format) => stat_format(proc, path, &found, format),
                    None => stat_text(proc, path, &found),
                };
                proc.out(text).await?;
            }
            Err(errno) => {
                proc.fault("cannot statx", path, errno).await;
                status = 1;
            }
        }
    }
    Ok(status)
}

const fn kind_name(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Directory(_) => "directory",
        Kind::Symlink(_) => "symbolic link",
        Kind::Device(_) => "character special file",
        Kind::File(_) => "regular file",
    }
}

fn stat_format(proc: &Proc, path: &[u8], stat: &Stat, format: &[u8]) -> Vec<u8> {
    let (user, group) = owner_names(proc, &stat.node);
    let mut out = Vec::new();
    let mut bytes = format.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let node = &stat.node;
        let text = match bytes.next() {
            Some(b'n') => String::from_utf8_lossy(path).into_owned(),
            Some(b's') => node.size().to_string(),
            Some(b'a') => format!("{:o}", node.mode),
            Some(b'A') => mode_text(node),
            Some(b'u') => node.uid.to_string(),
            Some(b'g') => node.gid.to_string(),
            Some(b'U') => user.clone(),
            Some(b'G') => group.clone(),
            Some(b'i') => stat.ino.0.to_string(),
            Some(b'h') => stat.nlink.to_string(),
            Some(b'F') => kind_name(node).to_owned(),
            Some(b'Y') => node.mtime.seconds().to_string(),
            Some(b'X') => node.atime.seconds().to_string(),
            Some(b'Z') => node.ctime.seconds().to_string(),
            Some(b'y') => full_time(node.mtime),
            Some(&other) => format!("%{}", char::from(other)),
            None => "%".to_owned(),
        };
        out.extend(text.into_bytes());
    }
    out.push(b'\n');
    out
}

fn full_time(at: Timestamp) -> String {
    clock::format(at, "%Y-%m-%d %H:%M:%S.%N %z")
}

fn stat_text(proc: &Proc, path: &[u8], stat: &Stat) -> Vec<u8> {
    let node = &stat.node;
    let (user, group) = owner_names(proc, node);
    let mut name = String::from_utf8_lossy(path).into_owned();
    if let Kind::Symlink(target) = &node.kind {
        name.push_str(&format!(" -> {}", String::from_utf8_lossy(target)));
    }
    let blocks = node.blocks();
    format!(
        "  File: {name}\n  Size: {:<10}\tBlocks: {blocks:<10} IO Block: 4096   {}\n\
         Device: 8,1\tInode: {:<11} Links: {}\n\
         Access: ({:04o}/{})  Uid: ({:>5}/{user:>8})   Gid: ({:>5}/{group:>8})\n\
         Access: {}\nModify: {}\nChange: {}\n Birth: {}\n",
        node.size(),
        kind_name(node),
        stat.ino.0,
        stat.nlink,
        node.mode,
        mode_text(node),
        node.uid,
        node.gid,
        full_time(node.atime),
        full_time(node.mtime),
        full_time(node.ctime),
        full_time(node.ctime),
    )
    .into_bytes()
}
