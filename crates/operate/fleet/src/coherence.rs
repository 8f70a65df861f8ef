//! What no machine can be (`spec/deckies.md` §3.2): named rules, each of which refuses a persona and
//! says why.

use std::collections::BTreeMap;

use decoys_host::persona::Distro;
use decoys_kit::ServiceSpec;

use crate::family::families_of;
use crate::{Archetype, OsFamily};

/// What a decky is to be.
#[derive(Clone, Copy, Debug)]
pub struct Persona<'p> {
    /// Its services.
    pub services: &'p [&'static ServiceSpec],
    /// Its distribution.
    pub distro: &'static Distro,
    /// What it looks like.
    pub os: OsFamily,
    /// What it is for.
    pub archetype: Option<&'static Archetype>,
}

/// A rule that every decky keeps.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// Why the persona breaks it; `None` when it does not.
    pub broken: fn(&Persona<'_>) -> Option<String>,
}

/// All rules.
pub const RULES: &[Rule] = &[
    Rule { name: "distro-family", broken: distro_family },
    Rule { name: "service-family", broken: service_family },
    Rule { name: "archetype-distro", broken: archetype_distro },
    Rule { name: "one-service-per-port", broken: one_service_per_port },
];

/// Every rule that `persona` breaks, with why.
#[must_use]
pub fn broken(persona: &Persona<'_>) -> Vec<(&'static str, String)> {
    RULES.iter().filter_map(|rule| Some((rule.name, (rule.broken)(persona)?))).collect()
}

fn distro_family(persona: &Persona<'_>) -> Option<String> {
    let os = persona.os;
    (!os.runs_linux()).then(|| {
        format!(
            "{} is a Linux distribution and cannot look like {}; choose nmap_os linux or embedded",
            persona.distro.name,
            os.slug()
        )
    })
}

fn service_family(persona: &Persona<'_>) -> Option<String> {
    let strange = persona.services.iter().find(|spec| !persona.os.runs(spec.name))?;
    let families = families_of(strange.name)?.iter().map(|family| family.slug());
    Some(format!(
        "{} is not found on {}, only on {}",
        strange.name,
        persona.os.slug(),
        families.collect::<Vec<_>>().join(", ")
    ))
}

fn archetype_distro(persona: &Persona<'_>) -> Option<String> {
    let archetype = persona.archetype.filter(|archetype| archetype.only_these_distros)?;
    let slug = &persona.distro.slug;
    (!archetype.distros.contains(slug)).then(|| {
        format!(
            "archetype {} does not run on {slug}, only on {}",
            archetype.slug,
            archetype.distros.join(", ")
        )
    })
}

fn one_service_per_port(persona: &Persona<'_>) -> Option<String> {
    let mut owners = BTreeMap::new();
    for spec in persona.services {
        for listen in spec.listens {
            if let Some(other) = owners.insert((listen.transport.name(), listen.port), spec.name) {
                return Some(format!(
                    "services {other} and {} both listen on port {}; a decky can have only one of \
                     them",
                    spec.name, listen.port
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use decoys_host::persona;

    use super::*;
    use crate::archetypes;
    use crate::testing::{CLASH, HTTP, RDP, SSH, catalogue};

    fn persona<'p>(services: &'p [&'static ServiceSpec], os: OsFamily) -> Persona<'p> {
        let distro = persona::find("debian").unwrap();
        Persona { services, distro, os, archetype: None }
    }

    #[test]
    fn a_linux_distribution_does_not_look_like_windows() {
        let refused = broken(&persona(&[&HTTP], OsFamily::Windows));
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].0, "distro-family");
        assert!(refused[0].1.starts_with("Debian 12 (Bookworm) is a Linux distribution"));
    }

    #[test]
    fn a_service_of_windows_is_not_on_linux() {
        let refused = broken(&persona(&[&SSH, &RDP], OsFamily::Linux));
        let why = "rdp is not found on linux, only on windows, windows_server".to_owned();
        assert_eq!(refused, [("service-family", why)]);
    }

    #[test]
    fn an_appliance_does_not_run_on_any_distribution() {
        let printer = archetypes().iter().find(|one| one.slug == "printer");
        let services = [&HTTP];
        let mut persona = persona(&services, OsFamily::Embedded);
        persona.archetype = printer;
        assert_eq!(broken(&persona), []);
        persona.distro = persona::find("ubuntu22").unwrap();
        let why = "archetype printer does not run on ubuntu22, only on alpine, debian".to_owned();
        assert_eq!(broken(&persona), [("archetype-distro", why)]);
    }

    #[test]
    fn a_port_is_of_one_service() {
        let why = "services clash and http both listen on port 80; a decky can have only one of \
                   them";
        let refused = broken(&persona(&[&CLASH, &HTTP], OsFamily::Linux));
        assert_eq!(refused, [("one-service-per-port", why.to_owned())]);
    }

    #[test]
    fn every_archetype_keeps_every_rule_on_all_its_distributions() {
        for offer in catalogue().archetypes() {
            for &distro in &offer.distros {
                let archetype = offer.archetype;
                let persona = Persona {
                    services: &offer.services,
                    distro,
                    os: archetype.os,
                    archetype: Some(archetype),
                };
                assert_eq!(broken(&persona), [], "{} on {}", archetype.slug, distro.slug);
            }
        }
    }

    #[test]
    fn every_archetype_of_no_fixed_distribution_runs_on_all_nine() {
        assert_eq!(catalogue().distros().len(), 9);
        for offer in catalogue().archetypes() {
            let archetype = offer.archetype;
            for distro in catalogue().distros() {
                let fits = archetype.distros.contains(&distro.slug);
                let persona = Persona {
                    services: &offer.services,
                    distro,
                    os: archetype.os,
                    archetype: Some(archetype),
                };
                let refused = broken(&persona);
                let fixed = archetype.only_these_distros && !fits;
                let names: Vec<_> = refused.iter().map(|(name, _)| *name).collect();
                let expected: &[&str] = if fixed { &["archetype-distro"] } else { &[] };
                assert_eq!(names, expected, "{} on {}", archetype.slug, distro.slug);
            }
        }
    }
}
