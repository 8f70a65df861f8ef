//! What attackers are like; one file each.
//!
//! A scenario turns a world and draws into roles: lists of acts, one list for each attacker. It
//! says which services it misses, and does the rest.

mod brute_force;
mod careful_human;
mod credential_stuffer;
mod miner_dropper;
mod traveller;
mod web_scanner;

use crate::draw::Draw;
use crate::plan::Act;
use crate::world::{Door, World};

/// All scenarios, sorted by name.
pub const ALL: &[&Scenario] = &[
    &brute_force::SCENARIO,
    &careful_human::SCENARIO,
    &credential_stuffer::SCENARIO,
    &miner_dropper::SCENARIO,
    &traveller::SCENARIO,
    &web_scanner::SCENARIO,
];

/// A kind of attacker.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What such an attacker does, in a line.
    pub summary: &'static str,
    pub(crate) write: fn(&World, &mut Draw) -> Script,
}

/// The scenario called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().copied().find(|scenario| scenario.name == name)
}

/// What comes of a scenario in a world.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The acts of each attacker.
    pub(crate) roles: Vec<Vec<Act>>,
    /// Services that it would have used.
    pub(crate) absent: Vec<&'static str>,
}

impl Script {
    /// A door of `service`, drawn; noted as absent when there is none.
    fn door(&mut self, world: &World, service: &'static str, draw: &mut Draw) -> Option<Door> {
        let door = draw.pick(&world.doors(service)).cloned();
        if door.is_none() {
            self.absent.push(service);
        }
        door
    }
}

/// A short word in lower case, as tools name their files.
fn token(draw: &mut Draw, length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let letters = (0..length).filter_map(|_| draw.pick(LETTERS).copied());
    letters.map(char::from).collect()
}
