//! The terminal: the line editor of the prompt, and the kernel's own line discipline.

use super::io::{Shared, Stream};
use super::limits;

/// What came of reading a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line, without its end.
    Text(Vec<u8>),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D on an empty line, or the client is gone.
    End,
}

/// Completes the word before the cursor: what to insert, and what to list if that is ambiguous.
pub(crate) type Complete<'a> = &'a (dyn Fn(&[u8]) -> (Vec<u8>, Vec<Vec<u8>>) + Sync);

const BRACKETED_ON: &[u8] = b"\x1b[?2004h";
const BRACKETED_OFF: &[u8] = b"\x1b[?2004l\r";
const BELL: &[u8] = b"\x07";

/// A line being edited.
#[derive(Default)]
struct Editor {
    text: Vec<u8>,
    cursor: usize,
    killed: Vec<u8>,
    /// The history entry shown, counted from the newest; 0 is the line itself.
    recalled: usize,
    draft: Vec<u8>,
}

/// Reads a line with `prompt`, as readline does: bracketed paste is announced, `history` can be
/// recalled.
pub(crate) async fn read_line(
    io: &Shared,
    prompt: &[u8],
    history: &[Vec<u8>],
    complete: Complete<'_>,
) -> Line {
    put(io, &[BRACKETED_ON, prompt].concat()).await;
    let mut editor = Editor::default();
    let line = loop {
        let Some(byte) = io.byte().await else { break Line::End };
        match byte {
            b'\r' | b'\n' => {
                put(io, b"\r\n").await;
                break Line::Text(std::mem::take(&mut editor.text));
            }
            0x03 => {
                put(io, b"^C").await;
                put(io, BRACKETED_OFF).await;
                put(io, b"\r\n").await;
                return Line::Interrupted;
            }
            0x04 if editor.text.is_empty() => break Line::End,
            0x04 => editor.delete(io).await,
            0x08 | 0x7f => editor.backspace(io).await,
            0x15 => editor.kill_before(io, editor.cursor).await,
            0x17 => {
                let count = editor.word_before();
                editor.kill_before(io, count).await;
            }
            0x0b => {
                editor.killed = editor.text.split_off(editor.cursor);
                put(io, b"\x1b[K").await;
            }
            0x19 => {
                let killed = editor.killed.clone();
                editor.insert(io, &killed).await;
            }
            0x01 => editor.move_to(io, 0).await,
            0x05 => editor.move_to(io, editor.text.len()).await,
            0x02 => editor.move_to(io, editor.previous()).await,
            0x06 => editor.move_to(io, editor.next()).await,
            0x10 => editor.recall(io, history, true).await,
            0x0e => editor.recall(io, history, false).await,
            0x0c => {
                put(io, b"\x1b[H\x1b[2J").await;
                put(io, prompt).await;
                put(io, &editor.text).await;
                editor.back(io, editor.text.len() - editor.cursor).await;
            }
            b'\t' => editor.complete(io, prompt, complete).await,
            0x1b => editor.escape(io, history).await,
            0x00..=0x1f => {}
            _ => editor.insert(io, &[byte]).await,
        }
    };
    put(io, BRACKETED_OFF).await;
    line
}

/// Terminal output. The line discipline makes CR LF of LF, so CR LF is given to it as LF.
async fn put(io: &Shared, bytes: &[u8]) {
    let ends_line = |at: usize| bytes.get(at + 1) == Some(&b'\n');
    let kept = bytes.iter().enumerate().filter(|(at, byte)| **byte != b'\r' || !ends_line(*at));
    let text: Vec<u8> = kept.map(|(_, byte)| *byte).collect();
    io.write(Stream::Out, &text).await;
}

