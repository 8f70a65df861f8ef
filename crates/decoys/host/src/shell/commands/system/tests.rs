//! The system's tools tell one story.

use crate::shell::commands::harness::Shell;

#[test]
fn processors_and_memory_agree_with_the_kernel_files() {
    let mut shell = Shell::new();
    let cores = shell.run("nproc").out;
    assert_eq!(shell.run("grep -c ^processor /proc/cpuinfo").out, cores);
    assert_eq!(shell.run("lscpu | awk '/^CPU\\(s\\)/ {print $2}'").out, cores);
    let model = shell.run("lscpu | grep 'Model name' | cut -d: -f2 | xargs").out;
    let kernel = "awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo";
    assert_eq!(shell.run(kernel).out, model);
    assert_ne!(model.trim(), "");
    let memory = shell.run("free | awk '/Mem/ {print $2}'").out;
    assert_eq!(shell.run("awk '/MemTotal/ {print $2}' /proc/meminfo").out, memory);
}

#[test]
fn a_crontab_is_installed_listed_and_removed() {
    let mut shell = Shell::new();
    shell.gives("crontab -l", "", "no crontab for root\n", 1);
    shell.gives("echo '*/5 * * * * /tmp/x' | crontab -; crontab -l", "*/5 * * * * /tmp/x\n", "", 0);
    shell.prints("cat /var/spool/cron/crontabs/root", "*/5 * * * * /tmp/x\n");
    let bad = "\"-\":0: bad minute\nerrors in crontab file, can't install.\n";
    shell.gives("echo '99 * * * * x' | crontab -", "", bad, 1);
    shell.gives("crontab -r; crontab -l", "", "no crontab for root\n", 1);
}

#[test]
fn a_stopped_service_is_gone_from_the_process_table() {
    let mut shell = Shell::new();
    shell.prints("systemctl is-active cron; pgrep -c cron", "active\n1\n");
    shell.gives(
        "systemctl stop cron; systemctl is-active cron; pgrep -x cron",
        "inactive\n",
        "",
        1,
    );
    shell.prints("service cron start; systemctl is-active cron", "active\n");
    shell.gives(
        "systemctl start nosuch",
        "",
        "Failed to start nosuch.service: Unit nosuch.service not found.\n",
        5,
    );
}

#[test]
fn killed_processes_are_gone() {
    let mut shell = Shell::new();
    shell.prints("sleep 50 & kill $!; sleep 1; pgrep -x sleep; echo $?", "1\n");
    shell.prints(
        "sleep 50 & sleep 1; ps -o pid,comm -p $! --no-headers | awk '{print $2}'; pkill sleep",
        "sleep\n",
    );
    shell.gives("killall xmrig", "", "xmrig: no process found\n", 1);
    shell.prints("pkill -9 -x rsyslogd; pidof rsyslogd; echo $?", "1\n");
    let mut user = shell.also("deploy");
    user.gives("kill 1", "", "bash: kill: (1) - Operation not permitted\n", 1);
}

#[test]
fn protected_files_stay_as_they_are() {
    let mut shell = Shell::new();
    shell.run("mkdir /tmp/p; echo a > /tmp/p/f; chattr +i /tmp/p/f");
    shell.prints("lsattr /tmp/p", "----i---------e------- /tmp/p/f\n");
    shell.gives("rm -f /tmp/p/f", "", "rm: cannot remove '/tmp/p/f': Operation not permitted\n", 1);
    shell.gives("echo b >> /tmp/p/f", "", "bash: /tmp/p/f: Operation not permitted\n", 1);
    shell.prints("chattr -i /tmp/p/f; echo b >> /tmp/p/f; chattr +a /tmp/p/f; echo c >> /tmp/p/f; cat /tmp/p/f", "a\nb\nc\n");
    shell.gives("echo x > /tmp/p/f", "", "bash: /tmp/p/f: Operation not permitted\n", 1);
}

#[test]
fn a_command_that_takes_too_long_is_ended() {
    let mut shell = Shell::new();
    let done = shell.run("timeout 5 sleep 100; echo $?");
    assert_eq!((done.out.as_str(), done.took), ("124\n", 5));
}

#[test]
fn programs_are_where_the_tools_say() {
    let mut shell = Shell::new();
    shell.prints("whereis ls nosuch", "ls: /usr/bin/ls\nnosuch:\n");
    shell.prints("which ls chpasswd", "/usr/bin/ls\n/usr/sbin/chpasswd\n");
}
