//! `cargo bench -p bench -- [SCENARIO…]`, as `cargo xtask bench` calls it.

use std::path::Path;

use clap::Parser as _;

fn main() -> anyhow::Result<()> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results.md");
    bench::run(&bench::Options::parse(), &results)
}
