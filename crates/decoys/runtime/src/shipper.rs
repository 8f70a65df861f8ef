//! Ships the journal to control, oldest first, and forgets what control acknowledged.
//!
//! Records of earlier runs go before those of this one. A record that names a blob waits until
//! control has the blob. What is under way is bounded, so a slow control slows shipping only.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use base_model::{BootId, Sha256Digest};
use events_journal::{Batch, State, segment, shelf::Position};
use events_link::{BlobPart, LinkError, Records, Sender, ToControl};
use serde_bytes::ByteBuf;
use tokio::sync::{mpsc, watch};
use tokio::time::Interval;

use crate::sensor::Sensor;

/// Bytes of records in one message.
const BATCH: usize = 512 * 1024;
/// Record messages that may wait for their acknowledgement.
const UNDER_WAY: usize = 8;
/// Piece of a blob (design §2).
const PIECE: usize = 256 * 1024;
/// How long a durable record waits for company before it is shipped: nobody who attacks waits for
/// control, and a transaction costs it far more than a row.
const COMPANY: Duration = Duration::from_millis(50);
/// How often the process says how it is.
pub(crate) const STATUS: Duration = Duration::from_secs(2);
/// How often backlog segments are asked for again while nothing is new.
const IDLE: Duration = Duration::from_millis(200);

/// What control said that concerns shipping.
#[derive(Debug)]
pub(crate) enum News {
    /// Committed up to here.
    Ack(BootId, u64),
    /// Send this blob.
    Wanted(Sha256Digest),
    /// This blob is safe.
    Kept(Sha256Digest),
    /// Desired state of this generation is in force.
    InForce(ToControl),
}

/// Shipping failed for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShipError {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("failed to read the journal")]
    Disk(#[from] std::io::Error),
}

pub(crate) struct Shipper {
    pub(crate) sensor: Arc<Sensor>,
    pub(crate) link: Sender,
    pub(crate) news: mpsc::Receiver<News>,
    /// Runs whose records go first, then this run.
    pub(crate) boots: VecDeque<(BootId, u64)>,
    /// Last records of the messages under way.
    pub(crate) under_way: VecDeque<(BootId, u64)>,
    /// Blobs control is known to have.
    pub(crate) kept: BTreeSet<Sha256Digest>,
    /// When to say how the process is.
    pub(crate) status: Interval,
    /// Changes when the journal stalls, which is told at once.
    pub(crate) stalled: watch::Receiver<State>,
}

impl Shipper {
    /// Ships until the link ends, or until everything is acknowledged once the journal is closed.
    pub(crate) async fn run(mut self) -> Result<(), ShipError> {
        while let Some((boot, committed)) = self.boots.pop_front() {
            if boot == self.sensor.boot {
                return self.ship_this_run(committed).await;
            }
            self.ship_earlier_run(boot, committed).await?;
        }
        Ok(())
    }

    async fn ship_earlier_run(&mut self, boot: BootId, committed: u64) -> Result<(), ShipError> {
        let mut position = Position::after(boot, committed);
        while let Some(batch) = self.sensor.shelf.read(&mut position, BATCH)? {
            self.send(batch, true).await?;
        }
        while !self.under_way.is_empty() {
            self.hear().await?;
        }
        self.forget(boot, position.seq, true)?;
        Ok(())
    }

    async fn ship_this_run(&mut self, committed: u64) -> Result<(), ShipError> {
        let boot = self.sensor.boot;
        let mut position = Position::after(boot, committed);
        let mut durable = self.sensor.journal.durable_seq();
        loop {
            while let Some(batch) = self.sensor.shelf.read(&mut position, BATCH)? {
                self.send(batch, false).await?;
            }
            tokio::select! {
                grown = durable.changed() => {
                    if grown.is_err() {
                        // The journal is closed: ship its end and be done.
                        while let Some(batch) = self.sensor.shelf.read(&mut position, BATCH)? {
                            self.send(batch, false).await?;
                        }
                        while !self.under_way.is_empty() {
                            self.hear().await?;
                        }
                        return Ok(self.forget(boot, position.seq, true)?);
                    }
                    tokio::time::sleep(COMPANY).await;
                },
                news = self.news.recv() => self.learn(news).await?,
                _ = self.status.tick() => self.tell_status().await?,
                // The sender going away only ends this branch.
                Ok(()) = self.stalled.changed() => self.tell_status().await?,
                () = tokio::time::sleep(IDLE), if !self.under_way.is_empty() => {}
            }
        }
    }

