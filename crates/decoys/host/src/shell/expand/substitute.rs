//! `$(command)` and `$((expression))`.

use std::sync::{Arc, Mutex, PoisonError};

use base_shell::text::decode;
use base_shell::word;

use super::{Abort, DEPTH};
use crate::shell::arith;
use crate::shell::fd::Fd;
use crate::shell::interp::Interp;
use crate::shell::io::Boxed;
use crate::shell::{limits, pattern};

impl Interp {
    /// The output of `source`, without trailing newlines.
    pub(super) fn substitute<'a>(&'a mut self, source: &'a str) -> Boxed<'a, Vec<u8>> {
        Box::pin(async move {
            self.proc.io.tick().await;
            if self.proc.depth >= limits::DEPTH {
                self.proc.io.lock().killed = true;
                return Vec::new();
            }
            let buffer = Arc::new(Mutex::new(Vec::new()));
            let mut sub = self.subshell();
            sub.proc.fds.insert(1, Fd::Capture(buffer.clone()));
            let _ = sub.run_source(&decode(source)).await;
            self.status = sub.status;
            drop(sub);
            let mut out =
                std::mem::take(&mut *buffer.lock().unwrap_or_else(PoisonError::into_inner));
            out.retain(|&b| b != 0);
            while out.last() == Some(&b'\n') {
                out.pop();
            }
            out
        })
    }

    /// The value of an arithmetic expression; its message is out when it fails.
    pub(crate) async fn arithmetic(&mut self, expression: &str) -> Result<i64, Abort> {
        let text = match word::here_document(expression, DEPTH) {
            Ok(pieces) => pattern::unescape(&self.join_pieces(pieces).await?),
            Err(_) => return Err(Abort::Command),
        };
        match arith::evaluate(&text, self) {
            Ok(value) => Ok(value),
            Err(message) => {
                self.status = 1;
                self.complain(message).await;
                Err(Abort::Command)
            }
        }
    }
}
