//! Before a login: requests for encryption, cancelling, the start-up packet.

use base_model::catalogue;
use decoys_kit::StreamContext;
use rand_core::Rng as _;

use super::{PostgresSession, State};
use crate::postgres::errors::{self, fatal};
use crate::postgres::parser::{self, Parsed, Start};
use crate::postgres::persona::Method;
use crate::postgres::replies;
use crate::postgres::server::Server;

impl PostgresSession {
    /// Reads a packet before the session; says whether there was one.
    pub(super) fn begin(&mut self, cx: &mut StreamContext<'_>) -> bool {
        match parser::start(&mut self.input) {
            Parsed::Need => return false,
            Parsed::Bad => {
                let sample = self.input.sample(4);
                cx.emit(catalogue::protocol_error("invalid length of startup packet", sample));
                cx.commit();
                self.end(cx);
            }
            Parsed::Done(Start::Tls) if self.speaks_tls() && self.me.tls.is_none() => {
                // What came with the request was not encrypted, and is not taken for what was.
                self.input.clear();
                self.upgrading = true;
                cx.send(*b"S");
                cx.start_tls();
                return false;
            }
            // Asked for again inside TLS, it is taken for a version of the protocol.
            Parsed::Done(Start::Tls) if self.me.tls.is_some() => {
                self.start(cx, parser::TLS_REQUEST, Vec::new(), true);
            }
            Parsed::Done(Start::Gss) if self.me.tls.is_some() => {
                self.start(cx, parser::GSS_REQUEST, Vec::new(), true);
            }
            Parsed::Done(Start::Tls | Start::Gss) if self.asked < 2 => {
                self.asked += 1;
                cx.send(*b"N");
            }
            Parsed::Done(Start::Tls | Start::Gss | Start::Cancel) => self.end(cx),
            Parsed::Done(Start::Session { version, parameters, ended }) => {
                self.start(cx, version, parameters, ended);
            }
        }
        true
    }

    fn speaks_tls(&self) -> bool {
        let asked = |server: &mut Server| server.persona.tls;
        self.host.with(|machine| machine.with_kept(|_, server: &mut Server| asked(server)))
    }

    pub(super) fn start(
        &mut self,
        cx: &mut StreamContext<'_>,
        version: u32,
        parameters: Vec<(Vec<u8>, Vec<u8>)>,
        ended: bool,
    ) {
        let now = cx.now();
        let (release, method) = self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                (server.persona.version.clone(), server.persona.method)
            })
        });
        self.method = method;
        let (major, minor) = (version >> 16, version & 0xffff);
        let value = |name: &[u8]| {
            parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let user = value(b"user").unwrap_or_default();
        let database =
            value(b"database").filter(|name| !name.is_empty()).unwrap_or_else(|| user.clone());
        cx.emit(catalogue::postgres_startup(
            &user,
            &database,
            &format!("{major}.{minor}"),
            &parameters,
        ));
        cx.commit();
        if major != 3 {
            let text = format!(
                "unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.0"
            );
            let refused = fatal(
                "0A000",
                text,
                ("postmaster.c", errors::version_line(&release), "ProcessStartupPacket"),
            );
            return self.refuse(cx, &refused, true);
        }
        if !ended {
            let refused = fatal(
                "08P01",
                "invalid startup packet layout: expected terminator as last byte",
                ("postmaster.c", 2337, "ProcessStartupPacket"),
            );
            return self.refuse(cx, &refused, true);
        }
        if user.is_empty() {
            let refused = fatal(
                "28000",
                "no PostgreSQL user name specified in startup packet",
                ("postmaster.c", 2351, "ProcessStartupPacket"),
            );
            return self.refuse(cx, &refused, true);
        }
        let mut out = Vec::new();
        let unknown: Vec<&Vec<u8>> = parameters
            .iter()
            .map(|(name, _)| name)
            .filter(|name| name.starts_with(b"_pq_."))
            .collect();
        if minor > 0 || !unknown.is_empty() {
            let mut content = 0x3_0000_u32.to_be_bytes().to_vec();
            content.extend(u32::try_from(unknown.len()).unwrap_or(0).to_be_bytes());
            for name in unknown {
                content.extend(name);
                content.push(0);
            }
            replies::message(&mut out, b'v', &content);
        }
        self.me.user = String::from_utf8_lossy(&user).chars().take(63).collect();
        self.me.database = String::from_utf8_lossy(&database).chars().take(63).collect();
        self.me.application = value(b"application_name")
            .map(|name| String::from_utf8_lossy(&name).chars().take(63).collect())
            .unwrap_or_default();
        self.parameters = parameters;
        match self.method {
            Method::Scram => {
                let mechanisms: &[u8] = match self.me.tls {
                    Some(_) => b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0",
                    None => b"SCRAM-SHA-256\0\0",
                };
                replies::authentication(&mut out, 10, mechanisms);
                self.state = State::ScramFirst;
            }
            Method::Md5 => {
                let mut salt = [0; 4];
                cx.rng().fill_bytes(&mut salt);
                replies::authentication(&mut out, 5, &salt);
                self.state = State::Password(Some(salt));
            }
            Method::Clear => {
                replies::authentication(&mut out, 3, &[]);
                self.state = State::Password(None);
            }
        }
        cx.send(out);
    }
}
