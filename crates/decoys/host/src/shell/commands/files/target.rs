//! Where `cp`, `mv` and `ln` put things.

use crate::fs::{Errno, base_name};
use crate::shell::commands::options::Options;
use crate::shell::proc::{Proc, Stop};

/// Sources, each with its destination.
pub(super) type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Pairs sources with destinations: `-t DIR`, `-T`, or the last operand.
pub(super) async fn pairs(proc: &Proc, options: &Options) -> Result<Pairs, Stop> {
    let mut paths = options.rest.clone();
    let given = options.value(b't').map(<[u8]>::to_vec);
    let target = match &given {
        Some(target) => target.clone(),
        None => match paths.pop() {
            Some(target) if !paths.is_empty() => target,
            Some(only) => {
                let what = "missing destination file operand after";
                return Err(proc.misused_quoted(what, &only).await);
            }
            None => return Err(proc.unusable("missing file operand").await),
        },
    };
    let stat = proc.host.with(|m| m.fs.stat(&proc.user.creds, &proc.cwd, &target, true));
    let into = !options.has(b'T') && stat.as_ref().is_ok_and(|stat| stat.node.is_dir());
    if (paths.len() > 1 || given.is_some()) && !into {
        let why = stat.err().unwrap_or(Errno::NotDirectory);
        let what = if given.is_some() { "target directory" } else { "target" };
        proc.fault(what, &target, why).await;
        return Err(Stop::Status(1));
    }
    let name = |path: &[u8]| {
        [target.strip_suffix(b"/").unwrap_or(&target), b"/", base_name(path)].concat()
    };
    let pair = |path: Vec<u8>| {
        let to = if into { name(&path) } else { target.clone() };
        (path, to)
    };
    Ok(paths.into_iter().map(pair).collect())
}
