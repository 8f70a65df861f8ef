//! Control's side of the link to one decoy process.

use std::collections::BTreeSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use api::{ComponentStatus, HealthBoard};
use base_model::{BootId, Record, SensorId, Sha256Digest};
use base_runtime::Shutdown;
use events_journal::segment;
use events_link::{
    DataSocket, Desired, LINK_VERSION, Link, LinkError, Listening, Receiver, Records, Sender,
    SensorStatus, Socket, ToControl, ToDecoy,
};
use store_ingest::{BlobStore, Unreadable};
use tokio::sync::{mpsc, oneshot, watch};

use super::blobs::{Broken, Incoming, Reply};
use super::ingest::Job;
use super::substrate::{Actual, Wanted};

/// Sockets handed over in one message.
const SOCKETS: usize = 100;
/// How long a decoy process may take to end once it was told to.
const ENDING: Duration = Duration::from_secs(15);
/// How long to wait for what is already stored.
const CURSOR_PATIENCE: Duration = Duration::from_millis(500);
/// Answers that wait to be sent.
const ANSWERS: usize = 64;
/// Pause before content is asked for again that the disk did not take.
const BLOB_RETRY: Duration = Duration::from_secs(1);

/// The link ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the decoy process speaks link version {0}, this build {LINK_VERSION}")]
    Version(u16),
    #[error("the decoy process did not greet")]
    NoGreeting,
    #[error("the ingest is closed")]
    NoIngest,
    #[error("the decoy process sent {0} it was not asked for")]
    Unasked(&'static str),
    #[error("the decoy process breaks the rules of blobs")]
    Blob(#[from] Broken),
}

/// What the intake needs.
pub(crate) struct Intake<'k> {
    pub(crate) wanted: watch::Receiver<Arc<Wanted>>,
    pub(crate) actual: &'k watch::Sender<Actual>,
    pub(crate) ingest: &'k mpsc::Sender<Job>,
    pub(crate) blobs: &'k BlobStore,
    pub(crate) sensor: SensorId,
    pub(crate) health: &'k HealthBoard,
    pub(crate) shutdown: &'k Shutdown,
}

