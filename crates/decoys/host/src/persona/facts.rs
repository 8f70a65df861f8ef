//! What is particular to one decky: hardware, dates, bait values.

use std::collections::BTreeMap;

use base_model::Decky;
use decoys_kit::Choices;
use rand_core::Rng;

use super::{Distro, Release, database, distro_or_default, release};

const DAY: i64 = 86_400;
/// What the addresses of QEMU's network cards begin with.
const QEMU: [u8; 3] = [0x52, 0x54, 0x00];

/// Processors of small virtual machines: model name, family, model, stepping, MHz, cache kB.
const PROCESSORS: &[(&str, u32, u32, u32, &str, u32)] = &[
    ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", 6, 79, 1, "2399.998", 35_840),
    ("Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz", 6, 85, 4, "2294.608", 25_344),
    ("Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz", 6, 85, 7, "2992.968", 36_608),
    ("Intel(R) Xeon(R) Silver 4214 CPU @ 2.20GHz", 6, 85, 7, "2194.843", 16_896),
    ("AMD EPYC 7402P 24-Core Processor", 23, 49, 0, "2794.748", 512),
    ("AMD EPYC 7543P 32-Core Processor", 25, 1, 1, "2794.750", 512),
];
const COLLEAGUES: &[&str] =
    &["Martin", "Sandra", "Kevin", "Priya", "Tomas", "Elena", "Jonas", "Maria", "Wei", "Carla"];
const MONTHS: &[&str] = &["January", "March", "April", "June", "September", "October"];
const WEEKDAYS: &[&str] = &["monday", "wednesday", "friday", "sunday"];
const PRODUCTS: &[&str] =
    &["billing", "inventory", "crm", "portal", "orders", "tickets", "warehouse", "payroll"];

/// What is particular to one decky.
#[derive(Debug)]
pub struct Facts {
    /// Its distribution.
    pub distro: &'static Distro,
    /// The versions it runs.
    pub release: &'static Release,
    /// What it calls itself.
    pub hostname: String,
    /// When it booted, seconds since the epoch.
    pub boot_time: i64,
    /// When it was installed.
    pub installed: i64,
    /// Main memory in kB.
    pub memory_kb: u64,
    /// Swap in kB.
    pub swap_kb: u64,
    /// Size of the root file system in 1K blocks.
    pub disk_kb: u64,
    /// Of those, used at installation.
    pub disk_used_kb: u64,
    /// Processors.
    pub cores: u32,
    /// Block device of the disk, `sda` or `vda`.
    pub disk: &'static str,
    /// Hardware address of the network card.
    pub mac: [u8; 6],
    /// Values by name for the texts of the tree.
    pub values: BTreeMap<&'static str, String>,
    processor: usize,
}

impl Facts {
    /// Draws the facts of `decky`.
    #[must_use]
    pub fn of(decky: &Decky, hostname: &str) -> Self {
        let choices = Choices::new(&decky.secret);
        let distro = distro_or_default(&decky.distro);
        let release = release(&choices, &decky.distro);
        let age = i64::try_from(choices.range("facts.age", 40, 400)).unwrap_or(40);
        let second = i64::try_from(choices.range("facts.age.second", 0, 86_399)).unwrap_or(0);
        let mac = decky.mac.map_or_else(|| mac(&choices), |mac| mac.octets());
        let memory_kb = *choices.pick("facts.memory", &[2_u64, 4, 8, 16]).unwrap_or(&4) * 1_048_576;
        let disk_kb = choices.range("facts.disk", 19_000_000, 98_000_000);
        let mut facts = Self {
            distro,
            release,
            hostname: hostname.to_owned(),
            boot_time: decky.boot_time,
            installed: decky.boot_time - age * DAY - second,
            // What firmware and kernel keep for themselves is never shown.
            memory_kb: memory_kb - choices.range("facts.memory.reserved", 60_000, 160_000),
            swap_kb: choices.range("facts.swap", 238, 999) * 4096 - 4,
            disk_kb,
            disk_used_kb: choices.range("facts.disk.used", 2_600_000, disk_kb / 3),
            cores: u32::try_from(*choices.pick("facts.cores", &[1_u64, 2, 2, 4]).unwrap_or(&2))
                .unwrap_or(2),
            // The platform that hands out the card's address also names the disk.
            disk: if mac.starts_with(&QEMU) { "vda" } else { "sda" },
            mac,
            values: BTreeMap::new(),
            processor: usize::try_from(choices.range("facts.processor", 0, 5)).unwrap_or(0),
        };
        facts.values = facts.draw_values(decky, &choices);
        facts
    }