impl Editor {
    fn previous(&self) -> usize {
        let mut at = self.cursor.saturating_sub(1);
        while at > 0 && self.text.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
            at -= 1;
        }
        at
    }

    fn next(&self) -> usize {
        let mut at = (self.cursor + 1).min(self.text.len());
        while self.text.get(at).is_some_and(|b| b & 0xc0 == 0x80) {
            at += 1;
        }
        at
    }

    /// Columns that `bytes` take, counting each character as one.
    fn columns(bytes: &[u8]) -> usize {
        bytes.iter().filter(|b| **b & 0xc0 != 0x80).count()
    }

    async fn back(&self, io: &Shared, bytes: usize) {
        let from = self.text.len().saturating_sub(bytes);
        let columns = Self::columns(self.text.get(from..).unwrap_or_default());
        put(io, &vec![0x08; columns]).await;
    }

    async fn insert(&mut self, io: &Shared, bytes: &[u8]) {
        if self.text.len() + bytes.len() > limits::LINE {
            return put(io, BELL).await;
        }
        self.text.splice(self.cursor..self.cursor, bytes.iter().copied());
        self.cursor += bytes.len();
        put(io, bytes).await;
        let tail = self.text.get(self.cursor..).unwrap_or_default().to_vec();
        if !tail.is_empty() {
            put(io, &tail).await;
            self.back(io, tail.len()).await;
        }
    }

    async fn move_to(&mut self, io: &Shared, to: usize) {
        if to < self.cursor {
            let columns = Self::columns(self.text.get(to..self.cursor).unwrap_or_default());
            put(io, &vec![0x08; columns]).await;
        } else {
            let passed = self.text.get(self.cursor..to).unwrap_or_default().to_vec();
            put(io, &passed).await;
        }
        self.cursor = to;
    }

    async fn backspace(&mut self, io: &Shared) {
        if self.cursor == 0 {
            return put(io, BELL).await;
        }
        let count = self.cursor - self.previous();
        self.cut_before(io, count).await;
    }

    async fn delete(&mut self, io: &Shared) {
        if self.cursor < self.text.len() {
            let next = self.next();
            let seen = self.text.get(self.cursor..next).unwrap_or_default().to_vec();
            put(io, &seen).await;
            self.cursor = next;
            self.cut_before(io, seen.len()).await;
        }
    }

    /// Removes `count` bytes before the cursor.
    async fn cut_before(&mut self, io: &Shared, count: usize) {
        let from = self.cursor.saturating_sub(count);
        let removed: Vec<u8> = self.text.drain(from..self.cursor).collect();
        self.cursor = from;
        let mut out = vec![0x08; Self::columns(&removed)];
        let tail = self.text.get(from..).unwrap_or_default().to_vec();
        out.extend_from_slice(&tail);
        out.extend_from_slice(b"\x1b[K");
        put(io, &out).await;
        self.back(io, tail.len()).await;
    }

    async fn kill_before(&mut self, io: &Shared, count: usize) {
        let from = self.cursor.saturating_sub(count);
        self.killed = self.text.get(from..self.cursor).unwrap_or_default().to_vec();
        self.cut_before(io, count).await;
    }

    fn word_before(&self) -> usize {
        let head = self.text.get(..self.cursor).unwrap_or_default();
        let blanks = head.iter().rev().take_while(|b| **b == b' ').count();
        let rest = head.get(..head.len() - blanks).unwrap_or_default();
        blanks + rest.iter().rev().take_while(|b| **b != b' ').count()
    }

    async fn recall(&mut self, io: &Shared, history: &[Vec<u8>], older: bool) {
        let wanted = if older { self.recalled + 1 } else { self.recalled.saturating_sub(1) };
        if wanted == self.recalled || wanted > history.len() {
            return put(io, BELL).await;
        }
        if self.recalled == 0 {
            self.draft.clone_from(&self.text);
        }
        self.recalled = wanted;
        let text = match wanted {
            0 => self.draft.clone(),
            n => history
                .len()
                .checked_sub(n)
                .and_then(|at| history.get(at))
                .cloned()
                .unwrap_or_default(),
        };
        self.move_to(io, 0).await;
        put(io, b"\x1b[K").await;
        put(io, &text).await;
        self.cursor = text.len();
        self.text = text;
    }

    async fn complete(&mut self, io: &Shared, prompt: &[u8], complete: Complete<'_>) {
        let head = self.text.get(..self.cursor).unwrap_or_default().to_vec();
        let (insert, choices) = complete(&head);
        if !insert.is_empty() {
            return self.insert(io, &insert).await;
        }
        put(io, BELL).await;
        if choices.len() > 1 {
            let mut listing = b"\n".to_vec();
            listing.extend(choices.join(&b"  "[..]));
            listing.push(b'\n');
            io.write(Stream::Out, &listing).await;
            put(io, prompt).await;
            put(io, &self.text).await;
            self.back(io, self.text.len() - self.cursor).await;
        }
    }

    /// Reads the rest of an escape sequence and obeys it.
    async fn escape(&mut self, io: &Shared, history: &[Vec<u8>]) {
        let Some(kind) = io.byte().await else { return };
        if kind != b'[' && kind != b'O' {
            return;
        }
        let mut parameters = Vec::new();
        loop {
            let Some(byte) = io.byte().await else { return };
            match byte {
                b'0'..=b'9' | b';' if parameters.len() < 16 => parameters.push(byte),
                b'A' => return self.recall(io, history, true).await,
                b'B' => return self.recall(io, history, false).await,
                b'C' => return self.move_to(io, self.next()).await,
                b'D' => return self.move_to(io, self.previous()).await,
                b'H' => return self.move_to(io, 0).await,
                b'F' => return self.move_to(io, self.text.len()).await,
                b'~' => match parameters.as_slice() {
                    b"1" | b"7" => return self.move_to(io, 0).await,
                    b"4" | b"8" => return self.move_to(io, self.text.len()).await,
                    b"3" => return self.delete(io).await,
                    b"200" => return self.paste(io).await,
                    _ => return,
                },
                _ => return,
            }
        }
    }

    /// A bracketed paste: everything up to its end is text.
    async fn paste(&mut self, io: &Shared) {
        const END: &[u8] = b"\x1b[201~";
        let mut pasted = Vec::new();
        while let Some(byte) = io.byte().await {
            pasted.push(byte);
            if pasted.ends_with(END) {
                pasted.truncate(pasted.len() - END.len());
                break;
            }
            if pasted.len() > limits::LINE {
                break;
            }
        }
        for byte in &mut pasted {
            if *byte == b'\r' {
                *byte = b'\n';
            }
        }
        self.insert(io, &pasted).await;
    }
}

