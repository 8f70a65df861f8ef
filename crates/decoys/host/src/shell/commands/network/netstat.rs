//! `netstat` and `ss`.

use super::facts::{Card, Socket, sockets};
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const NETSTAT: Accepts = Accepts::new(
    "46aAceFgilMnNopPrsSteuvVWwxC",
    &[
        ("all", b'a'),
        ("interfaces", b'i'),
        ("listening", b'l'),
        ("numeric", b'n'),
        ("programs", b'p'),
        ("route", b'r'),
        ("tcp", b't'),
        ("udp", b'u'),
        ("unix", b'x'),
        ("wide", b'W'),
        ("extend", b'e'),
        ("timers", b'o'),
    ],
);

/// The name of a well-known port.
fn port_name(port: u16) -> String {
    let name = match port {
        21 => "ftp",
        22 => "ssh",
        23 => "telnet",
        25 => "smtp",
        53 => "domain",
        80 => "http",
        110 => "pop3",
        143 => "imap2",
        161 => "snmp",
        443 => "https",
        445 => "microsoft-ds",
        993 => "imaps",
        3306 => "mysql",
        5432 => "postgresql",
        6379 => "redis",
        _ => return port.to_string(),
    };
    name.to_owned()
}

/// `netstat`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &NETSTAT).await?;
    if options.has(b'r') {
        return super::route::show(proc, options.has(b'n'), true).await;
    }
    if options.has(b'i') {
        let card = Card::of(proc);
        proc.out(format!(
            "Kernel Interface table\nIface      MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n{:<8} 1500 {:>8}      0      0 0      {:>8}      0      0      0 BMRU\nlo       65536        0      0      0 0             0      0      0      0 LRU\n",
            card.name, card.received / 700, card.sent / 420
        ))
        .await?;
        return Ok(0);
    }
    let numeric = options.has(b'n');
    let programs = options.has(b'p');
    let root = proc.user.creds.uid == 0;
    let listening = options.has(b'l');
    let everything = options.has(b'a');
    let inet = options.has(b't') || options.has(b'u');
    let title = match (everything, listening) {
        (true, _) => "(servers and established)",
        (_, true) => "(only servers)",
        _ => "(w/o servers)",
    };
    let mut out = format!(
        "Active Internet connections {title}\nProto Recv-Q Send-Q Local Address           Foreign Address         State      "
    );
    if options.has(b'e') {
        out.push_str(" User       Inode     ");
    }
    if programs {
        out.push_str(" PID/Program name    ");
    }
    out.push('\n');
    if programs && !root {
        proc.err("(Not all processes could be identified, non-owned process info\n will not be shown, you would have to be root to see it all.)\n").await;
    }
    let host = proc.host.with(|m| m.facts().hostname.clone());
    for socket in sockets(proc) {
        let is_listening = socket.peer.is_none();
        let wanted = everything || is_listening == listening;
        let family =
            !inet || (socket.udp && options.has(b'u')) || (!socket.udp && options.has(b't'));
        if !wanted || !family {
            continue;
        }
        let v6 = socket.local.contains(':');
        let proto =
            format!("{}{}", if socket.udp { "udp" } else { "tcp" }, if v6 { "6" } else { "" });
        let any = if v6 { "[::]" } else { "0.0.0.0" };
        let shown = |address: &str, port: u16| {
            let address = match (numeric, address) {
                (true, "::") => "::".to_owned(),
                (false, "::") => "[::]".to_owned(),
                (false, address) if address != "0.0.0.0" && socket.local == address => host.clone(),
                (_, address) => address.to_owned(),
            };
            let port = if numeric { port.to_string() } else { port_name(port) };
            format!("{address}:{port}")
        };
        let local = shown(&socket.local, socket.local_port);
        let foreign = match &socket.peer {
            Some((address, port)) => shown(address, *port),
            None if numeric && v6 => ":::*".to_owned(),
            None => format!("{any}:*"),
        };
        let state = match (socket.udp, is_listening) {
            (true, _) => "",
            (_, true) => "LISTEN",
            _ => "ESTABLISHED",
        };
        out.push_str(&format!(
            "{proto:<5} {:>6} {:>6} {local:<23} {foreign:<23} {state:<11}",
            0, 0
        ));
        if options.has(b'e') {
            let user = if numeric { "0" } else { "root" };
            out.push_str(&format!(" {user:<10} {:<10}", 14_000 + u32::from(socket.local_port) * 3));
        }
        if programs {
            let program =
                if root { format!("{}/{}", socket.pid, socket.program) } else { "-".to_owned() };
            let program = program.get(..20).unwrap_or(&program).to_owned();
            out.push_str(&format!(" {program:<20}"));
        }
        out.push('\n');
    }
    proc.out(out).await?;
    Ok(0)
}

