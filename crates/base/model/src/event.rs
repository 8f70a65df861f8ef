//! One thing that happened to a decky, as it is stored and shipped.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{BootId, ConnId, DeckyId, EventId, Fields, Peer, SensorId, SessionId, Timestamp};

/// The version this build writes. Other versions are stored as they come, not dropped.
pub const EVENT_VERSION: u16 = 1;

/// The transport a service is reached over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// `tcp` or `udp`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// An event. Identity (`boot` to `origin`) is bound by the decoy runtime, `sensor` by control;
/// nothing an attacker says reaches either.
///
/// Order is (`boot`, `seq`); `at` is for showing, never a cursor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Format version, [`EVENT_VERSION`] when written by this build.
    pub v: u16,
    /// Unique for ever; `logs.event_uid`.
    pub id: EventId,
    /// The run of the decoy process.
    pub boot: BootId,
    /// Position within the run, increasing.
    pub seq: u64,
    /// When, by the decoy process's clock.
    pub at: Timestamp,
    /// Which sensor; set by control from the authenticated link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<SensorId>,
    /// On which decky.
    pub decky: DeckyId,
    /// That decky's name at the time.
    pub decky_name: String,
    /// The topology the decky belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<uuid::Uuid>,
    /// The service's registry name.
    pub service: Cow<'static, str>,
    /// What happened: a name of the catalogue, or one that a newer sensor knows.
    pub kind: Cow<'static, str>,
    /// Who did it; absent for what the decky did itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attacker: Option<Peer>,
    /// The decky's own endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Peer>,
    /// The connection it came over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn: Option<ConnId>,
    /// The session it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The first hop's session when an intruder pivots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<SessionId>,
    /// Done by DECNET itself; never becomes an attacker.
    #[serde(default)]
    pub synthetic: bool,
    /// TCP or UDP.
    pub transport: Transport,
    /// What the kind says, in the order it was said.
    #[serde(default)]
    pub fields: Fields,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Event {
        Event {
            v: EVENT_VERSION,
            id: EventId::at(Timestamp::from_micros(1), [1; 10]),
            boot: BootId::from_entropy([2; 16]),
            seq: 7,
            at: Timestamp::from_micros(1),
            sensor: None,
            decky: DeckyId::from_entropy([3; 16]),
            decky_name: "decky-01".into(),
            topology: None,
            service: "ssh".into(),
            kind: "command".into(),
            attacker: Some(Peer { ip: "127.0.0.9".parse().unwrap(), port: 4242 }),
            local: None,
            conn: None,
            session: None,
            origin: None,
            synthetic: false,
            transport: Transport::Tcp,
            fields: Fields::new().with("command", "id"),
        }
    }

    #[test]
    fn survives_the_journal_encoding() {
        let event = sample();
        let bytes = rmp_serde::to_vec_named(&event).unwrap();
        assert_eq!(rmp_serde::from_slice::<Event>(&bytes).unwrap(), event);
    }

    #[test]
    fn a_newer_version_with_unknown_members_is_readable() {
        #[derive(Serialize)]
        struct Newer {
            #[serde(flatten)]
            event: Event,
            mood: &'static str,
        }
        let event = Event { v: 9, kind: "from_the_future".into(), ..sample() };
        let bytes = rmp_serde::to_vec_named(&Newer { event, mood: "curious" }).unwrap();
        let event: Event = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!((event.v, event.kind.as_ref()), (9, "from_the_future"));
    }
}
