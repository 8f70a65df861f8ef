//! The secrets that `init` makes: random, once, for root's eyes.

use std::fmt::Write as _;

use base_runtime::entropy;
use operate_fleet::SealingKey;

use super::files;
use super::layout::STATE_DIR;
use super::machine::Machine;
use crate::up::{first_password, hex};

/// Variables, and the file of the state folder that holds the same after a start without `init`.
const VARIABLES: [(&str, &str); 3] = [
    ("DECNET_JWT_SECRET", "jwt.secret"),
    ("DECNET_SECRET_KEY", "seal.key"),
    ("DECNET_ADMIN_PASSWORD", "first-password"),
];

/// A new secrets file. What an earlier start keeps in the state folder stays in force: with another
/// sealing key, nothing that was sealed would open.
pub(super) fn text(machine: &Machine) -> anyhow::Result<String> {
    let mut out = String::from(
        "# Secrets of DECNET, made by `decnet init`. Keep a copy with every copy of the database:\n\
         # without DECNET_SECRET_KEY nothing that it sealed opens again.\n",
    );
    let started = files::is_there(&machine.at(STATE_DIR).join("decnet.db"))?;
    for (name, file) in VARIABLES {
        let is_password = file == "first-password";
        if files::is_there(&machine.at(STATE_DIR).join(file))? || (is_password && started) {
            continue;
        }
        if is_password {
            out.push_str(
                "# For the first login, which asks for another one. Without effect after it.\n",
            );
        }
        writeln!(out, "{name}={}", value(file)?)?;
    }
    Ok(out)
}

fn value(file: &str) -> anyhow::Result<String> {
    match file {
        "jwt.secret" => Ok(hex(&entropy::bytes::<32>()?)),
        "seal.key" => Ok(SealingKey::text(entropy::bytes()?)),
        _ => first_password(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use api::JwtSecret;

    use super::*;

    fn get(text: &str, name: &str) -> Option<String> {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find_map(|(key, value)| (key == name).then(|| value.to_owned()))
    }

    #[test]
    fn every_secret_is_made_anew_and_will_do() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine::new(Some(root.path()));
        let (one, other) = (text(&machine).unwrap(), text(&machine).unwrap());
        for (name, _) in VARIABLES {
            assert_ne!(get(&one, name).unwrap(), get(&other, name).unwrap());
        }
        JwtSecret::parse(&get(&one, "DECNET_JWT_SECRET").unwrap()).unwrap();
        SealingKey::parse(&get(&one, "DECNET_SECRET_KEY").unwrap()).unwrap();
        assert!(get(&one, "DECNET_ADMIN_PASSWORD").unwrap().len() >= 12);
    }

    #[test]
    fn what_sealed_the_data_that_is_there_stays_in_force() {
        let root = tempfile::tempdir().unwrap();
        let machine = Machine::new(Some(root.path()));
        let state = machine.at(STATE_DIR);
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("seal.key"), "key").unwrap();
        fs::write(state.join("decnet.db"), "").unwrap();
        let text = text(&machine).unwrap();
        assert!(get(&text, "DECNET_SECRET_KEY").is_none());
        assert!(get(&text, "DECNET_ADMIN_PASSWORD").is_none());
        assert!(get(&text, "DECNET_JWT_SECRET").is_some());
    }
}
