//! Every port of every decky, bound on the uplink or tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, TcpListener};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use base_model::{Decky, DeckyId, Peer, Port};
use events_link::Socket;
use net_uplink::{BindError, DataPort, HighPort};
use tokio::time::Instant;

use crate::refusal::chain;

/// First and longest pause before a port is tried again (`spec/fleet.md` §5).
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// One open port.
#[derive(Debug)]
pub(crate) struct Bound {
    /// Its number on the link; never used again for another.
    pub(crate) number: Socket,
    pub(crate) decky: DeckyId,
    pub(crate) service: String,
    /// The endpoint that the decky claims.
    pub(crate) local: Peer,
    pub(crate) socket: TcpListener,
    /// Ports for data connections.
    pub(crate) data: Vec<(Socket, DataPort)>,
    reached_at: u16,
}

/// Whose port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    decky: DeckyId,
    service: String,
    ip: IpAddr,
    port: u16,
}

/// A port that could not be bound.
#[derive(Debug)]
struct Failed {
    why: String,
    pause: Duration,
    retry: Instant,
}

/// All ports of the fleet.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    bound: BTreeMap<Key, Arc<Bound>>,
    failed: BTreeMap<Key, Failed>,
    /// Ports that were let go, with the generation that the decoy process lets them go at, too.
    released: BTreeMap<(IpAddr, u16), u64>,
    /// Ports that wait for those.
    waiting: usize,
    next: u32,
}

impl Bindings {
    /// Binds what `fleet` has and lets go of the rest, which the decoy process does with generation
    /// `next`; `in_force` is the one it is at. Notes in `fleet` where clients reach each port. Returns
    /// whether anything is another now.
    pub(crate) fn converge(
        &mut self,
        fleet: &mut [Decky],
        urgent: bool,
        (in_force, next): (u64, u64),
    ) -> bool {
        let wanted: BTreeSet<Key> = keys(fleet).collect();
        let mut changed = false;
        self.bound.retain(|key, bound| {
            let stays = wanted.contains(key);
            if !stays {
                changed = true;
                self.released.insert((key.ip, bound.reached_at), next);
            }
            stays
        });
        self.failed.retain(|key, _| wanted.contains(key));
        self.released.retain(|_, generation| *generation > in_force);
        self.waiting = 0;
        let mut stand_ins = BTreeMap::new();
        for decky in fleet {
            for service in &mut decky.services {
                for port in &mut service.ports {
                    let key = Key {
                        decky: decky.id,
                        service: service.name.clone(),
                        ip: decky.ip,
                        port: port.number,
                    };
                    changed |= self.settle(key, port, urgent, &mut stand_ins);
                }
            }
        }
        for ((port, why), deckies) in stand_ins {
            tracing::warn!(port, deckies, why, "a high port stands in");
        }
        changed
    }

    /// Binds one port if it is not. Returns whether it is now.
    fn settle(
        &mut self,
        key: Key,
        port: &mut Port,
        urgent: bool,
        stand_ins: &mut BTreeMap<(u16, String), usize>,
    ) -> bool {
        if let Some(bound) = self.bound.get(&key) {
            port.reached_at = bound.reached_at;
            return false;
        }
        let due = |failed: &Failed| urgent || failed.retry <= Instant::now();
        if self.failed.get(&key).is_some_and(|failed| !due(failed)) {
            return false;
        }
        if [port.number, port.reached_at]
            .iter()
            .any(|&at| self.released.contains_key(&(key.ip, at)))
        {
            self.waiting += 1;
            return false;
        }
        match self.bind(&key, port.reached_at) {
            Ok((bound, instead)) => {
                port.reached_at = bound.reached_at;
                // What is as before was said when it was given.
                if let Some(why) = instead.filter(|why| *why != HighPort::AsBefore) {
                    *stand_ins.entry((port.number, why.to_string())).or_default() += 1;
                }
                self.failed.remove(&key);
                self.bound.insert(key, Arc::new(bound));
                true
            }
            Err(error) => {
                let why = format!("{}: {}", key.service, chain(&error));
                let before = self.failed.get(&key);
                if before.is_none_or(|before| before.why != why) {
                    tracing::warn!(why, "a port of a decky cannot be opened; it is tried again");
                }
                let pause = before.map_or(BACK_OFF.0, |before| (before.pause * 2).min(BACK_OFF.1));
                self.failed.insert(key, Failed { why, pause, retry: Instant::now() + pause });
                false
            }
        }
    }

    fn bind(&mut self, key: &Key, before: u16) -> Result<(Bound, Option<HighPort>), BindError> {
        // A service on port 0 would be anywhere.
        let claimed = NonZeroU16::new(key.port).unwrap_or(NonZeroU16::MIN);
        let listener = net_uplink::bind(key.ip, claimed, NonZeroU16::new(before))?;
        let data: Result<Vec<_>, _> = (0..data_ports(&key.service, key.port))
            .map(|_| net_uplink::data_port(key.ip))
            .collect();
        let number = self.number();
        let data = data?.into_iter().map(|port| (self.number(), port)).collect();
        let bound = Bound {
            number,
            decky: key.decky,
            service: key.service.clone(),
            local: Peer { ip: key.ip, port: key.port },
            socket: listener.socket,
            data,
            reached_at: listener.reached_at,
        };
        Ok((bound, listener.instead))
    }

    fn number(&mut self) -> Socket {
        self.next += 1;
        Socket(self.next)
    }

    /// All open ports.
    pub(crate) fn bound(&self) -> Vec<Arc<Bound>> {
        self.bound.values().cloned().collect()
    }

    /// Why ports are not open, by decky.
    pub(crate) fn failed(&self) -> BTreeMap<DeckyId, Vec<String>> {
        let mut failed: BTreeMap<DeckyId, Vec<String>> = BTreeMap::new();
        for (key, why) in &self.failed {
            failed.entry(key.decky).or_default().push(why.why.clone());
        }
        failed
    }

    /// Whether ports wait until the decoy process let go of them.
    pub(crate) const fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// When the next port is to be tried again.
    pub(crate) fn retry(&self) -> Option<Instant> {
        self.failed.values().map(|failed| failed.retry).min()
    }
}

fn keys(fleet: &[Decky]) -> impl Iterator<Item = Key> {
    fleet.iter().flat_map(|decky| {
        decky.services.iter().flat_map(move |service| {
            service.ports.iter().map(move |port| Key {
                decky: decky.id,
                service: service.name.clone(),
                ip: decky.ip,
                port: port.number,
            })
        })
    })
}

/// Sockets that `decky` takes.
pub(crate) fn sockets(decky: &Decky) -> usize {
    let ports = decky.services.iter().flat_map(|service| {
        service.ports.iter().map(|port| 1 + usize::from(data_ports(&service.name, port.number)))
    });
    ports.sum()
}

/// How many data ports go with `port` of the service called `name`.
fn data_ports(name: &str, port: u16) -> u8 {
    let listens = decoys_services::find(name).map(|service| service.spec.listens);
    let listen = listens.and_then(|all| all.iter().find(|listen| listen.port == port));
    listen.map_or(0, |listen| listen.data_ports)
}