    async fn tell_status(&mut self) -> Result<(), LinkError> {
        self.link.send(&ToControl::Status(self.sensor.status())).await
    }

    async fn send(&mut self, batch: Batch, earlier: bool) -> Result<(), ShipError> {
        for payload in &batch.payloads {
            let named = segment::split_payload(payload).map(|(blobs, _)| blobs);
            for blob in named.unwrap_or_default() {
                self.send_blob(blob).await?;
            }
        }
        while self.under_way.len() >= UNDER_WAY {
            self.hear().await?;
        }
        self.under_way.push_back((batch.boot, batch.last_seq()));
        let records = Records {
            boot: batch.boot,
            first_seq: batch.first_seq,
            last_of_run: earlier,
            payloads: batch.payloads.into_iter().map(ByteBuf::from).collect(),
        };
        Ok(self.link.send(&ToControl::Records(records)).await?)
    }

    /// Sees to it that control has `blob`.
    async fn send_blob(&mut self, blob: Sha256Digest) -> Result<(), ShipError> {
        if self.kept.contains(&blob) {
            return Ok(());
        }
        let Some(size) = self.sensor.spool.size(blob) else {
            // Acknowledged before, with an earlier record that named it.
            return Ok(());
        };
        self.link.send(&ToControl::BlobOffer { sha256: blob, size }).await?;
        while !self.kept.contains(&blob) {
            self.hear().await?;
        }
        Ok(())
    }

    /// Waits for control to say something. It may be long in coming, when its disk is full as well;
    /// how this process is must be known meanwhile.
    async fn hear(&mut self) -> Result<(), ShipError> {
        loop {
            tokio::select! {
                news = self.news.recv() => return self.learn(news).await,
                _ = self.status.tick() => self.tell_status().await?,
                Ok(()) = self.stalled.changed() => self.tell_status().await?,
            }
        }
    }

    async fn learn(&mut self, news: Option<News>) -> Result<(), ShipError> {
        match news.ok_or(LinkError::Closed)? {
            News::Ack(boot, seq) => {
                while self.under_way.front().is_some_and(|front| *front <= (boot, seq)) {
                    self.under_way.pop_front();
                }
                self.under_way.retain(|(of, last)| *of != boot || *last > seq);
                self.forget(boot, seq, false)?;
            }
            News::Kept(blob) => {
                self.kept.insert(blob);
            }
            News::Wanted(blob) => {
                let size = self.sensor.spool.size(blob).unwrap_or(0);
                let mut offset = 0;
                while offset < size {
                    let bytes = self.sensor.spool.read(blob, offset, PIECE)?;
                    let length = bytes.len() as u64;
                    let part = BlobPart { sha256: blob, offset, bytes: ByteBuf::from(bytes) };
                    self.link.send(&ToControl::BlobPart(part)).await?;
                    if length == 0 {
                        break;
                    }
                    offset += length;
                }
            }
            News::InForce(message) => self.link.send(&message).await?,
        }
        Ok(())
    }

    fn forget(&mut self, boot: BootId, seq: u64, ended: bool) -> std::io::Result<()> {
        self.sensor.shelf.acknowledge(boot, seq, ended)?;
        self.sensor.spool.acknowledge(boot, seq)?;
        let spool = &self.sensor.spool;
        self.kept.retain(|blob| spool.size(*blob).is_some());
        Ok(())
    }
}
