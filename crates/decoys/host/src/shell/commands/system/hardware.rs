//! `lscpu`, `lsblk`, `mount`, `umount`, `dmesg`: the machine under the system.

use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

/// `lscpu`.
pub(in crate::shell::commands) async fn lscpu(proc: &mut Proc) -> Outcome {
    read(proc, &Accepts::new("abBCe:JpsxyV", &[("all", b'a')])).await?;
    let (info, cores, hypervisor) =
        proc.host.with(|m| (m.facts().cpuinfo(), m.facts().cores, m.facts().hypervisor()));
    let field = |name: &str| {
        let line = info.lines().find(|line| line.split('\t').next().is_some_and(|n| n == name));
        line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value).to_owned()
    };
    let vendor = field("vendor_id");
    let virtual_by = if vendor == "AuthenticAMD" { "AMD-V" } else { "VT-x" };
    let cache = field("cache size");
    let kilobytes = cache.split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(16_384);
    let third =
        if kilobytes >= 1024 { format!("{} MiB", kilobytes / 1024) } else { "16 MiB".to_owned() };
    let instances = if cores == 1 { "1 instance".to_owned() } else { format!("{cores} instances") };
    let online = if cores == 1 { "0".to_owned() } else { format!("0-{}", cores - 1) };
    let each = u64::from(cores);
    proc.out(format!(
        "Architecture:            x86_64\n  CPU op-mode(s):        32-bit, 64-bit\n  Address sizes:         {}\n  Byte Order:            Little Endian\nCPU(s):                  {cores}\n  On-line CPU(s) list:   {online}\nVendor ID:               {vendor}\n  Model name:            {}\n    CPU family:          {}\n    Model:               {}\n    Thread(s) per core:  1\n    Core(s) per socket:  1\n    Socket(s):           {cores}\n    Stepping:            {}\n    BogoMIPS:            {}\n    Flags:               {}\nVirtualization features: \n  Virtualization:        {virtual_by}\n  Hypervisor vendor:     {}\n  Virtualization type:   full\nCaches (sum of all):     \n  L1d:                   {} KiB ({instances})\n  L1i:                   {} KiB ({instances})\n  L2:                    {} MiB ({instances})\n  L3:                    {third} ({instances})\nNUMA:                    \n  NUMA node(s):          1\n  NUMA node0 CPU(s):     {online}\n",
        field("address sizes"), field("model name"), field("cpu family"), field("model"),
        field("stepping"), field("bogomips"), field("flags"), hypervisor, 32 * each, 32 * each, each,
    ))
    .await?;
    Ok(0)
}

/// What the kernel says when the root file system is there.
fn mounted(facts: &crate::persona::Facts) -> String {
    let (disk, uuid) = (facts.disk, facts.values.get("root_uuid").map_or("", String::as_str));
    if facts.distro.family().root_fs.kind == "xfs" {
        return format!("XFS ({disk}1): Ending clean mount");
    }
    format!(
        "EXT4-fs ({disk}1): mounted filesystem {uuid} with ordered data mode. Quota mode: none."
    )
}

/// `lsblk`.
pub(in crate::shell::commands) async fn lsblk(proc: &mut Proc) -> Outcome {
    let options = read(
        proc,
        &Accepts::new(
            "abdfilmnpo:rtS",
            &[
                ("all", b'a'),
                ("nodeps", b'd'),
                ("noheadings", b'n'),
                ("list", b'l'),
                ("paths", b'p'),
            ],
        ),
    )
    .await?;
    let (disk, root_kb, swap_kb) =
        proc.host.with(|m| (m.facts().disk, m.facts().disk_kb, m.facts().swap_kb));
    let size = |kb: u64| {
        let tenths = kb * 10 / 1_048_576;
        if tenths >= 10 {
            format!("{}.{}G", tenths / 10, tenths % 10).replace(".0G", "G")
        } else {
            format!("{}M", kb / 1024)
        }
    };
    let root = root_kb * 104 / 100;
    let major = if disk == "vda" { 254 } else { 8 };
    let whole = size(root + swap_kb + 1_048_576 / 512);
    let prefix = if options.has(b'p') { "/dev/" } else { "" };
    let branch = |mark: &str| if options.has(b'l') { String::new() } else { mark.to_owned() };
    let mut out = String::new();
    if !options.has(b'n') {
        out.push_str("NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n");
    }
    let mut row = |name: String, minor: u32, size: String, kind: &str, place: &str| {
        let line = format!("{name:<6} {major:>3}:{minor:<3}  0 {size:>5}  0 {kind:<4} {place}");
        out.push_str(line.trim_end());
        out.push('\n');
    };
    row(format!("{prefix}{disk}"), 0, whole, "disk", "");
    if !options.has(b'd') {
        row(format!("{}{prefix}{disk}1", branch("├─")), 1, size(root), "part", "/");
        row(format!("{}{prefix}{disk}2", branch("├─")), 2, "1K".to_owned(), "part", "");
        row(format!("{}{prefix}{disk}5", branch("└─")), 5, size(swap_kb), "part", "[SWAP]");
    }
    proc.out(out).await?;
    Ok(0)
}

