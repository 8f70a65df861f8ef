//! `s` and `y`.

use super::{Parser, Read};
use crate::shell::commands::text::sed::script::{Case, Part, Substitute, Verb};

impl Parser<'_> {
    pub(super) fn substitute(&mut self) -> Read<Verb> {
        let unterminated = "unterminated `s' command";
        let Some(mark) = self.next().filter(|b| *b != b'\n' && *b != b'\\') else {
            return Err(self.fault(unterminated));
        };
        let Some(pattern) = self.delimited(mark, true) else {
            return Err(self.fault(unterminated));
        };
        let Some(with) = self.delimited(mark, false) else {
            return Err(self.fault(unterminated));
        };
        let mut out = Substitute {
            regex: None,
            with: replacement(&with, mark),
            global: false,
            print: false,
            number: 1,
            write: None,
        };
        let mut fold = false;
        loop {
            match self.peek() {
                Some(b'g') if out.global => {
                    self.at += 1;
                    return Err(self.fault("multiple `g' options to `s' command"));
                }
                Some(b'g') => out.global = true,
                Some(b'p') if out.print => {
                    self.at += 1;
                    return Err(self.fault("multiple `p' options to `s' command"));
                }
                Some(b'p') => out.print = true,
                Some(b'i' | b'I') => fold = true,
                Some(b'm' | b'M') => {}
                Some(b'w') => {
                    self.at += 1;
                    self.skip(b" \t");
                    out.write = Some(self.line());
                    break;
                }
                Some(b'0'..=b'9') => {
                    let number = self.number().unwrap_or(0);
                    if number == 0 {
                        return Err(self.fault("number option to `s' command may not be zero"));
                    }
                    out.number = usize::try_from(number).unwrap_or(usize::MAX);
                    continue;
                }
                None | Some(b'\n' | b';' | b'}' | b'#' | b' ' | b'\t') => break,
                Some(_) => {
                    self.at += 1;
                    return Err(self.fault("unknown option to `s'"));
                }
            }
            self.at += 1;
        }
        if out.write.is_none() {
            self.end_of_command()?;
        }
        out.regex = self.regex(&pattern, fold)?;
        let highest = out.with.iter().filter_map(|part| match part {
            Part::Group(number) => Some(*number),
            _ => None,
        });
        let highest = highest.max().unwrap_or(0);
        if let Some(regex) = &out.regex
            && highest > regex.groups()
        {
            return Err(self.fault(&format!("invalid reference \\{highest} on `s' command's RHS")));
        }
        Ok(Verb::Substitute(Box::new(out)))
    }

    pub(super) fn translate(&mut self) -> Read<Verb> {
        let unterminated = "unterminated `y' command";
        let Some(mark) = self.next() else { return Err(self.fault(unterminated)) };
        let (Some(from), Some(to)) = (self.delimited(mark, false), self.delimited(mark, false))
        else {
            return Err(self.fault(unterminated));
        };
        let (from, to) = (plain(&from), plain(&to));
        if from.len() != to.len() {
            return Err(self.fault("strings for `y' command are different lengths"));
        }
        let mut table: Box<[u8; 256]> = Box::new(std::array::from_fn(|b| b.to_le_bytes()[0]));
        for (from, to) in from.iter().zip(&to) {
            if let Some(slot) = table.get_mut(usize::from(*from)) {
                *slot = *to;
            }
        }
        self.end_of_command()?;
        Ok(Verb::Translate(table))
    }
}

/// Text without its backslashes.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(&other) => other,
                None => b'\\',
            },
            byte => byte,
        });
    }
    out
}

fn replacement(text: &[u8], mark: u8) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        let part = match byte {
            b'&' => Part::Group(0),
            b'\\' => match bytes.next() {
                Some(&digit @ b'0'..=b'9') => Part::Group(usize::from(digit - b'0')),
                Some(b'U') => Part::Case(Case::Upper),
                Some(b'L') => Part::Case(Case::Lower),
                Some(b'u') => Part::Case(Case::UpperNext),
                Some(b'l') => Part::Case(Case::LowerNext),
                Some(b'E') => Part::Case(Case::End),
                Some(b'n') if mark != b'n' => {
                    literal.push(b'\n');
                    continue;
                }
                Some(b't') if mark != b't' => {
                    literal.push(b'\t');
                    continue;
                }
                Some(&other) => {
                    literal.push(other);
                    continue;
                }
                None => continue,
            },
            _ => {
                literal.push(byte);
                continue;
            }
        };
        if !literal.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut literal)));
        }
        parts.push(part);
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    parts
}
