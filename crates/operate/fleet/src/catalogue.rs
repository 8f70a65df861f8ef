//! What a decky can be in this build: its services, archetypes and distributions.

use decoys_host::persona::{self, Distro};
use decoys_kit::ServiceSpec;

use crate::archetype::{Archetype, archetypes};
use crate::nearest::did_you_mean;
use crate::problem::{Place, Problem, brief};

/// Unknown names that are told.
const TOLD: usize = 10;

/// An archetype with what this build has of it.
#[derive(Debug)]
pub struct Offer {
    /// The archetype.
    pub archetype: &'static Archetype,
    /// Those of its services there are; at least one.
    pub services: Vec<&'static ServiceSpec>,
    /// Those of its distributions there are; at least one.
    pub distros: Vec<&'static Distro>,
}

/// What a decky can be in this build.
#[derive(Debug)]
pub struct Catalogue {
    services: Vec<&'static ServiceSpec>,
    offers: Vec<Offer>,
}

impl Catalogue {
    /// The catalogue of a build that has `services`. Archetypes none of whose services or
    /// distributions exist are left out.
    #[must_use]
    pub fn new(services: &[&'static ServiceSpec]) -> Self {
        let mut services = services.to_vec();
        services.sort_by_key(|spec| spec.name);
        let offers = archetypes()
            .iter()
            .filter_map(|archetype| {
                let offered = archetype
                    .services
                    .iter()
                    .filter_map(|name| services.iter().copied().find(|spec| spec.name == name))
                    .collect::<Vec<_>>();
                let distros: Vec<_> =
                    archetype.distros.iter().filter_map(|slug| persona::find(slug)).collect();
                let runs = !offered.is_empty() && !distros.is_empty();
                runs.then_some(Offer { archetype, services: offered, distros })
            })
            .collect();
        Self { services, offers }
    }

    /// All services, by name.
    #[must_use]
    pub fn services(&self) -> &[&'static ServiceSpec] {
        &self.services
    }

    /// All archetypes, by slug.
    #[must_use]
    pub fn archetypes(&self) -> &[Offer] {
        &self.offers
    }

    /// All distributions, in the order of the specification.
    #[must_use]
    pub fn distros(&self) -> &'static [Distro] {
        persona::distros()
    }

