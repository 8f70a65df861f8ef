//! Parameters: `$name`, special ones, and the operations of `${…}`.

use base_shell::text::{decode, encode};
use base_shell::word::{Operation, Parameter};

use super::Abort;
use super::edit::{remove, replace};
use crate::shell::arith::Variables;
use crate::shell::interp::{Dialect, Interp};
use crate::shell::io::Boxed;
use crate::shell::pattern;

impl Interp {
    /// The values of a parameter: one, or all positional ones.
    fn plain(&self, name: &str) -> Option<Vec<Vec<u8>>> {
        let one = |value: Vec<u8>| Some(vec![value]);
        match name {
            "@" | "*" => Some(self.params.clone()),
            "#" => one(self.params.len().to_string().into_bytes()),
            "?" => one(self.status.to_string().into_bytes()),
            "$" => one(self.shell_pid.to_string().into_bytes()),
            "!" => one(self.background.map_or(Vec::new(), |pid| pid.to_string().into_bytes())),
            "-" => one(if self.interactive { b"himBHs".to_vec() } else { b"hBc".to_vec() }),
            "0" => one(self.name.clone()),
            "RANDOM" => {
                let bytes = self.proc.host.with(|m| m.read_device(crate::fs::Device::Random, 2));
                let number = bytes.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) & 0x7fff;
                one(number.to_string().into_bytes())
            }
            "UID" | "EUID" => one(self.proc.user.creds.uid.to_string().into_bytes()),
            "PPID" => one(self.proc.session_pid.saturating_sub(1).to_string().into_bytes()),
            "SECONDS" => one(b"0".to_vec()),
            "LINENO" => one(self.line.to_string().into_bytes()),
            "HOSTNAME" if !self.variables.contains_key(name) => {
                one(self.proc.host.with(|m| m.facts().hostname.clone()).into_bytes())
            }
            "BASH_VERSION" if self.dialect != Dialect::Dash => {
                one(self.proc.host.distro().bash_version.clone().into_bytes())
            }
            "BASH" if self.dialect != Dialect::Dash => one(b"/bin/bash".to_vec()),
            "HOSTTYPE" => one(b"x86_64".to_vec()),
            "OSTYPE" => one(b"linux-gnu".to_vec()),
            _ if name.bytes().all(|b| b.is_ascii_digit()) => {
                let at = name.parse::<usize>().ok()?.checked_sub(1)?;
                self.params.get(at).cloned().map(|value| vec![value])
            }
            _ => self.variable(name).map(|value| vec![value]),
        }
    }

    pub(super) async fn parameter(&mut self, parameter: &Parameter) -> Result<Vec<Vec<u8>>, Abort> {
        let name = parameter.name.as_str();
        let values = self.plain(name);
        if values.is_none()
            && self.options.nounset
            && !matches!(parameter.operation, Operation::Test { .. } | Operation::Bad(_))
        {
            self.complain(format!("{name}: unbound variable")).await;
            return Err(Abort::Shell);
        }
        let value = || values.clone().unwrap_or_default().join(&b' ');
        let one = |value: Vec<u8>| Ok(vec![value]);
        match &parameter.operation {
            Operation::Value => Ok(values.unwrap_or_default()),
            Operation::Length => {
                let length = match name {
                    "@" | "*" => self.params.len(),
                    _ => encode(&value()).chars().count(),
                };
                one(length.to_string().into_bytes())
            }
            Operation::Indirect => {
                let inner = String::from_utf8_lossy(&value()).into_owned();
                Ok(self.plain(&inner).unwrap_or_default())
            }
            Operation::Test { kind, or_empty, word } => {
                let missing = match &values {
                    None => true,
                    Some(values) => *or_empty && values.iter().all(Vec::is_empty),
                };
                match (kind, missing) {
                    ('+', true) => Ok(Vec::new()),
                    ('+', false) => one(self.operand(word).await?),
                    (_, false) => Ok(values.unwrap_or_default()),
                    ('=', true) => {
                        let value = self.operand(word).await?;
                        self.assign(name, value.clone());
                        one(value)
                    }
                    ('?', true) => {
                        let mut text = self.operand(word).await?;
                        if text.is_empty() {
                            text = b"parameter null or not set".to_vec();
                        }
                        self.complain([name.as_bytes(), b": ", &text].concat()).await;
                        Err(Abort::Shell)
                    }
                    _ => one(self.operand(word).await?),
                }
            }
            Operation::Remove { suffix, longest, pattern } => {
                let pattern = self.operand_pattern(pattern).await?;
                let strip = |value: &[u8]| remove(value, &pattern, *suffix, *longest);
                Ok(values.unwrap_or_default().iter().map(|value| strip(value)).collect())
            }
            Operation::Substring { offset, length } => {
                let text = value();
                let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
                let offset = self.arithmetic(offset).await?;
                let from = if offset < 0 { size.saturating_add(offset) } else { offset };
                let to = match length {
                    None => size,
                    Some(length) => match self.arithmetic(length).await? {
                        length if length < 0 => size.saturating_add(length),
                        length => from.saturating_add(length),
                    },
                };
                let clamp = |n: i64| usize::try_from(n.clamp(0, size)).unwrap_or(0);
                one(text.get(clamp(from)..clamp(to)).unwrap_or_default().to_vec())
            }
            Operation::Replace { which, pattern, with } => {
                let pattern = self.operand_pattern(pattern).await?;
                let with = self.operand(with).await?;
                one(replace(&value(), &pattern, &with, *which))
            }
            Operation::Case { upper, all } => {
                let mut text = value();
                let count = if *all { text.len() } else { 1 };
                for byte in text.iter_mut().take(count) {
                    *byte =
                        if *upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
                }
                one(text)
            }
            Operation::Bad(text) => {
                self.complain([b"${", &decode(text)[..], b"}: bad substitution"].concat()).await;
                Err(Abort::Command)
            }
        }
    }

    async fn operand(&mut self, word: &str) -> Result<Vec<u8>, Abort> {
        Ok(pattern::unescape(&self.operand_pattern(word).await?))
    }

    fn operand_pattern<'a>(&'a mut self, word: &'a str) -> Boxed<'a, Result<Vec<u8>, Abort>> {
        Box::pin(async move {
            self.proc.io.tick().await;
            // Each level parses a shorter word, so nesting ends with the word.
            self.expand_pattern(word).await
        })
    }
}

impl Variables for Interp {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.plain(name).and_then(|values| values.into_iter().next())
    }

    fn set(&mut self, name: &str, value: i64) {
        self.assign(name, value.to_string().into_bytes());
    }
}
