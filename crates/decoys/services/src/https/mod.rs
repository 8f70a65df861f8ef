//! The web server of [`crate::http`] behind TLS.
//!
//! Handshake, certificate and the events of both are the secure edge's; see `decoys_secure::tls`. A
//! client that speaks plain text here gets the answer that its server has for that. Not here: HTTP/2
//! and HTTP/3.

use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;
use crate::http::{self, HttpSession, Scheme};

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "https",
        summary: "web server (Apache httpd or nginx) behind TLS, with a certificate of its own",
        fidelity: Fidelity::Medium,
        listens: &[Listen::tls(443)],
        settings: &[
            http::SERVER_HEADER,
            http::RESPONSE_CODE,
            http::FAKE_APP,
            http::CUSTOM_BODY,
            SettingSpec {
                key: "tls_cn",
                label: "Certificate name",
                kind: SettingKind::Text,
                help: "name in the certificate; the machine's own when unset",
            },
            SettingSpec {
                key: "tls_cert",
                label: "Certificate",
                kind: SettingKind::Text,
                help: "certificate chain as PEM text, with tls_key; one of its own when unset",
            },
            SettingSpec {
                key: "tls_key",
                label: "Certificate key",
                kind: SettingKind::Password,
                help: "private key of tls_cert as PEM text, without a passphrase",
            },
        ],
        events: http::EVENTS,
    },
    open: Open::Stream(|opening| Box::new(HttpSession::new(opening, Scheme::Https))),
};
