//! What the client's messages mean: before log-in, and on and of channels.

use base_model::Timestamp;
use decoys_kit::ssh::{Channel, ChannelOpen, SshReply};

use super::{Connection, Phase};
use crate::ssh::auth;
use crate::ssh::brain::Act;
use crate::ssh::channel::refusal;
use crate::ssh::numbers;
use crate::ssh::offer;
use crate::ssh::request::{self, Opening};
use crate::ssh::transport::End;
use crate::ssh::wire::{Malformed, Put as _, Reader};

/// Requests on one channel that the session has not answered.
const MAX_PENDING: usize = 1000;

impl Connection {
    /// Handles message `number` of the client.
    pub(super) fn message(
        &mut self,
        now: Timestamp,
        number: u32,
        payload: &[u8],
    ) -> Result<(), End> {
        let (kind, message) = payload.split_first().ok_or(Malformed)?;
        match (&self.phase, *kind) {
            // A client's extensions concern nothing here.
            (_, numbers::EXT_INFO) => {}
            (Phase::Login { .. }, numbers::SERVICE_REQUEST) => self.service(message)?,
            (Phase::Login { serviced: true }, numbers::USERAUTH_REQUEST) => {
                self.login(now, message)?;
            }
            (Phase::Login { serviced: true }, numbers::USERAUTH_INFO_RESPONSE)
                if self.login.prompts.is_some() =>
            {
                self.answers(now, message)?;
            }
            (Phase::Open, numbers::GLOBAL_REQUEST) => self.global(message)?,
            (Phase::Open, numbers::REQUEST_SUCCESS | numbers::REQUEST_FAILURE) => {}
            (Phase::Open, numbers::CHANNEL_OPEN) => self.open(now, message)?,
            (Phase::Open, numbers::CHANNEL_SUCCESS | numbers::CHANNEL_FAILURE) => {}
            (Phase::Open, numbers::CHANNEL_OPEN_CONFIRMATION..=numbers::CHANNEL_REQUEST) => {
                self.channel(now, *kind, message)?
            }
            _ => self.transport.unimplemented(number),
        }
        Ok(())
    }

    fn service(&mut self, message: &[u8]) -> Result<(), End> {
        let mut reader = Reader::new(message);
        let name = reader.string()?;
        reader.end()?;
        if name != b"ssh-userauth" {
            let name = String::from_utf8_lossy(name);
            return Err(End::protocol_error(format!("bad service request {name}")));
        }
        self.phase = Phase::Login { serviced: true };
        let mut answer = vec![numbers::SERVICE_ACCEPT];
        answer.put_string(name);
        self.transport.send(&answer);
        Ok(())
    }

    fn login(&mut self, now: Timestamp, message: &[u8]) -> Result<(), End> {
        if self.login.pending {
            return Err(End::hangup("authentication out of turn"));
        }
        self.login.prompts = None;
        let request = auth::read(message, self.transport.session_id())?;
        if request.service != auth::SERVICE {
            return Err(End::hangup("authentication for another service"));
        }
        self.login.pending = true;
        self.login.user = request.user.to_vec();
        self.brain.step(now, |session, cx| session.on_auth(cx, request.user, request.attempt));
        Ok(())
    }

    fn answers(&mut self, now: Timestamp, message: &[u8]) -> Result<(), End> {
        let Some((prompts, user)) = self.login.prompts.take() else { return Ok(()) };
        let attempt = auth::read_answers(message, prompts)?;
        self.login.pending = true;
        self.login.user.clone_from(&user);
        self.brain.step(now, |session, cx| session.on_auth(cx, &user, attempt));
        Ok(())
    }

    fn global(&mut self, message: &[u8]) -> Result<(), End> {
        let mut reader = Reader::new(message);
        let (kind, reply) = (reader.string()?, reader.bool()?);
        let success = match kind {
            b"no-more-sessions@openssh.com" => {
                self.no_more_sessions = true;
                Some(Vec::new())
            }
            b"hostkeys-prove-00@openssh.com" => self.prove_host_keys(reader)?,
            // Remote forwarding, keep-alives and all others.
            _ => None,
        };
        if reply {
            let mut answer = vec![match success {
                Some(_) => numbers::REQUEST_SUCCESS,
                None => numbers::REQUEST_FAILURE,
            }];
            answer.extend(success.unwrap_or_default());
            self.brain.push(Act::Message(answer));
        }
        Ok(())
    }

