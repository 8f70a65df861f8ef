//! Who does what: a pure function of world, seed and scenarios.

mod act;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

use serde::Serialize;

use crate::draw::Draw;
use crate::scenarios::Scenario;
use crate::world::World;

pub use act::{
    Act, DatabaseVisit, FtpVisit, FtpWork, HttpVisit, Login, Mail, RedisVisit, Request, SmtpVisit,
    SshClient, SshVisit, SshWork, TelnetVisit, Typed,
};

/// Actors come from this /16, which the loopback uplink takes for the outside like all of 127/8.
const SOURCES: [u8; 2] = [127, 66];
/// Addresses of [`SOURCES`] that actors may have: `x.1` to `x.254` of each /24.
const MOST_SOURCES: usize = 256 * 254;

/// Actors in the order they start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// What it was drawn from.
    pub seed: u64,
    /// The APIs of those it is for; each must answer before anybody starts.
    pub apis: Vec<SocketAddr>,
    /// Who acts.
    pub actors: Vec<Actor>,
    /// What is left out, because no decky offers it.
    pub skipped: Vec<String>,
}

/// One attacker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Actor {
    /// Scenario and number.
    pub name: String,
    /// Where it comes from; no other actor does, and no decky is there.
    pub source: Ipv4Addr,
    /// What it does, one after the other.
    pub acts: Vec<Act>,
}

impl Plan {
    /// Plans `rounds` rounds of `scenarios` against `world`. Actors beyond the addresses there are
    /// are left out.
    #[must_use]
    pub fn new(world: &World, seed: u64, scenarios: &[&Scenario], rounds: usize) -> Self {
        let mut sources = Sources::new(world, seed);
        let apis = world.apis().to_vec();
        let mut plan = Self { seed, apis, actors: Vec::new(), skipped: Vec::new() };
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for round in 0..rounds {
            let mut cast = Vec::new();
            for scenario in scenarios {
                // A label of its own: a scenario does the same whatever others there are.
                let mut draw = Draw::new(seed, &format!("{}/{round}", scenario.name));
                let script = (scenario.write)(world, &mut draw);
                for service in script.absent {
                    plan.skip(format!("{}: no decky offers {service}", scenario.name));
                }
                for acts in script.roles {
                    let number = numbers.entry(scenario.name).or_default();
                    *number += 1;
                    let name = format!("{}-{number}", scenario.name);
                    let source = sources.take(&name);
                    cast.extend(source.map(|source| Actor { name, source, acts }));
                }
            }
            Draw::new(seed, &format!("order/{round}")).shuffle(&mut cast);
            // People take longest, so that they begin.
            cast.sort_by_key(|actor| !actor.is_person());
            plan.actors.extend(cast);
        }
        plan
    }

    fn skip(&mut self, line: String) {
        if !self.skipped.contains(&line) {
            self.skipped.push(line);
        }
    }
}

impl Actor {
    /// Whether a person sits at a terminal.
    fn is_person(&self) -> bool {
        let terminal = |work: &SshWork| matches!(work, SshWork::Terminal { .. });
        self.acts.iter().any(|act| match act {
            Act::Ssh(visit) => visit.work.iter().any(terminal),
            _ => false,
        })
    }
}

/// Addresses that are given out once.
struct Sources {
    seed: u64,
    taken: BTreeSet<Ipv4Addr>,
    left: usize,
}

impl Sources {
    fn new(world: &World, seed: u64) -> Self {
        let taken = world.addresses();
        let within = taken.iter().filter(|address| address.octets().starts_with(&SOURCES)).count();
        Self { seed, left: MOST_SOURCES.saturating_sub(within), taken }
    }

    /// An address for `name`: its own whatever others there are, unless it is taken.
    fn take(&mut self, name: &str) -> Option<Ipv4Addr> {
        self.left = self.left.checked_sub(1)?;
        let [a, b] = SOURCES;
        let mut draw = Draw::new(self.seed, &format!("source/{name}"));
        loop {
            let c = u8::try_from(draw.below(256)).unwrap_or(0);
            let d = u8::try_from(draw.between(1, 254)).unwrap_or(1);
            let address = Ipv4Addr::new(a, b, c, d);
            if self.taken.insert(address) {
                return Some(address);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
