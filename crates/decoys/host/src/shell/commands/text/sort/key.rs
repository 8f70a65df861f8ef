//! Keys: which part of a line counts, and how.

use std::cmp::Ordering;

/// How keys compare.
#[derive(Clone, Copy, Default)]
pub(super) struct Order {
    pub(super) reverse: bool,
    pub(super) random: bool,
    numeric: bool,
    human: bool,
    month: bool,
    version: bool,
    fold: bool,
    blanks: bool,
    dictionary: bool,
}

impl Order {
    pub(super) fn of(letters: impl Iterator<Item = u8>) -> Self {
        let mut order = Self::default();
        for letter in letters {
            match letter {
                b'r' => order.reverse = true,
                b'R' => order.random = true,
                b'n' | b'g' => order.numeric = true,
                b'h' => order.human = true,
                b'M' => order.month = true,
                b'V' => order.version = true,
                b'f' => order.fold = true,
                b'b' => order.blanks = true,
                b'd' => order.dictionary = true,
                _ => {}
            }
        }
        order
    }

    const fn is_plain(self) -> bool {
        !(self.numeric
            || self.human
            || self.month
            || self.version
            || self.fold
            || self.blanks
            || self.dictionary
            || self.reverse)
    }
}

/// A place in a line: field and character, both from 1; character 0 is the end of the field.
#[derive(Clone, Copy)]
struct Place {
    field: usize,
    character: usize,
    blanks: bool,
}

/// A part of a line and how it compares.
pub(super) struct Key {
    from: Place,
    to: Option<Place>,
    separator: Option<u8>,
    order: Order,
}

impl Key {
    /// The whole line.
    pub(super) const fn whole(separator: Option<u8>, order: Order) -> Self {
        let from = Place { field: 1, character: 1, blanks: false };
        Self { from, to: None, separator, order }
    }

