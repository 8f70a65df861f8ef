//! The machine: folder, room, limits, ports, sandbox, clock.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base_model::Timestamp;
use base_runtime::Clock;
use rustix::process::{Resource, getrlimit};
use tokio::process::Command;

use super::Finding;

/// Free bytes below which captures may soon be lost, and below which they are.
const ROOM: (u64, u64) = (1024 * 1024 * 1024, 100 * 1024 * 1024);
/// How long the sandbox may take to be tried out.
const PATIENCE: Duration = Duration::from_secs(20);
/// How far a file may be in the future.
const AHEAD: Duration = Duration::from_secs(300);

/// Whether the state folder is this user's alone.
pub(super) fn folder(state: &Path) -> Finding {
    const ABOUT: &str = "state folder";
    let shown = state.display();
    let metadata = match fs::metadata(state) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Finding::fine(ABOUT, format!("`{shown}` is made at the first start"));
        }
        Err(error) => {
            let what = format!("`{shown}` cannot be looked at: {error}");
            return Finding::wrong(ABOUT, what, "call this as its owner, or as root");
        }
    };
    let us = rustix::process::geteuid().as_raw();
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
    if !metadata.is_dir() {
        return Finding::wrong(ABOUT, format!("`{shown}` is no folder"), "name another");
    }
    if owner != us {
        let what = format!("`{shown}` belongs to user {owner}, and this is user {us}");
        return match base_sandbox::is_root() {
            true => Finding::weak(ABOUT, what, "start DECNET as its owner"),
            false => Finding::wrong(ABOUT, what, "call this as its owner"),
        };
    }
    if mode & 0o077 != 0 {
        let what = format!("`{shown}` is open to others (mode {mode:03o}); keys are in it");
        return Finding::wrong(ABOUT, what, format!("chmod 700 '{shown}'"));
    }
    Finding::fine(ABOUT, format!("`{shown}` is this user's alone"))
}

/// Whether there is room for captures.
pub(super) fn room(state: &Path) -> Finding {
    const ABOUT: &str = "disk";
    // What is not made yet is on the disk of what is.
    let there = state.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let found = match rustix::fs::statvfs(there) {
        Ok(found) => found,
        Err(error) => {
            let what = format!("`{}` cannot be measured: {error}", there.display());
            return Finding::weak(ABOUT, what, "see `df`");
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let what = format!("{} MiB are free in `{}`", free / (1024 * 1024), there.display());
    let fix = "make room, or give another folder with --state-dir";
    match free {
        _ if free < ROOM.1 => Finding::wrong(ABOUT, what, fix),
        _ if free < ROOM.0 => Finding::weak(ABOUT, what, fix),
        _ => Finding::fine(ABOUT, what),
    }
}

/// Whether the fleet's `sockets` fit the descriptor limit.
pub(super) fn descriptors(sockets: usize) -> Finding {
    const ABOUT: &str = "open files";
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let needed = net_uplink::descriptors_needed(sockets, limit);
    let what = format!("{needed} are needed for {sockets} ports, and {limit} are allowed");
    if needed > limit {
        let fix = "raise the hard limit: `ulimit -Hn`, or `LimitNOFILE=` in the systemd unit";
        return Finding::wrong(ABOUT, what, fix);
    }
    Finding::fine(ABOUT, what)
}

/// Whether deckies can have the ports they claim.
pub(super) fn low_ports() -> Finding {
    const ABOUT: &str = "low ports";
    let start = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let start = start.ok().and_then(|text| text.trim().parse::<u16>().ok()).unwrap_or(1024);
    if may_bind_low() {
        return Finding::fine(ABOUT, "this user may open ports below 1024");
    }
    if start <= 21 {
        return Finding::fine(ABOUT, format!("everybody may open ports from {start} on"));
    }
    let what = format!("ports below {start} are not allowed; deckies answer on high ones instead");
    let fix = "as root: `sysctl net.ipv4.ip_unprivileged_port_start=21`, or `setcap \
               cap_net_bind_service=+ep` on the program";
    Finding::weak(ABOUT, what, fix)
}

/// CAP_NET_BIND_SERVICE, as number 10 of the effective set.
fn may_bind_low() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_some_and(|set| set & (1 << 10) != 0)
}

/// Whether the decoy process can be isolated: a process isolates itself and tries to get out.
pub(super) async fn sandbox() -> Finding {
    const ABOUT: &str = "sandbox";
    let fix = "see the message; --allow-weak-sandbox starts without, which is not recommended";
    let folder = std::env::temp_dir().join(format!("decnet-doctor-{}", std::process::id()));
    let tried = async {
        let owner = base_sandbox::is_root().then(base_sandbox::unprivileged_user);
        base_sandbox::prepare_state_dir(&folder, owner)?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["decoy", "--check", "--open-files", "256", "--state-dir"]).arg(&folder);
        command.env_clear().stdin(Stdio::null()).current_dir("/").kill_on_drop(true);
        Ok::<_, anyhow::Error>(tokio::time::timeout(PATIENCE, command.output()).await??)
    };
    let tried = tried.await;
    // It is empty: nothing was written there.
    let _ = fs::remove_dir(&folder);
    match tried {
        Ok(output) if output.status.success() => {
            Finding::fine(ABOUT, String::from_utf8_lossy(&output.stdout).trim())
        }
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            let line = told.lines().find(|line| line.starts_with("error")).unwrap_or(&told);
            Finding::wrong(ABOUT, line.trim(), fix)
        }
        Err(error) => Finding::wrong(ABOUT, format!("it cannot be tried: {error:#}"), fix),
    }
}

