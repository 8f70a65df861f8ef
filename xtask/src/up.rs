//! A demo fleet in the checkout.

use std::process::Command;

use crate::run::{cargo, root, run as call};

/// Where the demo keeps its state, below the checkout.
const STATE: &str = ".demo";

pub(crate) fn run(options: &[String]) -> anyhow::Result<()> {
    call(&mut cargo(&["build", "--locked", "--release", "--package", "decnet"]))?;
    let mut decnet = Command::new(root().join("target/release/decnet"));
    decnet.arg("up");
    if !options.iter().any(|option| option.starts_with("--state-dir")) {
        decnet.arg("--state-dir").arg(root().join(STATE));
    }
    call(decnet.args(options))
}
