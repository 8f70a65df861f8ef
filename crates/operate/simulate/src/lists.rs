//! Word lists, commands and other data of the scenarios, from the crate's `data` folder.
//!
//! A list has one entry a line; lines that begin with `# ` and empty lines are not entries. Blocks
//! of a list are separated by empty lines. Cells of an entry are separated by tabs.

use crate::plan::Login;

/// Logins that bots try, most common first: user, tab, password.
pub(crate) const GUESSES: &str = include_str!("../data/guesses.tsv");
/// Logins that IoT bots try.
pub(crate) const DEVICE_GUESSES: &str = include_str!("../data/device-guesses.tsv");
/// Logins of a leak, for stuffing.
pub(crate) const LEAKED: &str = include_str!("../data/leaked.tsv");
/// What a bot asks a machine it got into.
pub(crate) const RECON: &str = include_str!("../data/recon.txt");
/// How a miner makes room for itself.
pub(crate) const RIVALS: &str = include_str!("../data/rivals.txt");
/// How a miner stays; `{dir}` and `{file}` are its own.
pub(crate) const PERSISTENCE: &str = include_str!("../data/persistence.txt");
/// What an IoT bot types after login; `{token}` marks its output.
pub(crate) const DEVICE_SHELL: &str = include_str!("../data/device-shell.txt");
/// What a person types, a block for each way of looking around.
pub(crate) const HUMAN: &str = include_str!("../data/human.txt");
/// How a traveller looks for the next machine.
pub(crate) const NEIGHBOURS: &str = include_str!("../data/neighbours.txt");
/// User agents of scanners.
pub(crate) const SCANNERS: &str = include_str!("../data/scanners.txt");
/// User agents of browsers.
pub(crate) const BROWSERS: &str = include_str!("../data/browsers.txt");
/// Paths that scanners ask for.
pub(crate) const PATHS: &str = include_str!("../data/paths.txt");
/// Requests in the shape of exploits: method, path, headers, body, between tabs.
pub(crate) const EXPLOITS: &str = include_str!("../data/exploits.tsv");

/// The entries of `list`.
pub(crate) fn entries(list: &str) -> Vec<&str> {
    list.lines().filter(|line| is_entry(line)).collect()
}

/// The blocks of `list`.
pub(crate) fn blocks(list: &str) -> Vec<Vec<&str>> {
    let blocks = list.split("\n\n").map(entries);
    blocks.filter(|block| !block.is_empty()).collect()
}

/// The logins of `list`.
pub(crate) fn logins(list: &str) -> Vec<Login> {
    let cells = entries(list).into_iter().filter_map(|line| line.split_once('\t'));
    cells.map(|(user, password)| Login::new(user, password)).collect()
}

fn is_entry(line: &str) -> bool {
    !line.trim().is_empty() && line != "#" && !line.starts_with("# ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_entries_and_every_login_two_cells() {
        for list in [GUESSES, DEVICE_GUESSES, LEAKED] {
            assert!(logins(list).len() >= 4);
            assert_eq!(logins(list).len(), entries(list).len(), "a line without tab");
        }
        for list in [RECON, RIVALS, PERSISTENCE, DEVICE_SHELL, NEIGHBOURS, SCANNERS, BROWSERS] {
            assert!(entries(list).len() >= 2, "{list}");
        }
        assert!(blocks(HUMAN).len() >= 3 && entries(PATHS).len() > 20);
        assert!(entries(EXPLOITS).iter().all(|line| line.split('\t').count() == 4), "four cells");
    }

    #[test]
    fn no_list_names_a_host_that_somebody_could_own() {
        // RFC 5737 and RFC 2606 set these aside.
        let reserved = |host: &str| {
            host.starts_with("192.0.2.")
                || host.starts_with("198.51.100.")
                || host.starts_with("203.0.113.")
                || host.split([':', '/']).next().is_some_and(|name| name.ends_with(".example"))
                || host.starts_with('{')
        };
        for list in [RECON, RIVALS, PERSISTENCE, DEVICE_SHELL, HUMAN, NEIGHBOURS, PATHS, EXPLOITS] {
            for line in entries(list) {
                for rest in line.split("://").skip(1) {
                    assert!(reserved(rest), "{line}");
                }
            }
        }
    }
}
