//! Topic patterns (`spec/bus.md` §3).

/// A parsed pattern.
pub(crate) struct Pattern(Vec<Token>);

enum Token {
    Literal(Box<str>),
    One,
    Rest,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Self {
        let token = |token: &str| match token {
            "*" => Token::One,
            ">" => Token::Rest,
            literal => Token::Literal(literal.into()),
        };
        Self(text.split('.').map(token).collect())
    }

    /// `>` counts as "the rest" only in the last place; elsewhere it matches nothing.
    pub(crate) fn matches(&self, topic: &str) -> bool {
        let mut topic = topic.split('.');
        for (at, token) in self.0.iter().enumerate() {
            let Some(actual) = topic.next() else { return false };
            match token {
                Token::Literal(expected) if **expected == *actual => {}
                Token::One if !actual.is_empty() => {}
                Token::Rest => return !actual.is_empty() && at + 1 == self.0.len(),
                Token::Literal(_) | Token::One => return false,
            }
        }
        topic.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_the_contract_says() {
        let cases = [
            ("topology.>", "topology.a.status", true),
            ("topology.>", "topology", false),
            ("system.*.health", "system.bus.health", true),
            ("system.*.health", "system.health", false),
            ("system.*", "system.bus.health", false),
            ("a.>.b", "a.x.b", false),
            ("a.*", "a.", false),
            ("a", "a", true),
            (">", "a.b", true),
        ];
        for (pattern, topic, expected) in cases {
            assert_eq!(Pattern::parse(pattern).matches(topic), expected, "{pattern} {topic}");
        }
    }
}
