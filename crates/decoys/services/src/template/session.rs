//! One connection: a greeting, then each line comes back.

use std::time::Duration;

use base_model::{Timestamp, catalogue};
use decoys_host::HostHandle;
use decoys_kit::{Opening, StreamContext, StreamSession};

/// Longest line kept; a longer one breaks the protocol.
const MAX_LINE: usize = 1024;
/// A silent client is let go after this.
const IDLE: Duration = Duration::from_secs(60);

pub(super) struct TemplateSession {
    greeting: String,
    line: Vec<u8>,
    idle_at: Option<Timestamp>,
}

impl TemplateSession {
    pub(super) fn new(opening: Opening<HostHandle>) -> Self {
        let greeting = opening.settings.text("greeting").map(str::to_owned);
        let greeting = greeting.unwrap_or_else(|| opening.host.decky().hostname.clone());
        Self { greeting, line: Vec::new(), idle_at: None }
    }

    fn touch(&mut self, cx: &StreamContext<'_>) {
        self.idle_at = Some(cx.now() + IDLE);
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.idle_at = None;
        cx.close();
    }
}

impl StreamSession for TemplateSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.touch(cx);
        cx.send(format!("{}\r\n", self.greeting));
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if self.idle_at.is_none() {
            return;
        }
        self.touch(cx);
        for &byte in bytes {
            self.line.push(byte);
            if byte == b'\n' {
                cx.send(std::mem::take(&mut self.line));
            } else if self.line.len() > MAX_LINE {
                cx.emit(catalogue::protocol_error("line too long", &self.line));
                return self.end(cx);
            }
        }
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        self.end(cx);
    }

    fn on_close(&mut self, _: &mut StreamContext<'_>) {
        self.idle_at = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.idle_at
    }
}
