//! The history of a login shell and its file.

use std::sync::PoisonError;

use crate::shell::interp::Interp;

/// Lines kept in the history (`HISTSIZE`).
const HISTORY: usize = 1000;

impl Interp {
    fn history_path(&self) -> Vec<u8> {
        [&self.proc.user.home[..], b"/.bash_history"].concat()
    }

    /// Reads the history file.
    pub(super) fn load_history(&mut self) {
        let path = self.history_path();
        let text = self
            .proc
            .open(&path)
            .map(|ino| self.proc.host.read(ino, 0, 1 << 20, self.proc.io.now()));
        let text = text.unwrap_or_default();
        let lines: Vec<Vec<u8>> = text
            .split(|&b| b == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect();
        let skip = lines.len().saturating_sub(HISTORY);
        *self.history.lock().unwrap_or_else(PoisonError::into_inner) =
            lines.into_iter().skip(skip).collect();
    }

    /// Adds a typed line.
    pub(super) fn remember(&mut self, line: &[u8]) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        // Debian's users have `HISTCONTROL=ignoreboth`; root keeps everything.
        let ignored = self.proc.user.creds.uid != 0
            && (line.first() == Some(&b' ') || history.last().is_some_and(|last| last == line));
        if !ignored {
            history.push(line.to_vec());
            if history.len() > HISTORY {
                history.remove(0);
            }
        }
    }

    /// Appends what was typed after the first `loaded` lines to the history file.
    pub(super) fn save_history(&mut self, loaded: usize) {
        if self.variable("HISTFILE").is_some_and(|path| path != self.history_path()) {
            return;
        }
        let lines = self.history.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let new = lines.get(loaded.min(lines.len())..).unwrap_or_default();
        let mut text = new.join(&b'\n');
        if text.is_empty() {
            return;
        }
        text.push(b'\n');
        let path = self.history_path();
        let now = self.proc.io.now();
        let creds = self.proc.user.creds.clone();
        self.proc.host.with(|machine| {
            let Ok(ino) = machine.fs.create(&creds, b"/", &path, 0o600, now) else { return };
            let size = machine.fs.node(ino).map_or(0, crate::fs::Node::size);
            // A full disk loses history, as on a real machine.
            let _ = machine.fs.write(ino, size, &text, now);
        });
    }
}
