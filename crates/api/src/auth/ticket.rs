//! Tickets for live streams: a browser's `EventSource` cannot send headers, so it trades its token
//! for a word that works once (`spec/api.md` §3.4).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::auth::token::Claims;

/// How long a ticket may wait.
pub(crate) const LIFETIME: Duration = Duration::from_secs(60);
/// Tickets that wait for one user; a further one takes the place of the oldest.
const PER_USER: usize = 20;
/// Tickets that wait at all.
const TOTAL: usize = 10_000;

/// The tickets that were not used yet, by digest, so that a look-up tells nothing about them.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<BTreeMap<[u8; 32], Ticket>>);

struct Ticket {
    claims: Claims,
    minted: Timestamp,
}

impl Tickets {
    /// Keeps a ticket made of `entropy` for the session of `claims`.
    pub(crate) fn mint(&self, entropy: [u8; 32], claims: Claims, now: Timestamp) -> String {
        let word = URL_SAFE_NO_PAD.encode(entropy);
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.retain(|_, ticket| now.since(ticket.minted) < LIFETIME);
        let mine = tickets.values().filter(|ticket| ticket.claims.uuid == claims.uuid).count();
        if mine >= PER_USER || tickets.len() >= TOTAL {
            let mine_only = mine >= PER_USER;
            let oldest = tickets
                .iter()
                .filter(|(_, ticket)| !mine_only || ticket.claims.uuid == claims.uuid)
                .min_by_key(|(_, ticket)| ticket.minted)
                .map(|(key, _)| *key);
            oldest.and_then(|key| tickets.remove(&key));
        }
        tickets.insert(key(&word), Ticket { claims, minted: now });
        word
    }

    /// The session of a ticket, once.
    pub(crate) fn redeem(&self, word: &str, now: Timestamp) -> Option<Claims> {
        let mut tickets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = tickets.remove(&key(word))?;
        (now.since(ticket.minted) < LIFETIME).then_some(ticket.claims)
    }
}

fn key(word: &str) -> [u8; 32] {
    Sha256::digest(word.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn claims(user: u8) -> Claims {
        Claims { uuid: Uuid::from_bytes([user; 16]), jti: Some("a".into()), iat: 0, exp: 99 }
    }

    #[test]
    fn a_ticket_works_once_and_not_for_long() {
        let tickets = Tickets::default();
        let first = tickets.mint([1; 32], claims(1), NOW);
        assert_eq!(tickets.redeem(&first, NOW), Some(claims(1)));
        assert_eq!(tickets.redeem(&first, NOW), None);
        let late = tickets.mint([2; 32], claims(1), NOW);
        assert_eq!(tickets.redeem(&late, NOW + LIFETIME), None);
        assert_eq!(tickets.redeem(&late, NOW), None, "an ended ticket is gone");
        assert_eq!(tickets.redeem("nonsense", NOW), None);
    }

    #[test]
    fn one_user_cannot_crowd_out_another() {
        let tickets = Tickets::default();
        let other = tickets.mint([0xff; 32], claims(2), NOW);
        let words: Vec<String> = (0..=PER_USER)
            .map(|n| {
                let at = NOW + Duration::from_millis(n as u64);
                tickets.mint([u8::try_from(n).unwrap(); 32], claims(1), at)
            })
            .collect();
        let later = NOW + Duration::from_secs(1);
        assert_eq!(tickets.redeem(&words[0], later), None, "the oldest gave way");
        assert!(words[1..].iter().all(|word| tickets.redeem(word, later).is_some()));
        assert_eq!(tickets.redeem(&other, later), Some(claims(2)));
    }
}
