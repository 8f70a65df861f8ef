//! Everything: what tests need, the checks, all tests.

use std::process::Command;

use crate::check;
use crate::run::{cargo, run as call};

/// Debian packages that tests use as clients and servers. None of them starts a daemon.
const PACKAGES: &[&str] = &[
    "curl",
    "lftp",
    "libnet-ssleay-perl",
    "mariadb-client",
    "mariadb-server-core",
    "nmap",
    "openssh-client",
    "openssl",
    "postgresql-client",
    "python3-paramiko",
    "redis-tools",
    "sshpass",
    "swaks",
    "systemd",
    "telnet",
];

pub(crate) fn run() -> anyhow::Result<()> {
    install()?;
    check::run()?;
    call(&mut cargo(&["build", "--locked", "--package", "decnet"]))?;
    call(&mut cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]))
}

/// Installs missing packages where that is possible; tests say what they miss elsewhere.
#[expect(clippy::print_stderr, reason = "a task talks to whoever runs it")]
fn install() -> anyhow::Result<()> {
    let installed = |package: &&str| {
        let query = Command::new("dpkg").args(["-s", package]).output();
        query.is_ok_and(|output| output.status.success())
    };
    let missing: Vec<&str> = PACKAGES.iter().filter(|one| !installed(one)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root || Command::new("apt-get").arg("--version").output().is_err() {
        eprintln!("── not installed: {} (needs root and apt)", missing.join(" "));
        return Ok(());
    }
    call(Command::new("apt-get").args(["update", "-q"]))?;
    call(
        Command::new("apt-get")
            .args(["install", "-qy", "--no-install-recommends"])
            .args(&missing)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
