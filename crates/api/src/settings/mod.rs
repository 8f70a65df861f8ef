//! What an administrator sets while DECNET runs (`spec/api.md` §15).

pub(crate) mod routes;
#[cfg(test)]
mod tests;

use crate::api::Shared;
use crate::problem::Problem;

/// Key of the limits in the table of states.
const LIMITS: &str = "config_limits";
/// Deckies there may be when nobody said otherwise.
const DEPLOYMENT_LIMIT: usize = 10;

/// Deckies there may be.
pub(crate) async fn deployment_limit(api: &Shared) -> Result<usize, Problem> {
    let limits = api.db.state().get(LIMITS).await?;
    let limit = limits.and_then(|limits| limits.get("deployment_limit")?.as_u64());
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(DEPLOYMENT_LIMIT))
}
