//! Bytes to server-sent events (WHATWG HTML §9.2.6).

/// Longest frame; the server's hold 50 rows.
const LONGEST: usize = 64 * 1024 * 1024;

/// A frame with data.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    /// Where to go on after it.
    pub(super) id: Option<u64>,
    pub(super) data: String,
}

/// The stream is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("a frame of the stream is too long")]
pub(super) struct TooLong;

/// Frames as their bytes arrive.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    /// Up to where no line ends.
    looked: usize,
    frame: Frame,
    has_data: bool,
}

impl Frames {
    /// Adds bytes.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, if it has arrived.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, TooLong> {
        while let Some(line) = self.line() {
            if line.is_empty() {
                let frame = std::mem::take(&mut self.frame);
                if std::mem::take(&mut self.has_data) {
                    return Ok(Some(frame));
                }
            } else {
                self.field(&line);
            }
            if self.frame.data.len() > LONGEST {
                return Err(TooLong);
            }
        }
        if self.bytes.len() > LONGEST { Err(TooLong) } else { Ok(None) }
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(value);
            }
            "id" => self.frame.id = value.parse().ok(),
            // Comments, and what we do not use.
            _ => {}
        }
    }

    /// The next whole line without its end. Our server ends lines with a line feed; a carriage
    /// return before it is not part of the line.
    fn line(&mut self) -> Option<String> {
        let rest = self.bytes.get(self.looked..)?;
        let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
            self.looked = self.bytes.len();
            return None;
        };
        let line: Vec<u8> = self.bytes.drain(..=self.looked + at).collect();
        self.looked = 0;
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": keepalive\n\nid: 7\nevent: message\ndata: {\"a\":1}\n\nid: x\r\n\
                          data:one\r\ndata: two ❤\r\n\r\nevent: message\n\ndata: never ended";

    fn read(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Frame> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.take(&piece);
            while let Some(frame) = frames.next().unwrap() {
                all.push(frame);
            }
        }
        all
    }

    #[test]
    fn frames_are_the_same_however_their_bytes_arrive() {
        let expected = [
            Frame { id: Some(7), data: "{\"a\":1}".into() },
            Frame { id: None, data: "one\ntwo ❤".into() },
        ];
        for length in [1, 2, 3, 7, 1000] {
            let pieces = STREAM.as_bytes().chunks(length).map(<[u8]>::to_vec);
            assert_eq!(read(pieces), expected, "{length}");
        }
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut frames = Frames::default();
        frames.take(b"data: ");
        frames.take(&vec![b'x'; LONGEST]);
        assert!(frames.next().is_err());
    }
}
