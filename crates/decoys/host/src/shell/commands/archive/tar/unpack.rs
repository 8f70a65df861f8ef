//! Listing and unpacking archives.

use base_model::Timestamp;

use super::{BLOCK, MAX_MEMBERS, Plan, fatal};
use crate::clock;
use crate::fs::{Errno, Kind, Node};
use crate::shell::commands::archive::gzip::unpack;
use crate::shell::commands::files::mode::mode_text;
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

/// A member that was read.
struct Member {
    name: Vec<u8>,
    node: Node,
    content: Vec<u8>,
    user: String,
    group: String,
}

pub(super) async fn read(proc: &Proc, plan: &Plan, file: Option<Vec<u8>>) -> Outcome {
    let bytes = match proc.slurp(file.as_deref().unwrap_or(b"-")).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            let shown = plan.file.clone().unwrap_or_default();
            return fatal(proc, &shown, "Cannot open", errno).await;
        }
    };
    proc.io.spend(bytes.len() / 256);
    let packed = bytes.starts_with(&[0x1f, 0x8b]);
    if plan.gzip && !packed {
        proc.err("\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n").await;
        return Ok(2);
    }
    let bytes = match if packed { unpack(&bytes) } else { Ok(bytes) } {
        Ok(bytes) => bytes,
        Err(_) => {
            proc.err("\ngzip: stdin: unexpected end of file\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n").await;
            return Ok(2);
        }
    };
    let mut rest = bytes.as_slice();
    let mut status = 0;
    let mut seen = vec![false; plan.names.len()];
    let mut long: Option<Vec<u8>> = None;
    let mut count = 0;
    while let Some(block) = rest.get(..BLOCK) {
        if block.iter().all(|b| *b == 0) {
            break;
        }
        let Some((mut entry, kind, size)) = parse(block) else {
            proc.err("tar: This does not look like a tar archive\ntar: Exiting with failure status due to previous errors\n").await;
            return Ok(2);
        };
        let content = rest.get(BLOCK..BLOCK + size);
        let Some(content) = content else {
            proc.err(
                "tar: Unexpected EOF in archive\ntar: Error is not recoverable: exiting now\n",
            )
            .await;
            return Ok(2);
        };
        rest = rest.get(BLOCK + size.next_multiple_of(BLOCK)..).unwrap_or_default();
        count += 1;
        if count > MAX_MEMBERS {
            break;
        }
        proc.io.tick().await;
        match kind {
            b'L' => {
                long = Some(content.strip_suffix(b"\0").unwrap_or(content).to_vec());
                continue;
            }
            b'x' | b'g' | b'K' => continue,
            _ => {}
        }
        if let Some(name) = long.take() {
            entry.name = name;
        }
        entry.content = content.to_vec();
        if !plan.names.is_empty() {
            let plain = entry.name.strip_suffix(b"/").unwrap_or(&entry.name);
            let hit = plan.names.iter().position(|wanted| {
                let wanted = wanted.strip_suffix(b"/").unwrap_or(wanted);
                plain == wanted || plain.starts_with(&[wanted, b"/"].concat())
            });
            let Some(hit) = hit else { continue };
            if let Some(slot) = seen.get_mut(hit) {
                *slot = true;
            }
        }
        if plan.act == b't' {
            let line = listed(&entry, plan.verbose);
            proc.out(line).await?;
            continue;
        }
        if plan.verbose {
            proc.out([&entry.name[..], b"\n"].concat()).await?;
        }
        if plan.to_output {
            proc.out(&entry.content).await?;
            continue;
        }
        if let Err((path, errno)) = extract(proc, plan, entry) {
            let shown = String::from_utf8_lossy(&path).into_owned();
            proc.err(format!("tar: {shown}: Cannot open: {}\n", errno.text())).await;
            status = 2;
        }
    }
    if bytes.len() < BLOCK && !bytes.is_empty() {
        proc.err("tar: This does not look like a tar archive\n").await;
        status = 2;
    }
    for (name, _) in plan.names.iter().zip(&seen).filter(|(_, seen)| !**seen) {
        let shown = String::from_utf8_lossy(name).into_owned();
        proc.err(format!("tar: {shown}: Not found in archive\n")).await;
        status = 2;
    }
    if status != 0 {
        proc.err("tar: Exiting with failure status due to previous errors\n").await;
    }
    Ok(status)
}

