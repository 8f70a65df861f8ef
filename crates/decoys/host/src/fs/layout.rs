//! Lays out the base tree of a decky: the persona's nodes, its commands, accounts and logs, with
//! inode numbers and times that tell of an installation and the use since.

use std::collections::BTreeMap;
use std::sync::Arc;

use base_model::{Decky, Timestamp};
use chacha20::ChaCha12Rng;
use decoys_kit::Choices;
use rand_core::Rng;
use sha2::{Digest, Sha256};

use super::node::{Content, Device, Ino, Kind, Live, Node};
use super::path::{base_name, parent_of};
use super::vfs::{ROOT, Vfs};
use crate::accounts::Accounts;
use crate::persona::{Facts, Welcome, fill, services_of};

/// The unchanged file system of `decky`.
pub(crate) fn lay_out(decky: &Decky, facts: &Facts, accounts: &Accounts) -> Vfs {
    let choices = Choices::new(&decky.secret);
    let mut layout = Layout {
        facts,
        accounts,
        rng: choices.stream("fs.layout"),
        nodes: BTreeMap::new(),
        paths: BTreeMap::new(),
        next: 2,
    };
    layout.add("/", 0o755, (0, 0), Kind::Directory(BTreeMap::new()), Age::Installed);
    layout.persona();
    layout.accounts();
    layout.kernel();
    layout.logs(decky);
    // Last and with draws of their own, so that a program more changes nothing else.
    layout.rng = choices.stream("fs.layout.programs");
    layout.programs();
    layout.rng = choices.stream("fs.layout.services");
    for service in services_of(decky, facts.distro) {
        layout.nodes(&service.nodes, |key| service.texts.get(key).map_or("", String::as_str));
    }
    let next = layout.next + 17;
    Vfs::over(layout.nodes, next)
}

/// What a node's times tell.
#[derive(Clone, Copy)]
enum Age {
    /// Came with a package: as old as its build.
    Vendor,
    /// Written while installing.
    Installed,
    /// Touched by somebody between installation and boot.
    Used,
    /// Made at boot.
    Boot,
}

struct Layout<'a> {
    facts: &'a Facts,
    accounts: &'a Accounts,
    rng: ChaCha12Rng,
    nodes: BTreeMap<Ino, Node>,
    paths: BTreeMap<String, Ino>,
    next: u64,
}