/// Reads from the terminal in canonical mode (`termios(3)`): whole lines, edited with erase and
/// kill, echoed unless echo is off. At most `max` bytes; empty at Ctrl-D on an empty line.
pub(crate) async fn cooked(io: &Shared, max: usize) -> Vec<u8> {
    {
        let mut io = io.lock();
        if !io.cooked.is_empty() {
            let take = io.cooked.len().min(max);
            return io.cooked.drain(..take).collect();
        }
    }
    let mut line: Vec<u8> = Vec::new();
    loop {
        let Some(byte) = io.byte().await else { return line };
        let echo = io.lock().echo;
        match byte {
            0x04 => return line,
            0x7f | 0x08 => {
                if line.pop().is_some() {
                    while line.last().is_some_and(|b| b & 0xc0 == 0x80) {
                        line.pop();
                    }
                    if echo {
                        io.write(Stream::Out, b"\x08 \x08").await;
                    }
                }
            }
            0x15 => {
                let columns = Editor::columns(&line);
                line.clear();
                if echo {
                    io.write(Stream::Out, &b"\x08 \x08".repeat(columns)).await;
                }
            }
            b'\r' | b'\n' => {
                // The end of a password line is shown, as its readers do.
                io.write(Stream::Out, b"\n").await;
                line.push(b'\n');
                push_back(io, &mut line, max);
                return line;
            }
            _ => {
                if line.len() < 4095 {
                    line.push(byte);
                }
                if echo {
                    match byte {
                        0x00..=0x1f if byte != b'\t' => {
                            io.write(Stream::Out, &[b'^', byte + 0x40]).await
                        }
                        _ => io.write(Stream::Out, &[byte]).await,
                    }
                }
            }
        }
    }
}

/// What does not fit into `max` stays to be read next, as an edited line: it must not be echoed
/// again.
fn push_back(io: &Shared, line: &mut Vec<u8>, max: usize) {
    if line.len() > max {
        let rest = line.split_off(max);
        io.lock().cooked.extend(rest);
    }
}