    fn draw_values(&self, decky: &Decky, choices: &Choices<'_>) -> BTreeMap<&'static str, String> {
        let pick = |label: &str, from: &[&str]| {
            choices.pick(label, from).copied().unwrap_or_default().to_owned()
        };
        let number = |label: &str, low, high| choices.range(label, low, high).to_string();
        let product = pick("bait.product", PRODUCTS);
        let uuid = |label: &str| {
            let mut hex = hex(&choices.bytes::<16>(label));
            for at in [20, 16, 12, 8] {
                hex.insert(at, '-');
            }
            // Version 4, as mkfs writes.
            hex.replace_range(14..15, "4");
            hex.replace_range(19..20, "a");
            hex
        };
        let neighbour = match decky.ip {
            std::net::IpAddr::V4(ip) => {
                let [a, b, c, _] = ip.octets();
                format!("{a}.{b}.{c}.{}", choices.range("bait.db.host", 2, 250))
            }
            std::net::IpAddr::V6(_) => format!("10.0.0.{}", choices.range("bait.db.host", 2, 250)),
        };
        let domain = super::domain_of(choices, decky.domain.as_deref(), &self.hostname);
        BTreeMap::from([
            ("hostname", self.hostname.clone()),
            ("fqdn", super::fqdn(&domain, &self.hostname)),
            ("domain", domain),
            ("company", super::company(choices)),
            ("mail_label", self.distro.mail_label.clone()),
            ("mail_banner", self.distro.mail_banner()),
            ("redis_user", database::redis_user(decky).to_owned()),
            ("kernel", self.release.kernel.clone()),
            ("ip", decky.ip.to_string()),
            ("dns", neighbour_of(&neighbour, 1)),
            ("disk", self.disk.to_owned()),
            ("machine_id", hex(&choices.bytes::<16>("facts.machine_id"))),
            ("root_uuid", uuid("facts.root_uuid")),
            ("swap_uuid", uuid("facts.swap_uuid")),
            ("cron_minute", number("facts.cron.minute", 1, 59)),
            ("cron_hour", number("facts.cron.hour", 0, 5)),
            ("db_host", neighbour),
            ("db_user", format!("{product}_app")),
            ("db_pass", token(choices, "bait.db.password", 14)),
            ("db_name", format!("{product}_prod")),
            ("app_key", hex(&choices.bytes::<24>("bait.app.key"))),
            ("redis_password", database::redis_password(decky, choices)),
            ("redis_line", database::redis_line(decky, choices, self.release)),
            ("postgres_major", self.release.postgres_major().to_owned()),
            ("mysql_program", self.release.mysql_program().to_owned()),
            ("mysql_files", database::mysql_files(self.distro, self.release).to_owned()),
            ("app_port", number("bait.app.port", 3000, 9800)),
            ("backup_day", pick("bait.backup.day", WEEKDAYS)),
            ("cert_month", pick("bait.cert.month", MONTHS)),
            ("colleague", pick("bait.colleague", COLLEAGUES)),
        ])
    }

    /// `/proc/cpuinfo`.
    #[must_use]
    pub fn cpuinfo(&self) -> String {
        let (name, family, model, stepping, mhz, cache) =
            PROCESSORS.get(self.processor).copied().unwrap_or(("", 6, 79, 1, "2400.000", 16_384));
        let vendor = if name.starts_with("AMD") { "AuthenticAMD" } else { "GenuineIntel" };
        let bogomips = mhz.parse::<f64>().unwrap_or(2400.0) * 2.0;
        let mut out = String::new();
        for core in 0..self.cores {
            out.push_str(&format!(
                "processor\t: {core}\nvendor_id\t: {vendor}\ncpu family\t: {family}\n\
                 model\t\t: {model}\nmodel name\t: {name}\nstepping\t: {stepping}\n\
                 cpu MHz\t\t: {mhz}\ncache size\t: {cache} KB\nphysical id\t: {core}\n\
                 siblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: {core}\n\
                 fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\n\
                 flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat \
                 pse36 clflush mmx fxsr sse sse2 ht syscall nx pdpe1gb rdtscp lm constant_tsc \
                 rep_good nopl cpuid pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes \
                 xsave avx f16c rdrand hypervisor lahf_lm abm\n\
                 bogomips\t: {bogomips:.2}\nclflush size\t: 64\ncache_alignment\t: 64\n\
                 address sizes\t: 46 bits physical, 48 bits virtual\npower management:\n\n"
            ));
        }
        out
    }

    /// Who runs the virtual machine, as the kernel names it: whoever hands out its disk.
    #[must_use]
    pub fn hypervisor(&self) -> &'static str {
        if self.disk == "vda" { "KVM" } else { "VMware" }
    }

    /// The processor's model name.
    #[must_use]
    pub fn processor(&self) -> &'static str {
        PROCESSORS.get(self.processor).map_or("", |processor| processor.0)
    }
}

/// A hardware address as one of two platforms hands them out.
fn mac(choices: &Choices<'_>) -> [u8; 6] {
    let qemu = choices.range("facts.disk.kind", 0, 1) == 1;
    let [a, b, c] = choices.bytes::<3>("facts.mac");
    if qemu { [0x52, 0x54, 0x00, a, b, c] } else { [0x00, 0x50, 0x56, a & 0x3f, b, c] }
}

fn neighbour_of(address: &str, last: u8) -> String {
    let net = address.rsplit_once('.').map_or("10.0.0", |(net, _)| net);
    format!("{net}.{last}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A password that people consider good.
pub(super) fn token(choices: &Choices<'_>, label: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    let mut stream = choices.stream(label);
    (0..length)
        .filter_map(|_| {
            let at = usize::try_from(stream.next_u32()).unwrap_or(0) % ALPHABET.len();
            ALPHABET.get(at).copied().map(char::from)
        })
        .collect()
}

/// `text` with each `{name}` of `values` filled in; other braces stay.
#[must_use]
pub fn fill(text: &str, values: &BTreeMap<&'static str, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let value = after.split_once('}').and_then(|(name, tail)| Some((values.get(name)?, tail)));
        match value {
            Some((value, tail)) => {
                out.push_str(value);
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
