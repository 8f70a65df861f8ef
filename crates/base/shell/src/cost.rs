//! How deep and how long the recursive grammar would work on a list of tokens.
//!
//! The grammar backtracks without memory: a group may be read twice before the right alternative
//! is found, and what is inside it twice as often. So a token at depth `d` costs `2^d`, and
//! the sum is bounded. A closing word counts only when it closes what is open, so no order of words
//! can make nesting look shallower than the grammar will find it.

use brush_parser::Token;

use crate::fault::{Limits, ParseFault};

/// Checks the limits. Finds, for error messages, the first reserved word that stands where no open
/// command wants it: the grammar's own report can be one token late.
pub(crate) fn check(tokens: &[Token], limits: &Limits) -> Result<Option<usize>, ParseFault> {
    if tokens.len() > limits.tokens {
        return Err(ParseFault::TooLong);
    }
    let mut open: Vec<&'static str> = Vec::new();
    let mut work = 0_u64;
    // Prefix operators that stack without closing: `! ! ! …`, `coproc coproc …`, `function a`.
    let mut prefixes = 0_usize;
    let mut command_position = true;
    let mut misplaced = None;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Token::Operator(operator, _) => {
                command_position = !operator.starts_with(['<', '>']) && !operator.starts_with("&>");
                match operator.as_str() {
                    "(" => {
                        if stray_parenthesis(tokens, index) {
                            misplaced = misplaced.or(Some(index));
                        }
                        open.push(")");
                    }
                    ")" => close(&mut open, ")"),
                    "\n" | ";" | "&" => prefixes = 0,
                    _ => {}
                }
            }
            Token::Word(word, _) if command_position => {
                command_position = true;
                match word.as_str() {
                    "if" => open.push("fi"),
                    "case" => open.push("esac"),
                    "while" | "until" | "for" | "select" => open.push("done"),
                    "{" => open.push("}"),
                    "[[" => open.push("]]"),
                    "fi" | "esac" | "done" | "}" => {
                        if open.last() != Some(&word.as_str()) {
                            misplaced = misplaced.or(Some(index));
                        }
                        close(&mut open, word);
                    }
                    "!" | "coproc" | "function" | "time" => prefixes += 1,
                    "do" if open.last() != Some(&"done") => misplaced = misplaced.or(Some(index)),
                    "then" | "else" | "elif" if open.last() != Some(&"fi") => {
                        misplaced = misplaced.or(Some(index));
                    }
                    "do" | "then" | "else" | "elif" => {}
                    _ => command_position = false,
                }
            }
            Token::Word(word, _) => match word.as_str() {
                "]]" => close(&mut open, "]]"),
                // Negation and grouping nest inside `[[`, wherever they stand.
                "!" if open.contains(&"]]") => prefixes += 1,
                // After `for x` and `case x in` a reserved word may follow where none is expected.
                "do" | "in" | "then" => command_position = true,
                "{" => open.push("}"),
                _ => {}
            },
        }
        let depth = open.len() + prefixes;
        if depth > limits.depth {
            return Err(ParseFault::TooDeep);
        }
        work = work.saturating_add(1 << depth.min(63));
        if work > limits.work {
            return Err(ParseFault::TooDeep);
        }
    }
    Ok(misplaced)
}

/// Whether the `(` at `index` follows an ordinary word without defining a function or an array.
fn stray_parenthesis(tokens: &[Token], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|at| tokens.get(at));
    let empty = matches!(tokens.get(index + 1), Some(Token::Operator(next, _)) if next == ")");
    let ordinary = |word: &str| {
        let reserved =
            ["if", "then", "else", "elif", "do", "while", "until", "for", "in", "!", "{"];
        !word.ends_with('=') && !word.starts_with("[[") && !reserved.contains(&word)
    };
    !empty && matches!(before, Some(Token::Word(word, _)) if ordinary(word))
}

fn close(open: &mut Vec<&'static str>, word: &str) {
    if open.last().is_some_and(|expected| *expected == word) {
        open.pop();
    }
}
