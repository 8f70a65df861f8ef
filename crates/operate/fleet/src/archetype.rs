//! Archetypes: what a machine is for (`spec/deckies.md` §2), one data file each.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::OsFamily;

/// A kind of machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archetype {
    /// Slug, as in `Decky::archetype`.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// What it is, in a few words.
    pub description: String,
    /// Services it runs, of this build or not.
    pub services: Vec<String>,
    /// Distributions it runs on, taken in turn.
    pub distros: Vec<String>,
    /// Whether it runs on no other.
    pub only_these_distros: bool,
    /// What it looks like to a scanner.
    pub os: OsFamily,
    /// Words of its host names.
    pub roles: Vec<String>,
    /// Login names of its second account.
    pub users: Vec<String>,
    /// Pool that its network card's vendor is of.
    pub hardware: String,
}

macro_rules! embedded {
    ($($slug:literal),+ $(,)?) => {
        [$(include_str!(concat!("../data/archetypes/", $slug, ".toml"))),+]
    };
}

#[expect(clippy::expect_used, reason = "the files are part of the program; a test reads them all")]
static ARCHETYPES: LazyLock<Vec<Archetype>> = LazyLock::new(|| {
    embedded![
        "database-server",
        "deaddeck",
        "devops-host",
        "domain-controller",
        "file-server",
        "industrial-control",
        "iot-device",
        "linux-server",
        "mail-server",
        "monitoring-node",
        "printer",
        "voip-server",
        "web-server",
        "windows-server",
        "windows-workstation",
    ]
    .into_iter()
    .map(|text| toml::from_str(text).expect("embedded archetype"))
    .collect()
});

/// All archetypes there are, by slug; [`crate::Catalogue`] says which of them this build can run.
#[must_use]
pub fn archetypes() -> &'static [Archetype] {
    &ARCHETYPES
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hardware;

    #[test]
    fn every_data_file_is_embedded_and_complete() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/archetypes");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let slugs: Vec<String> =
            archetypes().iter().map(|archetype| format!("{}.toml", archetype.slug)).collect();
        assert_eq!(slugs, files.into_iter().collect::<Vec<_>>(), "sorted, none forgotten");
        for archetype in archetypes() {
            let slug = &archetype.slug;
            assert!(!archetype.services.is_empty() && !archetype.distros.is_empty(), "{slug}");
            assert!(!archetype.roles.is_empty() && !archetype.users.is_empty(), "{slug}");
            assert!(hardware::pool(&archetype.hardware).is_some(), "{slug}");
            for service in &archetype.services {
                assert!(archetype.os.runs(service), "{slug} runs {service}");
            }
        }
    }

    #[test]
    fn the_table_of_the_specification_is_there() {
        let row = |slug: &str| {
            let one = archetypes().iter().find(|one| one.slug == slug).unwrap();
            (one.name.as_str(), one.services.join(", "), one.os.slug())
        };
        assert_eq!(archetypes().len(), 15);
        assert_eq!(row("file-server"), ("File Server", "smb, ftp, ssh".into(), "linux"));
        assert_eq!(
            row("domain-controller"),
            ("Domain Controller", "ldap, smb, rdp, llmnr".into(), "windows_server")
        );
        assert_eq!(row("deaddeck"), ("Deaddeck (Entry Point)", "ssh".into(), "linux"));
    }
}
