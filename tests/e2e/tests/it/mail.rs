//! Mail, sent by swaks.

use std::fs;
use std::process::{Command, Output};

use e2e::{Decky, Decnet, Options, clients, missing, until};
use serde_json::Value;

fn up() -> Option<Decnet> {
    let absent = ["swaks", "ssh", "sshpass"].iter().any(|tool| missing(tool));
    (!absent).then(|| Decnet::start(Options { deckies: Some(1), ..Options::default() }))
}

fn swaks(decky: &Decky, args: &[&str]) -> Output {
    let (address, port) = decky.endpoint("smtp");
    let mut command = Command::new("swaks");
    command.args(["--server", &address, "--port", &port.to_string(), "--timeout", "30"]).args(args);
    command.output().expect("swaks runs")
}

fn fields(decnet: &mut Decnet, kind: &str) -> Value {
    let log = until(kind, || {
        let page = decnet.api(&format!("/logs?limit=1000&search=event:{kind}"));
        page["data"].as_array().unwrap().last().cloned()
    });
    serde_json::from_str(log["fields"].as_str().unwrap()).unwrap()
}

#[test]
fn a_mail_with_a_file_is_an_artifact_and_in_the_mailbox() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let file = decnet.path("invoice.doc");
    fs::write(&file, b"\xd0\xcf\x11\xe0 not really a document").unwrap();
    let sent = swaks(
        &decky,
        &[
            "--from",
            "ceo@evil.example",
            "--to",
            "root@localhost",
            "--header",
            "Subject: invoice",
            "--body",
            "see http://evil.example/pay",
            "--attach",
            file.to_str().unwrap(),
        ],
    );
    let text = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(sent.status.success() && text.contains("250 2.0.0 Ok: queued as "), "{text}");
    let stored = fields(&mut decnet, "message_stored");
    assert_eq!(stored["subject"], "invoice");
    assert_eq!(stored["rcpt_to"], "root@localhost");
    assert_eq!(stored["urls_json"], serde_json::json!(["http://evil.example/pay"]));
    assert_eq!(stored["attachments_json"][0]["filename"], "invoice.doc");
    let name = stored["stored_as"].as_str().unwrap();
    let answer = decnet.get(&format!("/artifacts/{}/{name}?service=smtp", decky.name()));
    assert_eq!(answer.status, 200);
    let mail = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(mail.contains("Subject: invoice\r\n"), "{mail}");
    assert_eq!(stored["size"], answer.body.len());
    let mailbox = clients::run(&decky, "cat /var/mail/root").stdout;
    assert!(String::from_utf8_lossy(&mailbox).contains("Subject: invoice"));
}

#[test]
fn only_those_who_log_in_send_mail_to_others() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let refused = swaks(&decky, &["--from", "a@evil.example", "--to", "victim@example.org"]);
    assert!(String::from_utf8_lossy(&refused.stdout).contains("Relay access denied"));
    let (user, password) = decky.login();
    let login = ["--auth", "LOGIN", "--auth-user", &user, "--auth-password", &password];
    let args = [&["--from", "a@evil.example", "--to", "victim@example.org"], &login[..]].concat();
    let sent = swaks(&decky, &args);
    let text = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(text.contains("235 2.7.0") && text.contains("queued as"), "{text}");
    assert_eq!(fields(&mut decnet, "message_accepted")["rcpt_to"], "victim@example.org");
    let credentials = until("the credential", || {
        let page = decnet.api("/credentials?service=smtp");
        (page["total"] == 1).then_some(page)
    });
    assert_eq!(credentials["data"][0]["outcome"], "success");
}
