//! A cursor over untrusted bytes.

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// What a length of one byte announces.
    pub(super) fn short_vector(&mut self) -> Option<&'a [u8]> {
        let count = self.byte()?;
        self.take(usize::from(count))
    }

    /// What a length of two bytes announces.
    pub(super) fn vector(&mut self) -> Option<&'a [u8]> {
        let count = self.short()?;
        self.take(usize::from(count))
    }

    /// All of it as numbers of two bytes; an odd last byte is left out.
    pub(super) fn shorts(self) -> Vec<u16> {
        self.0.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
    }
}

/// The first handshake message in a stream of TLS records, once it is whole: its type and body.
pub(super) enum First {
    Whole(u8, Vec<u8>),
    /// More bytes are needed.
    Need,
    /// It is none.
    Not,
}

const HANDSHAKE: u8 = 22;

/// Reads the first handshake message of at most `most` bytes, over as many records as it takes.
pub(super) fn first_message(stream: &[u8], most: usize) -> First {
    let mut records = Reader(stream);
    let mut message = Vec::new();
    loop {
        let mut header = Reader(&message);
        if let (Some(kind), Some(high), Some(low)) = (header.byte(), header.byte(), header.short())
        {
            let length = usize::from(high) << 16 | usize::from(low);
            if length > most {
                return First::Not;
            }
            if let Some(body) = header.take(length) {
                return First::Whole(kind, body.to_vec());
            }
        }
        if records.0.first().is_some_and(|&kind| kind != HANDSHAKE)
            || records.0.get(1).is_some_and(|&major| major != 3)
        {
            return First::Not;
        }
        let mut next = records;
        if next.take(3).is_none() {
            return First::Need;
        }
        let Some(fragment) = next.vector() else {
            // An announced record longer than any may be never becomes one.
            let announced = records.0.get(3..5).and_then(|two| two.try_into().ok());
            let long = announced.is_some_and(|two| u16::from_be_bytes(two) > 0x4800);
            return if long { First::Not } else { First::Need };
        };
        if fragment.is_empty() {
            return First::Not;
        }
        message.extend_from_slice(fragment);
        records = next;
    }
}
