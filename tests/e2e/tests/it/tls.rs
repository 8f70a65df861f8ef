//! Encrypted services, reached by curl, OpenSSL, swaks, lftp and nmap.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use e2e::{Decky, Decnet, Options, clients, jarm, missing, until};
use serde_json::Value;

/// JARM of the servers that deckies claim to be, with an RSA key and with one on P-256, measured at
/// Debian 12's packages in their own configuration with the example `jarm`.
const NGINX: [&str; 2] = [
    "2ad2ad0002ad2ad00042d42d00000000f78d2dc0ce6e5bbc5b8149a4872356",
    "28d28d28d00028d00042d42d000000831b6af40378e2dd35eeac4e9311926e",
];
const APACHE: [&str; 2] = [
    "07d19d1ad21d21d00042d43d000000740eb6ef556e38cc76ed51661e12574d",
    "1dd40d40d00040d00042d43d000000b5ce48eb9aaa95d750e8df42b900e12b",
];

fn up(deckies: usize, tools: &[&str]) -> Option<Decnet> {
    let absent = tools.iter().any(|tool| missing(tool));
    (!absent).then(|| Decnet::start(Options { deckies: Some(deckies), ..Options::default() }))
}

/// The fields of every event of `kind` on `service`, once there is one.
fn told(decnet: &mut Decnet, service: &str, kind: &str) -> Vec<Value> {
    until(kind, || {
        let page = decnet.api(&format!("/logs?limit=1000&search=event:{kind}"));
        let rows = page["data"].as_array().unwrap();
        let of_it = rows.iter().filter(|row| row["service"] == service);
        let fields: Vec<Value> = of_it
            .map(|row| serde_json::from_str(row["fields"].as_str().unwrap()).unwrap())
            .collect();
        (!fields.is_empty()).then_some(fields)
    })
}

fn curl(decky: &Decky, args: &[&str]) -> Output {
    let (address, port) = decky.endpoint("https");
    let mut command = Command::new("curl");
    command.args(["-s", "-k", "-i", "-m", "30"]).args(args);
    command.arg(format!("https://{address}:{port}/")).output().expect("curl runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What `openssl s_client` prints for `service`.
fn s_client(decky: &Decky, service: &str, args: &[&str]) -> String {
    let (address, port) = decky.endpoint(service);
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("{address}:{port}")]).args(args);
    let done = command.stdin(Stdio::null()).output().expect("openssl runs");
    format!("{}{}", text(&done.stdout), text(&done.stderr))
}

