//! `decnet services`, `archetypes` and `distros`: what a decky can be in this build.

use std::process::ExitCode;

use decoys_kit::Fidelity;
use operate_fleet::Catalogue;
use serde_json::{Value, json};

use super::table::table;
use super::{answer, wanted};

/// What to list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Listing {
    Services,
    Archetypes,
    Distros,
}

/// Prints a listing, as a table or as JSON.
pub(crate) fn list(listing: Listing, as_json: bool) -> ExitCode {
    let catalogue = wanted::catalogue();
    let text = if as_json {
        serde_json::to_string_pretty(&json(listing, &catalogue)).map(|text| text + "\n")
    } else {
        Ok(shown(listing, &catalogue))
    };
    answer(text.map_err(Into::into))
}

fn shown(listing: Listing, catalogue: &Catalogue) -> String {
    let (title, headers, mut rows) = match listing {
        Listing::Services => (
            "Available Services",
            vec!["Name", "Ports", "Imitates"],
            catalogue
                .services()
                .iter()
                .map(|spec| vec![spec.name.to_owned(), ports(spec), spec.summary.to_owned()])
                .collect::<Vec<_>>(),
        ),
        Listing::Archetypes => (
            "Machine Archetypes",
            vec!["Slug", "Display Name", "Default Services", "Description"],
            catalogue
                .archetypes()
                .iter()
                .map(|offer| {
                    let kind = offer.archetype;
                    let services: Vec<_> = offer.services.iter().map(|spec| spec.name).collect();
                    let services = services.join(", ");
                    vec![kind.slug.clone(), kind.name.clone(), services, kind.description.clone()]
                })
                .collect(),
        ),
        Listing::Distros => (
            "Available Distro Profiles",
            vec!["Slug", "Display Name", "Docker Image"],
            catalogue
                .distros()
                .iter()
                .map(|one| vec![one.slug.clone(), one.name.clone(), one.image.clone()])
                .collect(),
        ),
    };
    rows.sort();
    table(title, &headers, &rows)
}

fn ports(spec: &decoys_kit::ServiceSpec) -> String {
    let ports = spec.listens.iter();
    let ports: Vec<_> = ports.map(|it| format!("{}/{}", it.port, it.transport.name())).collect();
    ports.join(", ")
}

fn json(listing: Listing, catalogue: &Catalogue) -> Value {
    match listing {
        Listing::Services => catalogue.services().iter().map(|spec| service(spec)).collect(),
        Listing::Archetypes => catalogue
            .archetypes()
            .iter()
            .map(|offer| {
                let kind = offer.archetype;
                json!({
                    "slug": kind.slug,
                    "name": kind.name,
                    "description": kind.description,
                    "services": offer.services.iter().map(|it| it.name).collect::<Vec<_>>(),
                    "distros": offer.distros.iter().map(|it| &it.slug).collect::<Vec<_>>(),
                    "nmap_os": kind.os.slug(),
                })
            })
            .collect(),
        Listing::Distros => {
            let mut distros: Vec<_> = catalogue.distros().iter().collect();
            distros.sort_by(|one, other| one.slug.cmp(&other.slug));
            distros
                .iter()
                .map(|one| json!({ "slug": one.slug, "name": one.name, "image": one.image }))
                .collect()
        }
    }
}

fn service(spec: &decoys_kit::ServiceSpec) -> Value {
    let fidelity = match spec.fidelity {
        Fidelity::Low => "low",
        Fidelity::Medium => "medium",
        Fidelity::High => "high",
    };
    let ports: Vec<_> = spec
        .listens
        .iter()
        .map(|listen| json!({ "port": listen.port, "transport": listen.transport.name() }))
        .collect();
    let settings: Vec<_> = spec
        .settings
        .iter()
        .map(|one| json!({ "key": one.key, "label": one.label, "help": one.help }))
        .collect();
    json!({
        "name": spec.name,
        "summary": spec.summary,
        "fidelity": fidelity,
        "ports": ports,
        "settings": settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listing_has_the_columns_and_rows_of_this_build() {
        let catalogue = wanted::catalogue();
        let services = shown(Listing::Services, &catalogue);
        assert!(services.starts_with("Available Services\n\nName"), "{services}");
        assert!(services.contains("\nssh ") && services.contains("22/tcp"), "{services}");
        let archetypes = shown(Listing::Archetypes, &catalogue);
        assert!(archetypes.contains("linux-server"), "{archetypes}");
        let distros = shown(Listing::Distros, &catalogue);
        assert!(distros.contains("debian:bookworm-slim"), "{distros}");
        let slugs: Vec<_> = json(Listing::Archetypes, &catalogue)
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["slug"].as_str().unwrap().to_owned())
            .collect();
        assert!(slugs.is_sorted() && slugs.contains(&"web-server".to_owned()));
    }
}
