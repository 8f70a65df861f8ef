//! Server-sent events as bytes.

use axum::body::Bytes;
use serde::Serialize;

/// What is sent first, and when there is nothing else to send.
pub(crate) const KEEPALIVE: Bytes = Bytes::from_static(b": keepalive\n\n");

/// The last frame of a stream that fails.
pub(crate) const INTERRUPTED: Bytes = Bytes::from_static(
    b"event: error\ndata: {\"type\":\"error\",\"message\":\"Stream interrupted\"}\n\n",
);

#[derive(Serialize)]
struct Message<'a, T: ?Sized> {
    r#type: &'a str,
    data: &'a T,
}

/// A frame of `{type, data}`. JSON has no line ends outside of strings, and escapes those within.
pub(crate) fn message<T: Serialize + ?Sized>(kind: &str, data: &T) -> Bytes {
    let json = serde_json::to_string(&Message { r#type: kind, data }).unwrap_or_default();
    format!("event: message\ndata: {json}\n\n").into()
}

/// A frame of log rows, given as JSON objects; `id` is the last one's.
pub(crate) fn logs<'a>(id: u64, rows: impl Iterator<Item = &'a str>) -> Bytes {
    let mut frame = format!("id: {id}\nevent: message\ndata: {{\"type\":\"logs\",\"data\":[");
    for (n, row) in rows.enumerate() {
        if n > 0 {
            frame.push(',');
        }
        frame.push_str(row);
    }
    frame.push_str("]}\n\n");
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_start_a_frame_of_its_own() {
        let frame = message("stats", "\n\nevent: error\ndata: evil\r\n\u{2028}");
        let text = std::str::from_utf8(&frame).unwrap();
        assert_eq!(text.matches('\n').count(), 3);
        assert!(!text.contains('\r'));
        assert!(text.ends_with("\n\n"));
    }
}
