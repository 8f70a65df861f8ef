//! Requests: arrays of bulk strings, or inline lines.
//!
//! A declared length is believed only as far as the protocol allows and never allocated ahead: of a
//! command at most [`KEPT`] bytes are held, the rest is read past. Texts of errors are the server's.

/// Longest line: an inline command or a count.
const MAX_LINE: usize = 64 * 1024;
/// Longest bulk string that may be declared (`proto-max-bulk-len`).
const MAX_BULK: u64 = 512 * 1024 * 1024;
/// Bytes of one argument that are held.
const KEPT_ARG: usize = 512 * 1024;
/// Bytes of one command that are held.
const KEPT: usize = 1024 * 1024;
/// Arguments of one command that are held.
const KEPT_ARGS: usize = 16 * 1024;
/// Bytes of a line that are shown in reports.
const SHOWN: usize = 512;
/// What somebody who has not logged in may send, by arguments and bytes of one.
const STRANGER: (u64, u64) = (10, 16_384);

/// What came of looking for a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A command and its arguments; never empty.
    Done(Vec<Vec<u8>>),
    /// More bytes are needed.
    Need,
    /// Not the protocol, with what the server says.
    Bad(String),
}

/// Finds requests in a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct Parser {
    input: Vec<u8>,
    at: usize,
    command: Option<Command>,
    over: bool,
    /// The line that was read last, for reports; its start.
    line: Vec<u8>,
}

/// An array that is being read.
#[derive(Debug, Default)]
struct Command {
    /// Arguments still to come.
    left: u64,
    args: Vec<Vec<u8>>,
    held: usize,
    /// The argument being read.
    bulk: Option<Bulk>,
}

#[derive(Debug)]
struct Bulk {
    /// Bytes of content still to come.
    left: u64,
    /// Bytes of the line end still to come.
    end: u8,
    kept: Vec<u8>,
}

/// The rules that a request must keep to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Whether the client has yet to log in.
    pub(super) stranger: bool,
    /// Whether it is Redis 7 or later.
    pub(super) seven: bool,
}

