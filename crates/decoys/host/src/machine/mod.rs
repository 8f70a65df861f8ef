//! The state of one machine.
//!
//! `program` holds what sessions run, `session` holds who is logged in, `vitals` what tools measure (processes, load, memory, disk),
//! `kernel` the files and devices that the kernel makes when they are read.

mod account;
mod certificate;
mod kept;
mod kernel;
mod program;
mod session;
mod vitals;

use std::collections::BTreeMap;

use base_model::Decky;
use chacha20::ChaCha12Rng;
use decoys_kit::Choices;
use serde::{Deserialize, Serialize};

pub use self::kept::Kept;
pub use self::session::LoginSession;
use crate::accounts::Accounts;
use crate::fs::{Saved, Vfs, lay_out};
use crate::persona::Facts;
use crate::processes::Process;

/// Version of the snapshot format.
const SNAPSHOT: u16 = 1;
/// Process ids wrap here, as by default on 64-bit Linux.
const PID_MAX: u32 = 4_194_304;

/// A machine.
#[derive(Debug)]
pub struct Machine {
    decky: Decky,
    facts: Facts,
    /// The accounts of the record.
    original: Accounts,
    /// The accounts as the files tell of them.
    accounts: Accounts,
    /// State of the files when they were read.
    accounts_seen: (u64, [u64; 3]),
    /// Its files.
    pub fs: Vfs,
    sessions: BTreeMap<u32, LoginSession>,
    next_pid: u32,
    last_logins: BTreeMap<String, (i64, String)>,
    random: ChaCha12Rng,
    revision: u64,
    /// Programs that run in sessions, by process.
    programs: BTreeMap<u32, Process>,
    /// Processes that got a deadly signal, with its number.
    killed: BTreeMap<u32, u8>,
    /// What services keep.
    kept: kept::Slots,
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    v: u16,
    fs: Saved,
    next_pid: u32,
    last_logins: BTreeMap<String, (i64, String)>,
    #[serde(default)]
    kept: BTreeMap<String, Vec<u8>>,
}

impl Machine {
    /// The machine of `decky`, fresh.
    #[must_use]
    pub fn new(decky: Decky) -> Self {
        let hostname = hostname(&decky);
        let mut facts = Facts::of(&decky, &hostname);
        if facts.boot_time <= 0 {
            facts.boot_time = facts.installed.max(1_700_000_000);
        }
        let accounts = Accounts::of(&decky, &facts);
        let fs = lay_out(&decky, &facts, &accounts);
        let choices = Choices::new(&decky.secret);
        let next_pid = u32::try_from(choices.range("machine.pid", 1_400, 48_000)).unwrap_or(1400);
        let random = choices.stream("machine.random");
        let mut machine = Self {
            decky,
            facts,
            original: accounts.clone(),
            accounts,
            accounts_seen: (0, [0; 3]),
            fs,
            sessions: BTreeMap::new(),
            next_pid,
            last_logins: BTreeMap::new(),
            random,
            revision: 0,
            programs: BTreeMap::new(),
            killed: BTreeMap::new(),
            kept: kept::Slots::default(),
        };
        machine.accounts_seen = (machine.fs.revision(), machine.account_files());
        machine
    }

    /// The machine of `decky` as it was when `saved` was taken; fresh when that cannot be read.
    #[must_use]
    pub fn restore(decky: Decky, saved: &[u8]) -> Self {
        let fresh = Self::new(decky);
        let Ok(snapshot) = rmp_serde::from_slice::<Snapshot>(saved) else { return fresh };
        if snapshot.v != SNAPSHOT {
            return fresh;
        }
        let Some(fs) = fresh.fs.clone().restore(snapshot.fs) else { return fresh };
        let next_pid = snapshot.next_pid.clamp(300, PID_MAX);
        let kept = kept::Slots::of(snapshot.kept);
        let mut machine = Self { fs, next_pid, last_logins: snapshot.last_logins, kept, ..fresh };
        machine.read_accounts();
        machine
    }

    /// What [`Machine::restore`] reads.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let snapshot = Snapshot {
            v: SNAPSHOT,
            fs: self.fs.save(),
            next_pid: self.next_pid,
            last_logins: self.last_logins.clone(),
            kept: self.kept.save(),
        };
        // Plain data always encodes; an empty snapshot restores to a fresh machine.
        rmp_serde::to_vec(&snapshot).unwrap_or_default()
    }

    /// Counts changes that a snapshot would keep.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision + self.fs.revision()
    }

    /// Its files, to read.
    #[must_use]
    pub const fn fs(&self) -> &Vfs {
        &self.fs
    }

    /// The record it was made from.
    #[must_use]
    pub const fn decky(&self) -> &Decky {
        &self.decky
    }

    /// What is particular to it.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Its accounts.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The text the operator wants shown at login instead of the distribution's.
    #[must_use]
    pub fn motd(&self) -> Option<&str> {
        let text = self.decky.service("ssh")?.settings.get("motd")?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// A process id nobody has had.
    pub fn new_pid(&mut self) -> u32 {
        let pid = self.next_pid;
        self.next_pid = if pid >= PID_MAX { 300 } else { pid + 1 };
        pid
    }
}

/// What the machine calls itself: the operator's `hostname` setting, else the record's.
pub(crate) fn hostname(decky: &Decky) -> String {
    let setting = decky.service("ssh").and_then(|ssh| ssh.settings.get("hostname"));
    let setting = setting.and_then(|value| value.as_str()).filter(|name| {
        !name.is_empty() && name.len() <= 253 && name.bytes().all(|b| b.is_ascii_graphic())
    });
    setting.unwrap_or(&decky.hostname).to_owned()
}
