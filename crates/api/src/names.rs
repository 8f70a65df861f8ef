//! Names that become part of a path: what they may look like (`spec/api.md` §7.1).

/// `^[a-z0-9][a-z0-9-]{0,62}$`.
pub(crate) fn is_decky(text: &str) -> bool {
    starts_well(text)
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// `^[a-z0-9][a-z0-9_]{0,31}$`.
pub(crate) fn is_service(text: &str) -> bool {
    starts_well(text)
        && text.len() <= 32
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn starts_well(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z_[a-f0-9]{12}_[A-Za-z0-9._-]{1,255}$`.
pub(crate) fn is_stored_as(text: &str) -> bool {
    let Some((head, name)) = text.split_at_checked("0000-00-00T00:00:00Z_".len() + 13) else {
        return false;
    };
    matches(head, "0000-00-00T00:00:00Z_ffffffffffff_")
        && (1..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// `^sessions-\d{4}-\d{2}-\d{2}(\.\d+)?\.jsonl$`.
pub(crate) fn is_shard(text: &str) -> bool {
    let Some(rest) = text.strip_suffix(".jsonl") else { return false };
    let Some((day, number)) = rest.split_at_checked("sessions-0000-00-00".len()) else {
        return false;
    };
    let digits = |n: &str| (1..=9).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    matches(day, "sessions-0000-00-00")
        && (number.is_empty() || number.strip_prefix('.').is_some_and(digits))
}

/// Whether `text` looks like `shape`, in which `0` stands for a digit and `f` for a lower-case hex
/// digit.
fn matches(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(b, like)| match like {
            b'0' => b.is_ascii_digit(),
            b'f' => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
            like => b == like,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_names_pass() {
        assert!(is_decky("decky-01") && is_decky("0") && is_decky(&"a".repeat(63)));
        for bad in ["", "-a", "A", "a/b", "..", "a.b", "a\0", "é", &"a".repeat(64)] {
            assert!(!is_decky(bad), "{bad}");
        }
        assert!(is_service("smtp_relay"));
        assert!(!is_service("_x") && !is_service("a/b") && !is_service(""));
        assert!(is_shard("sessions-2026-01-02.jsonl") && is_shard("sessions-2026-01-02.7.jsonl"));
        for bad in [
            "sessions-2026-01-02..jsonl",
            "sessions-2026-01-02.jsonl.jsonl",
            "sessions-.jsonl",
            "x",
        ] {
            assert!(!is_shard(bad), "{bad}");
        }
        let good = "2026-01-02T03:04:05Z_e3b0c44298fc_x.sh";
        assert!(is_stored_as(good));
        assert!(is_stored_as("2026-01-02T03:04:05Z_e3b0c44298fc_.."), "a dot name stays a name");
        for bad in [
            "2026-01-02T03:04:05Z_e3b0c44298fc_",
            "2026-01-02T03:04:05Z_e3b0c44298fc_a/b",
            "2026-01-02T03:04:05Z_E3B0C44298FC_x",
            "2026-01-02T03:04:05Z_e3b0c44298fc_x\r\nSet-Cookie: a",
            "../../../../etc/passwd",
            "",
        ] {
            assert!(!is_stored_as(bad), "{bad}");
        }
        assert!(!is_stored_as(&format!("2026-01-02T03:04:05Z_e3b0c44298fc_{}", "x".repeat(256))));
    }
}
