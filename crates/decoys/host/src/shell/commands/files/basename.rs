//! `basename` and `dirname`.

use crate::fs::base_name;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts =
    Accepts::new("+as:z", &[("multiple", b'a'), ("suffix=", b's'), ("zero", b'z')]);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let several = options.has(b'a') || options.has(b's');
    let end: &[u8] = if options.has(b'z') { b"\0" } else { b"\n" };
    let (paths, suffix) = match options.rest.as_slice() {
        [] => return Err(proc.missing_operand().await),
        paths if several => (paths, options.value(b's').unwrap_or_default()),
        [path] => (std::slice::from_ref(path), &b""[..]),
        [path, suffix] => (std::slice::from_ref(path), suffix.as_slice()),
        [_, _, extra, ..] => return Err(proc.misused_quoted("extra operand", extra).await),
    };
    for path in paths {
        let name = if path.is_empty() { b"" } else { base_name(path) };
        let cut = name.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(name);
        proc.out([cut, end].concat()).await?;
    }
    Ok(0)
}

/// `dirname`.
pub(in crate::shell::commands) async fn dirname(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts::new("z", &[("zero", b'z')])).await?;
    if options.rest.is_empty() {
        return Err(proc.missing_operand().await);
    }
    let end: &[u8] = if options.has(b'z') { b"\0" } else { b"\n" };
    for path in &options.rest {
        proc.out([parent(path), end].concat()).await?;
    }
    Ok(0)
}

fn parent(path: &[u8]) -> &[u8] {
    let trim = |path: &[u8]| path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    let name = path.get(..trim(path)).unwrap_or_default();
    match name.iter().rposition(|&b| b == b'/') {
        Some(at) => {
            let head = name.get(..at).unwrap_or_default();
            let head = head.get(..trim(head)).unwrap_or_default();
            if head.is_empty() { b"/" } else { head }
        }
        None if name.is_empty() && path.starts_with(b"/") => b"/",
        None => b".",
    }
}
