//! The state of one machine.

use std::collections::BTreeMap;

use base_model::{Decky, Timestamp};
use chacha20::ChaCha12Rng;
use decoys_kit::Choices;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::accounts::{Account, Accounts};
use crate::fs::{Content, Device, Ino, Kind, Live, Saved, Vfs, lay_out};
use crate::persona::{self, Facts};
use crate::processes::{self, Process};

/// Version of the snapshot format.
const SNAPSHOT: u16 = 1;
/// Process ids wrap here, as by default on 64-bit Linux.
const PID_MAX: u32 = 4_194_304;
/// Most logins that are remembered for `Last login`.
const MAX_LAST_LOGINS: usize = 256;

/// Somebody logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    /// Login name.
    pub user: String,
    /// Terminal without `/dev/`; none without one.
    pub tty: Option<String>,
    /// Address they came from.
    pub from: String,
    /// When.
    pub since: Timestamp,
    /// The login shell's process.
    pub pid: u32,
    /// What runs in it now.
    pub running: String,
}

/// Memory in kB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// All.
    pub total: u64,
    /// Unused.
    pub free: u64,
    /// For new programs without swapping.
    pub available: u64,
    /// Buffers and page cache.
    pub cached: u64,
}

/// A machine.
#[derive(Debug)]
pub struct Machine {
    decky: Decky,
    facts: Facts,
    accounts: Accounts,
    /// Its files.
    pub fs: Vfs,
    sessions: BTreeMap<u32, LoginSession>,
    next_pid: u32,
    last_logins: BTreeMap<String, (i64, String)>,
    random: ChaCha12Rng,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    v: u16,
    fs: Saved,
    next_pid: u32,
    last_logins: BTreeMap<String, (i64, String)>,
}

impl Machine {
    /// The machine of `decky`, fresh.
    #[must_use]
    pub fn new(decky: Decky) -> Self {
        let hostname = hostname(&decky);
        let mut facts = Facts::of(&decky, &hostname);
        if facts.boot_time <= 0 {
            facts.boot_time = facts.installed.max(1_700_000_000);
        }
        let accounts = Accounts::of(&decky, &facts);
        let fs = lay_out(&decky, &facts, &accounts);
        let choices = Choices::new(&decky.secret);
        let next_pid = u32::try_from(choices.range("machine.pid", 1_400, 48_000)).unwrap_or(1400);
        let random = choices.stream("machine.random");
        Self {
            decky,
            facts,
            accounts,
            fs,
            sessions: BTreeMap::new(),
            next_pid,
            last_logins: BTreeMap::new(),
            random,
            revision: 0,
        }
    }

    /// The machine of `decky` as it was when `saved` was taken; fresh when that cannot be read.
    #[must_use]
    pub fn restore(decky: Decky, saved: &[u8]) -> Self {
        let fresh = Self::new(decky);
        let Ok(snapshot) = rmp_serde::from_slice::<Snapshot>(saved) else { return fresh };
        if snapshot.v != SNAPSHOT {
            return fresh;
        }
        let Some(fs) = fresh.fs.clone().restore(snapshot.fs) else { return fresh };
        let next_pid = snapshot.next_pid.clamp(300, PID_MAX);
        Self { fs, next_pid, last_logins: snapshot.last_logins, ..fresh }
    }

