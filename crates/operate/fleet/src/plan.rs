//! Draws deckies.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use base_model::{Account, Decky, DeckyId, DeckyService, PersonaSecret, Port, Timestamp};
use decoys_host::persona;
use decoys_kit::{Choices, ServiceSpec};

/// Passwords that are tried first everywhere; a decky accepts one of them.
const WEAK: &[&str] = &[
    "123456",
    "password",
    "admin",
    "root",
    "toor",
    "12345678",
    "qwerty",
    "letmein",
    "changeme",
    "welcome",
    "raspberry",
    "ubuntu",
    "1q2w3e4r",
    "P@ssw0rd",
    "admin123",
    "root123",
    "test",
    "server",
    "linux",
    "default",
];
/// Second accounts.
const USERS: &[&str] = &["admin", "deploy", "ubuntu", "backup1", "svc", "operator1", "dev", "git"];
/// Uptimes, in seconds: an hour to 45 days (`spec/services.md` §1.4).
const UPTIME: (u64, u64) = (3600, 45 * 86_400);

/// What fleet is wanted.
#[derive(Clone, Debug)]
pub struct Request<'r> {
    /// How many deckies to draw.
    pub count: usize,
    /// Their services; validated by [`services_of`].
    pub services: &'r [&'static ServiceSpec],
    /// Names and host names already taken.
    pub taken: &'r [Decky],
    /// The time.
    pub now: Timestamp,
}

/// A fleet cannot be drawn.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A service that does not exist.
    #[error("Unknown service(s): {unknown:?}. Available: {available:?}")]
    UnknownServices {
        /// As given.
        unknown: Vec<String>,
        /// What there is.
        available: Vec<&'static str>,
    },
    /// No service.
    #[error("A decky must have at least one service.")]
    NoServices,
    /// Two services on one port.
    #[error("services {0} and {1} both listen on port {2}; a decky can have only one of them")]
    SamePort(&'static str, &'static str, u16),
}

/// The services called `names`, or all of them, as far as one decky can have them.
///
/// # Errors
/// When a name is unknown, or two of them want one port.
pub fn services_of(
    names: Option<&[String]>,
    all: &[&'static ServiceSpec],
) -> Result<Vec<&'static ServiceSpec>, PlanError> {
    let mut available: Vec<&'static str> = all.iter().map(|spec| spec.name).collect();
    available.sort_unstable();
    let Some(names) = names else { return Ok(all.to_vec()) };
    let unknown: Vec<String> =
        names.iter().filter(|name| !available.contains(&name.as_str())).cloned().collect();
    if !unknown.is_empty() {
        return Err(PlanError::UnknownServices { unknown, available });
    }
    let chosen: Vec<_> =
        all.iter().filter(|spec| names.iter().any(|name| name == spec.name)).copied().collect();
    if chosen.is_empty() {
        return Err(PlanError::NoServices);
    }
    let mut ports = BTreeMap::new();
    for spec in &chosen {
        for listen in spec.listens {
            if let Some(other) = ports.insert((listen.transport.name(), listen.port), spec.name) {
                return Err(PlanError::SamePort(other, spec.name, listen.port));
            }
        }
    }
    Ok(chosen)
}

/// Draws `request.count` deckies. `secrets` and `addresses` must give that many.
#[must_use]
pub fn plan(
    request: &Request<'_>,
    secrets: impl IntoIterator<Item = [u8; 32]>,
    addresses: impl IntoIterator<Item = IpAddr>,
) -> Vec<Decky> {
    let mut names: BTreeSet<String> = request.taken.iter().map(|one| one.name.clone()).collect();
    let mut hosts: BTreeSet<String> =
        request.taken.iter().map(|one| one.hostname.clone()).collect();
    let width = (request.taken.len() + request.count).to_string().len().max(2);
    let drawn = secrets.into_iter().zip(addresses).take(request.count);
    drawn
        .enumerate()
        .map(|(at, (secret, ip))| {
            let secret = PersonaSecret::new(secret);
            let name = (1..)
                .map(|n| format!("decky-{n:0width$}"))
                .find(|name| !names.contains(name))
                .unwrap_or_default();
            names.insert(name.clone());
            let distros = persona::distros();
            let turn = (request.taken.len() + at) % distros.len().max(1);
            let distro = distros.get(turn).map_or("debian", |distro| distro.slug.as_str());
            let hostname = hostname(&secret, distro, &hosts);
            hosts.insert(hostname.clone());
            decky(secret, name, hostname, ip, distro, request)
        })
        .collect()
}

