//! The description of a service, and how a connection to it is opened.

use base_model::{Kind, Peer, SessionId, Transport};

use crate::session::StreamSession;
use crate::settings::{SettingSpec, Settings};
use crate::ssh::SshSession;

/// How far a service goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// Captures what is sent and refuses.
    Low,
    /// Answers as the product does before a login.
    Medium,
    /// Accepts a login and serves state.
    High,
}

/// A port a service listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Transport.
    pub transport: Transport,
    /// Port.
    pub port: u16,
    /// Ports for data connections beside it, opened for one client at a time.
    pub data_ports: u8,
    /// TLS from the first byte.
    pub tls: bool,
}

impl Listen {
    /// `port`/tcp.
    #[must_use]
    pub const fn tcp(port: u16) -> Self {
        Self { transport: Transport::Tcp, port, data_ports: 0, tls: false }
    }

    /// `port`/tcp, with TLS from the first byte.
    #[must_use]
    pub const fn tls(port: u16) -> Self {
        Self { tls: true, ..Self::tcp(port) }
    }

    /// With `count` ports for data connections, which the uplink chooses.
    #[must_use]
    pub const fn with_data_ports(self, count: u8) -> Self {
        Self { data_ports: count, ..self }
    }
}

/// Everything about a service that is data. Fleet, API and documentation read only this.
#[derive(Debug)]
pub struct ServiceSpec {
    /// Registry name, `^[a-z0-9_]{1,16}$`.
    pub name: &'static str,
    /// What it imitates, one line.
    pub summary: &'static str,
    /// How far it goes.
    pub fidelity: Fidelity,
    /// Ports it serves by default.
    pub listens: &'static [Listen],
    /// Settings an operator may give.
    pub settings: &'static [SettingSpec],
    /// Kinds of event it may emit; others fail the conformance tests.
    pub events: &'static [&'static Kind],
}

/// What a new session is born with. Identity is the runtime's; an attacker cannot change it.
#[derive(Debug)]
pub struct Opening<H> {
    /// The machine the service runs on.
    pub host: H,
    /// The operator's settings for it.
    pub settings: Settings,
    /// Who connected.
    pub peer: Peer,
    /// To where.
    pub local: Peer,
    /// The connection's first session id.
    pub session: SessionId,
}

/// How connections to a service become sessions.
pub enum Open<H> {
    /// A byte stream.
    Stream(fn(Opening<H>) -> Box<dyn StreamSession>),
    /// SSH, terminated by the secure edge.
    Ssh(fn(Opening<H>) -> Box<dyn SshSession>),
}

/// A decoy service over machines of type `H`.
pub struct Service<H> {
    /// Its description.
    pub spec: ServiceSpec,
    /// How it opens a session.
    pub open: Open<H>,
}