/// `mount`.
pub(in crate::shell::commands) async fn mount(proc: &mut Proc) -> Outcome {
    let options = read(
        proc,
        &Accepts::new(
            "afFilL:no:O:rst:T:U:vw",
            &[("all", b'a'), ("bind", b'B'), ("types=", b't'), ("options=", b'o')],
        ),
    )
    .await?;
    let target = options.rest.last().map(|t| String::from_utf8_lossy(t).into_owned());
    match (target, options.rest.len()) {
        (None, _) if options.has(b'a') => Ok(0),
        (None, _) => {
            let table = proc.slurp(b"/proc/self/mounts").await.unwrap_or_default();
            let text = String::from_utf8_lossy(&table).into_owned();
            let kind = options.value(b't').map(|t| String::from_utf8_lossy(t).into_owned());
            let line = |line: &str| {
                let mut parts = line.split(' ');
                let (device, place, fs, how) =
                    (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
                kind.as_ref()
                    .is_none_or(|kind| kind == fs)
                    .then(|| format!("{device} on {place} type {fs} ({how})\n"))
            };
            proc.out(text.lines().filter_map(line).collect::<String>()).await?;
            Ok(0)
        }
        (Some(target), _) if proc.user.creds.uid != 0 => {
            proc.err(format!("mount: {target}: must be superuser to use mount.\n       dmesg(1) may have more information after failed mount system call.\n")).await;
            Ok(32)
        }
        (Some(target), 1) => {
            let remounts = options.value(b'o').is_some_and(|o| o.starts_with(b"remount"));
            if remounts && target == "/" {
                return Ok(0);
            }
            proc.err(format!("mount: {target}: can't find in /etc/fstab.\n")).await;
            Ok(1)
        }
        (Some(target), _) => {
            let is_dir = proc.host.with(|m| {
                m.fs.stat(&proc.user.creds, &proc.cwd, target.as_bytes(), true)
                    .is_ok_and(|s| s.node.is_dir())
            });
            let why =
                if is_dir { "special device does not exist" } else { "mount point does not exist" };
            let what = options.rest.first().map(|d| String::from_utf8_lossy(d).into_owned());
            let text = if is_dir {
                format!(
                    "mount: {target}: special device {} does not exist.\n       dmesg(1) may have more information after failed mount system call.\n",
                    what.unwrap_or_default()
                )
            } else {
                format!(
                    "mount: {target}: {why}.\n       dmesg(1) may have more information after failed mount system call.\n"
                )
            };
            proc.err(text).await;
            Ok(32)
        }
    }
}

/// `umount`.
pub(in crate::shell::commands) async fn umount(proc: &mut Proc) -> Outcome {
    let options = read(
        proc,
        &Accepts::new("acdfilnO:qrRt:v", &[("lazy", b'l'), ("force", b'f'), ("all", b'a')]),
    )
    .await?;
    if options.rest.is_empty() {
        proc.err("umount: bad usage\nTry 'umount --help' for more information.\n").await;
        return Ok(1);
    }
    let mut status = 0;
    let table = proc.slurp(b"/proc/self/mounts").await.unwrap_or_default();
    let table = String::from_utf8_lossy(&table).into_owned();
    for target in &options.rest {
        let shown = String::from_utf8_lossy(target).into_owned();
        let found =
            proc.host.with(|m| m.fs.find(&proc.user.creds, &proc.cwd, target, true).is_ok());
        let mounted = table.lines().any(|line| line.split(' ').take(2).any(|part| part == shown));
        let why = match (found, mounted) {
            (false, _) => "no mount point specified.",
            (true, false) => "not mounted.",
            (true, true) if proc.user.creds.uid != 0 => "must be superuser to unmount.",
            (true, true) => "target is busy.",
        };
        proc.err(format!("umount: {shown}: {why}\n")).await;
        status = 32;
    }
    Ok(status)
}

/// `dmesg`.
pub(in crate::shell::commands) async fn dmesg(proc: &mut Proc) -> Outcome {
    let options = read(
        proc,
        &Accepts::new(
            "CcDdEeF:f:HhJkL:l:n:Pprs:STtuVwWx",
            &[
                ("ctime", b'T'),
                ("clear", b'C'),
                ("human", b'H'),
                ("level=", b'l'),
                ("follow", b'w'),
            ],
        ),
    )
    .await?;
    if proc.user.creds.uid != 0 {
        proc.err("dmesg: read kernel buffer failed: Operation not permitted\n").await;
        return Ok(1);
    }
    if options.has(b'C') {
        return Ok(0);
    }
    let command_line = proc.slurp(b"/proc/cmdline").await.unwrap_or_default();
    let command_line = String::from_utf8_lossy(&command_line).trim().to_owned();
    let text = proc.host.with(|machine| {
        let facts = machine.facts();
        let release = facts.release;
        let (disk, memory, cores) = (facts.disk, facts.memory_kb, facts.cores);
        let card = if disk == "vda" { "eth0" } else { "ens33" };
        let lines = [
            (0, format!("Linux version {} {} {}", release.kernel, release.compiler, release.build)),
            (0, format!("Command line: {command_line}")),
            (0, "BIOS-provided physical RAM map:".to_owned()),
            (0, format!("Hypervisor detected: {}", facts.hypervisor())),
            (
                8,
                format!(
                    "tsc: Detected {} MHz processor",
                    facts.processor().rsplit("@ ").next().map_or("2400.000", |_| "2399.998")
                ),
            ),
            (14_233, format!("Memory: {}K/{}K available", memory - 91_204, memory + 60_416)),
            (31_870, format!("smpboot: CPU0: {}", facts.processor())),
            (
                104_512,
                format!("smp: Brought up 1 node, {cores} CPU{}", if cores == 1 { "" } else { "s" }),
            ),
            (312_604, "NET: Registered PF_INET6 protocol family".to_owned()),
            (987_120, mounted(facts)),
            (
                1_402_377,
                format!(
                    "systemd[1]: systemd {} running in system mode",
                    facts.distro.package("systemd")
                ),
            ),
            (1_455_021, format!("systemd[1]: Hostname set to <{}>.", facts.hostname)),
            (
                2_230_114,
                format!(
                    "Adding {}k swap on /dev/{disk}5.  Priority:-2 extents:1 across:{}k FS",
                    facts.swap_kb, facts.swap_kb
                ),
            ),
            (3_118_940, format!("IPv6: ADDRCONF(NETDEV_CHANGE): {card}: link becomes ready")),
        ];
        let mut out = String::new();
        for (micros, line) in lines {
            if options.has(b'T') {
                let at = base_model::Timestamp::from_micros(
                    facts.boot_time.saturating_mul(1_000_000) + micros,
                );
                out.push_str(&format!(
                    "[{}] {line}\n",
                    crate::clock::format(at, "%a %b %e %H:%M:%S %Y")
                ));
            } else if options.has(b't') {
                out.push_str(&format!("{line}\n"));
            } else {
                out.push_str(&format!(
                    "[{:>5}.{:06}] {line}\n",
                    micros / 1_000_000,
                    micros % 1_000_000
                ));
            }
        }
        out
    });
    proc.out(text).await?;
    Ok(0)
}