    /// The service called `name`.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&'static ServiceSpec> {
        self.services.iter().copied().find(|spec| spec.name == name)
    }

    /// Whether some archetype names `service`, though this build may not have it.
    pub(crate) fn knows_of(&self, service: &str) -> bool {
        archetypes().iter().any(|archetype| archetype.services.iter().any(|one| one == service))
    }

    /// The services called `names`, each once, in the order given.
    ///
    /// # Errors
    /// When one is unknown or none is named; `whose` is the section that names them.
    pub fn select(
        &self,
        names: &[String],
        whose: Option<&str>,
        at: Option<Place>,
    ) -> Result<Vec<&'static ServiceSpec>, Problem> {
        let mut chosen: Vec<&'static ServiceSpec> = Vec::new();
        let mut unknown = Vec::new();
        for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            match self.service(&name.to_ascii_lowercase()) {
                Some(spec) if chosen.iter().any(|one| one.name == spec.name) => {}
                Some(spec) => chosen.push(spec),
                None if unknown.len() < TOLD => unknown.push(brief(name)),
                None => {}
            }
        }
        if let Some(first) = unknown.first() {
            let available: Vec<_> = self.services.iter().map(|spec| spec.name).collect();
            let section = whose.map_or_else(String::new, |section| format!(" in [{section}]"));
            let hint = if self.knows_of(first) {
                Some(format!("{first} is not in this build"))
            } else {
                did_you_mean(first, available.iter().copied())
            };
            let text =
                format!("Unknown service(s){section}: {unknown:?}. Available: {available:?}");
            return Err(Problem::new(at, text).hinted(hint));
        }
        if chosen.is_empty() {
            return Err(Problem::new(at, "A decky must have at least one service."));
        }
        Ok(chosen)
    }

    /// The archetype `slug`.
    ///
    /// # Errors
    /// When there is none, or this build has nothing of it.
    pub fn archetype(&self, slug: &str, at: Option<Place>) -> Result<&Offer, Problem> {
        let lower = slug.to_ascii_lowercase();
        if let Some(offer) = self.offers.iter().find(|offer| offer.archetype.slug == lower) {
            return Ok(offer);
        }
        let slugs = || self.offers.iter().map(|offer| offer.archetype.slug.as_str());
        let hint = match archetypes().iter().find(|one| one.slug == lower) {
            Some(known) => Some(self.lacks(known)),
            None => did_you_mean(slug, slugs()),
        };
        let available = slugs().collect::<Vec<_>>().join(", ");
        let text = format!("Unknown archetype '{}'. Available: {available}", brief(slug));
        Err(Problem::new(at, text).hinted(hint))
    }

    fn lacks(&self, archetype: &Archetype) -> String {
        let without = archetype.services.iter().all(|name| self.service(name).is_none());
        let (what, which) = if without {
            ("services", &archetype.services)
        } else {
            ("distributions", &archetype.distros)
        };
        format!("this build has none of its {what}: {}", which.join(", "))
    }

    /// The distribution `slug`.
    ///
    /// # Errors
    /// When there is none.
    pub fn distro(&self, slug: &str, at: Option<Place>) -> Result<&'static Distro, Problem> {
        persona::find(&slug.to_ascii_lowercase()).ok_or_else(|| {
            let mut slugs: Vec<_> = self.distros().iter().map(|one| one.slug.as_str()).collect();
            slugs.sort_unstable();
            let text = format!("Unknown distro '{}'. Available: {}", brief(slug), slugs.join(", "));
            Problem::new(at, text).hinted(did_you_mean(slug, slugs.iter().copied()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, catalogue};

    #[test]
    fn an_archetype_is_offered_with_the_services_there_are() {
        let catalogue = Catalogue::new(&[&testing::SSH, &testing::HTTP]);
        let row = |slug: &str| {
            let offer = catalogue.archetype(slug, None).unwrap();
            offer.services.iter().map(|spec| spec.name).collect::<Vec<_>>()
        };
        assert_eq!(row("linux-server"), ["ssh", "http"]);
        assert_eq!(row("file-server"), ["ssh"]);
        let refused = catalogue.archetype("mail-server", None).unwrap_err().to_string();
        assert!(refused.contains("none of its services: smtp, pop3, imap"), "{refused}");
        let full = testing::catalogue();
        let refused = full.archetype("windows-server", None).unwrap_err().to_string();
        assert!(refused.starts_with("Unknown archetype 'windows-server'. Available: "));
    }

    #[test]
    fn unknown_names_are_answered_with_what_there_is() {
        let catalogue = catalogue();
        let refuse = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            catalogue.select(&names, None, None).unwrap_err().to_string()
        };
        assert_eq!(
            refuse(&["shh", "http"]),
            "Unknown service(s): [\"shh\"]. Available: [\"ftp\", \"http\", \"mysql\", \"ssh\"] \
             (did you mean ssh?)"
        );
        assert!(refuse(&["snmp"]).ends_with("(snmp is not in this build)"));
        assert_eq!(refuse(&["", " "]), "A decky must have at least one service.");
        let archetype = catalogue.archetype("linux-sever", None).unwrap_err();
        assert!(archetype.text.starts_with("Unknown archetype 'linux-sever'. Available: data"));
        assert_eq!(archetype.hint.as_deref(), Some("did you mean linux-server?"));
        let distro = catalogue.distro("ubunt22", None).unwrap_err();
        assert!(distro.text.starts_with("Unknown distro 'ubunt22'. Available: "), "{distro}");
        assert_eq!(distro.hint.as_deref(), Some("did you mean ubuntu22?"));
    }
}