impl Parser {
    /// Takes more of the stream.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if !self.over {
            self.input.extend_from_slice(bytes);
        }
    }

    /// Bytes that wait to be looked at.
    pub(super) fn waiting(&self) -> usize {
        self.input.len().saturating_sub(self.at)
    }

    /// Takes nothing more.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.input = Vec::new();
        self.at = 0;
        self.command = None;
    }

    /// The line that was looked at last.
    pub(super) fn last_line(&self) -> &[u8] {
        &self.line
    }

    /// What waits to be looked at.
    pub(super) fn rest(&self) -> &[u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// The next request.
    pub(super) fn next(&mut self, rules: Rules) -> Parsed {
        let parsed = self.find(rules);
        // What was read is dropped now and then, not with each command.
        if self.at > MAX_LINE || self.at == self.input.len() {
            self.input.drain(..self.at.min(self.input.len()));
            self.at = 0;
        }
        parsed
    }

    fn find(&mut self, rules: Rules) -> Parsed {
        loop {
            if self.command.is_some() {
                return self.array(rules);
            }
            match self.rest().first() {
                None => return Parsed::Need,
                Some(b'*') => {
                    let line = match self.line("too big mbulk count string") {
                        Ok(Some(line)) => line,
                        Ok(None) => return Parsed::Need,
                        Err(bad) => return bad,
                    };
                    let most = if rules.seven { i64::from(i32::MAX) } else { 1024 * 1024 };
                    let count = number(line.get(1..).unwrap_or_default());
                    let Some(count) = count.filter(|count| *count <= most) else {
                        return bad("invalid multibulk length");
                    };
                    let count = u64::try_from(count).unwrap_or(0);
                    if rules.seven && rules.stranger && count > STRANGER.0 {
                        return bad("unauthenticated multibulk length");
                    }
                    if count > 0 {
                        self.command = Some(Command { left: count, ..Command::default() });
                    }
                }
                Some(_) => {
                    // The server looks for the end of the line as of a C string: a NUL hides it.
                    if self.nul_in_line() {
                        let long = self.waiting() > MAX_LINE;
                        return if long { bad("too big inline request") } else { Parsed::Need };
                    }
                    let line = match self.line("too big inline request") {
                        Ok(Some(line)) => line,
                        Ok(None) => return Parsed::Need,
                        Err(bad) => return bad,
                    };
                    match split(&line) {
                        Some(args) if args.is_empty() => {}
                        Some(args) => return Parsed::Done(args),
                        None => return bad("unbalanced quotes in request"),
                    }
                }
            }
        }
    }

    fn nul_in_line(&self) -> bool {
        let end = self.rest().iter().find(|byte| matches!(byte, b'\n' | 0));
        end == Some(&0)
    }

    /// Reads on in an array.
    fn array(&mut self, rules: Rules) -> Parsed {
        let Some(mut command) = self.command.take() else { return Parsed::Need };
        while command.left > 0 {
            let Some(bulk) = &mut command.bulk else {
                match self.header(rules) {
                    Ok(Some(length)) => {
                        command.bulk = Some(Bulk { left: length, end: 2, kept: Vec::new() });
                        continue;
                    }
                    Ok(None) => {
                        self.command = Some(command);
                        return Parsed::Need;
                    }
                    Err(bad) => return bad,
                }
            };
            let rest = self.input.get(self.at..).unwrap_or_default();
            let take = usize::try_from(bulk.left).unwrap_or(usize::MAX).min(rest.len());
            let room = KEPT_ARG
                .saturating_sub(bulk.kept.len())
                .min(KEPT.saturating_sub(command.held + bulk.kept.len()));
            bulk.kept.extend_from_slice(rest.get(..take.min(room)).unwrap_or_default());
            bulk.left -= take as u64;
            let end = usize::from(bulk.end).min(rest.len() - take);
            if bulk.left == 0 {
                bulk.end -= u8::try_from(end).unwrap_or(0);
                self.at += take + end;
            } else {
                self.at += take;
            }
            if bulk.left > 0 || bulk.end > 0 {
                self.command = Some(command);
                return Parsed::Need;
            }
            command.left -= 1;
            if let Some(bulk) = command.bulk.take()
                && command.args.len() < KEPT_ARGS
            {
                command.held += bulk.kept.len();
                command.args.push(bulk.kept);
            }
        }
        Parsed::Done(command.args)
    }

    /// The length of the next bulk string.
    fn header(&mut self, rules: Rules) -> Result<Option<u64>, Parsed> {
        let Some(line) = self.line("too big bulk count string")? else { return Ok(None) };
        match line.first() {
            Some(b'$') => {}
            other => {
                let got = char::from(other.copied().unwrap_or(b'\r'));
                return Err(bad(&format!("expected '$', got '{got}'")));
            }
        }
        let length = number(line.get(1..).unwrap_or_default()).and_then(|n| u64::try_from(n).ok());
        match length {
            Some(length) if length > MAX_BULK => Err(bad("invalid bulk length")),
            Some(length) if rules.seven && rules.stranger && length > STRANGER.1 => {
                Err(bad("unauthenticated bulk length"))
            }
            Some(length) => Ok(Some(length)),
            None => Err(bad("invalid bulk length")),
        }
    }

    /// The next line without its end.
    fn line(&mut self, too_long: &str) -> Result<Option<Vec<u8>>, Parsed> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let window = rest.get(..MAX_LINE + 1).unwrap_or(rest);
        match window.iter().position(|&byte| byte == b'\n') {
            Some(end) => {
                let line = rest.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.at += end + 1;
                self.line = line.get(..SHOWN).unwrap_or(&line).to_vec();
                Ok(Some(line))
            }
            None if rest.len() > MAX_LINE => {
                self.line = rest.get(..SHOWN).unwrap_or_default().to_vec();
                Err(bad(too_long))
            }
            None => Ok(None),
        }
    }
}

fn bad(why: &str) -> Parsed {
    Parsed::Bad(format!("Protocol error: {why}"))
}

/// A number as the server reads it: no blanks, no plus, no leading zeros.
pub(super) fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let canonical = digits == "0" && text == "0" || !digits.starts_with('0');
    if plain && canonical { text.parse().ok() } else { None }
}

/// Splits an inline line at blanks, with the server's quoting; none when quotes do not match.
fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut args = Vec::new();
    let mut bytes = line.iter().copied().peekable();
    loop {
        while bytes.next_if(|byte| byte.is_ascii_whitespace() || *byte == 0x0b).is_some() {}
        if bytes.peek().is_none_or(|byte| *byte == 0) || args.len() >= KEPT_ARGS {
            return Some(args);
        }
        let mut arg = Vec::new();
        loop {
            match bytes.next() {
                None => break,
                Some(byte) if byte.is_ascii_whitespace() || byte == 0x0b || byte == 0 => break,
                Some(b'"') => {
                    quoted(&mut bytes, &mut arg)?;
                    closed(&mut bytes)?;
                    break;
                }
                Some(b'\'') => {
                    single(&mut bytes, &mut arg)?;
                    closed(&mut bytes)?;
                    break;
                }
                Some(byte) => arg.push(byte),
            }
        }
        args.push(arg);
    }
}

type Rest<'a, I> = std::iter::Peekable<I>;

