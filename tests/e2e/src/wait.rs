//! Waiting for an event instead of a time.

use std::time::{Duration, Instant};

/// Asks again until `look` finds something; panics with `what` after a generous while.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}