impl Intake<'_> {
    /// Serves one decoy process from its greeting to its end.
    pub(crate) async fn serve(&self, link: Link) -> Result<(), Ended> {
        let (mut tx, mut rx) = link.split();
        let boots = match rx.receive().await? {
            ToControl::Hello { version: LINK_VERSION, boot, backlog } => {
                backlog.into_iter().chain([boot])
            }
            ToControl::Hello { version, .. } => return Err(Ended::Version(version)),
            _ => return Err(Ended::NoGreeting),
        };
        let committed = self.committed(boots).await?;
        tx.send(&ToDecoy::Welcome { version: LINK_VERSION, committed }).await?;
        let (answers, outgoing) = mpsc::channel(ANSWERS);
        tokio::select! {
            ended = self.listen(&mut rx, &answers) => ended,
            ended = self.answer(&mut tx, outgoing) => ended,
        }
    }

    /// What is stored of each run. Only saves sending it again, so a database that takes its time
    /// is not waited for.
    async fn committed(
        &self,
        boots: impl Iterator<Item = BootId>,
    ) -> Result<Vec<(BootId, u64)>, Ended> {
        let mut committed = Vec::new();
        for boot in boots {
            let (stored, through) = oneshot::channel();
            let (records, unreadable) = (Vec::new(), Vec::new());
            let job = Job { sensor: self.sensor, boot, records, unreadable, stored };
            self.ingest.send(job).await.map_err(|_| Ended::NoIngest)?;
            match tokio::time::timeout(CURSOR_PATIENCE, through).await {
                Ok(Ok(seq)) => committed.push((boot, seq)),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok(committed)
    }

    /// Sends the desired state, after the sockets of it that were not sent yet.
    async fn hand_over(
        &self,
        tx: &mut Sender,
        wanted: &Wanted,
        sent: &mut BTreeSet<Socket>,
    ) -> Result<(), Ended> {
        let mut handed: Vec<(Socket, BorrowedFd<'_>)> = Vec::new();
        let mut listening = Vec::with_capacity(wanted.ports.len());
        for bound in &wanted.ports {
            handed.push((bound.number, bound.socket.as_fd()));
            handed.extend(bound.data.iter().map(|(number, one)| (*number, one.socket.as_fd())));
            let data = bound.data.iter();
            listening.push(Listening {
                socket: bound.number,
                decky: bound.decky,
                service: bound.service.clone(),
                local: bound.local,
                data: data
                    .map(|&(socket, ref one)| DataSocket { socket, port: one.port })
                    .collect(),
            });
        }
        let held: BTreeSet<Socket> = handed.iter().map(|(socket, _)| *socket).collect();
        handed.retain(|(socket, _)| !sent.contains(socket));
        for some in handed.chunks(SOCKETS) {
            let sockets = some.iter().map(|(socket, _)| *socket).collect();
            let descriptors: Vec<BorrowedFd<'_>> = some.iter().map(|(_, fd)| *fd).collect();
            tx.send_with(&ToDecoy::Sockets(sockets), &descriptors).await?;
        }
        *sent = held;
        let deckies = wanted.deckies.clone();
        let desired = Desired { generation: wanted.generation, deckies, listening };
        Ok(tx.send(&ToDecoy::Desired(desired)).await?)
    }

    /// Sends what is wanted, answers, and the word to end when the time has come.
    async fn answer(
        &self,
        tx: &mut Sender,
        mut outgoing: mpsc::Receiver<ToDecoy>,
    ) -> Result<(), Ended> {
        let mut told = false;
        let mut sent = BTreeSet::new();
        let mut wanted = self.wanted.clone();
        wanted.mark_changed();
        let deadline = async {
            self.shutdown.asked().await;
            tokio::time::sleep(ENDING).await;
        };
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                answer = outgoing.recv() => match answer {
                    Some(answer) => tx.send(&answer).await?,
                    None => return Ok(()),
                },
                changed = wanted.changed(), if !told => {
                    if changed.is_err() {
                        // Nobody wants anything any more: the end is near.
                        self.shutdown.asked().await;
                        continue;
                    }
                    let now = Arc::clone(&wanted.borrow_and_update());
                    if now.generation > 0 {
                        self.hand_over(tx, &now, &mut sent).await?;
                    }
                }
                () = self.shutdown.asked(), if !told => {
                    told = true;
                    tx.send(&ToDecoy::Shutdown).await?;
                }
                () = &mut deadline => {
                    tracing::warn!("the decoy process took too long to end");
                    return Ok(());
                }
            }
        }
    }

    async fn listen(
        &self,
        rx: &mut Receiver,
        answers: &mpsc::Sender<ToDecoy>,
    ) -> Result<(), Ended> {
        let mut incoming = Incoming::new(self.blobs, self.health);
        loop {
            let message = match rx.receive().await {
                Err(LinkError::Closed) => return Ok(()),
                other => other?,
            };
            match message {
                ToControl::Records(records) => self.take(records, answers).await?,
                ToControl::BlobOffer { sha256, size } => {
                    let reply = incoming.offered(sha256, size)?;
                    answer_blob(sha256, reply, answers).await?;
                }
                ToControl::BlobPart(part) => {
                    // Disk work of at most a piece, on a thread that may wait for it.
                    let reply = tokio::task::block_in_place(|| incoming.part(&part))?;
                    answer_blob(part.sha256, reply, answers).await?;
                }
                ToControl::InForce { generation, refused } => {
                    self.actual.send_replace(Actual::InForce { generation, refused });
                }
                ToControl::Status(status) => self.tell_health(&status),
                ToControl::Hello { .. } => return Err(Ended::Unasked("a second greeting")),
            }
        }
    }

    /// Hands records to the ingest; their acknowledgement follows when they are stored.
    async fn take(&self, records: Records, answers: &mpsc::Sender<ToDecoy>) -> Result<(), Ended> {
        let boot = records.boot;
        let (records, unreadable) = decode(records);
        let (stored, through) = oneshot::channel();
        let job = Job { sensor: self.sensor, boot, records, unreadable, stored };
        self.ingest.send(job).await.map_err(|_| Ended::NoIngest)?;
        let answers = answers.clone();
        tokio::spawn(async move {
            if let Ok(seq) = through.await {
                // A link that is gone sends the same records again.
                drop(answers.send(ToDecoy::Ack { boot, seq }).await);
            }
        });
        Ok(())
    }

    fn tell_health(&self, status: &SensorStatus) {
        let journal = match &status.journal_stalled {
            Some(why) => ComponentStatus::Failing(format!("sessions wait: {why}")),
            None => ComponentStatus::Ok,
        };
        self.health.set("journal", journal);
    }
}

