//! Taking known keys out of a section; what is left is unknown.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::document::{Given, Section};
use super::general::is_domain;
use crate::nearest::did_you_mean;
use crate::problem::{Findings, Place, Problem, brief};

/// The keys of a section while they are being taken.
pub(crate) struct Keys<'s, 't> {
    pub(crate) section: &'t str,
    left: BTreeMap<&'s str, Given<'t>>,
}

impl<'s, 't> Keys<'s, 't> {
    pub(crate) fn of(section: &'s Section<'t>) -> Self {
        let left = section.pairs.iter().map(|(key, given)| (key.as_str(), *given)).collect();
        Self { section: section.name, left }
    }

    /// The value of `key`; blank counts as not given.
    pub(crate) fn take(&mut self, key: &str) -> Option<Given<'t>> {
        self.left.remove(key).filter(|given| !given.value.is_empty())
    }

    /// The value of `key`, given also when blank.
    pub(crate) fn take_blank(&mut self, key: &str) -> Option<Given<'t>> {
        self.left.remove(key)
    }

    /// The value of a key with two spellings.
    pub(crate) fn take_either(
        &mut self,
        keys: [&str; 2],
        findings: &mut Findings,
    ) -> Option<Given<'t>> {
        let [first, second] = keys.map(|key| self.take(key));
        if let (Some(_), Some(second)) = (first, second) {
            let text = format!("[{}] {}= and {}= are one setting", self.section, keys[0], keys[1]);
            findings.error(Problem::new(Some(second.at), text));
        }
        first.or(second)
    }

    /// The value of `key` as a `T`; `what` says what it must be.
    pub(crate) fn parse<T: FromStr>(
        &mut self,
        key: &str,
        what: &str,
        findings: &mut Findings,
    ) -> Option<(T, Place)> {
        let given = self.take(key)?;
        let parsed = given.value.parse().ok();
        if parsed.is_none() {
            findings.error(self.must_be(key, what, given));
        }
        Some((parsed?, given.at))
    }

    /// `[section] key= must be …, got '…'`.
    pub(crate) fn must_be(&self, key: &str, what: &str, given: Given<'_>) -> Problem {
        let text =
            format!("[{}] {key}= must be {what}, got '{}'", self.section, brief(given.value));
        Problem::new(Some(given.at), text)
    }

    /// The domain that `domain` names.
    pub(crate) fn domain(&mut self, findings: &mut Findings) -> Option<String> {
        let given = self.take("domain")?;
        if !is_domain(given.value) {
            findings.error(self.must_be("domain", "a domain name", given));
            return None;
        }
        Some(given.value.to_lowercase())
    }

    /// The minutes of `mutate_interval`, in either spelling; they have no effect here.
    pub(crate) fn mutate_interval(&mut self, findings: &mut Findings) {
        let keys = ["mutate_interval", "mutate-interval"];
        let Some(given) = self.take_either(keys, findings) else { return };
        if given.value.parse::<u32>().is_ok_and(|minutes| minutes >= 1) {
            findings.warn(self.no_effect("mutate_interval", given));
        } else {
            findings.error(self.must_be("mutate_interval", "an integer", given));
        }
    }

    /// A key that is checked and does nothing yet.
    pub(crate) fn checked(
        &mut self,
        key: &str,
        what: &str,
        accepts: fn(&str) -> bool,
        findings: &mut Findings,
    ) {
        let Some(given) = self.take(key) else { return };
        if accepts(given.value) {
            findings.warn(self.no_effect(key, given));
        } else {
            findings.error(self.must_be(key, what, given));
        }
    }

    fn no_effect(&self, key: &str, given: Given<'_>) -> Problem {
        let text = format!("[{}] {key}= has no effect in this build", self.section);
        Problem::new(Some(given.at), text)
    }

    /// Every key that nothing took, each an error with the nearest of `known`.
    pub(crate) fn conclude(self, known: &[&str], findings: &mut Findings) {
        for (key, given) in self.left {
            if findings.is_full() {
                return;
            }
            let text = format!("[{}] unknown key '{}'", self.section, brief(key));
            let hint = did_you_mean(key, known.iter().copied());
            findings.error(Problem::new(Some(given.at), text).hinted(hint));
        }
    }
}
