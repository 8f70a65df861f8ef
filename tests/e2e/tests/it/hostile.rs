//! Clients that mean harm: memory stays bounded, the others go on, what they sent is kept exactly.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use e2e::{Decky, Decnet, Options, clients, missing, until};
use serde_json::Value;

fn connect(decky: &Decky, service: &str) -> TcpStream {
    let stream = TcpStream::connect(decky.endpoint(service)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn endless_and_broken_input_ends_its_own_connection_only() {
    if missing("sshpass") || missing("ssh") {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let decky = decnet.decky();
    clients::run(&decky, "true");
    let pid = decnet.decoy_pid().unwrap();
    let before = resident_kb(pid);
    // Kept open: they trickle or say nothing.
    let idle: Vec<_> = (0..50).map(|_| connect(&decky, "ssh")).collect();
    let mut slow = connect(&decky, "http");
    slow.write_all(b"GET / HTTP/1.1\r\nX-a: ").unwrap();
    for service in ["ssh", "http"] {
        for garbage in [vec![b'A'; 4 << 20], vec![0; 1 << 20], vec![0xff; 1 << 20]] {
            let mut stream = connect(&decky, service);
            // The other side may close in the middle of it; that is its right.
            drop(stream.write_all(&garbage));
            drop(stream.read_to_end(&mut Vec::new()));
        }
    }
    let deep = format!("{}{}", "$(".repeat(10_000), ")".repeat(10_000));
    for line in [
        deep,
        "(".repeat(10_000),
        "{ ".repeat(10_000),
        "if ".repeat(10_000),
        "while true; do :; done".into(),
        ":(){ :|:& };:".into(),
        "yes".into(),
        "cat /dev/zero".into(),
    ] {
        clients::run(&decky, &line);
    }
    assert_eq!(clients::run(&decky, "echo still here").stdout, b"still here\n");
    assert_eq!(decnet.decoy_pid(), Some(pid), "the decoy process died");
    let grown = resident_kb(pid).saturating_sub(before);
    assert!(grown < 200 * 1024, "the decoy process grew by {grown} kB");
    assert_eq!(decnet.api("/health")["status"], "healthy");
    drop((idle, slow));
}

#[test]
fn one_byte_at_a_time_is_served_like_all_others() {
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let mut stream = connect(&decnet.decky(), "http");
    stream.set_nodelay(true).unwrap();
    for byte in b"GET /slow HTTP/1.0\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    until("the request", || {
        let page = decnet.api("/logs?search=event:request");
        (page["total"] == 1).then_some(())
    });
}

#[test]
fn hostile_credentials_and_commands_are_stored_byte_for_byte() {
    if missing("curl") || missing("sshpass") || missing("ssh") {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let decky = decnet.decky();
    let mut stream = connect(&decky, "http");
    // "a\xff\0 :p\xfe 💀 " in base64: invalid UTF-8, NUL, four-byte character, trailing blank.
    let request = "GET / HTTP/1.0\r\nAuthorization: Basic Yf8AIDpw/iDwn5KAIA==\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    let credential = until("the credential", || {
        let page = decnet.api("/credentials?service=http");
        page["data"].as_array().unwrap().first().cloned()
    });
    assert_eq!(credential["secret_b64"], "cP4g8J+SgCA=");
    assert_eq!(credential["fields"]["principal_b64"], "Yf8AIA==");
    clients::run(&decky, "echo '💀 <script>\u{202e}' \\\x1b[31m   ");
    let command = until("the command", || {
        let page = decnet.api("/logs?search=event:command");
        page["data"].as_array().unwrap().first().cloned()
    });
    let fields: Value = serde_json::from_str(command["fields"].as_str().unwrap()).unwrap();
    assert_eq!(fields["command"], "echo '💀 <script>\u{202e}' \\\x1b[31m   ");
}

#[test]
fn hostile_ssh_credentials_are_stored_byte_for_byte() {
    if clients::missing_paramiko() {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let decky = decnet.decky();
    // Invalid UTF-8, NUL, four-byte character, trailing blank; what OpenSSH cannot read and what
    // it can, and both halves of a change of password.
    let tries = [
        (r"a\xff\0 \xf0\x9f\x92\x80 ", r"p\xfe\0 \xf0\x9f\x92\x80 "),
        (r"b\xff\xf0\x9f\x92\x80 ", r"q\xfe\xf0\x9f\x92\x80 "),
    ];
    for (user, password) in tries {
        clients::paramiko_password(&decky, user, password);
    }
    clients::paramiko_password_change(&decky, "root", r"old\xff", r"new\0");
    let mut stored = |secret: &str| {
        until("the credential", || {
            let page = decnet.api("/credentials?service=ssh");
            let all = page["data"].as_array().unwrap();
            all.iter().find(|one| one["secret_b64"] == secret).cloned()
        })
    };
    let first = stored("cP4AIPCfkoAg");
    assert_eq!(first["fields"]["principal_b64"], "Yf8AIPCfkoAg");
    let second = stored("cf7wn5KAIA==");
    assert_eq!(second["fields"]["principal_b64"], "Yv/wn5KAIA==");
    assert_eq!(stored("b2xk/w==")["fields"]["new_secret_b64"], "bmV3AA==");
}
