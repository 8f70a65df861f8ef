//! The command line against a daemon that runs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use e2e::{Answer, Decnet, Options, binary, clients, missing, request, until};
use serde_json::{Value, json};

/// A colour that is to be seen, and a clipboard that is not to be set.
const TYPED: &str = "printf '\\033]52;c;aGFybQ==\\007\\033]0;title\\007\\033[31mred\\033[0m\\n'";

fn command(decnet: &Decnet, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).arg("--state-dir").arg(decnet.state_dir());
    command.env("DECNET_CONFIG", decnet.path("decnet.ini"));
    command
}

fn call(decnet: &Decnet, args: &[&str], input: &str) -> Output {
    let mut command = command(decnet, args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What a command that succeeds prints.
fn told(decnet: &Decnet, args: &[&str]) -> String {
    told_with(decnet, args, "")
}

fn told_with(decnet: &Decnet, args: &[&str], input: &str) -> String {
    let output = call(decnet, args, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one JSON document that a command prints, without a byte that a terminal acts on.
fn answered(decnet: &Decnet, args: &[&str]) -> Value {
    let text = told(decnet, &[args, &["--json"]].concat());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
}

/// Expects a refusal with this exit code.
fn refused(decnet: &Decnet, args: &[&str], exit: i32, says: &str) {
    let output = call(decnet, args, "");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{args:?}: {told}");
    assert!(told.contains(says), "{args:?} should say \"{says}\": {told}");
}

fn get(decnet: &Decnet, path: &str, token: &str) -> Answer {
    request(&decnet.api_address(), "GET", &format!("/api/v1{path}"), Some(token), None).unwrap()
}

fn login(decnet: &Decnet, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password});
    request(&decnet.api_address(), "POST", "/api/v1/auth/login", None, Some(&body)).unwrap()
}

#[test]
fn accounts_and_tokens_open_the_api_and_end_when_they_are_taken_away() {
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let new = ["user", "add", "eve", "--role", "admin", "--password-stdin"];
    assert_eq!(told_with(&decnet, &new, "a first password\n"), "eve is added as admin.\n");
    let session = login(&decnet, "eve", "a first password").json();
    assert_eq!(session["must_change_password"], true);
    let output = call(&decnet, &new, "a first password\n");
    assert_eq!(output.status.code(), Some(5), "the name is taken");
    let users = answered(&decnet, &["user", "list"]);
    let names: Vec<_> = users["users"].as_array().unwrap().iter().map(|u| &u["username"]).collect();
    assert_eq!(names, ["admin", "eve"]);
    refused(&decnet, &["user", "role", "evve", "viewer"], 4, "did you mean eve?");
    refused(&decnet, &["user", "passwd", "eve"], 2, "--password-stdin");
    refused(&decnet, &["user", "rm", "eve"], 5, "--yes");
    told(&decnet, &["user", "role", "eve", "viewer"]);
    refused(&decnet, &["user", "rm", "admin", "--yes"], 5, "last administrator");
    told(&decnet, &["user", "rm", "eve", "--yes"]);
    assert_eq!(login(&decnet, "eve", "a first password").status, 401);

    let token = told(&decnet, &["token", "create", "siem"]).trim().to_owned();
    assert!(token.starts_with("dk_"), "{token}");
    assert_eq!(get(&decnet, "/logs", &token).status, 200);
    assert_eq!(get(&decnet, "/config/tokens", &token).status, 403);
    let listed = answered(&decnet, &["token", "list"]);
    assert!(!listed.to_string().contains(&token));
    assert!(listed["tokens"][0]["last_used_at"].is_string(), "{listed}");
    refused(&decnet, &["token", "revoke", "sime"], 4, "did you mean siem?");
    told(&decnet, &["token", "revoke", "siem"]);
    assert_eq!(get(&decnet, "/logs", &token).status, 401);

    // Locked out: only without a daemon, and what is typed then is what logs in, also later.
    let reset = ["user", "passwd", "admin", "--local", "--password-stdin"];
    let output = call(&decnet, &reset, "out of the lock\n");
    assert_eq!(output.status.code(), Some(5));
    assert!(decnet.stop());
    told_with(&decnet, &reset, "out of the lock\n");
    refused(&decnet, &["user", "list"], 7, "no DECNET runs");
    decnet.start_again();
    let session = login(&decnet, "admin", "out of the lock");
    assert_eq!(session.json()["must_change_password"], false);
}

#[test]
fn what_an_attacker_does_is_followed_found_replayed_and_does_no_harm() {
    if missing("ssh") || missing("sshpass") {
        return;
    }
    let mut decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    let mut following = command(&decnet, &["logs", "-f", "--json", "service:ssh"]);
    let mut child = following
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = mpsc::sync_channel(10_000);
    std::thread::spawn(move || {
        for line in stdout.lines() {
            let Ok(line) = line else { return };
            if sender.send(serde_json::from_str::<Value>(&line).unwrap()).is_err() {
                return;
            }
        }
    });
    let mut seen = std::collections::BTreeSet::new();
    let mut follows = |marker: &str| loop {
        let row = lines.recv_timeout(Duration::from_secs(60)).expect("the event is followed");
        assert!(seen.insert(row["id"].as_u64().unwrap()), "once each: {row}");
        if row["fields"].as_str().unwrap().contains(marker) {
            return;
        }
    };
    let (user, password) = decnet.decky().login();
    let typed = format!("{TYPED}\necho first-marker\nexit\n");
    let attack = |decnet: &Decnet, typed: &str| {
        let output = clients::ssh(&decnet.decky(), &user, &password, &["-tt"], typed.as_bytes());
        assert!(String::from_utf8_lossy(&output.stdout).contains("marker"));
    };
    attack(&decnet, &typed);
    follows("first-marker");
    assert!(decnet.stop());
    decnet.start_again();
    attack(&decnet, "echo second-marker\nexit\n");
    follows("second-marker");
    child.kill().unwrap();
    child.wait().unwrap();

    let address = until("the attacker", || {
        let list = answered(&decnet, &["attackers", "list", "--service", "ssh"]);
        Some(list["data"][0]["ip"].as_str()?.to_owned())
    });
    let shown = told(&decnet, &["attackers", "show", &address]);
    assert!(shown.contains("first-marker") && shown.contains("ssh"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let typed = answered(&decnet, &["attackers", "commands", &address]);
    assert!(typed.to_string().contains("second-marker"));
    refused(&decnet, &["attackers", "show", "198.51.100.1"], 4, "Attacker not found");
    let logs = told(&decnet, &["logs", "--since", "1h", "event:command", "-n", "1000"]);
    assert!(logs.contains("first-marker") && !logs.contains('\u{1b}'), "{logs:?}");
    refused(&decnet, &["logs", "--since", "yesterday"], 2, "no span");

    let sessions = until("both recordings", || {
        let list = answered(&decnet, &["sessions", "list", "--recorded", "--attacker", &address]);
        (list["total"].as_u64()? >= 2).then(|| list["data"].clone())
    });
    let sid = sessions[1]["sid"].as_str().unwrap();
    let text = told(&decnet, &["sessions", "export", sid, "--format", "text"]);
    assert!(text.contains("first-marker") && text.contains("\nred\n"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && !"\n\t".contains(c)), "{text:?}");
    let cast = told(&decnet, &["sessions", "export", sid]);
    assert!(cast.contains("]52;c;aGFybQ==") && !cast.contains('\u{1b}'), "{cast:?}");
    let play = ["sessions", "play", &sid[..13], "--speed", "100", "--idle-limit", "100ms"];
    let played = told(&decnet, &play);
    assert!(played.contains("first-marker") && played.contains("\u{1b}[31mred"), "{played:?}");
    for harm in ["\u{1b}]", "\u{7}", "\u{1b}[6n"] {
        assert!(!played.contains(harm), "{played:?}");
    }
    assert!(played.trim_end().ends_with("\u{1b}[0m"), "{played:?}");
    refused(&decnet, &["sessions", "play", "ffffffff-0000"], 4, "no session");
}

#[test]
fn settings_tell_where_they_come_from_and_the_doctor_finds_nothing() {
    let env = vec![("DECNET_DB_ULR".to_owned(), "x".to_owned())];
    let decnet = Decnet::start(Options { deckies: Some(1), env, ..Options::default() });
    assert!(decnet.diagnostics().contains("DECNET_DB_ULR; did you mean DECNET_DB_URL?"));
    let ini = decnet.path("decnet.ini");
    std::fs::write(&ini, "[decnet]\napi-addr = nowhere\n").unwrap();
    refused(&decnet, &["up"], 2, "line 2 column 1");
    std::fs::write(&ini, "[web]\nadmin-user = ida ; first\n[decnet]\nlgo = debug\n").unwrap();
    let of = |key: &str| answered(&decnet, &["config", "get", key]);
    assert_eq!(of("admin-user")["value"], "ida");
    assert_eq!(of("web.admin-user")["origin"], format!("{} line 2", ini.display()));
    assert_eq!(of("state-dir")["origin"], "flag");
    assert_eq!(of("DECNET_API_ADDR")["origin"], "default");
    assert_eq!(of("deployment-limit")["value"], "10");
    told(&decnet, &["config", "set", "deployment-limit", "12"]);
    assert_eq!(of("deployment-limit")["value"], "12");
    told(&decnet, &["config", "set", "db-url", "mysql://u:hunter2@h/d"]);
    let shown = told(&decnet, &["config", "show"]);
    assert!(shown.contains("mysql://u") && !shown.contains("hunter2"), "{shown}");
    refused(&decnet, &["config", "get", "api-adr"], 4, "did you mean api-addr?");
    refused(&decnet, &["config", "set", "jwt-secret", "x"], 2, "32");
    refused(&decnet, &["config", "set", "deployment-limit", "501"], 2, "from 1 to 500");
    let faults = told(&decnet, &["config", "validate"]);
    assert!(faults.contains("line 4 column 1") && faults.contains("did you mean log?"), "{faults}");
    let mut strange = command(&decnet, &["config", "validate"]);
    let output =
        strange.env("DECNET_STATE_DRI", "/x").env("DECNET_API_ADDR", "x").output().unwrap();
    let faults = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{faults}");
    assert!(faults.contains("DECNET_STATE_DRI; did you mean DECNET_STATE_DIR?"), "{faults}");

    std::fs::remove_file(&ini).unwrap();
    let healthy = until("a healthy daemon", || {
        let output = call(&decnet, &["doctor", "--json"], "");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code() == Some(0)).then_some(found)
    });
    assert_eq!(healthy["ok"], true);
    let about = |name: &str| {
        let findings = healthy["findings"].as_array().unwrap();
        findings.iter().find(|one| one["about"] == name).unwrap().clone()
    };
    assert!(about("database")["what"].as_str().unwrap().contains("m0004"), "{healthy}");
    assert_eq!(about("daemon")["status"], "ok");
    assert!(about("sandbox")["what"].as_str().unwrap().contains("isolated"), "{healthy}");
    let output = call(&decnet, &["doctor", "--json", "--db", "mysql://u@127.0.0.1:1/d"], "");
    assert_eq!(output.status.code(), Some(8));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let wrong = |one: &&Value| one["status"] == "wrong";
    let wrong: Vec<_> = found["findings"].as_array().unwrap().iter().filter(wrong).collect();
    assert_eq!(wrong.len(), 1, "{found}");
    assert!(wrong[0]["about"] == "database" && wrong[0]["fix"].is_string(), "{found}");
}

#[test]
fn another_user_of_the_machine_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let decnet = Decnet::start(Options { deckies: Some(1), ..Options::default() });
    // The program where everybody can start it.
    let program = decnet.path("decnet");
    std::fs::copy(binary(), &program).unwrap();
    let state = decnet.state_dir();
    for args in [["status"].as_slice(), &["user", "list"], &["token", "create", "mine"]] {
        let mut command = Command::new(&program);
        command.args(args).arg("--state-dir").arg(&state).arg("--json").uid(65534).gid(65534);
        let output = command.current_dir("/").output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(output.status.code(), Some(6), "{args:?}: {output:?}");
        assert_eq!(told["error"]["code"], "permission", "{told}");
    }
    assert_eq!(answered(&decnet, &["token", "list"])["tokens"], json!([]));
}

#[test]
fn a_shell_completes_commands_and_the_deckies_there_are() {
    if missing("bash") {
        return;
    }
    let decnet = Decnet::start(Options { deckies: Some(2), ..Options::default() });
    let folder = binary().parent().unwrap().display().to_string();
    let script = format!(
        "PATH={folder}:$PATH; source <(decnet completions bash); complete -p decnet; \
         line() {{ COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); \
         _clap_complete_decnet decnet \"${{COMP_WORDS[COMP_CWORD]}}\"; \
         echo ---; printf '%s\\n' \"${{COMPREPLY[@]}}\"; }}; \
         line decnet att; line decnet teardown --id ''"
    );
    let mut bash = Command::new("bash");
    let output = bash.args(["-c", &script]).env("DECNET_STATE_DIR", decnet.state_dir()).output();
    let output = output.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let parts: Vec<&str> = told.split("---\n").collect();
    assert_eq!(parts.len(), 3, "{told} {errors}");
    assert!(parts[0].contains("decnet"), "{told} {errors}");
    assert_eq!(parts[1].trim(), "attackers", "{told} {errors}");
    for decky in decnet.deckies() {
        assert!(parts[2].contains(&decky.name()), "{told} {errors}");
    }
}
