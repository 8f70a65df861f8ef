//! Channels (RFC 4254 §5): numbers, windows both ways, and what waits for them.

use std::collections::{BTreeMap, VecDeque};

use decoys_kit::ssh::Channel;

use super::numbers;
use super::transport::Transport;
use super::wire::Put as _;

/// OpenSSH's window of a session or forwarding.
const WINDOW: u32 = 2 * 1024 * 1024;
/// Its largest packet.
pub(super) const PACKET: u32 = 32 * 1024;
/// Channels of a connection that are not closed by both sides. The session's own limit is far
/// below; a client that never confirms a close meets this one.
const MAX_CHANNELS: usize = 500;
/// Output that waits for a client's window, from which on the channel takes no input.
const FULL: usize = 1024 * 1024;
/// Output that waits for the connection, from which on nothing is added.
const FILLED: usize = 256 * 1024;

/// A part of what goes out on a channel.
#[derive(Debug)]
pub(super) enum Piece {
    Data(Vec<u8>),
    Stderr(Vec<u8>),
    ExitStatus(u32),
    Eof,
    Close,
}

/// What input waits for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Data(Vec<u8>),
    Eof,
}

/// One channel.
#[derive(Debug)]
pub(super) struct Open {
    peer: u32,
    /// What the client takes: bytes yet, and bytes at once.
    window: u32,
    max: usize,
    /// What we take yet.
    room: u32,
    /// Bytes taken that the client does not know of.
    taken: u32,
    /// Replies wanted for the requests that the session has not answered yet, and whether each
    /// starts a program.
    requests: VecDeque<(bool, bool)>,
    output: VecDeque<Piece>,
    /// Bytes of the first piece that are sent.
    begun: usize,
    waiting: usize,
    /// The session knows that much waits.
    full: bool,
    input: Vec<u8>,
    /// The client's input has ended, and the session knows.
    ended: bool,
    told: bool,
    confirmed: bool,
    close_sent: bool,
    close_received: bool,
}

/// The channels of a connection.
#[derive(Debug, Default)]
pub(super) struct Channels(BTreeMap<u32, Open>);

/// A client that does not keep to a channel's rules; the connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overflow;

impl Channels {
    /// A number for a channel that the client calls `peer`; none when there are too many.
    pub(super) fn open(
        &mut self,
        peer: u32,
        window: u32,
        max: u32,
        session: bool,
    ) -> Option<Channel> {
        if self.0.len() >= MAX_CHANNELS {
            return None;
        }
        let number = (0_u32..).zip(self.0.keys()).find(|(free, used)| free != *used);
        let number =
            number.map_or(u32::try_from(self.0.len()).unwrap_or(u32::MAX), |(free, _)| free);
        let open = Open {
            peer,
            window,
            max: max.min(PACKET) as usize,
            // A session takes input from when its program starts, as in OpenSSH.
            room: if session { 0 } else { WINDOW },
            taken: 0,
            requests: VecDeque::new(),
            output: VecDeque::new(),
            begun: 0,
            waiting: 0,
            full: false,
            input: Vec::new(),
            ended: false,
            told: false,
            confirmed: false,
            close_sent: false,
            close_received: false,
        };
        self.0.insert(number, open);
        Some(Channel(number))
    }

    /// The channel, if the client may use it.
    pub(super) fn get(&mut self, channel: Channel) -> Option<&mut Open> {
        self.0.get_mut(&channel.0).filter(|open| open.confirmed && !open.close_received)
    }

    /// Answers an open.
    pub(super) fn confirm(&mut self, channel: Channel, accepted: bool, transport: &mut Transport) {
        let Some(open) = self.0.get_mut(&channel.0).filter(|open| !open.confirmed) else { return };
        if accepted {
            open.confirmed = true;
            let mut message = vec![numbers::CHANNEL_OPEN_CONFIRMATION];
            for value in [open.peer, channel.0, open.room, PACKET] {
                message.put_u32(value);
            }
            transport.send(&message);
        } else {
            let peer = open.peer;
            self.0.remove(&channel.0);
            transport.send(&refusal(peer));
        }
    }

