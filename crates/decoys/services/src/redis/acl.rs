//! Users of the server and what they may do.
//!
//! The default user may run everything but the families of commands that this server does not
//! offer; they are switched off in its rule, where `ACL LIST` shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::persona::{Persona, hex};
use super::table::Spec;

/// Families of commands that are off for everybody.
pub(super) const OFF: &[&str] =
    &["stream", "geo", "hyperloglog", "bitmap", "blocking", "scripting"];
/// Most users.
const MAX_USERS: usize = 128;
/// Most passwords of one user.
const MAX_PASSWORDS: usize = 32;

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) on: bool,
    pub(super) nopass: bool,
    /// SHA-256 in hexadecimal digits.
    pub(super) passwords: Vec<String>,
    pub(super) keys: Vec<String>,
    pub(super) channels: Vec<String>,
    /// Rules on commands, in order: `+@all`, `-config`.
    pub(super) commands: Vec<String>,
}

/// All users by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Users {
    users: BTreeMap<String, User>,
    /// Passwords that open the default user besides its own.
    reused: Vec<String>,
}

impl Users {
    /// The users that the configuration makes.
    pub(super) fn of(persona: &Persona) -> Self {
        let mut users = BTreeMap::new();
        let passwords = persona.password.iter().map(|password| digest(password.as_bytes()));
        let nopass = persona.password.is_none();
        users.insert("default".to_owned(), User::full(nopass, passwords.collect()));
        for (name, password) in &persona.users {
            users.insert(name.clone(), User::full(false, vec![digest(password.as_bytes())]));
        }
        let reused = persona.users.iter().map(|(_, password)| digest(password.as_bytes()));
        Self { users, reused: if nopass { Vec::new() } else { reused.collect() } }
    }

    /// Whether clients must log in.
    pub(super) fn needs_login(&self) -> bool {
        self.users.get("default").is_none_or(|user| !user.nopass || !user.on)
    }

    /// Whether `name` gets in with `password`.
    pub(super) fn admits(&self, name: &str, password: &[u8]) -> bool {
        let Some(user) = self.users.get(name).filter(|user| user.on) else { return false };
        let digest = digest(password);
        let reused = name == "default" && self.reused.contains(&digest);
        user.nopass || reused || user.passwords.contains(&digest)
    }

    pub(super) fn get(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &User)> {
        self.users.iter()
    }

    /// Removes `name`; the default user stays.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        name != "default" && self.users.remove(name).is_some()
    }

    /// Changes or makes `name` by `rules`; all or none.
    ///
    /// # Errors
    /// The rule that is none, and why.
    pub(super) fn set(&mut self, name: &str, rules: &[Vec<u8>]) -> Result<(), String> {
        let mut user = self.users.get(name).cloned().unwrap_or_else(User::nothing);
        for rule in rules {
            let text = String::from_utf8_lossy(rule);
            user.apply(&text)
                .map_err(|why| format!("ERR Error in ACL SETUSER modifier '{text}': {why}"))?;
        }
        if self.users.len() < MAX_USERS || self.users.contains_key(name) {
            self.users.insert(name.to_owned(), user);
        }
        Ok(())
    }

    /// The default user's only password becomes `password`; empty means none is needed.
    pub(super) fn require(&mut self, password: &str) {
        if let Some(user) = self.users.get_mut("default") {
            user.nopass = password.is_empty();
            user.passwords =
                if password.is_empty() { Vec::new() } else { vec![digest(password.as_bytes())] };
            self.reused.clear();
        }
    }
}

impl User {
    /// Somebody who may do all this server offers.
    fn full(nopass: bool, passwords: Vec<String>) -> Self {
        let off = OFF.iter().map(|family| format!("-@{family}"));
        Self {
            on: true,
            nopass,
            passwords,
            keys: vec!["*".to_owned()],
            channels: vec!["*".to_owned()],
            commands: std::iter::once("+@all".to_owned()).chain(off).collect(),
        }
    }

    const fn nothing() -> Self {
        Self {
            on: false,
            nopass: false,
            passwords: Vec::new(),
            keys: Vec::new(),
            channels: Vec::new(),
            commands: Vec::new(),
        }
    }

