//! When a session goes on without its client: an answer that waits, work that was put off, limits.

use base_model::Timestamp;

/// What a session has to do now.
pub(crate) enum Due {
    /// Send what was held back; then end, if it says so.
    Answer { out: Vec<u8>, closes: bool },
    /// Go on with what waits.
    Work,
    /// The client took too long.
    Deadline,
    /// Look whether somebody else ended the session.
    Look,
}

/// The times of one session. While an answer is held back nothing else is due, and while one is held
/// back or work is put off nothing is read.
#[derive(Default)]
pub(crate) struct Pace {
    held: Option<(Timestamp, Vec<u8>, bool)>,
    rest: Option<Timestamp>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) look: Option<Timestamp>,
}

impl Pace {
    /// Holds `out` back until `due`; `closes` says whether the connection ends with it.
    pub(crate) fn hold(&mut self, due: Timestamp, out: Vec<u8>, closes: bool) {
        self.held = Some((due, out, closes));
    }

    /// Whether an answer is held back.
    pub(crate) const fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Puts the rest of the work off until `due`.
    pub(crate) const fn put_off(&mut self, due: Timestamp) {
        self.rest = Some(due);
    }

    /// Whether work was put off.
    pub(crate) const fn is_put_off(&self) -> bool {
        self.rest.is_some()
    }

    /// Begins a turn of work.
    pub(crate) const fn begin_turn(&mut self) {
        self.rest = None;
    }

    /// What is due at `now`.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Due> {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        match self.held.take_if(|(due, ..)| *due <= now) {
            Some((_, out, closes)) => Some(Due::Answer { out, closes }),
            None if self.holds() => None,
            None if is_due(self.rest) => Some(Due::Work),
            None if is_due(self.deadline) => Some(Due::Deadline),
            None if is_due(self.look) => Some(Due::Look),
            None => None,
        }
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        match &self.held {
            Some((due, ..)) => Some(*due),
            None => [self.deadline, self.look, self.rest].into_iter().flatten().min(),
        }
    }

    /// Whether the client is read from.
    pub(crate) const fn reads(&self) -> bool {
        !self.holds() && !self.is_put_off()
    }

    /// Nothing is due any more.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }
}
