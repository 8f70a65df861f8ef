//! `${name#pattern}`, `${name%pattern}` and `${name/pattern/with}`.

use crate::shell::pattern;

/// Longest value on which all cuts are tried.
const MAX_CUTS: usize = 16 * 1024;

/// `value` without what `pattern` matches at its start, or at its end when `suffix`.
pub(super) fn remove(value: &[u8], pattern: &[u8], suffix: bool, longest: bool) -> Vec<u8> {
    let size = value.len();
    if size > MAX_CUTS {
        return value.to_vec();
    }
    let cuts: Box<dyn Iterator<Item = usize>> =
        if suffix == longest { Box::new(0..=size) } else { Box::new((0..=size).rev()) };
    for cut in cuts {
        let (head, tail) = value.split_at_checked(cut).unwrap_or((value, &[]));
        let (tested, kept) = if suffix { (tail, head) } else { (head, tail) };
        if pattern::matches(pattern, tested) {
            return kept.to_vec();
        }
    }
    value.to_vec()
}

/// `value` with matches of `pattern` replaced: the first, or as `which` says all (`/`), one at the
/// start (`#`) or one at the end (`%`).
pub(super) fn replace(value: &[u8], pattern: &[u8], with: &[u8], which: Option<char>) -> Vec<u8> {
    if pattern.is_empty() || value.len() > MAX_CUTS {
        return value.to_vec();
    }
    // The longest match that starts at each place; bounded by the square of `MAX_CUTS` at worst,
    // so long values are tried against literal patterns only.
    let literal = (!pattern::is_pattern(pattern)).then(|| pattern::unescape(pattern));
    if literal.is_none() && value.len() > 1024 {
        return value.to_vec();
    }
    let match_at = |from: usize| -> Option<usize> {
        let rest = value.get(from..)?;
        if let Some(literal) = &literal {
            return rest.starts_with(literal).then_some(literal.len());
        }
        (0..=rest.len())
            .rev()
            .find(|end| rest.get(..*end).is_some_and(|t| pattern::matches(pattern, t)))
    };
    let mut out = Vec::new();
    let mut at = 0;
    while at < value.len() {
        let length = match which {
            Some('#') if at > 0 => None,
            Some('%') => match_at(at).filter(|length| at + length == value.len()),
            _ => match_at(at),
        };
        match length.filter(|length| *length > 0) {
            Some(length) => {
                out.extend_from_slice(with);
                at += length;
                if which != Some('/') {
                    break;
                }
            }
            None => {
                out.extend(value.get(at));
                at += 1;
            }
        }
    }
    out.extend_from_slice(value.get(at..).unwrap_or_default());
    out
}
