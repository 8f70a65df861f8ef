//! The shell grammar, safe to point at hostile input.
//!
//! [`parse`] turns a command line into the syntax tree of `brush-parser`; [`word::pieces`] takes one
//! of its words apart for expansion. Both are total: they answer with a [`ParseFault`] instead of
//! overflowing the stack, looping or panicking, because length, nesting and parsing work are
//! bounded *before* the recursive parser sees anything. Bytes that are not UTF-8 survive
//! (see [`text`]).
//!
//! Splitting into tokens is done here rather than by `brush-parser`, since its tokenizer recurses
//! without a bound and rewrites blanks inside substitutions. Nothing is executed or expanded here.

mod cost;
mod fault;
mod lexer;
pub mod text;
pub mod word;

pub use brush_parser::ast;
pub use fault::{Limits, Missing, ParseFault};

use ast::Program;
use brush_parser::{ParseError, ParserOptions, Token};

/// Parses a whole script or command line.
///
/// # Errors
/// What is wrong with it; [`ParseFault::Incomplete`] asks for further lines.
pub fn parse(source: &[u8], limits: &Limits) -> Result<Program, ParseFault> {
    if source.len() > limits.bytes {
        return Err(ParseFault::TooLong);
    }
    let mut source = text::encode(source);
    if !source.ends_with('\n') {
        source.push('\n');
    }
    let tokens = lexer::tokens(&source, limits)?;
    let misplaced = cost::check(&tokens, limits)?;
    // The grammar still holds conversions that can panic; one that slipped past the lexer's
    // precautions is the client's syntax error, not our failure.
    let parsed =
        std::panic::catch_unwind(|| brush_parser::parse_tokens(&tokens, &ParserOptions::default()));
    match parsed {
        Ok(Ok(program)) => Ok(program),
        Ok(Err(ParseError::ParsingNear(at))) => Err(unexpected(&tokens, at.index, misplaced)),
        Ok(Err(ParseError::ParsingAtEndOfInput | ParseError::Tokenizing { .. })) => {
            Err(ParseFault::Incomplete(Missing::Compound))
        }
        Err(_) => Err(ParseFault::Syntax { near: "newline".to_owned(), line: 1 }),
    }
}

fn unexpected(tokens: &[Token], index: usize, misplaced: Option<usize>) -> ParseFault {
    let misplaced = misplaced.and_then(|at| tokens.get(at));
    let misplaced = misplaced.filter(|token| token.location().start.index < index);
    let reported = tokens.iter().find(|token| token.location().start.index == index);
    let token = misplaced.or(reported);
    let near = match token.map(Token::to_str) {
        None | Some("\n") => "newline".to_owned(),
        Some(text) => text.to_owned(),
    };
    let line = token.map_or(1, |token| token.location().start.line);
    ParseFault::Syntax { near, line }
}

#[cfg(test)]
mod tests;
