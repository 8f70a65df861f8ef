//! Patterns: `LIKE` and regular expressions, both with bounded work.

use regex_automata::meta;
use regex_automata::util::syntax;

/// Longest text a pattern is held against.
const MAX_TEXT: usize = 256 * 1024;

/// Whether `text` is like `pattern`, where `%` stands for anything and `_` for one character.
pub(crate) fn like(text: &str, pattern: &str, fold: bool) -> bool {
    let fold_case = |text: &str| if fold { text.to_lowercase() } else { text.to_owned() };
    let text: Vec<char> = fold_case(text).chars().take(MAX_TEXT).collect();
    let mut parts = Vec::new();
    let folded = fold_case(pattern);
    let mut chars = folded.chars();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Char(chars.next().unwrap_or('\\')),
            c => Part::Char(c),
        });
    }
    // The last `%` is the only place to go back to: work is at most text times pattern.
    let (mut t, mut p, mut back) = (0, 0, None);
    let mut steps = 4_000_000_u32;
    while t < text.len() {
        steps = steps.saturating_sub(1);
        if steps == 0 {
            return false;
        }
        match parts.get(p) {
            Some(Part::Any) => {
                back = Some((p, t));
                p += 1;
            }
            Some(Part::One) => (t, p) = (t + 1, p + 1),
            Some(Part::Char(c)) if text.get(t) == Some(c) => (t, p) = (t + 1, p + 1),
            _ => match back {
                Some((place, from)) => {
                    back = Some((place, from + 1));
                    (p, t) = (place + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    parts.get(p..).unwrap_or_default().iter().all(|part| *part == Part::Any)
}

#[derive(PartialEq)]
enum Part {
    Any,
    One,
    Char(char),
}

/// A regular expression; none when it is none or too large.
pub(crate) fn regex(pattern: &str, fold: bool) -> Option<meta::Regex> {
    if pattern.len() > 4096 {
        return None;
    }
    meta::Regex::builder()
        .configure(
            meta::Config::new()
                .nfa_size_limit(Some(1024 * 1024))
                .onepass(false)
                .dfa(false)
                .hybrid_cache_capacity(1024 * 1024),
        )
        .syntax(syntax::Config::new().case_insensitive(fold).nest_limit(64).utf8(true))
        .build(pattern)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likes_match_as_in_sql() {
        assert!(like("wp_users", "wp%users", false) && like("abc", "a_c", false));
        assert!(like("", "%", false) && !like("abc", "a_", false) && like("ABC", "abc", true));
        assert!(like("a%", "a\\%", false) && !like("ab", "a\\%", false));
        assert!(!like(&"a".repeat(5000), &format!("{}b", "%a".repeat(2000)), false));
    }

    #[test]
    fn regular_expressions_are_bounded() {
        assert!(regex("^(users)$", false).unwrap().is_match("users"));
        assert!(regex("(a{1000}){1000}", false).is_none());
        assert!(regex("(", false).is_none());
    }
}
