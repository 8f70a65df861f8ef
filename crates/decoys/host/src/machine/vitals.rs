//! What tools measure: processes, load, memory, disk.

use base_model::Timestamp;
use decoys_kit::Choices;

use super::Machine;
use crate::persona;
use crate::processes::{self, Process};
use crate::shell::Entry;

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

impl Machine {
    /// Everything that runs without a login, whether it was killed or not.
    pub(super) fn daemons(&self) -> Vec<Process> {
        let choices = Choices::new(&self.decky.secret);
        let server = persona::http_server(&choices, &self.decky.distro);
        processes::system(&self.decky, &self.facts, server)
    }

    /// The process table at `now`.
    #[must_use]
    pub fn processes(&self, now: Timestamp) -> Vec<Process> {
        let mut out = self.daemons();
        let listener = out.iter().find(|p| p.name() == "sshd").map_or(1, |p| p.pid);
        let family = self.facts.distro.family();
        let telnet = family.listeners.get("telnet").map_or("inetd", String::as_str);
        let inetd = out.iter().find(|p| p.name() == telnet).map_or(1, |p| p.pid);
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
            if session.entry == Entry::Telnet {
                let (from, user) = (&session.from, &session.user);
                let telnetd = format!("in.telnetd: {from}");
                add(server, inetd, &family.telnet_user, "?", "Ss", 10_012, 2_008, telnetd);
                let login = format!("login -h {from} -p -- {user}");
                add(server + 1, server, "root", place, "Ss", 9_740, 3_904, login);
                let shell = "-bash".to_owned();
                add(session.pid, server + 1, user, place, "S", 7_968, 4_760, shell);
                continue;
            }
            if session.entry == Entry::Server {
                let shell = format!("sh -c {}", session.running);
                add(session.pid, 1, &session.user, "?", "S", 2_576, 1_620, shell);
                continue;
            }
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
        out.extend(self.programs.values().cloned());
        out.retain(|process| {
            process.started <= now.seconds() && !self.killed.contains_key(&process.pid)
        });
        out.sort_by_key(|process| process.pid);
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
}
