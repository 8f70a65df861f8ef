//! OpenSSH's own client, with every algorithm there is.

use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

use crate::machine::Machine;

/// Says once that a test does not run for want of a program; with `DECNET_TESTS_STRICT` it fails.
fn missing(program: &str) -> bool {
    let found = Command::new("which").arg(program).stdout(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return false;
    }
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let strict = std::env::var("DECNET_TESTS_STRICT").is_ok();
    assert!(!strict, "{program} is missing");
    println!("skipped: {program} is missing");
    true
}

/// Runs `ssh` with `options` and the command `line`.
async fn ssh(address: SocketAddr, options: &[&str], line: &str, input: Vec<u8>) -> Output {
    let mut command = Command::new("sshpass");
    command.args(["-p", "pw", "ssh", "-F", "/dev/null", "-p", &address.port().to_string()]);
    for option in [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        "NumberOfPasswordPrompts=1",
        "PubkeyAuthentication=no",
        "PreferredAuthentications=password",
    ] {
        command.args(["-o", option]);
    }
    command.args(options).arg("root@127.0.0.1").arg(line);
    tokio::task::spawn_blocking(move || {
        use std::io::Write as _;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        output
    })
    .await
    .unwrap()
}

/// The names in the client's list of `kind` that the server offers.
fn algorithms(kind: &str, offered: &[&'static str]) -> Vec<&'static str> {
    let known = Command::new("ssh").args(["-Q", kind]).output().unwrap().stdout;
    let known = String::from_utf8(known).unwrap();
    let common = offered.iter().copied().filter(|name| known.lines().any(|line| line == *name));
    common.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_exchange_and_host_key_is_spoken() {
    if missing("ssh") || missing("sshpass") {
        return;
    }
    let machine = Machine::start().await;
    let methods = algorithms(
        "kex",
        &[
            "sntrup761x25519-sha512",
            "sntrup761x25519-sha512@openssh.com",
            "curve25519-sha256",
            "curve25519-sha256@libssh.org",
            "ecdh-sha2-nistp256",
            "ecdh-sha2-nistp384",
            "ecdh-sha2-nistp521",
            "diffie-hellman-group-exchange-sha256",
            "diffie-hellman-group16-sha512",
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group14-sha256",
        ],
    );
    assert!(methods.len() >= 9, "{methods:?}");
    for method in methods {
        let option = format!("KexAlgorithms={method}");
        let output = ssh(machine.address, &["-o", &option], "echo hello", Vec::new()).await;
        assert_eq!(output.stdout, b"hello", "{method}: {output:?}");
    }
    for key in ["rsa-sha2-512", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519"] {
        let option = format!("HostKeyAlgorithms={key}");
        let output = ssh(machine.address, &["-o", &option], "echo hello", Vec::new()).await;
        assert_eq!(output.stdout, b"hello", "{key}: {output:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cipher_mac_and_compression_is_spoken() {
    if missing("ssh") || missing("sshpass") {
        return;
    }
    let machine = Machine::start().await;
    let input: Vec<u8> = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    let ciphers = [
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
    ];
    let macs = [
        "umac-64-etm@openssh.com",
        "umac-128-etm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha1-etm@openssh.com",
        "umac-64@openssh.com",
        "umac-128@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",
    ];
    let pairs = ciphers.iter().map(|cipher| (*cipher, macs[0]));
    let pairs = pairs.chain(macs.iter().map(|mac| ("aes128-ctr", *mac)));
    for (at, (cipher, mac)) in pairs.enumerate() {
        let mut options = vec!["-c", cipher, "-m", mac];
        if at % 2 == 0 {
            options.push("-C");
        }
        let output = ssh(machine.address, &options, "cat", input.clone()).await;
        assert!(output.stdout == input, "{options:?}: {}", output.stderr.escape_ascii());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_changed_under_load_in_both_directions() {
    if missing("ssh") || missing("sshpass") {
        return;
    }
    let machine = Machine::start().await;
    for cipher in ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr"] {
        let options = ["-o", "RekeyLimit=1M", "-c", cipher, "-C"];
        let output = ssh(machine.address, &options, "bytes 6000000", Vec::new()).await;
        assert_eq!(output.stdout.len(), 6_000_000, "{cipher}");
        let output = ssh(machine.address, &options, "sink", vec![7; 6_000_000]).await;
        assert_eq!(output.stdout, b"6000000", "{cipher}");
        let input: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_be_bytes).collect();
        let output = ssh(machine.address, &options, "cat", input.clone()).await;
        assert!(output.stdout == input, "{cipher}: {}", output.stderr.escape_ascii());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_and_error_output_arrive_and_refusals_are_noticed() {
    if missing("ssh") || missing("sshpass") {
        return;
    }
    let machine = Machine::start().await;
    let output = ssh(machine.address, &[], "err bad", Vec::new()).await;
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(3), &b"bad"[..]));
    let output = ssh(machine.address, &["-tt"], "echo hello", Vec::new()).await;
    assert_eq!(output.stdout, b"hello");
    let calls = machine.seen.calls();
    assert!(calls.iter().any(|call| call.starts_with("request Pty")), "{calls:?}");
    let options = ["-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:0:127.0.0.1:9"];
    let output = ssh(machine.address, &options, "echo hello", Vec::new()).await;
    assert_eq!(output.status.code(), Some(255));
    let options = ["-W", "127.0.0.1:9"];
    let output = ssh(machine.address, &options, "", Vec::new()).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("forwarding failed"), "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_server_speaks_its_old_algorithms() {
    if missing("ssh") || missing("sshpass") {
        return;
    }
    let machine = Machine::calling_itself("SSH-2.0-OpenSSH_7.4").await;
    let input: Vec<u8> = (0..40_000_u32).flat_map(u32::to_be_bytes).collect();
    for option in [
        "KexAlgorithms=diffie-hellman-group1-sha1",
        "KexAlgorithms=diffie-hellman-group14-sha1",
        "KexAlgorithms=diffie-hellman-group-exchange-sha1",
        "HostKeyAlgorithms=ssh-rsa",
        "Ciphers=aes128-cbc",
        "Ciphers=aes192-cbc",
        "Ciphers=aes256-cbc",
        "Ciphers=3des-cbc",
    ] {
        let output = ssh(machine.address, &["-o", option], "cat", input.clone()).await;
        assert!(output.stdout == input, "{option}: {}", output.stderr.escape_ascii());
    }
}
