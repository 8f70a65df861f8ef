//! The transport layer (RFC 4253) as a state machine without I/O: key exchange, rekeying, and the
//! messages that belong to nobody above.
//!
//! [`Transport::next`] gives what the layer above must handle; [`Transport::send`] takes what it
//! answers, and holds that back while keys are exchanged. Faults end as in OpenSSH's server, which
//! mostly closes without a word.

mod exchange;

use std::borrow::Cow;
use std::collections::VecDeque;

use chacha20::ChaCha12Rng;
use decoys_kit::ssh::ClientLists;

use super::kex::Method;
use super::keys::HostKeys;
use super::numbers::{self, PROTOCOL_ERROR};
use super::offer::Offer;
use super::packet::{Inbound, Outbound};
use super::wire::{Malformed, Put as _, Reader};
use exchange::Stage;

/// Messages for the client that wait for an exchange to end; more end the connection. The layers
/// above stop long before, as they produce nothing of their own meanwhile.
const MAX_HELD: usize = 16 * 1024;

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client said so.
    ByClient,
    /// We close without a word; why.
    Hangup(Cow<'static, str>),
    /// We say why.
    Disconnect(u32, Cow<'static, str>),
}

impl End {
    pub(super) fn hangup(why: impl std::fmt::Display) -> Self {
        Self::Hangup(why.to_string().into())
    }

    pub(super) fn protocol_error(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Disconnect(PROTOCOL_ERROR, text.into())
    }
}

impl From<Malformed> for End {
    fn from(fault: Malformed) -> Self {
        Self::hangup(fault)
    }
}

/// The transport layer of one connection.
pub(super) struct Transport {
    offer: &'static Offer,
    keys: HostKeys,
    rng: ChaCha12Rng,
    server_ident: Vec<u8>,
    client_ident: Vec<u8>,
    inbound: Inbound,
    outbound: Outbound,
    out: Vec<u8>,
    sent: usize,
    stage: Stage,
    /// The exchange hash of the first exchange.
    session_id: Vec<u8>,
    /// The client uses keys; until then it may only exchange them.
    keyed: bool,
    strict: bool,
    ext_info: bool,
    lists: Option<Box<ClientLists>>,
    /// The RSA signature the client takes.
    rsa: Option<&'static str>,
    compressions: [bool; 2],
    authenticated: bool,
    held: VecDeque<Vec<u8>>,
}

impl Transport {
    pub(super) fn new(
        offer: &'static Offer,
        keys: HostKeys,
        rng: ChaCha12Rng,
        banner: &str,
    ) -> Self {
        Self {
            offer,
            keys,
            rng,
            server_ident: banner.as_bytes().to_vec(),
            client_ident: Vec::new(),
            inbound: Inbound::new(),
            outbound: Outbound::new(),
            out: Vec::new(),
            sent: 0,
            stage: Stage::Idle,
            session_id: Vec::new(),
            keyed: false,
            strict: false,
            ext_info: false,
            lists: None,
            rsa: None,
            compressions: [false; 2],
            authenticated: false,
            held: VecDeque::new(),
        }
    }

    /// The client is `ident`: keys are exchanged from here on.
    pub(super) fn start(&mut self, ident: &[u8]) {
        self.client_ident = ident.to_vec();
        self.list();
    }

    /// Sends bytes that are no packet.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Bytes came from the client.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.inbound.push(bytes);
    }

    /// Bytes from the client that were not looked at yet.
    pub(super) fn waiting(&self) -> usize {
        self.inbound.waiting()
    }

    /// Bytes for the client.
    pub(super) fn output(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    /// So many of them are sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            self.sent = 0;
            self.out.clear();
            // One large burst must not stay with an idle connection.
            self.out.shrink_to(64 * 1024);
        }
    }

    /// Whether nothing but the exchange itself may be sent.
    pub(super) const fn is_exchanging(&self) -> bool {
        matches!(self.stage, Stage::Listed { .. } | Stage::Agreeing(_))
    }

    /// The identifier of the connection that signatures cover.
    pub(super) fn session_id(&self) -> &[u8] {
        &self.session_id
    }

    pub(super) const fn keys(&self) -> &HostKeys {
        &self.keys
    }

    /// The lists of the client's first exchange, once.
    pub(super) const fn take_lists(&mut self) -> Option<Box<ClientLists>> {
        self.lists.take()
    }

    /// The RSA signature that the client takes.
    pub(super) const fn rsa(&self) -> Option<&'static str> {
        self.rsa
    }

    /// The client is authenticated: keys wear out, and compression begins if it was agreed on.
    pub(super) fn authenticated(&mut self) {
        self.authenticated = true;
        let [inbound, outbound] = self.compressions;
        if inbound {
            self.inbound.decompress();
        }
        if outbound {
            self.outbound.compress();
        }
    }

    /// Sends a message of the layers above.
    pub(super) fn send(&mut self, message: &[u8]) {
        if self.is_exchanging() {
            self.held.push_back(message.to_vec());
            return;
        }
        self.put(message);
        self.renew();
    }

    /// Ends the connection with a reason.
    pub(super) fn disconnect(&mut self, code: u32, text: &str) {
        let mut message = vec![numbers::DISCONNECT];
        message.put_u32(code);
        message.put_string(text.as_bytes());
        message.put_string(b"");
        self.put(&message);
    }

    /// Answers that message `number` is not understood here.
    pub(super) fn unimplemented(&mut self, number: u32) {
        let mut message = vec![numbers::UNIMPLEMENTED];
        message.put_u32(number);
        self.send(&message);
    }

    /// The number of the next message for the layers above, which is left in `payload`.
    pub(super) fn next(&mut self, payload: &mut Vec<u8>) -> Result<Option<u32>, End> {
        loop {
            if self.held.len() > MAX_HELD {
                return Err(End::hangup("too many messages during key exchange"));
            }
            // What is left there is taken for the message at fault.
            payload.clear();
            let Some(number) = self.inbound.take(payload).map_err(End::hangup)? else {
                return Ok(None);
            };
            self.renew();
            let (kind, message) = payload.split_first().ok_or(Malformed)?;
            let (kind, mut message) = (*kind, Reader::new(message));
            if kind == 0 || kind >= numbers::LOCAL_MIN {
                let text = format!("Invalid ssh2 packet type: {kind}");
                return Err(End::protocol_error(text));
            }
            let first = !self.keyed;
            let transport = kind <= numbers::TRANSPORT_MAX;
            if first && transport && self.is_strict_now() && !self.expects(kind) {
                let text =
                    format!("strict KEX violation: unexpected packet type {kind} (seqnr {number})");
                return Err(End::protocol_error(text));
            }
            match kind {
                numbers::DISCONNECT => return Err(End::ByClient),
                numbers::IGNORE | numbers::DEBUG | numbers::UNIMPLEMENTED => {}
                _ if self.skips() => {}
                numbers::KEXINIT if self.expects(kind) => {
                    let theirs = message.take(message.rest().len())?.to_vec();
                    self.listed(theirs, number)?;
                }
                numbers::NEWKEYS if self.expects(kind) => {
                    message.end()?;
                    self.switch();
                }
                numbers::KEX_INIT..=numbers::KEX_GEX_REQUEST if self.expects(kind) => {
                    let message = payload.get(1..).unwrap_or_default().to_vec();
                    self.agree(kind, &message)?;
                }
                numbers::KEXINIT..=numbers::TRANSPORT_MAX => self.reject(number),
                // The service is not there before the first keys.
                ..numbers::KEXINIT if first => self.reject(number),
                _ if first => return Err(End::hangup("message before key exchange")),
                _ => return Ok(Some(number)),
            }
        }
    }

    /// Whether both sides are known to be strict. They are from the client's lists on, which must
    /// be the first message (PROTOCOL §1.10).
    fn is_strict_now(&self) -> bool {
        self.strict && !matches!(self.stage, Stage::Listed { .. } | Stage::Idle)
    }

    /// Whether a message of the exchange is due.
    fn expects(&self, kind: u8) -> bool {
        match &self.stage {
            Stage::Idle => kind == numbers::KEXINIT,
            Stage::Listed { .. } => kind == numbers::KEXINIT,
            Stage::Agreeing(agreeing) => match (agreeing.chosen.method, agreeing.group) {
                // Whatever a wrong guess is.
                _ if agreeing.skip => kind >= numbers::KEX_INIT,
                (Method::GroupExchange(_), None) => kind == numbers::KEX_GEX_REQUEST,
                (Method::GroupExchange(_), Some(_)) => kind == numbers::KEX_GEX_INIT,
                _ => kind == numbers::KEX_INIT,
            },
            Stage::Switching { .. } => kind == numbers::NEWKEYS,
        }
    }

    /// Whether a message is a wrong guess; the next one is not.
    fn skips(&mut self) -> bool {
        match &mut self.stage {
            Stage::Agreeing(agreeing) => std::mem::take(&mut agreeing.skip),
            Stage::Idle | Stage::Listed { .. } | Stage::Switching { .. } => false,
        }
    }

    fn reject(&mut self, number: u32) {
        let mut message = vec![numbers::UNIMPLEMENTED];
        message.put_u32(number);
        self.put(&message);
    }

    fn put(&mut self, message: &[u8]) {
        self.outbound.put(message, &mut self.rng, &mut self.out);
    }

    /// Begins an exchange when keys are worn out.
    fn renew(&mut self) {
        let worn = self.inbound.is_worn() || self.outbound.is_worn();
        if worn && self.authenticated && matches!(self.stage, Stage::Idle) {
            self.list();
        }
    }

    /// As after a long time.
    #[cfg(test)]
    pub(super) const fn wear_out(&mut self) {
        self.outbound.wear_out();
    }
}
