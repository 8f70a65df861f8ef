//! What kind of machine a decky is: distributions as data, and the draws that make one unlike
//! another.
//!
//! Everything that two services could contradict each other about comes from here: a release fixes
//! kernel, SSH banner and web server together, and [`Facts`] holds what is particular to a decky.
//! All draws go through [`Choices`] with a label of their own; nothing derives from names.

mod database;
mod facts;
mod family;
mod packages;
mod service;

use std::sync::LazyLock;

use decoys_kit::Choices;
use serde::Deserialize;

pub use facts::{Facts, fill};
pub(crate) use family::services_of;
pub use family::{Family, Postgres, Web};
pub(crate) use packages::{Package, packages};
pub use service::{FtpServer, ftp_server};

/// A distribution.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distro {
    /// Slug, as in `Decky::distro`.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Image label of the catalogue.
    pub image: String,
    /// How its host names look: `generic`, `rhel`, `minimal`, `rolling`.
    pub hostname_style: String,
    /// As in `/etc/os-release`.
    pub pretty_name: String,
    /// Release code name.
    pub codename: String,
    /// `/etc/issue`.
    pub issue: String,
    /// `/etc/issue.net`.
    pub issue_net: String,
    /// Which family it belongs to.
    pub family: String,
    /// Who packages its software, as versions tell: `Debian`, `Ubuntu`, `Rocky Linux` …
    pub vendor: String,
    /// What its mail servers put into their banner in brackets; often nothing.
    #[serde(default)]
    pub mail_label: String,
    /// What its C compiler calls itself.
    pub compiler: String,
    /// Which login text it shows.
    pub welcome: Welcome,
    /// `/etc/motd`.
    #[serde(default)]
    pub motd: String,
    /// Whether the last login is told before the text of the day.
    #[serde(default)]
    pub last_login_first: bool,
    /// Names of the methods its SSH server offers.
    pub ssh_methods: Vec<String>,
    /// Whether the prompt sets the terminal's title.
    pub title_in_prompt: bool,
    /// `PS1`; empty for that of Debian and Ubuntu.
    #[serde(default)]
    pub prompt: String,
    /// What `sh` is.
    pub sh: Sh,
    /// The machine `bash` was built for.
    #[serde(default = "pc")]
    pub bash_machine: String,
    /// Whether `uname` tells processor and platform.
    #[serde(default)]
    pub uname_fills: bool,
    /// What `which` says about a program that is not there.
    #[serde(default)]
    pub which_tells: bool,
    /// How `BusyBox` calls itself.
    #[serde(default)]
    pub busybox: String,
    /// `$BASH_VERSION`.
    pub bash_version: String,
    /// When its oldest packages were built (RFC 3339).
    pub vendor_times: String,
    /// `/etc/os-release`.
    pub os_release: String,
    /// Files only it has.
    pub extra_files: Vec<ExtraFile>,
    /// Versions of packages that programs tell of, by name.
    pub packages: std::collections::BTreeMap<String, String>,
    /// Groups of the first administrator.
    pub admin_groups: Vec<String>,
    /// Lines of the tree besides those of the family.
    #[serde(default)]
    pub(crate) nodes: String,
    /// Texts instead of those of the family.
    #[serde(default)]
    pub(crate) texts: std::collections::BTreeMap<String, String>,
    /// Accounts instead of those of the family.
    #[serde(default)]
    pub(crate) accounts: Option<family::SystemAccounts>,
    /// What runs instead of what runs in the family.
    #[serde(default)]
    pub(crate) daemons: Option<String>,
    /// What runs for a service instead of what runs in the family.
    #[serde(default)]
    pub(crate) servers: std::collections::BTreeMap<String, String>,
    /// Daemons' files besides those of the family: path and size.
    #[serde(default)]
    pub(crate) daemon_files: Vec<(String, u64)>,
    /// Programs of the family that it does not have.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// Sets of versions that were current together.
    #[serde(rename = "release")]
    pub releases: Vec<Release>,
}

fn pc() -> String {
    "x86_64-pc-linux-gnu".to_owned()
}

/// What a login shows before the last login.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Welcome {
    /// The kernel's line and the text of the day.
    Debian,
    /// Ubuntu's news and measurements.
    Ubuntu,
    /// The text of the day.
    Motd,
}

/// What `sh` is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Sh {
    /// dash.
    Dash,
    /// bash.
    Bash,
    /// The `ash` of `BusyBox`.
    Ash,
}

/// A file that only one distribution has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraFile {
    /// Where.
    pub path: String,
    /// What.
    pub text: String,
}

