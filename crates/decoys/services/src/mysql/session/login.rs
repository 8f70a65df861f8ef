//! Greeting and login.

use std::time::Duration;

use base_model::catalogue::{self, Challenge, DatabaseAuth};
use base_model::{Fields, Secret, SecretKind};
use decoys_kit::StreamContext;
use rand_core::Rng as _;

use super::{IDLE, LOOK, MysqlSession, NATIVE, SAMPLE, State};
use crate::mysql::errors::{denied, refusal};
use crate::mysql::parser::{self, CONNECT_ATTRS, Login, PLUGIN_AUTH, SSL};
use crate::mysql::replies::{AUTOCOMMIT, Packets, Tracked};
use crate::mysql::server::Server;
use crate::mysql::{auth, statements};

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
        let (id, version, charset, maria) = self.host.with(|machine| {
            machine.with_kept(|machine, server: &mut Server| {
                server.wake(machine, now);
                let id = server.connect(host, now);
                (id, server.persona.greeting(), server.persona.charset(), server.persona.maria)
            })
        });
        self.me.id = id;
        self.me.host.clone_from(&self.peer);
        self.charset = charset;
        self.maria = maria;
        let mut out = vec![10];
        out.extend(version.as_bytes());
        out.push(0);
        out.extend(u32::try_from(id).unwrap_or(u32::MAX).to_le_bytes());
        let (head, tail) = self.salt.split_at(8);
        out.extend(head);
        out.push(0);
        // No CLIENT_SSL (0x0800): there is no certificate. With one, a client that sets the flag
        // in a short login packet turns to TLS right after it.
        let (low, high, extended): (u16, u16, [u8; 4]) =
            if maria { (0xf7fe, 0x81ff, [0x1d, 0, 0, 0]) } else { (0xf7ff, 0xdfff, [0; 4]) };
        out.extend(low.to_le_bytes());
        out.push(charset);
        out.extend(AUTOCOMMIT.to_le_bytes());
        out.extend(high.to_le_bytes());
        out.push(21);
        out.extend([0; 6]);
        out.extend(extended);
        out.extend(tail);
        out.push(0);
        out.extend(if maria { NATIVE } else { b"caching_sha2_password" });
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
            // TLS was not offered.
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
        self.judge(cx, next, login);
    }

    pub(super) fn judge(&mut self, cx: &mut StreamContext<'_>, next: u8, login: Login) {
        self.attempts += 1;
        let name = String::from_utf8_lossy(&login.user).into_owned();
        let (response, salt) = (login.response.clone(), self.salt);
        let admin = self.host.with(|machine| {
            machine.with_kept(|_, server: &mut Server| {
                if let Some(user) = server.persona.users.iter().find(|user| user.name == name) {
                    let proven = match &user.stored {
                        None => response.is_empty(),
                        Some(stored) => auth::proves(&response, &salt, stored),
                    };
                    return proven.then_some(user.admin);
                }
                let made = server.left.users.get(&name)?;
                let stored: Vec<u8> = (0..made.len() / 2)
                    .filter_map(|at| u8::from_str_radix(made.get(at * 2..at * 2 + 2)?, 16).ok())
                    .collect();
                let proven = match <auth::Stored>::try_from(stored) {
                    Ok(stored) => auth::proves(&response, &salt, &stored),
                    Err(_) => response.is_empty(),
                };
                proven.then_some(true)
            })
        });
        self.tell_login(cx, &login, &self.salt, admin.is_some());
        let Some(admin) = admin else {
            let refused = denied(&login.user, &self.peer, !login.response.is_empty());
            cx.commit();
            let wait = Duration::from_micros(15_000 + u64::from(cx.rng().next_u32() % 75_000));
            let mut packets = Packets::from(next);
            packets.error(refused.code, refused.state, &refused.text);
            return self.hold(cx, wait, packets.out, true);
        };
        cx.emit(catalogue::login_success(&login.user, "mysql_native_password", self.attempts));
        cx.commit();
        self.me.user.clone_from(&name);
        self.me.admin = admin;
        self.note(|connection| connection.user.clone_from(&name));
        self.state = State::Ready;
        self.deadline = Some(cx.now() + IDLE);
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
        self.look = Some(cx.now() + LOOK);
    }

    /// Tells of a client that left when it was asked for another proof: newer ones no longer have
    /// the native plugin. Its first answer still can be tested, though no cracker takes it.
    pub(super) fn tell_unfinished(&self, cx: &mut StreamContext<'_>) {
        if let State::Switched(login, salt) = &self.state
            && !login.response.is_empty()
        {
            self.tell_login(cx, login, salt, false);
            cx.commit();
        }
    }

    fn tell_login(
        &self,
        cx: &mut StreamContext<'_>,
        login: &Login,
        salt: &[u8; 20],
        accepted: bool,
    ) {
        let native = login.response.len() == 20;
        let kind =
            if native { SecretKind::MysqlNativePassword } else { SecretKind::MysqlCachingSha2 };
        let secret =
            (!login.response.is_empty()).then(|| Secret { kind, bytes: login.response.clone() });
        let challenge = secret.is_some().then(|| Challenge {
            bytes: salt.to_vec(),
            crack: native.then(|| auth::crack_line(salt, &login.response)),
            crack_mode: native.then_some("11200"),
        });
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
            method: if native || login.response.is_empty() {
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
