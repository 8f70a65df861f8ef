//! The process table: what the system started, and what is logged in.

use base_model::{Decky, Timestamp};
use decoys_kit::Choices;

use crate::persona::{Facts, FtpServer, fill, ftp_server};

/// A line of `ps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Parent.
    pub ppid: u32,
    /// Owner.
    pub user: String,
    /// Terminal without `/dev/`, or `?`.
    pub tty: String,
    /// State letters.
    pub state: &'static str,
    /// Start, seconds since the epoch.
    pub started: i64,
    /// Processor seconds used.
    pub cpu_seconds: u64,
    /// Virtual size in kB.
    pub vsz: u64,
    /// Resident size in kB.
    pub rss: u64,
    /// Command line; kernel threads in brackets.
    pub command: String,
}

impl Process {
    /// The name of its program, as the kernel keeps it.
    #[must_use]
    pub fn name(&self) -> &str {
        if let Some(thread) = self.command.strip_prefix('[') {
            return thread.trim_end_matches(']');
        }
        if let Some((title, _)) = self.command.split_once(": ")
            && !title.contains(' ')
        {
            return title;
        }
        let program = self.command.trim_start_matches('-').split(' ').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        match name {
            "init" if self.command == SYSTEMD => "systemd",
            name => name.get(..15).unwrap_or(name),
        }
    }
}

/// The first process where systemd is it. `BusyBox` has the same path; its line in the data ends with
/// a blank, which nothing shows.
const SYSTEMD: &str = "/sbin/init";

/// Kernel threads with their state.
const THREADS: &[(&str, &str)] = &[
    ("kthreadd", "S"),
    ("rcu_gp", "I<"),
    ("rcu_par_gp", "I<"),
    ("slub_flushwq", "I<"),
    ("netns", "I<"),
    ("mm_percpu_wq", "I<"),
    ("ksoftirqd/0", "S"),
    ("rcu_preempt", "I"),
    ("migration/0", "S"),
    ("kdevtmpfs", "S"),
    ("kauditd", "S"),
    ("khungtaskd", "S"),
    ("oom_reaper", "S"),
    ("writeback", "I<"),
    ("kcompactd0", "S"),
    ("kblockd", "I<"),
    ("kswapd0", "S"),
];

/// Everything that runs without a login.
pub(crate) fn system(decky: &Decky, facts: &Facts, http_server: &str) -> Vec<Process> {
    let choices = Choices::new(&decky.secret);
    let boot = facts.boot_time;
    let mut out = Vec::new();
    let mut add = |pid: u32, ppid: u32, user: &str, tty: &str, state, started, command: &str| {
        let kernel = command.starts_with('[');
        let weight = |label: &str, low, high| {
            if kernel { 0 } else { choices.range(&format!("ps.{label}.{command}"), low, high) }
        };
        out.push(Process {
            pid,
            ppid,
            user: user.to_owned(),
            tty: tty.to_owned(),
            state,
            started,
            cpu_seconds: choices.range(&format!("ps.cpu.{command}"), 0, 14),
            vsz: weight("vsz", 6_000, 240_000),
            rss: weight("rss", 2_200, 14_000),
            command: command.to_owned(),
        });
    };
    add(1, 0, "root", "?", "Ss", boot, &facts.distro.family().init);
    for (at, (name, state)) in THREADS.iter().enumerate() {
        let pid = 2 + u32::try_from(at).unwrap_or(0);
        add(pid, if pid == 2 { 0 } else { 2 }, "root", "?", state, boot, &format!("[{name}]"));
    }
    let mut pid = 200;
    let mut daemon = |user: &str, state, after: i64, command: &str| {
        let label = format!("ps.gap.{command}");
        pid += u32::try_from(choices.range(&label, 2, 61)).unwrap_or(2);
        let tty = if command.contains("getty") { "tty1" } else { "?" };
        add(pid, 1, user, tty, state, boot + after, command);
    };
    let family = facts.distro.family();
    let system = facts.distro.daemons.as_ref().unwrap_or(&family.daemons);
    let servers = servers(decky, http_server);
    let servers = servers
        .iter()
        .filter_map(|name| facts.distro.servers.get(*name).or_else(|| family.servers.get(*name)));
    for line in std::iter::once(system).chain(servers).flat_map(|lines| lines.lines()) {
        let line = fill(line, &facts.values);
        let mut words = line.splitn(4, ' ');
        let (Some(user), Some(state), Some(after), Some(command)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        daemon(user, state_letters(state), after.parse().unwrap_or(9), command);
    }
    add_postgres_workers(&mut out, facts);
    out
}

/// The state a line of the data names.
fn state_letters(name: &str) -> &'static str {
    const STATES: &[&str] = &["Ss", "Ssl", "S", "Sl", "Ss+", "SLs", "S<sl"];
    STATES.iter().find(|state| **state == name).copied().unwrap_or("Ss")
}

/// The servers that `decky` runs, by the names the data has for them; PostgreSQL's last, whose own
/// processes take the numbers after it.
fn servers(decky: &Decky, http_server: &str) -> Vec<&'static str> {
    let has = |name: &str| decky.service(name).is_some();
    let mut out = Vec::new();
    if has("ssh") {
        out.push("ssh");
    }
    if has("http") || has("https") {
        out.push(if http_server.starts_with("nginx") { "nginx" } else { "apache" });
    }
    if has("smtp") {
        out.push("smtp");
    }
    if has("ftp") {
        out.push(match ftp_server(decky) {
            FtpServer::Vsftpd => "vsftpd",
            FtpServer::ProFtpd => "proftpd",
            FtpServer::PureFtpd => "pure-ftpd",
        });
    }
    out.extend(["telnet", "smb", "snmp", "mysql", "redis", "postgres"].iter().filter(|s| has(s)));
    out
}

/// The processes that a PostgreSQL server starts for itself.
fn add_postgres_workers(out: &mut Vec<Process>, facts: &Facts) {
    let main = out.iter().find(|p| p.user == "postgres" && p.command.contains(" -D ")).cloned();
    let Some(main) = main else { return };
    let title = fill(&facts.distro.postgres().title, &facts.values);
    let mut workers = vec!["checkpointer", "background writer", "walwriter", "autovacuum launcher"];
    // The collector went with 15.
    if facts.release.postgres_major().parse().unwrap_or(15_u32) < 15 {
        workers.push("stats collector");
    }
    workers.push("logical replication launcher");
    for (at, worker) in (1..).zip(workers) {
        out.push(Process {
            pid: main.pid + at,
            ppid: main.pid,
            state: "Ss",
            cpu_seconds: main.cpu_seconds / 3,
            vsz: main.vsz + u64::from(at) * 132,
            rss: main.rss / 3 + u64::from(at) * 212,
            command: format!("postgres: {title}{worker}"),
            ..main.clone()
        });
    }
}

/// The `STARTED` column of `ps`: the time when it was today, else the date.
pub(crate) fn started(at: i64, now: Timestamp) -> String {
    let at = Timestamp::from_micros(at.saturating_mul(1_000_000));
    if now.seconds() - at.seconds() < 86_400 && at.date() == now.date() {
        crate::clock::format(at, "%H:%M")
    } else {
        crate::clock::format(at, "%b%d")
    }
}
