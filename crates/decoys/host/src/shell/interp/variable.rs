//! Variables and the environment made of them.

use std::collections::BTreeMap;

use super::Interp;
use crate::shell::limits;

/// A variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variable {
    pub(crate) value: Vec<u8>,
    pub(crate) exported: bool,
}

impl Interp {
    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<Vec<u8>> {
        self.variables.get(name).map(|variable| variable.value.clone())
    }

    /// Sets a variable; one that would take too much memory is what kills a real shell too.
    pub(crate) fn assign(&mut self, name: &str, mut value: Vec<u8>) {
        if value.len() > limits::VALUE || self.heap + value.len() > limits::VARIABLES {
            self.proc.io.lock().killed = true;
            value.truncate(0);
        }
        let added = value.len() + name.len();
        let old = self.variables.get(name).map_or(0, |old| old.value.len() + name.len());
        self.heap = (self.heap + added).saturating_sub(old);
        self.variables.entry(name.to_owned()).or_default().value = value;
    }

    /// Marks a variable for the environment of programs.
    pub(crate) fn export(&mut self, name: &str) {
        self.variables.entry(name.to_owned()).or_default().exported = true;
    }

    /// Removes a variable.
    pub(crate) fn unset(&mut self, name: &str) {
        if let Some(old) = self.variables.remove(name) {
            self.heap = self.heap.saturating_sub(old.value.len() + name.len());
        }
    }

    pub(crate) fn restore_variable(&mut self, name: String, value: Option<Variable>) {
        match value {
            Some(variable) => {
                self.assign(&name, variable.value);
                if let Some(slot) = self.variables.get_mut(&name) {
                    slot.exported = variable.exported;
                }
            }
            None => self.unset(&name),
        }
    }

    /// The environment for programs.
    pub(crate) fn environment(&self) -> BTreeMap<String, Vec<u8>> {
        let exported = self.variables.iter().filter(|(_, variable)| variable.exported);
        exported.map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }
}
