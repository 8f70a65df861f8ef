//! What is shown of the lines.

use std::collections::VecDeque;

use super::matcher::Matcher;
use crate::shell::commands::complaint::typed;
use crate::shell::commands::options::Options;
use crate::shell::proc::{Proc, Stop};

/// Matches coloured in one line.
const MAX_MARKS: usize = 10_000;

/// How hits are shown.
pub(super) struct Style {
    pub(super) quiet: bool,
    named: bool,
    numbered: bool,
    offsets: bool,
    count: bool,
    list: Option<bool>,
    only: bool,
    inverted: bool,
    colour: bool,
    before: usize,
    after: usize,
    context: bool,
    limit: u64,
}

impl Style {
    pub(super) async fn of(proc: &Proc, options: &Options, named: bool) -> Result<Self, Stop> {
        let lines = async |letter: u8| -> Result<Option<usize>, Stop> {
            let Some(text) = options.value(letter) else { return Ok(None) };
            let shown = String::from_utf8_lossy(text).into_owned();
            match shown.parse() {
                Ok(count) => Ok(Some(count)),
                Err(_) => {
                    proc.say_err(format!("{shown}: invalid context length argument")).await;
                    Err(Stop::Status(2))
                }
            }
        };
        let around = lines(b'C').await?;
        let after = lines(b'A').await?.or(around);
        let before = lines(b'B').await?.or(around);
        let limit = match options.value(b'm') {
            None => u64::MAX,
            Some(text) => match String::from_utf8_lossy(text).parse() {
                Ok(limit) => limit,
                Err(_) => {
                    proc.say_err("invalid max count").await;
                    return Err(Stop::Status(2));
                }
            },
        };
        let colour = match options.value(b'2') {
            None | Some(b"never" | b"no" | b"none") => false,
            Some(b"always" | b"yes" | b"force") => true,
            Some(b"" | b"auto" | b"tty" | b"if-tty") => {
                let term = proc.env.get("TERM").is_some_and(|term| term != b"dumb");
                proc.out_is_tty() && term
            }
            Some(other) => {
                let text = [&b"invalid argument "[..], &typed(other), " for ‘--color’".as_bytes()];
                proc.say_err(text.concat()).await;
                return Err(Stop::Status(2));
            }
        };
        Ok(Self {
            quiet: options.has(b'q'),
            named,
            numbered: options.has(b'n'),
            offsets: options.has(b'b'),
            count: options.has(b'c'),
            list: options.last_of(b"lL").map(|letter| letter == b'l'),
            only: options.has(b'o'),
            inverted: options.has(b'v'),
            colour,
            before: before.unwrap_or(0).min(10_000),
            after: after.unwrap_or(0).min(10_000),
            context: after.is_some() || before.is_some(),
            limit,
        })
    }
}

/// One file's report.
pub(super) struct Report<'s> {
    style: &'s Style,
    file: &'s [u8],
    number: u64,
    hits: u64,
    /// Lines that may become context of the next hit: number, offset, text.
    behind: VecDeque<(u64, u64, Vec<u8>)>,
    /// Lines still to show after a hit.
    ahead: usize,
    /// The last line that was shown.
    shown: u64,
    done: bool,
}

impl<'s> Report<'s> {
    pub(super) const fn new(style: &'s Style, file: &'s [u8]) -> Self {
        let behind = VecDeque::new();
        Self { style, file, number: 0, hits: 0, behind, ahead: 0, shown: 0, done: false }
    }

    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Whether all there is to tell is that something matched.
    pub(super) const fn is_untold(&self) -> bool {
        !self.style.quiet && self.style.list.is_none() && !self.style.count && self.hits > 0
    }

    pub(super) const fn found(&self) -> bool {
        match self.style.list {
            Some(false) => self.hits == 0,
            _ => self.hits > 0,
        }
    }

