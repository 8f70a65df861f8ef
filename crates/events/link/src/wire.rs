//! Frames over a Unix stream socket: `length:u32le MessagePack`, with descriptors beside them.
//!
//! A message that carries descriptors is sent in one `sendmsg` of its own, so they arrive no later
//! than its first byte and in order; the receiver queues them and the message says how many are its.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Longest message. Records travel in batches below this.
pub(crate) const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Most descriptors of one message; the kernel allows 253.
pub(crate) const MAX_DESCRIPTORS: usize = 128;
/// Descriptors that may wait for their message.
const MAX_QUEUED: usize = 2 * MAX_DESCRIPTORS;
/// Bytes read at once.
const READ: usize = 64 * 1024;

/// The link failed; it cannot be used any more.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The other side is gone.
    #[error("the other side of the link is gone")]
    Closed,
    /// The socket failed.
    #[error("failed to use the link")]
    Io(#[from] io::Error),
    /// A message is longer than allowed.
    #[error("link message of {0} bytes exceeds the limit of {MAX_MESSAGE}")]
    TooLong(usize),
    /// More descriptors than a message may carry.
    #[error("{0} descriptors exceed the limit of {MAX_DESCRIPTORS} a message")]
    TooManyDescriptors(usize),
    /// A message promised descriptors that did not come.
    #[error("link message came without its descriptors")]
    NoDescriptors,
    /// Not a message of this version.
    #[error("failed to decode link message")]
    Decode(#[from] rmp_serde::decode::Error),
    /// Not encodable; a bug of ours.
    #[error("failed to encode link message")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// One end of a link.
#[derive(Debug)]
pub struct Link(UnixStream);

impl Link {
    /// Takes over one end of a socket pair. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the socket cannot be made non-blocking.
    pub fn new(end: OwnedFd) -> io::Result<Self> {
        let end = StdUnixStream::from(end);
        end.set_nonblocking(true)?;
        Ok(Self(UnixStream::from_std(end)?))
    }

    /// The two directions.
    #[must_use]
    pub fn split(self) -> (Sender, Receiver) {
        let stream = Arc::new(self.0);
        let sender = Sender { stream: Arc::clone(&stream), buffer: Vec::new() };
        (sender, Receiver { stream, buffer: Vec::new(), descriptors: VecDeque::new() })
    }
}

/// The sending direction.
#[derive(Debug)]
pub struct Sender {
    stream: Arc<UnixStream>,
    buffer: Vec<u8>,
}

impl Sender {
    /// Sends `message`.
    ///
    /// # Errors
    /// When the link is of no use any more.
    pub async fn send(&mut self, message: &impl Serialize) -> Result<(), LinkError> {
        self.send_with(message, &[]).await
    }

    /// Sends `message` with `descriptors`; the other side gets copies.
    ///
    /// # Errors
    /// When the link is of no use any more.
    pub async fn send_with(
        &mut self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), LinkError> {
        if descriptors.len() > MAX_DESCRIPTORS {
            return Err(LinkError::TooManyDescriptors(descriptors.len()));
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(&[0; 4]);
        rmp_serde::encode::write_named(&mut self.buffer, message)?;
        let length = self.buffer.len() - 4;
        if length > MAX_MESSAGE {
            return Err(LinkError::TooLong(length));
        }
        if let Some(head) = self.buffer.first_chunk_mut::<4>() {
            *head = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        }
        let mut sent = 0;
        while let Some(rest) = self.buffer.get(sent..).filter(|rest| !rest.is_empty()) {
            let beside = if sent == 0 { descriptors } else { &[] };
            let io = || send_once(self.stream.as_fd(), rest, beside);
            sent += self.stream.async_io(Interest::WRITABLE, io).await.map_err(closed)?;
        }
        Ok(())
    }
}

fn send_once(socket: BorrowedFd<'_>, bytes: &[u8], beside: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !beside.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(beside));
    }
    Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL)?)
}

/// The receiving direction.
#[derive(Debug)]
pub struct Receiver {
    stream: Arc<UnixStream>,
    buffer: Vec<u8>,
    descriptors: VecDeque<OwnedFd>,
}

impl Receiver {
    /// The next message. Cancel-safe.
    ///
    /// # Errors
    /// [`LinkError::Closed`] when the other side is gone.
    pub async fn receive<M: DeserializeOwned>(&mut self) -> Result<M, LinkError> {
        loop {
            if let Some((head, rest)) = self.buffer.split_first_chunk::<4>() {
                let length = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
                if length > MAX_MESSAGE {
                    return Err(LinkError::TooLong(length));
                }
                if let Some(body) = rest.get(..length) {
                    let message = rmp_serde::from_slice(body);
                    self.buffer.drain(..4 + length);
                    return Ok(message?);
                }
            }
            self.fill().await?;
        }
    }

