//! The figures at the top of the dashboard.

pub(crate) mod routes;
#[cfg(test)]
mod tests;
pub(crate) mod types;