fn quoted(bytes: &mut Rest<'_, impl Iterator<Item = u8>>, arg: &mut Vec<u8>) -> Option<()> {
    loop {
        match bytes.next()? {
            b'"' => return Some(()),
            b'\\' => match bytes.next()? {
                b'n' => arg.push(b'\n'),
                b'r' => arg.push(b'\r'),
                b't' => arg.push(b'\t'),
                b'b' => arg.push(8),
                b'a' => arg.push(7),
                b'x' => {
                    let mut hex = || {
                        let digit = bytes.next_if(u8::is_ascii_hexdigit)?;
                        char::from(digit).to_digit(16)
                    };
                    match (hex(), hex()) {
                        (Some(high), Some(low)) => {
                            arg.push(u8::try_from(high * 16 + low).unwrap_or(0));
                        }
                        (Some(high), None) => {
                            arg.push(b'x');
                            arg.extend(char::from_digit(high, 16).map(|c| c as u8));
                        }
                        _ => arg.push(b'x'),
                    }
                }
                other => arg.push(other),
            },
            other => arg.push(other),
        }
    }
}

fn single(bytes: &mut Rest<'_, impl Iterator<Item = u8>>, arg: &mut Vec<u8>) -> Option<()> {
    loop {
        match bytes.next()? {
            b'\'' => return Some(()),
            b'\\' if bytes.next_if_eq(&b'\'').is_some() => arg.push(b'\''),
            other => arg.push(other),
        }
    }
}

/// After a closing quote comes a blank or the end.
fn closed(bytes: &mut Rest<'_, impl Iterator<Item = u8>>) -> Option<()> {
    match bytes.peek() {
        None => Some(()),
        Some(byte) if byte.is_ascii_whitespace() || *byte == 0 => Some(()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Rules = Rules { stranger: false, seven: true };

    fn all(input: &[u8], piece: usize, rules: Rules) -> Vec<Parsed> {
        let mut parser = Parser::default();
        let mut out = Vec::new();
        for bytes in input.chunks(piece) {
            parser.feed(bytes);
            loop {
                match parser.next(rules) {
                    Parsed::Need => break,
                    Parsed::Bad(why) => {
                        out.push(Parsed::Bad(why));
                        return out;
                    }
                    done => out.push(done),
                }
            }
        }
        out
    }

    fn args(words: &[&[u8]]) -> Parsed {
        Parsed::Done(words.iter().map(|word| word.to_vec()).collect())
    }

    #[test]
    fn arrays_and_lines_mix_however_they_are_cut() {
        let input = b"PING\n*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n\r\nset \"a\\x41\\n\" 'q\\'s'\r\n*0\r\n*-1\r\n";
        for piece in [1, 2, 7, 100] {
            assert_eq!(
                all(input, piece, KNOWN),
                [args(&[b"PING"]), args(&[b"GET", b"a\r\nb"]), args(&[b"set", b"aA\n", b"q's"])],
            );
        }
    }

    #[test]
    fn errors_are_those_of_the_server() {
        let says = |input: &[u8]| match all(input, 9000, KNOWN).pop() {
            Some(Parsed::Bad(why)) => why,
            other => format!("{other:?}"),
        };
        assert_eq!(says(b"*x\r\n"), "Protocol error: invalid multibulk length");
        assert_eq!(says(b"*1\r\n$-1\r\n"), "Protocol error: invalid bulk length");
        assert_eq!(says(b"*1\r\n$536870913\r\n"), "Protocol error: invalid bulk length");
        assert_eq!(says(b"*1\r\n:5\r\n"), "Protocol error: expected '$', got ':'");
        assert_eq!(says(b"a \"b\r\n"), "Protocol error: unbalanced quotes in request");
        assert_eq!(says(&[b'a'; 70_000]), "Protocol error: too big inline request");
        assert_eq!(says(&[b'*'; 70_000]), "Protocol error: too big mbulk count string");
    }

    #[test]
    fn a_huge_declared_argument_is_read_past_and_not_held() {
        let mut parser = Parser::default();
        parser.feed(b"*2\r\n$3\r\nSET\r\n$400000000\r\n");
        let block = vec![b'z'; 1_000_000];
        for _ in 0..400 {
            parser.feed(&block);
            assert_eq!(parser.next(KNOWN), Parsed::Need);
            assert!(parser.input.capacity() < 4_000_000);
        }
        parser.feed(b"\r\nPING\r\n");
        match parser.next(KNOWN) {
            Parsed::Done(args) => assert_eq!(args[1].len(), KEPT_ARG),
            other => panic!("{other:?}"),
        }
        assert_eq!(parser.next(KNOWN), args(&[b"PING"]));
    }

    #[test]
    fn a_stranger_may_not_send_much() {
        let stranger = Rules { stranger: true, seven: true };
        let says = all(b"*11\r\n", 10, stranger);
        assert_eq!(
            says,
            [Parsed::Bad("Protocol error: unauthenticated multibulk length".to_owned())]
        );
    }
}
