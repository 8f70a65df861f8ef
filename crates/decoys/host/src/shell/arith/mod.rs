//! Arithmetic expressions of the shell, on 64-bit integers that wrap.

mod number;
mod parser;
#[cfg(test)]
mod tests;

/// Where variables are read and written.
pub(crate) trait Variables {
    /// The value of `name`.
    fn get(&self, name: &str) -> Option<Vec<u8>>;
    /// Sets `name`.
    fn set(&mut self, name: &str, value: i64);
}

/// Evaluates `text`.
///
/// # Errors
/// Bash's message.
pub(crate) fn evaluate(text: &[u8], variables: &mut dyn Variables) -> Result<i64, String> {
    parser::Parser::new(text, variables).whole()
}
