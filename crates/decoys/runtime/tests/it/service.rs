//! A service that does what it is told.

use std::time::Duration;

use base_model::Timestamp;
use base_model::catalogue::{self, Captured, Command};
use decoys_host::HostHandle;
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, StreamContext, StreamSession, TlsFacts};
use decoys_runtime::Service;

pub(crate) static TOY: Service = Service {
    spec: ServiceSpec {
        name: "toy",
        summary: "does what it is told",
        fidelity: Fidelity::Low,
        listens: &[Listen::tcp(7)],
        settings: &[],
        events: &[],
    },
    open: Open::Stream(|opening| {
        Box::new(Toy { _host: opening.host, input: Vec::new(), used: false })
    }),
};

struct Toy {
    _host: HostHandle,
    input: Vec<u8>,
    used: bool,
}

impl StreamSession for Toy {
    fn on_open(&mut self, _cx: &mut StreamContext<'_>) {}

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            match line.trim().split_once(' ') {
                Some(("say", text)) => {
                    self.used = true;
                    let command = Command {
                        line: text.as_bytes(),
                        user: "root",
                        uid: 0,
                        pwd: b"/",
                        status: 0,
                        exec: false,
                    };
                    cx.emit(catalogue::command(&command));
                    cx.commit();
                    cx.send(format!("{text}\n"));
                }
                Some(("keep", size)) => {
                    let bytes = vec![b'k'; size.parse().unwrap()];
                    let size = bytes.len() as u64;
                    let sha256 = cx.keep(bytes);
                    let captured = Captured {
                        sha256,
                        size,
                        path: b"/tmp/k",
                        user: "root",
                        uid: 0,
                        writer: "toy",
                        mtime: cx.now(),
                    };
                    cx.emit(catalogue::file_captured(cx.now(), &captured));
                    cx.commit();
                    cx.send(*b"kept\n");
                }
                Some(("tls", answer)) => {
                    if answer != "quietly" {
                        cx.send(answer);
                    }
                    self.input.clear();
                    cx.start_tls();
                    return;
                }
                _ => panic!("told to"),
            }
        }
    }

    fn on_tls(&mut self, cx: &mut StreamContext<'_>, facts: &TlsFacts) {
        assert!(self.input.is_empty());
        cx.send(format!("{}\n", facts.version));
    }

    fn on_timeout(&mut self, _cx: &mut StreamContext<'_>) {}

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        // Only sessions that did something and did not fail end with a word.
        if self.used && self.input.is_empty() {
            cx.emit(catalogue::session_ended(Duration::ZERO));
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        None
    }
}
