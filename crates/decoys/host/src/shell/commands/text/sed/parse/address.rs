//! Addresses, and text between marks.

use super::{Parser, Read};
use crate::shell::commands::text::sed::script::Address;
use crate::shell::regex::Regex;

impl Parser<'_> {
    pub(super) fn addresses(&mut self) -> Read<(Option<Address>, Option<Address>)> {
        let Some(from) = self.address()? else { return Ok((None, None)) };
        self.skip(b" \t");
        if !self.take(b',') {
            if matches!(from, Address::Zero) {
                self.at += 1;
                return Err(self.fault("invalid usage of line address 0"));
            }
            return Ok((Some(from), None));
        }
        self.skip(b" \t");
        let to = if self.take(b'+') {
            self.number().map(Address::More)
        } else if self.take(b'~') {
            self.number().map(Address::Multiple)
        } else {
            self.address()?
        };
        let Some(to) = to else {
            self.at += 1;
            return Err(self.fault("unexpected `,'"));
        };
        if matches!(from, Address::Zero) && !matches!(to, Address::Match(_)) {
            return Err(self.fault("invalid usage of line address 0"));
        }
        Ok((Some(from), Some(to)))
    }

    pub(super) fn address(&mut self) -> Read<Option<Address>> {
        if let Some(number) = self.number() {
            if self.take(b'~') {
                return Ok(Some(Address::Step(number, self.number().unwrap_or(0))));
            }
            return Ok(Some(if number == 0 { Address::Zero } else { Address::Line(number) }));
        }
        match self.peek() {
            Some(b'$') => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            Some(b'/') => {
                self.at += 1;
                self.expression(b'/').map(Some)
            }
            Some(b'\\') => {
                self.at += 1;
                let Some(mark) = self.next() else {
                    return Err(self.fault("unterminated address regex"));
                };
                self.expression(mark).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn expression(&mut self, mark: u8) -> Read<Address> {
        let Some(text) = self.delimited(mark, true) else {
            return Err(self.fault("unterminated address regex"));
        };
        let mut fold = false;
        while let Some(flag @ (b'I' | b'M')) = self.peek() {
            self.at += 1;
            fold |= flag == b'I';
        }
        Ok(Address::Match(self.regex(&text, fold)?.map(Box::new)))
    }

    pub(super) fn regex(&self, text: &[u8], fold: bool) -> Read<Option<Regex>> {
        if text.is_empty() {
            return Ok(None);
        }
        match Regex::new(text, self.extended, fold) {
            Ok(regex) => Ok(Some(regex)),
            Err(fault) => Err(self.fault(fault.text())),
        }
    }

    /// Text up to `mark`. In an expression `\n` is a newline, and an escaped mark is itself.
    pub(super) fn delimited(&mut self, mark: u8, expression: bool) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut bracket = false;
        loop {
            let byte = self.next()?;
            match byte {
                _ if byte == mark && !bracket => return Some(out),
                b'\n' if expression => return None,
                b'[' if expression && !bracket => {
                    bracket = true;
                    out.push(byte);
                    // A bracket that comes first is a member.
                    for member in [b'^', b']'] {
                        if self.take(member) {
                            out.push(member);
                        }
                    }
                }
                b'[' if bracket && self.peek() == Some(b':') => {
                    out.push(byte);
                    while let Some(byte) = self.next() {
                        out.push(byte);
                        if byte == b':' && self.peek() == Some(b']') {
                            break;
                        }
                    }
                    out.extend(self.next());
                }
                b']' => {
                    bracket = false;
                    out.push(byte);
                }
                b'\\' if bracket => match self.peek() {
                    Some(b'n') => {
                        self.at += 1;
                        out.push(b'\n');
                    }
                    Some(b't') => {
                        self.at += 1;
                        out.push(b'\t');
                    }
                    _ => out.push(byte),
                },
                b'\\' => {
                    let escaped = self.next()?;
                    match escaped {
                        _ if escaped == mark && expression => out.push(mark),
                        b'n' if expression => out.push(b'\n'),
                        b't' if expression => out.push(b'\t'),
                        _ => out.extend_from_slice(&[b'\\', escaped]),
                    }
                }
                _ => out.push(byte),
            }
        }
    }
}