    /// Answers the oldest request.
    pub(super) fn answer(&mut self, channel: Channel, accepted: bool, transport: &mut Transport) {
        let Some(open) = self.0.get_mut(&channel.0) else { return };
        let Some((wanted, starts)) = open.requests.pop_front() else { return };
        if accepted && starts && open.room == 0 && !open.close_sent {
            open.room = WINDOW;
            let mut message = vec![numbers::CHANNEL_WINDOW_ADJUST];
            message.put_u32(open.peer);
            message.put_u32(WINDOW);
            transport.send(&message);
        }
        if wanted && !open.close_sent {
            let kind = if accepted { numbers::CHANNEL_SUCCESS } else { numbers::CHANNEL_FAILURE };
            transport.send(&open.message(kind));
        }
    }

    /// Adds output.
    pub(super) fn put(&mut self, channel: Channel, piece: Piece) {
        if let Some(open) = self.0.get_mut(&channel.0) {
            open.waiting += piece.size();
            open.output.push_back(piece);
        }
    }

    /// Sends what windows and the connection take, one packet of each channel in turn.
    pub(super) fn flush(&mut self, transport: &mut Transport) {
        let mut moved = true;
        while moved && !transport.is_exchanging() {
            moved = false;
            for open in self.0.values_mut() {
                if transport.output().len() > FILLED || transport.is_exchanging() {
                    return;
                }
                moved |= open.send_one(transport);
            }
            self.0.retain(|_, open| !(open.close_sent && open.close_received));
        }
    }

    /// Input that can be given to the session; what is taken counts for the client's window.
    pub(super) fn next_input(&mut self, transport: &mut Transport) -> Option<(Channel, Input)> {
        for (number, open) in &mut self.0 {
            if open.full || open.close_received {
                continue;
            }
            if !open.input.is_empty() {
                let input = std::mem::take(&mut open.input);
                open.take(input.len(), transport);
                return Some((Channel(*number), Input::Data(input)));
            }
            if open.ended && !std::mem::replace(&mut open.told, true) {
                return Some((Channel(*number), Input::Eof));
            }
        }
        None
    }

    /// The client closed `channel` and the session knows.
    pub(super) fn gone(&mut self, channel: Channel, transport: &mut Transport) {
        let Some(open) = self.0.remove(&channel.0) else { return };
        if !open.close_sent {
            transport.send(&open.message(numbers::CHANNEL_CLOSE));
        }
    }

    /// A channel on which much began to wait, or does not any more.
    pub(super) fn next_full(&mut self) -> Option<(Channel, bool)> {
        self.0.iter_mut().find_map(|(number, open)| {
            let full = if open.full { open.waiting > FULL / 2 } else { open.waiting > FULL };
            (std::mem::replace(&mut open.full, full) != full).then_some((Channel(*number), full))
        })
    }

    /// Bytes that wait for windows, and input that waits for them.
    pub(super) fn waiting(&self) -> usize {
        self.0.values().map(|open| open.waiting + open.input.len()).sum()
    }
}

impl Open {
    /// A request came; `reply` when the client wants an answer.
    pub(super) fn requested(&mut self, reply: bool, starts: bool) {
        self.requests.push_back((reply, starts));
    }

    /// Requests that are not answered.
    pub(super) fn pending(&self) -> usize {
        self.requests.len()
    }

