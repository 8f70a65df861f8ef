//! Operating-system families (`spec/deckies.md` §5).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What a scanner takes a machine for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OsFamily {
    /// Linux.
    Linux,
    /// Windows on a desk.
    Windows,
    /// Windows in a rack.
    WindowsServer,
    /// FreeBSD and its like.
    Bsd,
    /// Small devices.
    Embedded,
    /// Cisco IOS.
    Cisco,
}

impl OsFamily {
    /// All, in the order of the specification.
    pub const ALL: [Self; 6] =
        [Self::Linux, Self::Windows, Self::WindowsServer, Self::Bsd, Self::Embedded, Self::Cisco];

    /// The slug, as in `Decky::os` and `nmap_os=`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
            Self::WindowsServer => "windows_server",
            Self::Bsd => "bsd",
            Self::Embedded => "embedded",
            Self::Cisco => "cisco",
        }
    }

    /// The family of `slug`.
    #[must_use]
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.slug() == slug)
    }

    /// Whether a Linux distribution can look like this from outside.
    #[must_use]
    pub const fn runs_linux(self) -> bool {
        matches!(self, Self::Linux | Self::Embedded)
    }

    /// Whether `service` is to be found on such machines.
    #[must_use]
    pub fn runs(self, service: &str) -> bool {
        FAMILIES.get(service).is_none_or(|families| families.contains(&self))
    }
}

/// The families `service` is to be found on; `None` when on all.
pub(crate) fn families_of(service: &str) -> Option<&'static [OsFamily]> {
    FAMILIES.get(service).map(Vec::as_slice)
}

#[expect(clippy::expect_used, reason = "the file is part of the program; a test reads it")]
static FAMILIES: LazyLock<BTreeMap<String, Vec<OsFamily>>> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/families.toml")).expect("embedded table of families")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_found_again_and_the_table_reads() {
        for family in OsFamily::ALL {
            assert_eq!(OsFamily::find(family.slug()), Some(family));
        }
        assert!(OsFamily::Windows.runs("rdp") && !OsFamily::Linux.runs("rdp"));
        assert!(OsFamily::ALL.into_iter().all(|family| family.runs("http")));
    }
}