/// Whether the clock is plausible: not before this program was built, nor before what was written.
pub(super) fn clock(state: &Path) -> Finding {
    const ABOUT: &str = "clock";
    let now = Clock::start().now();
    let fix = "set it, and let it be kept (`timedatectl set-ntp true`)";
    let program = std::env::current_exe().ok().and_then(|path| changed(&path));
    if let Some(built) = program
        && built > now + AHEAD
    {
        let what = format!("it is {now}, but this program is of {built}");
        return Finding::wrong(ABOUT, what, fix);
    }
    let entries = fs::read_dir(state).into_iter().flatten().flatten();
    let newest = entries.filter_map(|entry| changed(&entry.path())).max();
    match newest {
        Some(newest) if newest > now + AHEAD => {
            let what = format!("it is {now}, but something was captured at {newest}");
            Finding::wrong(ABOUT, what, fix)
        }
        _ => Finding::fine(ABOUT, format!("it is {}", now.rfc3339(0))),
    }
}

fn changed(path: &Path) -> Option<Timestamp> {
    let seconds = fs::metadata(path).ok()?.mtime();
    Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?))
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::SystemTime;

    use super::super::Level;
    use super::*;

    #[test]
    fn a_folder_that_others_read_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(super::folder(folder.path()).level, Level::Fine);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let found = super::folder(folder.path());
        assert!(found.level == Level::Wrong && found.what.contains("755"), "{found:?}");
        assert_eq!(super::folder(&folder.path().join("new")).level, Level::Fine);
        let file = folder.path().join("file");
        File::create(&file).unwrap();
        assert_eq!(super::folder(&file).level, Level::Wrong);
    }

    #[test]
    fn a_fleet_beyond_the_limit_is_wrong() {
        assert_eq!(descriptors(0).level, Level::Fine);
        assert_eq!(descriptors(usize::MAX).level, Level::Wrong);
    }

    #[test]
    fn a_clock_that_went_back_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(clock(folder.path()).level, Level::Fine);
        let file = File::create(folder.path().join("journal")).unwrap();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800);
        file.set_modified(then).unwrap();
        let found = clock(folder.path());
        assert!(found.level == Level::Wrong && found.what.contains("2100-01-01"), "{found:?}");
    }
}
