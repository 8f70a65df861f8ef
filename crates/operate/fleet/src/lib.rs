//! The fleet: which deckies there are to be, and where they are kept.
//!
//! [`plan()`] draws coherent deckies from their persona secrets; [`Inventory`] keeps them in the
//! database with the secrets sealed. Nothing here opens a socket or talks to a decoy process.

mod inventory;
mod plan;
mod seal;

pub use inventory::{Inventory, InventoryError};
pub use plan::{PlanError, Request, plan, services_of};
pub use seal::{SealError, SealingKey};
