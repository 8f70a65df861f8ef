//! A fleet that changes while it runs, and comes to what it is to be whatever is killed.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;

use e2e::{Decky, Decnet, Options, until};
use serde_json::Value;

fn ask(decnet: &Decnet, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(e2e::binary());
    command.args(arguments).arg("--state-dir").arg(decnet.state_dir()).output().unwrap()
}

fn done(decnet: &Decnet, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let output = ask(decnet, &arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Deckies by name and state, as `status` tells them.
fn states(decnet: &Decnet) -> Vec<(String, String)> {
    let output = ask(decnet, &["status", "--json"]);
    let Ok(status) = serde_json::from_slice::<Value>(&output.stdout) else { return Vec::new() };
    let text = |decky: &Value, key: &str| decky[key].as_str().unwrap().to_owned();
    let deckies = status["deckies"].as_array().unwrap();
    deckies.iter().map(|decky| (text(decky, "name"), text(decky, "state"))).collect()
}

fn await_running(decnet: &Decnet, names: &[&str]) {
    until("the deckies to run", || {
        let states = states(decnet);
        let all = states.iter().map(|(name, state)| (name.as_str(), state.as_str()));
        all.eq(names.iter().map(|name| (*name, "running"))).then_some(())
    });
}

/// A connection to `decky`'s SSH that has got its banner.
fn visit(decky: &Decky) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(TcpStream::connect(decky.endpoint("ssh")).unwrap());
    let mut banner = String::new();
    stream.read_line(&mut banner).unwrap();
    assert!(banner.starts_with("SSH-2.0-"), "{banner}");
    stream
}

/// Whether the server still answers on `stream`: with its key exchange to our banner.
fn goes_on(mut stream: BufReader<TcpStream>) -> bool {
    stream.get_mut().write_all(b"SSH-2.0-OpenSSH_9.6\r\n").is_ok()
        && stream.read_exact(&mut [0; 64]).is_ok()
}

fn two() -> Decnet {
    Decnet::start(Options {
        deckies: Some(2),
        more: vec!["--services".into(), "ssh,http".into()],
        ..Options::default()
    })
}

#[test]
fn deckies_come_and_go_and_the_others_notice_nothing() {
    let decnet = two();
    let deckies = decnet.deckies();
    let (stays, leaves) = (visit(&deckies[0]), visit(&deckies[1]));
    let folders = || fs::read_dir(decnet.path("state/decoy/deckies")).unwrap().count();
    // A machine that was visited keeps its keys on the disk.
    until("the machines' folders", || (folders() == 2).then_some(()));
    let deployed = done(&decnet, &["deploy", "-n", "2", "--archetype", "linux-server"]);
    assert_eq!(deployed["plan"]["keep"].as_array().unwrap().len(), 2);
    await_running(&decnet, &["decky-01", "decky-02", "decky-03", "decky-04"]);
    let gone = done(&decnet, &["teardown", "--id", "decky-02", "--id", "decky-03", "--yes"]);
    assert_eq!(gone["torn_down"].as_array().unwrap().len(), 2);
    await_running(&decnet, &["decky-01", "decky-04"]);
    assert!(goes_on(stays), "a session on another decky ended");
    assert!(!goes_on(leaves), "a session on a decky that is gone goes on");
    TcpStream::connect(deckies[1].endpoint("ssh")).unwrap_err();
    assert_eq!(folders(), 1);
    // A name that is free again makes another machine.
    done(&decnet, &["deploy", "-n", "1", "--services", "ssh"]);
    await_running(&decnet, &["decky-01", "decky-02", "decky-04"]);
}

#[test]
fn a_replaced_fleet_keeps_what_is_as_it_was() {
    let decnet = two();
    let keeps = visit(&decnet.deckies()[0]);
    let path = decnet.path("fleet.ini");
    fs::write(&path, "[decky-01]\nservices=ssh,http\n[other]\nservices=ssh\n").unwrap();
    let file = path.to_str().unwrap();
    let refused = ask(&decnet, &["deploy", "--config", file]);
    assert_eq!(refused.status.code(), Some(5));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("decky 'decky-01' already exists"), "{told}");
    let plan = done(&decnet, &["deploy", "--config", file, "--replace", "--dry-run"]);
    assert_eq!(plan["plan"]["remove"][0], "decky-02");
    await_running(&decnet, &["decky-01", "decky-02"]);
    done(&decnet, &["deploy", "--config", file, "--replace"]);
    await_running(&decnet, &["decky-01", "other"]);
    assert!(goes_on(keeps));
}

#[test]
fn what_is_killed_comes_back_to_what_is_to_be() {
    let mut decnet = two();
    // The fleet is what was deployed, not what the first start asked for.
    decnet.options.deckies = None;
    for round in 0..4 {
        let name = format!("late-{round}");
        let path = decnet.path("late.ini");
        fs::write(&path, format!("[{name}]\nservices=ssh\n")).unwrap();
        let gone = format!("late-{}", round - 1);
        let mut commands = vec![vec!["deploy", "--no-wait", "--config", path.to_str().unwrap()]];
        if round > 0 {
            commands.push(vec!["teardown", "--yes", "--id", &gone]);
        }
        for command in commands {
            let mut command_line = std::process::Command::new(e2e::binary());
            command_line.args(&command).arg("--state-dir").arg(decnet.state_dir());
            let mut asking = command_line.spawn().unwrap();
            if command[0] == "deploy" {
                assert!(asking.wait().unwrap().success());
            } else {
                // Killed while it is being torn down, or before.
                until("the decoy process", || decnet.decoy_pid().map(Decnet::kill));
                asking.wait().unwrap();
            }
        }
        if round % 2 == 1 {
            decnet.kill_control();
            decnet.start_again();
        }
        let mut names = vec!["decky-01", "decky-02"];
        names.push(&name);
        await_running(&decnet, &names);
    }
    assert_eq!(decnet.api("/health")["status"], "healthy");
}

#[test]
fn a_port_that_is_taken_gets_another_and_that_is_said() {
    let decnet = two();
    let ip = decnet.deckies()[0].0["ip"].as_str().unwrap().to_owned();
    let [a, b, c, _] = ip.parse::<std::net::Ipv4Addr>().unwrap().octets();
    let ip = std::net::Ipv4Addr::new(a, b, c, 200);
    let _taken = std::net::TcpListener::bind((ip, 80)).unwrap();
    let path = decnet.path("taken.ini");
    fs::write(&path, format!("[web]\nservices=http\nip={ip}\n")).unwrap();
    done(&decnet, &["deploy", "--config", path.to_str().unwrap()]);
    let status = ask(&decnet, &["status"]);
    let told = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(told.contains("http 80→20080"), "{told}");
    TcpStream::connect((ip, 20080)).unwrap();
}
