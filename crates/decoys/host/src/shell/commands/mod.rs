//! The programs of the machine: one file each, one line each in [`LIST`].
//!
//! A program is an `async fn run(&mut Proc) -> Outcome`. It talks through its [`Proc`] only, so it
//! works in pipes, with redirections and on the terminal alike, and suspends where the real one
//! would block. What is in the list exists as a file under its directory.

use super::io::Boxed;
use super::proc::{Outcome, Proc};

mod busybox;
mod cat;
mod chmod;
mod clear;
mod cp;
mod date;
mod df;
mod echo;
mod env;
mod fetch;
mod free;
mod grep;
mod head;
mod hostname;
mod id;
mod ls;
mod mkdir;
mod mv;
mod nproc;
mod options;
mod printf;
mod ps;
pub(super) mod regex;
mod rm;
mod scp;
mod sftp;
mod sh;
mod sleep;
mod sort;
mod sudo;
mod touch;
mod tr;
mod tty;
mod uname;
mod uptime;
mod w;
mod wc;
mod which;
mod yes;

pub(super) use echo::line as echo_line;
pub(super) use printf::format as format_printf;

/// A program.
pub(crate) struct Command {
    /// Name.
    pub(crate) name: &'static str,
    /// Directory it lies in.
    directory: &'static str,
    /// Size of its file.
    pub(crate) size: u64,
    /// Mode of its file.
    pub(crate) mode: u16,
    /// What its file links to, when it is a link.
    pub(crate) link: Option<&'static str>,
    /// Runs it.
    pub(crate) run: for<'a> fn(&'a mut Proc) -> Boxed<'a, Outcome>,
}

impl Command {
    /// Its path.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }
}

macro_rules! list {
    ($($name:literal $directory:literal $size:literal $module:ident $(mode $mode:literal)? $(link $link:literal)?;)*) => {
        /// Every program there is.
        pub(crate) const LIST: &[Command] = &[$(Command {
            name: $name,
            directory: $directory,
            size: $size,
            mode: list!(@mode $($mode)?),
            link: list!(@link $($link)?),
            run: |proc| Box::pin($module::run(proc)),
        }),*];
    };
    (@mode) => { 0o755 };
    (@mode $mode:literal) => { $mode };
    (@link) => { None };
    (@link $link:literal) => { Some($link) };
}

list! {
    "arch" "/usr/bin" 43_888 uname;
    "bash" "/usr/bin" 1_265_648 sh;
    "busybox" "/usr/bin" 734_296 busybox;
    "cat" "/usr/bin" 44_016 cat;
    "chmod" "/usr/bin" 64_496 chmod;
    "chown" "/usr/bin" 72_752 chmod;
    "clear" "/usr/bin" 14_584 clear;
    "cp" "/usr/bin" 151_152 cp;
    "curl" "/usr/bin" 280_800 fetch;
    "dash" "/usr/bin" 125_640 sh;
    "date" "/usr/bin" 121_904 date;
    "df" "/usr/bin" 102_200 df;
    "dirname" "/usr/bin" 39_760 which;
    "basename" "/usr/bin" 43_856 which;
    "echo" "/usr/bin" 43_856 echo;
    "egrep" "/usr/bin" 41 grep;
    "env" "/usr/bin" 48_536 env;
    "false" "/usr/bin" 35_664 yes;
    "fgrep" "/usr/bin" 41 grep;
    "free" "/usr/bin" 26_936 free;
    "grep" "/usr/bin" 203_152 grep;
    "groups" "/usr/bin" 43_920 id;
    "head" "/usr/bin" 48_080 head;
    "hostname" "/usr/bin" 22_680 hostname;
    "id" "/usr/bin" 48_144 id;
    "kill" "/usr/bin" 22_840 yes;
    "ln" "/usr/bin" 72_824 mv;
    "ls" "/usr/bin" 151_344 ls;
    "mkdir" "/usr/bin" 97_552 mkdir;
    "mv" "/usr/bin" 142_968 mv;
    "nohup" "/usr/bin" 43_920 env;
    "nproc" "/usr/bin" 43_920 nproc;
    "printenv" "/usr/bin" 35_664 env;
    "printf" "/usr/bin" 64_432 printf;
    "ps" "/usr/bin" 146_360 ps;
    "pwd" "/usr/bin" 43_952 hostname;
    "readlink" "/usr/bin" 52_112 which;
    "realpath" "/usr/bin" 43_952 which;
    "rm" "/usr/bin" 72_752 rm;
    "rmdir" "/usr/bin" 56_240 rm;
    "scp" "/usr/bin" 273_024 scp;
    "sftp-server" "/usr/lib/openssh" 149_056 sftp;
    "seq" "/usr/bin" 60_336 yes;
    "sleep" "/usr/bin" 43_888 sleep;
    "sort" "/usr/bin" 118_456 sort;
    "stat" "/usr/bin" 97_488 ls;
    "su" "/usr/bin" 72_000 sudo mode 0o4755;
    "sudo" "/usr/bin" 281_624 sudo mode 0o4755;
    "sync" "/usr/bin" 39_824 yes;
    "tail" "/usr/bin" 76_944 head;
    "tee" "/usr/bin" 43_984 cat;
    "touch" "/usr/bin" 109_616 touch;
    "tr" "/usr/bin" 56_208 tr;
    "cut" "/usr/bin" 48_112 tr;
    "true" "/usr/bin" 35_664 yes;
    "tty" "/usr/bin" 35_696 tty;
    "uname" "/usr/bin" 43_888 uname;
    "uniq" "/usr/bin" 48_080 sort;
    "uptime" "/usr/bin" 14_648 uptime;
    "users" "/usr/bin" 39_824 w;
    "w" "/usr/bin" 22_840 w;
    "wc" "/usr/bin" 52_280 wc;
    "wget" "/usr/bin" 470_384 fetch;
    "which" "/usr/bin" 946 which;
    "who" "/usr/bin" 60_432 w;
    "whoami" "/usr/bin" 39_792 id;
    "yes" "/usr/bin" 39_760 yes;
}

/// The program called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    LIST.iter().find(|command| command.name == name)
}

/// The program whose file is at `path`.
pub(crate) fn find_path(path: &[u8]) -> Option<&'static Command> {
    LIST.iter().find(|command| command.path().as_bytes() == path)
}
