//! The fast checks before handing a change over.

use crate::run::{cargo, run as call};
use crate::{layers, licences, versions};

pub(crate) fn run() -> anyhow::Result<()> {
    call(&mut cargo(&["fmt", "--all", "--check"]))?;
    layers::check()?;
    licences::check()?;
    versions::check()?;
    call(&mut cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut docs =
        cargo(&["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    // Private items are documented too, so links to them lead somewhere.
    call(docs.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))
}
