//! What is done with files that were found.

use super::plan::Action;
use super::walk::{Found, Wish};
use crate::clock;
use crate::fs::{Kind, base_name, parent_of};
use crate::shell::commands::complaint::typed;
use crate::shell::commands::files::mode::mode_text;
use crate::shell::commands::files::owner_names;
use crate::shell::commands::system::env::run_quietly;
use crate::shell::proc::{Proc, Stop};

/// Files given to one `-exec … +`.
const BATCH: usize = 512;

/// Files waiting for their `-exec … +`.
#[derive(Default)]
pub(super) struct Batches(Vec<(Words, Words)>);

/// A command line, or what is added to it.
type Words = Vec<Vec<u8>>;

pub(super) async fn act(
    proc: &mut Proc,
    action: &Action,
    found: &Found,
    wish: &mut Wish,
    batches: &mut Batches,
    status: &mut u8,
) -> Result<bool, Stop> {
    match action {
        Action::Print { zero } => {
            let end: &[u8] = if *zero { b"\0" } else { b"\n" };
            proc.out([&found.path[..], end].concat()).await?;
        }
        Action::Printf(format) => {
            let text = formatted(proc, format, found);
            proc.out(text).await?;
        }
        Action::List => {
            let text = listed(proc, found);
            proc.out(text).await?;
        }
        Action::Prune => wish.prune = true,
        Action::Quit => wish.quit = true,
        Action::Delete => {
            let now = proc.io.now();
            let directory = found.stat.node.is_dir();
            let removed = proc
                .host
                .with(|m| m.fs.remove(&proc.user.creds, &proc.cwd, &found.path, directory, now));
            if let Err(errno) = removed {
                proc.say_err(
                    [&b"cannot delete "[..], &typed(&found.path), b": ", errno.text().as_bytes()]
                        .concat(),
                )
                .await;
                *status = 1;
                return Ok(false);
            }
        }
        Action::Exec { words, many: true, .. } => {
            let at = batches.0.iter().position(|(known, _)| known == words).unwrap_or_else(|| {
                batches.0.push((words.clone(), Vec::new()));
                batches.0.len() - 1
            });
            if let Some((words, files)) = batches.0.get_mut(at) {
                files.push(found.path.clone());
                if files.len() >= BATCH {
                    let line = [&words[..], &std::mem::take(files)[..]].concat();
                    run_quietly(proc, line, "find").await;
                }
            }
        }
        Action::Exec { words, inside, .. } => {
            let path =
                if *inside { [b"./", base_name(&found.path)].concat() } else { found.path.clone() };
            let line = words.iter().map(|word| filled(word, &path)).collect();
            let mut inner = proc.clone();
            if *inside {
                inner.cwd = inner.absolute(parent_of(&inner.absolute(&found.path)));
            }
            return Ok(run_quietly(&inner, line, "find").await == 0);
        }
    }
    Ok(true)
}

/// Runs what is left of `-exec … +`.
pub(super) async fn flush(proc: &mut Proc, batches: Batches) -> Result<(), Stop> {
    for (words, files) in batches.0.into_iter().filter(|(_, files)| !files.is_empty()) {
        run_quietly(proc, [words, files].concat(), "find").await;
    }
    Ok(())
}

/// `word` with each `{}` filled in.
fn filled(word: &[u8], path: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.windows(2).position(|w| w == b"{}") {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(path);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// As `ls -dils`.
fn listed(proc: &Proc, found: &Found) -> Vec<u8> {
    let node = &found.stat.node;
    let (user, group) = owner_names(proc, node);
    let size = match &node.kind {
        Kind::Device(device) => format!("{}, {:>3}", device.numbers().0, device.numbers().1),
        _ => node.size().to_string(),
    };
    let mut line = format!(
        "{:>9} {:>6} {} {:>3} {user:<8} {group:<8} {size:>8} {} ",
        found.stat.ino.0,
        node.blocks() / 2,
        mode_text(node),
        found.stat.nlink,
        clock::listing(node.mtime, proc.io.now()),
    )
    .into_bytes();
    line.extend_from_slice(&found.path);
    if let Kind::Symlink(target) = &node.kind {
        line.extend_from_slice(b" -> ");
        line.extend_from_slice(target);
    }
    line.push(b'\n');
    line
}

/// `-printf`.
fn formatted(proc: &Proc, format: &[u8], found: &Found) -> Vec<u8> {
    let node = &found.stat.node;
    let (user, group) = owner_names(proc, node);
    let mut plain = Vec::new();
    crate::shell::commands::text::echo::unescape(format, &mut plain);
    let mut out = Vec::new();
    let mut bytes = plain.iter().peekable();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let relative = found.path.get(found.start..).unwrap_or_default();
        let relative = relative.strip_prefix(b"/").unwrap_or(relative);
        let text: Vec<u8> = match bytes.next() {
            Some(b'p') => found.path.clone(),
            Some(b'f') => base_name(&found.path).to_vec(),
            Some(b'h') => match found.path.iter().rposition(|&b| b == b'/') {
                Some(at) => found.path.get(..at).unwrap_or_default().to_vec(),
                None => b".".to_vec(),
            },
            Some(b'P') => relative.to_vec(),
            Some(b'H') => found.path.get(..found.start).unwrap_or_default().to_vec(),
            Some(b's') => node.size().to_string().into_bytes(),
            Some(b'k') => (node.blocks() / 2).to_string().into_bytes(),
            Some(b'b') => node.blocks().to_string().into_bytes(),
            Some(b'm') => format!("{:o}", node.mode).into_bytes(),
            Some(b'M') => mode_text(node).into_bytes(),
            Some(b'u') => user.clone().into_bytes(),
            Some(b'g') => group.clone().into_bytes(),
            Some(b'U') => node.uid.to_string().into_bytes(),
            Some(b'G') => node.gid.to_string().into_bytes(),
            Some(b'i') => found.stat.ino.0.to_string().into_bytes(),
            Some(b'n') => found.stat.nlink.to_string().into_bytes(),
            Some(b'd') => found.depth.to_string().into_bytes(),
            Some(b'y') => match node.type_char() {
                '-' => b"f".to_vec(),
                other => other.to_string().into_bytes(),
            },
            Some(b'l') => match &node.kind {
                Kind::Symlink(target) => target.clone(),
                _ => Vec::new(),
            },
            Some(b't') => clock::format(node.mtime, "%a %b %e %H:%M:%S.%N0 %Y").into_bytes(),
            Some(which @ (b'T' | b'A' | b'C')) => {
                let at = match which {
                    b'T' => node.mtime,
                    b'A' => node.atime,
                    _ => node.ctime,
                };
                match bytes.next() {
                    Some(b'@') => {
                        let micros = at.micros().rem_euclid(1_000_000);
                        format!("{}.{micros:06}0000", at.seconds()).into_bytes()
                    }
                    Some(b'+') => clock::format(at, "%Y-%m-%d+%H:%M:%S.%N0").into_bytes(),
                    Some(&letter) => {
                        clock::format(at, &format!("%{}", char::from(letter))).into_bytes()
                    }
                    None => Vec::new(),
                }
            }
            Some(b'%') => b"%".to_vec(),
            Some(&other) => vec![b'%', other],
            None => b"%".to_vec(),
        };
        out.extend(text);
    }
    out
}
