//! Files that a recursive search looks into.

use crate::fs::{Kind, base_name};
use crate::shell::commands::options::Options;
use crate::shell::pattern;
use crate::shell::proc::Proc;

/// Most files searched.
const MAX_FILES: usize = 5_000;

/// The files below `paths`; paths that are not there are kept to be complained of.
pub(super) fn below(proc: &Proc, paths: &[Vec<u8>], options: &Options) -> Vec<Vec<u8>> {
    let creds = &proc.user.creds;
    let any = |letter, name: &[u8]| options.values(letter).any(|p| pattern::matches(p, name));
    let wanted = |path: &[u8]| {
        let name = base_name(path);
        (!options.has(b'5') || any(b'5', name)) && !any(b'3', name)
    };
    proc.host.with(|machine| {
        let mut out = Vec::new();
        let mut todo: Vec<(Vec<u8>, bool)> =
            paths.iter().rev().map(|path| (path.clone(), true)).collect();
        while let Some((path, given)) = todo.pop() {
            let follow = given || options.has(b'R');
            let Ok(stat) = machine.fs.stat(creds, &proc.cwd, &path, follow) else {
                out.push(path);
                continue;
            };
            match stat.node.kind {
                Kind::Directory(_) => {
                    if any(b'4', base_name(&path)) {
                        continue;
                    }
                    match machine.fs.list(creds, stat.ino) {
                        Ok(list) => {
                            let join = |name: &[u8]| {
                                [path.strip_suffix(b"/").unwrap_or(&path), b"/", name].concat()
                            };
                            todo.extend(list.iter().rev().map(|(name, _)| (join(name), false)));
                        }
                        Err(_) => out.push(path),
                    }
                }
                Kind::File(_) if wanted(&path) => out.push(path),
                Kind::File(_) | Kind::Symlink(_) | Kind::Device(_) => {}
            }
            if out.len() > MAX_FILES || todo.len() > MAX_FILES * 4 {
                break;
            }
        }
        out
    })
}
