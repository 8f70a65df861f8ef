//! `df`.

use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new("hHkTaiPl", &[("human-readable", b'h')]);
    let options = read(proc, &accepts).await?;
    for path in &options.rest {
        let found = proc.host.with(|m| m.fs.find(&proc.user.creds, &proc.cwd, path, true));
        if let Err(errno) = found {
            proc.complain(path, errno.text()).await;
            return Ok(1);
        }
    }
    let human = options.has(b'h') || options.has(b'H');
    let rows = proc.host.with(|machine| {
        let facts = machine.facts();
        let half = facts.memory_kb / 2 - 20_000;
        let root = format!("/dev/{}1", facts.disk);
        let used = machine.disk_used_kb();
        vec![
            (facts.distro.family().root_fs.devices.clone(), half, 0, "/dev", 0),
            ("tmpfs".to_owned(), facts.memory_kb / 10, 640, "/run", 0),
            (root, facts.disk_kb, used, "/", facts.disk_kb / 20),
            ("tmpfs".to_owned(), facts.memory_kb / 2, 0, "/dev/shm", 0),
            ("tmpfs".to_owned(), 5120, 0, "/run/lock", 0),
            ("tmpfs".to_owned(), facts.memory_kb / 10, 0, "/run/user/0", 0),
        ]
    });
    let mut out = if human {
        String::from("Filesystem      Size  Used Avail Use% Mounted on\n")
    } else {
        String::from("Filesystem     1K-blocks    Used Available Use% Mounted on\n")
    };
    for (device, size, used, place, reserved) in rows {
        if !options.rest.is_empty() && place != "/" {
            continue;
        }
        let free: u64 = size - used - reserved;
        let percent = if used == 0 { 0 } else { (used * 100).div_ceil(used + free) };
        out.push_str(&if human {
            format!(
                "{device:<14} {:>5} {:>5} {:>5} {percent:>3}% {place}\n",
                short(size),
                short(used),
                short(free)
            )
        } else {
            format!("{device:<14} {size:>9} {used:>7} {free:>9} {percent:>3}% {place}\n")
        });
    }
    proc.out(out).await?;
    Ok(0)
}

/// A size in kilobytes as `-h` shows it.
fn short(kb: u64) -> String {
    super::human(kb * 1024)
}
