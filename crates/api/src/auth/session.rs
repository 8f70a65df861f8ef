//! Whether a session or an API token still counts: it is known, and nothing revoked it.

use std::time::Duration;

use base_model::Timestamp;
use store_db::{ApiTokenRow, UserRow};
use tokio::sync::watch;
use uuid::Uuid;

use crate::access::{Caller, Role, Standing};
use crate::api::Shared;
use crate::auth::api_token::TokenHash;
use crate::auth::token::Claims;
use crate::cache::Recent;
use crate::problem::Problem;

/// How old an account's row or a revocation may be; writes of this process count at once.
const AGE: Duration = Duration::from_secs(10);
/// How exactly is kept when an API token was last seen.
const SEEN: Duration = Duration::from_secs(60);

/// What is known of accounts and revocations.
pub(crate) struct Sessions {
    users: Recent<Uuid, Option<UserRow>>,
    revoked: Recent<String, bool>,
    tokens: Recent<TokenHash, Option<ApiTokenRow>>,
    changed: watch::Sender<u64>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            users: Recent::new(AGE),
            revoked: Recent::new(AGE),
            tokens: Recent::new(AGE),
            changed: watch::Sender::new(0),
        }
    }
}

impl Sessions {
    /// Who it is that calls by `standing`, if that still counts.
    pub(crate) async fn caller(&self, api: &Shared, standing: Standing) -> Result<Caller, Problem> {
        match standing {
            Standing::Session(claims) => self.account(api, claims).await,
            Standing::Token(hash) => self.program(api, hash).await,
            // Who that is, the connection says.
            Standing::Local => Err(Problem::credentials()),
        }
    }

    async fn account(&self, api: &Shared, claims: Claims) -> Result<Caller, Problem> {
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
            standing: Standing::Session(claims),
        })
    }

    async fn program(&self, api: &Shared, hash: TokenHash) -> Result<Caller, Problem> {
        let now = api.now();
        let token = self.token(api, &hash, now).await?.ok_or_else(Problem::credentials)?;
        if token.expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::credentials());
        }
        let role = Role::parse(&token.role).ok_or_else(Problem::credentials)?;
        Ok(Caller {
            uuid: Uuid::try_parse(&token.uuid).map_err(|_| Problem::credentials())?,
            username: format!("token {}", token.name),
            role,
            must_change_password: false,
            standing: Standing::Token(hash),
        })
    }

    async fn token(
        &self,
        api: &Shared,
        hash: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<ApiTokenRow>, Problem> {
        let reading = match self.tokens.get(hash, now) {
            Ok(token) => return Ok(token),
            Err(reading) => reading,
        };
        let token = api.db.api_tokens().by_hash(hash.as_str()).await?;
        if let Some(token) = &token
            && token.last_used_at.is_none_or(|seen| now.since(seen) >= SEEN)
            && let Ok(uuid) = Uuid::try_parse(&token.uuid)
        {
            api.db.api_tokens().used(uuid, now).await?;
        }
        self.tokens.put(reading, hash.clone(), token.clone(), now);
        Ok(token)
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
        self.tokens.forget();
        self.changed.send_modify(|n| *n += 1);
    }

    /// Hears of every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
