//! The prompt.

use crate::fs::base_name;
use crate::shell::interp::Interp;

impl Interp {
    /// The prompt, as the distribution's `PS1` makes it.
    pub(super) fn prompt(&self) -> Vec<u8> {
        let host = self.proc.host.with(|machine| machine.facts().hostname.clone());
        let host = host.split('.').next().unwrap_or_default();
        let user = &self.proc.user.name;
        let home = self.variable("HOME").unwrap_or_else(|| self.proc.user.home.clone());
        let cwd = match self.proc.cwd.strip_prefix(home.as_slice()) {
            Some(rest) if home.len() > 1 && (rest.is_empty() || rest.starts_with(b"/")) => {
                [&b"~"[..], rest].concat()
            }
            _ => self.proc.cwd.clone(),
        };
        if let Some(ps1) = self.variable("PS1") {
            return self.custom_prompt(&ps1, host, &cwd);
        }
        let distro = self.proc.host.distro();
        let root = self.proc.user.creds.uid == 0;
        let sign = if root { "#" } else { "$" };
        let term = self.variable("TERM").unwrap_or_default();
        let mut out = Vec::new();
        if distro.title_in_prompt && (term.starts_with(b"xterm") || term.starts_with(b"rxvt")) {
            let blank = if distro.prompt.is_empty() { " " } else { "" };
            out.extend(format!("\x1b]0;{user}@{host}:{blank}").into_bytes());
            out.extend_from_slice(&cwd);
            out.push(7);
        }
        if !distro.prompt.is_empty() {
            out.extend(self.custom_prompt(distro.prompt.as_bytes(), host, &cwd));
            return out;
        }
        if !root && term.ends_with(b"-256color") {
            out.extend(format!("\x1b[01;32m{user}@{host}\x1b[00m:\x1b[01;34m").into_bytes());
            out.extend_from_slice(&cwd);
            out.extend(format!("\x1b[00m{sign} ").into_bytes());
        } else {
            out.extend(format!("{user}@{host}:").into_bytes());
            out.extend_from_slice(&cwd);
            out.extend(format!("{sign} ").into_bytes());
        }
        out
    }

    /// The prompt for a `PS1` that the user set.
    fn custom_prompt(&self, ps1: &[u8], host: &str, cwd: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut bytes = ps1.iter().take(4096);
        while let Some(&byte) = bytes.next() {
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            match bytes.next() {
                Some(b'u') => out.extend_from_slice(self.proc.user.name.as_bytes()),
                Some(b'h' | b'H') => out.extend_from_slice(host.as_bytes()),
                Some(b'w') => out.extend_from_slice(cwd),
                Some(b'W') => out.extend_from_slice(base_name(cwd)),
                Some(b'$') => out.push(if self.proc.user.creds.uid == 0 { b'#' } else { b'$' }),
                Some(b'n') => out.push(b'\n'),
                Some(b'e') => out.push(0x1b),
                Some(b'[' | b']') => {}
                Some(b't') => {
                    out.extend(crate::clock::format(self.proc.io.now(), "%H:%M:%S").into_bytes())
                }
                Some(&other) => out.push(other),
                None => {}
            }
        }
        out
    }
}
