//! Who has an account: the system's own users and the decky's logins.

use base_model::Decky;
use decoys_kit::Choices;

use crate::crypt;
use crate::persona::{Distro, Facts, services_of};

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Comment field.
    pub comment: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// The password that is accepted, if any.
    password: Option<String>,
    /// What `/etc/shadow` came to hold instead.
    hash: Option<String>,
}

/// A line of `/etc/group`.
#[derive(Clone, Debug)]
struct Group {
    name: String,
    gid: u32,
    members: Vec<String>,
}

/// All accounts of a machine.
#[derive(Clone, Debug)]
pub struct Accounts {
    accounts: Vec<Account>,
    groups: Vec<Group>,
    salts: Vec<String>,
    changed_day: i64,
}

/// Most lines of a file that count.
const MAX_ENTRIES: usize = 1000;

/// Which passwords a login takes (`spec/services.md` §4, `auth_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Exact,
    Any,
    Never,
}

impl Accounts {
    /// The accounts of `decky`, with the settings of its SSH or else telnet service applied: whoever logs in over
    /// any service meets the same ones.
    #[must_use]
    pub fn of(decky: &Decky, facts: &Facts) -> Self {
        let mut out = Self {
            accounts: Vec::new(),
            groups: Vec::new(),
            salts: Vec::new(),
            changed_day: facts.installed.div_euclid(86_400),
        };
        let system = facts.distro.accounts();
        out.system(&system.system, &system.groups);
        for service in services_of(decky, facts.distro) {
            out.system(&service.accounts, &service.groups);
        }
        for (name, password, uid) in logins(decky) {
            out.login(&name, password, uid, facts.distro);
        }
        let choices = Choices::new(&decky.secret);
        out.salts = (0..out.accounts.len())
            .map(|at| crypt::salt(&choices.bytes::<16>(&format!("accounts.salt.{at}"))))
            .collect();
        out
    }

    fn system(&mut self, accounts: &str, groups: &str) {
        for line in groups.split_whitespace() {
            if let Some((name, gid)) = line.split_once(':') {
                let gid = gid.parse().unwrap_or(65_534);
                self.groups.push(Group { name: name.to_owned(), gid, members: Vec::new() });
            }
        }
        for line in accounts.trim().lines() {
            let parts: Vec<&str> = line.split(':').collect();
            if let [name, uid, gid, comment, home, shell] = parts.as_slice() {
                self.accounts.push(Account {
                    name: (*name).to_owned(),
                    uid: uid.parse().unwrap_or(65_534),
                    gid: gid.parse().unwrap_or(65_534),
                    comment: (*comment).to_owned(),
                    home: (*home).to_owned(),
                    shell: (*shell).to_owned(),
                    password: None,
                    hash: None,
                });
            }
        }
    }

    fn login(&mut self, name: &str, password: String, uid: u32, distro: &Distro) {
        if let Some(known) = self.accounts.iter_mut().find(|account| account.name == name) {
            known.password = Some(password);
            if known.shell.ends_with("nologin") {
                known.shell = "/bin/bash".to_owned();
            }
            return;
        }
        let taken = |uid: u32| self.accounts.iter().any(|account| account.uid == uid);
        let uid =
            if taken(uid) { (1000..60_000).find(|uid| !taken(*uid)).unwrap_or(uid) } else { uid };
        if uid == 1000 {
            for group in self.groups.iter_mut().filter(|g| distro.admin_groups.contains(&g.name)) {
                group.members.push(name.to_owned());
            }
        }
        self.groups.push(Group { name: name.to_owned(), gid: uid, members: Vec::new() });
        self.accounts.push(Account {
            name: name.to_owned(),
            uid,
            gid: uid,
            comment: distro.family().comment.clone(),
            home: format!("/home/{name}"),
            shell: "/bin/bash".to_owned(),
            password: Some(password),
            hash: None,
        });
    }