const SS: Accepts = Accepts::new(
    "0468aAbdDeEfFHiKlmMnNoOpPrsStTuwWxZz",
    &[
        ("all", b'a'),
        ("listening", b'l'),
        ("no-header", b'H'),
        ("numeric", b'n'),
        ("processes", b'p'),
        ("summary", b's'),
        ("tcp", b't'),
        ("udp", b'u'),
        ("ipv4", b'4'),
        ("ipv6", b'6'),
    ],
)
.status(255);

/// `ss`.
pub(in crate::shell::commands) async fn ss(proc: &mut Proc) -> Outcome {
    let options = read(proc, &SS).await?;
    let all = sockets(proc);
    if options.has(b's') {
        let tcp = all.iter().filter(|s| !s.udp).count();
        let established = all.iter().filter(|s| s.peer.is_some()).count();
        let udp = all.iter().filter(|s| s.udp).count();
        let total = tcp + udp;
        proc.out(format!("Total: {}\nTCP:   {tcp} (estab {established}, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\nRAW\t  0         0         0        \nUDP\t  {udp:<9} {:<9} {:<9}\nTCP\t  {tcp:<9} {:<9} {:<9}\nINET\t  {total:<9} {:<9} {:<9}\nFRAG\t  0         0         0        \n\n", total + 61, udp.div_ceil(2), udp / 2, tcp.div_ceil(2), tcp / 2, total.div_ceil(2), total / 2)).await?;
        return Ok(0);
    }
    let both = options.has(b't') == options.has(b'u');
    let wanted = |socket: &&Socket| {
        let listens = socket.peer.is_none();
        let state = options.has(b'a') || listens == options.has(b'l');
        let kind = both || socket.udp == options.has(b'u');
        let v6 = socket.local.contains(':');
        let family = options.has(b'4') == options.has(b'6') || v6 == options.has(b'6');
        state && kind && family
    };
    let rows: Vec<[String; 6]> = all
        .iter()
        .filter(wanted)
        .map(|s| {
            let numeric = options.has(b'n');
            let port = |port: u16| if numeric { port.to_string() } else { port_name(port) };
            let address = |a: &str| if a.contains(':') { format!("[{a}]") } else { a.to_owned() };
            let state = match (s.udp, s.peer.is_some()) {
                (true, _) => "UNCONN",
                (_, true) => "ESTAB",
                _ => "LISTEN",
            };
            let any = if s.local.contains(':') { "[::]" } else { "0.0.0.0" };
            let peer = match &s.peer {
                Some((host, number)) => format!("{}:{}", address(host), port(*number)),
                None => format!("{any}:*"),
            };
            let queue = if s.peer.is_none() && !s.udp {
                match s.program.as_str() {
                    "sshd" | "proftpd" | "inetd" => 128,
                    "master" => 100,
                    "vsftpd" => 32,
                    "pure-ftpd" => 9,
                    "mariadbd" => 80,
                    "mysqld" => 151,
                    "postgres" => 200,
                    _ => 511,
                }
            } else {
                0
            };
            let users = if options.has(b'p') && proc.user.creds.uid == 0 {
                let name = s.program.split(':').next().unwrap_or_default();
                format!(
                    "users:((\"{name}\",pid={},fd={}))",
                    s.pid,
                    if s.local.contains(':') { 4 } else { 3 }
                )
            } else {
                String::new()
            };
            let kind = if s.udp { "udp" } else { "tcp" };
            [
                kind.to_owned(),
                state.to_owned(),
                queue.to_string(),
                format!("{}:{}", address(&s.local), port(s.local_port)),
                peer,
                users,
            ]
        })
        .collect();
    let wide = |at: usize, least: usize| {
        rows.iter().filter_map(|r| r.get(at)).map(String::len).max().unwrap_or(0).max(least)
    };
    let (local, peer) = (wide(3, 18), wide(4, 17));
    let mut out = String::new();
    if !options.has(b'H') {
        if both {
            out.push_str("Netid ");
        }
        out.push_str(&format!(
            "{:<6} {:<6} {:<6} {:>local$} {:>peer$} Process\n",
            "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port"
        ));
    }
    for [kind, state, queue, here, there, users] in &rows {
        if both {
            out.push_str(&format!("{kind:<5} "));
        }
        out.push_str(&format!(
            "{state:<6} {:<6} {queue:<6} {here:>local$} {there:>peer$} {users}\n",
            0
        ));
    }
    proc.out(out).await?;
    Ok(0)
}
