//! Greeting and login.

use std::time::Duration;

use base_model::catalogue::{self, Challenge, DatabaseAuth};
use base_model::{Fields, Secret, SecretKind};
use decoys_kit::StreamContext;
use rand_core::Rng as _;

use super::{CACHING, IDLE, LOOK, MysqlSession, NATIVE, SAMPLE, State};
use crate::mysql::errors::{denied, refusal};
use crate::mysql::parser::{self, CONNECT_ATTRS, Login, PLUGIN_AUTH, SSL};
use crate::mysql::replies::{AUTOCOMMIT, Packets, Tracked};
use crate::mysql::server::Server;
use crate::mysql::{auth, statements};

/// The client may go on in TLS, in the lower half of the capabilities.
const CLIENT_SSL: u16 = 0x0800;

/// What `caching_sha2_password` says when it has not seen the password yet.
const FULL_AUTHENTICATION: [u8; 2] = [1, 4];

/// What a response is.
#[derive(Clone, Copy)]
enum Proof<'s> {
    /// The answer to this salt.
    Of(&'s [u8; 20]),
    /// The password itself.
    Password,
}

impl MysqlSession {
    fn fresh_salt(&mut self, cx: &mut StreamContext<'_>) {
        let mut bytes = [0; 20];
        cx.rng().fill_bytes(&mut bytes);
        // Printable, as the server makes them: no NUL, no dollar.
        for byte in &mut bytes {
            *byte = 33 + *byte % 94;
            if *byte == b'$' {
                *byte = b'%';
            }
        }
        self.salt = bytes;
    }

