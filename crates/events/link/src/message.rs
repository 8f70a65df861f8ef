//! What the two sides say.

use std::fmt;

use base_model::{BootId, Decky, DeckyId, Peer, Sha256Digest};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// The version both sides must speak.
pub const LINK_VERSION: u16 = 1;

/// From the decoy process.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum ToControl {
    /// First message: who this is, and which runs still have records on its disk.
    Hello {
        /// [`LINK_VERSION`].
        version: u16,
        /// This run.
        boot: BootId,
        /// Earlier runs, whose records come first.
        backlog: Vec<BootId>,
    },
    /// Records in order; answered by [`ToDecoy::Ack`] once committed.
    Records(Records),
    /// A record to come names this blob; answered by `BlobWanted` or `BlobKept`.
    BlobOffer {
        /// Its digest.
        sha256: Sha256Digest,
        /// Its size.
        size: u64,
    },
    /// A piece of a wanted blob; the last is answered by `BlobKept`.
    BlobPart(BlobPart),
    /// Desired state of this generation is in force; these listeners could not be served.
    InForce {
        /// The generation.
        generation: u64,
        /// Services that this build does not have, with their decky.
        refused: Vec<(DeckyId, String)>,
    },
    /// How the decoy process is, every few seconds and when something changes.
    Status(SensorStatus),
}

/// From control.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum ToDecoy {
    /// Answers `Hello`: what is already committed of each run it named.
    Welcome {
        /// [`LINK_VERSION`].
        version: u16,
        /// Run and last committed record.
        committed: Vec<(BootId, u64)>,
    },
    /// Everything of `boot` up to `seq` is committed.
    Ack {
        /// The run.
        boot: BootId,
        /// The last committed record.
        seq: u64,
    },
    /// The offered blob is not here yet.
    BlobWanted(Sha256Digest),
    /// The blob is stored for good.
    BlobKept(Sha256Digest),
    /// The descriptors sent with this message are these listening sockets.
    Sockets(Vec<Socket>),
    /// The state to bring about.
    Desired(Desired),
    /// End: stop listening, write what is open, send the rest, close.
    Shutdown,
}

/// Consecutive records, as the journal encodes them.
#[derive(PartialEq, Serialize, Deserialize)]
pub struct Records {
    /// The run.
    pub boot: BootId,
    /// Sequence number of the first.
    pub first_seq: u64,
    /// Whether the run is over and this is its end.
    pub last_of_run: bool,
    /// Journal payloads.
    pub payloads: Vec<ByteBuf>,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.payloads.len();
        write!(f, "Records({}, {} + {count})", self.boot, self.first_seq)
    }
}

/// A piece of a blob.
#[derive(PartialEq, Serialize, Deserialize)]
pub struct BlobPart {
    /// The blob.
    pub sha256: Sha256Digest,
    /// Where the piece belongs.
    pub offset: u64,
    /// The piece, at most 256 KiB.
    pub bytes: ByteBuf,
}

impl fmt::Debug for BlobPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobPart({}, {} + {})", self.sha256, self.offset, self.bytes.len())
    }
}

/// The whole state a decoy process is to bring about. Idempotent; a higher generation replaces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Desired {
    /// Grows with every change.
    pub generation: u64,
    /// All deckies.
    pub deckies: Vec<Decky>,
    /// Which socket serves what.
    pub listening: Vec<Listening>,
}

/// A listening socket by the number its keeper gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Socket(pub u32);

/// One port of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listening {
    /// The socket, handed over before.
    pub socket: Socket,
    /// The decky.
    pub decky: DeckyId,
    /// The service.
    pub service: String,
    /// Address and port the decky claims.
    pub local: Peer,
    /// Ports for data connections.
    #[serde(default)]
    pub data: Vec<DataSocket>,
}

/// A port for data connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSocket {
    /// The socket, handed over before.
    pub socket: Socket,
    /// Its port.
    pub port: u16,
}

/// How a decoy process is. Counters count from its start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorStatus {
    /// Connections open.
    pub connections: u64,
    /// Connections refused at a limit.
    pub refused: u64,
    /// Sessions ended by a panic of ours.
    pub panics: u64,
    /// Why the journal does not write, if it does not.
    pub journal_stalled: Option<String>,
    /// Bytes of records that control has not acknowledged.
    pub journal_bytes: u64,
    /// What isolates the process, as the sandbox reports it.
    pub sandbox: Vec<String>,
}
