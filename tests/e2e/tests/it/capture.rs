//! What attackers do is in the API.

use std::fs;

use e2e::{Decnet, Options, clients, missing, until};
use serde_json::Value;

fn up() -> Option<Decnet> {
    let tools = ["ssh", "sshpass", "curl"];
    let absent = tools.iter().any(|tool| missing(tool));
    (!absent).then(|| Decnet::start(Options { deckies: Some(2), ..Options::default() }))
}

fn logs(decnet: &mut Decnet, search: &str) -> Vec<Value> {
    let page = decnet.api(&format!("/logs?limit=1000&search={search}"));
    page["data"].as_array().unwrap().clone()
}

fn fields(log: &Value) -> Value {
    serde_json::from_str(log["fields"].as_str().unwrap()).unwrap()
}

#[test]
fn a_login_and_its_commands_are_there_once() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let (user, password) = decky.login();
    let wrong = clients::ssh(&decky, &user, "not-the-password", &["id"], b"");
    assert!(!wrong.status.success());
    let output = clients::run(&decky, "uname -a; id");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Linux") && text.contains("uid=0(root)"), "{text}");
    let commands = until("the command", || {
        let found = logs(&mut decnet, "event:command");
        (!found.is_empty()).then_some(found)
    });
    assert_eq!(commands.len(), 1);
    assert_eq!(fields(&commands[0])["command"], "uname -a; id");
    let credentials = until("the credentials", || {
        let page = decnet.api("/credentials");
        (page["total"] == 2).then(|| page["data"].as_array().unwrap().clone())
    });
    let outcome = |secret: &str| {
        let row = credentials.iter().find(|row| row["secret_printable"] == secret).unwrap();
        (row["outcome"].clone(), row["principal"].clone(), row["service"].clone())
    };
    assert_eq!(outcome("not-the-password"), ("failure".into(), "root".into(), "ssh".into()));
    assert_eq!(outcome(&password), ("success".into(), "root".into(), "ssh".into()));
    let attackers = decnet.api("/attackers");
    assert_eq!(attackers["total"], 1);
    let attacker = &attackers["data"][0];
    assert_eq!(attacker["ip"], "127.0.0.1");
    assert_eq!(attacker["credential_count"], 2);
    let uuid = attacker["uuid"].as_str().unwrap().to_owned();
    let commands = decnet.api(&format!("/attackers/{uuid}/commands"));
    assert_eq!(commands["data"][0]["command"], "uname -a; id");
    let detail = decnet.api(&format!("/attackers/{uuid}"));
    assert_eq!(detail["observations"], serde_json::json!([]));
}

#[test]
fn an_interactive_session_is_recorded_and_plays_back() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let (user, password) = decky.login();
    let typed = b"echo typed-by-hand > /tmp/note\ncat /tmp/note\nexit\n";
    let output = clients::ssh(&decky, &user, &password, &["-tt"], typed);
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(seen.contains("typed-by-hand"), "{seen}");
    let recorded = until("the recording", || logs(&mut decnet, "event:session_recorded").pop());
    let fields = fields(&recorded);
    let sid = recorded["session_id"].as_str().or(fields["sid"].as_str()).unwrap().to_owned();
    let transcript = decnet.api(&format!("/transcripts/{}/{sid}", decky.name()));
    let channel = |wanted: &str| {
        let events = transcript["events"].as_array().unwrap();
        let of = events.iter().filter(|event| event[1] == wanted);
        of.map(|event| event[2].as_str().unwrap()).collect::<String>()
    };
    assert!(channel("i").replace('\r', "\n").contains("cat /tmp/note"), "{}", channel("i"));
    assert_eq!(channel("o"), seen, "what was shown is what the client saw");
    let cast = decnet.get(&format!("/transcripts/{}/{sid}?format=asciicast", decky.name()));
    let text = String::from_utf8(cast.body).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["version"], 2);
    assert!(lines[1..].iter().all(|line| line[0].is_number() && line[2].is_string()));
}

