//! POSIX regular expressions, basic and extended, over bytes.
//!
//! Matching runs all alternatives side by side, so time is bounded by pattern times text whatever
//! either holds. Back-references are not supported: such an expression is refused.

use crate::shell::pattern::class;

/// Most instructions of one expression; `{m,n}` multiplies.
const MAX_PROGRAM: usize = 4096;
/// Groups inside groups.
const MAX_DEPTH: usize = 32;
/// Work of one search, in instructions.
const MAX_WORK: usize = 1 << 22;

#[derive(Clone, Debug)]
enum Instruction {
    Set(Box<[bool; 256]>),
    Start,
    End,
    /// Goes on at both.
    Split(usize, usize),
    Jump(usize),
    Match,
}

#[derive(Clone, Debug)]
enum Tree {
    Empty,
    Set(Box<[bool; 256]>),
    Start,
    End,
    Sequence(Vec<Tree>),
    Either(Vec<Tree>),
    Repeat(Box<Tree>, usize, Option<usize>),
}

/// A compiled expression.
pub(in crate::shell) struct Regex {
    program: Vec<Instruction>,
}

impl Regex {
    /// Compiles `pattern`; `None` when it is malformed or too large.
    pub(in crate::shell) fn new(pattern: &[u8], extended: bool, fold: bool) -> Option<Self> {
        let mut parser = Parser { pattern, at: 0, extended, fold, depth: 0 };
        let tree = parser.either()?;
        if parser.at < pattern.len() {
            return None;
        }
        let mut program = Vec::new();
        emit(&tree, &mut program)?;
        program.push(Instruction::Match);
        Some(Self { program })
    }

    /// `text` as a basic expression that matches just it.
    pub(super) fn literal(text: &[u8]) -> Vec<u8> {
        let special = |b: &u8| b"\\.[]*^$".contains(b);
        text.iter().flat_map(|b| special(b).then_some(b'\\').into_iter().chain([*b])).collect()
    }

    /// Whether it matches anywhere in `text`.
    pub(in crate::shell) fn is_match(&self, text: &[u8]) -> bool {
        self.find(text).is_some()
    }

    /// The leftmost, longest match in `text`.
    pub(super) fn find(&self, text: &[u8]) -> Option<(usize, usize)> {
        let mut work = 0;
        // Thread per instruction: where its match started, the smallest wins.
        let mut current: Vec<Option<usize>> = vec![None; self.program.len()];
        let mut best: Option<(usize, usize)> = None;
        for at in 0..=text.len() {
            if best.is_none() {
                self.follow(&mut current, 0, at, at, text.len(), &mut work);
            }
            let mut next: Vec<Option<usize>> = vec![None; self.program.len()];
            let mut alive = false;
            for (pc, slot) in current.iter().enumerate() {
                let Some(start) = *slot else { continue };
                if best.is_some_and(|(known, _)| start > known) {
                    continue;
                }
                match self.program.get(pc) {
                    Some(Instruction::Match) if best.is_none_or(|(known, _)| start <= known) => {
                        best = Some((start, at));
                    }
                    Some(Instruction::Set(set)) => {
                        let byte = text.get(at).copied();
                        if byte.is_some_and(|b| set.get(usize::from(b)).copied().unwrap_or(false)) {
                            self.follow(&mut next, pc + 1, start, at + 1, text.len(), &mut work);
                            alive = true;
                        }
                    }
                    _ => {}
                }
            }
            if (best.is_some() && !alive) || work > MAX_WORK {
                break;
            }
            current = next;
        }
        best
    }

    /// Adds `pc` and everything reachable from it without reading a byte.
    fn follow(
        &self,
        threads: &mut [Option<usize>],
        pc: usize,
        start: usize,
        at: usize,
        length: usize,
        work: &mut usize,
    ) {
        let mut todo = vec![pc];
        while let Some(pc) = todo.pop() {
            *work += 1;
            let Some(slot) = threads.get_mut(pc) else { continue };
            if slot.is_some_and(|known| known <= start) {
                continue;
            }
            *slot = Some(start);
            match self.program.get(pc) {
                Some(Instruction::Jump(to)) => todo.push(*to),
                Some(Instruction::Split(one, two)) => todo.extend([*two, *one]),
                Some(Instruction::Start) if at == 0 => todo.push(pc + 1),
                Some(Instruction::End) if at == length => todo.push(pc + 1),
                _ => {}
            }
        }
    }
}

