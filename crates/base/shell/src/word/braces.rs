//! Brace expansion: `a{b,c}` and `{1..5}`.

use crate::lexer::skip_piece;

/// Most words one word may expand to; past it the word stays as written.
const MAX_WORDS: usize = 4096;
/// Most bytes of all of them.
const MAX_BYTES: usize = 256 * 1024;
/// Braces inside braces beyond this stay as written.
const MAX_DEPTH: usize = 8;

/// The words that `word` stands for: itself, when it holds no brace expression.
#[must_use]
pub fn expand(word: &str) -> Vec<String> {
    if !word.contains('{') {
        return vec![word.to_owned()];
    }
    expand_within(word, MAX_DEPTH).unwrap_or_else(|| vec![word.to_owned()])
}

/// `None` when it comes to too much.
fn expand_within(word: &str, depth: usize) -> Option<Vec<String>> {
    let Some((open, close, commas)) = first_group(word) else { return Some(vec![word.to_owned()]) };
    let depth = depth.checked_sub(1)?;
    let head = word.get(..open)?;
    let inner = word.get(open + 1..close)?;
    let tails = expand_within(word.get(close + 1..)?, depth)?;
    let middles = if commas.is_empty() {
        sequence(inner)?
    } else {
        let mut middles = Vec::new();
        let mut from = open + 1;
        for &comma in commas.iter().chain([&close]) {
            middles.extend(expand_within(word.get(from..comma)?, depth)?);
            from = comma + 1;
        }
        middles
    };
    let count = middles.len().checked_mul(tails.len())?;
    if count > MAX_WORDS || count.checked_mul(word.len().max(32))? > MAX_BYTES * 4 {
        return None;
    }
    let mut out = Vec::with_capacity(count);
    let mut bytes = 0;
    for middle in &middles {
        for tail in &tails {
            bytes += head.len() + middle.len() + tail.len();
            if bytes > MAX_BYTES {
                return None;
            }
            out.push(format!("{head}{middle}{tail}"));
        }
    }
    Some(out)
}

/// The first `{…}` that holds a comma or a sequence: both ends, and its own commas.
fn first_group(word: &str) -> Option<(usize, usize, Vec<usize>)> {
    let bytes = word.as_bytes();
    // Open braces with their commas. Each unclosed one costs nothing further, so this is linear.
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut best: Option<(usize, usize, Vec<usize>)> = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' => {
                open.push((at, Vec::new()));
                at += 1;
            }
            b',' => {
                if let Some((_, commas)) = open.last_mut() {
                    commas.push(at);
                }
                at += 1;
            }
            b'}' => {
                if let Some((start, commas)) = open.pop() {
                    let inner = word.get(start + 1..at).unwrap_or_default();
                    if !commas.is_empty() || sequence(inner).is_some() {
                        best = Some((start, at, commas));
                        if open.is_empty() {
                            return best;
                        }
                    }
                }
                at += 1;
            }
            _ => at = skip_piece(bytes, at, MAX_DEPTH).unwrap_or(bytes.len()),
        }
    }
    best
}

fn sequence(inner: &str) -> Option<Vec<String>> {
    let mut parts = inner.split("..");
    let (from, to) = (parts.next()?, parts.next()?);
    let step = match parts.next() {
        Some(step) => step.parse::<i64>().ok()?.checked_abs()?.max(1),
        None => 1,
    };
    if parts.next().is_some() {
        return None;
    }
    if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
        return Some(steps(from, to, step)?.into_iter().map(|n| n.to_string()).collect());
    }
    let single = |text: &str| {
        let mut chars = text.chars();
        let c = chars.next().filter(char::is_ascii_alphabetic)?;
        chars.next().is_none().then_some(u32::from(c))
    };
    let (from, to) = (i64::from(single(from)?), i64::from(single(to)?));
    let letters = steps(from, to, step)?.into_iter();
    letters.map(|n| u32::try_from(n).ok().and_then(char::from_u32).map(String::from)).collect()
}

fn steps(from: i64, to: i64, step: i64) -> Option<Vec<i64>> {
    let span = from.checked_sub(to)?.checked_abs()? / step;
    let count = usize::try_from(span).ok().filter(|count| *count < MAX_WORDS)?;
    let step = if from <= to { step } else { -step };
    let mut out = Vec::with_capacity(count + 1);
    let mut value = from;
    for _ in 0..=count {
        out.push(value);
        value = value.saturating_add(step);
    }
    Some(out)
}
