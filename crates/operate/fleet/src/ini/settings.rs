//! `[<decky>.<service>]`: settings of one service.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decoys_kit::{ServiceSpec, Settings};
use serde_json::Value;

use super::document::Section;
use crate::nearest::did_you_mean;
use crate::problem::{Findings, Problem, brief};

/// The section's values as the service accepts them. Values beginning `b64:` are base64 of UTF-8.
pub(super) fn settings(
    section: &Section<'_>,
    spec: &'static ServiceSpec,
    findings: &mut Findings,
) -> BTreeMap<String, Value> {
    let name = section.name;
    let mut accepted = BTreeMap::new();
    for (key, given) in &section.pairs {
        if findings.is_full() {
            break;
        }
        let mut error = |reason: String, hint| {
            let text = format!("[{name}] {reason}");
            findings.error(Problem::new(Some(given.at), text).hinted(hint));
        };
        let Some(value) = decode(given.value) else {
            error(format!("{key}: malformed b64: payload"), None);
            continue;
        };
        // One at a time, so that each finding has its place.
        match Settings::parse(spec.settings, &BTreeMap::from([(key.clone(), value.into())])) {
            Ok((settings, unknown)) if unknown.is_empty() => accepted.extend(settings.into_map()),
            Ok(_) => {
                let known = spec.settings.iter().map(|setting| setting.key);
                let hint = did_you_mean(key, known.clone())
                    .unwrap_or_else(|| format!("it has {}", known.collect::<Vec<_>>().join(", ")));
                let reason = format!("{} has no setting '{}'", spec.name, brief(key));
                error(reason, Some(hint));
            }
            Err(errors) => errors.iter().for_each(|one| error(brief(one), None)),
        }
    }
    accepted
}

fn decode(value: &str) -> Option<String> {
    match value.strip_prefix("b64:") {
        None => Some(value.to_owned()),
        Some(payload) => String::from_utf8(STANDARD.decode(payload.trim()).ok()?).ok(),
    }
}
