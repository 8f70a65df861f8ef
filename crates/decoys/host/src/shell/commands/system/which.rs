//! `which` and `whereis`.

use crate::shell::commands::options::{Accepts, read};
use crate::shell::interp::{Dialect, Interp};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts::new("as", &[]).status(2)).await?;
    let shell = Interp::new(proc.clone(), b"which", Dialect::Dash);
    let mut status = u8::from(options.rest.is_empty());
    for name in &options.rest {
        match shell.which(name) {
            Ok(path) => proc.out([&path[..], b"\n"].concat()).await?,
            Err(_) => {
                if proc.host.distro().which_tells {
                    let path = shell.variable("PATH").unwrap_or_default();
                    let name = crate::fs::base_name(name);
                    let (whole, end) = (&b"/usr/bin/which: no "[..], &b")\n"[..]);
                    proc.err([whole, name, b" in (", &path, end].concat()).await;
                }
                status = 1;
            }
        }
    }
    Ok(status)
}

/// `whereis`.
pub(in crate::shell::commands) async fn whereis(proc: &mut Proc) -> Outcome {
    const PLACES: &[&str] = &[
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/etc",
        "/usr/games",
        "/usr/local/bin",
        "/usr/local/sbin",
        "/usr/include",
        "/usr/local/lib",
        "/usr/share",
    ];
    let options = read(proc, &Accepts::new("bBflmMsSu", &[])).await?;
    if options.rest.is_empty() {
        proc.err("whereis: not enough arguments\nTry 'whereis --help' for more information.\n")
            .await;
        return Ok(1);
    }
    for name in &options.rest {
        let name = crate::fs::base_name(name);
        let mut line = [name, b":"].concat();
        for place in PLACES {
            let path = crate::fs::join(place.as_bytes(), name);
            if proc.host.with(|m| m.fs.find(&proc.user.creds, b"/", &path, true)).is_ok() {
                line.push(b' ');
                line.extend(path);
            }
        }
        line.push(b'\n');
        proc.out(line).await?;
    }
    Ok(0)
}
