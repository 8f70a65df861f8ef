//! Paths as bytes.

/// `path` seen from `cwd`: absolute, not normalised.
#[must_use]
pub fn join(cwd: &[u8], path: &[u8]) -> Vec<u8> {
    if path.first() == Some(&b'/') {
        return path.to_vec();
    }
    let mut out = cwd.to_vec();
    if out.last() != Some(&b'/') {
        out.push(b'/');
    }
    out.extend_from_slice(path);
    out
}

/// `path` seen from `cwd`, absolute, with `.`, `..` and doubled slashes resolved by text alone.
#[must_use]
pub fn absolute(cwd: &[u8], path: &[u8]) -> Vec<u8> {
    let joined = join(cwd, path);
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in joined.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        return b"/".to_vec();
    }
    let mut out = Vec::with_capacity(joined.len());
    for part in parts {
        out.push(b'/');
        out.extend_from_slice(part);
    }
    out
}

/// The last part of `path`; `/` for the root.
#[must_use]
pub fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').find(|part| !part.is_empty()).unwrap_or(b"/")
}

/// Everything before the last part of an absolute path.
#[must_use]
pub fn parent_of(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&b| b == b'/') {
        Some(0) | None => b"/",
        Some(at) => path.get(..at).unwrap_or(b"/"),
    }
}
