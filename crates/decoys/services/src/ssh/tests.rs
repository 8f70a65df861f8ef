//! Dialogues with the SSH session, and what it must hold to under attack.

mod dialogue;
mod hostile;
mod rules;