    /// Signs for each host key the client asks about (OpenSSH's PROTOCOL §2.5).
    fn prove_host_keys(&self, mut reader: Reader<'_>) -> Result<Option<Vec<u8>>, Malformed> {
        let mut signatures = Vec::new();
        let keys = self.transport.keys();
        // More than once for each key is nothing an honest client asks.
        for _ in 0..keys.iter().count() {
            if reader.rest().is_empty() {
                break;
            }
            let blob = reader.string()?;
            let Some(key) = keys.iter().find(|key| key.blob == blob) else { return Ok(None) };
            let algorithm = match key.algorithms {
                offer::RSA => self.transport.rsa(),
                algorithms => algorithms.first().copied(),
            };
            let mut text = Vec::new();
            text.put_string(b"hostkeys-prove-00@openssh.com");
            text.put_string(self.transport.session_id());
            text.put_string(blob);
            let signature = algorithm.and_then(|algorithm| key.sign(algorithm, &text));
            let Some(signature) = signature else { return Ok(None) };
            signatures.put_string(&signature);
        }
        Ok(reader.rest().is_empty().then_some(signatures))
    }

    fn open(&mut self, now: Timestamp, message: &[u8]) -> Result<(), End> {
        let opening = Opening::read(message)?;
        let session = matches!(opening.open, Some(ChannelOpen::Session));
        if session && self.no_more_sessions {
            let text =
                "Possible attack: attempt to open a session after additional sessions disabled";
            return Err(End::protocol_error(text));
        }
        let Some(open) = opening.open else {
            self.brain.push(Act::Message(refusal(opening.peer)));
            return Ok(());
        };
        let channel = self.channels.open(opening.peer, opening.window, opening.max, session);
        match channel {
            Some(channel) => {
                self.brain.step(now, |session, cx| session.on_channel_open(cx, channel, open));
            }
            None => self.brain.push(Act::Message(refusal(opening.peer))),
        }
        Ok(())
    }

    fn channel(&mut self, now: Timestamp, kind: u8, message: &[u8]) -> Result<(), End> {
        let mut reader = Reader::new(message);
        let id = reader.u32()?;
        let channel = Channel(id);
        let Some(open) = self.channels.get(channel) else {
            return Err(End::protocol_error(nonexistent(kind, id)));
        };
        let overflow = |_| End::hangup("channel window overflows");
        match kind {
            numbers::CHANNEL_WINDOW_ADJUST => {
                let more = reader.u32()?;
                reader.end()?;
                open.widen(more).map_err(overflow)?;
            }
            numbers::CHANNEL_DATA => {
                let bytes = reader.string()?;
                reader.end()?;
                open.data(bytes).map_err(|_| {
                    End::protocol_error(format!("Channel {id}: peer ignored channel window"))
                })?;
            }
            // A client has nothing to say on a program's error output.
            numbers::CHANNEL_EXTENDED_DATA => {}
            numbers::CHANNEL_EOF => open.end_of_input(),
            numbers::CHANNEL_CLOSE => {
                open.close();
                self.brain.step(now, |session, cx| session.on_channel_close(cx, channel));
                self.brain.push(Act::Gone(channel));
            }
            numbers::CHANNEL_REQUEST => self.request(now, channel, reader)?,
            _ => {}
        }
        Ok(())
    }

    fn request(
        &mut self,
        now: Timestamp,
        channel: Channel,
        mut reader: Reader<'_>,
    ) -> Result<(), End> {
        let (kind, reply) = (reader.string()?, reader.bool()?);
        let starts = matches!(kind, b"shell" | b"exec" | b"subsystem");
        let request = request::read(kind, reader.rest())?;
        let Some(open) = self.channels.get(channel) else { return Ok(()) };
        if open.pending() >= MAX_PENDING {
            return Err(End::hangup("too many requests"));
        }
        open.requested(reply, starts);
        match request {
            Some(request) => {
                self.brain.step(now, |session, cx| session.on_channel_request(cx, channel, request))
            }
            None => self.brain.push(Act::Reply(SshReply::Requested(channel, false))),
        }
        Ok(())
    }
}

/// What OpenSSH says to a message for a channel that there is none of.
fn nonexistent(kind: u8, id: u32) -> String {
    let what = match kind {
        numbers::CHANNEL_REQUEST => {
            return format!("server_input_channel_req: unknown channel {id}");
        }
        numbers::CHANNEL_OPEN_CONFIRMATION => "open confirmation",
        numbers::CHANNEL_OPEN_FAILURE => "open failure",
        numbers::CHANNEL_WINDOW_ADJUST => "rcvd adjust",
        numbers::CHANNEL_DATA => "data",
        numbers::CHANNEL_EXTENDED_DATA => "extended data",
        numbers::CHANNEL_EOF => "ieof",
        _ => "oclose",
    };
    format!("{what} packet referred to nonexistent channel {id}")
}
