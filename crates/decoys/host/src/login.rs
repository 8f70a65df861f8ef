//! What a login shell shows before its first prompt.

use base_model::Timestamp;

use crate::clock;
use crate::machine::Machine;

/// `/etc/motd` of Debian.
pub(crate) const fn debian_motd() -> &'static str {
    "\nThe programs included with the Debian GNU/Linux system are free software;\n\
     the exact distribution terms for each program are described in the\n\
     individual files in /usr/share/doc/*/copyright.\n\n\
     Debian GNU/Linux comes with ABSOLUTELY NO WARRANTY, to the extent\n\
     permitted by applicable law.\n"
}

/// The text after a login of `user` at `now`, before this login is noted.
pub(crate) fn welcome(machine: &Machine, user: &str, now: Timestamp) -> String {
    let facts = machine.facts();
    let mut out = String::new();
    if let Some(motd) = machine.motd() {
        out.push_str(motd);
        if !motd.ends_with('\n') {
            out.push('\n');
        }
    } else if facts.distro.welcome == "ubuntu" {
        out.push_str(&ubuntu(machine, now));
    } else {
        out.push_str(&format!(
            "Linux {} {} {} x86_64\n",
            facts.hostname, facts.release.kernel, facts.release.build
        ));
        out.push_str(debian_motd());
    }
    if let Some((at, from)) = machine.last_login(user) {
        let at = clock::format(Timestamp::from_micros(at), "%a %b %e %H:%M:%S %Y");
        out.push_str(&format!("Last login: {at} from {from}\n"));
    }
    out
}

fn ubuntu(machine: &Machine, now: Timestamp) -> String {
    let facts = machine.facts();
    let date = clock::format(now, "%a %b %e %I:%M:%S %p UTC %Y");
    let memory = machine.memory(now);
    let used = 100 * (memory.total - memory.available) / memory.total.max(1);
    format!(
        "Welcome to {} (GNU/Linux {} x86_64)\n\n\
         \x20* Documentation:  https://help.ubuntu.com\n\
         \x20* Management:     https://landscape.canonical.com\n\
         \x20* Support:        https://ubuntu.com/pro\n\n\
         \x20System information as of {date}\n\n\
         \x20 System load:  {:<18} Processes:             {}\n\
         \x20 Usage of /:   {:<18} Users logged in:       {}\n\
         \x20 Memory usage: {:<18} IPv4 address for eth0: {}\n\
         \x20 Swap usage:   0%\n\n\n\
         Expanded Security Maintenance for Applications is not enabled.\n\n\
         0 updates can be applied immediately.\n\n\n",
        facts.distro.pretty_name,
        facts.release.kernel,
        machine.load(now)[0],
        machine.processes(now).len(),
        machine.disk_usage_text(),
        machine.sessions().count(),
        format!("{used}%"),
        machine.decky().ip,
    )
}
