//! What a decky draws from its persona secret: what it calls itself, its network card, how long it
//! has been up, who can log in. No two deckies draw the same.

use std::collections::{BTreeMap, BTreeSet};

use base_model::{Account, Decky, DeckyId, MacAddress, Timestamp};
use decoys_host::persona;
use decoys_kit::{Choices, ServiceSpec};

use crate::hardware::{self, Vendor};
use crate::wish::Login;
use crate::{Archetype, OsFamily};

/// Passwords that are tried first everywhere; a decky accepts one of them, or one made of it.
const WEAK: &[&str] = &[
    "123456",
    "password",
    "admin",
    "root",
    "toor",
    "12345678",
    "qwerty",
    "letmein",
    "changeme",
    "welcome",
    "raspberry",
    "ubuntu",
    "1q2w3e4r",
    "P@ssw0rd",
    "admin123",
    "root123",
    "test",
    "server",
    "linux",
    "default",
];
/// What people add to a password that must not be the same.
const ENDINGS: &[&str] = &[
    "1", "12", "123", "1234", "!", "@123", "#1", "01", "007", "99", "2022", "2023", "2024", "2025",
    "!@#", "_1",
];
/// Uptimes, in seconds: an hour to 45 days (`spec/services.md` §1.4).
const UPTIME: (u64, u64) = (3600, 45 * 86_400);
/// Draws before a wider range is drawn from.
const PATIENCE: u64 = 40;

/// What the deckies of a fleet have already.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    hostnames: BTreeMap<String, String>,
    macs: BTreeMap<MacAddress, String>,
    boots: BTreeSet<i64>,
    passwords: BTreeSet<String>,
    sets: BTreeSet<Vec<String>>,
    /// The one vendor that all machines of a deployment share, where they share one.
    hypervisor: Option<String>,
}

impl Taken {
    /// Notes what `decky` has.
    pub(crate) fn add(&mut self, decky: &Decky) {
        self.hostnames.insert(decky.hostname.clone(), decky.name.clone());
        self.macs.extend(decky.mac.map(|mac| (mac, decky.name.clone())));
        self.boots.insert(decky.boot_time);
        self.passwords.extend(decky.accounts.iter().map(|account| account.password.clone()));
        self.sets.insert(decky.services.iter().map(|service| service.name.clone()).collect());
        if self.hypervisor.is_none() {
            let shared = hardware::pool("virtual");
            let vendor = decky.mac_vendor.as_deref();
            self.hypervisor = shared
                .and_then(|pool| pool.vendors.iter().find(|own| Some(own.name.as_str()) == vendor))
                .map(|vendor| vendor.name.clone());
        }
    }

    /// The decky that calls itself `hostname`.
    pub(crate) fn owner_of_name(&self, hostname: &str) -> Option<&str> {
        self.hostnames.get(hostname).map(String::as_str)
    }

    /// The decky that has the network card `mac`.
    pub(crate) fn owner_of_card(&self, mac: MacAddress) -> Option<&str> {
        self.macs.get(&mac).map(String::as_str)
    }
}

/// The draws of one decky.
pub(crate) struct Draw<'d> {
    pub(crate) choices: Choices<'d>,
    pub(crate) taken: &'d Taken,
    pub(crate) archetype: &'static Archetype,
}

