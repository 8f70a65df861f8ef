//! `[custom-<name>]`: services an operator brings (`spec/deckies.md` §7).

use super::document::Section;
use super::keys::Keys;
use crate::problem::{Findings, Problem};

/// What the name of such a section begins with.
pub(super) const PREFIX: &str = "custom-";
const KEYS: &[&str] = &["binary", "exec", "ports"];

/// Checks the section. This build runs no custom service, so that it is an error in any case.
pub(super) fn custom(section: &Section<'_>, findings: &mut Findings) {
    let mut keys = Keys::of(section);
    let name = section.name;
    if keys.take("binary").is_none() {
        let text = format!("[{name}] binary= is missing");
        findings.error(Problem::new(Some(section.at), text));
    }
    keys.take("exec");
    if let Some(given) = keys.take("ports") {
        let is_port = |it: &str| it.trim().parse::<u16>().is_ok_and(|port| port != 0);
        if !given.value.split(',').all(is_port) {
            findings.error(keys.must_be(
                "ports",
                "numbers from 1 to 65535, separated by commas",
                given,
            ));
        }
    }
    keys.conclude(KEYS, findings);
    let text = format!("[{name}] custom services are not in this build; remove the section");
    findings.error(Problem::new(Some(section.at), text));
}
