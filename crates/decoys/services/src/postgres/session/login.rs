//! Proof of passwords, and what a server tells of itself after it.

use std::time::Duration;

use base_model::catalogue::{self, Challenge, DatabaseAuth};
use base_model::{Fields, Secret, SecretKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use decoys_kit::StreamContext;
use rand_core::Rng as _;

use super::{LOOK, PostgresSession, SAMPLE, State};
use crate::postgres::auth::{self, Binding, Scram};
use crate::postgres::errors::fatal;
use crate::postgres::parser::Reader;
use crate::postgres::replies;
use crate::postgres::server::{Connection, Server};

impl PostgresSession {
    /// The password of the role, if there is one that logs in.
    pub(super) fn known(&self) -> Option<(String, bool)> {
        let name = &self.me.user;
        self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                let role = server.persona.roles.iter().find(|role| role.name == *name);
                let role = role.map(|role| (role.password.clone(), role.admin));
                role.or_else(|| {
                    server
                        .left
                        .roles
                        .get(name)
                        .cloned()
                        .filter(|(password, _)| !password.is_empty())
                })
            })
        })
    }

    fn tell_login(
        &self,
        cx: &mut StreamContext<'_>,
        secret: Secret,
        challenge: Option<Challenge>,
        method: &str,
        accepted: bool,
        mut more: Fields,
    ) {
        if self.me.application.is_empty() {
            more = more.with("application_name", "");
        } else {
            more = more.with("application_name", self.me.application.clone());
        }
        cx.emit(catalogue::database_auth(&DatabaseAuth {
            principal: Some(self.me.user.as_bytes()),
            secret: Some(secret),
            challenge,
            method,
            database: Some(self.me.database.as_bytes()),
            accepted,
            more,
        }));
    }

    pub(super) fn password(
        &mut self,
        cx: &mut StreamContext<'_>,
        salt: Option<[u8; 4]>,
        content: &[u8],
    ) {
        self.attempts += 1;
        let given = content.strip_suffix(b"\0").unwrap_or(content);
        let known = self.known();
        let (accepted, admin) = match (&known, salt) {
            (Some((password, admin)), Some(salt)) => (
                auth::md5_answer(self.me.user.as_bytes(), password.as_bytes(), salt).as_bytes()
                    == given,
                *admin,
            ),
            (Some((password, admin)), None) => (password.as_bytes() == given, *admin),
            (None, _) => (false, false),
        };
        match salt {
            Some(salt) => {
                let shown = String::from_utf8_lossy(given).into_owned();
                let digits = shown.strip_prefix("md5").unwrap_or_default();
                let digest: Vec<u8> = (0..digits.len() / 2)
                    .filter_map(|at| u8::from_str_radix(digits.get(at * 2..at * 2 + 2)?, 16).ok())
                    .collect();
                let (kind, bytes) = if digest.len() == 16 {
                    (SecretKind::PostgresMd5, digest)
                } else {
                    (SecretKind::Plaintext, given.to_vec())
                };
                let line = (bytes.len() == 16)
                    .then(|| auth::md5_line(self.me.user.as_bytes(), salt, &shown));
                let challenge = Challenge {
                    bytes: salt.to_vec(),
                    crack_mode: line.is_some().then_some("11100"),
                    crack: line,
                };
                let more = Fields::new().bytes("pw_hash", given);
                self.tell_login(cx, Secret { kind, bytes }, Some(challenge), "md5", accepted, more);
            }
            None => self.tell_login(
                cx,
                Secret::plaintext(given),
                None,
                "password",
                accepted,
                Fields::new(),
            ),
        }
        self.judged(cx, accepted, admin, "md5", Vec::new());
    }

    pub(super) fn scram_first(&mut self, cx: &mut StreamContext<'_>, content: &[u8]) {
        let mut reader = Reader(content);
        let mechanism = reader.text().unwrap_or_default();
        let length = reader.int().unwrap_or(0);
        let message =
            usize::try_from(length).ok().and_then(|length| reader.take(length)).unwrap_or_default();
        let mut fresh = [0; 18];
        cx.rng().fill_bytes(&mut fresh);
        let salt = self.host.choices().bytes::<16>(&format!("postgres.salt.{}", self.me.user));
        let binding = match (mechanism, &self.me.tls) {
            (b"SCRAM-SHA-256", None) => Some(Binding::Impossible),
            (b"SCRAM-SHA-256", Some(_)) => Some(Binding::Declined),
            (b"SCRAM-SHA-256-PLUS", Some(_)) => Some(Binding::Chosen),
            _ => None,
        };
        let scram = binding.and_then(|binding| Scram::begin(message, &fresh, salt, binding));
        let Some(scram) = scram else {
            let sample = content.get(..SAMPLE).unwrap_or(content);
            cx.emit(catalogue::protocol_error("malformed SCRAM message", sample));
            cx.commit();
            let refused = if binding.is_some() {
                fatal(
                    "08P01",
                    "malformed SCRAM message",
                    ("auth-scram.c", 960, "read_client_first_message"),
                )
            } else {
                fatal(
                    "08P01",
                    "client selected an invalid SASL authentication mechanism",
                    ("auth-scram.c", 273, "scram_init"),
                )
            };
            return self.refuse(cx, &refused, true);
        };
        let mut out = Vec::new();
        replies::authentication(&mut out, 11, scram.first().as_bytes());
        cx.send(out);
        self.state = State::ScramLast(Box::new(scram));
    }

    pub(super) fn scram_last(&mut self, cx: &mut StreamContext<'_>, scram: &Scram, content: &[u8]) {
        self.attempts += 1;
        let Some(proof) = scram.finish(content) else {
            let sample = content.get(..SAMPLE).unwrap_or(content);
            cx.emit(catalogue::protocol_error("malformed SCRAM message", sample));
            cx.commit();
            let refused = fatal(
                "08P01",
                "malformed SCRAM message",
                ("auth-scram.c", 1330, "read_client_final_message"),
            );
            return self.refuse(cx, &refused, true);
        };
        let known = self.known();
        let signed = known.as_ref().and_then(|(password, _)| proof.proves(password.as_bytes()));
        let more = Fields::new()
            .with("scram_salt_b64", STANDARD.encode(proof.salt))
            .with("scram_iterations", auth::ITERATIONS)
            .bytes("scram_auth_message", &proof.message);
        let secret = Secret { kind: SecretKind::ScramSha256, bytes: proof.proof.clone() };
        // No cracker takes an exchange; see `auth`.
        let challenge = Challenge { bytes: proof.message.clone(), crack: None, crack_mode: None };
        self.tell_login(cx, secret, Some(challenge), "scram-sha-256", signed.is_some(), more);
        let mut out = Vec::new();
        if let Some(signed) = &signed {
            replies::authentication(&mut out, 12, signed.as_bytes());
        }
        let admin = known.is_some_and(|(_, admin)| admin);
        self.judged(cx, signed.is_some(), admin, "scram-sha-256", out);
    }

    /// The password was right or not; `out` is what goes before.
    fn judged(
        &mut self,
        cx: &mut StreamContext<'_>,
        accepted: bool,
        admin: bool,
        method: &str,
        mut out: Vec<u8>,
    ) {
        if !accepted {
            cx.commit();
            let text = format!("password authentication failed for user \"{}\"", self.me.user);
            replies::refuse(&mut out, &fatal("28P01", text, ("auth.c", 334, "auth_failed")));
            let wait = Duration::from_micros(20_000 + u64::from(cx.rng().next_u32() % 70_000));
            self.pace.hold(cx.now() + wait, out, true);
            self.state = State::Over;
            return;
        }
        cx.emit(catalogue::login_success(self.me.user.as_bytes(), method, self.attempts));
        cx.commit();
        self.me.admin = admin;
        let now = cx.now();
        let me = &mut self.me;
        let (there, version) = self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                me.pid = server.fork(now);
                let there =
                    server.store.database(&me.database).is_some() && me.database != "template0";
                let connection = Connection {
                    user: me.user.clone(),
                    database: me.database.clone(),
                    application: me.application.clone(),
                    address: me.address.clone(),
                    tls: me.tls.clone(),
                    port: me.port,
                    since: now,
                    query_since: now,
                    query: String::new(),
                    active: false,
                    killed: false,
                };
                if there {
                    server.list(me.pid, connection);
                }
                (there, server.persona.version.clone())
            })
        });
        replies::authentication(&mut out, 0, &[]);
        if !there {
            let refused = if self.me.database == "template0" {
                fatal(
                    "55000",
                    "database \"template0\" is not currently accepting connections",
                    ("postinit.c", 353, "CheckMyDatabase"),
                )
            } else {
                fatal(
                    "3D000",
                    format!("database \"{}\" does not exist", self.me.database),
                    ("postinit.c", 948, "InitPostgres"),
                )
            };
            replies::refuse(&mut out, &refused);
            cx.send(out);
            return self.end(cx);
        }
        self.greet(cx, &mut out, &version);
        cx.send(out);
        self.state = State::Ready;
        self.pace.deadline = None;
        self.pace.look = Some(cx.now() + LOOK);
    }

    /// What the server tells of itself when somebody is in.
    fn greet(&mut self, cx: &mut StreamContext<'_>, out: &mut Vec<u8>, version: &str) {
        let given = |name: &str| {
            self.parameters
                .iter()
                .find(|(known, _)| known == name.as_bytes())
                .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let major: u32 = version.split('.').next().and_then(|n| n.parse().ok()).unwrap_or(15);
        let encoding = given("client_encoding").map(|name| {
            if name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("utf-8") {
                "UTF8".to_owned()
            } else {
                name
            }
        });
        let pairs = [
            ("application_name", self.me.application.clone()),
            ("client_encoding", encoding.unwrap_or_else(|| "UTF8".to_owned())),
            ("DateStyle", "ISO, MDY".to_owned()),
            ("default_transaction_read_only", "off".to_owned()),
            ("in_hot_standby", "off".to_owned()),
            ("integer_datetimes", "on".to_owned()),
            ("IntervalStyle", "postgres".to_owned()),
            ("is_superuser", if self.me.admin { "on" } else { "off" }.to_owned()),
            ("server_encoding", "UTF8".to_owned()),
            ("server_version", version.to_owned()),
            ("session_authorization", self.me.user.clone()),
            ("standard_conforming_strings", "on".to_owned()),
            ("TimeZone", given("TimeZone").unwrap_or_else(|| "Etc/UTC".to_owned())),
        ];
        for (name, value) in pairs {
            // Both came with release 14.
            if major < 14 && matches!(name, "default_transaction_read_only" | "in_hot_standby") {
                continue;
            }
            replies::parameter(out, name, &value);
        }
        self.secret = cx.rng().next_u32();
        let pid = u32::try_from(self.me.pid).unwrap_or(u32::MAX);
        replies::message(out, b'K', &[pid.to_be_bytes(), self.secret.to_be_bytes()].concat());
        replies::ready(out, self.me.state);
    }
}