#[test]
fn a_file_written_in_one_session_is_there_in_the_next_and_after_a_restart() {
    let Some(mut decnet) = up() else { return };
    let deckies = decnet.deckies();
    clients::run(&deckies[0], "echo left behind > /root/marker");
    let read = |decky| String::from_utf8(clients::run(decky, "cat /root/marker").stdout).unwrap();
    assert_eq!(read(&deckies[0]), "left behind\n");
    assert_eq!(read(&deckies[1]), "", "another decky is another machine");
    let identity = |decky| clients::run(decky, "hostname; uname -a").stdout;
    let before = identity(&deckies[0]);
    assert!(decnet.stop(), "{}", decnet.diagnostics());
    decnet.start_again();
    let deckies = decnet.deckies();
    assert_eq!(read(&deckies[0]), "left behind\n");
    assert_eq!(identity(&deckies[0]), before);
}

#[test]
fn uploads_become_artifacts_with_their_exact_bytes() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let bytes: Vec<u8> = (0..200_000u32).flat_map(|n| n.to_le_bytes()).collect();
    let file = decnet.path("payload.bin");
    fs::write(&file, &bytes).unwrap();
    for (legacy, target) in [(false, "/tmp/new.bin"), (true, "/tmp/old.bin")] {
        let copied = clients::scp(&decky, file.to_str().unwrap(), target, legacy);
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let name = target.rsplit('/').next().unwrap();
        let captured = until("the artifact", || {
            let found = logs(&mut decnet, "event:file_captured");
            found
                .iter()
                .map(fields)
                .find(|fields| fields["stored_as"].as_str().unwrap().ends_with(&format!("_{name}")))
        });
        assert_eq!(captured["size"], bytes.len());
        let stored = captured["stored_as"].as_str().unwrap();
        let path = format!("/artifacts/{}/{stored}?service=ssh", decky.name());
        let answer = decnet.get(&path);
        assert_eq!(answer.status, 200);
        assert!(answer.body == bytes, "the artifact differs from what was sent");
    }
    let back = clients::run(&decky, "cat /tmp/new.bin").stdout;
    assert!(back == bytes, "the file on the decky differs from what was sent");
}

#[test]
fn a_web_request_keeps_credential_and_header_order() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let answer = clients::curl(
        &decky,
        "/admin?x=1",
        &["-u", "admin:s3cret ", "-H", "X-Zebra: 1", "-H", "X-Alpha: 2", "-i"],
    );
    let text = String::from_utf8(answer.stdout).unwrap();
    assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
    let request = until("the request", || logs(&mut decnet, "event:request").pop());
    let fields = fields(&request);
    assert_eq!((&fields["method"], &fields["path"]), (&"GET".into(), &"/admin".into()));
    let names: Vec<_> = fields["headers_ordered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair[0].as_str().unwrap().to_owned())
        .collect();
    let place = |name: &str| names.iter().position(|one| one == name).unwrap();
    assert!(place("Host") < place("Authorization") && place("X-Zebra") < place("X-Alpha"));
    let credentials = decnet.api("/credentials?service=http");
    assert_eq!(credentials["data"][0]["principal"], "admin");
    assert_eq!(credentials["data"][0]["secret_b64"], "czNjcmV0IA==", "the trailing blank is kept");
}

#[test]
fn an_attacker_who_moves_between_deckies_is_one_traversal() {
    let Some(mut decnet) = up() else { return };
    let deckies = decnet.deckies();
    clients::run(&deckies[1], "id");
    clients::curl(&deckies[0], "/", &[]);
    let attacker = until("the traversal", || {
        let page = decnet.api("/attackers");
        let attacker = page["data"][0].clone();
        (attacker["is_traversal"] == true).then_some(attacker)
    });
    let path = format!("{} → {}", deckies[1].name(), deckies[0].name());
    assert_eq!(attacker["traversal_path"], path);
    assert_eq!(attacker["services"], serde_json::json!(["http", "ssh"]));
}
