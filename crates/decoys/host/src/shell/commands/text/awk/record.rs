//! The record and its fields.

use std::sync::Arc;

use super::value::Value;
use crate::shell::regex::Regex;

/// Most fields of a record.
const MAX_FIELDS: usize = 32_767;

/// How fields are told apart.
pub(super) enum Splitter {
    /// Between runs of blanks.
    Blanks,
    Byte(u8),
    Regex(Arc<Regex>),
    /// Every character is a field.
    Each,
}

impl Splitter {
    pub(super) fn split(&self, text: &[u8]) -> Vec<Vec<u8>> {
        if text.is_empty() {
            return Vec::new();
        }
        match self {
            Self::Blanks => text
                .split(|b| matches!(b, b' ' | b'\t' | b'\n'))
                .filter(|part| !part.is_empty())
                .take(MAX_FIELDS)
                .map(<[u8]>::to_vec)
                .collect(),
            Self::Byte(byte) => {
                text.split(|b| b == byte).take(MAX_FIELDS).map(<[u8]>::to_vec).collect()
            }
            Self::Each => text.iter().take(MAX_FIELDS).map(|b| vec![*b]).collect(),
            Self::Regex(regex) => {
                let mut out = Vec::new();
                let mut start = 0;
                let mut at = 0;
                while out.len() < MAX_FIELDS
                    && let Some((from, to)) = regex.find_at(text, at)
                {
                    if to == from {
                        at = to + 1;
                        if at > text.len() {
                            break;
                        }
                        continue;
                    }
                    out.push(text.get(start..from).unwrap_or_default().to_vec());
                    (start, at) = (to, to);
                }
                out.push(text.get(start..).unwrap_or_default().to_vec());
                out
            }
        }
    }
}

/// `$0` and what it is made of; each is made from the other when it is asked for.
#[derive(Default)]
pub(super) struct Record {
    whole: Vec<u8>,
    fields: Vec<Value>,
    is_split: bool,
    is_joined: bool,
}

impl Record {
    pub(super) fn set(&mut self, text: Vec<u8>) {
        self.whole = text;
        self.fields.clear();
        self.is_split = false;
        self.is_joined = true;
    }

    pub(super) fn whole(&mut self, ofs: &[u8], convert: &[u8]) -> &[u8] {
        if !self.is_joined {
            let parts: Vec<Arc<[u8]>> =
                self.fields.iter().map(|field| field.bytes(convert)).collect();
            self.whole = parts.join(ofs);
            self.is_joined = true;
        }
        &self.whole
    }

    fn split(&mut self, splitter: &Splitter) {
        if !self.is_split {
            self.fields = splitter.split(&self.whole).iter().map(|f| Value::input(f)).collect();
            self.is_split = true;
        }
    }

    pub(super) fn count(&mut self, splitter: &Splitter) -> usize {
        self.split(splitter);
        self.fields.len()
    }

    pub(super) fn set_count(&mut self, count: usize, splitter: &Splitter) {
        self.split(splitter);
        self.fields.resize(count.min(MAX_FIELDS), Value::Nothing);
        self.is_joined = false;
    }

    pub(super) fn field(&mut self, number: usize, splitter: &Splitter) -> Value {
        self.split(splitter);
        number.checked_sub(1).and_then(|at| self.fields.get(at)).cloned().unwrap_or(Value::Nothing)
    }

    pub(super) fn set_field(&mut self, number: usize, value: Value, splitter: &Splitter) {
        self.split(splitter);
        if number > self.fields.len() && number <= MAX_FIELDS {
            self.fields.resize(number, Value::Nothing);
        }
        if let Some(slot) = number.checked_sub(1).and_then(|at| self.fields.get_mut(at)) {
            *slot = value;
        }
        self.is_joined = false;
    }
}
