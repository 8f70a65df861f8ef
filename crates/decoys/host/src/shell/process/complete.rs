//! Completion of the word before the cursor.

use crate::shell::interp::Interp;
use crate::shell::{builtins, commands};

impl Interp {
    /// Completes a command or file name.
    pub(super) fn complete(&self, head: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let start = head.iter().rposition(|b| b" ;|&<>(".contains(b)).map_or(0, |at| at + 1);
        let word = head.get(start..).unwrap_or_default();
        let first = head.get(..start).unwrap_or_default().iter().all(|b| *b == b' ');
        let mut choices: Vec<(Vec<u8>, bool)> = Vec::new();
        let slash = word.iter().rposition(|&b| b == b'/');
        let prefix = slash.map_or(word, |at| word.get(at + 1..).unwrap_or_default());
        if first && slash.is_none() {
            if word.is_empty() {
                return (Vec::new(), Vec::new());
            }
            let builtins = builtins::names().map(|name| name.as_bytes().to_vec());
            let programs = commands::of(self.proc.host.distro())
                .map(|command| command.name.as_bytes().to_vec());
            choices.extend(
                builtins
                    .chain(programs)
                    .filter(|name| name.starts_with(prefix))
                    .map(|n| (n, false)),
            );
        } else {
            let directory = match slash {
                Some(0) => b"/".to_vec(),
                Some(at) => word.get(..at).unwrap_or_default().to_vec(),
                None => b".".to_vec(),
            };
            let creds = &self.proc.user.creds;
            choices = self.proc.host.with(|machine| {
                let ino = machine.fs.find(creds, &self.proc.cwd, &directory, true);
                let list = ino.and_then(|ino| machine.fs.list(creds, ino)).unwrap_or_default();
                let wanted = |(name, _): &(Vec<u8>, crate::fs::Ino)| {
                    name.starts_with(prefix) && (!prefix.is_empty() || name.first() != Some(&b'.'))
                };
                let is_dir = |ino| machine.fs.node(ino).is_some_and(crate::fs::Node::is_dir);
                list.into_iter().filter(wanted).map(|(name, ino)| (name, is_dir(ino))).collect()
            });
        }
        choices.sort();
        choices.dedup();
        match choices.as_slice() {
            [] => (Vec::new(), Vec::new()),
            [(only, directory)] => {
                let mut insert = only.get(prefix.len()..).unwrap_or_default().to_vec();
                insert.push(if *directory { b'/' } else { b' ' });
                (insert, Vec::new())
            }
            [(one, _), rest @ ..] => {
                let shared = rest.iter().fold(one.len(), |length, (other, _)| {
                    one.iter().zip(other).take(length).take_while(|(a, b)| a == b).count()
                });
                let insert = one.get(prefix.len()..shared).unwrap_or_default().to_vec();
                (insert, choices.into_iter().take(200).map(|(name, _)| name).collect())
            }
        }
    }
}
