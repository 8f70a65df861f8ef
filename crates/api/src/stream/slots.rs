//! How many streams one user may have open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use uuid::Uuid;

use crate::problem::Problem;

/// Places for streams, by user.
pub(crate) struct Slots {
    per_user: usize,
    open: Arc<Mutex<BTreeMap<Uuid, usize>>>,
}

impl Slots {
    pub(crate) fn new(per_user: usize) -> Self {
        Self { per_user, open: Arc::default() }
    }

    /// Takes a place for `user`, until the slot is dropped.
    pub(crate) fn take(&self, user: Uuid) -> Result<Slot, Problem> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.entry(user).or_default();
        if *mine >= self.per_user {
            let detail = format!("SSE connection limit ({}) reached", self.per_user);
            let status = StatusCode::TOO_MANY_REQUESTS;
            return Err(Problem::new(status, "too_many_streams", detail).retry_after(5));
        }
        *mine += 1;
        Ok(Slot { user, open: self.open.clone() })
    }
}

/// A place of a stream.
pub(crate) struct Slot {
    user: Uuid,
    open: Arc<Mutex<BTreeMap<Uuid, usize>>>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = open.get_mut(&self.user) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_slot_is_free_again() {
        let slots = Slots::new(1);
        let (mine, other) = (Uuid::from_bytes([1; 16]), Uuid::from_bytes([2; 16]));
        let slot = slots.take(mine).ok().unwrap();
        assert!(slots.take(mine).is_err());
        assert!(slots.take(other).is_ok());
        drop(slot);
        assert!(slots.take(mine).is_ok());
        assert!(slots.open.lock().unwrap().is_empty());
    }
}
