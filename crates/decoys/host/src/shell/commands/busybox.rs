//! `busybox`: dispatches to the programs that are also applets.

use crate::shell::interp::{Dialect, Interp};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

/// Applets of Debian's full build.
const APPLETS: &[&str] = &[
    "[",
    "[[",
    "acpid",
    "adjtimex",
    "ar",
    "arch",
    "arp",
    "arping",
    "ascii",
    "ash",
    "awk",
    "base64",
    "basename",
    "bc",
    "blkdiscard",
    "blkid",
    "blockdev",
    "brctl",
    "bunzip2",
    "busybox",
    "bzcat",
    "bzip2",
    "cal",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chpasswd",
    "chroot",
    "chvt",
    "clear",
    "cmp",
    "cp",
    "cpio",
    "crc32",
    "crond",
    "crontab",
    "cttyhack",
    "cut",
    "date",
    "dc",
    "dd",
    "deallocvt",
    "depmod",
    "devmem",
    "df",
    "diff",
    "dirname",
    "dmesg",
    "dnsdomainname",
    "dos2unix",
    "du",
    "dumpkmap",
    "dumpleases",
    "echo",
    "ed",
    "egrep",
    "env",
    "expand",
    "expr",
    "factor",
    "fallocate",
    "false",
    "fatattr",
    "fdisk",
    "fgrep",
    "find",
    "findfs",
    "fold",
    "free",
    "freeramdisk",
    "fsfreeze",
    "fstrim",
    "ftpget",
    "ftpput",
    "getopt",
    "getty",
    "grep",
    "groups",
    "gunzip",
    "gzip",
    "halt",
    "head",
    "hexdump",
    "hostid",
    "hostname",
    "httpd",
    "hwclock",
    "i2cdetect",
    "i2cdump",
    "i2cget",
    "i2cset",
    "id",
    "ifconfig",
    "ifdown",
    "ifup",
    "init",
    "insmod",
    "ionice",
    "ip",
    "ipcalc",
    "ipneigh",
    "kill",
    "killall",
    "klogd",
    "last",
    "less",
    "link",
    "linux32",
    "linux64",
    "linuxrc",
    "ln",
    "loadfont",
    "loadkmap",
    "logger",
    "login",
    "logname",
    "logread",
    "losetup",
    "ls",
    "lsmod",
    "lsscsi",
    "lzcat",
    "lzma",
    "lzop",
    "md5sum",
    "mdev",
    "microcom",
    "mkdir",
    "mkdosfs",
    "mke2fs",
    "mkfifo",
    "mknod",
    "mkpasswd",
    "mkswap",
    "mktemp",
    "modinfo",
    "modprobe",
    "more",
    "mount",
    "mt",
    "mv",
    "nameif",
    "nc",
    "netstat",
    "nl",
    "nologin",
    "nproc",
    "nsenter",
    "nslookup",
    "nuke",
    "od",
    "openvt",
    "partprobe",
    "passwd",
    "paste",
    "patch",
    "pidof",
    "ping",
    "ping6",
    "pivot_root",
    "poweroff",
    "printf",
    "ps",
    "pwd",
    "rdate",
    "readlink",
    "realpath",
    "reboot",
    "renice",
    "reset",
    "resume",
    "rev",
    "rm",
    "rmdir",
    "rmmod",
    "route",
    "rpm",
    "rpm2cpio",
    "run-init",
    "run-parts",
    "sed",
    "seq",
    "setkeycodes",
    "setpriv",
    "setsid",
    "sh",
    "sha1sum",
    "sha256sum",
    "sha3sum",
    "sha512sum",
    "shred",
    "shuf",
    "sleep",
    "sort",
    "ssl_client",
    "start-stop-daemon",
    "stat",
    "static-sh",
    "strings",
    "stty",
    "su",
    "sulogin",
    "svc",
    "svok",
    "swapoff",
    "swapon",
    "switch_root",
    "sync",
    "sysctl",
    "syslogd",
    "tac",
    "tail",
    "tar",
    "taskset",
    "tc",
    "tee",
    "telnet",
    "telnetd",
    "test",
    "tftp",
    "time",
    "timeout",
    "top",
    "touch",
    "tr",
    "traceroute",
    "traceroute6",
    "true",
    "truncate",
    "ts",
    "tty",
    "ubirename",
    "udhcpc",
    "udhcpd",
    "uevent",
    "umount",
    "uname",
    "uncompress",
    "unexpand",
    "uniq",
    "unix2dos",
    "unlink",
    "unlzma",
    "unshare",
    "unxz",
    "unzip",
    "uptime",
    "usleep",
    "uudecode",
    "uuencode",
    "vconfig",
    "vi",
    "w",
    "watch",
    "watchdog",
    "wc",
    "wget",
    "which",
    "who",
    "whoami",
    "xargs",
    "xxd",
    "xz",
    "xzcat",
    "yes",
    "zcat",
];

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let Some(applet) = arguments.first() else {
        proc.out(usage()).await?;
        return Ok(0);
    };
    let name = String::from_utf8_lossy(applet).into_owned();
    if name == "--list" {
        proc.out(APPLETS.iter().map(|applet| format!("{applet}\n")).collect::<String>()).await?;
        return Ok(0);
    }
    if name == "--help" {
        proc.out(usage()).await?;
        return Ok(0);
    }
    if !APPLETS.contains(&name.as_str()) || proc.depth >= limits::DEPTH {
        proc.err([applet, &b": applet not found\n"[..]].concat()).await;
        return Ok(127);
    }
    let mut inner = proc.clone();
    inner.depth += 1;
    let mut shell = Interp::new(inner, b"busybox", Dialect::Dash);
    let program = match name.as_str() {
        "ash" | "sh" | "static-sh" => "dash",
        other => other,
    };
    let run = if let Some(command) = super::find(program) {
        shell.status = Box::pin(shell.run_entry(command, arguments)).await;
        true
    } else if let Some(builtin) = crate::shell::builtins::find(program, Dialect::Dash) {
        let _ = builtin(&mut shell, arguments).await;
        true
    } else {
        false
    };
    if !run {
        // An applet that needs a device or network this machine does not offer to it.
        proc.err(format!("{name}: Operation not permitted\n")).await;
        return Ok(1);
    }
    Ok(shell.status)
}

fn usage() -> String {
    let mut out = String::from(
        "BusyBox v1.35.0 (Debian 1:1.35.0-4+b3) multi-call binary.\n\
         BusyBox is copyrighted by many authors between 1998-2015.\n\
         Licensed under GPLv2. See source distribution for detailed\n\
         copyright notices.\n\n\
         Usage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n\
         \x20  or: busybox --show SCRIPT\n   or: busybox --install [-s] [DIR]\n\
         \x20  or: function [arguments]...\n\n\
         \tBusyBox is a multi-call binary that combines many common Unix\n\
         \tutilities into a single executable.  Most people will create a\n\
         \tlink to busybox for each function they wish to use and BusyBox\n\
         \twill act like whatever it was invoked as.\n\nCurrently defined functions:\n",
    );
    let mut line = String::from("\t");
    for applet in APPLETS {
        if line.len() + applet.len() > 72 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("\t");
        }
        line.push_str(applet);
        line.push_str(", ");
    }
    out.push_str(line.trim_end_matches(", "));
    out.push('\n');
    out
}
