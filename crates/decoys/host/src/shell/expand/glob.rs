//! File names that match a pattern.

use crate::fs::Creds;
use crate::shell::interp::Interp;
use crate::shell::pattern;

/// Most directory entries looked at for one pattern.
const MAX_GLOB: usize = 20_000;

impl Interp {
    /// Paths that match `pattern`, sorted; none when nothing does.
    pub(super) fn glob(&self, field: &[u8]) -> Vec<Vec<u8>> {
        let absolute = field.first() == Some(&b'/');
        let mut found: Vec<Vec<u8>> = vec![if absolute { b"/".to_vec() } else { Vec::new() }];
        let mut looked = 0;
        // A slash at the end asks for directories.
        let directories = field.ends_with(b"/");
        let parts: Vec<&[u8]> = field.split(|&b| b == b'/').filter(|p| !p.is_empty()).collect();
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            let mut next = Vec::new();
            for prefix in &found {
                let joined = |name: &[u8]| {
                    let mut path = prefix.clone();
                    path.extend_from_slice(name);
                    if !last || directories {
                        path.push(b'/');
                    }
                    path
                };
                if !pattern::is_pattern(part) {
                    next.push(joined(&pattern::unescape(part)));
                    continue;
                }
                let directory = if prefix.is_empty() { &b"."[..] } else { prefix };
                for name in self.names_in(directory) {
                    looked += 1;
                    let hidden = name.first() == Some(&b'.') && part.first() != Some(&b'.');
                    if !hidden && pattern::matches(part, &name) {
                        next.push(joined(&name));
                    }
                    if looked > MAX_GLOB {
                        return Vec::new();
                    }
                }
            }
            found = next;
        }
        let user = &self.proc.user.creds;
        self.proc.host.with(|machine| {
            found.retain(|path| machine.fs.find(user, &self.proc.cwd, path, false).is_ok());
        });
        found.sort();
        found
    }

    fn names_in(&self, directory: &[u8]) -> Vec<Vec<u8>> {
        let creds: &Creds = &self.proc.user.creds;
        self.proc.host.with(|machine| {
            let ino = machine.fs.find(creds, &self.proc.cwd, directory, true);
            let list = ino.and_then(|ino| machine.fs.list(creds, ino)).unwrap_or_default();
            list.into_iter().map(|(name, _)| name).collect()
        })
    }
}
