//! A web server of the decky's own distribution: Apache or nginx, as its persona says.
//!
//! HTTP/1.0 and 1.1 with keep-alive and pipelining. Serves the decky's `/var/www/html` (a file that
//! came in by another service is there), or one of a few applications with their log-in forms.
//! Every request is an event with its headers in wire order, and any credential it carries is
//! captured. Header order, error pages and `Keep-Alive` wording follow the claimed server.
//! Over TLS it is the service `https`. Not here: HTTP/2, compression, ranges, server-side scripts.

mod apps;
mod credentials;
mod parser;
mod personality;
mod session;

pub(crate) use session::{HttpSession, Scheme};

use base_model::{Kind, catalogue};
use decoys_kit::{Fidelity, Listen, Open, ServiceSpec, SettingKind, SettingSpec};

use crate::Service;

/// Applications that `fake_app` may name.
const APPS: &[&str] = &["none", "wordpress", "phpmyadmin", "tomcat"];

pub(crate) const SERVER_HEADER: SettingSpec = SettingSpec {
    key: "server_header",
    label: "Server header",
    kind: SettingKind::Text,
    help: "product the server claims to be, e.g. Apache/2.4.57 (Debian)",
};
pub(crate) const RESPONSE_CODE: SettingSpec = SettingSpec {
    key: "response_code",
    label: "Response code",
    kind: SettingKind::Int { min: 100, max: 599 },
    help: "status of pages that exist; 200 when unset",
};
pub(crate) const FAKE_APP: SettingSpec = SettingSpec {
    key: "fake_app",
    label: "Application",
    kind: SettingKind::Enum(APPS),
    help: "what is installed on it",
};
pub(crate) const CUSTOM_BODY: SettingSpec = SettingSpec {
    key: "custom_body",
    label: "Page",
    kind: SettingKind::Text,
    help: "HTML answered on every path; wins over the application",
};
/// What both services tell of.
pub(crate) const EVENTS: &[&Kind] = &[&catalogue::HTTP_REQUEST, &catalogue::PROTOCOL_ERROR];

/// The service.
pub static SERVICE: Service = Service {
    spec: ServiceSpec {
        name: "http",
        summary: "web server (Apache httpd or nginx) with pages, log-in forms and Basic auth",
        fidelity: Fidelity::Medium,
        listens: &[Listen::tcp(80)],
        settings: &[SERVER_HEADER, RESPONSE_CODE, FAKE_APP, CUSTOM_BODY],
        events: EVENTS,
    },
    open: Open::Stream(|opening| Box::new(HttpSession::new(opening, Scheme::Http))),
};
