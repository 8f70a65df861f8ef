//! The REST API: routes, authentication, live streams and their OpenAPI document.
//!
//! Promises: every route names who may call it ([`Access`] is an argument of the only way to add
//! one); errors are `application/problem+json` and never repeat what a client sent; the shapes on the
//! wire are types of this crate, so a change of a table alone changes nothing here; every queue,
//! table and body has a bound. It holds no SQL, reads no environment and no attacker bytes other than
//! those the store hands it, which leave as JSON strings or as downloads that browsers will not show.
//!
//! [`Api::new`] binds the parts, [`router()`] makes the routes, [`serve`] answers on a listener.
//! A resource is a folder with `routes`, `types` and `tests`; the list of them is in
//! `resources.rs`.

mod access;
mod api;
mod artifacts;
mod attackers;
mod auth;
mod body;
mod bounty;
mod cache;
mod config;
mod credentials;
mod deckies;
mod guard;
mod health;
mod list;
pub mod local;
mod logs;
mod moment;
mod names;
mod openapi;
mod params;
mod problem;
mod proxies;
mod resources;
mod router;
mod server;
mod sessions;
mod settings;
mod stats;
mod stream;
mod telemetry;
#[cfg(test)]
mod tests;
mod tokens;
mod transcripts;
mod users;

pub use access::{Access, Role};
pub use api::{Api, ApiCounts, ApiParts};
pub use auth::password::{PasswordRule, hash_password, password_rules};
pub use auth::seed::{SeedError, Seeded, seed_admin};
pub use config::{ApiConfig, JwtSecret, WeakSecret};
pub use deckies::types::{DeckyConfig, PlanBody};
pub use health::board::{ComponentStatus, HealthBoard};
pub use openapi::openapi;
pub use proxies::{Network, NotANetwork};
pub use router::router;
pub use server::{serve, serve_local, serve_router};
pub use users::accounts::{AccountError, Accounts};
