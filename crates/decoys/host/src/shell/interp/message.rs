//! What the shell says when something is wrong, in the words of bash and dash.

use base_shell::{Missing, ParseFault};

use super::{Dialect, Interp};
use crate::persona::Sh;

impl Interp {
    /// A message of the shell on standard error.
    pub(crate) async fn complain(&self, message: impl AsRef<[u8]>) {
        let mut line = self.prefix();
        line.extend_from_slice(message.as_ref());
        line.push(b'\n');
        self.proc.err(line).await;
    }

    /// How a message of the shell begins.
    pub(crate) fn prefix(&self) -> Vec<u8> {
        let mut prefix = self.name.clone();
        let distro = self.proc.host.distro();
        // Since 5.1, and till 5.2, what `-c` says has a line number.
        let numbered = distro.bash_is(5, 1) && !distro.bash_is(5, 2);
        let tail = match self.dialect {
            Dialect::Bash if self.interactive || !numbered => ": ".to_owned(),
            Dialect::Bash | Dialect::BashScript => format!(": line {}: ", self.line),
            Dialect::Dash if distro.sh == Sh::Ash => self.ash_prefix(self.line),
            Dialect::Dash => format!(": {}: ", self.line),
        };
        prefix.extend_from_slice(tail.as_bytes());
        prefix
    }

    /// Tells of a syntax error in `source`.
    pub(crate) async fn complain_of_syntax(&mut self, source: &[u8], fault: &ParseFault) {
        let line_text = |line: usize| {
            let text = source.split(|&b| b == b'\n').nth(line.saturating_sub(1));
            text.unwrap_or_default().to_vec()
        };
        let end = source.split(|&b| b == b'\n').count();
        let mut message = self.syntax_prefix(match fault {
            ParseFault::Syntax { line, .. } => *line,
            ParseFault::Incomplete(Missing::Compound) => end + 1,
            _ => end,
        });
        match fault {
            ParseFault::Syntax { near, .. } if self.is_ash() => {
                message.extend_from_slice(b"syntax error: unexpected ");
                let near = base_shell::text::decode(near);
                if near == b"newline" {
                    message.extend(near);
                } else {
                    message.push(b'"');
                    message.extend(near);
                    message.push(b'"');
                }
                message.push(b'\n');
            }
            ParseFault::Syntax { near, .. } if self.dialect == Dialect::Dash => {
                message.extend_from_slice(b"Syntax error: ");
                let near = base_shell::text::decode(near);
                if near == b"newline" {
                    message.extend_from_slice(b"newline unexpected\n");
                } else {
                    message.push(b'"');
                    message.extend(near);
                    message.extend_from_slice(b"\" unexpected\n");
                }
            }
            ParseFault::Syntax { near, line } => {
                message.extend_from_slice(b"syntax error near unexpected token `");
                message.extend(base_shell::text::decode(near));
                message.extend_from_slice(b"'\n");
                if !self.interactive {
                    message.extend(self.syntax_prefix(*line));
                    message.push(b'`');
                    message.extend(line_text(*line));
                    message.extend_from_slice(b"'\n");
                }
            }
            ParseFault::Incomplete(Missing::Close(c)) => {
                message.extend(
                    format!("unexpected EOF while looking for matching `{c}'\n").into_bytes(),
                );
            }
            ParseFault::Incomplete(_) => {
                message.extend_from_slice(b"syntax error: unexpected end of file\n")
            }
            ParseFault::TooDeep | ParseFault::TooLong => {
                message.extend_from_slice(b"memory exhausted\n");
            }
        }
        self.proc.err(message).await;
    }

    fn is_ash(&self) -> bool {
        self.dialect == Dialect::Dash && self.proc.host.distro().sh == Sh::Ash
    }

    /// `BusyBox` tells the line of a script only.
    fn ash_prefix(&self, line: usize) -> String {
        let name = crate::fs::base_name(&self.name);
        let script = !matches!(name, b"sh" | b"ash" | b"-sh" | b"-ash" | b"busybox");
        if script { format!(": line {line}: ") } else { ": ".to_owned() }
    }

    fn syntax_prefix(&self, line: usize) -> Vec<u8> {
        let mut prefix = self.name.clone();
        let tail = match self.dialect {
            Dialect::Bash if self.interactive => ": ".to_owned(),
            Dialect::Bash => format!(": -c: line {line}: "),
            Dialect::BashScript => format!(": line {line}: "),
            Dialect::Dash if self.is_ash() => self.ash_prefix(line),
            Dialect::Dash => format!(": {line}: "),
        };
        prefix.extend_from_slice(tail.as_bytes());
        prefix
    }
}
