//! Files over FTP, by curl and lftp.

use std::fs;
use std::process::{Command, Output};

use e2e::{Decky, Decnet, Options, clients, missing, until};
use serde_json::Value;

fn up() -> Option<Decnet> {
    let absent = ["curl", "lftp", "ssh", "sshpass"].iter().any(|tool| missing(tool));
    (!absent).then(|| Decnet::start(Options { deckies: Some(1), ..Options::default() }))
}

fn curl(decky: &Decky, path: &str, args: &[&str]) -> Output {
    let (address, port) = decky.endpoint("ftp");
    let (user, password) = decky.login();
    let mut command = Command::new("curl");
    command.args(["-s", "-m", "30", "--user", &format!("{user}:{password}")]).args(args);
    command.arg(format!("ftp://{address}:{port}/{path}")).output().expect("curl runs")
}

fn fields(decnet: &mut Decnet, kind: &str) -> Value {
    let log = until(kind, || {
        let page = decnet.api(&format!("/logs?limit=1000&search=event:{kind}"));
        page["data"].as_array().unwrap().last().cloned()
    });
    serde_json::from_str(log["fields"].as_str().unwrap()).unwrap()
}

#[test]
fn a_file_put_by_ftp_is_in_the_shell_comes_back_and_is_an_artifact() {
    let Some(mut decnet) = up() else { return };
    let decky = decnet.decky();
    let bytes: Vec<u8> = (0..150_000u32).flat_map(u32::to_le_bytes).collect();
    let file = decnet.path("drop.bin");
    fs::write(&file, &bytes).unwrap();
    let put = curl(&decky, "drop.bin", &["-T", file.to_str().unwrap()]);
    assert!(put.status.success(), "{put:?}");
    assert!(clients::run(&decky, "cat /root/drop.bin").stdout == bytes);
    assert!(curl(&decky, "drop.bin", &[]).stdout == bytes);
    assert!(curl(&decky, "drop.bin", &["-C", "599996"]).stdout == bytes[599_996..]);
    let upload = fields(&mut decnet, "upload");
    assert_eq!((&upload["path"], &upload["size"]), (&"/root/drop.bin".into(), &bytes.len().into()));
    let captured = fields(&mut decnet, "file_captured");
    let name = captured["stored_as"].as_str().unwrap();
    let answer = decnet.get(&format!("/artifacts/{}/{name}?service=ftp", decky.name()));
    assert_eq!(answer.status, 200);
    assert!(answer.body == bytes, "the artifact differs from what was sent");
}

#[test]
fn a_client_with_all_commands_gets_along() {
    let Some(decnet) = up() else { return };
    let decky = decnet.decky();
    let (address, port) = decky.endpoint("ftp");
    let (user, password) = decky.login();
    let file = decnet.path("tool.sh");
    fs::write(&file, "#!/bin/sh\nid\n").unwrap();
    let script = format!(
        "set net:max-retries 1; set net:timeout 20; set cmd:fail-exit yes; \
         set ssl:verify-certificate no; mkdir box; cd box; \
         put {0} -o tool; mv tool again; get again -o {0}.back; cls -l; rm again; cd ..; rmdir box; \
         bye",
        file.display()
    );
    let done = Command::new("lftp")
        .args(["-u", &format!("{user},{password}"), "-p", &port.to_string(), "-e", &script])
        .arg(format!("ftp://{address}"))
        .output()
        .expect("lftp runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("again"));
    assert_eq!(fs::read(decnet.path("tool.sh.back")).unwrap(), b"#!/bin/sh\nid\n");
}
