//! The daemon that is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use e2e::{Decky, Decnet, Options};
use serde_json::Value;

use crate::process::{self, Cpu};

/// The API's own figure is at most this old.
const LOOK: Duration = Duration::from_millis(1100);
/// Longest wait for everything to be stored.
const PATIENCE: Duration = Duration::from_secs(180);
/// Rows of a page.
const PAGE: usize = 1000;

/// How often each kind of event is stored for a session.
pub(crate) type Kinds = BTreeMap<String, u64>;

/// Processor time of both processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    control: Cpu,
    decoy: Cpu,
}

/// A running daemon.
pub(crate) struct Subject {
    decnet: Decnet,
    control: u32,
    decoy: u32,
    /// From the start of the process until everything answered.
    pub(crate) ready_after: Duration,
}

impl Subject {
    /// One with `deckies` deckies, each with the services that are measured.
    pub(crate) fn start(deckies: usize) -> anyhow::Result<Self> {
        Self::with(deckies, "ssh,http,https")
    }

    /// One with `deckies` deckies with `services`.
    pub(crate) fn with(deckies: usize, services: &str) -> anyhow::Result<Self> {
        // Built before the clock runs.
        e2e::binary();
        let begun = Instant::now();
        let more = vec!["--services".to_owned(), services.to_owned()];
        let decnet = Decnet::start(Options { deckies: Some(deckies), more, ..Options::default() });
        let ready_after = begun.elapsed();
        let control = decnet.control_pid();
        let decoy = decnet.decoy_pid().context("there is no decoy process")?;
        Ok(Self { decnet, control, decoy, ready_after })
    }

    pub(crate) fn decky(&self) -> Decky {
        self.decnet.decky()
    }

    pub(crate) fn endpoint(&self, service: &str) -> anyhow::Result<SocketAddr> {
        let (address, port) = self.decky().endpoint(service);
        Ok(SocketAddr::new(address.parse()?, port))
    }

    /// Where each decky's `service` is reached.
    pub(crate) fn endpoints(&self, service: &str) -> anyhow::Result<Vec<SocketAddr>> {
        let endpoint = |decky: Decky| {
            let (address, port) = decky.endpoint(service);
            Ok(SocketAddr::new(address.parse()?, port))
        };
        self.decnet.deckies().into_iter().map(endpoint).collect()
    }

    pub(crate) fn spent(&self) -> anyhow::Result<Spent> {
        Ok(Spent { control: Cpu::of(self.control)?, decoy: Cpu::of(self.decoy)? })
    }

    /// Memory of control and of the decoy process, in MB.
    pub(crate) fn memory(&self) -> anyhow::Result<(f64, f64)> {
        Ok((process::memory(self.control)?, process::memory(self.decoy)?))
    }

    /// Waits until no more events come in. Returns how many there are.
    pub(crate) fn settle(&mut self) -> anyhow::Result<u64> {
        let begun = Instant::now();
        let mut last = None;
        loop {
            let total = self.decnet.api("/stats").get("total_logs").and_then(Value::as_u64);
            let total = total.context("the API's figures lack `total_logs`")?;
            if last == Some(total) {
                return Ok(total);
            }
            ensure!(begun.elapsed() < PATIENCE, "events keep coming in; {total} so far");
            last = Some(total);
            thread::sleep(LOOK);
        }
    }

    /// Every session of `service` that is stored, with its kinds of events.
    pub(crate) fn sessions(&mut self, service: &str) -> anyhow::Result<BTreeMap<String, Kinds>> {
        let mut sessions: BTreeMap<String, Kinds> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/logs?limit={PAGE}&search=service:{service}{cursor}");
            let page = self.decnet.api(&path);
            let rows = page.get("data").and_then(Value::as_array);
            for row in rows.context("the API's page has no rows")? {
                let text = |name: &str| row.get(name)?.as_str().map(str::to_owned);
                let uid = text("event_uid").context("an event without id")?;
                ensure!(seen.insert(uid), "an event is listed twice");
                let (Some(session), Some(kind)) = (text("session_id"), text("event_type")) else {
                    continue;
                };
                *sessions.entry(session).or_default().entry(kind).or_default() += 1;
            }
            let Some(Value::String(next)) = page.get("next_cursor") else { return Ok(sessions) };
            cursor = format!("&cursor={next}");
        }
    }

    /// How long a command takes against it.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<Duration> {
        let mut command = Command::new(e2e::binary());
        command.args(arguments).arg("--state-dir").arg(self.decnet.state_dir());
        let begun = Instant::now();
        let output = command.output().context("the command does not start")?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {told}");
        Ok(begun.elapsed())
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        if !self.decnet.stop() {
            bail!("decnet did not end in order:\n{}", self.decnet.diagnostics());
        }
        Ok(())
    }
}

impl Spent {
    /// Time of control and of the decoy process since `before`, in milliseconds per `count`.
    pub(crate) fn per(self, before: Self, count: usize) -> (f64, f64) {
        let each = |spent: Duration| spent.as_secs_f64() * 1e3 / count.max(1) as f64;
        (each(self.control.since(before.control)), each(self.decoy.since(before.decoy)))
    }
}
