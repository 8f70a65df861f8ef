//! From what is wanted and what was seen to what is written down.

use std::collections::BTreeMap;
use std::time::Duration;

use base_model::{Decky, Timestamp};
use store_db::{DeckyObserved, FleetReport, LifecycleRow, LifecycleStep};

use super::Observed;
use crate::inventory::Entry;
use crate::state::DeckyState;

/// How long a change may take (`spec/fleet.md` §3).
const DEADLINE: Duration = Duration::from_secs(15 * 60);

/// How a decky was found.
struct Found {
    state: DeckyState,
    why: Option<String>,
}

/// What to write down; with nothing `observed`, only how changes go on.
pub(super) fn judge(
    entries: &[Entry],
    observed: Option<&Observed>,
    open: &[LifecycleRow],
    now: Timestamp,
) -> FleetReport {
    let mut report = FleetReport::default();
    let mut found = BTreeMap::new();
    if let Some(observed) = observed {
        for entry in entries {
            if entry.stays() {
                let seen = look(&entry.decky, observed);
                if seen.state != entry.state || seen.why != entry.last_error {
                    report.observed.push(DeckyObserved {
                        name: entry.decky.name.clone(),
                        state: seen.state.name().to_owned(),
                        last_error: seen.why.clone(),
                    });
                }
                found.insert(entry.decky.name.as_str(), seen);
            } else {
                report.gone.push(entry.decky.name.clone());
            }
        }
    }
    let there = |name: &str| entries.iter().find(|entry| entry.decky.name == name);
    for row in open {
        let (status, error) = match (row.operation.as_str(), there(&row.decky_name)) {
            ("teardown", None) => ("succeeded", None),
            ("teardown", Some(entry)) if !entry.stays() && observed.is_some() => {
                ("succeeded", None)
            }
            (_, None) => ("failed", Some("the decky was removed meanwhile".to_owned())),
            (_, Some(entry)) if !entry.stays() && row.operation != "teardown" => {
                ("failed", Some("the decky was removed meanwhile".to_owned()))
            }
            _ if row.started_at + DEADLINE < now => {
                ("failed", Some("it took longer than 15 minutes".to_owned()))
            }
            _ => match found.get(row.decky_name.as_str()) {
                Some(Found { state: DeckyState::Running, .. }) => ("succeeded", None),
                // While nothing runs at all, that is not the decky's own failure.
                Some(found) if observed.is_none_or(|all| all.all_down.is_none()) => {
                    ("failed", found.why.clone())
                }
                _ => ("running", None),
            },
        };
        if status != row.status {
            let status = status.to_owned();
            report.lifecycle.push(LifecycleStep { id: row.id.clone(), status, error });
        }
    }
    report
}

fn look(decky: &Decky, observed: &Observed) -> Found {
    if let Some(why) = &observed.all_down {
        return Found { state: DeckyState::Failed, why: Some(why.clone()) };
    }
    let ports = decky.services.iter().map(|service| service.ports.len()).sum();
    let down = observed.down.get(&decky.id).map_or(&[][..], Vec::as_slice);
    Found { state: DeckyState::of(ports, down.len()), why: down.first().cloned() }
}