    pub(super) fn greet(&mut self, cx: &mut StreamContext<'_>) {
        self.fresh_salt(cx);
        let now = cx.now();
        let host = format!("{}:{}", self.peer, self.port);
        let (id, version, charset, maria, tls) = self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                let id = server.connect(host, now);
                let persona = &server.persona;
                (id, persona.greeting(), persona.charset(), persona.maria, persona.tls)
            })
        });
        self.me.id = id;
        self.me.host.clone_from(&self.peer);
        self.charset = charset;
        self.maria = maria;
        self.offers_tls = tls;
        let mut out = vec![10];
        out.extend(version.as_bytes());
        out.push(0);
        out.extend(u32::try_from(id).unwrap_or(u32::MAX).to_le_bytes());
        let (head, tail) = self.salt.split_at(8);
        out.extend(head);
        out.push(0);
        let (low, high, extended): (u16, u16, [u8; 4]) =
            if maria { (0xf7fe, 0x81ff, [0x1d, 0, 0, 0]) } else { (0xf7ff, 0xdfff, [0; 4]) };
        let low = if tls { low | CLIENT_SSL } else { low };
        out.extend(low.to_le_bytes());
        out.push(charset);
        out.extend(AUTOCOMMIT.to_le_bytes());
        out.extend(high.to_le_bytes());
        out.push(21);
        out.extend([0; 6]);
        out.extend(extended);
        out.extend(tail);
        out.push(0);
        out.extend(if maria { NATIVE } else { CACHING });
        out.push(0);
        let mut packets = Packets::from(0);
        packets.push(&out);
        cx.send(packets.out);
    }

    /// The answer to the greeting.
    pub(super) fn first(&mut self, cx: &mut StreamContext<'_>, next: u8, packet: &[u8]) {
        let Some(login) = parser::login(packet) else {
            let sample = packet.get(..SAMPLE).unwrap_or(packet);
            cx.emit(catalogue::protocol_error("not a login", sample));
            cx.commit();
            return self.refuse(cx, next, &refusal(1043, "Bad handshake"), true);
        };
        if login.user.is_empty() && login.capabilities & SSL != 0 && packet.len() <= 32 {
            if self.offers_tls && self.me.tls.is_none() {
                // What came with the request was not encrypted, and is not taken for what was.
                self.input.clear();
                self.upgrading = true;
                self.state = State::Greeted;
                return cx.start_tls();
            }
            cx.emit(catalogue::protocol_error("tls asked for", packet));
            cx.commit();
            return self.refuse(cx, next, &refusal(1043, "Bad handshake"), true);
        }
        self.capabilities = login.capabilities;
        self.extended = if self.maria { login.extended } else { 0 };
        if login.charset != 0 {
            self.charset = login.charset;
        }
        self.ask_or_judge(cx, next, login);
    }

    /// Judges the login, or asks again for proof of the kind that is kept.
    pub(super) fn ask_or_judge(&mut self, cx: &mut StreamContext<'_>, next: u8, login: Login) {
        let caching = login.plugin.as_deref() == Some(CACHING);
        if caching && !self.maria && self.me.tls.is_some() && !login.response.is_empty() {
            let mut packets = Packets::from(next);
            packets.push(&FULL_AUTHENTICATION);
            cx.send(packets.out);
            self.state = State::Asked(login);
            return;
        }
        let native = login.plugin.as_deref().is_none_or(|plugin| plugin == NATIVE);
        let fits = login.response.is_empty() || login.response.len() == 20;
        let can_switch = login.capabilities & PLUGIN_AUTH != 0;
        let asks = !native || (!self.maria && login.plugin.is_none());
        if can_switch && (asks || !fits) {
            let first = self.salt;
            self.fresh_salt(cx);
            let mut out = vec![0xfe];
            out.extend(NATIVE);
            out.push(0);
            out.extend(self.salt);
            out.push(0);
            let mut packets = Packets::from(next);
            packets.push(&out);
            cx.send(packets.out);
            self.state = State::Switched(login, first);
            return;
        }
        self.judge(cx, next, login, false);
    }

    /// Lets in or refuses; with `plain` the response is the password itself.
    pub(super) fn judge(
        &mut self,
        cx: &mut StreamContext<'_>,
        next: u8,
        login: Login,
        plain: bool,
    ) {
        self.attempts += 1;
        let name = String::from_utf8_lossy(&login.user).into_owned();
        let (response, salt) = (login.response.clone(), self.salt);
        let proves = |stored: &auth::Stored| match plain {
            true => auth::stored(&response) == *stored,
            false => auth::proves(&response, &salt, stored),
        };
        let admin = self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                if let Some(user) = server.persona.users.iter().find(|user| user.name == name) {
                    let proven = match &user.stored {
                        None => response.is_empty(),
                        Some(stored) => proves(stored),
                    };
                    return proven.then_some(user.admin);
                }
                let made = server.left.users.get(&name)?;
                let stored: Vec<u8> = (0..made.len() / 2)
                    .filter_map(|at| u8::from_str_radix(made.get(at * 2..at * 2 + 2)?, 16).ok())
                    .collect();
                let proven = match <auth::Stored>::try_from(stored) {
                    Ok(stored) => proves(&stored),
                    Err(_) => response.is_empty(),
                };
                proven.then_some(true)
            })
        });
        let proof = if plain { Proof::Password } else { Proof::Of(&self.salt) };
        self.tell_login(cx, &login, proof, admin.is_some());
        let Some(admin) = admin else {
            let refused = denied(&login.user, &self.peer, !login.response.is_empty());
            cx.commit();
            let wait = Duration::from_micros(15_000 + u64::from(cx.rng().next_u32() % 75_000));
            let mut packets = Packets::from(next);
            packets.error(refused.code, refused.state, &refused.text);
            return self.hold(cx, wait, packets.out, true);
        };
        let method = if plain { "caching_sha2_password" } else { "mysql_native_password" };
        cx.emit(catalogue::login_success(&login.user, method, self.attempts));
        cx.commit();
        self.me.user.clone_from(&name);
        self.me.admin = admin;
        self.note(|connection| connection.user.clone_from(&name));
        self.state = State::Ready;
        self.pace.deadline = Some(cx.now() + IDLE);
        let mut tracked = Tracked::default();
        if let Some(database) = &login.database {
            let database = String::from_utf8_lossy(database).into_owned();
            let chosen = self.run(cx, |run| statements::use_database(run, &database));
            match chosen {
                Ok(_) => tracked.schema = Some(database),
                Err(refused) => return self.refuse(cx, next, &refused, true),
            }
        }
        self.note_database();
        let mut packets = Packets::from(next);
        packets.ok(0, 0, self.status(), 0, &tracked, self.capabilities);
        cx.send(packets.out);
        self.pace.look = Some(cx.now() + LOOK);
    }

    /// Tells of a client that left when it was asked for another proof: newer ones no longer have
    /// the native plugin. Its first answer still can be tested, though no cracker takes it.
    pub(super) fn tell_unfinished(&self, cx: &mut StreamContext<'_>) {
        if let State::Switched(login, salt) = &self.state
            && !login.response.is_empty()
        {
            self.tell_login(cx, login, Proof::Of(salt), false);
            cx.commit();
        }
    }

    fn tell_login(
        &self,
        cx: &mut StreamContext<'_>,
        login: &Login,
        proof: Proof<'_>,
        accepted: bool,
    ) {
        let native = login.response.len() == 20 && !matches!(proof, Proof::Password);
        let kind =
            if native { SecretKind::MysqlNativePassword } else { SecretKind::MysqlCachingSha2 };
        let kind = if matches!(proof, Proof::Password) { SecretKind::Plaintext } else { kind };
        let secret =
            (!login.response.is_empty()).then(|| Secret { kind, bytes: login.response.clone() });
        let challenge = match proof {
            Proof::Of(salt) if secret.is_some() => Some(Challenge {
                bytes: salt.to_vec(),
                crack: native.then(|| auth::crack_line(salt, &login.response)),
                crack_mode: native.then_some("11200"),
            }),
            Proof::Of(_) | Proof::Password => None,
        };
        // An empty password is one too, and known.
        let secret = secret.or_else(|| Some(Secret::plaintext(Vec::new())));
        let mut more =
            Fields::new().with("connection_id", self.me.id).with("charset", login.charset);
        if let Some(plugin) = &login.plugin {
            more = more.bytes("client_plugin", plugin);
        }
        let mut attributes = serde_json::Map::new();
        for (name, value) in &login.attributes {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            attributes.insert(text(name), text(value).into());
        }
        if login.capabilities & CONNECT_ATTRS != 0 {
            more.set("client_attributes", serde_json::Value::Object(attributes));
        }
        cx.emit(catalogue::database_auth(&DatabaseAuth {
            principal: Some(&login.user),
            secret,
            challenge,
            method: if native || (login.response.is_empty() && !matches!(proof, Proof::Password)) {
                "mysql_native_password"
            } else {
                "caching_sha2_password"
            },
            database: login.database.as_deref(),
            accepted,
            more,
        }));
    }
}
