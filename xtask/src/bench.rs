//! Load on the real binary: builds it and `bench`, runs scenarios, prints and keeps the figures.

use crate::run::{cargo, run as call};

pub(crate) fn run(options: &[String]) -> anyhow::Result<()> {
    call(&mut cargo(&["build", "--locked", "--release", "--package", "decnet"]))?;
    let mut bench = cargo(&["bench", "--locked", "--package", "bench", "--bench", "scenarios"]);
    call(bench.arg("--").args(options))
}