fn parse(block: &[u8]) -> Option<(Member, u8, usize)> {
    let text = |from: usize, length: usize| {
        let field = block.get(from..from + length).unwrap_or_default();
        let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
        field.get(..end).unwrap_or_default().to_vec()
    };
    let octal = |from: usize, length: usize| {
        let digits = String::from_utf8_lossy(&text(from, length)).trim().to_owned();
        u64::from_str_radix(&digits, 8).ok()
    };
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, b)| if (148..156).contains(&at) { 32 } else { u64::from(*b) })
        .sum();
    if octal(148, 8)? != sum {
        return None;
    }
    let kind = block.get(156).copied()?;
    let size = usize::try_from(octal(124, 12)?).ok().filter(|size| *size <= limits::SLURP)?;
    let mtime =
        Timestamp::from_micros(i64::try_from(octal(136, 12)?).ok()?.saturating_mul(1_000_000));
    let mut name = text(0, 100);
    let prefix = text(345, 155);
    if block.get(257..263) == Some(b"ustar\0") && !prefix.is_empty() {
        name = [&prefix[..], b"/", &name].concat();
    }
    let node = Node {
        kind: match kind {
            b'5' => Kind::Directory(std::collections::BTreeMap::new()),
            b'2' => Kind::Symlink(text(157, 100)),
            _ => Kind::File(crate::fs::Content::Bytes(std::sync::Arc::default())),
        },
        mode: u16::try_from(octal(100, 8).unwrap_or(0o644) & 0o7777).unwrap_or(0o644),
        uid: u32::try_from(octal(108, 8).unwrap_or(0)).unwrap_or(0),
        gid: u32::try_from(octal(116, 8).unwrap_or(0)).unwrap_or(0),
        mtime,
        ctime: mtime,
        atime: mtime,
        flags: 0,
    };
    let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (user, group) = (lossy(text(265, 32)), lossy(text(297, 32)));
    let size = if matches!(kind, b'5' | b'2' | b'1') { 0 } else { size };
    Some((Member { name, node, content: Vec::new(), user, group }, kind, size))
}

fn listed(member: &Member, verbose: bool) -> Vec<u8> {
    if !verbose {
        return [&member.name[..], b"\n"].concat();
    }
    let owner = format!("{}/{}", member.user, member.group);
    let size = member.content.len().to_string();
    let width = 19_usize.saturating_sub(owner.len() + 1).max(size.len());
    let date = clock::format(member.node.mtime, "%Y-%m-%d %H:%M");
    let head = format!("{} {owner} {size:>width$} {date} ", mode_text(&member.node));
    let link = match &member.node.kind {
        Kind::Symlink(target) => [b" -> ", &target[..]].concat(),
        _ => Vec::new(),
    };
    [head.as_bytes(), &member.name, &link, b"\n"].concat()
}

fn extract(proc: &Proc, plan: &Plan, member: Member) -> Result<(), (Vec<u8>, Errno)> {
    let mut name: Vec<u8> = member.name.clone();
    if !plan.absolute {
        name = name.iter().skip_while(|b| **b == b'/').copied().collect();
        if name.split(|b| *b == b'/').any(|part| part == b"..") {
            return Err((name, Errno::Invalid));
        }
    }
    if plan.strip > 0 {
        let parts: Vec<&[u8]> = name.split(|b| *b == b'/').skip(plan.strip).collect();
        name = parts.join(&b'/');
    }
    let name = name.strip_suffix(b"/").unwrap_or(&name).to_vec();
    if name.is_empty() || name == b"." {
        return Ok(());
    }
    let now = proc.io.now();
    let creds = &proc.user.creds;
    let mode = member.node.mode & if creds.uid == 0 { 0o7777 } else { !proc.umask & 0o777 };
    let made = proc.host.with(|machine| {
        let fs = &mut machine.fs;
        let mut prefix = Vec::new();
        let parts: Vec<&[u8]> = name.split(|b| *b == b'/').collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            prefix.extend_from_slice(part);
            match fs.make_dir(creds, &proc.cwd, &prefix, 0o755, now) {
                Ok(_) | Err(Errno::Exists) => {}
                Err(errno) => return Err(errno),
            }
            prefix.push(b'/');
        }
        let ino = match &member.node.kind {
            Kind::Directory(_) => match fs.make_dir(creds, &proc.cwd, &name, mode, now) {
                Err(Errno::Exists) => fs.find(creds, &proc.cwd, &name, true)?,
                other => other?,
            },
            Kind::Symlink(target) => {
                let _ = fs.remove(creds, &proc.cwd, &name, false, now);
                fs.make_link(creds, &proc.cwd, target, &name, now)?;
                return Ok(());
            }
            Kind::File(_) | Kind::Device(_) => {
                // An old file makes room, so that a link is not written through.
                let _ = fs.remove(creds, &proc.cwd, &name, false, now);
                let ino = fs.create(creds, &proc.cwd, &name, mode, now)?;
                fs.write(ino, 0, &member.content, now)?;
                ino
            }
        };
        fs.chmod(creds, ino, mode, now)?;
        if creds.uid == 0 {
            fs.chown(creds, ino, Some(member.node.uid), Some(member.node.gid), now)?;
        }
        fs.set_times(creds, ino, now, member.node.mtime, now)
    });
    made.map_err(|errno| (name.clone(), errno))?;
    proc.tell_written(&name, "tar");
    Ok(())
}
