//! `which`, `readlink`, `realpath`, `basename`, `dirname`.

use super::options::{Accepts, missing_operand, read};
use crate::fs::{Kind, base_name, parent_of};
use crate::shell::interp::{Dialect, Interp};
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    match proc.name().as_str() {
        "which" => which(proc).await,
        "basename" => basename(proc).await,
        "dirname" => dirname(proc).await,
        _ => real_path(proc).await,
    }
}

async fn which(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts { short: "as", long: &[], status: 2 }).await?;
    let shell = Interp::new(proc.clone(), b"which", Dialect::Dash);
    let mut status = u8::from(options.rest.is_empty());
    for name in &options.rest {
        match shell.which(name) {
            Ok(path) => proc.out([&path[..], b"\n"].concat()).await?,
            Err(_) => status = 1,
        }
    }
    Ok(status)
}

async fn basename(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let Some(path) = arguments.first() else { return Err(missing_operand(proc).await) };
    let mut name = base_name(path).to_vec();
    if let Some(suffix) = arguments.get(1)
        && name.len() > suffix.len()
        && name.ends_with(suffix)
    {
        name.truncate(name.len() - suffix.len());
    }
    name.push(b'\n');
    proc.out(name).await?;
    Ok(0)
}

async fn dirname(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.is_empty() {
        return Err(missing_operand(proc).await);
    }
    for path in arguments {
        let trimmed = path.trim_ascii_end().strip_suffix(b"/").unwrap_or(&path);
        let parent = if trimmed.contains(&b'/') { parent_of(trimmed) } else { b"." };
        proc.out([parent, b"\n"].concat()).await?;
    }
    Ok(0)
}

async fn real_path(proc: &mut Proc) -> Outcome {
    let link_only = proc.name() == "readlink";
    let options = read(proc, &Accepts { short: "femnqs", long: &[], status: 1 }).await?;
    if options.rest.is_empty() {
        return Err(missing_operand(proc).await);
    }
    let mut status = 0;
    for path in &options.rest {
        let found = proc.host.with(|machine| {
            let creds = &proc.user.creds;
            if link_only && !options.has(b'f') && !options.has(b'e') && !options.has(b'm') {
                let stat = machine.fs.stat(creds, &proc.cwd, path, false)?;
                return match stat.node.kind {
                    Kind::Symlink(target) => Ok(target),
                    _ => Err(crate::fs::Errno::Invalid),
                };
            }
            machine.fs.real_path(creds, &proc.cwd, path)
        });
        match found {
            Ok(mut path) => {
                if !options.has(b'n') {
                    path.push(b'\n');
                }
                proc.out(path).await?;
            }
            Err(errno) => {
                if !link_only {
                    proc.complain(path, errno.text()).await;
                }
                status = 1;
            }
        }
    }
    Ok(status)
}
