//! Making archives.

use super::{BLOCK, HINT, MAX_MEMBERS, Plan, fatal};
use crate::fs::{Kind, Node};
use crate::shell::commands::archive::gzip::pack;
use crate::shell::commands::files::owner_names;
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn create(proc: &Proc, plan: &Plan, file: Option<Vec<u8>>) -> Outcome {
    if plan.names.is_empty() {
        proc.err(format!("tar: Cowardly refusing to create an empty archive\n{HINT}")).await;
        return Ok(2);
    }
    let mut archive = Vec::new();
    let mut status = 0;
    let mut stripped = false;
    let mut todo: Vec<Vec<u8>> = plan.names.iter().rev().cloned().collect();
    let mut count = 0;
    while let Some(path) = todo.pop() {
        count += 1;
        if count > MAX_MEMBERS || archive.len() > limits::SLURP {
            break;
        }
        proc.io.tick().await;
        let excluded = |pattern: &Vec<u8>| {
            crate::shell::pattern::matches(pattern, crate::fs::base_name(&path)) || *pattern == path
        };
        if plan.excluded.iter().any(excluded) {
            continue;
        }
        let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, &path, false));
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => {
                let shown = String::from_utf8_lossy(&path).into_owned();
                proc.err(format!("tar: {shown}: Cannot stat: {}\n", errno.text())).await;
                status = 2;
                continue;
            }
        };
        let mut name = path.clone();
        if !plan.absolute && name.starts_with(b"/") {
            if !stripped {
                proc.err("tar: Removing leading `/' from member names\n").await;
            }
            stripped = true;
            name = name.iter().skip_while(|b| **b == b'/').copied().collect();
        }
        let content = match &stat.node.kind {
            Kind::Directory(_) => {
                if !name.ends_with(b"/") {
                    name.push(b'/');
                }
                match proc.host.with(|m| m.fs.list(&proc.user.creds, stat.ino)) {
                    Ok(list) => {
                        let parent = path.strip_suffix(b"/").unwrap_or(&path);
                        let below = list.iter().rev();
                        todo.extend(below.map(|(name, _)| [parent, b"/", name].concat()));
                    }
                    Err(errno) => {
                        let shown = String::from_utf8_lossy(&path).into_owned();
                        proc.err(format!("tar: {shown}: Cannot open: {}\n", errno.text())).await;
                        status = 2;
                    }
                }
                Vec::new()
            }
            Kind::File(_) => match proc.slurp(&path).await {
                Ok(content) => content,
                Err(errno) => {
                    let shown = String::from_utf8_lossy(&path).into_owned();
                    proc.err(format!("tar: {shown}: Cannot open: {}\n", errno.text())).await;
                    status = 2;
                    continue;
                }
            },
            Kind::Symlink(_) | Kind::Device(_) => Vec::new(),
        };
        if plan.verbose {
            let line = [&name[..], b"\n"].concat();
            if file.is_some() { proc.out(line).await? } else { proc.err(line).await }
        }
        member(&mut archive, proc, &name, &stat.node, &content);
    }
    archive.resize(archive.len().next_multiple_of(20 * BLOCK).max(archive.len() + 2 * BLOCK), 0);
    archive.resize(archive.len().next_multiple_of(20 * BLOCK), 0);
    proc.io.spend(archive.len() / 256);
    let bytes = if plan.gzip { pack(&archive, 6) } else { archive };
    match file {
        None => proc.out(bytes).await?,
        Some(file) => {
            if let Err(errno) = proc.replace_file(&file, &bytes) {
                let shown = plan.file.clone().unwrap_or_default();
                return fatal(proc, &shown, "Cannot open", errno).await;
            }
        }
    }
    if status != 0 {
        proc.err("tar: Exiting with failure status due to previous errors\n").await;
    }
    Ok(status)
}

fn member(archive: &mut Vec<u8>, proc: &Proc, name: &[u8], node: &Node, content: &[u8]) {
    let (user, group) = owner_names(proc, node);
    let (kind, link): (u8, &[u8]) = match &node.kind {
        Kind::Directory(_) => (b'5', b""),
        Kind::Symlink(target) => (b'2', target),
        Kind::Device(_) => (b'3', b""),
        Kind::File(_) => (b'0', b""),
    };
    if name.len() > 100 {
        let mut long = name.to_vec();
        long.push(0);
        head(archive, b"././@LongLink", b'L', &long, b"", (0, 0, 0o644), 0, ("root", "root"));
    }
    let ids = (node.uid, node.gid, node.mode);
    head(archive, name, kind, content, link, ids, node.mtime.seconds(), (&user, &group));
}

#[expect(clippy::too_many_arguments, reason = "the fields of a header, in their order")]
fn head(
    archive: &mut Vec<u8>,
    name: &[u8],
    kind: u8,
    content: &[u8],
    link: &[u8],
    (uid, gid, mode): (u32, u32, u16),
    mtime: i64,
    (user, group): (&str, &str),
) {
    let mut block = Vec::with_capacity(BLOCK);
    let mut field = |text: &[u8], width: usize| {
        block.extend_from_slice(text.get(..width).unwrap_or(text));
        block.resize(block.len() + width - text.len().min(width), 0);
    };
    field(name, 100);
    field(format!("{mode:07o}").as_bytes(), 8);
    field(format!("{uid:07o}").as_bytes(), 8);
    field(format!("{gid:07o}").as_bytes(), 8);
    field(format!("{:011o}", content.len()).as_bytes(), 12);
    field(format!("{:011o}", mtime.max(0)).as_bytes(), 12);
    field(b"        ", 8);
    field(&[kind], 1);
    field(link, 100);
    field(b"ustar  ", 8);
    field(user.as_bytes(), 32);
    field(group.as_bytes(), 32);
    field(b"", 183);
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    if let Some(slot) = block.get_mut(148..156) {
        slot.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    archive.extend(block);
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(BLOCK), 0);
}
