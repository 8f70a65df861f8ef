//! What the sections of a fleet file mean.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::document::{Section, Source, sections};
use super::general::{General, general};
use super::{custom, group, settings};
use crate::nearest::did_you_mean;
use crate::problem::{Findings, Place, Problem, Problems};
use crate::wish::Wish;
use crate::{Catalogue, name};

/// Deckies one file may ask for; more than any machine runs, and few enough to lay out in memory.
const MOST: usize = 20_000;
/// Bytes that settings may have, repeated for every decky they are for.
const MOST_SETTINGS: usize = 64 * 1024 * 1024;

/// A fleet file that says nothing wrong.
#[derive(Debug)]
pub struct FleetFile<'c> {
    /// `[general]`.
    pub general: General,
    /// Its deckies and groups, in the order of the file.
    pub wishes: Vec<Wish<'c>>,
}

/// Reads a fleet file.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read<'c>(
    text: &str,
    source: Source,
    catalogue: &'c Catalogue,
) -> Result<(FleetFile<'c>, Vec<Problem>), Problems> {
    let mut findings = Findings::default();
    let sections = sections(text, source, &mut findings);
    let mut file = FleetFile { general: General::default(), wishes: Vec::new() };
    let mut names = Names::default();
    let is_custom = |name: &str| name.starts_with(custom::PREFIX);
    let brought: BTreeSet<&str> =
        sections.iter().filter_map(|section| section.name.strip_prefix(custom::PREFIX)).collect();
    let mut for_services = Vec::new();
    let mut deckies = 0;
    for section in &sections {
        if findings.is_full() {
            break;
        }
        if section.name == "general" {
            file.general = general(section, &mut findings);
        } else if is_custom(section.name) {
            custom::custom(section, &mut findings);
        } else if let Some(target) = Target::of(section, catalogue) {
            for_services.push((section, target));
        } else {
            deckies += 1;
            if let Some(wish) = group::group(section, &brought, catalogue, &mut findings) {
                names.add(&wish, section, file.wishes.len(), &mut findings);
                file.wishes.push(wish);
            }
        }
        if names.members.len() > MOST {
            let text = format!("the file asks for more than {MOST} deckies");
            findings.error(Problem::new(Some(section.at), text));
            break;
        }
    }
    if deckies == 0 && !sections.is_empty() {
        findings.error(Problem::new(None, "INI must contain at least one decky section"));
    }
    let mut room = MOST_SETTINGS;
    for (section, target) in for_services {
        if findings.is_full() {
            break;
        }
        configure(section, &target, &names, &mut file.wishes, &mut room, catalogue, &mut findings);
    }
    findings.conclude(file)
}

/// What a dotted section's settings are for.
struct Target<'t> {
    decky: &'t str,
    service: &'t str,
}

impl<'t> Target<'t> {
    /// A dotted section is about a service only when what follows the last dot is one.
    fn of(section: &Section<'t>, catalogue: &Catalogue) -> Option<Self> {
        let (decky, service) = section.name.rsplit_once('.')?;
        let lower = service.to_ascii_lowercase();
        let known = catalogue.service(&lower).is_some() || catalogue.knows_of(&lower);
        known.then_some(Self { decky, service })
    }
}

/// Which section made which decky.
#[derive(Default)]
struct Names {
    groups: BTreeMap<String, usize>,
    members: BTreeMap<String, (usize, Place)>,
}

impl Names {
    fn add(&mut self, wish: &Wish<'_>, section: &Section<'_>, at: usize, findings: &mut Findings) {
        self.groups.entry(name::normalise(section.name)).or_insert(at);
        for member in &wish.names {
            match self.members.entry(member.clone()) {
                Entry::Vacant(free) => {
                    free.insert((at, section.at));
                }
                Entry::Occupied(first) => {
                    let (one, two) = (first.get().1.line, section.at.line);
                    let text = format!("decky '{member}' is given twice, on lines {one} and {two}");
                    return findings.error(Problem::new(Some(section.at), text));
                }
            }
        }
    }
}

/// Hands a section's settings to the decky it names, or to all of a group.
fn configure(
    section: &Section<'_>,
    target: &Target<'_>,
    names: &Names,
    wishes: &mut [Wish<'_>],
    room: &mut usize,
    catalogue: &Catalogue,
    findings: &mut Findings,
) {
    let Some(spec) = catalogue.service(&target.service.to_ascii_lowercase()) else {
        let text = format!("[{}] service {} is not in this build", section.name, target.service);
        return findings.error(Problem::new(Some(section.at), text));
    };
    let settings = settings::settings(section, spec, findings);
    let decky = name::normalise(target.decky);
    let member = names.members.get(&decky).map(|(at, _)| *at);
    let Some(at) = names.groups.get(&decky).copied().or(member) else {
        let text = format!(
            "[{}] settings for '{}', but the file has no such decky",
            section.name, target.decky
        );
        let known = names.groups.keys().take(1000).map(String::as_str);
        return findings
            .error(Problem::new(Some(section.at), text).hinted(did_you_mean(&decky, known)));
    };
    let Some(wish) = wishes.get_mut(at) else { return };
    let whole = names.groups.contains_key(&decky);
    let bytes: usize = section.pairs.iter().map(|(key, given)| key.len() + given.value.len()).sum();
    let copies = if whole { wish.names.len() } else { 1 };
    let Some(left) = room.checked_sub(bytes.saturating_mul(copies)) else {
        let text = format!("[{}] settings are too large for {copies} deckies", section.name);
        return findings.error(Problem::new(Some(section.at), text));
    };
    *room = left;
    let own = if whole { &mut wish.shared } else { wish.own.entry(decky).or_default() };
    if let Some((_, first)) = own.insert(spec.name, (settings, section.at)) {
        let (name, one, two) = (section.name, first.line, section.at.line);
        let text = format!("section [{name}] is given twice, on lines {one} and {two}");
        findings.error(Problem::new(Some(section.at), text));
    }
}
