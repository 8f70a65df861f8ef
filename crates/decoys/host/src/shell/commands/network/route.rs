//! `route`, `arp`, `ifconfig`, `ip`.

use super::facts::{Card, neighbour_mac};
use crate::shell::proc::{Outcome, Proc};

/// The routing table as `route` and `netstat -r` show it.
pub(super) async fn show(proc: &Proc, numeric: bool, windows: bool) -> Outcome {
    let card = Card::of(proc);
    let (head, tail) = if windows {
        ("  MSS Window  irtt Iface", "    0 0          0")
    } else {
        ("Metric Ref    Use Iface", "0      0        0")
    };
    let default = if numeric { "0.0.0.0" } else { "default" };
    let gateway = if numeric { card.gateway() } else { "_gateway".to_owned() };
    let flags = if windows { " " } else { "" };
    proc.out(format!(
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags {head}\n\
         {default:<15} {gateway:<15} 0.0.0.0         UG   {flags}{} {}\n\
         {:<15} {:<15} 255.255.255.0   U    {flags}{} {}\n",
        if windows { tail } else { " 0      0        0" },
        card.name,
        card.network(),
        "0.0.0.0",
        if windows { tail } else { " 0      0        0" },
        card.name,
    ))
    .await?;
    Ok(0)
}

/// `route`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.iter().any(|a| matches!(a.as_slice(), b"add" | b"del")) {
        let denied = proc.user.creds.uid != 0;
        let text = if denied {
            "SIOCADDRT: Operation not permitted\n"
        } else {
            "SIOCADDRT: Network is unreachable\n"
        };
        proc.err(text).await;
        return Ok(7);
    }
    let numeric = arguments.iter().any(|a| a.starts_with(b"-") && a.contains(&b'n'));
    show(proc, numeric, false).await
}

/// `arp`.
pub(in crate::shell::commands) async fn arp(proc: &mut Proc) -> Outcome {
    let card = Card::of(proc);
    let gateway = card.gateway();
    let mac = neighbour_mac(proc, &gateway);
    let arguments = proc.arguments();
    let has = |letter: u8| arguments.iter().any(|a| a.starts_with(b"-") && a.contains(&letter));
    let name = if has(b'n') { gateway.clone() } else { "_gateway".to_owned() };
    let text = if has(b'a') {
        let name = if has(b'n') { "?" } else { "_gateway" };
        format!("{name} ({gateway}) at {mac} [ether] on {}\n", card.name)
    } else {
        format!(
            "Address                  HWtype  HWaddress           Flags Mask            Iface\n{name:<24} ether   {mac}   C                     {}\n",
            card.name
        )
    };
    proc.out(text).await?;
    Ok(0)
}

/// `ifconfig`.
pub(in crate::shell::commands) async fn ifconfig(proc: &mut Proc) -> Outcome {
    let card = Card::of(proc);
    let names: Vec<String> = proc
        .arguments()
        .iter()
        .filter(|a| !a.starts_with(b"-"))
        .map(|a| String::from_utf8_lossy(a).into_owned())
        .collect();
    if names.len() > 1 {
        let text =
            if proc.user.creds.uid == 0 { "" } else { "SIOCSIFFLAGS: Operation not permitted\n" };
        proc.err(text).await;
        return Ok(if text.is_empty() { 0 } else { 255 });
    }
    let wanted = names.first().map(String::as_str);
    if let Some(name) = wanted.filter(|name| *name != card.name && *name != "lo") {
        proc.err(format!("{name}: error fetching interface information: Device not found\n")).await;
        return Ok(1);
    }
    let units = |bytes: u64| {
        let tenths = |unit: u64| (bytes / unit, bytes % unit * 10 / unit);
        let (name, (whole, part)) = match bytes {
            0..=1023 => ("B", (bytes, 0)),
            1024..=1_048_575 => ("KiB", tenths(1 << 10)),
            1_048_576..=1_073_741_823 => ("MiB", tenths(1 << 20)),
            _ => ("GiB", tenths(1 << 30)),
        };
        format!("{whole}.{part} {name}")
    };
    let mut out = String::new();
    if wanted != Some("lo") {
        out.push_str(&format!(
            "{}: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500\n        inet {}  netmask 255.255.255.0  broadcast {}\n        inet6 {}  prefixlen 64  scopeid 0x20<link>\n        ether {}  txqueuelen 1000  (Ethernet)\n        RX packets {}  bytes {} ({})\n        RX errors 0  dropped 0  overruns 0  frame 0\n        TX packets {}  bytes {} ({})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n",
            card.name, card.ip, card.broadcast(), card.link_local, card.mac,
            card.received / 700, card.received, units(card.received),
            card.sent / 420, card.sent, units(card.sent),
        ));
    }
    if wanted.is_none_or(|name| name == "lo") {
        let bytes = card.sent / 97;
        let shown = units(bytes);
        let packets = bytes / 90;
        out.push_str(&format!("lo: flags=73<UP,LOOPBACK,RUNNING>  mtu 65536\n        inet 127.0.0.1  netmask 255.0.0.0\n        inet6 ::1  prefixlen 128  scopeid 0x10<host>\n        loop  txqueuelen 1000  (Local Loopback)\n        RX packets {packets}  bytes {bytes} ({shown})\n        RX errors 0  dropped 0  overruns 0  frame 0\n        TX packets {packets}  bytes {bytes} ({shown})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n"));
    }
    proc.out(out).await?;
    Ok(0)
}

