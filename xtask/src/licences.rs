//! The licences of all dependencies: each must offer one that goes with AGPL-3.0-or-later.

use anyhow::ensure;
use serde_json::Value;

use crate::run::{cargo, output};

/// Licences that may be combined with ours.
const FINE: &[&str] = &[
    "0BSD",
    "AGPL-3.0-or-later",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "blessing",
    "CDLA-Permissive-2.0",
];

pub(crate) fn check() -> anyhow::Result<()> {
    let metadata = output(&mut cargo(&["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    let faults: Vec<String> = packages
        .filter_map(|package| {
            let name = package.get("name")?.as_str()?;
            let licence = package.get("license").and_then(Value::as_str).unwrap_or("none given");
            (!is_fine(licence)).then(|| format!("{name}: {licence}"))
        })
        .collect();
    ensure!(faults.is_empty(), "licences that do not go with ours:\n  {}", faults.join("\n  "));
    Ok(())
}

/// Whether some way through the expression leads to licences that are all fine.
fn is_fine(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| FINE.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_enough_but_every_part_counts() {
        assert!(is_fine("MIT OR Apache-2.0"));
        assert!(is_fine("MIT/GPL-2.0"));
        assert!(is_fine("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!is_fine("GPL-2.0-only"));
        assert!(!is_fine("MIT AND LicenseRef-odd"));
    }
}