fn emit(tree: &Tree, program: &mut Vec<Instruction>) -> Option<()> {
    if program.len() > MAX_PROGRAM {
        return None;
    }
    match tree {
        Tree::Empty => {}
        Tree::Set(set) => program.push(Instruction::Set(set.clone())),
        Tree::Start => program.push(Instruction::Start),
        Tree::End => program.push(Instruction::End),
        Tree::Sequence(parts) => parts.iter().try_for_each(|part| emit(part, program))?,
        Tree::Either(parts) => {
            let mut ends = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                if at + 1 == parts.len() {
                    emit(part, program)?;
                    break;
                }
                let split = program.len();
                program.push(Instruction::Jump(0));
                emit(part, program)?;
                ends.push(program.len());
                program.push(Instruction::Jump(0));
                let after = program.len();
                *program.get_mut(split)? = Instruction::Split(split + 1, after);
            }
            let end = program.len();
            for at in ends {
                *program.get_mut(at)? = Instruction::Jump(end);
            }
        }
        Tree::Repeat(inner, low, high) => {
            for _ in 0..*low {
                emit(inner, program)?;
            }
            match high {
                None => {
                    let split = program.len();
                    program.push(Instruction::Jump(0));
                    emit(inner, program)?;
                    program.push(Instruction::Jump(split));
                    let after = program.len();
                    *program.get_mut(split)? = Instruction::Split(split + 1, after);
                }
                Some(high) => {
                    for _ in *low..*high {
                        let split = program.len();
                        program.push(Instruction::Jump(0));
                        emit(inner, program)?;
                        let after = program.len();
                        *program.get_mut(split)? = Instruction::Split(split + 1, after);
                    }
                }
            }
        }
    }
    (program.len() <= MAX_PROGRAM).then_some(())
}

