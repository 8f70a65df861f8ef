//! What russh tells us, put to the session.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use decoys_kit::ssh::{AuthAnswer, AuthTry, Channel, ChannelOpen, ChannelRequest, Method};
use russh::keys::{HashAlg, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey,
};
use russh::{ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty, Sig};
use tokio::sync::oneshot;

use super::brain::{Brain, Over, PendingAuth, number};

/// Ends the connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The session is over.
    #[error(transparent)]
    Over(#[from] Over),
    /// russh found fault with the client, or the connection broke.
    #[error(transparent)]
    Ssh(#[from] russh::Error),
}

/// State that handler and performer share.
#[derive(Default)]
pub(super) struct Shared {
    /// russh's names for channels.
    channels: Mutex<BTreeMap<Channel, ChannelId>>,
    pub(super) auth: Mutex<Option<PendingAuth>>,
}

impl Shared {
    pub(super) fn channel(&self, channel: Channel) -> Option<ChannelId> {
        self.channels().get(&channel).copied()
    }

    fn channels(&self) -> MutexGuard<'_, BTreeMap<Channel, ChannelId>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Client {
    pub(super) brain: Arc<Brain>,
    pub(super) shared: Arc<Shared>,
}

impl Client {
    /// Puts a try to the session and waits for its answer, which may be a while.
    async fn attempt(&self, user: &str, attempt: AuthTry) -> Result<Auth, Ended> {
        let (sender, answer) = oneshot::channel();
        *self.shared.auth.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        self.brain.step(|session, cx| session.on_auth(cx, user.as_bytes(), attempt))?;
        Ok(auth(answer.await.map_err(|_| Over)?))
    }

    async fn open(
        &self,
        channel: ChannelId,
        open: ChannelOpen,
        reply: ChannelOpenHandle,
    ) -> Result<(), Ended> {
        let number = number(channel);
        self.shared.channels().insert(number, channel);
        let answers =
            self.brain.step(|session, cx| session.on_channel_open(cx, number, open.clone()))?;
        match (answers.opened, open) {
            (Some(true), _) => reply.accept().await,
            (_, ChannelOpen::Session) => {
                reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            }
            (_, ChannelOpen::DirectTcpip { .. }) => {
                reply.reject(ChannelOpenFailure::ConnectFailed).await;
            }
        }
        Ok(())
    }

    fn request(
        &self,
        channel: ChannelId,
        request: ChannelRequest,
        session: &mut Session,
    ) -> Result<(), Ended> {
        let number = number(channel);
        let answers = self.brain.step(|brain, cx| brain.on_channel_request(cx, number, request))?;
        if answers.requested.unwrap_or(false) {
            session.channel_success(channel)?;
        } else {
            session.channel_failure(channel)?;
        }
        Ok(())
    }
}

fn auth(answer: AuthAnswer) -> Auth {
    match answer {
        AuthAnswer::Accept => Auth::Accept,
        AuthAnswer::Reject(methods) => {
            let mut set = MethodSet::empty();
            for method in methods {
                set.push(match method {
                    Method::PublicKey => MethodKind::PublicKey,
                    Method::Password => MethodKind::Password,
                    Method::KeyboardInteractive => MethodKind::KeyboardInteractive,
                });
            }
            Auth::Reject { proceed_with_methods: Some(set), partial_success: false }
        }
        AuthAnswer::Prompt(prompts) => Auth::Partial {
            name: "".into(),
            instructions: "".into(),
            prompts: prompts.into_iter().map(|(text, echo)| (text.into(), echo)).collect(),
        },
    }
}

fn key(public: &PublicKey, algorithm: &russh::keys::Algorithm, signed: bool) -> AuthTry {
    AuthTry::PublicKey {
        algorithm: algorithm.to_string(),
        fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
        signed,
    }
}

impl Handler for Client {
    type Error = Ended;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Ended> {
        self.attempt(user, AuthTry::None).await
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Ended> {
        self.attempt(user, AuthTry::Password(password.as_bytes().to_vec())).await
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Ended> {
        let answers = response.into_iter().flatten().map(|answer| answer.to_vec()).collect();
        self.attempt(user, AuthTry::KeyboardInteractive(answers)).await
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Ended> {
        self.attempt(user, key(offer.public_key, offer.algorithm, false)).await
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        used: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Ended> {
        self.attempt(user, key(used.public_key, used.algorithm, true)).await
    }

    async fn channel_open_session(
        &mut self,
        channel: russh::Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Ended> {
        self.open(channel.id(), ChannelOpen::Session, reply).await
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: russh::Channel<Msg>,
        host: &str,
        port: u32,
        _originator: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Ended> {
        let open = ChannelOpen::DirectTcpip { host: host.as_bytes().to_vec(), port };
        self.open(channel.id(), open, reply).await
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Ended> {
        let modes = modes.iter().map(|(mode, value)| (*mode as u8, *value)).collect();
        let term = term.as_bytes().to_vec();
        self.request(channel, ChannelRequest::Pty { term, size: (columns, rows), modes }, session)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Ended> {
        self.request(channel, ChannelRequest::X11Forward, session)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Ended> {
        let (name, value) = (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        self.request(channel, ChannelRequest::Env { name, value }, session)
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Ended> {
        self.request(channel, ChannelRequest::Shell, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), Ended> {
        self.request(channel, ChannelRequest::Exec(line.to_vec()), session)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Ended> {
        self.request(channel, ChannelRequest::Subsystem(name.as_bytes().to_vec()), session)
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        _width: u32,
        _height: u32,
        session: &mut Session,
    ) -> Result<(), Ended> {
        self.request(channel, ChannelRequest::WindowChange(columns, rows), session)
    }

    async fn agent_request(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<bool, Ended> {
        let number = number(channel);
        let request = ChannelRequest::AgentForward;
        let answers = self.brain.step(|brain, cx| brain.on_channel_request(cx, number, request))?;
        Ok(answers.requested.unwrap_or(false))
    }

    async fn signal(
        &mut self,
        channel: ChannelId,
        signal: Sig,
        _session: &mut Session,
    ) -> Result<(), Ended> {
        let request = ChannelRequest::Signal(format!("{signal:?}").into_bytes());
        let number = number(channel);
        self.brain.step(|brain, cx| brain.on_channel_request(cx, number, request))?;
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), Ended> {
        self.brain.step(|session, cx| session.on_data(cx, number(channel), data))?;
        Ok(())
    }

    async fn channel_eof(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Ended> {
        self.brain.step(|session, cx| session.on_eof(cx, number(channel)))?;
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Ended> {
        self.brain.step(|session, cx| session.on_channel_close(cx, number(channel)))?;
        self.shared.channels().remove(&number(channel));
        Ok(())
    }
}
