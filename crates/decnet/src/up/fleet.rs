//! The fleet at the start: what the command line asks for beside what there is.

use base_model::Decky;
use operate_fleet::ini::General;
use operate_fleet::{
    Catalogue, DeployError, Deployments, Flags, Mode, Network, Offer, Order, Problem, Services,
    Subnet, Uplink, Wish, from_flags,
};

use super::bindings::sockets;
use crate::cli::Up;
use crate::commands::wanted;
use crate::refusal::{Exit, Refusal};

/// Kinds of machine that deckies are in turn when nothing is said.
const KINDS: [&str; 5] =
    ["linux-server", "web-server", "database-server", "mail-server", "file-server"];

/// Sockets of this machine alone.
pub(crate) struct Loopback {
    /// Descriptors that each process may have.
    pub(crate) descriptors: u64,
}

impl Uplink for Loopback {
    fn network(&self) -> Network {
        wanted::loopback()
    }

    fn refuses(&self, subnet: Subnet) -> Option<Problem> {
        if subnet.address().is_loopback() && subnet.broadcast().is_loopback() {
            return None;
        }
        let hint = "the loopback uplink is the only one in this build: give net= a part of \
                    127.0.0.0/8, or leave it out";
        let text = format!("{subnet} is not of this machine alone");
        Some(Problem::new(None, text).hinted(Some(hint.to_owned())))
    }

    fn too_much(&self, fleet: &[Decky]) -> Option<Problem> {
        let counts: Vec<usize> = fleet.iter().map(sockets).collect();
        let refused = net_uplink::fit(&counts, self.descriptors).err()?;
        Some(Problem::new(None, refused.to_string()))
    }
}

/// Has what is missing of what `options` ask for deployed.
pub(crate) async fn ensure(
    options: &Up,
    deployments: &Deployments,
    first: usize,
) -> anyhow::Result<()> {
    let entries = deployments.entries().await?;
    let staying = entries.into_iter().filter(operate_fleet::Entry::stays);
    let existing: Vec<Decky> = staying.map(|entry| entry.decky).collect();
    let catalogue = deployments.catalogue();
    let (general, wishes) = match &options.config {
        Some(path) => {
            let (file, warnings) = wanted::read_file(path, catalogue)?;
            warnings.iter().for_each(|warning| tracing::warn!(%warning, "the fleet file"));
            (file.general, file.wishes)
        }
        None => (General::default(), more(options, catalogue, &existing, first)?),
    };
    let order = Order {
        general: &general,
        wishes: &wishes,
        // The same command starts a fleet again.
        mode: Mode::Ensure,
        start: options.ip_start,
        limit: None,
    };
    let receipt = deployments.deploy(&order).await.map_err(|error| match error {
        DeployError::Problems(problems) => {
            anyhow::Error::from(wanted::refuse(Exit::Conflict, "the fleet", &problems))
        }
        other => other.into(),
    })?;
    for warning in &receipt.plan.warnings {
        tracing::warn!(%warning, "the fleet");
    }
    for contradiction in &receipt.plan.contradictions {
        tracing::warn!(%contradiction, "a setting contradicts what the decky is");
    }
    Ok(())
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
    let count = wanted - existing.len();
    let mut names: Vec<String> = existing.iter().map(|decky| decky.name.clone()).collect();
    let Some(services) = options.services.as_deref() else {
        return Ok(mixed(count, existing.len(), &mut names, catalogue));
    };
    let flags = Flags { count, services: Some(services), ..Flags::default() };
    from_flags(&flags, &names, catalogue)
        .map_err(|problems| wanted::refuse(Exit::Usage, "the command line", &problems).into())
}

/// Deckies of several kinds, as a network has them, after `before` others.
fn mixed<'c>(
    count: usize,
    before: usize,
    taken: &mut [String],
    catalogue: &'c Catalogue,
) -> Vec<Wish<'c>> {
    let offers = KINDS.iter().filter_map(|slug| catalogue.archetype(slug, None).ok());
    let offers: Vec<&Offer> = offers.collect();
    taken.sort();
    let names = operate_fleet::free_names(count, taken);
    let mut wishes: Vec<Wish<'c>> = offers
        .iter()
        .map(|offer| {
            let mut wish = Wish::new(Vec::new());
            wish.archetype = Some(offer);
            wish.services = Services::Given(offer.services.clone());
            wish
        })
        .collect();
    for (at, name) in names.into_iter().enumerate() {
        let kind = (before + at) % wishes.len().max(1);
        wishes.get_mut(kind).into_iter().for_each(|wish| wish.names.push(name.clone()));
    }
    wishes.retain(|wish| !wish.names.is_empty());
    wishes
}
