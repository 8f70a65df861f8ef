//! The row of a source address.

use base_model::{Class, Timestamp};
use sha2::{Digest as _, Sha256};
use store_db::{AttackerState, Contact, LogRow};
use uuid::Uuid;

/// An attacker about to be met.
pub(super) fn new(row: &LogRow) -> AttackerState {
    AttackerState {
        uuid: uuid_of(&row.attacker_ip),
        ip: row.attacker_ip.clone(),
        first_seen: row.timestamp,
        last_seen: row.timestamp,
        event_count: 0,
        activity: [].into(),
        contacts: Vec::new(),
        bounty_count: 0,
        credential_count: 0,
        updated_at: row.received_at,
    }
}

/// Follows from the address, so that the same attacker has the same id whatever was stored before;
/// a version 8 UUID (RFC 9562 §5.8).
fn uuid_of(ip: &str) -> String {
    let digest: [u8; 32] =
        Sha256::new().chain_update("attacker\0").chain_update(ip).finalize().into();
    let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(bytes)
        .into_uuid()
        .hyphenated()
        .encode_lower(&mut Uuid::encode_buffer())
        .to_owned()
}

/// One event more.
pub(super) fn meet(state: &mut AttackerState, row: &LogRow, class: Class, now: Timestamp) {
    state.event_count += 1;
    state.first_seen = state.first_seen.min(row.timestamp);
    state.last_seen = state.last_seen.max(row.timestamp);
    state.updated_at = now;
    weigh(state, &row.service, class);
    contact(&mut state.contacts, &row.decky, row.timestamp);
}

fn weigh(state: &mut AttackerState, service: &str, class: Class) {
    match state.activity.get_mut(service) {
        Some(known) if parse(known) >= class => {}
        Some(known) => name(class).clone_into(known),
        None => {
            state.activity.insert(service.to_owned(), name(class).to_owned());
        }
    }
}

const fn name(class: Class) -> &'static str {
    match class {
        Class::Noise => "noise",
        Class::Scan => "scan",
        Class::Auth => "auth",
        Class::Interaction => "interaction",
    }
}

fn parse(text: &str) -> Class {
    match text {
        "interaction" => Class::Interaction,
        "auth" => Class::Auth,
        "scan" => Class::Scan,
        _ => Class::Noise,
    }
}

/// Keeps contacts in order of time, then name.
fn contact(contacts: &mut Vec<Contact>, decky: &str, at: Timestamp) {
    let at = at.micros();
    if let Some(known) = contacts.iter().position(|contact| contact.0 == decky) {
        if contacts.get(known).is_none_or(|contact| contact.1 <= at) {
            return;
        }
        contacts.remove(known);
    }
    let contact = Contact(decky.to_owned(), at);
    let place = contacts.partition_point(|other| (other.1, &other.0) < (at, &contact.0));
    contacts.insert(place, contact);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_ordered_by_first_contact_whatever_arrives_first() {
        let mut contacts = Vec::new();
        for (decky, at) in [("b", 20), ("c", 30), ("a", 25), ("c", 5), ("b", 90), ("a", 20)] {
            contact(&mut contacts, decky, Timestamp::from_micros(at));
        }
        let names: Vec<_> = contacts.iter().map(|c| (c.0.as_str(), c.1)).collect();
        assert_eq!(names, [("c", 5), ("a", 20), ("b", 20)]);
    }
}
