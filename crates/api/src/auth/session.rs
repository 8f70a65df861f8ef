//! Whether a session still counts: the account exists, and nothing revoked it.

use std::time::Duration;

use base_model::Timestamp;
use store_db::UserRow;
use tokio::sync::watch;
use uuid::Uuid;

use crate::access::{Caller, Role};
use crate::api::Shared;
use crate::auth::token::Claims;
use crate::cache::Recent;
use crate::problem::Problem;

/// How old an account's row or a revocation may be; writes of this process count at once.
const AGE: Duration = Duration::from_secs(10);

/// What is known of accounts and revocations.
pub(crate) struct Sessions {
    users: Recent<Uuid, Option<UserRow>>,
    revoked: Recent<String, bool>,
    changed: watch::Sender<u64>,
}

impl Default for Sessions {
    fn default() -> Self {
        let (users, revoked) = (Recent::new(AGE), Recent::new(AGE));
        Self { users, revoked, changed: watch::Sender::new(0) }
    }
}

impl Sessions {
    /// The account behind `claims`, if the session still counts.
    pub(crate) async fn caller(&self, api: &Shared, claims: Claims) -> Result<Caller, Problem> {
        let now = api.now();
        if claims.exp <= now.seconds() {
            return Err(Problem::credentials());
        }
        let user = self.user(api, claims.uuid, now).await?.ok_or_else(Problem::credentials)?;
        let jti = claims.jti.as_deref().ok_or_else(Problem::credentials)?;
        let counts = user.tokens_valid_from.is_none_or(|from| claims.iat >= from.seconds());
        if !counts || self.is_revoked(api, jti, now).await? {
            return Err(Problem::credentials());
        }
        // The role is the row's, never the token's.
        let role = Role::parse(&user.role).ok_or_else(Problem::credentials)?;
        Ok(Caller {
            uuid: claims.uuid,
            username: user.username,
            role,
            must_change_password: user.must_change_password,
            claims: Some(claims),
        })
    }

    async fn user(
        &self,
        api: &Shared,
        uuid: Uuid,
        now: Timestamp,
    ) -> Result<Option<UserRow>, Problem> {
        let reading = match self.users.get(&uuid, now) {
            Ok(user) => return Ok(user),
            Err(reading) => reading,
        };
        let user = api.db.users().by_uuid(uuid).await?;
        self.users.put(reading, uuid, user.clone(), now);
        Ok(user)
    }

    async fn is_revoked(&self, api: &Shared, jti: &str, now: Timestamp) -> Result<bool, Problem> {
        let key = jti.to_owned();
        let reading = match self.revoked.get(&key, now) {
            Ok(revoked) => return Ok(revoked),
            Err(reading) => reading,
        };
        let revoked = api.db.revoked_tokens().contains(jti).await?;
        self.revoked.put(reading, key, revoked, now);
        Ok(revoked)
    }

    /// To be called after every write to accounts or revocations: forgets, and wakes the streams.
    pub(crate) fn changed(&self) {
        self.users.forget();
        self.revoked.forget();
        self.changed.send_modify(|n| *n += 1);
    }

    /// Hears of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
