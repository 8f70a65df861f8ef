//! What a terminal would make of a text (ECMA-48, and the state machine of DEC's terminals): letters
//! and sequences, one after the other. Total, and bounded in what it keeps.

/// Longest list of parameters that is kept; a longer sequence is none.
const PARAMETERS: usize = 64;
/// Longest string sequence that is passed over. A terminal waits for its end for ever; whoever looks
/// at a recording would like to see the rest.
const STRING: usize = 64 * 1024;

/// Something that a terminal would act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A character to be shown.
    Shown(char),
    /// A control character.
    Control(char),
    /// ESC and one character.
    Escape(char),
    /// A control sequence without intermediate characters.
    Sequence {
        /// `?`, `>`, `<` or `=`.
        private: Option<char>,
        /// Digits, `;` and `:`.
        parameters: String,
        /// What is to be done.
        last: char,
    },
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// Between ESC with an intermediate character and its end: character sets and the like.
    Intermediate,
    Sequence {
        private: Option<char>,
        parameters: String,
        /// Whether it is still one that is handed on.
        plain: bool,
    },
    /// Titles, clipboards, graphics, and all that comes as a string.
    Text {
        length: usize,
        /// Whether the last character was ESC.
        ending: bool,
    },
}

/// Takes text apart, character by character.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terminal(State);

impl Terminal {
    /// What `c` completes, if anything.
    pub(crate) fn take(&mut self, c: char) -> Option<Piece> {
        let (state, piece) = match std::mem::take(&mut self.0) {
            State::Ground => ground(c),
            State::Escape => escape(c),
            State::Intermediate => intermediate(c),
            State::Sequence { private, parameters, plain } => {
                sequence(c, private, parameters, plain)
            }
            State::Text { length, ending } => text(c, length, ending),
        };
        self.0 = state;
        piece
    }
}

type Step = (State, Option<Piece>);

const fn begin_sequence() -> State {
    State::Sequence { private: None, parameters: String::new(), plain: true }
}

const fn begin_text() -> State {
    State::Text { length: 0, ending: false }
}

fn ground(c: char) -> Step {
    match c {
        '\u{1b}' => (State::Escape, None),
        '\u{9b}' => (begin_sequence(), None),
        '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => (begin_text(), None),
        c if c.is_control() => (State::Ground, Some(Piece::Control(c))),
        c => (State::Ground, Some(Piece::Shown(c))),
    }
}

fn escape(c: char) -> Step {
    match c {
        '[' => (begin_sequence(), None),
        ']' | 'P' | 'X' | '^' | '_' => (begin_text(), None),
        ' '..='/' => (State::Intermediate, None),
        '0'..='~' => (State::Ground, Some(Piece::Escape(c))),
        '\u{1b}' => (State::Escape, None),
        c => within(c, State::Escape),
    }
}

fn intermediate(c: char) -> Step {
    match c {
        ' '..='/' => (State::Intermediate, None),
        '0'..='~' => (State::Ground, None),
        '\u{1b}' => (State::Escape, None),
        c => within(c, State::Intermediate),
    }
}

fn sequence(c: char, private: Option<char>, mut parameters: String, plain: bool) -> Step {
    match c {
        '0'..=';' => {
            let fits = parameters.len() < PARAMETERS;
            if fits {
                parameters.push(c);
            }
            (State::Sequence { private, parameters, plain: plain && fits }, None)
        }
        '<'..='?' if parameters.is_empty() && private.is_none() => {
            (State::Sequence { private: Some(c), parameters, plain }, None)
        }
        ' '..='?' => (State::Sequence { private, parameters, plain: false }, None),
        '@'..='~' => {
            let whole = plain.then_some(Piece::Sequence { private, parameters, last: c });
            (State::Ground, whole)
        }
        '\u{1b}' => (State::Escape, None),
        c => within(c, State::Sequence { private, parameters, plain }),
    }
}

/// A character that is no part of the sequence it stands in.
fn within(c: char, state: State) -> Step {
    match c {
        // CAN and SUB end a sequence.
        '\u{18}' | '\u{1a}' => (State::Ground, None),
        // Others of their kind are carried out in the middle of it.
        '\0'..='\u{1f}' => (state, Some(Piece::Control(c))),
        '\u{7f}' => (state, None),
        c => ground(c),
    }
}

fn text(c: char, length: usize, ending: bool) -> Step {
    match (c, ending) {
        ('\\', true) | ('\u{7}' | '\u{18}' | '\u{1a}' | '\u{9c}', _) => (State::Ground, None),
        // Any other ESC breaks the string off and begins something else.
        (c, true) => escape(c),
        ('\u{1b}', false) => (State::Text { length, ending: true }, None),
        _ if length >= STRING => (State::Ground, None),
        _ => (State::Text { length: length + 1, ending: false }, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<Piece> {
        let mut terminal = Terminal::default();
        text.chars().filter_map(|c| terminal.take(c)).collect()
    }

    fn sequence(private: Option<char>, parameters: &str, last: char) -> Piece {
        Piece::Sequence { private, parameters: parameters.into(), last }
    }

    #[test]
    fn text_is_taken_apart_as_a_terminal_would() {
        let shown = |text: &str| text.chars().map(Piece::Shown).collect::<Vec<_>>();
        assert_eq!(pieces("é👾"), shown("é👾"));
        assert_eq!(pieces("\u{1b}[1;31m"), [sequence(None, "1;31", 'm')]);
        assert_eq!(pieces("\u{9b}?25l"), [sequence(Some('?'), "25", 'l')]);
        assert_eq!(pieces("\u{1b}(0\u{1b}7"), [Piece::Escape('7')]);
        for string in
            ["\u{1b}]0;t\u{7}", "\u{1b}]52;c;eA==\u{1b}\\", "\u{1b}P$q\u{9c}", "\u{9d}x\u{9c}"]
        {
            assert_eq!(pieces(&format!("{string}a")), shown("a"), "{string:?}");
        }
        assert_eq!(pieces("\u{1b}[3\r1m"), [Piece::Control('\r'), sequence(None, "31", 'm')]);
        assert_eq!(pieces("\u{1b}[31\u{18}m"), shown("m"));
        assert_eq!(pieces("\u{1b}[!p\u{1b}[1 q\u{1b}[1?l"), []);
        assert_eq!(pieces("\u{1b}[31\u{1b}[32m"), [sequence(None, "32", 'm')]);
    }

    #[test]
    fn what_never_ends_hides_no_more_than_its_bound() {
        let text = format!("\u{1b}]0;{}seen", "x".repeat(STRING + 10));
        assert!(pieces(&text).ends_with(&"seen".chars().map(Piece::Shown).collect::<Vec<_>>()));
        let long = format!("\u{1b}[{}ma", "1;".repeat(100_000));
        assert_eq!(pieces(&long), [Piece::Shown('a')]);
    }
}
