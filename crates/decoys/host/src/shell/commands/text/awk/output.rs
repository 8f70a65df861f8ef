//! What `print` writes, and where.

use super::ast::{Redirect, RedirectKind};
use super::machine::{Halt, MAX_STREAMS, Machine, Run, known};

impl Machine<'_> {
    pub(super) async fn print_line(&mut self, line: &[u8], redirect: Option<&Redirect>) -> Run<()> {
        let ors = self.global(known::ORS).bytes(b"%.6g");
        self.write([line, &ors].concat(), redirect).await
    }

    pub(super) async fn write(&mut self, text: Vec<u8>, redirect: Option<&Redirect>) -> Run<()> {
        let Some(redirect) = redirect else {
            self.proc.out(text).await?;
            return Ok(());
        };
        let target = self.eval(&redirect.to).await?.bytes(b"%.6g").to_vec();
        match target.as_slice() {
            b"/dev/stdout" | b"-" if redirect.kind != RedirectKind::Pipe => {
                self.proc.out(text).await?;
            }
            b"/dev/stderr" if redirect.kind != RedirectKind::Pipe => self.proc.err(text).await,
            _ => {
                if self.writers.len() >= MAX_STREAMS && !self.writers.contains_key(&target) {
                    return Err(Halt::Wrong("too many open files".to_owned()));
                }
                let writer = self.writers.entry(target).or_insert((redirect.kind, Vec::new()));
                if writer.1.len() + text.len() < crate::shell::limits::SLURP {
                    writer.1.extend(text);
                }
            }
        }
        Ok(())
    }

    /// Closes the file or command `name`; its status.
    pub(super) async fn close(&mut self, name: &[u8]) -> Run<f64> {
        let read = self.readers.remove(name).is_some();
        match self.writers.remove(name) {
            Some((kind, text)) => self.flush(name, kind, text).await,
            None if read => Ok(0.0),
            None => Ok(-1.0),
        }
    }

    pub(super) async fn close_all(&mut self) -> Run<()> {
        for (name, (kind, text)) in std::mem::take(&mut self.writers) {
            self.flush(&name, kind, text).await?;
        }
        Ok(())
    }

    pub(super) async fn flush(
        &mut self,
        name: &[u8],
        kind: RedirectKind,
        text: Vec<u8>,
    ) -> Run<f64> {
        if kind == RedirectKind::Pipe {
            let (status, _) = self.command(name, Some(text), false).await?;
            return Ok(f64::from(status));
        }
        let mut whole = Vec::new();
        if kind == RedirectKind::Append {
            whole = self.proc.slurp(name).await.unwrap_or_default();
        }
        whole.extend(text);
        if let Err(errno) = self.proc.replace_file(name, &whole) {
            let shown = String::from_utf8_lossy(name).into_owned();
            let why = errno.text();
            return Err(Halt::Wrong(format!("cannot open \"{shown}\" for output ({why})")));
        }
        Ok(0.0)
    }
}
