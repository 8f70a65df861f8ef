//! The repositories on both engines.

mod accounts;
mod fleet;
mod index;
mod observed;
mod opening;

use base_model::Timestamp;

/// Microsecond `n` of a fixed day.
fn at(n: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + n)
}