    pub(super) fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let (a, b) = (self.part(a), self.part(b));
        let order = self.order;
        let result = if order.numeric {
            number(a).total_cmp(&number(b))
        } else if order.human {
            human(a).partial_cmp(&human(b)).unwrap_or(Ordering::Equal)
        } else if order.month {
            month(a).cmp(&month(b))
        } else if order.version {
            version(a, b)
        } else if order.fold || order.dictionary {
            let keep =
                |c: &u8| !order.dictionary || c.is_ascii_alphanumeric() || c.is_ascii_whitespace();
            let turn = |c: &u8| if order.fold { c.to_ascii_uppercase() } else { *c };
            a.iter().filter(|c| keep(c)).map(turn).cmp(b.iter().filter(|c| keep(c)).map(turn))
        } else {
            a.cmp(b)
        };
        if order.reverse { result.reverse() } else { result }
    }

    fn part<'l>(&self, line: &'l [u8]) -> &'l [u8] {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut from = self.start(line, self.from);
        let to = self.to.map_or(line.len(), |to| self.end(line, to));
        if self.order.blanks && self.to.is_none() && self.from.field == 1 {
            from += blanks(line.get(from..).unwrap_or_default());
        }
        line.get(from..to).unwrap_or_default()
    }

    /// Where the field numbered `field` begins and ends; blanks before it belong to it.
    fn field(&self, line: &[u8], field: usize) -> (usize, usize) {
        let mut at = 0;
        for number in 1.. {
            let end = match self.separator {
                Some(separator) => {
                    let rest = line.get(at..).unwrap_or_default();
                    at + rest.iter().position(|b| *b == separator).unwrap_or(rest.len())
                }
                None => {
                    let rest = line.get(at..).unwrap_or_default();
                    let skip = blanks(rest);
                    let word = rest.get(skip..).unwrap_or_default();
                    let length = word.iter().take_while(|b| !matches!(b, b' ' | b'\t')).count();
                    at + skip + length
                }
            };
            if number == field || end >= line.len() {
                return if number == field { (at, end) } else { (line.len(), line.len()) };
            }
            at = end + usize::from(self.separator.is_some());
        }
        (line.len(), line.len())
    }

    fn start(&self, line: &[u8], place: Place) -> usize {
        let (mut from, _) = self.field(line, place.field);
        if place.blanks {
            from += blanks(line.get(from..).unwrap_or_default());
        }
        (from + place.character.saturating_sub(1)).min(line.len())
    }

    fn end(&self, line: &[u8], place: Place) -> usize {
        let (mut from, end) = self.field(line, place.field);
        if place.character == 0 {
            return end;
        }
        if place.blanks {
            from += blanks(line.get(from..).unwrap_or_default());
        }
        (from + place.character).min(line.len())
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// Reads `-k`'s `F[.C][OPTS][,F[.C][OPTS]]`.
pub(super) fn parse(text: &[u8], separator: Option<u8>, global: Order) -> Result<Key, String> {
    let shown = String::from_utf8_lossy(text).into_owned();
    let (first, second) = match shown.split_once(',') {
        Some((first, second)) => (first, Some(second)),
        None => (shown.as_str(), None),
    };
    let mut letters = Vec::new();
    let mut place = |text: &str, start: bool| {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let invalid =
            || format!("invalid number at field start: invalid count at start of ‘{text}’");
        let length = digits(text);
        let (field, mut rest) = text.split_at_checked(length).unwrap_or((text, ""));
        let field = field.parse::<usize>().map_err(|_| invalid())?;
        if field == 0 {
            return Err(format!("field number is zero: invalid field specification ‘{shown}’"));
        }
        let mut character = usize::from(start);
        if let Some(tail) = rest.strip_prefix('.') {
            let length = digits(tail);
            let (number, tail) = tail.split_at_checked(length).unwrap_or((tail, ""));
            character = number.parse().map_err(|_| invalid())?;
            rest = tail;
        }
        if !rest.bytes().all(|b| b"bdfgihMnRrV".contains(&b)) {
            return Err(format!(
                "stray character in field spec: invalid field specification ‘{shown}’"
            ));
        }
        letters.extend(rest.bytes());
        Ok(Place { field, character, blanks: rest.contains('b') })
    };
    let from = place(first, true)?;
    let to = second.map(|second| place(second, false)).transpose()?;
    let own = Order::of(letters.iter().copied().filter(|b| *b != b'b'));
    let blanked = letters.contains(&b'b');
    let order = if own.is_plain() && !blanked { global } else { own };
    Ok(Key { from, to, separator, order: Order { blanks: false, ..order } })
}

/// The number a text begins with.
fn number(text: &[u8]) -> f64 {
    let text = text.get(blanks(text)..).unwrap_or_default();
    let length = text
        .iter()
        .enumerate()
        .take_while(|(at, b)| b.is_ascii_digit() || **b == b'.' || (*at == 0 && **b == b'-'))
        .count();
    let digits = String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned();
    let digits = match digits.match_indices('.').nth(1) {
        Some((second, _)) => digits.get(..second).unwrap_or_default(),
        None => digits.as_str(),
    };
    // A sum with 0 makes -0 equal to 0.
    digits.parse::<f64>().unwrap_or(0.0) + 0.0
}

/// Sign, order of the unit and number of `2K`, `1.5G`.
fn human(text: &[u8]) -> (f64, f64) {
    let value = number(text);
    let unit = text.iter().find(|b| b.is_ascii_alphabetic()).copied().unwrap_or(b' ');
    let order = b" KMGTPEZY".iter().position(|u| *u == unit.to_ascii_uppercase()).unwrap_or(0);
    let order = f64::from(u32::try_from(order).unwrap_or(0));
    (if value < 0.0 { -order } else { order }, value)
}

fn month(text: &[u8]) -> usize {
    let text = text.get(blanks(text)..).unwrap_or_default();
    let name = text.get(..3).unwrap_or(text).to_ascii_lowercase();
    let known = |month: &str| month.to_ascii_lowercase().as_bytes() == name;
    crate::clock::MONTHS.iter().position(|month| known(month)).map_or(0, |at| at + 1)
}

/// Digits compare as numbers, all else as bytes.
fn version(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let text = |s: &[u8]| s.iter().take_while(|c| !c.is_ascii_digit()).count();
        let (x, y) = (text(a), text(b));
        let (head_a, rest_a) = a.split_at_checked(x).unwrap_or((a, b""));
        let (head_b, rest_b) = b.split_at_checked(y).unwrap_or((b, b""));
        let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
        let (m, n) = (digits(rest_a), digits(rest_b));
        let (number_a, next_a) = rest_a.split_at_checked(m).unwrap_or((rest_a, b""));
        let (number_b, next_b) = rest_b.split_at_checked(n).unwrap_or((rest_b, b""));
        let trim = |s: &[u8]| s.iter().skip_while(|c| **c == b'0').copied().collect::<Vec<_>>();
        let (value_a, value_b) = (trim(number_a), trim(number_b));
        let order = head_a
            .cmp(head_b)
            .then_with(|| value_a.len().cmp(&value_b.len()))
            .then_with(|| value_a.cmp(&value_b));
        if order.is_ne() || (next_a.is_empty() && next_b.is_empty()) {
            return order;
        }
        (a, b) = (next_a, next_b);
    }
}
