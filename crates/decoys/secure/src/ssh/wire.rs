//! SSH data types (RFC 4251 §5): a total reader over borrowed bytes, and writing to a vector.

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("incomplete message")]
pub(super) struct Malformed;

/// Reads values off the front of `rest`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn bool(&mut self) -> Result<bool, Malformed> {
        Ok(self.byte()? != 0)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or(Malformed)?;
        self.rest = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.u32()?).map_err(|_| Malformed)?;
        self.take(length)
    }

    /// A string that is ASCII text without NUL: names of algorithms, services and requests.
    pub(super) fn name(&mut self) -> Result<&'a str, Malformed> {
        let bytes = self.string()?;
        if bytes.contains(&0) {
            return Err(Malformed);
        }
        std::str::from_utf8(bytes).map_err(|_| Malformed)
    }

    /// What was not read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(super) const fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Appends SSH values.
pub(super) trait Put {
    fn put_bool(&mut self, value: bool);
    fn put_u32(&mut self, value: u32);
    fn put_string(&mut self, bytes: &[u8]);
    /// An unsigned number given as big-endian bytes, with or without leading zeros.
    fn put_mpint(&mut self, magnitude: &[u8]);
}

impl Put for Vec<u8> {
    fn put_bool(&mut self, value: bool) {
        self.push(u8::from(value));
    }

    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_string(&mut self, bytes: &[u8]) {
        // What is sent here is far below 4 GiB; a longer string would be cut, not misframed.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.put_u32(length);
        self.extend_from_slice(bytes.get(..length as usize).unwrap_or(bytes));
    }

    fn put_mpint(&mut self, magnitude: &[u8]) {
        let zeros = magnitude.iter().take_while(|&&byte| byte == 0).count();
        let digits = magnitude.get(zeros..).unwrap_or_default();
        let sign = digits.first().is_some_and(|&byte| byte >= 0x80);
        let length = u32::try_from(digits.len()).unwrap_or(u32::MAX);
        self.put_u32(length.saturating_add(u32::from(sign)));
        if sign {
            self.push(0);
        }
        self.extend_from_slice(digits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_rfc_4251() {
        let mpint = |bytes: &[u8]| {
            let mut out = Vec::new();
            out.put_mpint(bytes);
            out
        };
        assert_eq!(mpint(&[]), [0, 0, 0, 0]);
        assert_eq!(mpint(&[0, 0]), [0, 0, 0, 0]);
        let long = [0x09, 0xa3, 0x78, 0xf9, 0xb2, 0xe3, 0x32, 0xa7];
        assert_eq!(mpint(&long), [&[0, 0, 0, 8][..], &long].concat());
        assert_eq!(mpint(&[0x80]), [0, 0, 0, 2, 0, 0x80]);
    }

    #[test]
    fn a_length_beyond_the_end_is_malformed() {
        for bytes in [&[][..], &[0, 0, 0], &[0, 0, 0, 1], &[0xff, 0xff, 0xff, 0xff, 1]] {
            assert_eq!(Reader::new(bytes).string(), Err(Malformed));
        }
        let mut reader = Reader::new(&[0, 0, 0, 1, b'a', 7]);
        assert_eq!(reader.name(), Ok("a"));
        assert_eq!(reader.end(), Err(Malformed));
        assert_eq!(reader.byte(), Ok(7));
        assert_eq!(reader.end(), Ok(()));
    }
}
