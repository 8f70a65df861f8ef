//! The process table: what the system started, and what is logged in.

use base_model::{Decky, Timestamp};
use decoys_kit::Choices;

use crate::persona::{Facts, FtpServer, ftp_server};

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
            "init" => "systemd",
            "mysqld" => "mariadbd",
            name => name.get(..15).unwrap_or(name),
        }
    }
}

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

/// Daemons by service: service name, program, user, command line, size of the program.
const SERVICES: &[(&str, &str, &str, &str, u64)] = &[
    ("mysql", "/usr/sbin/mariadbd", "mysql", "/usr/sbin/mariadbd", 25_162_216),
    (
        "postgres",
        "/usr/lib/postgresql/bin/postgres",
        "postgres",
        "/usr/lib/postgresql/bin/postgres -D /var/lib/postgresql/main",
        8_868_216,
    ),
    ("redis", "/usr/bin/redis-server", "redis", "/usr/bin/redis-server 127.0.0.1:6379", 1_824_312),
    ("smb", "/usr/sbin/smbd", "root", "/usr/sbin/smbd --foreground --no-process-group", 108_512),
    ("snmp", "/usr/sbin/snmpd", "Debian-snmp", "/usr/sbin/snmpd -LOw -u Debian-snmp -f", 35_032),
];

/// Programs that run as daemons whatever the services are, with their size.
pub(crate) fn daemons(facts: &Facts) -> Vec<(&'static str, u64)> {
    let mut out = vec![
        ("/usr/bin/dbus-daemon", 243_232),
        ("/usr/sbin/rsyslogd", 769_000),
        ("/usr/sbin/agetty", 63_752),
        ("/usr/lib/systemd/systemd-udevd", 1_296_488),
        ("/usr/lib/systemd/systemd-timesyncd", 94_976),
    ];
    if facts.distro.welcome == "ubuntu" {
        out.push(("/usr/lib/snapd/snapd", 24_903_640));
    }
    out
}

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
    add(1, 0, "root", "?", "Ss", boot, "/sbin/init");
    for (at, (name, state)) in THREADS.iter().enumerate() {
        let pid = 2 + u32::try_from(at).unwrap_or(0);
        add(pid, if pid == 2 { 0 } else { 2 }, "root", "?", state, boot, &format!("[{name}]"));
    }
    let mut pid = 200;
    let mut daemon = |user: &str, state, after: i64, command: &str| {
        let label = format!("ps.gap.{command}");
        pid += u32::try_from(choices.range(&label, 2, 61)).unwrap_or(2);
        let tty = if command.contains("agetty") { "tty1" } else { "?" };
        add(pid, 1, user, tty, state, boot + after, command);
    };
    daemon("root", "Ss", 2, "/lib/systemd/systemd-journald");
    daemon("root", "Ss", 2, "/lib/systemd/systemd-udevd");
    daemon("systemd-timesync", "Ssl", 4, "/lib/systemd/systemd-timesyncd");
    daemon("root", "Ss", 5, "/usr/sbin/cron -f");
    daemon(
        "messagebus",
        "Ss",
        5,
        "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only",
    );
    daemon("root", "Ssl", 5, "/usr/sbin/rsyslogd -n -iNONE");
    daemon("root", "Ss", 5, "/lib/systemd/systemd-logind");
    if facts.distro.welcome == "ubuntu" {
        daemon("root", "Ssl", 6, "/usr/lib/snapd/snapd");
    }
    daemon("root", "Ss+", 6, "/sbin/agetty -o -p -- \\u --noclear - linux");
    if decky.service("ssh").is_some() {
        daemon("root", "Ss", 7, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups");
    }
    if decky.service("http").is_some() || decky.service("https").is_some() {
        if http_server.starts_with("nginx") {
            daemon(
                "root",
                "Ss",
                8,
                "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
            );
            daemon("www-data", "S", 8, "nginx: worker process");
        } else {
            daemon("root", "Ss", 8, "/usr/sbin/apache2 -k start");
            daemon("www-data", "Sl", 8, "/usr/sbin/apache2 -k start");
            daemon("www-data", "Sl", 8, "/usr/sbin/apache2 -k start");
        }
    }
    if decky.service("smtp").is_some() {
        daemon("root", "Ss", 9, "/usr/lib/postfix/sbin/master -w");
        daemon("postfix", "S", 9, "qmgr -l -t unix -u");
        daemon("postfix", "S", 9, "pickup -l -t unix -u -c");
    }
    if decky.service("ftp").is_some() {
        match ftp_server(decky) {
            FtpServer::Vsftpd => daemon("root", "Ss", 9, "/usr/sbin/vsftpd /etc/vsftpd.conf"),
            FtpServer::ProFtpd => daemon("proftpd", "Ss", 9, "proftpd: (accepting connections)"),
            FtpServer::PureFtpd => daemon("root", "Ss", 9, "pure-ftpd (SERVER)"),
        }
    }
    if decky.service("telnet").is_some() {
        daemon("root", "Ss", 9, "/usr/sbin/inetd");
    }
    for (service, _, user, command, _) in SERVICES {
        if decky.service(service).is_some() {
            daemon(user, "Ssl", 9, command);
        }
    }
    out
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
