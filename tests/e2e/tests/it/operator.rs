//! What an operator does wrong is said plainly, and nothing is lost.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use e2e::{Decnet, Options, request};

/// Starts with these arguments on this daemon's state folder and expects a refusal.
fn refused(decnet: &Decnet, args: &[&str], exit: i32, says: &[&str]) {
    let output = decnet.command().args(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {told}");
    for text in says {
        assert!(told.contains(text), "{args:?} should say \"{text}\":\n{told}");
    }
    assert!(told.contains("hint: ") || exit == 1 || told.contains("Usage"), "{told}");
}

#[test]
fn a_second_daemon_and_bad_arguments_are_refused_and_the_first_goes_on() {
    let mut decnet = Decnet::start(Options { deckies: Some(2), ..Options::default() });
    refused(&decnet, &[], 5, &["another DECNET already runs on the state folder"]);
    assert_eq!(decnet.api("/health")["status"], "healthy");
    assert!(decnet.stop());
    refused(&decnet, &["--services", "shh"], 2, &["Unknown service(s): [\"shh\"]", "\"ssh\""]);
    refused(&decnet, &["--db", "oracle://x"], 2, &["--db"]);
    refused(&decnet, &["--db", "mysql://u:pw@127.0.0.1:1/d"], 7, &["127.0.0.1:1"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = decnet.command();
    let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let at = args.iter().position(|arg| arg == "--api-addr").unwrap();
    command = std::process::Command::new(e2e::binary());
    command.args(&args[..=at]).arg(&address).args(&args[at + 2..]);
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains(&address) && told.contains("--api-addr"), "{told}");
    decnet.start_again();
    assert_eq!(decnet.deckies().len(), 2);
    assert_eq!(decnet.api("/health")["status"], "healthy");
}

#[test]
fn fewer_deckies_than_there_are_is_refused_and_more_keeps_the_old() {
    let mut decnet = Decnet::start(Options::default());
    let before = decnet.deckies();
    assert!(decnet.stop());
    refused(&decnet, &["--deckies", "1"], 5, &["would destroy", "--deckies 1"]);
    refused(&decnet, &["--deckies", "0"], 2, &["--deckies 1 or more"]);
    decnet.options.deckies = Some(before.len() + 1);
    decnet.start_again();
    let after = decnet.deckies();
    assert_eq!(after.len(), before.len() + 1);
    for (old, same) in before.iter().zip(&after) {
        assert_eq!(old.0, same.0);
    }
}

#[test]
fn a_state_folder_that_cannot_be_used_is_named() {
    let decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let file = decnet.path("a-file");
    fs::write(&file, "x").unwrap();
    let output = std::process::Command::new(e2e::binary())
        .args(["up", "--state-dir"])
        .arg(file.join("below"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{told}");
    assert!(told.contains("a-file") && told.contains("--state-dir"), "{told}");
}

#[test]
fn the_ready_file_is_private_and_the_first_password_is_for_once() {
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let mode = fs::metadata(decnet.path("ready")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = decnet.ready["password"].as_str().unwrap().to_owned();
    assert!(first.len() >= 16);
    let login = serde_json::json!({"username": decnet.ready["user"], "password": first});
    let address = decnet.api_address();
    let answer = request(&address, "POST", "/api/v1/auth/login", None, Some(&login)).unwrap();
    assert_eq!(answer.json()["must_change_password"], true);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let logs = request(&address, "GET", "/api/v1/logs", Some(&token), None).unwrap();
    assert_eq!(logs.status, 403);
    decnet.token();
    let again = request(&address, "POST", "/api/v1/auth/login", None, Some(&login)).unwrap();
    assert_eq!(again.status, 401);
    assert!(decnet.stop());
    decnet.start_again();
    assert!(decnet.ready["password"].is_null(), "a changed password is not known any more");
}