    /// Takes data. OpenSSH ignores what is too large, or more than a little beyond the window.
    pub(super) fn data(&mut self, bytes: &[u8]) -> Result<(), Overflow> {
        let Ok(length) = u32::try_from(bytes.len()) else { return Err(Overflow) };
        if length > PACKET || self.room == 0 && self.taken == 0 && self.input.is_empty() {
            return Ok(());
        }
        self.room = self.room.checked_sub(length).ok_or(Overflow)?;
        if !self.ended {
            self.input.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// No more data will come.
    pub(super) const fn end_of_input(&mut self) {
        self.ended = true;
    }

    /// The client takes `more` bytes.
    pub(super) fn widen(&mut self, more: u32) -> Result<(), Overflow> {
        self.window = self.window.checked_add(more).ok_or(Overflow)?;
        Ok(())
    }

    /// The client closed the channel: nothing more is exchanged on it.
    pub(super) fn close(&mut self) {
        self.close_received = true;
        self.input = Vec::new();
        self.output.clear();
        self.waiting = 0;
    }

    /// The program took `count` bytes. The client learns of it as OpenSSH's would.
    fn take(&mut self, count: usize, transport: &mut Transport) {
        self.taken = self.taken.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if WINDOW - self.room.min(WINDOW) > 3 * PACKET || self.room < WINDOW / 2 {
            let mut message = vec![numbers::CHANNEL_WINDOW_ADJUST];
            message.put_u32(self.peer);
            message.put_u32(self.taken);
            self.room = self.room.saturating_add(self.taken);
            self.taken = 0;
            if !self.close_sent {
                transport.send(&message);
            }
        }
    }

    /// Sends the next packet; whether there was one.
    fn send_one(&mut self, transport: &mut Transport) -> bool {
        let (kind, bytes) = match self.output.front() {
            None => return false,
            Some(Piece::Data(bytes)) => (numbers::CHANNEL_DATA, bytes),
            Some(Piece::Stderr(bytes)) => (numbers::CHANNEL_EXTENDED_DATA, bytes),
            Some(Piece::ExitStatus(status)) => {
                let mut message = self.message(numbers::CHANNEL_REQUEST);
                message.put_string(b"exit-status");
                message.put_bool(false);
                message.put_u32(*status);
                return self.pass(&message, transport);
            }
            Some(Piece::Eof) => {
                let message = self.message(numbers::CHANNEL_EOF);
                return self.pass(&message, transport);
            }
            Some(Piece::Close) => {
                let message = self.message(numbers::CHANNEL_CLOSE);
                let passed = self.pass(&message, transport);
                self.close_sent = true;
                self.output.clear();
                self.waiting = 0;
                return passed;
            }
        };
        let rest = bytes.get(self.begun..).unwrap_or_default();
        let count = rest.len().min(self.max).min(self.window as usize);
        let Some(part) = rest.get(..count).filter(|part| !part.is_empty()) else {
            if rest.is_empty() {
                self.output.pop_front();
                self.begun = 0;
                return true;
            }
            return false;
        };
        let mut message = Vec::with_capacity(count + 16);
        message.push(kind);
        message.put_u32(self.peer);
        if kind == numbers::CHANNEL_EXTENDED_DATA {
            message.put_u32(numbers::STDERR);
        }
        message.put_string(part);
        let done = count == rest.len();
        self.begun = if done { 0 } else { self.begun + count };
        self.window = self.window.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        self.waiting = self.waiting.saturating_sub(count);
        if done {
            self.output.pop_front();
        }
        if !self.close_sent {
            transport.send(&message);
        }
        true
    }

    fn pass(&mut self, message: &[u8], transport: &mut Transport) -> bool {
        self.output.pop_front();
        if !self.close_sent {
            transport.send(message);
        }
        true
    }

    fn message(&self, kind: u8) -> Vec<u8> {
        let mut message = Vec::with_capacity(32);
        message.push(kind);
        message.put_u32(self.peer);
        message
    }
}

impl Piece {
    const fn size(&self) -> usize {
        match self {
            Self::Data(bytes) | Self::Stderr(bytes) => bytes.len(),
            Self::ExitStatus(_) | Self::Eof | Self::Close => 0,
        }
    }
}

/// What a client gets whose channel `peer` is not opened.
pub(super) fn refusal(peer: u32) -> Vec<u8> {
    let mut message = vec![numbers::CHANNEL_OPEN_FAILURE];
    message.put_u32(peer);
    message.put_u32(numbers::CONNECT_FAILED);
    message.put_string(b"open failed");
    message.put_string(b"");
    message
}
