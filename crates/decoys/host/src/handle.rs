//! The machine as services hold it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base_model::{Decky, Timestamp};
use decoys_kit::Choices;

use crate::accounts::{self, Account};
use crate::fs::{Creds, Ino};
use crate::machine::{self, Machine};
use crate::persona::{self, Distro};

/// A handle on a decky's machine; clones are the same machine.
///
/// The machine itself is laid out when it is first needed, so that a thousand deckies nobody
/// looks at cost nothing. A panic in one service does not take the machine from the others.
#[derive(Clone)]
pub struct HostHandle(Arc<Shared>);

struct Shared {
    decky: Decky,
    state: Mutex<State>,
}

enum State {
    /// Not needed yet; what was saved of it.
    Asleep(Option<Vec<u8>>),
    Awake(Box<Machine>),
}

impl HostHandle {
    /// The machine of `decky`, as `saved` left it. A snapshot that cannot be read gives a fresh
    /// machine.
    #[must_use]
    pub fn new(decky: Decky, saved: Option<&[u8]>) -> Self {
        let state = Mutex::new(State::Asleep(saved.map(<[u8]>::to_vec)));
        Self(Arc::new(Shared { decky, state }))
    }

    /// What [`HostHandle::new`] restores from.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        match &*self.lock() {
            State::Asleep(saved) => saved.clone().unwrap_or_default(),
            State::Awake(machine) => machine.snapshot(),
        }
    }

    /// Changes whenever something changed that a snapshot keeps.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match &*self.lock() {
            State::Asleep(_) => 0,
            State::Awake(machine) => machine.revision(),
        }
    }

    /// Whether this is the only handle on the machine.
    #[must_use]
    pub fn is_unshared(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The record it was made from.
    #[must_use]
    pub fn decky(&self) -> &Decky {
        &self.0.decky
    }

    /// The decky's persistent choices.
    #[must_use]
    pub fn choices(&self) -> Choices<'_> {
        Choices::new(&self.0.decky.secret)
    }

    /// What the machine calls itself, with its domain.
    #[must_use]
    pub fn fqdn(&self) -> String {
        persona::fqdn(&self.domain(), &machine::hostname(&self.0.decky))
    }

    /// The domain it is in.
    #[must_use]
    pub fn domain(&self) -> String {
        let decky = &self.0.decky;
        persona::domain_of(&self.choices(), decky.domain.as_deref(), &machine::hostname(decky))
    }

    /// Its distribution.
    #[must_use]
    pub fn distro(&self) -> &'static Distro {
        persona::distro_or_default(&self.0.decky.distro)
    }

    /// Whether `user` gets in with `password`.
    #[must_use]
    pub fn check_login(&self, user: &[u8], password: &[u8]) -> bool {
        // A machine nobody ever changed need not be woken to be guessed at.
        let untouched = matches!(&*self.lock(), State::Asleep(None));
        let verdict = if untouched {
            None
        } else {
            self.with(|machine| machine.accounts().verdict(user, password))
        };
        verdict.unwrap_or_else(|| accounts::check(&self.0.decky, user, password))
    }

    /// The account called `user`.
    #[must_use]
    pub fn account(&self, user: &[u8]) -> Option<Account> {
        let user = std::str::from_utf8(user).ok()?;
        self.with(|machine| machine.accounts().by_name(user).cloned())
    }

    /// What the kernel knows of `account`.
    #[must_use]
    pub fn creds(&self, account: &Account) -> Creds {
        let groups = self.with(|machine| machine.accounts().groups_of(account));
        Creds { uid: account.uid, gid: account.gid, groups }
    }

    /// At most `length` bytes of the file `ino` from `offset`.
    #[must_use]
    pub fn read(&self, ino: Ino, offset: u64, length: usize, now: Timestamp) -> Vec<u8> {
        self.with(|machine| machine.read(ino, offset, length, now))
    }

    /// Works on the machine. Nothing may be called from within that locks it again.
    pub fn with<T>(&self, work: impl FnOnce(&mut Machine) -> T) -> T {
        let mut state = self.lock();
        if let State::Asleep(saved) = &mut *state {
            let decky = self.0.decky.clone();
            let machine = match saved.take() {
                Some(saved) => Machine::restore(decky, &saved),
                None => Machine::new(decky),
            };
            *state = State::Awake(Box::new(machine));
        }
        match &mut *state {
            State::Awake(machine) => {
                let done = work(machine);
                machine.follow_accounts();
                done
            }
            // Just woken above.
            State::Asleep(_) => work(&mut Machine::new(self.0.decky.clone())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for HostHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostHandle").field(&self.0.decky.id).finish()
    }
}