/// Versions that were current together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `uname -r`.
    pub kernel: String,
    /// `uname -v`.
    pub build: String,
    /// Compiler part of `/proc/version`.
    pub compiler: String,
    /// SSH software version, without `SSH-2.0-`.
    pub ssh: String,
    /// Version of the package of the SSH server.
    pub ssh_package: String,
    /// Version of the package of the kernel.
    pub kernel_package: String,
    /// Apache's `Server` header.
    pub apache: String,
    /// nginx's `Server` header.
    pub nginx: String,
    /// Version of the MySQL family server as it greets.
    pub mysql: String,
    /// Version of PostgreSQL with its package, as `server_version` shows it.
    pub postgres: String,
    /// Redis version.
    pub redis: String,
}

impl Release {
    /// Whether its OpenSSH is at least version `major`.`minor`.
    #[must_use]
    pub fn ssh_is(&self, major: u32, minor: u32) -> bool {
        let version = self.ssh.trim_start_matches("OpenSSH_");
        let mut parts =
            version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
        (parts.next().unwrap_or(0_u32), parts.next().unwrap_or(0_u32)) >= (major, minor)
    }
}

#[expect(clippy::expect_used, reason = "the files are part of the program; a test reads them all")]
static DISTROS: LazyLock<Vec<Distro>> = LazyLock::new(|| {
    macro_rules! distros {
        ($($slug:literal),*) => {
            [$(include_str!(concat!("../../data/personas/", $slug, ".toml"))),*]
        };
    }
    // In the order of the catalogue.
    distros!(
        "debian", "ubuntu22", "ubuntu20", "rocky9", "centos7", "alpine", "fedora", "kali", "arch"
    )
    .into_iter()
    .map(|text| toml::from_str(text).expect("embedded persona"))
    .collect()
});

/// Every distribution a decky can be, in the order of the catalogue.
#[must_use]
pub fn distros() -> &'static [Distro] {
    &DISTROS
}

/// The distribution called `slug`.
#[must_use]
pub fn find(slug: &str) -> Option<&'static Distro> {
    DISTROS.iter().find(|distro| distro.slug == slug)
}

/// The distribution called `slug`, or the first one: a decky whose record names an unknown
/// distribution still is one coherent machine.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "the list is embedded and not empty")]
pub fn distro_or_default(slug: &str) -> &'static Distro {
    find(slug).unwrap_or_else(|| &DISTROS[0])
}

/// The set of versions a decky of `slug` runs.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "each embedded distribution has a release")]
pub fn release(choices: &Choices<'_>, slug: &str) -> &'static Release {
    let releases = &distro_or_default(slug).releases;
    choices.pick("persona.release", releases).unwrap_or_else(|| &releases[0])
}

/// The SSH identification string, `SSH-2.0-…`.
#[must_use]
pub fn ssh_banner(choices: &Choices<'_>, slug: &str) -> String {
    format!("SSH-2.0-{}", release(choices, slug).ssh)
}

/// The kernel release.
#[must_use]
pub fn kernel(choices: &Choices<'_>, slug: &str) -> &'static str {
    &release(choices, slug).kernel
}

/// The web server's `Server` header; one of the two servers is chosen for the decky.
#[must_use]
pub fn http_server(choices: &Choices<'_>, slug: &str) -> &'static str {
    let release = release(choices, slug);
    if choices.range("persona.http.server", 0, 2) == 0 { &release.nginx } else { &release.apache }
}

/// What a company in this trade may be called, without the form it has.
const COMPANIES: &[&str] = &[
    "Halvorsen",
    "Brentlow",
    "Kestrel",
    "Norvane",
    "Ardmore",
    "Lindqvist",
    "Pellworth",
    "Tamarin",
    "Osterley",
    "Calder",
    "Vantor",
    "Maribel",
    "Quillon",
    "Redfern",
    "Sablewood",
    "Wexcombe",
];
const COMPANY_ENDINGS: &[&str] = &["Logistics", "Systems", "Foods", "Medical", "Works", "Trading"];
/// Suffixes that are never delegated to anybody on the Internet, or used as if they were not.
const SUFFIXES: &[&str] = &["local", "lan", "internal", "corp", "intra"];

/// The company the machine belongs to.
#[must_use]
pub fn company(choices: &Choices<'_>) -> String {
    let name = choices.pick("persona.company", COMPANIES).unwrap_or(&"Calder");
    let ending = choices.pick("persona.company.ending", COMPANY_ENDINGS).unwrap_or(&"Systems");
    format!("{name} {ending}")
}

/// The domain the machine is in.
#[must_use]
pub fn domain(choices: &Choices<'_>) -> String {
    let company = company(choices).to_lowercase();
    let name = match choices.range("persona.domain", 0, 2) {
        0 => company.replace(' ', "-"),
        _ => company.split(' ').next().unwrap_or_default().to_owned(),
    };
    format!("{name}.{}", choices.pick("persona.domain.suffix", SUFFIXES).unwrap_or(&"local"))
}

/// Words of host names (`spec/deckies.md` §3.1).
pub const WORDS: &[&str] = &[
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet",
    "kilo", "lima", "mike", "nova", "oscar", "prod", "web", "db", "mail", "proxy", "dev", "stage",
    "backup", "monitor", "files",
];

/// The domain of the machine called `hostname`: the one in its name, else the one it was `given`, else
/// one of its own.
#[must_use]
pub fn domain_of(choices: &Choices<'_>, given: Option<&str>, hostname: &str) -> String {
    match (hostname.split_once('.'), given) {
        (Some((_, domain)), _) if !domain.is_empty() => domain.to_lowercase(),
        (_, Some(given)) => given.to_lowercase(),
        _ => domain(choices),
    }
}

/// `hostname` in `domain`.
#[must_use]
pub fn fqdn(domain: &str, hostname: &str) -> String {
    let short = hostname.split('.').next().unwrap_or(hostname).to_lowercase();
    format!("{short}.{domain}")
}

impl Distro {
    /// What it shares with others.
    #[must_use]
    pub fn family(&self) -> &'static Family {
        family::family(&self.family)
    }

    /// The text called `key`: its own, else its family's, else the one all share.
    pub(crate) fn text(&self, key: &str) -> &str {
        let own = self.texts.get(key).or_else(|| self.family().texts.get(key));
        own.map_or_else(|| family::shared_text(key), String::as_str)
    }

    /// The accounts that come with it.
    pub(crate) fn accounts(&self) -> &family::SystemAccounts {
        self.accounts.as_ref().unwrap_or(&self.family().accounts)
    }

    /// Whether its machines have the program `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.absent.iter().chain(&self.family().absent).any(|absent| absent == name)
    }

    /// Whether its shell is at least version `major`.`minor`.
    #[must_use]
    pub fn bash_is(&self, major: u32, minor: u32) -> bool {
        let mut parts = self.bash_version.split('.').map(|part| part.parse().unwrap_or(0_u32));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }

    /// What Postfix says after its name: ` (Debian/GNU)`, or nothing.
    #[must_use]
    pub fn mail_banner(&self) -> String {
        if self.mail_label.is_empty() { String::new() } else { format!(" ({})", self.mail_label) }
    }

    /// PostgreSQL as the family packages it.
    #[must_use]
    pub fn postgres(&self) -> &'static Postgres {
        &self.family().postgres
    }

    /// The version of `package`; empty when it is not in the data.
    #[must_use]
    pub fn package(&self, package: &str) -> &str {
        self.packages.get(package).map_or("", String::as_str)
    }
}