    /// What [`Machine::restore`] reads.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let snapshot = Snapshot {
            v: SNAPSHOT,
            fs: self.fs.save(),
            next_pid: self.next_pid,
            last_logins: self.last_logins.clone(),
        };
        // Plain data always encodes; an empty snapshot restores to a fresh machine.
        rmp_serde::to_vec(&snapshot).unwrap_or_default()
    }

    /// Counts changes that a snapshot would keep.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision + self.fs.revision()
    }

    /// Its files, to read.
    #[must_use]
    pub const fn fs(&self) -> &Vfs {
        &self.fs
    }

    /// The record it was made from.
    #[must_use]
    pub const fn decky(&self) -> &Decky {
        &self.decky
    }

    /// What is particular to it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its accounts.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The text the operator wants shown at login instead of the distribution's.
    #[must_use]
    pub fn motd(&self) -> Option<&str> {
        let text = self.decky.service("ssh")?.settings.get("motd")?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// When `user` logged in last, in microseconds, and from where.
    #[must_use]
    pub fn last_login(&self, user: &str) -> Option<(i64, &str)> {
        self.last_logins.get(user).map(|(at, from)| (*at, from.as_str()))
    }

    /// A process id nobody has had.
    pub fn new_pid(&mut self) -> u32 {
        let pid = self.next_pid;
        self.next_pid = if pid >= PID_MAX { 300 } else { pid + 1 };
        pid
    }

    /// Notes that `account` logged in; the terminal is the first free one.
    pub fn log_in(
        &mut self,
        account: &Account,
        with_tty: bool,
        from: &str,
        now: Timestamp,
    ) -> LoginSession {
        // The server forks twice before the shell.
        self.new_pid();
        self.new_pid();
        let pid = self.new_pid();
        let tty = with_tty.then(|| {
            let taken = |n: &usize| {
                let name = format!("pts/{n}");
                !self.sessions.values().any(|session| session.tty.as_deref() == Some(&name))
            };
            format!("pts/{}", (0..4096).find(taken).unwrap_or(0))
        });
        let session = LoginSession {
            user: account.name.clone(),
            tty,
            from: from.to_owned(),
            since: now,
            pid,
            running: "-bash".to_owned(),
        };
        if with_tty {
            if self.last_logins.len() < MAX_LAST_LOGINS
                || self.last_logins.contains_key(&account.name)
            {
                self.last_logins.insert(account.name.clone(), (now.micros(), from.to_owned()));
            }
            self.revision += 1;
        }
        self.sessions.insert(pid, session.clone());
        session
    }

    /// Notes that the login of process `pid` is over.
    pub fn log_out(&mut self, pid: u32) {
        self.sessions.remove(&pid);
    }

    /// Notes what runs in the login of process `pid`.
    pub fn set_running(&mut self, pid: u32, command: &str) {
        if let Some(session) = self.sessions.get_mut(&pid) {
            session.running = command.to_owned();
        }
    }

    /// Who is logged in on a terminal.
    pub fn sessions(&self) -> impl Iterator<Item = &LoginSession> {
        self.sessions.values().filter(|session| session.tty.is_some())
    }

    /// The process table at `now`.
    #[must_use]
    pub fn processes(&self, now: Timestamp) -> Vec<Process> {
        let choices = Choices::new(&self.decky.secret);
        let server = persona::http_server(&choices, &self.decky.distro);
        let mut out = processes::system(&self.decky, &self.facts, server);
        let listener = out.iter().find(|p| p.command.contains("[listener]")).map_or(1, |p| p.pid);
        for session in self.sessions.values() {
            let since = session.since.seconds();
            let tty = session.tty.clone();
            let place = tty.as_deref().unwrap_or("notty");
            let mut add = |pid, ppid, user: &str, tty: &str, state, vsz, rss, command: String| {
                out.push(Process {
                    pid,
                    ppid,
                    user: user.to_owned(),
                    tty: tty.to_owned(),
                    state,
                    started: since,
                    cpu_seconds: 0,
                    vsz,
                    rss,
                    command,
                });
            };
            let server = session.pid - 2;
            add(
                server,
                listener,
                "root",
                "?",
                "Ss",
                17_992,
                11_004,
                format!("sshd: {} [priv]", session.user),
            );
            add(
                server + 1,
                server,
                &session.user,
                "?",
                "S",
                18_252,
                6_904,
                format!("sshd: {}@{place}", session.user),
            );
            let shell_tty = tty.as_deref().unwrap_or("?");
            let shell = if tty.is_some() { "-bash" } else { "bash" };
            add(
                session.pid,
                server + 1,
                &session.user,
                shell_tty,
                "Ss",
                7_968,
                4_760,
                shell.to_owned(),
            );
        }
        out.retain(|process| process.started <= now.seconds());
        out
    }

    /// Load averages at `now`, as printed.
    #[must_use]
    pub fn load(&self, now: Timestamp) -> [String; 3] {
        let choices = Choices::new(&self.decky.secret);
        [60, 300, 900].map(|window| {
            // A new value each tenth of the window, around a level of the decky's own.
            let level = choices.range("machine.load", 0, 22);
            let bucket = now.seconds() / (window / 10);
            let value = level + choices.range(&format!("machine.load.{window}.{bucket}"), 0, 9);
            format!("{}.{:02}", value / 100, value % 100)
        })
    }

    /// Memory at `now`.
    #[must_use]
    pub fn memory(&self, now: Timestamp) -> Memory {
        let choices = Choices::new(&self.decky.secret);
        let total = self.facts.memory_kb;
        let used = total / 100 * choices.range("machine.memory.used", 9, 31);
        let cached = total / 100 * choices.range("machine.memory.cached", 12, 44);
        let drift = choices.range(&format!("machine.memory.{}", now.seconds() / 3), 0, 9_000);
        let free = total.saturating_sub(used + cached + drift);
        Memory { total, free, available: free + cached * 9 / 10, cached }
    }

    /// Blocks of 1 kB used on the root file system.
    #[must_use]
    pub fn disk_used_kb(&self) -> u64 {
        self.facts.disk_used_kb + self.fs.used() / 1024
    }

    /// `6.9% of 18.53GB`, as Ubuntu greets.
    #[must_use]
    pub fn disk_usage_text(&self) -> String {
        let tenths = self.disk_used_kb() * 1000 / self.facts.disk_kb.max(1);
        let hundredths = self.facts.disk_kb * 100 / 1_048_576;
        format!(
            "{}.{}% of {}.{:02}GB",
            tenths / 10,
            tenths % 10,
            hundredths / 100,
            hundredths % 100
        )
    }

    /// At most `length` bytes of `ino` from `offset`, kernel files and devices included.
    pub fn read(&mut self, ino: Ino, offset: u64, length: usize, now: Timestamp) -> Vec<u8> {
        match self.fs.node(ino).map(|node| node.kind.clone()) {
            Some(Kind::File(Content::Live(live))) => {
                let text = self.live(live, now).into_bytes();
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
                let to = from.saturating_add(length).min(text.len());
                text.get(from..to).unwrap_or_default().to_vec()
            }
            Some(Kind::Device(device)) => self.read_device(device, length),
            _ => self.fs.read(ino, offset, length),
        }
    }

    /// At most `length` bytes of `device`.
    pub fn read_device(&mut self, device: Device, length: usize) -> Vec<u8> {
        let mut bytes = match device {
            Device::Zero | Device::Full | Device::Random => vec![0; length.min(65_536)],
            Device::Null | Device::Tty => Vec::new(),
        };
        if device == Device::Random {
            self.random.fill_bytes(&mut bytes);
        }
        bytes
    }

    fn live(&self, live: Live, now: Timestamp) -> String {
        let facts = &self.facts;
        let up = now.seconds() - facts.boot_time;
        let hundredths = now.micros().rem_euclid(1_000_000) / 10_000;
        match live {
            Live::Uptime => {
                let idle = up * i64::from(facts.cores) * 97 / 100;
                format!("{up}.{hundredths:02} {idle}.{hundredths:02}\n")
            }
            Live::LoadAverage => {
                let tasks = self.processes(now).len();
                format!(
                    "{} 1/{tasks} {}\n",
                    self.load(now).join(" "),
                    self.next_pid.saturating_sub(1)
                )
            }
            Live::MemInfo => {
                let memory = self.memory(now);
                format!(
                    "MemTotal:       {:>8} kB\nMemFree:        {:>8} kB\nMemAvailable:   {:>8} kB\n\
                     Buffers:        {:>8} kB\nCached:         {:>8} kB\nSwapCached:            0 kB\n\
                     SwapTotal:      {:>8} kB\nSwapFree:       {:>8} kB\n",
                    memory.total,
                    memory.free,
                    memory.available,
                    memory.cached / 12,
                    memory.cached - memory.cached / 12,
                    facts.swap_kb,
                    facts.swap_kb,
                )
            }
            Live::CpuInfo => facts.cpuinfo(),
            Live::Version => format!(
                "Linux version {} {} {}\n",
                facts.release.kernel, facts.release.compiler, facts.release.build
            ),
            Live::Mounts => format!(
                "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n\
                 proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n\
                 udev /dev devtmpfs rw,nosuid,relatime,size={0}k,nr_inodes={1},mode=755,inode64 0 0\n\
                 devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000 0 0\n\
                 tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size={2}k,mode=755,inode64 0 0\n\
                 /dev/{3}1 / ext4 rw,relatime,errors=remount-ro 0 0\n\
                 tmpfs /dev/shm tmpfs rw,nosuid,nodev,inode64 0 0\n",
                facts.memory_kb / 2 - 20_000,
                (facts.memory_kb / 2 - 20_000) / 4,
                facts.memory_kb / 10,
                facts.disk,
            ),
            Live::Stat => format!(
                "cpu  {0} 0 {1} {2} 0 0 0 0 0 0\nbtime {3}\nprocesses {4}\nprocs_running 1\nprocs_blocked 0\n",
                up * 2,
                up,
                up * 97 * i64::from(facts.cores),
                facts.boot_time,
                self.next_pid,
            ),
            Live::CommandLine => format!(
                "BOOT_IMAGE=/boot/vmlinuz-{} root=UUID={} ro quiet\n",
                facts.release.kernel,
                facts.values.get("root_uuid").map_or("", String::as_str)
            ),
            Live::HostName => format!("{}\n", facts.hostname),
            Live::FileSystems => {
                "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tdevpts\n\text4\n"
                    .to_owned()
            }
        }
    }
}

/// What the machine calls itself: the operator's `hostname` setting, else the record's.
fn hostname(decky: &Decky) -> String {
    let setting = decky.service("ssh").and_then(|ssh| ssh.settings.get("hostname"));
    let setting = setting.and_then(|value| value.as_str()).filter(|name| {
        !name.is_empty() && name.len() <= 253 && name.bytes().all(|b| b.is_ascii_graphic())
    });
    setting.unwrap_or(&decky.hostname).to_owned()
}
