//! Where the components of this process say how they are.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Components without which the process does not do its work (`spec/api.md` §15).
const CRITICAL: [&str; 4] = ["database", "ingestion_worker", "journal", "runtime"];
/// Characters of a detail.
const DETAIL: usize = 200;

/// How a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentStatus {
    /// It works.
    Ok,
    /// It does not, and why: `not started`, `exited unexpectedly`, … in words of ours.
    Failing(String),
}

/// How the components of this process are, by name. Clones are the same board.
#[derive(Clone, Debug, Default)]
pub struct HealthBoard(Arc<RwLock<BTreeMap<&'static str, ComponentStatus>>>);

impl HealthBoard {
    /// Says how `component` is: `ingestion_worker`, `runtime`, `journal` or any other name but
    /// `database`, which the API asks itself.
    pub fn set(&self, component: &'static str, status: ComponentStatus) {
        let status = match status {
            ComponentStatus::Ok => ComponentStatus::Ok,
            ComponentStatus::Failing(detail) => {
                ComponentStatus::Failing(detail.chars().take(DETAIL).collect())
            }
        };
        let mut board = self.0.write().unwrap_or_else(PoisonError::into_inner);
        board.insert(component, status);
    }

    pub(crate) fn read(&self) -> BTreeMap<&'static str, ComponentStatus> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How the whole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overall {
    Healthy,
    Degraded,
    Unhealthy,
}

impl Overall {
    /// The worst that follows from `components`.
    pub(crate) fn of(components: &BTreeMap<&'static str, ComponentStatus>) -> Self {
        let failing = |(name, status): (&&'static str, &ComponentStatus)| {
            matches!(status, ComponentStatus::Failing(_)).then_some(*name)
        };
        let mut overall = Self::Healthy;
        for name in components.iter().filter_map(failing) {
            if CRITICAL.contains(&name) {
                return Self::Unhealthy;
            }
            overall = Self::Degraded;
        }
        overall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_critical_component_makes_it_unhealthy() {
        let board = HealthBoard::default();
        assert_eq!(Overall::of(&board.read()), Overall::Healthy);
        board.set("profiler", ComponentStatus::Failing("not started".into()));
        assert_eq!(Overall::of(&board.read()), Overall::Degraded);
        board.clone().set("journal", ComponentStatus::Failing("x".repeat(1000)));
        assert_eq!(Overall::of(&board.read()), Overall::Unhealthy);
        let long = ComponentStatus::Failing("x".repeat(DETAIL));
        assert_eq!(board.read().get("journal"), Some(&long));
        board.set("journal", ComponentStatus::Ok);
        assert_eq!(Overall::of(&board.read()), Overall::Degraded);
    }
}
