//! The ordered field map of an event.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Ordered JSON fields. Attacker bytes go in through [`Fields::bytes`], which loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key`, replacing an earlier value.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Adds `key` and returns the map, for constructors.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds `key` when there is a value.
    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Adds attacker bytes as text; bytes that are not UTF-8 are replaced there and kept exactly
    /// under `<key>_b64`.
    #[must_use]
    pub fn bytes(self, key: &str, bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.with(key, text),
            Err(_) => self
                .with(key, String::from_utf8_lossy(bytes).into_owned())
                .with(&format!("{key}_b64"), STANDARD.encode(bytes)),
        }
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of `key` when it is text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// The exact bytes that [`Fields::bytes`] stored under `key`.
    #[must_use]
    pub fn exact(&self, key: &str) -> Option<Vec<u8>> {
        match self.text(&format!("{key}_b64")) {
            Some(encoded) => STANDARD.decode(encoded).ok(),
            None => self.text(key).map(|text| text.as_bytes().to_vec()),
        }
    }

    /// Key and value pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a JSON object.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl From<Map<String, Value>> for Fields {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_come_back_exactly() {
        let raw = [0x66, 0xff, 0x00, 0x20];
        let fields = Fields::new().bytes("principal", &raw);
        assert_eq!(fields.text("principal"), Some("f\u{fffd}\0 "));
        assert_eq!(fields.exact("principal"), Some(raw.to_vec()));
    }

    #[test]
    fn order_is_kept() {
        let fields = Fields::new().with("z", 1).with("a", 2);
        let keys: Vec<_> = fields.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["z", "a"]);
    }
}
