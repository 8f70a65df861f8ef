//! Who somebody is: passwords, access tokens, keys for programs, stream tickets, and how often one may try.

pub(crate) mod api_token;
pub(crate) mod limits;
pub(crate) mod password;
pub(crate) mod routes;
pub(crate) mod seed;
pub(crate) mod session;
#[cfg(test)]
mod tests;
pub(crate) mod ticket;
pub(crate) mod token;
pub(crate) mod types;