impl Draw<'_> {
    pub(crate) fn id(&self) -> DeckyId {
        DeckyId::from_entropy(self.choices.bytes("fleet.id"))
    }

    /// A name in the style of the distribution that says what the machine is for.
    pub(crate) fn hostname(&self, distro: &str) -> String {
        let free = |name: &String| !self.taken.hostnames.contains_key(name);
        (0_u64..)
            .map(|turn| {
                let label = |what: &str| format!("fleet.hostname.{what}.{turn}");
                let role = self.choices.pick(&label("role"), &self.archetype.roles);
                let role = role.map_or("app", String::as_str);
                let second = self.choices.pick(&label("second"), persona::WORDS);
                // Two digits, and more once those are rare.
                let digits = 2 + u32::try_from(turn / PATIENCE).unwrap_or(6).min(6);
                let (low, high) = (10_u64.pow(digits - 1), 10_u64.pow(digits) - 1);
                let number = self.choices.range(&label("number"), low, high);
                let numbered = format!("{role}-{number}");
                let second =
                    if turn < PATIENCE { second.copied().unwrap_or("nova") } else { &numbered };
                persona::styled_hostname(distro, role, second, number)
            })
            .find(free)
            .unwrap_or_default()
    }

    /// A network card of `vendor`, or of one that such machines have.
    pub(crate) fn card(&self, vendor: Option<&Vendor>) -> Option<(MacAddress, String)> {
        let pool = hardware::pool(&self.archetype.hardware)?;
        let vendor = match vendor {
            Some(vendor) => vendor,
            None => pool.vendor(&self.choices, self.taken.hypervisor.as_deref())?,
        };
        let mac = vendor.draw(&self.choices, |mac| self.taken.macs.contains_key(&mac))?;
        Some((mac, vendor.name.clone()))
    }

    /// When it booted, in seconds since the epoch.
    pub(crate) fn boot_time(&self, now: Timestamp) -> i64 {
        let uptime = |turn: u64| {
            let label = format!("fleet.uptime.{turn}");
            now.seconds().saturating_sub_unsigned(self.choices.range(&label, UPTIME.0, UPTIME.1))
        };
        let drawn = (0..PATIENCE).map(uptime).find(|boot| !self.taken.boots.contains(boot));
        // More deckies than half the seconds of 45 days are not planned at once.
        drawn.unwrap_or_else(|| uptime(0))
    }

    /// Who can log in: root and one more.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        let user = self.choices.pick("fleet.user.name", &self.archetype.users);
        let root = self.password("fleet.root", None);
        let second = self.password("fleet.user", Some(&root));
        let username = user.map_or("admin", String::as_str).to_owned();
        vec![
            Account { username: "root".to_owned(), password: root, uid: 0 },
            Account { username, password: second, uid: 1000 },
        ]
    }

    /// A password that a dictionary of the usual ones and their endings holds, and no other decky
    /// has.
    fn password(&self, label: &str, besides: Option<&str>) -> String {
        (0_u64..)
            .map(|turn| {
                let word = self.choices.pick(&format!("{label}.word.{turn}"), WEAK);
                let word = word.copied().unwrap_or("password");
                let ending = format!("{label}.ending.{turn}");
                match turn {
                    0 => word.to_owned(),
                    1..PATIENCE => {
                        let ending = self.choices.pick(&ending, ENDINGS);
                        format!("{word}{}", ending.copied().unwrap_or("1"))
                    }
                    _ => format!("{word}{}", self.choices.range(&ending, 10, 99_999)),
                }
            })
            .find(|one| !self.taken.passwords.contains(one) && Some(one.as_str()) != besides)
            .unwrap_or_default()
    }

    /// One to three of `pool` that go together, not a set that another decky has if that can be
    /// helped.
    pub(crate) fn services(
        &self,
        pool: &[&'static ServiceSpec],
        os: OsFamily,
    ) -> Vec<&'static ServiceSpec> {
        let mut last = Vec::new();
        for turn in 0..20_u8 {
            last = self.draw_services(pool, os, turn);
            let names: Vec<String> = last.iter().map(|spec| spec.name.to_owned()).collect();
            if !self.taken.sets.contains(&names) {
                break;
            }
        }
        last
    }

    fn draw_services(
        &self,
        pool: &[&'static ServiceSpec],
        os: OsFamily,
        turn: u8,
    ) -> Vec<&'static ServiceSpec> {
        let mut pool: Vec<_> = pool.iter().copied().filter(|spec| os.runs(spec.name)).collect();
        let wanted = self.choices.range(&format!("fleet.services.count.{turn}"), 1, 3);
        let mut chosen: Vec<&'static ServiceSpec> = Vec::new();
        for pick in 0..wanted {
            let label = format!("fleet.services.{turn}.{pick}");
            let Some(&spec) = self.choices.pick(&label, &pool) else { break };
            chosen.push(spec);
            let clashes = |other: &&'static ServiceSpec| {
                other.listens.iter().any(|listen| spec.listens.contains(listen))
            };
            pool.retain(|other| other.name != spec.name && !clashes(other));
        }
        chosen.sort_by_key(|spec| spec.name);
        chosen
    }
}

/// The accounts of `logins`; root keeps `drawn`'s password unless it is among them.
pub(crate) fn given_accounts(logins: &[Login], drawn: &[Account]) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    if !logins.iter().any(|login| login.username == "root") {
        accounts.extend(drawn.iter().find(|account| account.uid == 0).cloned());
    }
    for login in logins {
        let uid = if login.username == "root" {
            0
        } else {
            1000 + u32::try_from(accounts.iter().filter(|it| it.uid >= 1000).count()).unwrap_or(0)
        };
        let (username, password) = (login.username.clone(), login.password.clone());
        accounts.push(Account { username, password, uid });
    }
    accounts
}