    /// The next line of the file.
    pub(super) fn line(
        &mut self,
        text: &[u8],
        offset: u64,
        hit: bool,
        binary: bool,
        matcher: &Matcher,
        out: &mut Vec<u8>,
    ) {
        self.number += 1;
        let style = self.style;
        if hit && self.hits >= style.limit {
            self.done = self.ahead == 0;
            return;
        }
        let silent = style.quiet || style.count || style.list.is_some() || binary;
        if hit {
            self.hits += 1;
            if silent {
                self.done = style.quiet || style.list.is_some() || (binary && !style.count);
                self.done |= self.hits >= style.limit;
                return;
            }
            self.context_before(out);
            self.show(self.number, offset, text, b':', Some(matcher), out);
            self.ahead = style.after;
            self.done = self.hits >= style.limit && self.ahead == 0;
        } else if self.ahead > 0 && !silent {
            self.ahead -= 1;
            if !style.only {
                self.show(self.number, offset, text, b'-', None, out);
            }
            self.done = self.hits >= style.limit && self.ahead == 0;
        } else if style.before > 0 {
            self.behind.push_back((self.number, offset, text.to_vec()));
            if self.behind.len() > style.before {
                self.behind.pop_front();
            }
        }
    }

    fn context_before(&mut self, out: &mut Vec<u8>) {
        let first = self.behind.front().map_or(self.number, |(number, ..)| *number);
        if self.style.context && self.shown > 0 && first > self.shown + 1 {
            out.extend_from_slice(b"--\n");
        }
        for (number, offset, text) in std::mem::take(&mut self.behind) {
            if !self.style.only {
                self.show(number, offset, &text, b'-', None, out);
            }
        }
    }

    fn show(
        &mut self,
        number: u64,
        offset: u64,
        text: &[u8],
        mark: u8,
        matcher: Option<&Matcher>,
        out: &mut Vec<u8>,
    ) {
        self.shown = number;
        let style = self.style;
        let marks = matcher.filter(|_| (style.only || style.colour) && !style.inverted);
        let spans = marks.map(|matcher| spans(matcher, text)).unwrap_or_default();
        if style.only {
            for (from, to) in spans.into_iter().filter(|(from, to)| from < to) {
                self.head(number, offset + from as u64, mark, out);
                self.coloured(text.get(from..to).unwrap_or_default(), out);
                out.push(b'\n');
            }
            return;
        }
        self.head(number, offset, mark, out);
        let mut at = 0;
        for (from, to) in spans.into_iter().filter(|(from, to)| from < to) {
            out.extend_from_slice(text.get(at..from).unwrap_or_default());
            self.coloured(text.get(from..to).unwrap_or_default(), out);
            at = to;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        out.push(b'\n');
    }

    fn coloured(&self, text: &[u8], out: &mut Vec<u8>) {
        if self.style.colour {
            out.extend_from_slice(b"\x1b[01;31m\x1b[K");
            out.extend_from_slice(text);
            out.extend_from_slice(b"\x1b[m\x1b[K");
        } else {
            out.extend_from_slice(text);
        }
    }

    fn head(&self, number: u64, offset: u64, mark: u8, out: &mut Vec<u8>) {
        let style = self.style;
        let mut field = |text: &[u8], colour: &str| {
            if style.colour {
                out.extend(format!("\x1b[{colour}m\x1b[K").into_bytes());
                out.extend_from_slice(text);
                out.extend_from_slice(b"\x1b[m\x1b[K\x1b[36m\x1b[K");
                out.push(mark);
                out.extend_from_slice(b"\x1b[m\x1b[K");
            } else {
                out.extend_from_slice(text);
                out.push(mark);
            }
        };
        if style.named {
            field(self.file, "35");
        }
        if style.numbered {
            field(number.to_string().as_bytes(), "32");
        }
        if style.offsets {
            field(offset.to_string().as_bytes(), "32");
        }
    }

    /// After the last line.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        let style = self.style;
        if style.quiet {
            return;
        }
        if let Some(with) = style.list {
            if (self.hits > 0) == with {
                out.extend([self.file, b"\n"].concat());
            }
        } else if style.count {
            if style.named {
                out.extend([self.file, b":"].concat());
            }
            out.extend(format!("{}\n", self.hits).into_bytes());
        }
    }
}

/// All matches in `text`.
fn spans(matcher: &Matcher, text: &[u8]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut at = 0;
    while at <= text.len() && out.len() < MAX_MARKS {
        let Some((from, to)) = matcher.find_at(text, at) else { break };
        out.push((from, to));
        at = if to > from { to } else { to + 1 };
    }
    out
}