/// `ip`.
pub(in crate::shell::commands) async fn ip(proc: &mut Proc) -> Outcome {
    let card = Card::of(proc);
    let arguments: Vec<String> =
        proc.arguments().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let brief = arguments.iter().any(|a| a == "-br" || a == "-brief");
    let v6 = arguments.iter().any(|a| a == "-6");
    let v4 = arguments.iter().any(|a| a == "-4");
    let words: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    let Some(object) = words.first() else {
        proc.err("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename\nwhere  OBJECT := { address | addrlabel | fou | help | ila | ioam | l2tp | link |\n                   macsec | maddress | monitor | mptcp | mroute | mrule |\n                   neighbor | neighbour | netconf | netns | nexthop | ntable |\n                   ntbl | route | rule | sr | tap | tcpmetrics |\n                   token | tunnel | tuntap | vrf | xfrm }\n").await;
        return Ok(255);
    };
    let verb = words.get(1).copied().unwrap_or("show");
    if matches!(verb, "add" | "del" | "delete" | "set" | "flush" | "replace" | "change") {
        let text = if proc.user.creds.uid == 0 {
            ""
        } else {
            "RTNETLINK answers: Operation not permitted\n"
        };
        proc.err(text).await;
        return Ok(if text.is_empty() { 0 } else { 2 });
    }
    let device = words.iter().skip(2).rfind(|w| **w != "dev").copied();
    if let Some(name) = device.filter(|n| {
        *n != card.name && *n != "lo" && !n.contains('.') && "address link".contains(object)
    }) {
        proc.err(format!("Device \"{name}\" does not exist.\n")).await;
        return Ok(1);
    }
    let is = |whole: &str| !object.is_empty() && whole.starts_with(*object);
    let text = if is("address") {
        addresses(&card, brief, v4, v6, device)
    } else if is("link") {
        format!(
            "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n2: {}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default qlen 1000\n    link/ether {} brd ff:ff:ff:ff:ff:ff\n",
            card.name, card.mac
        )
    } else if is("route") {
        if verb == "get" {
            let to = words.get(2).copied().unwrap_or_default();
            format!(
                "{to} via {} dev {} src {} uid {} \n    cache \n",
                card.gateway(),
                card.name,
                card.ip,
                proc.user.creds.uid
            )
        } else {
            format!(
                "default via {} dev {} onlink \n{}/24 dev {} proto kernel scope link src {} \n",
                card.gateway(),
                card.name,
                card.network(),
                card.name,
                card.ip
            )
        }
    } else if is("neighbour") || is("neighbor") {
        let gateway = card.gateway();
        let mac = neighbour_mac(proc, &gateway);
        format!("{gateway} dev {} lladdr {mac} REACHABLE\n", card.name)
    } else if is("rule") {
        "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n"
            .to_owned()
    } else {
        proc.err(format!("Object \"{object}\" is unknown, try \"ip help\".\n")).await;
        return Ok(1);
    };
    proc.out(text).await?;
    Ok(0)
}

fn addresses(card: &Card, brief: bool, v4: bool, v6: bool, device: Option<&str>) -> String {
    let mut out = String::new();
    let shows = |name: &str| device.is_none_or(|device| device == name || device == "show");
    if brief {
        let mut row = |name: &str, state: &str, four: String, six: &str| {
            if shows(name) {
                let four = if v6 { String::new() } else { format!("{four} ") };
                let six = if v4 { String::new() } else { format!("{six} ") };
                out.push_str(&format!("{name:<16} {state:<14} {four}{six}\n"));
            }
        };
        row("lo", "UNKNOWN", "127.0.0.1/8".to_owned(), "::1/128");
        row(card.name, "UP", format!("{}/24", card.ip), &format!("{}/64", card.link_local));
        return out;
    }
    if shows("lo") {
        out.push_str("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n");
        if !v4 && !v6 {
            out.push_str("    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n");
        }
        if !v6 {
            out.push_str("    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n");
        }
        if !v4 {
            out.push_str("    inet6 ::1/128 scope host noprefixroute \n       valid_lft forever preferred_lft forever\n");
        }
    }
    if shows(card.name) {
        let name = card.name;
        out.push_str(&format!("2: {name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000\n"));
        if !v4 && !v6 {
            out.push_str(&format!("    link/ether {} brd ff:ff:ff:ff:ff:ff\n", card.mac));
        }
        if !v6 {
            out.push_str(&format!("    inet {}/24 brd {} scope global {name}\n       valid_lft forever preferred_lft forever\n", card.ip, card.broadcast()));
        }
        if !v4 {
            out.push_str(&format!(
                "    inet6 {}/64 scope link \n       valid_lft forever preferred_lft forever\n",
                card.link_local
            ));
        }
    }
    out
}
