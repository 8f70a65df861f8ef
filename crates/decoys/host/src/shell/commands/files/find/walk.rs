//! Through the tree, testing each file.

use super::act::{self, Batches};
use super::plan::{Expression, Plan, Test, Time};
use crate::fs::{Access, Content, Kind, Stat, base_name};
use crate::shell::commands::complaint::typed;
use crate::shell::pattern;
use crate::shell::proc::{Outcome, Proc, Stop};

/// Most files looked at by one call.
const MAX: usize = 60_000;

/// A file that was found.
pub(super) struct Found {
    pub(super) path: Vec<u8>,
    pub(super) start: usize,
    pub(super) depth: usize,
    pub(super) stat: Stat,
}

/// What testing a file asked for.
#[derive(Default)]
pub(super) struct Wish {
    pub(super) prune: bool,
    pub(super) quit: bool,
}

struct Visit {
    path: Vec<u8>,
    start: usize,
    depth: usize,
    /// What is in it was visited already.
    left: bool,
}

pub(super) async fn walk(proc: &mut Proc, paths: &[Vec<u8>], plan: &Plan, follow: bool) -> Outcome {
    let mut status = 0;
    let mut batches = Batches::default();
    let mut count = 0;
    let start =
        |path: &Vec<u8>| Visit { path: path.clone(), start: path.len(), depth: 0, left: false };
    let mut todo: Vec<Visit> = paths.iter().rev().map(start).collect();
    while let Some(visit) = todo.pop() {
        count += 1;
        if count > MAX {
            break;
        }
        proc.io.spend(1);
        if count % 64 == 0 {
            proc.io.tick().await;
        }
        let stat = proc.host.with(|machine| {
            let stat = |f| machine.fs.stat(&proc.user.creds, &proc.cwd, &visit.path, f);
            if follow { stat(true).or_else(|_| stat(false)) } else { stat(false) }
        });
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => {
                let text = format!(": {}", errno.text());
                proc.say_err([&typed(&visit.path), text.as_bytes()].concat()).await;
                status = 1;
                continue;
            }
        };
        let directory = stat.node.is_dir();
        let found = Found { path: visit.path, start: visit.start, depth: visit.depth, stat };
        let descends = directory && found.depth < plan.max_depth;
        if plan.depth_first && descends && !visit.left {
            let children = children(proc, &found, &mut status).await;
            todo.push(Visit {
                path: found.path,
                start: found.start,
                depth: found.depth,
                left: true,
            });
            todo.extend(children.into_iter().rev());
            continue;
        }
        let mut wish = Wish::default();
        if found.depth >= plan.min_depth {
            Box::pin(test(proc, &plan.tree, &found, &mut wish, &mut batches, &mut status)).await?;
        }
        if wish.quit {
            break;
        }
        let foreign = plan.one_system && found.depth > 0 && is_mount(&found.path);
        if descends && !plan.depth_first && !wish.prune && !foreign {
            let children = children(proc, &found, &mut status).await;
            todo.extend(children.into_iter().rev());
        }
    }
    act::flush(proc, batches).await?;
    Ok(status)
}

fn is_mount(path: &[u8]) -> bool {
    matches!(path, b"/proc" | b"/sys" | b"/dev" | b"/run" | b"/dev/shm" | b"/dev/pts")
}

async fn children(proc: &Proc, found: &Found, status: &mut u8) -> Vec<Visit> {
    let list = proc.host.with(|m| m.fs.list(&proc.user.creds, found.stat.ino));
    match list {
        Ok(list) => {
            let join = |name: &[u8]| {
                [found.path.strip_suffix(b"/").unwrap_or(&found.path), b"/", name].concat()
            };
            let visit = |name: &[u8]| Visit {
                path: join(name),
                start: found.start,
                depth: found.depth + 1,
                left: false,
            };
            list.iter().map(|(name, _)| visit(name)).collect()
        }
        Err(errno) => {
            let text = format!(": {}", errno.text());
            proc.say_err([&typed(&found.path), text.as_bytes()].concat()).await;
            *status = 1;
            Vec::new()
        }
    }
}

