//! POSIX regular expressions, basic and extended, over bytes.
//!
//! `parse` reads what `regex(7)` and GNU's extensions allow and hands it to the `regex-automata`
//! crate, whose engines take time proportional to expression times text. POSIX wants the leftmost
//! *longest* match: one engine finds where a match starts, a second one how far it can go.
//! Back-references are refused: no engine with such a bound has them.

mod fault;
mod parse;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use regex_automata::hybrid::dfa;
use regex_automata::{Anchored, Input, MatchKind, meta, nfa::thompson};
use regex_syntax::hir::{Hir, Look};

pub(in crate::shell) use self::fault::Fault;

/// Bytes of one compiled automaton; `{m,n}` multiplies.
const MAX_AUTOMATON: usize = 512 * 1024;
/// Bytes an engine may remember while it searches.
const MAX_CACHE: usize = 512 * 1024;
/// Work of one search, in states times bytes. Text beyond it is not looked at.
const MAX_WORK: usize = 1 << 23;

/// A place in a text: from, to.
pub(in crate::shell) type Span = (usize, usize);

/// A compiled expression.
pub(in crate::shell) struct Regex {
    /// Finds starts, and groups.
    first: meta::Regex,
    /// Finds the longest match from a start.
    longest: dfa::DFA,
    cache: Mutex<dfa::Cache>,
    /// As `first`, for matches that end with the text.
    to_end: meta::Regex,
    /// Longest text that one search looks at.
    window: usize,
    groups: usize,
}

impl Regex {
    /// Compiles `pattern`.
    pub(in crate::shell) fn new(pattern: &[u8], extended: bool, fold: bool) -> Result<Self, Fault> {
        let parsed = parse::parse(pattern, extended, fold)?;
        let meta = |hir: &Hir| {
            let config = meta::Config::new()
                .utf8_empty(false)
                .nfa_size_limit(Some(MAX_AUTOMATON))
                .hybrid_cache_capacity(MAX_CACHE)
                .dfa(false)
                .onepass(false);
            meta::Builder::new().configure(config).build_from_hir(hir).map_err(|_| Fault::TooBig)
        };
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(MAX_AUTOMATON))
                    .which_captures(thompson::WhichCaptures::None),
            )
            .build_from_hir(&parsed.tree)
            .map_err(|_| Fault::TooBig)?;
        let window = MAX_WORK / nfa.states().len().max(1);
        let longest = dfa::Builder::new()
            .configure(
                dfa::Config::new()
                    .match_kind(MatchKind::All)
                    .cache_capacity(MAX_CACHE)
                    .skip_cache_capacity_check(true),
            )
            .build_from_nfa(nfa)
            .map_err(|_| Fault::TooBig)?;
        let cache = Mutex::new(longest.create_cache());
        let at_end = Hir::concat(vec![parsed.tree.clone(), Hir::look(Look::End)]);
        Ok(Self {
            first: meta(&parsed.tree)?,
            longest,
            cache,
            to_end: meta(&at_end)?,
            window,
            groups: parsed.groups,
        })
    }

    /// `text` as a basic expression that matches just it.
    pub(in crate::shell) fn literal(text: &[u8]) -> Vec<u8> {
        let special = |b: &u8| b"\\.[]*^$".contains(b);
        text.iter().flat_map(|b| special(b).then_some(b'\\').into_iter().chain([*b])).collect()
    }

    /// How many groups it has.
    pub(in crate::shell) const fn groups(&self) -> usize {
        self.groups
    }

    /// Whether it matches anywhere in `text`.
    pub(in crate::shell) fn is_match(&self, text: &[u8]) -> bool {
        self.first.is_match(Input::new(self.seen(text, 0)))
    }

    /// The leftmost, longest match that starts at `from` or later.
    pub(in crate::shell) fn find_at(&self, text: &[u8], from: usize) -> Option<Span> {
        let seen = self.seen(text, from);
        if from > seen.len() {
            return None;
        }
        let found = self.first.search(&Input::new(seen).range(from..))?;
        let input = Input::new(seen).range(found.start()..).anchored(Anchored::Yes);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let end = match self.longest.try_search_fwd(&mut cache, &input) {
            Ok(Some(half)) => half.offset(),
            // The engine gave up on its cache: the first match is a match too.
            Ok(None) | Err(_) => found.end(),
        };
        Some((found.start(), end.max(found.end())))
    }

    /// As [`Regex::find_at`], with the groups after the whole match.
    pub(in crate::shell) fn groups_at(
        &self,
        text: &[u8],
        from: usize,
    ) -> Option<Vec<Option<Span>>> {
        let (start, end) = self.find_at(text, from)?;
        let seen = self.seen(text, from);
        let input = Input::new(seen).range(start..).anchored(Anchored::Yes);
        let mut captures = self.first.create_captures();
        self.first.search_captures(&input, &mut captures);
        if captures.get_match().is_none_or(|found| found.end() != end) {
            let upto = seen.get(..end).unwrap_or(seen);
            let input = Input::new(upto).range(start..).anchored(Anchored::Yes);
            self.to_end.search_captures(&input, &mut captures);
        }
        let group = |at| captures.get_group(at).map(|span| (span.start, span.end));
        Some(std::iter::once(Some((start, end))).chain((1..=self.groups).map(group)).collect())
    }

    /// What of `text` a search from `from` looks at.
    fn seen<'t>(&self, text: &'t [u8], from: usize) -> &'t [u8] {
        text.get(..from.saturating_add(self.window)).unwrap_or(text)
    }
}