impl Layout<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64().checked_rem(bound).unwrap_or(0)
    }

    fn time(&mut self, age: Age) -> (Timestamp, Timestamp) {
        let installed = self.facts.installed;
        let boot = self.facts.boot_time;
        let seconds = |n: u64| i64::try_from(n).unwrap_or(0);
        let nanos = seconds(self.below(1_000_000));
        let at = |second: i64| Timestamp::from_micros(second.saturating_mul(1_000_000) + nanos);
        let during_install = installed + seconds(self.below(600));
        match age {
            Age::Vendor => {
                let built = installed
                    - 86_400 * seconds(60 + self.below(700))
                    - seconds(self.below(86_400));
                // Packages carry whole seconds.
                (Timestamp::from_micros(built.saturating_mul(1_000_000)), at(during_install))
            }
            Age::Installed => (at(during_install), at(during_install)),
            Age::Used => {
                let span = u64::try_from(boot - installed).unwrap_or(1).max(1);
                let used = installed + seconds(self.below(span));
                (at(used), at(used))
            }
            Age::Boot => (at(boot + 3), at(boot + 3)),
        }
    }

    fn add(&mut self, path: &str, mode: u16, owner: (u32, u32), kind: Kind, age: Age) -> Ino {
        if let Some(known) = self.paths.get(path) {
            return *known;
        }
        let ino = Ino(self.next);
        // Packages unpack many files at once: numbers run on, with gaps.
        let gap = self.below(9);
        self.next += 1 + if gap == 0 { self.below(40) } else { 0 } + u64::from(path == "/") * 10;
        let (mtime, ctime) = self.time(age);
        let node =
            Node { kind, mode, uid: owner.0, gid: owner.1, mtime, ctime, atime: ctime, flags: 0 };
        self.nodes.insert(ino, node);
        self.paths.insert(path.to_owned(), ino);
        if ino != ROOT {
            let parent = String::from_utf8_lossy(parent_of(path.as_bytes())).into_owned();
            let parent = self.directory(&parent);
            if let Some(Kind::Directory(entries)) =
                self.nodes.get_mut(&parent).map(|node| &mut node.kind)
            {
                entries.insert(base_name(path.as_bytes()).to_vec(), ino);
            }
        }
        ino
    }

    /// The directory `path`, made if it is not there.
    fn directory(&mut self, path: &str) -> Ino {
        match self.paths.get(path) {
            Some(ino) => *ino,
            None => {
                let kind = Kind::Directory(BTreeMap::new());
                self.add(path, 0o755, (0, 0), kind, Age::Installed)
            }
        }
    }

    fn text(
        &mut self,
        path: &str,
        mode: u16,
        owner: (u32, u32),
        text: impl Into<Vec<u8>>,
        age: Age,
    ) {
        let kind = Kind::File(Content::Bytes(Arc::new(text.into())));
        self.add(path, mode, owner, kind, age);
    }

    fn owner(&self, text: &str) -> (u32, u32) {
        let (user, group) = text.split_once(':').unwrap_or((text, text));
        let uid = self.accounts.by_name(user).map_or(0, |account| account.uid);
        (uid, self.accounts.group_id(group).unwrap_or(0))
    }

    fn persona(&mut self) {
        let distro = self.facts.distro;
        self.nodes(&distro.family().nodes, |key| distro.text(key));
        self.nodes(&distro.nodes, |key| distro.text(key));
        self.distribution();
    }

    fn nodes<'t>(&mut self, nodes: &str, texts: impl Fn(&str) -> &'t str) {
        let values = &self.facts.values;
        let lines: Vec<String> = nodes.lines().map(|line| fill(line, values)).collect();
        for line in &lines {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["d", mode, owner, path] => {
                    let age = if path.starts_with("/root/") || path.starts_with("/opt/") {
                        Age::Used
                    } else if path.starts_with("/run") {
                        Age::Boot
                    } else {
                        Age::Installed
                    };
                    let owner = self.owner(owner);
                    self.add(path, octal(mode), owner, Kind::Directory(BTreeMap::new()), age);
                }
                ["l", path, target] => {
                    let kind = Kind::Symlink(target.as_bytes().to_vec());
                    self.add(path, 0o777, (0, 0), kind, Age::Installed);
                }
                ["e", mode, owner, size, path] => {
                    let owner = self.owner(owner);
                    self.program(path, octal(mode), owner, size.parse().unwrap_or(0));
                }
                ["f", mode, owner, path, key] => {
                    let key = key.trim_start_matches('@');
                    let text = texts(key);
                    let text = fill(text.strip_prefix('\n').unwrap_or(text), values);
                    let owner = self.owner(owner);
                    let used = ["/root/", "/opt/", "/var/www/"].iter().any(|p| path.starts_with(p));
                    let vendor = path.starts_with("/etc/skel") || path.ends_with("/.bashrc");
                    let age = if vendor {
                        Age::Vendor
                    } else if used {
                        Age::Used
                    } else {
                        Age::Installed
                    };
                    self.text(path, octal(mode), owner, text, age);
                }
                _ => {}
            }
        }
    }

    fn distribution(&mut self) {
        let distro = self.facts.distro;
        self.text(
            "/usr/lib/os-release",
            0o644,
            (0, 0),
            distro.os_release.trim_start(),
            Age::Vendor,
        );
        self.text("/etc/issue", 0o644, (0, 0), distro.issue.as_str(), Age::Vendor);
        self.text("/etc/issue.net", 0o644, (0, 0), distro.issue_net.as_str(), Age::Vendor);
        for file in &distro.extra_files {
            self.text(&file.path, 0o644, (0, 0), file.text.as_str(), Age::Vendor);
        }
        if distro.welcome != Welcome::Ubuntu {
            self.text("/etc/motd", 0o644, (0, 0), distro.motd.as_str(), Age::Installed);
        }
    }

    fn program(&mut self, path: &str, mode: u16, owner: (u32, u32), size: u64) {
        // The same build is the same file everywhere, so its noise depends on nothing of the decky.
        let digest = Sha256::digest(format!("{}:{path}:{size}", self.facts.distro.slug));
        let seed = digest.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        self.add(path, mode, owner, Kind::File(Content::Program { seed, size }), Age::Vendor);
    }

    fn programs(&mut self) {
        let distro = self.facts.distro;
        for command in crate::shell::commands::of(distro) {
            self.program(&command.path(distro), command.mode, (0, 0), command.size);
        }
        for (path, size) in distro.family().daemon_files.iter().chain(&distro.daemon_files) {
            self.program(path, 0o755, (0, 0), *size);
        }
    }

    fn accounts(&mut self) {
        let accounts = self.accounts;
        let shadow = accounts.group_id("shadow").unwrap_or(42);
        self.text("/etc/passwd", 0o644, (0, 0), accounts.passwd(), Age::Installed);
        self.text("/etc/shadow", 0o640, (0, shadow), accounts.shadow(), Age::Installed);
        self.text("/etc/group", 0o644, (0, 0), accounts.group(), Age::Installed);
        let distro = self.facts.distro;
        for account in accounts.people() {
            let owner = (account.uid, account.gid);
            if account.uid != 0 {
                let kind = Kind::Directory(BTreeMap::new());
                self.add(&account.home, 0o750, owner, kind, Age::Installed);
                for (name, key) in &distro.family().skeleton {
                    let text = distro.text(key).trim_start_matches('\n');
                    self.text(&format!("{}/{name}", account.home), 0o644, owner, text, Age::Vendor);
                }
            }
            let history = if account.uid == 0 {
                let text = distro.text("root_history");
                fill(text.trim_start_matches('\n'), &self.facts.values)
            } else {
                String::from("sudo -i\n")
            };
            self.text(&format!("{}/.bash_history", account.home), 0o600, owner, history, Age::Used);
        }
    }

    fn kernel(&mut self) {
        for (name, live) in [
            ("uptime", Live::Uptime),
            ("loadavg", Live::LoadAverage),
            ("meminfo", Live::MemInfo),
            ("cpuinfo", Live::CpuInfo),
            ("version", Live::Version),
            ("stat", Live::Stat),
            ("cmdline", Live::CommandLine),
            ("filesystems", Live::FileSystems),
            ("self/mounts", Live::Mounts),
            ("sys/kernel/hostname", Live::HostName),
        ] {
            let path = format!("/proc/{name}");
            self.add(&path, 0o444, (0, 0), Kind::File(Content::Live(live)), Age::Boot);
        }
        if let Some(node) = self.paths.get("/proc/self").and_then(|ino| self.nodes.get_mut(ino)) {
            node.mode = 0o555;
        }
        for (name, device, mode) in [
            ("null", Device::Null, 0o666),
            ("zero", Device::Zero, 0o666),
            ("full", Device::Full, 0o666),
            ("random", Device::Random, 0o666),
            ("urandom", Device::Random, 0o666),
            ("tty", Device::Tty, 0o666),
        ] {
            let group = if name == "tty" { 5 } else { 0 };
            self.add(&format!("/dev/{name}"), mode, (0, group), Kind::Device(device), Age::Boot);
        }
        for (path, target) in [
            ("/dev/fd", "/proc/self/fd"),
            ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
        ] {
            self.add(path, 0o777, (0, 0), Kind::Symlink(target.as_bytes().to_vec()), Age::Boot);
        }
    }

    fn logs(&mut self, decky: &Decky) {
        let logs = &self.facts.distro.family().logs;
        let owner = (0, self.accounts.group_id(&logs.group).unwrap_or(4));
        let utmp = self.accounts.group_id("utmp").unwrap_or(43);
        let boot = self.facts.boot_time;
        let host = self.facts.hostname.clone();
        let mut auth = String::new();
        let mut at = boot - 86_400 * 3;
        for _ in 0..14 {
            at += i64::try_from(600 + self.below(40_000)).unwrap_or(600);
            if at >= boot {
                break;
            }
            let pid = 700 + self.below(30_000);
            let stamp = syslog_time(at);
            if logs.cron.is_empty() {
                continue;
            }
            let (cron, service) = (&logs.cron, logs.cron.to_lowercase());
            auth.push_str(&format!(
                "{stamp} {host} {cron}[{pid}]: pam_unix({service}:session): session opened for user root(uid=0) by (uid=0)\n\
                 {stamp} {host} {cron}[{pid}]: pam_unix({service}:session): session closed for user root\n"
            ));
        }
        let stamp = syslog_time(boot + 8);
        let sshd = 600 + self.below(300);
        if decky.service("ssh").is_some() {
            auth.push_str(&format!(
                "{stamp} {host} sshd[{sshd}]: Server listening on 0.0.0.0 port 22.\n\
                 {stamp} {host} sshd[{sshd}]: Server listening on :: port 22.\n"
            ));
        }
        let mut system = format!(
            "{stamp} {host} kernel: [    0.000000] Linux version {} {} {}\n",
            self.facts.release.kernel, self.facts.release.compiler, self.facts.release.build,
        );
        for line in &logs.started {
            system.push_str(&format!("{stamp} {host} {line}\n"));
        }
        if logs.system.contains(&logs.auth) {
            system.push_str(&auth);
        } else if !logs.auth.is_empty() {
            self.text(&logs.auth, logs.mode, owner, auth, Age::Boot);
        }
        for path in &logs.system {
            self.text(path, logs.mode, owner, system.clone(), Age::Boot);
        }
        for path in &logs.empty {
            self.text(path, 0o644, (0, 0), Vec::new(), Age::Used);
        }
        self.text("/var/log/lastlog", 0o664, (0, utmp), vec![0; 292], Age::Used);
        self.text("/var/log/btmp", 0o660, (0, utmp), Vec::new(), Age::Used);
        self.text("/var/log/wtmp", 0o664, (0, utmp), Vec::new(), Age::Boot);
    }
}

fn octal(text: &str) -> u16 {
    u16::from_str_radix(text, 8).unwrap_or(0o644)
}

/// `Jan  2 03:04:05`, as syslog writes.
pub(crate) fn syslog_time(seconds: i64) -> String {
    let at = Timestamp::from_micros(seconds.saturating_mul(1_000_000)).to_utc();
    let month = crate::clock::MONTHS.get(usize::from(u8::from(at.month())) - 1).unwrap_or(&"Jan");
    format!("{month} {:>2} {:02}:{:02}:{:02}", at.day(), at.hour(), at.minute(), at.second())
}
