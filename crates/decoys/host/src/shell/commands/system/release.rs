//! `hostnamectl` and `lsb_release`: which system this is.

use crate::shell::proc::{Outcome, Proc};

/// `hostnamectl`.
pub(in crate::shell::commands) async fn hostnamectl(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let verb = arguments.iter().find(|a| !a.starts_with(b"-"));
    match verb.map(Vec::as_slice) {
        None | Some(b"status") => {}
        Some(b"hostname") => {
            let host = proc.host.with(|machine| machine.facts().hostname.clone());
            proc.out(format!("{host}\n")).await?;
            return Ok(0);
        }
        Some(verb) if verb.starts_with(b"set-") => {
            if proc.user.creds.uid != 0 {
                proc.err("Could not set property: Interactive authentication required.\n").await;
                return Ok(1);
            }
            proc.err("Could not set static hostname: Read-only file system\n").await;
            return Ok(1);
        }
        Some(verb) => {
            proc.err([&b"Unknown command verb "[..], verb, b".\n"].concat()).await;
            return Ok(1);
        }
    }
    let boot = proc.host.choices().bytes::<16>("facts.boot_id");
    let boot: String = boot.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = proc.host.with(|machine| {
        let facts = machine.facts();
        let distro = facts.distro;
        let number: u32 = distro
            .package("systemd")
            .split(['.', '-', '~'])
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        let width = if number < 249 { 18 } else { 16 };
        let chassis = if number < 250 { "vm" } else { "vm 🖴" };
        let virtual_by = facts.hypervisor().to_lowercase();
        let cpe = distro.os_release.lines().find_map(|line| line.strip_prefix("CPE_NAME="));
        let kernel = format!("Linux {}", facts.release.kernel);
        let id = facts.values.get("machine_id").map_or("", String::as_str);
        let (vendor, model) = match facts.hypervisor() {
            "KVM" => ("QEMU", "Standard PC _i440FX + PIIX, 1996_"),
            _ => ("VMware, Inc.", "VMware Virtual Platform"),
        };
        let mut rows = vec![
            ("Static hostname", facts.hostname.as_str()),
            ("Icon name", "computer-vm"),
            ("Chassis", chassis),
            ("Machine ID", id),
            ("Boot ID", &boot),
            ("Virtualization", &virtual_by),
            ("Operating System", &distro.pretty_name),
        ];
        rows.extend(cpe.map(|cpe| ("CPE OS Name", cpe.trim_matches('"'))));
        rows.extend([("Kernel", kernel.as_str()), ("Architecture", "x86-64")]);
        if number >= 249 {
            rows.extend([("Hardware Vendor", vendor), ("Hardware Model", model)]);
        }
        let line = |(name, value): (&str, &str)| format!("{name:>width$}: {value}\n");
        rows.into_iter().map(line).collect::<String>()
    });
    proc.out(text).await?;
    Ok(0)
}

/// `lsb_release`.
pub(in crate::shell::commands) async fn lsb_release(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let has = |letter: u8, long: &[u8]| {
        let all = arguments.iter();
        let mut all = all.filter(|a| a.starts_with(b"-"));
        all.any(|a| *a == long || (!a.starts_with(b"--") && a.contains(&letter)))
    };
    let distro = proc.host.distro();
    let of = |key: &str| {
        let line = distro.os_release.lines().find_map(|line| line.strip_prefix(key));
        line.map_or("", |value| value.trim_matches('"')).to_owned()
    };
    let all = has(b'a', b"--all");
    let brief = has(b's', b"--short");
    let rows = [
        (b'i', &b"--id"[..], "Distributor ID", distro.vendor.clone()),
        (b'd', b"--description", "Description", distro.pretty_name.clone()),
        (b'r', b"--release", "Release", of("VERSION_ID=")),
        (b'c', b"--codename", "Codename", distro.codename.clone()),
    ];
    if all || !rows.iter().any(|(letter, long, ..)| has(*letter, long)) {
        proc.err("No LSB modules are available.\n").await;
    }
    let mut out = String::new();
    for (letter, long, name, value) in rows {
        if all || has(letter, long) {
            out.push_str(&if brief { format!("{value}\n") } else { format!("{name}:\t{value}\n") });
        }
    }
    proc.out(out).await?;
    Ok(0)
}
