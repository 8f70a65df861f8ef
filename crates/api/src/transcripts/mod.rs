//! What went over the terminal of a recorded session.

mod recording;
pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
