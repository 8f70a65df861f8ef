//! The grammar of POSIX expressions with GNU's extensions.

use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

use super::Fault;
use crate::shell::pattern::class;

/// Groups inside groups.
const MAX_DEPTH: usize = 32;
/// Groups of one expression.
const MAX_GROUPS: usize = 256;
/// `RE_DUP_MAX`.
const MAX_REPEAT: u32 = 32_767;
/// Operators on one atom, as in `a**`.
const MAX_OPERATORS: usize = 8;

/// An expression that was read.
pub(super) struct Parsed {
    pub(super) tree: Hir,
    pub(super) groups: usize,
}

/// Reads `pattern`; with `fold` case does not count.
pub(super) fn parse(pattern: &[u8], extended: bool, fold: bool) -> Result<Parsed, Fault> {
    let mut parser = Parser { pattern, at: 0, extended, fold, depth: 0, groups: 0 };
    let tree = parser.either()?;
    if parser.at < pattern.len() {
        return Err(Fault::UnmatchedRight);
    }
    Ok(Parsed { tree, groups: parser.groups })
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    extended: bool,
    fold: bool,
    depth: usize,
    groups: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    /// Whether the operator `byte` comes next, spelled with a backslash in basic expressions.
    fn operator(&self, byte: u8) -> bool {
        if self.extended {
            self.peek() == Some(byte)
        } else {
            self.peek() == Some(b'\\') && self.pattern.get(self.at + 1) == Some(&byte)
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let takes = self.operator(byte);
        if takes {
            self.at += if self.extended { 1 } else { 2 };
        }
        takes
    }

    fn either(&mut self) -> Result<Hir, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Fault::TooBig);
        }
        let mut parts = vec![self.sequence()?];
        while self.take(b'|') {
            parts.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(Hir::alternation(parts))
    }

    fn sequence(&mut self) -> Result<Hir, Fault> {
        let mut parts = Vec::new();
        // In a basic expression a star after nothing or an anchor is a character.
        let mut first = true;
        while self.at < self.pattern.len() && !self.operator(b'|') && !self.closes() {
            let anchor = first && self.peek() == Some(b'^');
            let atom = self.atom(first)?;
            parts.push(if anchor && !self.extended { atom } else { self.repeated(atom)? });
            first = anchor && !self.extended;
        }
        Ok(Hir::concat(parts))
    }

    /// Whether a closing parenthesis comes next. In an extended expression one without an opening
    /// one is a character.
    fn closes(&self) -> bool {
        self.operator(b')') && (self.depth > 1 || !self.extended)
    }

    fn atom(&mut self, first: bool) -> Result<Hir, Fault> {
        if self.take(b'(') {
            return self.group();
        }
        let Some(byte) = self.peek() else { return Ok(Hir::empty()) };
        // Operators with nothing to work on.
        if self.extended && first && matches!(byte, b'*' | b'+' | b'?') {
            return Ok(Hir::empty());
        }
        if self.extended && first && byte == b'{' && self.bounds().is_some() {
            return Ok(Hir::empty());
        }
        self.at += 1;
        match byte {
            b'.' => Ok(self.set(|_| true)),
            b'[' => self.bracket(),
            b'^' if self.extended || first => Ok(Hir::look(Look::Start)),
            b'$' if self.extended || self.at == self.pattern.len() || self.ends() => {
                Ok(Hir::look(Look::End))
            }
            b'\\' => self.escape(),
            _ => Ok(self.one(byte)),
        }
    }

    /// Whether a basic expression or group ends here, so that `$` is an anchor.
    fn ends(&self) -> bool {
        self.operator(b')') || self.operator(b'|')
    }

    fn group(&mut self) -> Result<Hir, Fault> {
        self.groups += 1;
        if self.groups > MAX_GROUPS {
            return Err(Fault::TooBig);
        }
        let index = u32::try_from(self.groups).map_err(|_| Fault::TooBig)?;
        let inner = self.either()?;
        if !self.take(b')') {
            return Err(Fault::Parenthesis);
        }
        Ok(Hir::capture(Capture { index, name: None, sub: Box::new(inner) }))
    }

    fn escape(&mut self) -> Result<Hir, Fault> {
        let escaped = self.peek().ok_or(Fault::TrailingBackslash)?;
        self.at += 1;
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        Ok(match escaped {
            b'w' => self.set(word),
            b'W' => self.set(|b| !word(b)),
            b's' => self.set(|b| class(b"space", b)),
            b'S' => self.set(|b| !class(b"space", b)),
            b'b' => Hir::look(Look::WordAscii),
            b'B' => Hir::look(Look::WordAsciiNegate),
            b'<' => Hir::look(Look::WordStartAscii),
            b'>' => Hir::look(Look::WordEndAscii),
            b'`' => Hir::look(Look::Start),
            b'\'' => Hir::look(Look::End),
            b'1'..=b'9' => return Err(Fault::BackReference),
            _ => self.one(escaped),
        })
    }

    fn one(&self, byte: u8) -> Hir {
        self.set(|b| b == byte)
    }

    fn set(&self, test: impl Fn(u8) -> bool) -> Hir {
        let folded = |b: u8| {
            test(b) || (self.fold && (test(b.to_ascii_lowercase()) || test(b.to_ascii_uppercase())))
        };
        let members = (0..=255_u8).filter(|b| folded(*b));
        Hir::class(Class::Bytes(ClassBytes::new(members.map(|b| ClassBytesRange::new(b, b)))))
    }

    fn bracket(&mut self) -> Result<Hir, Fault> {
        if self.at == self.pattern.len() {
            return Err(Fault::Invalid);
        }
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let start = self.at;
        let mut members = [false; 256];
        loop {
            let byte = self.peek().ok_or(Fault::Bracket)?;
            if byte == b']' && self.at > start {
                self.at += 1;
                break;
            }
            let rest = self.pattern.get(self.at..).unwrap_or_default();
            if let Some(named) = rest.strip_prefix(b"[:") {
                let end = named.windows(2).position(|w| w == b":]").ok_or(Fault::Bracket)?;
                let name = named.get(..end).unwrap_or_default();
                if !(0..=255).any(|b| class(name, b)) {
                    return Err(Fault::Class);
                }
                for (byte, slot) in (0..=255_u8).zip(members.iter_mut()) {
                    *slot |= class(name, byte);
                }
                self.at += end + 4;
                continue;
            }
            let (low, mut high) = (byte, byte);
            self.at += 1;
            if self.peek() == Some(b'-')
                && let Some(&end) = self.pattern.get(self.at + 1).filter(|b| **b != b']')
            {
                high = end;
                self.at += 2;
                if high < low {
                    return Err(Fault::RangeEnd);
                }
            }
            for (byte, slot) in (0..=255_u8).zip(members.iter_mut()) {
                *slot |= (low..=high).contains(&byte);
            }
        }
        let has = |b: u8| members.get(usize::from(b)).copied().unwrap_or(false);
        if !negated {
            return Ok(self.set(has));
        }
        let folded =
            |b: u8| self.fold && (has(b.to_ascii_lowercase()) || has(b.to_ascii_uppercase()));
        let plain = Self { fold: false, ..*self };
        Ok(plain.set(|b| !has(b) && !folded(b)))
    }

    fn repeated(&mut self, mut atom: Hir) -> Result<Hir, Fault> {
        for _ in 0..MAX_OPERATORS {
            let (min, max) = if self.peek() == Some(b'*') {
                self.at += 1;
                (0, None)
            } else if self.take(b'+') {
                (1, None)
            } else if self.take(b'?') {
                (0, Some(1))
            } else if self.operator(b'{') {
                match self.bounds() {
                    Some(bounds) => bounds?,
                    None => return Ok(atom),
                }
            } else {
                return Ok(atom);
            };
            atom = Hir::repetition(Repetition { min, max, greedy: true, sub: Box::new(atom) });
        }
        Err(Fault::TooBig)
    }

    /// `{m}`, `{m,}`, `{m,n}`, `{,n}`. Nothing is taken when an extended expression has a brace that
    /// opens none of these: it is a character then.
    fn bounds(&mut self) -> Option<Result<(u32, Option<u32>), Fault>> {
        let start = self.at;
        if !self.take(b'{') {
            return None;
        }
        let low = self.number();
        let comma = self.peek() == Some(b',');
        self.at += usize::from(comma);
        let high = if comma { self.number() } else { low };
        let empty = !comma && low.is_none();
        if empty || !self.take(b'}') {
            if self.extended {
                self.at = start;
                return None;
            }
            let fault =
                if self.at >= self.pattern.len() { Fault::Brace } else { Fault::BraceContent };
            return Some(Err(fault));
        }
        let low = low.unwrap_or(0);
        if low > MAX_REPEAT || high.is_some_and(|high| high > MAX_REPEAT) {
            return Some(Err(Fault::TooBig));
        }
        if high.is_some_and(|high| high < low) {
            return Some(Err(Fault::BraceContent));
        }
        Some(Ok((low, high)))
    }

    fn number(&mut self) -> Option<u32> {
        let rest = self.pattern.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += length;
        let digits = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
        if digits.is_empty() { None } else { Some(digits.parse().unwrap_or(u32::MAX)) }
    }
}