fn decky(
    secret: PersonaSecret,
    name: String,
    hostname: String,
    ip: IpAddr,
    distro: &str,
    request: &Request<'_>,
) -> Decky {
    let choices = Choices::new(&secret);
    let uptime = choices.range("fleet.uptime", UPTIME.0, UPTIME.1);
    let id = DeckyId::from_entropy(choices.bytes("fleet.id"));
    let accounts = accounts(&choices);
    let services = request
        .services
        .iter()
        .map(|spec| DeckyService {
            name: spec.name.to_owned(),
            settings: BTreeMap::new(),
            transport: spec.listens.first().map_or(base_model::Transport::Tcp, |l| l.transport),
            ports: spec
                .listens
                .iter()
                .map(|listen| Port { number: listen.port, reached_at: listen.port })
                .collect(),
        })
        .collect();
    Decky {
        id,
        name,
        ip,
        hostname,
        archetype: "linux-server".into(),
        distro: distro.to_owned(),
        os: "linux".into(),
        boot_time: request.now.seconds().saturating_sub_unsigned(uptime),
        accounts,
        services,
        secret,
    }
}

/// A host name that no other decky has.
fn hostname(secret: &PersonaSecret, distro: &str, taken: &BTreeSet<String>) -> String {
    let first = persona::hostname(&Choices::new(secret), distro);
    if !taken.contains(&first) {
        return first;
    }
    // Drawn again under other secrets that follow from this one, then numbered on.
    let again = (0..64u8).map(|n| {
        let next = PersonaSecret::new(Choices::new(secret).bytes(&format!("fleet.hostname.{n}")));
        persona::hostname(&Choices::new(&next), distro)
    });
    let numbered = (2..).map(|n| format!("{first}-{n}"));
    again.chain(numbered).find(|name| !taken.contains(name)).unwrap_or(first)
}

fn accounts(choices: &Choices<'_>) -> Vec<Account> {
    let pick = |label: &str, from: &[&'static str]| {
        choices.pick(label, from).copied().unwrap_or("admin").to_owned()
    };
    vec![
        Account { username: "root".into(), password: pick("account.root", WEAK), uid: 0 },
        Account {
            username: pick("account.user.name", USERS),
            password: pick("account.user", WEAK),
            uid: 1000,
        },
    ]
}

#[cfg(test)]
mod tests {
    use decoys_kit::{Fidelity, Listen};

    use super::*;

    static SSH: ServiceSpec = spec("ssh", &[Listen::tcp(22)]);
    static HTTP: ServiceSpec = spec("http", &[Listen::tcp(80)]);
    static CLASH: ServiceSpec = spec("clash", &[Listen::tcp(80)]);

    const fn spec(name: &'static str, listens: &'static [Listen]) -> ServiceSpec {
        ServiceSpec {
            name,
            summary: "",
            fidelity: Fidelity::Low,
            listens,
            settings: &[],
            events: &[],
        }
    }

    fn draw(count: usize, taken: &[Decky]) -> Vec<Decky> {
        let services = [&SSH, &HTTP];
        let now = Timestamp::from_micros(1_767_225_600_000_000);
        let request = Request { count, services: &services, taken, now };
        let first = u8::try_from(taken.len()).unwrap();
        let secrets = (first..).map(|n| [n; 32]);
        plan(&request, secrets, (1..).map(|n: u8| IpAddr::from([127, 1, 0, n])))
    }

    #[test]
    fn deckies_share_nothing_and_are_drawn_alike_from_alike_secrets() {
        let deckies = draw(40, &[]);
        assert_eq!(deckies, draw(40, &[]));
        for (field, distinct) in [
            ("name", deckies.iter().map(|d| d.name.clone()).collect::<BTreeSet<_>>()),
            ("hostname", deckies.iter().map(|d| d.hostname.clone()).collect()),
            ("id", deckies.iter().map(|d| d.id.to_string()).collect()),
            ("boot time", deckies.iter().map(|d| d.boot_time.to_string()).collect()),
        ] {
            assert_eq!(distinct.len(), 40, "{field} repeats");
        }
        let passwords: BTreeSet<_> = deckies.iter().map(|d| &d.accounts[0].password).collect();
        assert!(passwords.len() > 5);
    }

    #[test]
    fn a_fleet_grows_without_touching_what_is_there() {
        let first = draw(3, &[]);
        let more = draw(2, &first);
        let names: Vec<_> = more.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["decky-04", "decky-05"]);
    }

    #[test]
    fn services_are_checked() {
        let all = [&SSH, &HTTP, &CLASH];
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            services_of(Some(&names(&["shh"])), &all).unwrap_err().to_string(),
            "Unknown service(s): [\"shh\"]. Available: [\"clash\", \"http\", \"ssh\"]"
        );
        assert_eq!(services_of(Some(&[]), &all).unwrap_err(), PlanError::NoServices);
        assert_eq!(
            services_of(Some(&names(&["clash", "http"])), &all).unwrap_err(),
            PlanError::SamePort("http", "clash", 80)
        );
    }
}
