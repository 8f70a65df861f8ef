//! A small SQL engine for decoy databases.
//!
//! Enough to answer what clients and intruders send: queries over the tables of a decky and over
//! the catalogues that products answer from (`information_schema`, `pg_catalog`), and statements
//! that change tables, with effect. What a product adds (its catalogues, functions, variables and
//! texts of errors) comes through [`World`]. Nothing here does I/O.
//!
//! Text is hostile: statements have a length, nesting is counted while reading, and work is
//! measured in steps ([`Budget`]), so that no statement runs for long or grows without bound.
//!
//! `lexer` and `parser` make a [`Statement`] of text, `select` and `change` carry it out over a
//! [`Store`], `evaluate` and `functions` give expressions their values.

mod aggregate;
mod ast;
mod bait;
mod change;
mod evaluate;
mod fault;
mod functions;
mod lexer;
mod parser;
mod pattern;
mod select;
mod store;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use ast::{Name, Query, Statement};
pub(crate) use bait::{Bait, lay};
pub(crate) use change::{apply, plan};
pub(crate) use evaluate::{Budget, Scope, World};
pub(crate) use fault::{Clause, Fault};
pub(crate) use functions::day_of;
pub(crate) use lexer::{Dialect, split, words};
pub(crate) use parser::parse;
pub(crate) use pattern::like;
pub(crate) use select::{Rows, select};
pub(crate) use store::{Column, Database, Store, Table};
pub(crate) use value::{Type, Value};

/// Lines of a text file in `content`.
pub(crate) fn lines(content: &[u8]) -> u64 {
    content.split_inclusive(|byte| *byte == b'\n').count() as u64
}
