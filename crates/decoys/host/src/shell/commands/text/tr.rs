//! `tr`.

use crate::shell::commands::options::{Accepts, read};
use crate::shell::pattern::class;
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "+cCdst",
    &[("complement", b'c'), ("delete", b'd'), ("squeeze-repeats", b's'), ("truncate-set1", b't')],
);

/// The characters of a set, in order.
struct Set {
    members: Vec<u8>,
    /// Where `[:lower:]` or `[:upper:]` stands: place and whether it is upper.
    cases: Vec<(usize, bool)>,
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let delete = options.has(b'd');
    let squeezes = options.has(b's');
    let [first, rest @ ..] = options.rest.as_slice() else {
        return Err(proc.missing_operand().await);
    };
    match rest {
        [] if !delete && !squeezes || delete && squeezes => {
            let tail = if squeezes {
                "Two strings must be given when both deleting and squeezing repeats."
            } else {
                "Two strings must be given when translating."
            };
            return Err(operands(proc, "missing operand after", first, tail).await);
        }
        [second] if delete && !squeezes => {
            let tail = "Only one string may be given when deleting without squeezing repeats.";
            return Err(operands(proc, "extra operand", second, tail).await);
        }
        [_, extra, ..] => return Err(proc.misused("extra operand", extra).await),
        _ => {}
    }
    let mut from = set(proc, first).await?;
    if options.has(b'c') || options.has(b'C') {
        from.members = (0..=255).filter(|b| !from.members.contains(b)).collect();
        from.cases.clear();
    }
    let to = match rest.first() {
        Some(second) => Some(set(proc, second).await?),
        None => None,
    };
    let translates = !delete && to.is_some();
    if translates && to.as_ref().is_some_and(|to| to.members.is_empty()) {
        proc.say_err("when not truncating set1, string2 must be non-empty").await;
        return Ok(1);
    }
    let mut map: [u8; 256] = std::array::from_fn(|b| b.to_le_bytes()[0]);
    let mut gone = [false; 256];
    let mut squeezed = [false; 256];
    for (at, byte) in from.members.iter().enumerate() {
        let slot = usize::from(*byte);
        if delete {
            mark(&mut gone, slot);
        } else if let Some(to) = &to {
            let last = to.members.last().filter(|_| !options.has(b't'));
            if let (Some(target), Some(entry)) = (to.members.get(at).or(last), map.get_mut(slot)) {
                *entry = *target;
            }
        }
    }
    if squeezes {
        for byte in to.as_ref().map_or(&from.members, |to| &to.members) {
            mark(&mut squeezed, usize::from(*byte));
        }
    }
    let is = |table: &[bool; 256], byte: u8| table.get(usize::from(byte)).copied().unwrap_or(false);
    let mut last = None;
    loop {
        let piece = proc.read(64 * 1024).await;
        if piece.is_empty() {
            return Ok(0);
        }
        proc.io.spend(piece.len() / 2048);
        let mut out = Vec::with_capacity(piece.len());
        for byte in piece.into_iter().filter(|byte| !is(&gone, *byte)) {
            let byte = map.get(usize::from(byte)).copied().unwrap_or(byte);
            if last != Some(byte) || !is(&squeezed, byte) {
                out.push(byte);
            }
            last = Some(byte);
        }
        proc.out(out).await?;
    }
}

fn mark(table: &mut [bool; 256], slot: usize) {
    if let Some(entry) = table.get_mut(slot) {
        *entry = true;
    }
}

async fn operands(proc: &Proc, what: &str, operand: &[u8], tail: &str) -> Stop {
    proc.wrong(what, operand).await;
    proc.err(format!("{tail}\nTry 'tr --help' for more information.\n")).await;
    Stop::Status(1)
}

/// Reads a set: escapes, ranges, classes, repeats.
async fn set(proc: &Proc, text: &[u8]) -> Result<Set, Stop> {
    let characters = unescaped(text);
    let mut set = Set { members: Vec::new(), cases: Vec::new() };
    let mut at = 0;
    while let Some(&(byte, literal)) = characters.get(at) {
        let raw: Vec<u8> = characters.iter().skip(at).map(|(b, _)| *b).collect();
        if let Some(rest) = raw.strip_prefix(b"[:").filter(|_| !literal)
            && let Some(end) = rest.windows(2).position(|w| w == b":]")
        {
            let name = rest.get(..end).unwrap_or_default();
            if !(0..=255).any(|b| class(name, b)) {
                proc.wrong("invalid character class", name).await;
                return Err(Stop::Status(1));
            }
            if name == b"upper" || name == b"lower" {
                set.cases.push((set.members.len(), name == b"upper"));
            }
            set.members.extend((0..=255).filter(|b| class(name, *b)));
            at += end + 4;
            continue;
        }
        if let [b'[', character, b'*', rest @ ..] = raw.as_slice()
            && !literal
            && let Some(end) = rest.iter().position(|b| *b == b']')
        {
            let digits = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
            let radix = if digits.starts_with('0') { 8 } else { 10 };
            let count =
                if digits.is_empty() { Ok(0) } else { usize::from_str_radix(&digits, radix) };
            if let Ok(count) = count {
                // Without a number it fills up to the length of the first set.
                let count = if count == 0 { 256 } else { count.min(256) };
                set.members.extend(std::iter::repeat_n(*character, count));
                at += end + 4;
                continue;
            }
        }
        if let (Some((b'-', false)), Some(&(high, _))) =
            (characters.get(at + 1), characters.get(at + 2))
        {
            if high < byte {
                let shown = [&[byte][..], b"-", &[high]].concat();
                let head = b"range-endpoints of ";
                let tail = b" are in reverse collating sequence order";
                let range = crate::shell::commands::complaint::quoted(&shown);
                proc.say_err([&head[..], &range, tail].concat()).await;
                return Err(Stop::Status(1));
            }
            set.members.extend(byte..=high);
            at += 3;
            continue;
        }
        set.members.push(byte);
        at += 1;
    }
    Ok(set)
}

/// Bytes, and whether each was escaped.
fn unescaped(text: &[u8]) -> Vec<(u8, bool)> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push((byte, false));
            continue;
        }
        let octal = tail.iter().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
        if octal > 0 {
            let value = tail.iter().take(octal).fold(0_u32, |n, b| n * 8 + u32::from(b - b'0'));
            out.push((value.to_le_bytes()[0], true));
            rest = tail.get(octal..).unwrap_or_default();
            continue;
        }
        let Some((&escaped, tail)) = tail.split_first() else {
            out.push((b'\\', true));
            break;
        };
        rest = tail;
        let byte = match escaped {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => other,
        };
        out.push((byte, true));
    }
    out
}
