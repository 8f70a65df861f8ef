//! Newtyped UUIDs, so that a decky id cannot be passed as a session id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that already names such a thing.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A version 4 UUID (RFC 9562 §5.4) from 16 bytes of entropy.
            #[must_use]
            pub fn from_entropy(entropy: [u8; 16]) -> Self {
                Self(Builder::from_random_bytes(entropy).into_uuid())
            }

            /// From the 16 bytes of [`Self::to_bytes`].
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The UUID's bytes, in network order.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id!(
    /// One event, for ever: the key on which ingestion is exactly-once (`logs.event_uid`).
    EventId
);
id!(
    /// One run of a decoy process; `seq` counts within it.
    BootId
);
id!(
    /// One fake machine, stable over restarts and renames.
    DeckyId
);
id!(
    /// One session: what is recorded (`sid`).
    SessionId
);
id!(
    /// One transport connection.
    ConnId
);
id!(
    /// The decoy process's host, as control authenticated it.
    SensorId
);

impl EventId {
    /// A version 7 UUID (RFC 9562 §5.7): time-ordered, so the database index grows at its end.
    #[must_use]
    pub fn at(at: Timestamp, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(at.micros() / 1000).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
    }

    /// 32 lower-case hex digits, as stored in `logs.event_uid`.
    #[must_use]
    pub fn hex(self) -> String {
        self.0.simple().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_sort_by_time() {
        let early = EventId::at(Timestamp::from_micros(1_700_000_000_000_000), [0xff; 10]);
        let late = EventId::at(Timestamp::from_micros(1_700_000_000_001_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.uuid().get_version_num(), 7);
    }

    #[test]
    fn session_ids_are_version_4() {
        assert_eq!(SessionId::from_entropy([0xff; 16]).uuid().get_version_num(), 4);
    }
}
