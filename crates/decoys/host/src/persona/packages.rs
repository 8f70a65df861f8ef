//! What is installed on a machine, as its package manager tells.

use std::collections::BTreeMap;

use base_model::Decky;
use decoys_kit::Choices;

use super::{Facts, FtpServer, fill, ftp_server, http_server};

/// A package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    /// Name.
    pub(crate) name: String,
    /// Version with release and epoch.
    pub(crate) version: String,
    /// Architecture.
    pub(crate) arch: String,
    /// What it is, in a line; empty where no tool shows it.
    pub(crate) summary: String,
}

impl Package {
    /// The version without its epoch.
    pub(crate) fn plain_version(&self) -> &str {
        self.version.split_once(':').map_or(self.version.as_str(), |(_, version)| version)
    }

    /// Name, version and architecture, as rpm joins them.
    pub(crate) fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.plain_version(), self.arch)
    }
}

/// The list of a distribution: lines of name, version, architecture and summary, apart by tabs; a
/// line that begins with `@` and the name of a server is only there beside that server.
fn list(slug: &str) -> &'static str {
    macro_rules! lists {
        ($($name:literal),*) => {
            match slug {
                $($name => include_str!(concat!("../../data/personas/packages/", $name, ".txt")),)*
                _ => "",
            }
        };
    }
    lists!(
        "debian", "ubuntu22", "ubuntu20", "rocky9", "centos7", "alpine", "fedora", "kali", "arch"
    )
}

/// The packages of `decky`, in the order of its list.
pub(crate) fn packages(decky: &Decky, facts: &Facts) -> Vec<Package> {
    let choices = Choices::new(&decky.secret);
    let server = http_server(&choices, &decky.distro);
    let values = values(facts);
    let web = || decky.service("http").is_some() || decky.service("https").is_some();
    let there = |tag: &str| match tag {
        "apache" => web() && !server.starts_with("nginx"),
        "nginx" => web() && server.starts_with("nginx"),
        "vsftpd" => decky.service("ftp").is_some() && ftp_server(decky) == FtpServer::Vsftpd,
        "proftpd" => decky.service("ftp").is_some() && ftp_server(decky) == FtpServer::ProFtpd,
        "pure-ftpd" => decky.service("ftp").is_some() && ftp_server(decky) == FtpServer::PureFtpd,
        service => decky.service(service).is_some(),
    };
    let package = |line: &str| {
        let line = match line.strip_prefix('@') {
            Some(tagged) => {
                let (tag, line) = tagged.split_once(' ')?;
                there(tag).then_some(line)?
            }
            None => line,
        };
        let mut parts = line.split('\t').map(|part| fill(part, &values));
        Some(Package {
            name: parts.next()?,
            version: parts.next()?,
            arch: parts.next()?,
            summary: parts.next().unwrap_or_default(),
        })
    };
    list(&facts.distro.slug).lines().filter_map(package).collect()
}

/// Versions of the release in the form that packages have them.
fn values(facts: &Facts) -> BTreeMap<&'static str, String> {
    let release = facts.release;
    let number = |text: &str| {
        let text = text.split_once('/').map_or(text, |(_, version)| version);
        text.split([' ', '-']).next().unwrap_or_default().to_owned()
    };
    let in_brackets = |text: &str| {
        let package = text.split_once('(').and_then(|(_, rest)| rest.split(' ').nth(1));
        package.map_or_else(|| number(text), |package| package.trim_end_matches(')').to_owned())
    };
    let suffix = release.mysql.split_once("-MariaDB-").map_or("", |(_, suffix)| suffix);
    BTreeMap::from([
        ("kernel", release.kernel.clone()),
        ("kernel_package", release.kernel_package.clone()),
        ("ssh_package", release.ssh_package.clone()),
        ("apache_number", number(&release.apache)),
        ("nginx_number", number(&release.nginx)),
        ("mysql", release.mysql.clone()),
        ("mysql_number", number(&release.mysql)),
        ("mysql_suffix", suffix.to_owned()),
        ("postgres_number", number(&release.postgres)),
        ("postgres_package", in_brackets(&release.postgres)),
        ("postgres_major", release.postgres_major().to_owned()),
        ("redis_number", number(&release.redis)),
    ])
}
