//! The fleet on its uplink: deckies loaded or drawn, every port bound.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::num::NonZeroU16;

use anyhow::Context as _;
use base_model::{Decky, DeckyId, DeckyService, Peer, Port};
use base_runtime::{Clock, entropy};
use net_uplink::{DataPort, HighPort};
use operate_fleet::ini::General;
use operate_fleet::{Catalogue, Flags, Inventory, Mode, OsFamily, Request, Wish, from_flags, plan};
use store_db::Db;

use super::state::Folder;
use crate::cli::Up;
use crate::commands::wanted;
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
    let catalogue = wanted::catalogue();
    let key = state.sealing_key()?;
    let inventory = Inventory::new(db, &key);
    let existing = inventory.load().await?;
    let mut deckies = plan_fleet(options, &catalogue, &existing, clock, first)?;
    let limit = net_uplink::raise_limit();
    let ports = |decky: &Decky| {
        let data = |service: &DeckyService, port: &Port| data_ports(&service.name, port.number);
        let sockets = |service: &DeckyService| -> usize {
            service.ports.iter().map(|port| 1 + usize::from(data(service, port))).sum()
        };
        decky.services.iter().map(sockets).sum()
    };
    let counts: Vec<usize> = deckies.iter().map(ports).collect();
    let descriptors = net_uplink::fit(&counts, limit).map_err(|error| {
        let hint = "raise the limit (`ulimit -n`, or `LimitNOFILE=` in the unit), or ask for fewer";
        Refusal::new(Exit::Conflict, error, hint)
    })?;
    state.await_orphan().await?;
    let sockets = bind(&mut deckies)?;
    let nonces: Result<Vec<_>, _> = deckies.iter().map(|_| entropy::bytes()).collect();
    inventory.save(&deckies, nonces?, clock.now()).await?;
    Ok(Fleet { deckies, sockets, descriptors })
}

/// How many data ports go with `port` of the service called `name`.
fn data_ports(name: &str, port: u16) -> u8 {
    let listens = decoys_services::find(name).map(|service| service.spec.listens);
    let listen = listens.and_then(|all| all.iter().find(|listen| listen.port == port));
    listen.map_or(0, |listen| listen.data_ports)
}

/// The fleet there is to be: what there is, with what is asked for and missing.
fn plan_fleet(
    options: &Up,
    catalogue: &Catalogue,
    existing: &[Decky],
    clock: Clock,
    first: usize,
) -> anyhow::Result<Vec<Decky>> {
    let (general, wishes) = match &options.config {
        Some(path) => {
            let (file, warnings) = wanted::read_file(path, catalogue)?;
            warnings.iter().for_each(|warning| tracing::warn!(%warning, "the fleet file"));
            (file.general, file.wishes)
        }
        None => (General::default(), more(options, catalogue, existing, first)?),
    };
    let network = wanted::network(&general, None, options.ip_start)?;
    let (low, high) = (network.subnet.address(), network.subnet.broadcast());
    if !(low.is_loopback() && high.is_loopback()) {
        let what = format!("{} is not of this machine alone", network.subnet);
        let hint = "the loopback uplink is the only one in this build: give net= a part of \
                    127.0.0.0/8, or leave it out";
        return Err(Refusal::new(Exit::Usage, what, hint).into());
    }
    let count = wishes.iter().map(|wish| wish.names.len()).sum();
    let secrets: Result<Vec<[u8; 32]>, _> = (0..count).map(|_| entropy::bytes()).collect();
    let request = Request {
        wishes: &wishes,
        // The same command starts a fleet again.
        mode: Mode::Ensure,
        existing,
        network: &network,
        catalogue,
        limit: None,
        now: clock.now(),
    };
    let plan = plan(&request, secrets?)
        .map_err(|problems| wanted::refuse(Exit::Conflict, "the fleet", &problems))?;
    for warning in &plan.warnings {
        tracing::warn!(%warning, "the fleet");
    }
    for contradiction in &plan.contradictions {
        tracing::warn!(%contradiction, "a setting contradicts what the decky is");
    }
    Ok(plan.into_fleet())
}

/// As many deckies as are missing to `options.deckies`.
fn more<'c>(
    options: &Up,
    catalogue: &'c Catalogue,
    existing: &[Decky],
    first: usize,
) -> anyhow::Result<Vec<Wish<'c>>> {
    let wanted = match options.deckies {
        Some(0) => {
            let hint = "give --deckies 1 or more";
            return Err(Refusal::new(Exit::Usage, "a fleet needs a decky", hint).into());
        }
        Some(wanted) if wanted < existing.len() => {
            let what = format!(
                "the state folder holds {} deckies, --deckies {wanted} would destroy {} of them",
                existing.len(),
                existing.len() - wanted
            );
            let hint = "leave --deckies out to keep them, or start a new fleet with --state-dir";
            return Err(Refusal::new(Exit::Conflict, what, hint).into());
        }
        Some(wanted) => wanted,
        None if existing.is_empty() => first,
        None => existing.len(),
    };
    // All that a Linux machine can have, when nothing else is said.
    let all = catalogue.services().iter().map(|spec| spec.name);
    let all: Vec<String> =
        all.filter(|name| OsFamily::Linux.runs(name)).map(str::to_owned).collect();
    let flags = Flags {
        count: wanted - existing.len(),
        services: Some(options.services.as_deref().unwrap_or(&all)),
        ..Flags::default()
    };
    from_flags(&flags, existing, catalogue)
        .map_err(|problems| wanted::refuse(Exit::Usage, "the command line", &problems).into())
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
