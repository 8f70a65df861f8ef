//! The list of all resources.

use crate::access::Routes;
use crate::{
    artifacts, attackers, auth, bounty, credentials, deckies, health, logs, openapi, sessions,
    settings, stats, stream, tokens, transcripts, users,
};

/// Every route there is.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default();
    auth::routes::add(&mut routes);
    logs::routes::add(&mut routes);
    attackers::routes::add(&mut routes);
    credentials::routes::add(&mut routes);
    bounty::routes::add(&mut routes);
    artifacts::routes::add(&mut routes);
    sessions::routes::add(&mut routes);
    transcripts::routes::add(&mut routes);
    stats::routes::add(&mut routes);
    stream::routes::add(&mut routes);
    deckies::routes::add(&mut routes);
    settings::routes::add(&mut routes);
    users::routes::add(&mut routes);
    tokens::routes::add(&mut routes);
    health::routes::add(&mut routes);
    openapi::add(&mut routes);
    routes
}
