//! `[general]`.

use std::net::Ipv4Addr;

use super::document::Section;
use super::keys::Keys;
use crate::network::{Subnet, parse_range};
use crate::problem::{Findings, Place, Problem};

const KEYS: &[&str] = &[
    "net",
    "gw",
    "interface",
    "log_target",
    "ipvlan",
    "mutate_interval",
    "naming",
    "domain",
    "dhcp_range",
    "log_file",
    "egress",
];

/// What `[general]` says about the network; the rest of it has no effect in this build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct General {
    /// Network of the deckies.
    pub net: Option<(Subnet, Place)>,
    /// Its gateway; no decky gets its address.
    pub gw: Option<(Ipv4Addr, Place)>,
    /// Addresses that a DHCP server hands out, ends included; no decky gets one of them.
    pub dhcp_range: Option<((Ipv4Addr, Ipv4Addr), Place)>,
    /// The domain of deckies that are not given another.
    pub domain: Option<String>,
}

pub(super) fn general(section: &Section<'_>, findings: &mut Findings) -> General {
    let mut keys = Keys::of(section);
    let net = keys.parse::<Subnet>("net", "an IPv4 network such as 192.168.1.0/24", findings);
    let gw = keys.parse::<Ipv4Addr>("gw", "an IPv4 address", findings);
    let dhcp_range = dhcp_range(&mut keys, findings);
    if let (Some((net, _)), Some((gw, at))) = (&net, &gw)
        && !net.contains(*gw)
    {
        let text = format!("[{}] gw={gw} is outside {net}", section.name);
        findings.error(Problem::new(Some(*at), text));
    }
    keys.checked("interface", "the name of a network interface", is_interface, findings);
    keys.checked("log_target", "ip:port", is_log_target, findings);
    keys.checked("ipvlan", "yes or no", is_flag, findings);
    keys.mutate_interval(findings);
    keys.checked("naming", "a pattern such as {site}{role}{nn}", is_naming, findings);
    let domain = keys.domain(findings);
    keys.checked("log_file", "a path", |_| true, findings);
    keys.checked(
        "egress",
        "off, sink or fetch",
        |it| ["off", "sink", "fetch"].contains(&it),
        findings,
    );
    keys.conclude(KEYS, findings);
    General { net, gw, dhcp_range, domain }
}

fn dhcp_range(
    keys: &mut Keys<'_, '_>,
    findings: &mut Findings,
) -> Option<((Ipv4Addr, Ipv4Addr), Place)> {
    let given = keys.take("dhcp_range")?;
    let range = parse_range(given.value);
    if range.is_none() {
        let what = "two IPv4 addresses such as 192.168.1.100-192.168.1.199";
        findings.error(keys.must_be("dhcp_range", what, given));
    }
    Some((range?, given.at))
}

fn is_interface(text: &str) -> bool {
    // IFNAMSIZ, less the NUL.
    text.len() <= 15 && !text.contains(|c: char| c == '/' || c.is_whitespace())
}

fn is_log_target(text: &str) -> bool {
    let address = ["tcp://", "udp://", "tls://"].iter().find_map(|it| text.strip_prefix(it));
    address.unwrap_or(text).parse::<std::net::SocketAddr>().is_ok_and(|it| it.port() != 0)
}

fn is_flag(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["true", "1", "yes", "on", "false", "0", "no", "off"].contains(&text.as_str())
}

fn is_naming(text: &str) -> bool {
    text.contains("{nn}")
}

/// Labels of letters, digits and inner hyphens (RFC 1123 §2.1).
pub(super) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}
