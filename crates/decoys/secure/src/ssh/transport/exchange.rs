//! The exchange of keys, from lists to new keys in use.

use rand_core::Rng as _;

use super::{End, Transport};
use crate::ssh::cipher::{Keys, Opener, Sealer};
use crate::ssh::kex::{Agreed, Answer, Group, Method, Said, Wish};
use crate::ssh::negotiate::{self, Chosen, Theirs};
use crate::ssh::numbers;
use crate::ssh::offer;
use crate::ssh::suite::{Cipher, Mac};
use crate::ssh::wire::{Malformed, Put as _, Reader};

/// Where a key exchange stands.
pub(super) enum Stage {
    /// Nothing is going on.
    Idle,
    /// Our lists are out, the client's are not in.
    Listed { ours: Vec<u8> },
    /// Both lists are there; the client's public value is next.
    Agreeing(Box<Agreeing>),
    /// Our new keys are in use, the client's are not.
    Switching { opener: Opener },
}

pub(super) struct Agreeing {
    pub(super) ours: Vec<u8>,
    pub(super) theirs: Vec<u8>,
    pub(super) chosen: Chosen,
    /// The next message of the exchange is a wrong guess.
    pub(super) skip: bool,
    pub(super) group: Option<(Wish, Group)>,
}

impl Transport {
    /// Sends our lists.
    pub(super) fn list(&mut self) {
        let mut cookie = [0; 16];
        self.rng.fill_bytes(&mut cookie);
        let first = self.session_id.is_empty();
        let ours =
            negotiate::ours(self.offer, &self.keys.algorithms(self.offer.rsa), cookie, first);
        self.put(&ours);
        self.stage = Stage::Listed { ours };
    }

    /// Takes the client's lists.
    pub(super) fn listed(&mut self, theirs: Vec<u8>, number: u32) -> Result<(), End> {
        if matches!(self.stage, Stage::Idle) {
            self.list();
        }
        let Stage::Listed { ours } = std::mem::replace(&mut self.stage, Stage::Idle) else {
            return Err(Malformed.into());
        };
        let lists = Theirs::read(&theirs)?;
        if self.session_id.is_empty() {
            self.strict = lists.is_strict() && self.offer.marks.contains(&offer::STRICT_SERVER);
            self.ext_info = lists.wants_ext_info();
            self.rsa = self.offer.rsa.iter().copied().find(|name| lists.knows_host_key(name));
            self.lists = Some(Box::new(lists.0.clone()));
            if self.strict && number != 0 {
                let text = "strict KEX violation: KEXINIT was not the first packet";
                return Err(End::protocol_error(text));
            }
        }
        let chosen = negotiate::choose(self.offer, &self.keys.algorithms(self.offer.rsa), &lists.0);
        let chosen = chosen.map_err(End::hangup)?;
        let mut whole = Vec::with_capacity(theirs.len() + 1);
        whole.push(numbers::KEXINIT);
        whole.extend(theirs);
        let skip = chosen.skips_guess;
        let agreeing = Agreeing { ours, theirs: whole, chosen, skip, group: None };
        self.stage = Stage::Agreeing(Box::new(agreeing));
        Ok(())
    }

    /// Takes a message of the method.
    pub(super) fn agree(&mut self, kind: u8, message: &[u8]) -> Result<(), End> {
        let Stage::Agreeing(mut agreeing) = std::mem::replace(&mut self.stage, Stage::Idle) else {
            return Err(Malformed.into());
        };
        let mut message = Reader::new(message);
        if kind == numbers::KEX_GEX_REQUEST {
            let wish = Wish::read(&mut message)?;
            message.end()?;
            let group = wish.group().ok_or(End::hangup("group out of range"))?;
            let mut reply = vec![numbers::KEX_REPLY];
            group.put(&mut reply);
            self.put(&reply);
            agreeing.group = Some((wish, group));
            self.stage = Stage::Agreeing(agreeing);
            return Ok(());
        }
        let client = message.string()?;
        message.end()?;
        let group = agreeing.group.map(|(_, group)| group);
        let answer = agreeing.chosen.method.answer(client, group, &mut self.rng);
        let answer = answer.map_err(End::hangup)?;
        self.finish(&agreeing, &answer)
    }

    /// Answers the client's public value, and uses new keys from there on.
    fn finish(&mut self, agreeing: &Agreeing, answer: &Answer) -> Result<(), End> {
        let Agreeing { ours, theirs, chosen, group, .. } = agreeing;
        let host_key = self.keys.signing(chosen.host_key).ok_or(Malformed)?;
        let said = Said {
            client_ident: &self.client_ident,
            server_ident: &self.server_ident,
            client_init: theirs,
            server_init: ours,
            host_key: &host_key.blob,
            group: *group,
        };
        let hash = chosen.method.hash();
        let exchange = said.hash(hash, answer);
        let signature = host_key.sign(chosen.host_key, &exchange).ok_or(Malformed)?;
        let grouped = matches!(chosen.method, Method::GroupExchange(_));
        let mut reply = vec![if grouped { numbers::KEX_GEX_REPLY } else { numbers::KEX_REPLY }];
        reply.put_string(&host_key.blob);
        reply.extend(&answer.server);
        reply.put_string(&signature);
        self.put(&reply);
        self.put(&[numbers::NEWKEYS]);
        let first = self.session_id.is_empty();
        if first {
            self.session_id.clone_from(&exchange);
        }
        let agreed =
            Agreed { hash, secret: &answer.secret, exchange: &exchange, session: &self.session_id };
        let [cipher, back] = chosen.ciphers;
        let [mac, mac_back] = chosen.macs;
        let keys = |cipher: Cipher, mac: Mac, [iv, key, tag]: [u8; 3]| Keys {
            cipher,
            mac,
            iv: agreed.derive(iv, cipher.iv()),
            key: agreed.derive(key, cipher.key()),
            mac_key: agreed.derive(tag, mac.key()),
        };
        let opener = Opener::new(&keys(cipher, mac, *b"ACE")).map_err(End::hangup)?;
        let sealer = Sealer::new(&keys(back, mac_back, *b"BDF")).map_err(End::hangup)?;
        self.compressions = chosen.compressions;
        let [_, compressed] = chosen.compressions;
        self.outbound.rekey(sealer, self.strict, self.authenticated && compressed);
        self.stage = Stage::Switching { opener };
        if first && self.ext_info {
            self.tell_extensions();
        }
        while let Some(message) = self.held.pop_front() {
            self.put(&message);
        }
        Ok(())
    }

    /// The client uses its new keys.
    pub(super) fn switch(&mut self) {
        let Stage::Switching { opener } = std::mem::replace(&mut self.stage, Stage::Idle) else {
            return;
        };
        let [compressed, _] = self.compressions;
        self.inbound.rekey(opener, self.strict, self.authenticated && compressed);
        self.keyed = true;
    }

    fn tell_extensions(&mut self) {
        let mut message = vec![numbers::EXT_INFO];
        let extensions = self.offer.extensions;
        message.put_u32(1 + u32::try_from(extensions.len()).unwrap_or(0));
        message.put_string(b"server-sig-algs");
        message.put_string(self.offer.signatures.as_bytes());
        for extension in extensions {
            message.put_string(extension.as_bytes());
            message.put_string(b"0");
        }
        self.put(&message);
    }
}
