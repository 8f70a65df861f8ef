//! What a login shell shows before its first prompt.

use base_model::Timestamp;

use crate::clock;
use crate::machine::Machine;
use crate::persona::Welcome;

/// The text after a login of `user` at `now`, before this login is noted.
pub(crate) fn welcome(machine: &Machine, user: &str, now: Timestamp) -> String {
    let facts = machine.facts();
    let distro = facts.distro;
    let mut day = String::new();
    if let Some(motd) = machine.motd() {
        day.push_str(motd);
        if !motd.ends_with('\n') {
            day.push('\n');
        }
    } else if distro.welcome == Welcome::Ubuntu {
        day.push_str(&ubuntu(machine, now));
    } else {
        if distro.welcome == Welcome::Debian {
            let release = facts.release;
            let (host, kernel, build) = (&facts.hostname, &release.kernel, &release.build);
            day.push_str(&format!("Linux {host} {kernel} {build} x86_64\n"));
        }
        day.push_str(&distro.motd);
    }
    let last = machine.last_login(user).map_or_else(String::new, |(at, from)| {
        let at = clock::format(Timestamp::from_micros(at), "%a %b %e %H:%M:%S %Y");
        format!("Last login: {at} from {from}\n")
    });
    if distro.last_login_first { last + &day } else { day + &last }
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
