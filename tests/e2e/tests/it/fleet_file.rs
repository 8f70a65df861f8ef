//! A fleet described in a file.

use std::fs;
use std::process::Command;

use e2e::{Decnet, Options};
use serde_json::Value;

const FLEET: &str = "[general]\ninterface=eth0\ndomain=corp.example\n\
                     [web]\narchetype=web-server\namount=2\ndistro=debian\n\
                     [web-02.http]\nserver_header=Apache/2.4.62 (Debian)\n\
                     [door]\nservices=ssh\nusers=root:100%pure\n";

#[test]
fn the_file_is_the_fleet_of_a_first_start_and_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.ini");
    fs::write(&path, FLEET).unwrap();
    let more = vec!["--config".to_owned(), path.to_str().unwrap().to_owned()];
    let mut decnet = Decnet::start(Options { more, ..Options::default() });
    let deckies = decnet.deckies();
    let names: Vec<_> = deckies.iter().map(e2e::Decky::name).collect();
    assert_eq!(names, ["door", "web-01", "web-02"]);
    assert_eq!(deckies[0].login(), ("root".to_owned(), "100%pure".to_owned()));
    let macs: Vec<_> = deckies.iter().map(|decky| decky.0["mac"].as_str().unwrap()).collect();
    assert!(macs.iter().all(|mac| mac.len() == 17) && macs[0] != macs[1], "{macs:?}");
    let output = e2e::clients::run(&deckies[0], "hostname -d; cat /etc/resolv.conf");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.starts_with("corp.example\n"), "{told}");
    let http = deckies[2].0["services"].as_array().unwrap().clone();
    assert!(http.iter().any(|service| service["name"] == "http"));
    assert!(decnet.stop());
    fs::write(&path, format!("{FLEET}[late]\nservices=http\n")).unwrap();
    decnet.start_again();
    let later = decnet.deckies();
    assert_eq!(later.len(), 4);
    for old in &deckies {
        assert!(later.iter().any(|same| same.0 == old.0), "{} changed", old.name());
    }
    assert!(decnet.stop());
    fs::write(&path, "[door]\nservices=http\n[x]\nnet=1\n[y.ssh]\n").unwrap();
    let output = decnet.command().output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("has 2 problems:\n  line 4, column 5: [x] unknown key 'net'"), "{told}");
    fs::write(&path, "[door]\nservices=http\n").unwrap();
    let output = decnet.command().output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("decky 'door' already exists and has another services"), "{told}");
}

#[test]
fn a_plan_and_the_catalogue_need_no_daemon() {
    let ask = |arguments: &[&str]| -> Value {
        let output = Command::new(e2e::binary()).args(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().to_str().unwrap();
    let plan = ask(&[
        "deploy",
        "--dry-run",
        "-n",
        "3",
        "--archetype",
        "linux-server",
        "--state-dir",
        nowhere,
    ]);
    let added = plan["plan"]["add"].as_array().unwrap();
    assert_eq!(added.len(), 3);
    assert_eq!(added[2]["name"], "decky-03");
    let has = |list: Value, key: &str, value: &str| {
        list.as_array().unwrap().iter().any(|one| one[key] == value)
    };
    assert!(has(ask(&["services"]), "name", "ssh"));
    assert!(has(ask(&["archetypes"]), "slug", "deaddeck"));
    assert!(has(ask(&["distros"]), "slug", "debian"));
    let unknown =
        ["deploy", "--dry-run", "-n", "1", "--archetype", "web-sever", "--state-dir", nowhere];
    let output = Command::new(e2e::binary()).args(unknown).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("did you mean web-server?"), "{told}");
}
