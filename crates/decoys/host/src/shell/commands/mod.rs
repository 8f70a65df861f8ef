//! The programs of the machine, by family.
//!
//! A program is an `async fn run(&mut Proc) -> Outcome`. It talks through its [`Proc`] only, so it
//! works in pipes, with redirections and on the terminal alike, and suspends where the real one
//! would block. What is in a family's table exists as a file under its directory.
//!
//! # Adding a command
//!
//! 1. Write `commands/<family>/<name>.rs` with one `run` (a folder when it outgrows a file), and
//!    declare the module in the family's `mod.rs`.
//! 2. Add its line to the `programs!` table there: name, directory, size of the file, function;
//!    `help` at the end when `data/help/<name>.txt` holds what its `--help` and `--version` print.
//!    File, completion, `which`, `busybox` and `sudo` follow from the line.
//! 3. Read arguments with [`options::read`]: it knows `getopt_long`'s rules and messages. Tell
//!    errors with `fault`, `misused`, `unusable` of [`complaint`], read files with `Proc::source`
//!    or `Proc::slurp`, write with `Proc::out` (which may stop the program: use `?`).
//! 4. Stay bounded: `proc.io.tick().await` once per item, `proc.io.spend` for work that grows with
//!    bytes, ceilings on everything collected.
//! 5. Facts come from the machine (`proc.host.with`): files, accounts, processes, network. Nothing is
//!    made up beside it. An option that cannot be done well is left out: the message about an unknown
//!    option is real too.
//! 6. Test with `harness::Shell`: what the real program printed on Debian 12, recorded, against
//!    what this one prints, with standard error and status.

mod complaint;
mod help;
mod input;
mod options;

use super::io::Boxed;
use super::proc::{Outcome, Proc};
use crate::persona::Distro;

/// Where most programs lie.
const BIN: &str = "/usr/bin";
/// Where the administrator's programs lie.
const SBIN: &str = "/usr/sbin";

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
    /// Its `--help` and `--version`.
    help: Option<&'static str>,
    /// Runs it.
    pub(crate) run: for<'a> fn(&'a mut Proc) -> Boxed<'a, Outcome>,
}

impl Command {
    /// Its path on `distro`.
    pub(crate) fn path(&self, distro: &Distro) -> String {
        let family = distro.family();
        let elsewhere =
            family.places.iter().find(|(_, names)| names.iter().any(|n| n == self.name));
        let directory = match elsewhere {
            Some((directory, _)) => directory,
            None if self.directory == SBIN => &family.sbin,
            None => self.directory,
        };
        format!("{directory}/{}", self.name)
    }
}

/// The table of a family.
macro_rules! programs {
    ($($name:literal in $directory:path, $size:literal $(mode $mode:literal)? => $module:ident::$function:ident $(, $help:ident)?;)*) => {
        /// The programs of this family.
        pub(super) const LIST: &[$crate::shell::commands::Command] = &[
            $($crate::shell::commands::Command {
                name: $name,
                directory: $directory,
                size: $size,
                mode: programs!(@mode $($mode)?),
                help: programs!(@help $name $($help)?),
                run: |proc| Box::pin($module::$function(proc)),
            }),*
        ];
    };
    (@mode) => { 0o755 };
    (@mode $mode:literal) => { $mode };
    (@help $name:literal) => { None };
    (@help $name:literal help) => {
        Some(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/help/", $name, ".txt")))
    };
}

/// Programs that `busybox` alone has.
macro_rules! applets {
    ($($name:literal => $module:ident::$function:ident;)*) => {
        &[$($crate::shell::commands::Command {
            name: $name,
            directory: "",
            size: 0,
            mode: 0,
            help: None,
            run: |proc| Box::pin($module::$function(proc)),
        }),*]
    };
}

mod account;
mod archive;
mod encode;
mod files;
mod network;
mod packages;
mod process;
mod shells;
mod system;
mod text;
mod transfer;

pub(super) use complaint::bare;
pub(super) use process::{kill, signal};
pub(super) use text::echo::line as echo_line;
pub(super) use text::printf::format as format_printf;

const FAMILIES: &[&[Command]] = &[
    account::LIST,
    archive::LIST,
    encode::LIST,
    files::LIST,
    network::LIST,
    packages::LIST,
    process::LIST,
    shells::LIST,
    system::LIST,
    text::LIST,
    transfer::LIST,
];

/// Every program there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Command> {
    FAMILIES.iter().copied().flatten()
}

/// The programs of `distro`.
pub(crate) fn of(distro: &'static Distro) -> impl Iterator<Item = &'static Command> {
    all().filter(|command| distro.has(command.name))
}

/// The program called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    all().find(|command| command.name == name)
}

/// The applet of `busybox` called `name`.
pub(super) fn find_applet(name: &str) -> Option<&'static Command> {
    find(name).or_else(|| network::APPLETS.iter().find(|command| command.name == name))
}

/// The program of `distro` whose file is at `path`.
pub(crate) fn find_path(distro: &'static Distro, path: &[u8]) -> Option<&'static Command> {
    let name = crate::fs::base_name(path);
    let named = of(distro).find(|command| command.name.as_bytes() == name);
    named.filter(|command| command.path(distro).as_bytes() == path)
}

#[cfg(test)]
mod harness;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod recorded;
