//! What an operator wants, from a fleet file or flags, on the network of the uplink there is.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::net::Ipv4Addr;
use std::path::Path;

use decoys_kit::ServiceSpec;
use net_uplink::Addresses;
use operate_fleet::ini::{self, FleetFile, General, Source};
use operate_fleet::{Catalogue, Network, Problem, Problems};

use crate::refusal::{Exit, Refusal};

/// Bytes read of a fleet file: more than its longest text can have.
const MOST_BYTES: u64 = 4 * 524_288 + 1;
/// Addresses that deckies are given on the loopback uplink when no network is given.
const LOOPBACK: (Ipv4Addr, Ipv4Addr) =
    (Ipv4Addr::new(127, 1, 0, 1), Ipv4Addr::new(127, 127, 255, 254));

/// What a decky can be in this build.
pub(crate) fn catalogue() -> Catalogue {
    let specs: Vec<&'static ServiceSpec> =
        decoys_services::ALL.iter().map(|service| &service.spec).collect();
    Catalogue::new(&specs)
}

/// Reads a fleet file.
pub(crate) fn read_file<'c>(
    path: &Path,
    catalogue: &'c Catalogue,
) -> Result<(FleetFile<'c>, Vec<Problem>), Refusal> {
    let shown = path.display();
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut text));
    if let Err(error) = read {
        let what = match error.kind() {
            ErrorKind::NotFound => format!("Config file not found: {shown}"),
            _ => format!("cannot read the fleet file `{shown}`: {error}"),
        };
        return Err(Refusal::new(Exit::Failed, what, "give an INI file with --config"));
    }
    let text = String::from_utf8(text).map_err(|_| {
        let what = format!("the fleet file `{shown}` is not UTF-8 text");
        Refusal::new(Exit::Usage, what, "save it as UTF-8")
    })?;
    ini::read(&text, Source::File, catalogue)
        .map_err(|problems| refuse(Exit::Usage, &format!("the fleet file `{shown}`"), &problems))
}

/// All problems of `whose`, a line each.
pub(crate) fn refuse(exit: Exit, whose: &str, problems: &Problems) -> Refusal {
    let hint =
        "mend what is named; `decnet services`, `archetypes` and `distros` list what there is";
    if let [only] = problems.all() {
        return Refusal::new(exit, format!("{whose}: {only}"), hint);
    }
    let mut what = format!("{whose} has {} problems:", problems.all().len());
    for problem in problems.all() {
        what.push_str(&format!("\n  {problem}"));
    }
    Refusal::new(exit, what, hint)
}

/// The network that `general` and flags describe; that of the loopback uplink when they do not.
pub(crate) fn network(
    general: &General,
    subnet: Option<operate_fleet::Subnet>,
    start: Option<Ipv4Addr>,
) -> Result<Network, Refusal> {
    let mut network = match subnet.or(general.net.map(|(net, _)| net)) {
        Some(subnet) => Network::of(subnet),
        None => loopback(start)?,
    };
    network.skip_ends = network.subnet.address().is_loopback();
    network.gateway = general.gw.map(|(gw, _)| gw);
    network.dhcp = general.dhcp_range.map(|(range, _)| range);
    if let Some(start) = start {
        if !network.subnet.contains(start) {
            let what = format!("--ip-start {start} is outside {}", network.subnet);
            return Err(Refusal::new(Exit::Usage, what, "see --ip-start"));
        }
        network.pool.0 = start;
    }
    Ok(network)
}

fn loopback(start: Option<Ipv4Addr>) -> Result<Network, Refusal> {
    if let Some(start) = start {
        Addresses::starting_at(start)
            .map_err(|error| Refusal::new(Exit::Usage, error, "see --ip-start"))?;
    }
    let subnet = "127.0.0.0/8".parse();
    let subnet = subnet.map_err(|error| Refusal::new(Exit::Failed, error, "report this"))?;
    Ok(Network { pool: LOOPBACK, ..Network::of(subnet) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_said_as_the_specification_has_it() {
        let catalogue = catalogue();
        let refused = read_file(Path::new("/nowhere/fleet.ini"), &catalogue).unwrap_err();
        assert_eq!(refused.to_string(), "Config file not found: /nowhere/fleet.ini");
    }

    #[test]
    fn all_problems_of_a_file_are_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.ini");
        std::fs::write(&path, "[web]\nservices=shh\namount=0\n").unwrap();
        let catalogue = catalogue();
        let refused = read_file(&path, &catalogue).unwrap_err().to_string();
        assert!(refused.contains("has 2 problems:\n  line 2, column 10: Unknown"), "{refused}");
        std::fs::write(&path, [0xff]).unwrap();
        assert!(read_file(&path, &catalogue).unwrap_err().to_string().ends_with("UTF-8 text"));
    }

    #[test]
    fn the_uplinks_network_is_used_unless_one_is_given() {
        let plain = network(&General::default(), None, None).unwrap();
        assert_eq!((plain.subnet.to_string().as_str(), plain.pool), ("127.0.0.0/8", LOOPBACK));
        let first = Ipv4Addr::new(127, 9, 0, 1);
        let start = Some(first);
        assert_eq!(network(&General::default(), None, start).unwrap().pool.0, first);
        let subnet = "192.168.1.0/24".parse().ok();
        assert!(network(&General::default(), subnet, start).is_err());
        assert_eq!(network(&General::default(), subnet, None).unwrap().subnet, subnet.unwrap());
        assert!(network(&General::default(), None, Some([10, 0, 0, 1].into())).is_err());
    }
}
