//! What a decoy service is.
//!
//! A service is a [`Service`]: a description ([`ServiceSpec`]) that settings, forms, port map and
//! documentation derive from, and a way to open a session. A session is a state machine without
//! I/O: it is handed inputs and a [`Context`] holding time and entropy, and answers with
//! [`Effect`]s in order. The runtime performs them; nothing here knows of sockets or files.
//!
//! Start with [`service`], then [`session`] (byte streams) or [`ssh`] (what an SSH server decides).

pub mod choices;
pub mod conformance;
pub mod context;
pub mod recorder;
pub mod service;
pub mod session;
pub mod settings;
pub mod ssh;
pub mod tls;
pub mod transcript;

pub use choices::Choices;
pub use context::{Blob, Context, Effect};
pub use recorder::Recorder;
pub use service::{Fidelity, Listen, Open, Opening, Service, ServiceSpec};
pub use session::{Side, SideEvent, StreamContext, StreamReply, StreamSession};
pub use settings::{SettingError, SettingKind, SettingSpec, Settings};
pub use tls::{TlsFacts, TlsOffer, TlsServer};