struct Parser<'p> {
    pattern: &'p [u8],
    at: usize,
    extended: bool,
    fold: bool,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    /// Whether the operator `byte` comes next, spelled with a backslash in basic expressions.
    fn operator(&self, byte: u8) -> bool {
        if self.extended {
            self.peek() == Some(byte)
        } else {
            self.peek() == Some(b'\\') && self.pattern.get(self.at + 1) == Some(&byte)
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let takes = self.operator(byte);
        if takes {
            self.at += if self.extended { 1 } else { 2 };
        }
        takes
    }

    fn either(&mut self) -> Option<Tree> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut parts = vec![self.sequence()?];
        while self.take(b'|') {
            parts.push(self.sequence()?);
        }
        self.depth -= 1;
        if parts.len() == 1 { parts.pop() } else { Some(Tree::Either(parts)) }
    }

    fn sequence(&mut self) -> Option<Tree> {
        let mut parts = Vec::new();
        while self.at < self.pattern.len()
            && !self.operator(b'|')
            && !(self.depth > 1 && self.operator(b')'))
        {
            let atom = self.atom(parts.is_empty())?;
            parts.push(self.repeated(atom)?);
        }
        match parts.len() {
            0 => Some(Tree::Empty),
            1 => parts.pop(),
            _ => Some(Tree::Sequence(parts)),
        }
    }

    fn atom(&mut self, first: bool) -> Option<Tree> {
        if self.take(b'(') {
            let inner = self.either()?;
            return self.take(b')').then_some(inner);
        }
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'.' => Some(Tree::Set(Box::new([true; 256]))),
            b'[' => self.bracket(),
            b'^' if self.extended || first => Some(Tree::Start),
            b'$' if self.extended
                || self.at == self.pattern.len()
                || self.operator(b')')
                || self.operator(b'|') =>
            {
                Some(Tree::End)
            }
            b'\\' => {
                let escaped = self.peek()?;
                self.at += 1;
                let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                match escaped {
                    b'w' => Some(self.set(word)),
                    b'W' => Some(self.set(|b| !word(b))),
                    b's' => Some(self.set(|b| class(b"space", b))),
                    b'S' => Some(self.set(|b| !class(b"space", b))),
                    b'1'..=b'9' => None,
                    b'b' | b'<' | b'>' => Some(Tree::Empty),
                    _ => Some(self.one(escaped)),
                }
            }
            _ => Some(self.one(byte)),
        }
    }

    fn one(&self, byte: u8) -> Tree {
        self.set(|b| b == byte)
    }

    fn set(&self, test: impl Fn(u8) -> bool) -> Tree {
        let mut set = Box::new([false; 256]);
        for (byte, slot) in (0..=255_u8).zip(set.iter_mut()) {
            *slot = test(byte)
                || (self.fold
                    && (test(byte.to_ascii_lowercase()) || test(byte.to_ascii_uppercase())));
        }
        Tree::Set(set)
    }

    fn bracket(&mut self) -> Option<Tree> {
        let negated = self.peek() == Some(b'^');
        self.at += usize::from(negated);
        let start = self.at;
        let mut members = [false; 256];
        loop {
            let byte = self.peek()?;
            if byte == b']' && self.at > start {
                self.at += 1;
                break;
            }
            let rest = self.pattern.get(self.at..)?;
            if let Some(named) = rest.strip_prefix(b"[:")
                && let Some(end) = named.windows(2).position(|w| w == b":]")
            {
                let name = named.get(..end)?;
                for (byte, slot) in (0..=255_u8).zip(members.iter_mut()) {
                    *slot |= class(name, byte);
                }
                self.at += end + 4;
                continue;
            }
            let (low, mut high) = (byte, byte);
            self.at += 1;
            if self.peek() == Some(b'-')
                && self.pattern.get(self.at + 1).is_some_and(|b| *b != b']')
            {
                high = *self.pattern.get(self.at + 1)?;
                self.at += 2;
            }
            for (byte, slot) in (0..=255_u8).zip(members.iter_mut()) {
                *slot |= (low..=high).contains(&byte);
            }
        }
        let has = move |b: u8| members.get(usize::from(b)).copied().unwrap_or(false);
        Some(if negated {
            let folded = |b: u8| {
                has(b)
                    || (self.fold && (has(b.to_ascii_lowercase()) || has(b.to_ascii_uppercase())))
            };
            let mut set = Box::new([false; 256]);
            for (byte, slot) in (0..=255_u8).zip(set.iter_mut()) {
                *slot = !folded(byte);
            }
            Tree::Set(set)
        } else {
            self.set(has)
        })
    }

    fn repeated(&mut self, mut atom: Tree) -> Option<Tree> {
        for _ in 0..8 {
            let (low, high) = if self.peek() == Some(b'*') {
                self.at += 1;
                (0, None)
            } else if self.take(b'+') {
                (1, None)
            } else if self.take(b'?') {
                (0, Some(1))
            } else if self.take(b'{') {
                self.bounds()?
            } else {
                return Some(atom);
            };
            atom = Tree::Repeat(Box::new(atom), low, high);
        }
        None
    }

    fn bounds(&mut self) -> Option<(usize, Option<usize>)> {
        let number = |at: &mut usize| {
            let rest = self.pattern.get(*at..).unwrap_or_default();
            let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            *at += length;
            String::from_utf8_lossy(rest.get(..length).unwrap_or_default()).parse::<usize>().ok()
        };
        let mut at = self.at;
        let low = number(&mut at);
        let (low, high) = if self.pattern.get(at) == Some(&b',') {
            at += 1;
            (low.unwrap_or(0), number(&mut at))
        } else {
            (low?, low)
        };
        self.at = at;
        if !self.take(b'}') || low > 255 || high.is_some_and(|high| high > 255 || high < low) {
            return None;
        }
        Some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_leftmost_longest() {
        for (pattern, extended, text, expected) in [
            ("a*b", false, "xaab", Some((1, 4))),
            ("^root:", false, "root:x", Some((0, 5))),
            ("x$", false, "axx", Some((2, 3))),
            ("a\\|bc", false, "zbc", Some((1, 3))),
            ("a|bc", true, "zbc", Some((1, 3))),
            ("(ab)+c?", true, "ababc", Some((0, 5))),
            ("[0-9]{1,3}\\.", true, "x127.", Some((1, 5))),
            ("[^a-z]", false, "abC", Some((2, 3))),
            ("[[:upper:]]", false, "abC", Some((2, 3))),
            ("", false, "abc", Some((0, 0))),
            ("q", false, "abc", None),
            ("a+", false, "a+", Some((0, 2))),
        ] {
            let regex = Regex::new(pattern.as_bytes(), extended, false).unwrap();
            assert_eq!(regex.find(text.as_bytes()), expected, "{pattern}");
        }
        assert!(Regex::new(b"ROOT", false, true).unwrap().is_match(b"root"));
        assert!(Regex::new(&Regex::literal(b"a.c*"), false, false).unwrap().is_match(b"xa.c*"));
    }

    #[test]
    fn hostile_expressions_end() {
        assert!(Regex::new(&b"(".repeat(100_000), true, false).is_none());
        assert!(Regex::new(b"((a{255}){255}){255}", true, false).is_none());
        let regex = Regex::new(b"(a*)*(a*)*(a*)*b", true, false).unwrap();
        assert!(!regex.is_match(&vec![b'a'; 100_000]));
    }
}
