//! Sections and their keys, each once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::lines::{Line, lines};
use crate::problem::{Findings, Place, Problem, brief};

/// Characters a fleet file may have.
const LONGEST: usize = 524_288;

/// Where the text comes from, which decides what giving something twice means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file: an error.
    File,
    /// Text sent to the API: the later one wins, with a warning.
    Api,
}

/// A value with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'t> {
    pub(crate) value: &'t str,
    pub(crate) at: Place,
}

/// A section; keys are in lower case.
#[derive(Debug)]
pub(crate) struct Section<'t> {
    pub(crate) name: &'t str,
    pub(crate) at: Place,
    pub(crate) pairs: BTreeMap<String, Given<'t>>,
}

/// The sections of `text` in its order.
pub(crate) fn sections<'t>(
    text: &'t str,
    source: Source,
    findings: &mut Findings,
) -> Vec<Section<'t>> {
    if text.chars().nth(LONGEST).is_some() {
        findings.error(Problem::new(None, "INI content is too large (max 512KB)"));
        return Vec::new();
    }
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        findings.error(Problem::new(None, "INI content is empty"));
        return Vec::new();
    }
    let mut reading = Reading { source, sections: Vec::new(), known: BTreeMap::new(), here: None };
    for line in lines(text) {
        if findings.is_full() {
            break;
        }
        match line {
            Ok(Line::Section(name, at)) => reading.section(name, at, findings),
            Ok(Line::Pair(key, value, at)) => reading.pair(key, Given { value, at }, findings),
            Err(problem) => findings.error(problem),
        }
    }
    if reading.sections.is_empty() {
        findings.error(Problem::new(None, "Invalid INI format: no sections found"));
    }
    reading.sections
}

struct Reading<'t> {
    source: Source,
    sections: Vec<Section<'t>>,
    known: BTreeMap<&'t str, usize>,
    here: Option<usize>,
}

impl<'t> Reading<'t> {
    fn section(&mut self, name: &'t str, at: Place, findings: &mut Findings) {
        let name = if name.eq_ignore_ascii_case("general") { "general" } else { name };
        match self.known.entry(name) {
            Entry::Vacant(free) => {
                free.insert(self.sections.len());
                self.here = Some(self.sections.len());
                self.sections.push(Section { name, at, pairs: BTreeMap::new() });
            }
            Entry::Occupied(first) => {
                self.here = Some(*first.get());
                let line = self.sections.get(*first.get()).map_or(0, |first| first.at.line);
                let name = brief(name);
                let what =
                    format!("section [{name}] is given twice, on lines {line} and {}", at.line);
                self.twice(at, what, findings);
            }
        }
    }

    fn pair(&mut self, key: &str, given: Given<'t>, findings: &mut Findings) {
        let Some(section) = self.here.and_then(|at| self.sections.get_mut(at)) else {
            let text =
                format!("Invalid INI format: {}= comes before the first section", brief(key));
            return findings.error(Problem::new(Some(given.at), text));
        };
        let name = section.name;
        let key = key.to_ascii_lowercase();
        if let Some(first) = section.pairs.insert(key.clone(), given) {
            let (one, two) = (first.at.line, given.at.line);
            let what = format!(
                "[{}] {}= is given twice, on lines {one} and {two}",
                brief(name),
                brief(&key)
            );
            self.twice(given.at, what, findings);
        }
    }

    fn twice(&self, at: Place, what: String, findings: &mut Findings) {
        match self.source {
            Source::File => findings.error(Problem::new(Some(at), what)),
            Source::Api => findings.warn(Problem::new(Some(at), format!("{what}; the later wins"))),
        }
    }
}