    /// These accounts as the files of the machine tell of them now: whoever is in `passwd` exists,
    /// and gets in with the password that `shadow` holds. Lines that make no sense are passed over.
    pub(crate) fn as_in(&self, passwd: &str, group: &str, shadow: &str) -> Self {
        let original = self.shadow();
        let hash = |text: &str, name: &str| -> Option<String> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            Some(line?.split(':').next()?.to_owned())
        };
        let account = |line: &str| {
            let parts: Vec<&str> = line.split(':').collect();
            let [name, _, uid, gid, comment, home, shell] = parts.as_slice() else { return None };
            let now = hash(shadow, name);
            let unchanged = now.is_some() && now == hash(&original, name);
            let known = self.by_name(name).filter(|_| unchanged);
            Some(Account {
                name: (*name).to_owned(),
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                comment: (*comment).to_owned(),
                home: if home.is_empty() { "/" } else { home }.to_owned(),
                shell: if shell.is_empty() { "/bin/sh" } else { shell }.to_owned(),
                password: known.and_then(|account| account.password.clone()),
                hash: now.filter(|_| !unchanged),
            })
        };
        let entry = |line: &str| {
            let parts: Vec<&str> = line.split(':').collect();
            let [name, _, gid, members] = parts.as_slice() else { return None };
            let members = members.split(',').filter(|m| !m.is_empty()).map(str::to_owned);
            let gid = gid.parse().ok()?;
            Some(Group { name: (*name).to_owned(), gid, members: members.collect() })
        };
        let accounts: Vec<Account> = passwd.lines().take(MAX_ENTRIES).filter_map(account).collect();
        let groups = group.lines().take(MAX_ENTRIES).filter_map(entry).collect();
        Self { accounts, groups, salts: self.salts.clone(), changed_day: self.changed_day }
    }

    /// Whether `user` gets in with `password` by what the machine's files came to hold; none when
    /// they say about this user what they said at first.
    pub(crate) fn verdict(&self, user: &[u8], password: &[u8]) -> Option<bool> {
        let Some(account) = self.accounts.iter().find(|a| a.name.as_bytes() == user) else {
            return Some(false);
        };
        let hash = account.hash.as_ref()?;
        let no_shell = account.shell.ends_with("nologin") || account.shell.ends_with("/false");
        Some(!no_shell && crypt::verifies(password, hash))
    }

    /// The account called `name`.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// The account numbered `uid`.
    #[must_use]
    pub fn by_uid(&self, uid: u32) -> Option<&Account> {
        self.accounts.iter().find(|account| account.uid == uid)
    }

    /// Accounts that log in.
    pub fn people(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| account.password.is_some() || account.uid == 0)
    }

    /// The group id of `name`.
    #[must_use]
    pub fn group_id(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|group| group.name == name).map(|group| group.gid)
    }

    /// The name of group `gid`.
    #[must_use]
    pub fn group_name(&self, gid: u32) -> Option<&str> {
        self.groups.iter().find(|group| group.gid == gid).map(|group| group.name.as_str())
    }

    /// Groups of `account` besides its own, by number.
    #[must_use]
    pub fn groups_of(&self, account: &Account) -> Vec<u32> {
        let member = |group: &&Group| group.members.contains(&account.name);
        self.groups.iter().filter(member).map(|group| group.gid).collect()
    }

    /// `/etc/passwd`.
    #[must_use]
    pub fn passwd(&self) -> String {
        let line = |a: &Account| {
            format!("{}:x:{}:{}:{}:{}:{}\n", a.name, a.uid, a.gid, a.comment, a.home, a.shell)
        };
        self.accounts.iter().map(line).collect()
    }

    /// `/etc/group`.
    #[must_use]
    pub fn group(&self) -> String {
        let line = |g: &Group| format!("{}:x:{}:{}\n", g.name, g.gid, g.members.join(","));
        self.groups.iter().map(line).collect()
    }

    /// `/etc/shadow`; its hashes verify for the accepted passwords.
    #[must_use]
    pub fn shadow(&self) -> String {
        let day = self.changed_day;
        let mut out = String::new();
        for (account, salt) in self.accounts.iter().zip(&self.salts) {
            let hash = match &account.password {
                Some(password) => crypt::sha512(password.as_bytes(), salt),
                None if account.uid == 0 => "!".to_owned(),
                None => "*".to_owned(),
            };
            out.push_str(&format!("{}:{hash}:{day}:0:99999:7:::\n", account.name));
        }
        out
    }
}

/// Whether `user` gets in with `password` on `decky`. Reads the record only, so that guessing does
/// not wake the machine.
pub(crate) fn check(decky: &Decky, user: &[u8], password: &[u8]) -> bool {
    let known = logins(decky).into_iter().find(|(name, ..)| name.as_bytes() == user);
    match (mode(decky), known) {
        (Mode::Exact, Some((_, expected, _))) => expected.as_bytes() == password,
        (Mode::Any, Some(_)) => !password.is_empty(),
        (Mode::Never, _) | (_, None) => false,
    }
}

fn setting<'d>(decky: &'d Decky, key: &str) -> Option<&'d str> {
    let of = |service: &&str| decky.service(service)?.settings.get(key)?.as_str();
    ["ssh", "telnet"].iter().filter_map(of).find(|text| !text.is_empty())
}

fn mode(decky: &Decky) -> Mode {
    match setting(decky, "auth_mode") {
        Some("any") => Mode::Any,
        Some("never") => Mode::Never,
        _ => Mode::Exact,
    }
}

/// Name, password and uid of everyone who logs in. Names that cannot be one are left out.
fn logins(decky: &Decky) -> Vec<(String, String, u32)> {
    let mut out: Vec<(String, String, u32)> = Vec::new();
    let mut add = |name: &str, password: &str, uid: u32| {
        if !valid_name(name) {
            return;
        }
        match out.iter_mut().find(|(known, ..)| known == name) {
            Some(known) => known.1 = password.to_owned(),
            None => out.push((name.to_owned(), password.to_owned(), uid)),
        }
    };
    for account in &decky.accounts {
        let uid = if account.username == "root" { 0 } else { account.uid };
        add(&account.username, &account.password, uid);
    }
    if let Some(password) = setting(decky, "password") {
        add("root", password, 0);
    }
    if let Some(user) = setting(decky, "user").filter(|user| *user != "root")
        && let Some(password) = setting(decky, "user_password")
    {
        add(user, password, 1000);
    }
    let users = setting(decky, "users").unwrap_or_default();
    for (at, pair) in users.split(',').enumerate().take(64) {
        if let Some((user, password)) = pair.trim().split_once(':') {
            let uid = 1001_u32.saturating_add(u32::try_from(at).unwrap_or(0));
            add(user, password, if user == "root" { 0 } else { uid });
        }
    }
    out
}

fn valid_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let rest =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
    first && name.len() <= 32 && name.bytes().all(rest)
}
