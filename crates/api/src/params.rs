//! Query parameters: every mistake is found, none of what was sent is repeated.

use std::ops::RangeInclusive;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use base_model::Timestamp;
use serde::de::DeserializeOwned;

use crate::moment;
use crate::problem::{FieldError, Problem};

/// The names in a path. What is not even UTF-8 names nothing.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(names)| Self(names)).map_err(|_| Problem::not_found("Not Found"))
    }
}

/// The query string, read once and taken apart by name.
#[derive(Debug, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    pub(crate) fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { pairs, errors: Vec::new() }
    }

    /// The last value given for `name`; `null`, `NULL`, `undefined` and nothing mean "not given".
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        let value = self.pairs.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value);
        value.map(String::as_str).filter(|v| !matches!(*v, "" | "null" | "NULL" | "undefined"))
    }

    /// Every value given for `name`, in order.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.pairs.iter().filter(move |(key, _)| key == name);
        values.map(|(_, value)| value.as_str())
    }

    /// A text of at most `limit` characters.
    pub(crate) fn text(&mut self, name: &'static str, limit: usize) -> Option<String> {
        let value = self.raw(name)?.to_owned();
        if value.chars().count() > limit {
            self.wrong(name, format!("must have at most {limit} characters"));
            return None;
        }
        Some(value)
    }

    /// A whole number within `range`.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let Some(value) = self.raw(name) else { return default };
        match value.parse::<u64>() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (low, high) = (range.start(), range.end());
                self.wrong(name, format!("must be a whole number from {low} to {high}"));
                default
            }
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> bool {
        match self.raw(name) {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => {
                self.wrong(name, "must be true or false".into());
                false
            }
        }
    }

    /// An instant.
    pub(crate) fn time(&mut self, name: &'static str) -> Option<Timestamp> {
        let at = moment::parse(self.raw(name)?);
        if at.is_none() {
            self.wrong(name, "must be an ISO 8601 date or time".into());
        }
        at
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        let Some(value) = self.raw(name) else { return default };
        match words.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => *meaning,
            None => {
                self.must_be_one_of(name, words.iter().map(|(word, _)| *word));
                default
            }
        }
    }

    /// Notes that `name` must be one of `words`.
    pub(crate) fn must_be_one_of(
        &mut self,
        name: &'static str,
        words: impl Iterator<Item = &'static str>,
    ) {
        let words: Vec<&str> = words.collect();
        self.wrong(name, format!("must be one of {}", words.join(", ")));
    }

    /// Notes that `name` is wrong.
    pub(crate) fn wrong(&mut self, name: &'static str, msg: String) {
        self.errors.push(FieldError { loc: vec!["query", name], msg: msg.into() });
    }

    /// Refuses the request if anything was wrong.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_named_and_no_value_is_repeated() {
        let mut params = Params::parse("limit=<script>&offset=-1&start_time=evil&fill=maybe");
        params.number("limit", 1..=1000, 50);
        params.number("offset", 0..=10, 0);
        params.time("start_time");
        params.flag("fill");
        let problem = params.finish().unwrap_err();
        let text = format!("{problem:?}");
        for name in ["limit", "offset", "start_time", "fill"] {
            assert!(text.contains(name), "{name}");
        }
        for value in ["script", "evil", "maybe", "-1"] {
            assert!(!text.contains(value), "{value}");
        }
    }

    #[test]
    fn words_for_nothing_mean_nothing() {
        let mut params = Params::parse("a=null&b=&c=undefined&d=NULL&limit=");
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(params.text(name, 5), None);
        }
        assert_eq!(params.number("limit", 1..=9, 5), 5);
        assert_eq!(params.finish(), Ok(()));
    }
}
