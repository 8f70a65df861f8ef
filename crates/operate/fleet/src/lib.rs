//! The fleet: which deckies there are to be, and where they are kept.
//!
//! A fleet file ([`ini`]) or flags become [`Wish`]es, which [`plan()`] turns, with the deckies there
//! are, into a [`Plan`]: coherent machines drawn from their persona secrets. All of that is pure.
//! [`Deployments`] writes plans down, [`Inventory`] keeps deckies with their secrets sealed, and
//! [`Reconciler`] brings about what is written, on a [`Substrate`]. Nothing here opens a socket or
//! talks to a decoy process.

mod archetype;
mod catalogue;
pub mod coherence;
mod contradiction;
mod deployment;
mod family;
mod hardware;
mod identity;
pub mod ini;
mod inventory;
mod name;
mod nearest;
mod network;
mod plan;
mod problem;
mod reconciler;
mod seal;
mod state;
#[cfg(test)]
mod testing;
mod wish;

pub use archetype::{Archetype, archetypes};
pub use catalogue::{Catalogue, Offer};
pub use contradiction::{Contradiction, contradictions};
pub use deployment::{DeployError, Deployments, Order, Receipt, Uplink};
pub use family::OsFamily;
pub use hardware::Vendor;
pub use inventory::{Entry, Inventory, InventoryError};
pub use nearest::did_you_mean;
pub use network::{Network, Subnet, SubnetFormat};
pub use plan::{Change, Mode, Plan, Request, plan};
pub use problem::{Place, Problem, Problems};
pub use reconciler::{Observed, Reconciler, Settled, Substrate};
pub use seal::{SealError, SealingKey};
pub use state::DeckyState;
pub use wish::{Distros, Flags, Login, Services, Wish, free_names, from_flags};
