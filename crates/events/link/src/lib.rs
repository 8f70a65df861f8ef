//! The socket pair between a decoy process and its keeper.
//!
//! Four bounded message families travel here, each way one enum: records and blobs up with their
//! acknowledgements down, desired state down with descriptors beside it, and the decoy process's
//! own health up. [`Link`] frames and bounds them; neither side trusts the other's lengths.
//!
//! Start with [`message`].

pub mod message;
mod wire;

pub use message::{
    BlobPart, DataSocket, Desired, LINK_VERSION, Listening, Records, SensorStatus, Socket,
    ToControl, ToDecoy,
};
pub use wire::{Link, LinkError, Receiver, Sender};
