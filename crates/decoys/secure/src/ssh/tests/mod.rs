//! The state machine as a whole, against a client made of the same parts.

mod client;
mod conversation;
mod hostile;
mod rekey;
mod rules;