/// A host name in the style of distribution `slug`.
#[must_use]
pub fn hostname(choices: &Choices<'_>, slug: &str) -> String {
    let word = |label| *choices.pick(label, WORDS).unwrap_or(&"alpha");
    let number = choices.range("persona.hostname.number", 10, 99);
    let first = word("persona.hostname.word");
    styled_hostname(slug, first, word("persona.hostname.second"), number)
}

/// The host name that `first`, `second` and `number` make in the style of distribution `slug`; not
/// every style has room for all three.
#[must_use]
pub fn styled_hostname(slug: &str, first: &str, second: &str, number: u64) -> String {
    match distro_or_default(slug).hostname_style.as_str() {
        "rhel" => format!("{first}{number}.localdomain"),
        "minimal" => format!("{first}-{number}"),
        "rolling" => format!("{first}-{second}"),
        _ => format!("SRV-{}-{number}", first.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use base_model::PersonaSecret;

    use super::*;

    #[test]
    fn every_embedded_persona_reads_and_has_releases() {
        assert_eq!(distros().len(), 9);
        for distro in distros() {
            assert!(family::exists(&distro.family), "{}", distro.slug);
            assert!(!distro.releases.is_empty(), "{}", distro.slug);
            assert!(distro.os_release.contains(&distro.pretty_name), "{}", distro.slug);
            for release in &distro.releases {
                assert!(release.ssh.starts_with("OpenSSH_"));
            }
        }
    }

    #[test]
    fn draws_agree_within_a_decky_and_differ_between_them() {
        let (one, two) = (PersonaSecret::new([1; 32]), PersonaSecret::new([2; 32]));
        let (one, two) = (Choices::new(&one), Choices::new(&two));
        assert_eq!(hostname(&one, "debian"), hostname(&one, "debian"));
        assert_ne!(hostname(&one, "debian"), hostname(&two, "debian"));
        assert!(ssh_banner(&one, "debian").starts_with("SSH-2.0-OpenSSH_9.2p1 Debian"));
        assert!(ssh_banner(&one, "ubuntu22").contains("Ubuntu"));
        let server = http_server(&one, "ubuntu22");
        assert!(server.contains("Ubuntu"), "{server}");
    }
}
