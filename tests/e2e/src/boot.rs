//! A throw-away copy of this machine that real systemd runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{binary, missing, skipped};

/// `boot.sh` ends with it where a copy cannot be made.
const IMPOSSIBLE: i32 = 77;

/// Has systemd on a copy run `script`, with the program at `/trial/decnet`, and returns what it wrote.
/// Nothing where that is not possible.
pub fn booted(script: &str) -> Option<String> {
    if !Path::new("/lib/systemd/systemd").exists() {
        skipped("systemd is not installed");
        return None;
    }
    if missing("unshare") || missing("ip") {
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        skipped("only root can boot a copy of this machine");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let (boot, out) = (folder.path().join("boot.sh"), folder.path().join("out"));
    fs::write(&boot, include_str!("boot.sh")).unwrap();
    fs::write(folder.path().join("script"), script).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--uts", "--ipc", "--cgroup", "--net", "sh"]);
    command.arg(&boot).arg(folder.path()).arg(binary()).stdin(Stdio::null());
    let ended = command.output().unwrap();
    if ended.status.code() == Some(IMPOSSIBLE) {
        skipped(&format!("no copy: {}", String::from_utf8_lossy(&ended.stderr).trim()));
        return None;
    }
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    Some(fs::read_to_string(&out).unwrap_or_else(|_| panic!("systemd did not start: {said}")))
}