async fn test(
    proc: &mut Proc,
    expression: &Expression,
    found: &Found,
    wish: &mut Wish,
    batches: &mut Batches,
    status: &mut u8,
) -> Result<bool, Stop> {
    Ok(match expression {
        Expression::Test(test) => holds(proc, test, found),
        Expression::Act(action) => act::act(proc, action, found, wish, batches, status).await?,
        Expression::Not(inner) => {
            !Box::pin(test(proc, inner, found, wish, batches, status)).await?
        }
        Expression::And(parts) => {
            for part in parts {
                if wish.quit || !Box::pin(test(proc, part, found, wish, batches, status)).await? {
                    return Ok(false);
                }
            }
            true
        }
        Expression::Or(parts) => {
            for part in parts {
                if Box::pin(test(proc, part, found, wish, batches, status)).await? {
                    return Ok(true);
                }
            }
            false
        }
        Expression::Comma(parts) => {
            let mut last = true;
            for part in parts {
                last = Box::pin(test(proc, part, found, wish, batches, status)).await?;
            }
            last
        }
    })
}

fn matches(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    if fold {
        pattern::matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
    } else {
        pattern::matches(pattern, text)
    }
}

fn holds(proc: &Proc, test: &Test, found: &Found) -> bool {
    let node = &found.stat.node;
    let creds = &proc.user.creds;
    let time = |time: &Time| match time {
        Time::Access => node.atime,
        Time::Change => node.ctime,
        Time::Modify => node.mtime,
    };
    match test {
        Test::Always(answer) => *answer,
        Test::Name(pattern, fold) => matches(pattern, base_name(&found.path), *fold),
        Test::Path(pattern, fold) => matches(pattern, &found.path, *fold),
        Test::Link(pattern, fold) => match &node.kind {
            Kind::Symlink(target) => matches(pattern, target, *fold),
            _ => false,
        },
        Test::Regex(regex) => regex.is_match(&found.path),
        Test::Kind(letters) => letters.contains(&match node.kind {
            Kind::Directory(_) => b'd',
            Kind::File(_) => b'f',
            Kind::Symlink(_) => b'l',
            Kind::Device(_) => b'c',
        }),
        Test::Size(compare, unit) => compare.holds(node.size().div_ceil(*unit)),
        Test::Empty => match &node.kind {
            Kind::Directory(entries) => entries.is_empty(),
            Kind::File(Content::Live(_)) => true,
            Kind::File(_) => node.size() == 0,
            _ => false,
        },
        Test::User(uid) => node.uid == *uid,
        Test::Group(gid) => node.gid == *gid,
        Test::NoUser => proc.host.with(|m| m.accounts().by_uid(node.uid).is_none()),
        Test::NoGroup => proc.host.with(|m| m.accounts().group_name(node.gid).is_none()),
        Test::Perm(bits, b'-') => node.mode & bits == *bits,
        Test::Perm(bits, b'/') => *bits == 0 || node.mode & bits != 0,
        Test::Perm(bits, _) => node.mode == *bits,
        Test::Age(which, compare, unit) => {
            let age = (proc.io.now().seconds() - time(which).seconds()).max(0);
            // Days are counted whole; minutes are rounded up.
            let units = if *unit == 60 { (age + 59) / 60 } else { age / unit };
            compare.holds(u64::try_from(units).unwrap_or(0))
        }
        Test::Newer(which, than) => time(which) > *than,
        Test::Links(compare) => compare.holds(found.stat.nlink),
        Test::Inode(compare) => compare.holds(found.stat.ino.0),
        Test::Readable => creds.may(node, Access::Read),
        Test::Writable => creds.may(node, Access::Write),
        Test::Executable => creds.may(node, Access::Execute),
    }
}
