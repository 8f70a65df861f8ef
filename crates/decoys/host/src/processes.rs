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

/// Daemons by service: service name, user, command line.
const SERVICES: &[(&str, &str, &str)] = &[
    ("smb", "root", "/usr/sbin/smbd --foreground --no-process-group"),
    ("snmp", "Debian-snmp", "/usr/sbin/snmpd -LOw -u Debian-snmp -f"),
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
    for (service, user, command) in SERVICES {
        if decky.service(service).is_some() {
            daemon(user, "Ssl", 9, command);
        }
    }
    for (user, command) in databases(decky, facts) {
        daemon(&user, "Ssl", 9, &command);
    }
    add_postgres_workers(&mut out, facts);
    out
}

/// Owner and command line of the database servers.
fn databases(decky: &Decky, facts: &Facts) -> Vec<(String, String)> {
    let mut out = Vec::new();
    if decky.service("mysql").is_some() {
        out.push(("mysql".to_owned(), format!("/usr/sbin/{}", facts.release.mysql_program())));
    }
    if let Some(redis) = decky.service("redis") {
        let user = redis.settings.get("run_as").and_then(|user| user.as_str());
        let user = user.filter(|user| *user == "redis").unwrap_or("root");
        out.push((user.to_owned(), "/usr/bin/redis-server 0.0.0.0:6379".to_owned()));
    }
    // Last: its own processes take the numbers after it.
    if decky.service("postgres").is_some() {
        let major = facts.release.postgres_major();
        out.push((
            "postgres".to_owned(),
            format!(
                "/usr/lib/postgresql/{major}/bin/postgres -D /var/lib/postgresql/{major}/main \
                 -c config_file=/etc/postgresql/{major}/main/postgresql.conf"
            ),
        ));
    }
    out
}

/// The processes that a PostgreSQL server starts for itself.
fn add_postgres_workers(out: &mut Vec<Process>, facts: &Facts) {
    let Some(main) = out.iter().find(|p| p.command.contains("/bin/postgres -D")).cloned() else {
        return;
    };
    let major = facts.release.postgres_major();
    let workers = [
        "checkpointer",
        "background writer",
        "walwriter",
        "autovacuum launcher",
        "logical replication launcher",
    ];
    for (at, worker) in (1..).zip(workers) {
        out.push(Process {
            pid: main.pid + at,
            ppid: main.pid,
            state: "Ss",
            cpu_seconds: main.cpu_seconds / 3,
            vsz: main.vsz + u64::from(at) * 132,
            rss: main.rss / 3 + u64::from(at) * 212,
            command: format!("postgres: {major}/main: {worker}"),
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
