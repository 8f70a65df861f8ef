//! Recursive descent over an expression, evaluating as it goes.

use super::Variables;
use super::number::{apply, number};

/// Parentheses and unary operators beyond this are an error.
const MAX_DEPTH: usize = 64;

pub(super) struct Parser<'t, 'v> {
    text: &'t [u8],
    at: usize,
    depth: usize,
    /// In a branch that is not taken: nothing is assigned, nothing fails.
    quiet: usize,
    variables: &'v mut dyn Variables,
}

/// Binary operators by strength, weakest first.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl<'t, 'v> Parser<'t, 'v> {
    pub(super) fn new(text: &'t [u8], variables: &'v mut dyn Variables) -> Self {
        Self { text, at: 0, depth: 0, quiet: 0, variables }
    }

    /// The value of all of the text; nothing at all is 0.
    pub(super) fn whole(mut self) -> Result<i64, String> {
        self.blanks();
        if self.at == self.text.len() {
            return Ok(0);
        }
        let value = self.comma()?;
        self.blanks();
        if self.at < self.text.len() {
            return Err(self.wrong("syntax error in expression"));
        }
        Ok(value)
    }

    fn wrong(&self, what: &str) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let all = String::from_utf8_lossy(self.text);
        let rest = String::from_utf8_lossy(rest);
        format!("{}: {what} (error token is \"{}\")", all.trim_start(), rest.trim_start())
    }

    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn sees(&mut self, token: &str) -> bool {
        self.blanks();
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(token.as_bytes()))
    }

    fn takes(&mut self, token: &str) -> bool {
        let sees = self.sees(token);
        if sees {
            self.at += token.len();
        }
        sees
    }

    fn comma(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("expression recursion level exceeded"));
        }
        let mut value = self.conditional()?;
        while self.takes(",") {
            value = self.conditional()?;
        }
        self.depth -= 1;
        Ok(value)
    }

    fn conditional(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let yes = self.unless(condition == 0, Self::comma)?;
        if !self.takes(":") {
            return Err(self.wrong("`:' expected for conditional expression"));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("expression recursion level exceeded"));
        }
        let no = self.unless(condition != 0, Self::conditional)?;
        self.depth -= 1;
        Ok(if condition != 0 { yes } else { no })
    }

    fn unless(
        &mut self,
        quiet: bool,
        parse: impl FnOnce(&mut Self) -> Result<i64, String>,
    ) -> Result<i64, String> {
        self.quiet += usize::from(quiet);
        let value = parse(self);
        self.quiet -= usize::from(quiet);
        value
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        loop {
            let Some(operator) = operators.iter().copied().find(|op| self.sees_operator(op)) else {
                return Ok(left);
            };
            self.at += operator.len();
            let skip = (operator == "||" && left != 0) || (operator == "&&" && left == 0);
            let start = self.at;
            let right = self.unless(skip, |parser| parser.binary(level + 1))?;
            if matches!(operator, "/" | "%") && right == 0 {
                if self.quiet > 0 {
                    continue;
                }
                self.at = start;
                return Err(self.wrong("division by 0"));
            }
            left = apply(operator, left, right);
        }
    }

    /// Whether `operator` comes next, and not a longer one that starts with it.
    fn sees_operator(&mut self, operator: &str) -> bool {
        if !self.sees(operator) {
            return false;
        }
        let next = self.text.get(self.at + operator.len()).copied();
        match operator {
            "|" | "&" => {
                next != Some(operator.as_bytes().first().copied().unwrap_or(0))
                    && next != Some(b'=')
            }
            "<" | ">" => next != Some(operator.as_bytes().first().copied().unwrap_or(0)),
            "*" => next != Some(b'*') && next != Some(b'='),
            "+" | "-" | "/" | "%" | "^" | "<<" | ">>" => next != Some(b'='),
            _ => true,
        }
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if !self.takes("**") {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("expression recursion level exceeded"));
        }
        let exponent = self.power()?;
        self.depth -= 1;
        match u32::try_from(exponent) {
            Ok(exponent) => Ok(base.wrapping_pow(exponent)),
            Err(_) if exponent < 0 && self.quiet == 0 => Err(self.wrong("exponent less than 0")),
            Err(_) => Ok(0),
        }
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.blanks();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("expression recursion level exceeded"));
        }
        let value = match (self.text.get(self.at), self.text.get(self.at + 1)) {
            (Some(b'+'), Some(b'+')) | (Some(b'-'), Some(b'-')) => {
                let step = if self.text.get(self.at) == Some(&b'+') { 1 } else { -1 };
                self.at += 2;
                self.blanks();
                let name = self.identifier();
                if name.is_empty() {
                    return Err(self.wrong("syntax error: operand expected"));
                }
                let value = self.variable(&name).wrapping_add(step);
                self.assign(&name, value);
                Ok(value)
            }
            (Some(b'!'), _) => {
                self.at += 1;
                self.unary().map(|value| i64::from(value == 0))
            }
            (Some(b'~'), _) => {
                self.at += 1;
                self.unary().map(|value| !value)
            }
            (Some(b'-'), _) => {
                self.at += 1;
                self.unary().map(i64::wrapping_neg)
            }
            (Some(b'+'), _) => {
                self.at += 1;
                self.unary()
            }
            _ => self.primary(),
        };
        self.depth -= 1;
        value
    }

    fn primary(&mut self) -> Result<i64, String> {
        if self.takes("(") {
            let value = self.comma()?;
            if !self.takes(")") {
                return Err(self.wrong("missing `)'"));
            }
            return Ok(value);
        }
        if self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            return self.number();
        }
        let name = self.identifier();
        if name.is_empty() {
            return Err(self.wrong("syntax error: operand expected"));
        }
        for (token, operator) in [
            ("<<=", "<<"),
            (">>=", ">>"),
            ("+=", "+"),
            ("-=", "-"),
            ("*=", "*"),
            ("/=", "/"),
            ("%=", "%"),
            ("&=", "&"),
            ("|=", "|"),
            ("^=", "^"),
        ] {
            if self.takes(token) {
                let right = self.nested_assignment()?;
                if matches!(operator, "/" | "%") && right == 0 {
                    return if self.quiet > 0 { Ok(0) } else { Err(self.wrong("division by 0")) };
                }
                let value = apply(operator, self.variable(&name), right);
                self.assign(&name, value);
                return Ok(value);
            }
        }
        if self.sees("=") && !self.sees("==") {
            self.at += 1;
            let value = self.nested_assignment()?;
            self.assign(&name, value);
            return Ok(value);
        }
        let value = self.variable(&name);
        if self.takes("++") {
            self.assign(&name, value.wrapping_add(1));
        } else if self.takes("--") {
            self.assign(&name, value.wrapping_sub(1));
        }
        Ok(value)
    }

    fn nested_assignment(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("expression recursion level exceeded"));
        }
        let value = self.conditional()?;
        self.depth -= 1;
        Ok(value)
    }

    fn identifier(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let starts = rest.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        let length = if starts {
            rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
        } else {
            0
        };
        let name = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
        self.at += length;
        name
    }

    fn number(&mut self) -> Result<i64, String> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'#' | b'@' | b'_'))
            .count();
        let text = String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).into_owned();
        match number(&text) {
            Some(value) => {
                self.at += length;
                Ok(value)
            }
            None => Err(self.wrong("value too great for base")),
        }
    }

    fn variable(&self, name: &str) -> i64 {
        let value = self.variables.get(name).unwrap_or_default();
        let text = String::from_utf8_lossy(&value);
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let value = number(digits).or_else(|| {
            // A name in a variable is looked up once more.
            let value = self.variables.get(digits)?;
            number(String::from_utf8_lossy(&value).trim())
        });
        let value = value.unwrap_or(0);
        if negative { value.wrapping_neg() } else { value }
    }

    fn assign(&mut self, name: &str, value: i64) {
        if self.quiet == 0 {
            self.variables.set(name, value);
        }
    }
}
