//! Reads scripts, with GNU sed's complaints: here commands, `address` which lines, `edit` `s` and `y`.

mod address;
mod edit;

use std::collections::BTreeMap;

use super::script::{Command, Script, Verb};

/// Most commands of a script.
const MAX_COMMANDS: usize = 2_000;

/// What is wrong with a script, and at which character.
pub(in crate::shell::commands::text::sed) struct Fault {
    pub(in crate::shell::commands::text::sed) at: Option<usize>,
    pub(in crate::shell::commands::text::sed) what: String,
}

type Read<T> = Result<T, Fault>;

/// Reads `source`.
pub(in crate::shell::commands::text::sed) fn parse(source: &[u8], extended: bool) -> Read<Script> {
    let mut parser = Parser { source, at: 0, extended };
    let quiet = source.starts_with(b"#n\n") || source == b"#n";
    let mut commands: Vec<Command> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut labels: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut jumps: Vec<(usize, Vec<u8>)> = Vec::new();
    loop {
        parser.skip(b" \t\n;");
        let Some(byte) = parser.peek() else { break };
        if byte == b'#' {
            parser.line();
            continue;
        }
        if commands.len() > MAX_COMMANDS {
            return Err(parser.fault("memory exhausted"));
        }
        let (from, to) = parser.addresses()?;
        parser.skip(b" \t");
        let mut negated = false;
        while parser.take(b'!') {
            negated = true;
            parser.skip(b" \t");
        }
        let here = commands.len();
        let Some(letter) = parser.next() else {
            return Err(parser.fault("missing command"));
        };
        let verb = match letter {
            b'{' => {
                open.push(here);
                Verb::Block(0)
            }
            b'}' => {
                if from.is_some() {
                    return Err(parser.fault("} doesn't want any addresses"));
                }
                let Some(start) = open.pop() else {
                    return Err(parser.fault("unexpected `}'"));
                };
                if let Some(Command { verb: Verb::Block(end), .. }) = commands.get_mut(start) {
                    *end = here;
                }
                parser.end_of_command()?;
                Verb::EndBlock
            }
            b':' => {
                if from.is_some() {
                    return Err(parser.fault(": doesn't want any addresses"));
                }
                let label = parser.label();
                if label.is_empty() {
                    return Err(parser.fault("\":\" lacks a label"));
                }
                labels.insert(label, here);
                Verb::Label
            }
            b'b' | b't' | b'T' => {
                let label = parser.label();
                if !label.is_empty() {
                    jumps.push((here, label));
                }
                match letter {
                    b'b' => Verb::Branch(None),
                    b't' => Verb::BranchIf(None),
                    _ => Verb::BranchUnless(None),
                }
            }
            other => parser.verb(other)?,
        };
        commands.push(Command { from, to, negated, verb });
    }
    if !open.is_empty() {
        return Err(Fault { at: Some(0), what: "unmatched `{'".to_owned() });
    }
    for (at, label) in jumps {
        let Some(target) = labels.get(&label) else {
            let shown = String::from_utf8_lossy(&label).into_owned();
            return Err(Fault {
                at: None,
                what: format!("can't find label for jump to `{shown}'"),
            });
        };
        if let Some(command) = commands.get_mut(at)
            && let Verb::Branch(to) | Verb::BranchIf(to) | Verb::BranchUnless(to) =
                &mut command.verb
        {
            *to = Some(*target);
        }
    }
    Ok(Script { commands, quiet })
}

struct Parser<'s> {
    pub(super) source: &'s [u8],
    pub(super) at: usize,
    pub(super) extended: bool,
}

impl Parser<'_> {
    pub(super) fn fault(&self, what: &str) -> Fault {
        Fault { at: Some(self.at), what: what.to_owned() }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let takes = self.peek() == Some(byte);
        self.at += usize::from(takes);
        takes
    }

    pub(super) fn skip(&mut self, bytes: &[u8]) {
        while self.peek().is_some_and(|b| bytes.contains(&b)) {
            self.at += 1;
        }
    }

    /// The rest of the line.
    pub(super) fn line(&mut self) -> Vec<u8> {
        let rest = self.source.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        self.at += (length + 1).min(rest.len());
        rest.get(..length).unwrap_or_default().to_vec()
    }

    fn label(&mut self) -> Vec<u8> {
        self.skip(b" \t");
        let rest = self.source.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| b"\n;".contains(b)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default().trim_ascii_end().to_vec()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let rest = self.source.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        self.at += length;
        let digits = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
        Some(digits.parse().unwrap_or(u64::MAX))
    }

    pub(super) fn end_of_command(&mut self) -> Read<()> {
        self.skip(b" \t");
        match self.peek() {
            None | Some(b'\n' | b';' | b'}' | b'#') => Ok(()),
            Some(_) => {
                self.at += 1;
                Err(self.fault("extra characters after command"))
            }
        }
    }

    fn verb(&mut self, letter: u8) -> Read<Verb> {
        let verb = match letter {
            b'a' | b'i' | b'c' => {
                let text = self.text()?;
                return Ok(match letter {
                    b'a' => Verb::Append(text),
                    b'i' => Verb::Insert(text),
                    _ => Verb::Change(text),
                });
            }
            b'r' | b'w' => {
                self.skip(b" \t");
                let name = self.line();
                if name.is_empty() {
                    return Err(self.fault("missing filename in r/R/w/W commands"));
                }
                return Ok(if letter == b'r' { Verb::Read(name) } else { Verb::Write(name) });
            }
            b's' => return self.substitute(),
            b'y' => return self.translate(),
            b'q' | b'Q' => {
                self.skip(b" \t");
                let code = self.number().unwrap_or(0).to_le_bytes()[0];
                if letter == b'q' { Verb::Quit(code) } else { Verb::QuitSilently(code) }
            }
            b'l' => {
                self.skip(b" \t");
                self.number();
                Verb::List
            }
            b'd' => Verb::Delete,
            b'D' => Verb::DeleteFirst,
            b'h' => Verb::HoldCopy,
            b'H' => Verb::HoldAppend,
            b'g' => Verb::HoldGet,
            b'G' => Verb::HoldGetAppend,
            b'x' => Verb::HoldSwap,
            b'n' => Verb::Next,
            b'N' => Verb::NextAppend,
            b'p' => Verb::Print,
            b'P' => Verb::PrintFirst,
            b'=' => Verb::Number,
            b'z' => Verb::Clear,
            b'F' => Verb::FileName,
            other => {
                let shown = char::from(other);
                return Err(self.fault(&format!("unknown command: `{shown}'")));
            }
        };
        self.end_of_command()?;
        Ok(verb)
    }

    /// The text of `a`, `i` and `c`: on the same line or after a backslash.
    fn text(&mut self) -> Read<Vec<u8>> {
        self.skip(b" \t");
        if self.peek().is_none() {
            return Err(self.fault("expected \\ after `a', `c' or `i'"));
        }
        if self.take(b'\\') {
            self.skip(b" \t");
            if !self.take(b'\n') {
                self.skip(b" \t");
            }
        }
        let mut out = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                b'\n' => break,
                b'\\' => match self.next() {
                    Some(b't') => out.push(b'\t'),
                    Some(escaped) => out.push(escaped),
                    None => {}
                },
                _ => out.push(byte),
            }
        }
        out.push(b'\n');
        Ok(out)
    }
}
