//! Every service there is, sorted by name. A reader must be able to find them all by reading.

use crate::{Service, ftp, http, https, mysql, postgres, redis, smtp, ssh, telnet};

/// All services.
pub static ALL: &[&Service] = &[
    &ftp::SERVICE,
    &http::SERVICE,
    &https::SERVICE,
    &mysql::SERVICE,
    &postgres::SERVICE,
    &redis::SERVICE,
    &smtp::SERVICE,
    &ssh::SERVICE,
    &telnet::SERVICE,
];

/// The service called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Service> {
    ALL.iter().copied().find(|service| service.spec.name == name)
}
