//! Real clients.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::daemon::Decky;

/// Options that keep a client from asking, remembering or using the tester's own keys.
const QUIET: &[&str] = &[
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "NumberOfPasswordPrompts=1",
    "-o",
    "PubkeyAuthentication=no",
    "-o",
    "ConnectTimeout=30",
    "-F",
    "/dev/null",
];

/// `ssh` with a password, running `args` after the host.
pub fn ssh(decky: &Decky, user: &str, password: &str, args: &[&str], input: &[u8]) -> Output {
    let (address, port) = decky.endpoint("ssh");
    let mut command = Command::new("sshpass");
    command.args(["-p", password, "ssh"]).args(QUIET).args(["-p", &port.to_string()]);
    let (flags, rest): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| arg.starts_with('-'));
    command.args(flags).arg(format!("{user}@{address}")).args(rest);
    with_input(&mut command, input)
}

/// `ssh` as the decky's first login, running `line`.
pub fn run(decky: &Decky, line: &str) -> Output {
    let (user, password) = decky.login();
    ssh(decky, &user, &password, &[line], b"")
}

/// `scp` of `from` to `to` on the decky, as its first login; `legacy` uses the old protocol.
pub fn scp(decky: &Decky, from: &str, to: &str, legacy: bool) -> Output {
    let (address, port) = decky.endpoint("ssh");
    let (user, password) = decky.login();
    let mut command = Command::new("sshpass");
    command.args(["-p", &password, "scp"]).args(QUIET).args(["-P", &port.to_string()]);
    if legacy {
        command.arg("-O");
    }
    command.arg(from).arg(format!("{user}@{address}:{to}"));
    with_input(&mut command, b"")
}

/// `curl` with `args` on a path of the decky's web server.
pub fn curl(decky: &Decky, path: &str, args: &[&str]) -> Output {
    let (address, port) = decky.endpoint("http");
    let mut command = Command::new("curl");
    command.args(["-s", "-m", "30"]).args(args).arg(format!("http://{address}:{port}{path}"));
    with_input(&mut command, b"")
}

/// Whether Debian's paramiko is missing: of the clients it alone sends any bytes.
#[must_use]
pub fn missing_paramiko() -> bool {
    let found = Command::new(PYTHON).args(["-c", "import paramiko"]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return false;
    }
    crate::skipped("python3-paramiko is not installed");
    true
}

/// Debian's interpreter, which has Debian's packages whatever else is installed.
const PYTHON: &str = "/usr/bin/python3";

/// One try over SSH with the bytes that `user` and `password` are when read as Python text.
pub fn paramiko_password(decky: &Decky, user: &str, password: &str) {
    paramiko(decky, &format!("transport.auth_password(b'{user}', b'{password}', fallback=False)"));
}

/// One try to change a password over SSH.
pub fn paramiko_password_change(decky: &Decky, user: &str, old: &str, new: &str) {
    paramiko(
        decky,
        &format!(
            "\
from paramiko import Message
from paramiko.auth_handler import AuthHandler
def request(self, m):
    m = Message()
    m.add_byte(bytes([50]))
    for part in (b'{user}', b'ssh-connection', b'password'):
        m.add_string(part)
    m.add_boolean(True)
    m.add_string(b'{old}')
    m.add_string(b'{new}')
    self.transport._send_message(m)
AuthHandler._client_handler_table[6] = request
transport.auth_password(b'{user}', b'', fallback=False)"
        ),
    );
}

/// Runs `lines` on a paramiko transport with keys exchanged; it may fail as it likes.
fn paramiko(decky: &Decky, lines: &str) {
    let (address, port) = decky.endpoint("ssh");
    let script = format!(
        "\
import logging, paramiko
logging.disable()
transport = paramiko.Transport(('{address}', {port}))
transport.start_client(timeout=30)
{lines}"
    );
    with_input(Command::new(PYTHON).args(["-c", &script]), b"");
}

fn with_input(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("client starts");
    // The client may be gone before it read everything.
    drop(child.stdin.take().unwrap().write_all(input));
    child.wait_with_output().unwrap()
}