/// Tells the decoy process what becomes of a blob.
async fn answer_blob(
    sha256: Sha256Digest,
    reply: Reply,
    answers: &mpsc::Sender<ToDecoy>,
) -> Result<(), Ended> {
    let answer = match reply {
        Reply::Nothing => return Ok(()),
        Reply::Kept => ToDecoy::BlobKept(sha256),
        Reply::Wanted => ToDecoy::BlobWanted(sha256),
        Reply::WantedLater => {
            let answers = answers.clone();
            tokio::spawn(async move {
                tokio::time::sleep(BLOB_RETRY).await;
                // A link that is gone offers it again.
                drop(answers.send(ToDecoy::BlobWanted(sha256)).await);
            });
            return Ok(());
        }
    };
    Ok(answers.send(answer).await.map_err(|_| LinkError::Closed)?)
}

/// Records from their journal form, and those that are none though they passed their checksum.
fn decode(records: Records) -> (Vec<Record>, Vec<Unreadable>) {
    let mut decoded = Vec::with_capacity(records.payloads.len());
    let mut unreadable = Vec::new();
    for (seq, payload) in (records.first_seq..).zip(records.payloads) {
        let error = match segment::decode(&payload) {
            Ok(record) if record.seq == seq => {
                decoded.push(record);
                continue;
            }
            Ok(record) => format!("it stands at {seq} and says it is {}", record.seq),
            Err(error) => error.to_string(),
        };
        unreadable.push(Unreadable { seq, error, payload: payload.into_vec() });
    }
    (decoded, unreadable)
}

#[cfg(test)]
mod tests {
    use base_model::{Body, RecordingChunk};

    use super::*;

    #[test]
    fn what_cannot_be_read_is_kept_with_its_number() {
        let boot = BootId::from_entropy([1; 16]);
        let payload = |seq| {
            let chunk = RecordingChunk {
                session: base_model::SessionId::from_entropy([2; 16]),
                decky: base_model::DeckyId::from_entropy([3; 16]),
                decky_name: "web-01".into(),
                service: "ssh".into(),
                started: base_model::Timestamp::from_micros(0),
                offset: 0,
                lines: "x".into(),
            };
            let record = Record { seq, blobs: Vec::new(), body: Body::Recording(chunk) };
            let mut frame = Vec::new();
            segment::write_frame(&mut frame, &record).unwrap();
            let segment::Next::Frame(payload, _) = segment::next_frame(&frame) else { panic!() };
            payload.to_vec()
        };
        let sent = [payload(5), b"\0rubbish".to_vec(), payload(9), payload(8)];
        let payloads = sent.iter().cloned().map(Into::into).collect();
        let (records, unreadable) =
            decode(Records { boot, first_seq: 5, last_of_run: false, payloads });
        assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [5, 8]);
        let kept: Vec<_> = unreadable.iter().map(|one| (one.seq, &one.payload)).collect();
        assert_eq!(kept, [(6, &sent[1]), (7, &sent[2])]);
        assert_eq!(unreadable[1].error, "it stands at 7 and says it is 9");
    }
}
