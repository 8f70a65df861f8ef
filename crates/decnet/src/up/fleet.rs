//! The fleet on its uplink: deckies loaded or drawn, every port bound.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::num::NonZeroU16;

use anyhow::Context as _;
use base_model::{Decky, DeckyId, DeckyService, Peer, Port};
use base_runtime::{Clock, entropy};
use decoys_kit::ServiceSpec;
use net_uplink::{Addresses, DataPort, HighPort};
use operate_fleet::{Inventory, Request, plan, services_of};
use store_db::Db;

use super::state::Folder;
use crate::cli::Up;
use crate::refusal::{Exit, Refusal};

/// Deckies and their open sockets.
pub(crate) struct Fleet {
    pub(crate) deckies: Vec<Decky>,
    pub(crate) sockets: Vec<Bound>,
    /// Descriptors that each process must be able to hold.
    pub(crate) descriptors: u64,
}

/// One open port.
pub(crate) struct Bound {
    pub(crate) decky: DeckyId,
    pub(crate) service: String,
    /// The endpoint that the decky claims.
    pub(crate) local: Peer,
    pub(crate) socket: TcpListener,
    /// Ports for data connections.
    pub(crate) data: Vec<DataPort>,
}

/// Loads the fleet, draws what is missing to `options.deckies`, and binds every port.
pub(crate) async fn bring_up(
    options: &Up,
    db: &Db,
    state: &Folder,
    clock: Clock,
    first: usize,
) -> anyhow::Result<Fleet> {
    let specs: Vec<&'static ServiceSpec> =
        decoys_services::ALL.iter().map(|service| &service.spec).collect();
    let services = services_of(options.services.as_deref(), &specs)
        .map_err(|error| Refusal::new(Exit::Usage, error, "see --services"))?;
    let key = state.sealing_key()?;
    let inventory = Inventory::new(db, &key);
    let mut deckies = inventory.load().await?;
    let wanted = match options.deckies {
        Some(0) => {
            let hint = "give --deckies 1 or more";
            return Err(Refusal::new(Exit::Usage, "a fleet needs a decky", hint).into());
        }
        Some(wanted) if wanted < deckies.len() => {
            let what = format!(
                "the state folder holds {} deckies, --deckies {wanted} would destroy {} of them",
                deckies.len(),
                deckies.len() - wanted
            );
            let hint = "leave --deckies out to keep them, or start a new fleet with --state-dir";
            return Err(Refusal::new(Exit::Conflict, what, hint).into());
        }
        Some(wanted) => wanted,
        None if deckies.is_empty() => first,
        None => deckies.len(),
    };
    let limit = net_uplink::raise_limit();
    let per_new: usize = services.iter().map(|spec| sockets_of(spec)).sum();
    let ports = |decky: &Decky| {
        let data = |service: &DeckyService, port: &Port| data_ports(&service.name, port.number);
        let sockets = |service: &DeckyService| -> usize {
            service.ports.iter().map(|port| 1 + usize::from(data(service, port))).sum()
        };
        decky.services.iter().map(sockets).sum()
    };
    let mut counts: Vec<usize> = deckies.iter().map(ports).collect();
    counts.resize(wanted, per_new);
    let descriptors = net_uplink::fit(&counts, limit).map_err(|error| {
        let hint = "raise the limit (`ulimit -n`, or `LimitNOFILE=` in the unit), or ask for fewer";
        Refusal::new(Exit::Conflict, error, hint)
    })?;
    let addresses = match options.ip_start {
        Some(start) => Addresses::starting_at(start)
            .map_err(|error| Refusal::new(Exit::Usage, error, "see --ip-start"))?,
        None => Addresses::new(),
    };
    let new = draw(wanted - deckies.len(), &services, &deckies, addresses, clock)?;
    deckies.extend(new);
    state.await_orphan().await?;
    let sockets = bind(&mut deckies)?;
    let nonces: Result<Vec<_>, _> = deckies.iter().map(|_| entropy::bytes()).collect();
    inventory.save(&deckies, nonces?, clock.now()).await?;
    Ok(Fleet { deckies, sockets, descriptors })
}

/// Sockets that a service takes.
fn sockets_of(spec: &ServiceSpec) -> usize {
    spec.listens.iter().map(|listen| 1 + usize::from(listen.data_ports)).sum()
}

/// How many data ports go with `port` of the service called `name`.
fn data_ports(name: &str, port: u16) -> u8 {
    let listens = decoys_services::find(name).map(|service| service.spec.listens);
    let listen = listens.and_then(|all| all.iter().find(|listen| listen.port == port));
    listen.map_or(0, |listen| listen.data_ports)
}

fn draw(
    count: usize,
    services: &[&'static ServiceSpec],
    taken: &[Decky],
    mut addresses: Addresses,
    clock: Clock,
) -> anyhow::Result<Vec<Decky>> {
    for decky in taken {
        addresses.claim(decky.ip).with_context(|| format!("address of `{}`", decky.name))?;
    }
    let secrets: Result<Vec<[u8; 32]>, _> = (0..count).map(|_| entropy::bytes()).collect();
    let free: Result<Vec<_>, _> = (0..count).map(|_| addresses.assign()).collect();
    let request = Request { count, services, taken, now: clock.now() };
    Ok(plan(&request, secrets?, free?))
}

/// Opens every port, and notes where clients reach it.
fn bind(deckies: &mut [Decky]) -> anyhow::Result<Vec<Bound>> {
    let mut sockets = Vec::new();
    let mut stand_ins = BTreeMap::new();
    for decky in deckies {
        for service in &mut decky.services {
            for port in &mut service.ports {
                let claimed = NonZeroU16::new(port.number)
                    .with_context(|| format!("`{}` has a service on port 0", decky.name))?;
                let listener =
                    net_uplink::bind(decky.ip, claimed, NonZeroU16::new(port.reached_at))
                        .with_context(|| {
                            format!("decky `{}`, service {}", decky.name, service.name)
                        })?;
                port.reached_at = listener.reached_at;
                match listener.instead {
                    // Said when it was given.
                    None | Some(HighPort::AsBefore) => {}
                    Some(why) => {
                        *stand_ins.entry((port.number, why.to_string())).or_insert(0_usize) += 1;
                    }
                }
                let data = (0..data_ports(&service.name, port.number))
                    .map(|_| net_uplink::data_port(decky.ip))
                    .collect::<Result<Vec<_>, _>>()
                    .with_context(|| format!("data ports of decky `{}`", decky.name))?;
                sockets.push(Bound {
                    decky: decky.id,
                    service: service.name.clone(),
                    local: Peer { ip: decky.ip, port: port.number },
                    socket: listener.socket,
                    data,
                });
            }
        }
    }
    for ((port, why), deckies) in stand_ins {
        tracing::warn!(port, deckies, why, "a high port stands in");
    }
    Ok(sockets)
}
