//! The fleet file (`spec/deckies.md` §7).
//!
//! `lines` splits the text, `document` joins lines to sections and finds what is given twice, and
//! `file` says what the sections mean, by the rules in `general`, `group`, `settings`, `custom` and
//! `keys`. No library is used for the format: none keeps the line of a value, and every message here
//! names it. All of it is linear in the text, and never panics.

mod custom;
mod document;
mod file;
mod general;
mod group;
mod keys;
mod lines;
mod settings;
#[cfg(test)]
mod tests;

pub use document::Source;
pub use file::{FleetFile, read};
pub use general::General;