    fn apply(&mut self, rule: &str) -> Result<(), &'static str> {
        match rule {
            "on" => self.on = true,
            "off" => self.on = false,
            "nopass" => {
                self.nopass = true;
                self.passwords.clear();
            }
            // What RESTORE is given is always checked.
            "sanitize-payload" | "skip-sanitize-payload" => {}
            "resetpass" => {
                self.nopass = false;
                self.passwords.clear();
            }
            "allkeys" | "~*" => self.keys = vec!["*".to_owned()],
            "resetkeys" => self.keys.clear(),
            "allchannels" | "&*" => self.channels = vec!["*".to_owned()],
            "resetchannels" => self.channels.clear(),
            "allcommands" | "+@all" => {
                self.commands = Self::full(true, Vec::new()).commands;
            }
            "nocommands" | "-@all" => self.commands.clear(),
            "reset" => *self = Self::nothing(),
            _ => return self.apply_prefixed(rule),
        }
        Ok(())
    }

    fn apply_prefixed(&mut self, rule: &str) -> Result<(), &'static str> {
        let Some((kind, rest)) = rule.split_at_checked(1) else { return Err("Syntax error") };
        match kind {
            ">" if self.passwords.len() < MAX_PASSWORDS => {
                self.nopass = false;
                let digest = digest(rest.as_bytes());
                if !self.passwords.contains(&digest) {
                    self.passwords.push(digest);
                }
            }
            "<" => {
                let digest = digest(rest.as_bytes());
                let before = self.passwords.len();
                self.passwords.retain(|known| *known != digest);
                if self.passwords.len() == before {
                    return Err(
                        "The password you are trying to remove from the user does not exist",
                    );
                }
            }
            "#" if rest.len() == 64 && rest.bytes().all(|b| b.is_ascii_hexdigit()) => {
                self.passwords.push(rest.to_owned());
            }
            "#" => {
                return Err(
                    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
                );
            }
            "~" | "%" if self.keys.len() < MAX_PASSWORDS => self.keys.push(rest.to_owned()),
            "&" if self.channels.len() < MAX_PASSWORDS => self.channels.push(rest.to_owned()),
            "+" | "-" if self.commands.len() < 64 => {
                let name = rest.strip_prefix('@');
                let known = match name {
                    Some(family) => super::table::is_family(family),
                    None => super::table::find(rest.split('|').next().unwrap_or(rest)).is_some(),
                };
                if !known {
                    return Err("Unknown command or category name in ACL");
                }
                self.commands.push(rule.to_ascii_lowercase());
            }
            _ => return Err("Syntax error"),
        }
        Ok(())
    }

    /// Whether the user may run `command`, given as its table line and that of its subcommand.
    pub(super) fn may(&self, command: &Spec, sub: Option<&Spec>) -> bool {
        let families = sub.map_or(command.families, |sub| sub.families);
        let full = sub.map_or(command.name, |sub| sub.name).replace(' ', "|");
        let mut may = false;
        for rule in &self.commands {
            let Some((sign, what)) = rule.split_at_checked(1) else { continue };
            let hit = match what.strip_prefix('@') {
                Some("all") => true,
                Some(family) => {
                    families.split(' ').any(|f| f == family)
                        || command.families.split(' ').any(|f| f == family)
                }
                None => what == command.name || what == full,
            };
            if hit {
                may = sign == "+";
            }
        }
        // Whatever rules say, what is not there cannot be run.
        may && !command.families.split(' ').any(|family| OFF.contains(&family))
    }

    /// The user as `ACL LIST` shows it.
    pub(super) fn line(&self, name: &str, seven: bool) -> String {
        let mut words = vec!["user".to_owned(), name.to_owned()];
        words.push(if self.on { "on" } else { "off" }.to_owned());
        if self.nopass {
            words.push("nopass".to_owned());
        }
        if seven {
            words.push("sanitize-payload".to_owned());
        }
        words.extend(self.passwords.iter().map(|digest| format!("#{digest}")));
        words.extend(self.keys.iter().map(|key| format!("~{key}")));
        if seven {
            if self.channels.is_empty() || self.channels != ["*"] {
                words.push("resetchannels".to_owned());
            }
            words.extend(self.channels.iter().map(|channel| format!("&{channel}")));
        }
        words.push(self.rules());
        words.join(" ")
    }

    /// Its rules on commands.
    pub(super) fn rules(&self) -> String {
        if self.commands.is_empty() { "-@all".to_owned() } else { self.commands.join(" ") }
    }
}

fn digest(password: &[u8]) -> String {
    hex(&Sha256::digest(password))
}