/// Fingerprint, serial number, names and dates of a certificate.
fn certificate(decky: &Decky, service: &str) -> String {
    let starttls: &[&str] = match service {
        "smtp" => &["-starttls", "smtp"],
        "ftp" => &["-starttls", "ftp"],
        _ => &[],
    };
    let shown = s_client(decky, service, starttls);
    let begin = shown.find("-----BEGIN").unwrap_or_else(|| panic!("no certificate: {shown}"));
    let mut read = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-serial", "-subject", "-dates"])
        .args(["-ext", "subjectAltName"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl runs");
    read.stdin.take().unwrap().write_all(&shown.as_bytes()[begin..]).unwrap();
    text(&read.wait_with_output().unwrap().stdout)
}

#[test]
fn a_request_over_tls_is_answered_and_tells_what_its_client_is() {
    let Some(mut decnet) = up(1, &["curl"]) else { return };
    let decky = decnet.decky();
    let answer = curl(&decky, &["-u", "admin:letmein", "--http1.1"]);
    assert!(text(&answer.stdout).starts_with("HTTP/1.1 200"), "{answer:?}");
    let session = told(&mut decnet, "https", "tls_session").remove(0);
    assert_eq!(
        (&session["version"], &session["tls_version"]),
        (&"TLSv1.3".into(), &"TLS 1.3".into())
    );
    assert_eq!(session["alpn"], "http/1.1");
    let ja4 = session["ja4"].as_str().unwrap();
    assert!(ja4.starts_with("t13i") && ja4.len() == 36, "{ja4}");
    assert_eq!(session["ja3"].as_str().unwrap().len(), 32);
    assert_eq!(session["ja3s"].as_str().unwrap().len(), 32);
    let hello = told(&mut decnet, "https", "tls_client_hello").remove(0);
    assert_eq!(hello["ja4"], ja4);
    assert!(hello["raw_ciphers"].as_str().unwrap().starts_with("4866-4867-4865-"), "{hello}");
    let request = told(&mut decnet, "https", "request").remove(0);
    assert_eq!(
        (&request["tls_ja4"], &request["secret_printable"]),
        (&ja4.into(), &"letmein".into())
    );
}

#[test]
fn a_client_that_comes_again_resumes_its_session() {
    let Some(mut decnet) = up(1, &["openssl"]) else { return };
    let decky = decnet.decky();
    let (address, port) = decky.endpoint("https");
    let kept = decnet.path("session.pem");
    let visit = |with: &str| {
        let mut client = Command::new("openssl")
            .args(["s_client", "-ign_eof", "-connect", &format!("{address}:{port}"), with])
            .arg(&kept)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl runs");
        client.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        text(&client.wait_with_output().unwrap().stdout)
    };
    assert!(visit("-sess_out").contains("New, TLSv1.3"));
    assert!(visit("-sess_in").contains("Reused, TLSv1.3"));
    let sessions = until("both handshakes", || {
        let sessions = told(&mut decnet, "https", "tls_session");
        (sessions.len() == 2).then_some(sessions)
    });
    let again: Vec<_> = sessions.iter().filter(|one| one["resumed"] == true).collect();
    assert_eq!(again.len(), 1, "{sessions:?}");
    assert_eq!(again[0]["resumption"], "psk");
}

#[test]
fn certificates_are_each_deckys_own_and_stay() {
    let Some(mut decnet) = up(2, &["openssl"]) else { return };
    let read = |decnet: &Decnet| -> Vec<String> {
        let services = ["https", "smtp", "ftp"];
        let of = |decky: Decky| services.map(|service| certificate(&decky, service));
        decnet.deckies().into_iter().flat_map(of).collect()
    };
    let first = read(&decnet);
    let line = |certificate: &str, key: &str| -> String {
        certificate.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned()
    };
    for key in ["sha256 Fingerprint", "serial"] {
        // Web and file transfer of one machine share its administrator's certificate.
        let different: BTreeSet<String> = first.iter().map(|one| line(one, key)).collect();
        assert_eq!(different.len(), 4, "{key}: {first:?}");
    }
    assert_eq!(first[0], first[2]);
    assert!(first[1].contains("DNS:"), "{}", first[1]);
    for (decky, certificates) in decnet.deckies().iter().zip(first.chunks(3)) {
        let name = decky.name();
        assert!(certificates.iter().all(|one| !one.contains(&name)), "{certificates:?}");
    }
    assert!(decnet.stop());
    decnet.start_again();
    assert_eq!(read(&decnet), first);
}

#[test]
fn handshakes_are_those_of_the_server_that_is_claimed() {
    let Some(decnet) = up(6, &["curl", "openssl"]) else { return };
    for decky in decnet.deckies() {
        let answer = text(&curl(&decky, &["-I"]).stdout);
        let (address, port) = decky.endpoint("https");
        let answers = jarm::answers(&address, port);
        let of = if answer.contains("\nServer: nginx/") { NGINX } else { APACHE };
        let curve = s_client(&decky, "https", &[]).contains("Server public key is 256 bit");
        let expected = of[usize::from(curve)];
        assert!(answer.contains("\nServer: "), "{answer}");
        assert_eq!(jarm::fingerprint(&answers), expected, "{answer}{answers:#?}");
    }
}

#[test]
fn what_is_no_handshake_is_told_of_and_ends_nothing_else() {
    let Some(mut decnet) = up(1, &["curl", "openssl"]) else { return };
    let decky = decnet.decky();
    let old = s_client(&decky, "https", &["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]);
    assert!(old.contains("alert protocol version"), "{old}");
    let alert = told(&mut decnet, "https", "tls_alert").remove(0);
    assert_eq!(alert["reason"], "unsupported protocol", "{alert}");
    assert_eq!(told(&mut decnet, "https", "tls_client_hello")[0]["tls_version"], "TLS 1.1");
    let (address, port) = decky.endpoint("https");
    let ask = |bytes: &[u8]| {
        let mut stream = TcpStream::connect((address.as_str(), port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // A reset is an answer as well.
        drop(stream.read_to_end(&mut answer));
        text(&answer)
    };
    let plain = ask(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(plain.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{plain}");
    assert!(plain.contains("plain HTTP"), "{plain}");
    assert_eq!(told(&mut decnet, "https", "request")[0]["path"], "/plain");
    ask(b"\x16\x03\x01\x00\x05rubbish and more of it");
    ask(b"\x16\x03\x01\xff\xff");
    let alerts = until("the rubbish", || {
        let alerts = told(&mut decnet, "https", "tls_alert");
        (alerts.len() >= 3).then_some(alerts)
    });
    let samples: Vec<_> = alerts.iter().filter_map(|alert| alert.get("sample")).collect();
    assert_eq!(samples.len(), 2, "{alerts:?}");
    assert!(text(&curl(&decky, &[]).stdout).starts_with("HTTP/1.1 200"));
}

#[test]
fn mail_over_starttls_is_delivered_and_says_so() {
    let Some(mut decnet) = up(1, &["swaks", "openssl", "ssh", "sshpass"]) else { return };
    let decky = decnet.decky();
    let (address, port) = decky.endpoint("smtp");
    let sent = Command::new("swaks")
        .args(["--server", &address, "--port", &port.to_string(), "--timeout", "30", "--tls"])
        .args(["--from", "a@evil.example", "--to", "root@localhost", "--header", "Subject: sealed"])
        .output()
        .expect("swaks runs");
    let said = text(&sent.stdout);
    assert!(sent.status.success() && said.contains("=== TLS started"), "{said}");
    assert!(said.contains("250 2.0.0 Ok: queued as "), "{said}");
    assert_eq!(told(&mut decnet, "smtp", "message_stored")[0]["subject"], "sealed");
    assert_eq!(told(&mut decnet, "smtp", "tls_session")[0]["version"], "TLSv1.3");
    let mailbox = text(&clients::run(&decky, "cat /var/mail/root").stdout);
    assert!(mailbox.contains("with ESMTPS id "), "{mailbox}");
    // Who looks inside the machine finds the certificate that it shows.
    let shown = s_client(&decky, "smtp", &["-starttls", "smtp"]);
    let (begin, end) = (shown.find("-----BEGIN").unwrap(), shown.find("-----END").unwrap());
    let kept = text(&clients::run(&decky, "cat /etc/ssl/certs/ssl-cert-snakeoil.pem").stdout);
    assert!(kept.starts_with(&shown[begin..end]), "{kept}");
    // What is said in the same breath as STARTTLS is not taken for encrypted.
    let mut stream = TcpStream::connect((address.as_str(), port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"EHLO a\r\nSTARTTLS\r\nVRFY injected\r\n").unwrap();
    let mut said = String::new();
    let mut buffer = [0; 4096];
    while !said.contains("220 2.0.0 Ready to start TLS\r\n") {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "{said}");
        said.push_str(&text(&buffer[..count]));
    }
    assert!(said.ends_with("220 2.0.0 Ready to start TLS\r\n"), "{said}");
}

#[test]
fn files_go_over_protected_data_connections() {
    let Some(mut decnet) = up(1, &["lftp", "curl", "ssh", "sshpass"]) else { return };
    let decky = decnet.decky();
    let (address, port) = decky.endpoint("ftp");
    let (user, password) = decky.login();
    let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let file = decnet.path("drop.bin");
    fs::write(&file, &bytes).unwrap();
    let script = format!(
        "set net:max-retries 1; set net:timeout 20; set cmd:fail-exit yes; set ftp:ssl-force yes; \
         set ftp:ssl-protect-data yes; set ssl:verify-certificate no; put {0} -o drop.bin; cls -l; \
         get drop.bin -o {0}.back; bye",
        file.display()
    );
    let done = Command::new("lftp")
        .args(["-u", &format!("{user},{password}"), "-p", &port.to_string(), "-e", &script])
        .arg(format!("ftp://{address}"))
        .output()
        .expect("lftp runs");
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(fs::read(decnet.path("drop.bin.back")).unwrap() == bytes);
    assert!(clients::run(&decky, "cat /root/drop.bin").stdout == bytes);
    let mut curl = Command::new("curl");
    curl.args(["-s", "-k", "--ssl-reqd", "-m", "30", "--user", &format!("{user}:{password}")]);
    let got = curl.arg(format!("ftp://{address}:{port}/drop.bin")).output().expect("curl runs");
    assert!(got.stdout == bytes, "{}", text(&got.stderr));
    let commands = told(&mut decnet, "ftp", "command");
    assert!(commands.iter().any(|one| one["command"] == "PROT P"), "{commands:?}");
    // One for the control connection of each client, and one for each of four transfers.
    let sessions = until("all handshakes", || {
        let sessions = told(&mut decnet, "ftp", "tls_session");
        (sessions.len() >= 6).then_some(sessions)
    });
    assert!(sessions.iter().all(|one| one["version"] == "TLSv1.3"), "{sessions:?}");
    let upload = told(&mut decnet, "ftp", "upload").remove(0);
    assert_eq!(upload["size"], bytes.len());
}

#[test]
fn nmap_names_what_is_encrypted() {
    let Some(decnet) = up(1, &["nmap"]) else { return };
    let decky = decnet.decky();
    let services = ["https", "smtp", "ftp"];
    let ports = services.map(|service| decky.endpoint(service).1.to_string());
    let (address, _) = decky.endpoint("https");
    let scan = Command::new("nmap")
        .args(["-Pn", "-n", "-sV", "-p", &ports.join(","), &address])
        .output()
        .expect("nmap runs");
    let report = text(&scan.stdout);
    assert!(!report.contains("unrecognized"), "{report}");
    for (port, names) in ports.iter().zip([&["ssl/http", "ssl/https"][..], &["smtp"], &["ftp"]]) {
        let line = report.lines().find(|line| line.starts_with(&format!("{port}/tcp ")));
        let line = line.unwrap_or_else(|| panic!("{port}: {report}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(names.contains(&words[2]), "{line}");
        assert!(words.len() > 3, "no version: {line}");
    }
}
