//! How telnet clients negotiate (`spec/services.md` §5).

use super::{Fact, Kind};
use crate::Fields;

/// A client has answered the options.
pub const TELNET_NEGOTIATION: Kind = Kind::info("telnet_negotiation");

/// What [`telnet_negotiation`] records.
#[derive(Clone, Copy, Debug)]
pub struct Negotiation<'a> {
    /// Requests and answers of the client in the order they came, such as `WILL 24`.
    pub order: &'a [String],
    /// The same as bytes on the wire, sub-negotiations included.
    pub raw: &'a [u8],
    /// Terminal type, as sent.
    pub terminal: Option<&'a [u8]>,
    /// Terminal speed, as sent.
    pub speed: Option<&'a [u8]>,
    /// Columns and rows.
    pub window: Option<(u16, u16)>,
    /// Display of X11, as sent.
    pub display: Option<&'a [u8]>,
    /// Environment variables in order.
    pub environment: &'a [(Vec<u8>, Vec<u8>)],
}

/// The options of a telnet client, which tell clients apart.
#[must_use]
pub fn telnet_negotiation(negotiation: &Negotiation<'_>) -> Fact {
    let hex: String = negotiation.raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut fields = Fields::new().with("order", negotiation.order.to_vec()).with("raw", hex);
    let texts = [
        ("terminal_type", negotiation.terminal),
        ("terminal_speed", negotiation.speed),
        ("x_display", negotiation.display),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            fields = fields.bytes(key, value);
        }
    }
    if let Some((columns, rows)) = negotiation.window {
        fields = fields.with("window", format!("{columns}x{rows}"));
    }
    if !negotiation.environment.is_empty() {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pairs = negotiation.environment.iter();
        let pairs: Vec<Vec<String>> =
            pairs.map(|(name, value)| vec![lossy(name), lossy(value)]).collect();
        fields = fields.with("environment", pairs);
    }
    Fact::new(&TELNET_NEGOTIATION, fields)
}
