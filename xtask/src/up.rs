//! A demo fleet in the checkout.

use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use crate::run::{cargo, output, root, run as call};

/// Where the demo keeps its state, below the checkout.
const STATE: &str = ".demo";

pub(crate) fn run(options: &[String]) -> anyhow::Result<()> {
    call(&mut cargo(&["build", "--locked", "--release", "--package", "decnet"]))?;
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let target = metadata.get("target_directory").and_then(Value::as_str);
    let target = target.context("cargo does not say where it builds")?;
    let mut decnet = Command::new(format!("{target}/release/decnet"));
    decnet.arg("up");
    if !options.iter().any(|option| option.starts_with("--state-dir")) {
        decnet.arg("--state-dir").arg(root().join(STATE));
    }
    call(decnet.args(options))
}
