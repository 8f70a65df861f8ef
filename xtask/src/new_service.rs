//! A new decoy service from the template.

use std::fs;

use anyhow::{Context as _, ensure};

use crate::run::root;

#[expect(clippy::print_stderr, reason = "a task talks to whoever runs it")]
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let [name] = args else { anyhow::bail!("usage: cargo xtask new-service NAME") };
    let fits = !name.is_empty()
        && name.len() <= 16
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    ensure!(fits, "a service name is 1 to 16 of a-z, 0-9 and _, beginning with a letter");
    let services = root().join("crates/decoys/services/src");
    let (from, to) = (services.join("template"), services.join(name));
    ensure!(!to.exists(), "`{}` exists", to.display());
    copy(&from, &to, name)?;
    eprintln!(
        "{} is there; now add it to {}:",
        to.display(),
        services.join("registry.rs").display()
    );
    eprintln!("    &crate::{name}::SERVICE,");
    eprintln!("and `pub mod {name};` to {}", services.join("lib.rs").display());
    Ok(())
}

fn copy(from: &std::path::Path, to: &std::path::Path, name: &str) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("no `{}`", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target, name)?;
        } else {
            let text = fs::read_to_string(entry.path())?;
            fs::write(target, text.replace("template", name))?;
        }
    }
    Ok(())
}
