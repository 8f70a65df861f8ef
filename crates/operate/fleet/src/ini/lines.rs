//! Lines of a fleet file.

use crate::problem::{Place, Problem};

/// One line that says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'t> {
    /// `[name]`.
    Section(&'t str, Place),
    /// `key = value`; the place is the value's.
    Pair(&'t str, &'t str, Place),
}

/// The lines of `text`, whatever ends them: LF, CRLF or CR. Blank lines and comments (`#`, `;`) are
/// left out; a comment may follow a section's name, but not a value, which may hold any character.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Split { rest: Some(text) }.enumerate().filter_map(|(at, line)| read(line, at + 1).transpose())
}

/// Lines without what ends them.
struct Split<'t> {
    rest: Option<&'t str>,
}

impl<'t> Iterator for Split<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest?;
        let Some((line, after)) = rest.split_once(['\n', '\r']) else {
            self.rest = None;
            return Some(rest);
        };
        let carriage = rest.as_bytes().get(line.len()) == Some(&b'\r');
        // CRLF is one end, not two.
        self.rest = Some(after.strip_prefix('\n').filter(|_| carriage).unwrap_or(after));
        Some(line)
    }
}

fn read(line: &str, number: usize) -> Result<Option<Line<'_>>, Problem> {
    let said = line.trim();
    let place = |part: &str| {
        // `part` is a slice of `line`.
        let before = (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
        let column = line.get(..before).map_or(0, |before| before.chars().count()) + 1;
        Place { line: number, column }
    };
    if said.is_empty() || said.starts_with(['#', ';']) {
        return Ok(None);
    }
    let invalid = |detail: &str| {
        Err(Problem::new(Some(place(said)), format!("Invalid INI format: {detail}")))
    };
    if let Some(inner) = said.strip_prefix('[') {
        let Some((name, after)) = inner.split_once(']') else {
            return invalid("a section's name ends with ]");
        };
        let after = after.trim_start();
        if !(after.is_empty() || after.starts_with(['#', ';'])) {
            return invalid("nothing but a comment can follow a section's name");
        }
        let name = name.trim();
        if name.is_empty() {
            return invalid("a section needs a name");
        }
        return Ok(Some(Line::Section(name, place(name))));
    }
    let Some((key, value)) = said.split_once(['=', ':']) else {
        return if line.starts_with([' ', '\t']) {
            invalid("a value is one line; give text of several as b64:")
        } else {
            invalid("a line is key=value")
        };
    };
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() {
        return invalid("a value needs a key");
    }
    Ok(Some(Line::Pair(key, value, place(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        lines(text)
            .map(|line| match line {
                Ok(Line::Section(name, at)) => format!("{}:{} [{name}]", at.line, at.column),
                Ok(Line::Pair(key, value, at)) => {
                    format!("{}:{} {key}={value}", at.line, at.column)
                }
                Err(problem) => problem.to_string(),
            })
            .collect()
    }

    #[test]
    fn every_line_end_is_one_line() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["\u{feff}[a] # first", "", "; note", "  k : v=1 ", "[b]"].join(end);
            assert_eq!(shown(&text), ["1:2 [a]", "4:7 k=v=1", "5:2 [b]"]);
        }
    }

    #[test]
    fn a_value_may_hold_any_character() {
        assert_eq!(shown("p=50%off;#x [y]"), ["1:3 p=50%off;#x [y]"]);
        assert_eq!(shown("ключ=значение"), ["1:6 ключ=значение"]);
    }

    #[test]
    fn what_is_neither_is_named_with_its_place() {
        assert_eq!(
            shown("[a\nnonsense\n  more\n=x\n[]\n[a] b"),
            [
                "line 1, column 1: Invalid INI format: a section's name ends with ]",
                "line 2, column 1: Invalid INI format: a line is key=value",
                "line 3, column 3: Invalid INI format: a value is one line; give text of several as b64:",
                "line 4, column 1: Invalid INI format: a value needs a key",
                "line 5, column 1: Invalid INI format: a section needs a name",
                "line 6, column 1: Invalid INI format: nothing but a comment can follow a section's name",
            ]
        );
    }
}
