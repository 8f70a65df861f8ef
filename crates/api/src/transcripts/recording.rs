//! Reading the lines of one session out of its shard (`spec/behave.md` §6).
//!
//! Many sessions share a shard; the store knows which runs of bytes are this one's, so reading costs
//! what the session is long. Calls block.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use store_db::{ExtentRow, RecordingRow};

use crate::names;
use crate::transcripts::types::Spoken;

/// Longest line that is looked at; a recorder writes at most 975 bytes of data, each at most six
/// characters long.
const MAX_LINE: u64 = 64 * 1024;

/// A line of a recording.
#[derive(Debug, PartialEq)]
pub(crate) enum Line {
    /// How the terminal was.
    Header(Map<String, Value>),
    /// Something went over it.
    Event(Spoken),
    /// The recording stopped here.
    Truncated,
}

/// Where the lines of a session are.
pub(crate) struct Recording {
    root: PathBuf,
    path: PathBuf,
    sid: String,
    extents: Vec<ExtentRow>,
}

impl Recording {
    /// The recording below `root`; `None` when its names make no harmless path.
    pub(crate) fn new(root: &Path, row: &RecordingRow, extents: Vec<ExtentRow>) -> Option<Self> {
        let harmless = names::is_decky(&row.decky)
            && names::is_service(&row.service)
            && names::is_shard(&row.shard);
        let folder = root.join(&row.decky).join(&row.service).join("transcripts");
        harmless.then(|| Self {
            root: root.to_owned(),
            path: folder.join(&row.shard),
            sid: row.sid.clone(),
            extents,
        })
    }

    /// Whether the shard is there.
    pub(crate) fn open(&self) -> io::Result<File> {
        // A link out of the root is not followed, whoever put it there.
        let path = self.path.canonicalize()?;
        if !path.starts_with(self.root.canonicalize()?) {
            return Err(io::ErrorKind::NotFound.into());
        }
        File::open(path)
    }

    /// Hands each line of the session to `take`, in order, until it returns `false`.
    pub(crate) fn read(
        &self,
        mut file: File,
        mut take: impl FnMut(Line) -> bool,
    ) -> io::Result<()> {
        for extent in &self.extents {
            file.seek(SeekFrom::Start(extent.shard_offset))?;
            let mut reader = BufReader::new((&mut file).take(extent.length));
            let mut bytes = Vec::new();
            while next_line(&mut reader, &mut bytes)? {
                if let Some(line) = understand(&self.sid, &bytes)
                    && !take(line)
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Reads a line into `bytes`, which stays empty when it is too long. Returns whether there was one.
fn next_line(reader: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    let mut seen = false;
    loop {
        let room = MAX_LINE.saturating_sub(bytes.len() as u64).max(1);
        let read = reader.by_ref().take(room).read_until(b'\n', bytes)?;
        if read == 0 {
            return Ok(seen);
        }
        seen = true;
        let whole = bytes.last() == Some(&b'\n');
        if bytes.len() as u64 >= MAX_LINE {
            bytes.clear();
            if !whole {
                skip_line(reader)?;
            }
            return Ok(true);
        }
        if whole {
            return Ok(true);
        }
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, found) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        if found {
            return Ok(());
        }
    }
}

/// What a line of session `sid` says; `None` for lines of others and for nonsense.
fn understand(sid: &str, bytes: &[u8]) -> Option<Line> {
    let text = String::from_utf8_lossy(bytes);
    let Value::Object(mut line) = serde_json::from_str(&text).ok()? else { return None };
    if line.get("sid")?.as_str()? != sid {
        return None;
    }
    if let Some(header) = line.remove("hdr") {
        let Value::Object(header) = header else { return None };
        return Some(Line::Header(header));
    }
    if line.get("trunc") == Some(&Value::Bool(true)) {
        return Some(Line::Truncated);
    }
    let at = line.get("t")?.as_f64()?;
    let channel = match line.get("ch")?.as_str()? {
        "i" => "i",
        "o" => "o",
        "r" => "r",
        _ => return None,
    };
    let text = match line.remove("d") {
        Some(Value::String(text)) => text,
        None => String::new(),
        Some(_) => return None,
    };
    Some(Line::Event(Spoken(at, channel, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn lines_of_others_and_nonsense_are_passed_over() {
        let event = |line: &str| understand(SID, line.replace('#', SID).as_bytes());
        assert_eq!(
            event(r##"{"sid":"#","t":1.5,"ch":"o","d":"hi"}"##),
            Some(Line::Event(Spoken(1.5, "o", "hi".into())))
        );
        assert_eq!(
            event(r##"{"sid":"#","t":1,"ch":"i"}"##),
            Some(Line::Event(Spoken(1.0, "i", String::new())))
        );
        assert_eq!(event(r##"{"sid":"#","trunc":true}"##), Some(Line::Truncated));
        assert!(matches!(event(r##"{"sid":"#","hdr":{"version":2}}"##), Some(Line::Header(_))));
        for nonsense in [
            "",
            "[]",
            "{",
            r##"{"sid":"other","t":1,"ch":"o","d":"x"}"##,
            r##"{"sid":"#","t":"1","ch":"o","d":"x"}"##,
            r##"{"sid":"#","t":1,"ch":"x","d":"x"}"##,
            r##"{"sid":"#","t":1,"ch":"o","d":7}"##,
            r##"{"sid":"#","ch":"o","d":"x"}"##,
            r##"{"sid":"#","hdr":7}"##,
        ] {
            assert_eq!(event(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_line_without_end_costs_no_memory_and_hides_no_other() {
        let long = "x".repeat(300_000);
        let text = format!("short\n{long}\nafter\nlast");
        let mut reader = BufReader::with_capacity(1000, text.as_bytes());
        let mut bytes = Vec::new();
        let mut lines = Vec::new();
        while next_line(&mut reader, &mut bytes).unwrap() {
            assert!(bytes.capacity() <= 4 * 64 * 1024);
            lines.push(String::from_utf8(bytes.clone()).unwrap());
        }
        assert_eq!(lines, ["short\n", "", "after\n", "last"]);
    }
}
