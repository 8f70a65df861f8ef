//! What an operator wants, from a fleet file or flags, on the network of the uplink there is.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use decoys_kit::ServiceSpec;
use operate_fleet::ini::{self, FleetFile, Source};
use operate_fleet::{Catalogue, Network, Problem, Problems, Subnet};

use crate::refusal::{Exit, Refusal};

/// Bytes read of a fleet file: more than its longest text can have.
const MOST_BYTES: u64 = 4 * 524_288 + 1;

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

/// The network of the loopback uplink.
pub(crate) fn loopback() -> Network {
    Network { pool: net_uplink::DECKIES, ..Network::of(Subnet::LOOPBACK) }
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
}
