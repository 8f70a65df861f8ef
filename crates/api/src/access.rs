//! Who may call a route. [`Routes::add`] takes an [`Access`], so a route without one does not compile.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::UtoipaMethodRouter;
use uuid::Uuid;

use crate::api::Shared;
use crate::auth::api_token::{self, TokenHash};
use crate::auth::token::Claims;
use crate::params::Params;
use crate::problem::Problem;

/// What an account may do. An administrator may do all that a viewer may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// May read.
    Viewer,
    /// May do everything.
    Admin,
}

impl Role {
    /// The name stored in `users.role`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Admin].into_iter().find(|role| role.name() == name)
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a valid token, also while their password must be changed.
    AnyToken,
    /// An account or API token with at least this role.
    Role(Role),
    /// An account with at least this role, and no API token: what a program must not do to itself.
    Person(Role),
    /// The same, with a ticket in place of a token: live streams, whose browser side cannot send
    /// headers.
    Stream(Role),
    /// An account with at least this role; in developer mode anybody.
    UnlessDeveloper(Role),
}

impl Access {
    /// A short word for the OpenAPI document.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::AnyToken => "any-token",
            Self::Role(role)
            | Self::Person(role)
            | Self::Stream(role)
            | Self::UnlessDeveloper(role) => role.name(),
        }
    }
}

/// A route with who may call it.
pub(crate) struct Route {
    pub(crate) access: Access,
    pub(crate) handler: UtoipaMethodRouter<Shared>,
}

/// The routes.
#[derive(Default)]
pub(crate) struct Routes(pub(crate) Vec<Route>);

impl Routes {
    /// Adds what `routes!` makes of one handler.
    pub(crate) fn add(&mut self, access: Access, handler: UtoipaMethodRouter<Shared>) {
        self.0.push(Route { access, handler });
    }
}

/// What somebody calls by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A session of an account.
    Session(Claims),
    /// A key for programs.
    Token(TokenHash),
    /// Being an operator of this machine, who needs neither.
    Local,
}

/// Who calls: who passed the route's gate.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Of the account or the API token.
    pub(crate) uuid: Uuid,
    pub(crate) username: String,
    pub(crate) role: Role,
    pub(crate) must_change_password: bool,
    pub(crate) standing: Standing,
}

impl Caller {
    /// The account that calls, unless it is a program or an operator of this machine.
    pub(crate) const fn account(&self) -> Option<Uuid> {
        match self.standing {
            Standing::Session(_) => Some(self.uuid),
            Standing::Token(_) | Standing::Local => None,
        }
    }

    /// The session it calls in.
    pub(crate) fn session(&self) -> Result<&Claims, Problem> {
        match &self.standing {
            Standing::Session(claims) => Ok(claims),
            Standing::Token(_) | Standing::Local => Err(Problem::credentials()),
        }
    }
}

/// Whoever calls on the local socket: the user that runs DECNET, or root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Local {
    /// The user's number.
    pub(crate) uid: u32,
}

impl Local {
    fn caller(self) -> Caller {
        Caller {
            uuid: Uuid::nil(),
            username: format!("local (uid {})", self.uid),
            role: Role::Admin,
            must_change_password: false,
            standing: Standing::Local,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Only a public route has no caller, and none of those asks for one.
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::credentials)
    }
}

/// Lets a request through to a route, or not.
pub(crate) async fn gate(
    api: Shared,
    access: Access,
    mut request: Request,
    next: Next,
) -> Response {
    let (role, with_ticket) = match access {
        Access::Public => return next.run(request).await,
        Access::UnlessDeveloper(_) if api.config.developer => return next.run(request).await,
        Access::AnyToken => (None, false),
        Access::Role(role) | Access::Person(role) | Access::UnlessDeveloper(role) => {
            (Some(role), false)
        }
        Access::Stream(role) => (Some(role), true),
    };
    // A body cannot be shared between threads, so the request is not held while the store is asked.
    let standing = standing(&api, with_ticket, &request);
    // What is about one's own account needs an account.
    if let (None, Some(_), Some(local)) = (&standing, role, request.extensions().get::<Local>()) {
        let caller = local.caller();
        request.extensions_mut().insert(caller);
        return next.run(request).await;
    }
    match admit(&api, access, role, standing).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// What a request shows a token or ticket of.
fn standing(api: &Shared, with_ticket: bool, request: &Request) -> Option<Standing> {
    if let Some(token) = bearer(request) {
        return match api_token::hash(token) {
            Some(hash) => Some(Standing::Token(hash)),
            None => api.tokens.verify(token, api.now()).map(Standing::Session),
        };
    }
    if !with_ticket {
        return None;
    }
    let params = Params::parse(request.uri().query().unwrap_or_default());
    api.tickets.redeem(params.raw("ticket")?, api.now()).map(Standing::Session)
}

async fn admit(
    api: &Shared,
    access: Access,
    role: Option<Role>,
    standing: Option<Standing>,
) -> Result<Caller, Problem> {
    let standing = standing.ok_or_else(Problem::credentials)?;
    let caller = api.sessions.caller(api, standing).await?;
    let Some(role) = role else {
        caller.session()?;
        return Ok(caller);
    };
    let forbidden = |code, detail| Problem::new(StatusCode::FORBIDDEN, code, detail);
    if caller.must_change_password {
        let detail = "Password change required before accessing this resource";
        return Err(forbidden("password_change_required", detail));
    }
    if caller.role < role {
        return Err(forbidden("insufficient_permissions", "Insufficient permissions"));
    }
    if matches!((access, &caller.standing), (Access::Person(_), Standing::Token(_))) {
        let detail = "An API token may not do this; log in";
        return Err(forbidden("account_required", detail));
    }
    Ok(caller)
}

/// The token of the `Authorization` header (RFC 6750 §2.1; the scheme in any case).
fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
