//! Hardware addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address of a network card (IEEE 802, 48 bits). Shown as `00:50:56:8a:01:02`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// From its octets.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// Its octets.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Whether a single machine can have it.
    #[must_use]
    pub const fn is_unicast(self) -> bool {
        let [first, ..] = self.0;
        first & 1 == 0 && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }
}

/// Text that is not a hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacFormat;

impl fmt::Display for MacFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not six octets in hexadecimal, such as 00:50:56:8a:01:02")
    }
}

impl std::error::Error for MacFormat {}

impl FromStr for MacAddress {
    type Err = MacFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut octets = [0; 6];
        let mut parts = text.split([':', '-']);
        for octet in &mut octets {
            let part = parts.next().filter(|part| part.len() == 2).ok_or(MacFormat)?;
            if !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(MacFormat);
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| MacFormat)?;
        }
        if parts.next().is_some() { Err(MacFormat) } else { Ok(Self(octets)) }
    }
}

impl TryFrom<String> for MacAddress {
    type Error = MacFormat;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_shown_and_nothing_else_does() {
        let mac: MacAddress = "00-50-56-8A-01-fe".parse().unwrap();
        assert_eq!(mac.to_string(), "00:50:56:8a:01:fe");
        assert_eq!(mac.to_string().parse(), Ok(mac));
        for wrong in
            ["", "00:50:56:8a:01", "00:50:56:8a:01:fe:00", "+0:50:56:8a:01:fe", "é:50:56:8a:01:fe"]
        {
            assert_eq!(wrong.parse::<MacAddress>(), Err(MacFormat), "{wrong}");
        }
        assert!(mac.is_unicast() && !MacAddress::new([1, 0, 0x5e, 0, 0, 1]).is_unicast());
    }
}
