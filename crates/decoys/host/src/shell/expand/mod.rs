//! Expansion of words: tilde, parameters, commands, arithmetic, fields, file names.
//!
//! A word comes apart into pieces (`base_shell::word`); here each piece gets its value. `fields`
//! splits, `parameter` holds `$name` and `${name…}`, `substitute` runs `$(…)` and `$((…))`, `glob`
//! finds file names.

mod edit;
mod fields;
mod glob;
mod parameter;
mod substitute;

use base_shell::ast::Word;
use base_shell::text::decode;
use base_shell::word::{self, Operation, Piece};

use self::fields::{Fields, MAX_FIELDS};
use super::interp::{Flow, Interp};
use super::io::Boxed;
use super::limits;
use super::pattern;

/// Substitutions inside one word.
const DEPTH: usize = 16;

/// An expansion that ends the command; its message is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abort {
    /// The command fails.
    Command,
    /// A shell that runs a script ends.
    Shell,
}

impl Interp {
    pub(crate) fn aborted(&mut self, abort: Abort) -> Flow {
        self.status = if self.status == 0 { 1 } else { self.status };
        match abort {
            Abort::Shell if !self.interactive => {
                self.status = 127;
                Flow::Exit
            }
            _ if !self.interactive && abort == Abort::Shell => Flow::Exit,
            _ => Flow::Next,
        }
    }

    /// All fields that `words` expand to.
    pub(crate) async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<Vec<u8>>, Abort> {
        let mut out = Vec::new();
        for word in words {
            out.extend(self.expand_word(&word.value).await?);
        }
        Ok(out)
    }

    /// The fields that `word` expands to.
    pub(crate) async fn expand_word(&mut self, word: &str) -> Result<Vec<Vec<u8>>, Abort> {
        let mut out = Vec::new();
        for word in word::expand_braces(word) {
            self.proc.io.tick().await;
            let mut fields = Fields::default();
            for piece in self.pieces(&word).await? {
                self.add_piece(piece, &mut fields).await?;
            }
            fields.end();
            for field in fields.done {
                if !self.options.noglob && pattern::is_pattern(&field) {
                    let found = self.glob(&field);
                    if !found.is_empty() {
                        out.extend(found);
                        continue;
                    }
                }
                out.push(pattern::unescape(&field));
            }
            if out.len() > MAX_FIELDS {
                self.proc.io.lock().killed = true;
                return Err(Abort::Command);
            }
        }
        Ok(out)
    }

    /// `word` as one string: for assignments, redirections, `case`.
    pub(crate) async fn expand_string(&mut self, word: &str) -> Result<Vec<u8>, Abort> {
        Ok(pattern::unescape(&self.expand_pattern(word).await?))
    }

    /// `word` as one pattern in which quoted text is escaped.
    pub(crate) async fn expand_pattern(&mut self, word: &str) -> Result<Vec<u8>, Abort> {
        let pieces = self.pieces(word).await?;
        self.join_pieces(pieces).await
    }

    /// The body of a here-document.
    pub(crate) async fn expand_here(&mut self, body: &str) -> Result<Vec<u8>, Abort> {
        match word::here_document(body, DEPTH) {
            Ok(pieces) => Ok(pattern::unescape(&self.join_pieces(pieces).await?)),
            Err(_) => Err(Abort::Command),
        }
    }

    async fn pieces(&mut self, word: &str) -> Result<Vec<Piece>, Abort> {
        match word::pieces(word, DEPTH) {
            Ok(pieces) => Ok(pieces),
            Err(_) => {
                self.complain([&decode(word)[..], b": bad substitution"].concat()).await;
                Err(Abort::Command)
            }
        }
    }

    /// Joins pieces without splitting; `"$@"` becomes one string.
    fn join_pieces(&mut self, pieces: Vec<Piece>) -> Boxed<'_, Result<Vec<u8>, Abort>> {
        Box::pin(async move {
            let mut out = Vec::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => out.extend(decode(&text)),
                    Piece::Quoted(text) => out.extend(pattern::escape(&decode(&text))),
                    Piece::Tilde(name) => out.extend(pattern::escape(&self.tilde(&name))),
                    Piece::Parameter { parameter, quoted } => {
                        let value = self.parameter(&parameter).await?.join(&b' ');
                        if quoted {
                            out.extend(pattern::escape(&value));
                        } else {
                            out.extend(value.iter().flat_map(|&b| {
                                let slash = (b == b'\\').then_some(b'\\');
                                slash.into_iter().chain([b])
                            }));
                        }
                    }
                    Piece::Command { source, .. } => {
                        out.extend(pattern::escape(&self.substitute(&source).await));
                    }
                    Piece::Arithmetic { expression, .. } => {
                        out.extend(self.arithmetic(&expression).await?.to_string().into_bytes());
                    }
                }
                if out.len() > limits::VALUE * 4 {
                    self.proc.io.lock().killed = true;
                    return Err(Abort::Command);
                }
            }
            Ok(out)
        })
    }

    async fn add_piece(&mut self, piece: Piece, fields: &mut Fields) -> Result<(), Abort> {
        match piece {
            Piece::Text(text) => fields.push(&decode(&text), false),
            Piece::Quoted(text) => fields.push(&decode(&text), true),
            Piece::Tilde(name) => fields.push(&self.tilde(&name), true),
            Piece::Parameter { parameter, quoted } => {
                let values = self.parameter(&parameter).await?;
                let all = parameter.name == "@" || parameter.name == "*";
                let apart = parameter.name == "@" || !quoted;
                if all && apart && parameter.operation == Operation::Value {
                    for (at, value) in values.iter().enumerate() {
                        if at > 0 {
                            fields.end();
                        }
                        if quoted {
                            fields.push(value, true);
                        } else {
                            self.split_into(value, fields);
                        }
                    }
                } else {
                    let value = values.join(&b' ');
                    if quoted {
                        fields.push(&value, true);
                    } else {
                        self.split_into(&value, fields);
                    }
                }
            }
            Piece::Command { source, quoted } => {
                let value = self.substitute(&source).await;
                if quoted {
                    fields.push(&value, true);
                } else {
                    self.split_into(&value, fields);
                }
            }
            Piece::Arithmetic { expression, .. } => {
                let value = self.arithmetic(&expression).await?.to_string();
                fields.push(value.as_bytes(), false);
            }
        }
        Ok(())
    }

    fn split_into(&self, value: &[u8], fields: &mut Fields) {
        let ifs = self.variable("IFS").unwrap_or_else(|| b" \t\n".to_vec());
        fields.split(value, &ifs);
    }

    fn tilde(&self, name: &str) -> Vec<u8> {
        let spelled = || format!("~{name}").into_bytes();
        match name {
            "" => self.variable("HOME").unwrap_or_else(|| self.proc.user.home.clone()),
            "+" => self.proc.cwd.clone(),
            "-" => self.variable("OLDPWD").unwrap_or_else(spelled),
            user => match self.proc.host.account(user.as_bytes()) {
                Some(account) => account.home.into_bytes(),
                None => spelled(),
            },
        }
    }
}
