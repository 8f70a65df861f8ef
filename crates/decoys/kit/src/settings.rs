//! Settings of a service: described once, validated everywhere alike (`spec/services.md` §1.2).

use std::collections::BTreeMap;

use serde_json::Value;

/// What a setting accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// Text that answers never show again.
    Password,
    /// An integer in a range, ends included.
    Int {
        /// Lowest.
        min: i64,
        /// Highest.
        max: i64,
    },
    /// Yes or no.
    Bool,
    /// One of a list.
    Enum(&'static [&'static str]),
}

/// The description of one setting.
#[derive(Clone, Copy, Debug)]
pub struct SettingSpec {
    /// Key.
    pub key: &'static str,
    /// Label in forms.
    pub label: &'static str,
    /// What it accepts.
    pub kind: SettingKind,
    /// What it does, one line.
    pub help: &'static str,
}

/// A value that a setting does not accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct SettingError {
    /// The setting.
    pub key: String,
    /// Why not, and what would be accepted.
    pub reason: String,
}

/// Validated settings; an absent key means the service's own default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(BTreeMap<String, Value>);

impl Settings {
    /// Validates `given` against `specs`. Null and empty text drop the key; unknown keys are
    /// returned beside the settings, for a warning.
    ///
    /// # Errors
    /// Every value that is not accepted.
    pub fn parse(
        specs: &[SettingSpec],
        given: &BTreeMap<String, Value>,
    ) -> Result<(Self, Vec<String>), Vec<SettingError>> {
        let mut settings = BTreeMap::new();
        let mut unknown = Vec::new();
        let mut errors = Vec::new();
        for (key, value) in given {
            let Some(spec) = specs.iter().find(|spec| spec.key == key) else {
                unknown.push(key.clone());
                continue;
            };
            if value.is_null() || value.as_str().is_some_and(str::is_empty) {
                continue;
            }
            match accept(spec.kind, value) {
                Ok(value) => drop(settings.insert(key.clone(), value)),
                Err(reason) => errors.push(SettingError { key: key.clone(), reason }),
            }
        }
        if errors.is_empty() { Ok((Self(settings), unknown)) } else { Err(errors) }
    }

    /// The text of `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// The integer of `key`.
    #[must_use]
    pub fn int(&self, key: &str) -> Option<i64> {
        self.0.get(key).and_then(Value::as_i64)
    }

    /// The yes or no of `key`.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.0.get(key).and_then(Value::as_bool)
    }

    /// As stored.
    #[must_use]
    pub fn into_map(self) -> BTreeMap<String, Value> {
        self.0
    }
}

fn accept(kind: SettingKind, value: &Value) -> Result<Value, String> {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match kind {
        SettingKind::Text | SettingKind::Password => Ok(Value::String(shown)),
        SettingKind::Int { min, max } => {
            let number = value.as_i64().or_else(|| shown.trim().parse().ok());
            let number = number.ok_or_else(|| format!("expected int, got {shown}"))?;
            if (min..=max).contains(&number) {
                Ok(number.into())
            } else {
                Err(format!("{number} is outside {min}..{max}"))
            }
        }
        SettingKind::Bool => match shown.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true.into()),
            "false" | "0" | "no" | "off" => Ok(false.into()),
            _ => Err(format!("expected bool, got {shown}")),
        },
        SettingKind::Enum(allowed) if allowed.contains(&shown.as_str()) => Ok(shown.into()),
        SettingKind::Enum(allowed) => {
            Err(format!("{shown} not in allowed values [{}]", allowed.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[SettingSpec] = &[
        SettingSpec {
            key: "port",
            label: "Port",
            kind: SettingKind::Int { min: 1, max: 9 },
            help: "",
        },
        SettingSpec { key: "on", label: "On", kind: SettingKind::Bool, help: "" },
        SettingSpec { key: "app", label: "App", kind: SettingKind::Enum(&["a", "b"]), help: "" },
        SettingSpec { key: "name", label: "Name", kind: SettingKind::Text, help: "" },
    ];

    fn parse(pairs: &[(&str, Value)]) -> Result<(Settings, Vec<String>), Vec<SettingError>> {
        let given = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        Settings::parse(SPECS, &given)
    }

    #[test]
    fn values_are_normalised() {
        let (settings, unknown) = parse(&[
            ("port", "7".into()),
            ("on", "Yes".into()),
            ("app", "b".into()),
            ("name", "".into()),
            ("nmae", "x".into()),
        ])
        .unwrap();
        assert_eq!(settings.int("port"), Some(7));
        assert_eq!(settings.flag("on"), Some(true));
        assert_eq!(settings.text("app"), Some("b"));
        assert_eq!(settings.text("name"), None);
        assert_eq!(unknown, ["nmae"]);
    }

    #[test]
    fn every_bad_value_is_named() {
        let errors = parse(&[("port", "70".into()), ("on", "maybe".into()), ("app", "c".into())])
            .unwrap_err();
        let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "app: c not in allowed values [a, b]",
                "on: expected bool, got maybe",
                "port: 70 is outside 1..9"
            ]
        );
    }
}