    /// The next `count` descriptors, which came with the last message.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take_descriptors(&mut self, count: usize) -> Result<Vec<OwnedFd>, LinkError> {
        if count > self.descriptors.len() {
            return Err(LinkError::NoDescriptors);
        }
        Ok(self.descriptors.drain(..count).collect())
    }

    async fn fill(&mut self) -> Result<(), LinkError> {
        let (buffer, descriptors) = (&mut self.buffer, &mut self.descriptors);
        let io = || receive_once(self.stream.as_fd(), buffer, descriptors);
        let count = self.stream.async_io(Interest::READABLE, io).await.map_err(closed)?;
        if count == 0 {
            return Err(LinkError::Closed);
        }
        if self.descriptors.len() > MAX_QUEUED {
            return Err(LinkError::TooManyDescriptors(self.descriptors.len()));
        }
        Ok(())
    }
}

fn receive_once(
    socket: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    descriptors: &mut VecDeque<OwnedFd>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let filled = buffer.len();
    buffer.resize(filled + READ, 0);
    let free = buffer.get_mut(filled..).unwrap_or_default();
    let received =
        recvmsg(socket, &mut [IoSliceMut::new(free)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
    buffer.truncate(filled + received.as_ref().map_or(0, |message| message.bytes));
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            descriptors.extend(received);
        }
    }
    Ok(received?.bytes)
}

fn closed(error: io::Error) -> LinkError {
    match error.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => LinkError::Closed,
        _ => LinkError::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use base_model::BootId;
    use serde_bytes::ByteBuf;

    use super::*;
    use crate::message::{Records, Socket, ToControl, ToDecoy};

    fn pair() -> (Link, Link) {
        let (a, b) = StdUnixStream::pair().unwrap();
        (Link::new(a.into()).unwrap(), Link::new(b.into()).unwrap())
    }

    fn records(count: usize, size: usize) -> ToControl {
        ToControl::Records(Records {
            boot: BootId::from_entropy([1; 16]),
            first_seq: 1,
            last_of_run: false,
            payloads: vec![ByteBuf::from(vec![7; size]); count],
        })
    }

    #[tokio::test]
    async fn large_messages_arrive_whole_and_in_order() {
        let (a, b) = pair();
        let (mut tx, _) = a.split();
        let (_keep, mut rx) = b.split();
        let sending = tokio::spawn(async move {
            for size in [1, 100, 300_000] {
                tx.send(&records(3, size)).await.unwrap();
            }
        });
        for size in [1, 100, 300_000] {
            assert_eq!(rx.receive::<ToControl>().await.unwrap(), records(3, size));
        }
        sending.await.unwrap();
        assert!(matches!(rx.receive::<ToControl>().await, Err(LinkError::Closed)));
    }

    #[tokio::test]
    async fn descriptors_belong_to_the_message_they_were_sent_with() {
        let (a, b) = pair();
        let (mut tx, _keep) = a.split();
        let (_keep2, mut rx) = b.split();
        let (mut near, far) = StdUnixStream::pair().unwrap();
        let (_other, unused) = StdUnixStream::pair().unwrap();
        tx.send(&ToDecoy::Shutdown).await.unwrap();
        tx.send_with(&ToDecoy::Sockets(vec![Socket(1)]), &[far.as_fd()]).await.unwrap();
        tx.send_with(&ToDecoy::Sockets(vec![Socket(2)]), &[unused.as_fd()]).await.unwrap();
        assert_eq!(rx.receive::<ToDecoy>().await.unwrap(), ToDecoy::Shutdown);
        assert_eq!(rx.receive::<ToDecoy>().await.unwrap(), ToDecoy::Sockets(vec![Socket(1)]));
        let far = rx.take_descriptors(1).unwrap().remove(0);
        near.write_all(b"hi").unwrap();
        let mut text = [0; 2];
        StdUnixStream::from(far).read_exact(&mut text).unwrap();
        assert_eq!(&text, b"hi");
    }

    #[tokio::test]
    async fn a_length_beyond_the_limit_ends_the_link_without_allocating_it() {
        let (near, far) = StdUnixStream::pair().unwrap();
        let (_tx, mut rx) = Link::new(far.into()).unwrap().split();
        (&near).write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert!(matches!(rx.receive::<ToDecoy>().await, Err(LinkError::TooLong(_))));
    }

    #[tokio::test]
    async fn promised_descriptors_that_did_not_come_are_an_error() {
        let (a, b) = pair();
        let (mut tx, _keep) = a.split();
        let (_keep2, mut rx) = b.split();
        tx.send(&ToDecoy::Sockets(vec![Socket(1)])).await.unwrap();
        rx.receive::<ToDecoy>().await.unwrap();
        assert!(matches!(rx.take_descriptors(1), Err(LinkError::NoDescriptors)));
    }
}
