//! The state machine: requests in, answers and events out.

use std::time::Duration;

use base_model::Timestamp;
use base_model::catalogue::{self, Request};
use decoys_host::HostHandle;
use decoys_host::fs::Creds;
use decoys_host::persona;
use decoys_kit::{Choices, Opening, Settings, StreamContext, StreamSession, TlsFacts, TlsOffer};
use rand_core::Rng as _;

use super::apps::{self, Visit};
use super::credentials;
use super::parser::{self, Bad, Framing, Head, Parsed};
use super::personality::{Asked, MAX_REQUESTS, Page, Personality};

/// A longer body is kept as a blob.
const BODY_IN_EVENT: usize = 4096;
/// Largest file served from the document root.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Where the web server looks for files.
/// Bytes of what was not HTTP that are kept.
const SAMPLE: usize = 512;

pub(crate) struct HttpSession {
    host: HostHandle,
    settings: Settings,
    server: Personality,
    port: u16,
    scheme: Scheme,
    tls: Option<TlsFacts>,
    input: Vec<u8>,
    state: State,
    deadline: Option<Timestamp>,
    answered: u32,
}

/// What the port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

enum State {
    Head,
    Body(Head, Framing),
    Over,
}

impl HttpSession {
    pub(crate) fn new(opening: Opening<HostHandle>, scheme: Scheme) -> Self {
        let decky = opening.host.decky();
        let choices = Choices::new(&decky.secret);
        let product = opening.settings.text("server_header");
        let server = Personality::new(
            product.unwrap_or_else(|| persona::http_server(&choices, &decky.distro)),
        );
        Self {
            settings: opening.settings,
            server,
            port: opening.local.port,
            scheme,
            tls: None,
            input: Vec::new(),
            state: State::Head,
            deadline: None,
            answered: 0,
            host: opening.host,
        }
    }

    /// Reads as many requests as are there.
    fn read(&mut self, cx: &mut StreamContext<'_>) {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return self.input.clear(),
                State::Head => match self.read_head(cx) {
                    Some(state) => self.state = state,
                    None => return,
                },
                State::Body(head, framing) => match parser::body(framing, &self.input) {
                    Parsed::Done(body, used) => {
                        self.input.drain(..used);
                        self.answer(cx, &head, &body);
                    }
                    Parsed::Need => {
                        self.state = State::Body(head, framing);
                        return;
                    }
                    Parsed::Bad(bad, _) => {
                        let sample = [&head.method[..], b" ", &head.target].concat();
                        return self.refuse(cx, bad, &sample);
                    }
                },
            }
        }
    }

    /// The state after a head, or `None` when there is no whole one yet or it was refused.
    fn read_head(&mut self, cx: &mut StreamContext<'_>) -> Option<State> {
        // Empty lines before a request are ignored (RFC 9112 §2.2).
        let blank = self.input.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
        self.input.drain(..blank);
        if self.input.is_empty() {
            self.state = State::Head;
            return None;
        }
        match parser::head(&self.input) {
            Parsed::Done(head, used) => {
                let framing = match head.framing() {
                    Ok(framing) => framing,
                    Err(bad) => {
                        let sample: Vec<u8> = self.input.drain(..used).take(SAMPLE).collect();
                        self.refuse(cx, bad, &sample);
                        return None;
                    }
                };
                self.input.drain(..used);
                let expects = head.header("expect").is_some_and(|value| {
                    value.eq_ignore_ascii_case(b"100-continue") && framing != Framing::Length(0)
                });
                if expects && head.version > 0 {
                    cx.send(*b"HTTP/1.1 100 Continue\r\n\r\n");
                }
                Some(State::Body(head, framing))
            }
            Parsed::Need => {
                self.state = State::Head;
                None
            }
            Parsed::Bad(bad, sample) => {
                self.refuse(cx, bad, &sample);
                None
            }
        }
    }

    fn answer(&mut self, cx: &mut StreamContext<'_>, head: &Head, body: &[u8]) {
        let (path, query) = head.path_and_query();
        let plain = self.scheme == Scheme::Https && self.tls.is_none();
        let (page, head_only) =
            if plain { self.server.plain_page() } else { (self.page(cx, head, path, body), true) };
        let body_blob = (body.len() > BODY_IN_EVENT).then(|| cx.keep(body.to_vec()));
        cx.emit(catalogue::http_request(&Request {
            method: &head.method,
            path,
            query,
            version: head.version,
            headers: &head.headers,
            body,
            body_blob,
            status: page.status,
            credential: credentials::find(head, body),
            tls_ja4: self.tls.as_ref().map(|tls| tls.ja4.as_str()),
        }));
        cx.commit();
        let connection = head.header("connection").unwrap_or_default();
        let asked = Asked {
            keep_alive: !plain && head.keeps_alive() && self.answered + 1 < MAX_REQUESTS,
            said_keep_alive: connection.eq_ignore_ascii_case(b"keep-alive"),
            before: self.answered,
            head_only: head_only && head.method == b"HEAD",
        };
        cx.send(self.server.answer(&page, asked, cx.now()));
        self.answered += 1;
        if asked.keep_alive {
            self.state = State::Head;
            let seconds = if self.input.is_empty() {
                self.server.keep_alive_seconds()
            } else {
                self.server.head_seconds()
            };
            self.deadline = Some(cx.now() + Duration::from_secs(seconds));
        } else {
            self.end(cx);
        }
    }

    fn page(&self, cx: &mut StreamContext<'_>, head: &Head, path: &[u8], body: &[u8]) -> Page {
        let host = self.shown_host(head);
        let mut fresh = [0; 32];
        cx.rng().fill_bytes(&mut fresh);
        let mut page = if let Some(body) = self.settings.text("custom_body") {
            Page::html(200, body)
        } else {
            let app = self.settings.text("fake_app").unwrap_or("none");
            let scheme = if self.tls.is_some() { "https" } else { "http" };
            let visit = Visit { head, path, body, host: &host, scheme, fresh: &fresh };
            apps::page(app, &visit)
                .or_else(|| self.file(path))
                .unwrap_or_else(|| self.error(404, &host))
        };
        if page.status == 200
            && let Some(status) = self.settings.int("response_code")
        {
            page.status = u16::try_from(status).unwrap_or(200);
        }
        page
    }

    /// A file below the document root, as the web server's user may read it.
    fn file(&self, path: &[u8]) -> Option<Page> {
        let path = decoys_host::fs::path::absolute(b"/", path);
        let web = &self.host.distro().family().web;
        let mut full = [web.root.as_bytes(), &path].concat();
        if full.ends_with(b"/") {
            full.extend_from_slice(b"index.html");
        }
        let creds = self.host.with(|machine| {
            let account = machine.accounts().by_name(&web.user);
            // Nobody's rights but everybody's where the server has no account.
            let (uid, gid) = account.map_or((65_534, 65_534), |account| (account.uid, account.gid));
            Creds { uid, gid, groups: Vec::new() }
        });
        let (body, modified) = self.host.with(|machine| {
            let real = machine.fs().real_path(&creds, b"/", &full).ok()?;
            // A link may lead out of the document root; the server would follow it, scanners too.
            let stat = machine.fs().stat(&creds, b"/", &real, true).ok()?;
            let size = stat.node.size();
            let readable = stat.node.is_file()
                && size <= MAX_FILE
                && creds.may(&stat.node, decoys_host::fs::Access::Read);
            let length = usize::try_from(size).ok()?;
            readable.then(|| (machine.fs().read(stat.ino, 0, length), stat.node.mtime))
        })?;
        let content_type = content_type(&full);
        Some(Page { content_type, modified: Some(modified), ..Page::html(200, body) })
    }

    /// Answers what is not a request, and closes.
    fn refuse(&mut self, cx: &mut StreamContext<'_>, bad: Bad, sample: &[u8]) {
        let (status, why) = match bad {
            Bad::Request => (400, "malformed request"),
            Bad::Head => (400, "request head too long"),
            Bad::Target => (414, "request line too long"),
            Bad::TooLarge => (413, "request body too large"),
            Bad::Unimplemented => (501, "unknown transfer coding"),
        };
        cx.emit(catalogue::protocol_error(why, sample));
        cx.commit();
        self.send_error(cx, status);
        self.end(cx);
    }

    fn send_error(&self, cx: &mut StreamContext<'_>, status: u16) {
        let page = self.error(status, &self.host.decky().hostname.to_lowercase());
        let asked =
            Asked { keep_alive: false, said_keep_alive: false, before: 0, head_only: false };
        cx.send(self.server.answer(&page, asked, cx.now()));
    }

    fn error(&self, status: u16, host: &str) -> Page {
        self.server.error_page(status, host, self.port)
    }

    /// The host name that pages show: the one the client asked for, else the machine's own.
    fn shown_host(&self, head: &Head) -> String {
        let asked = head.header("host").and_then(|host| std::str::from_utf8(host).ok());
        let name = asked.map(|host| host.split(':').next().unwrap_or(host));
        let fits = name.filter(|name| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
            !name.is_empty() && name.len() < 254 && name.chars().all(plain)
        });
        fits.map_or_else(|| self.host.decky().hostname.to_lowercase(), str::to_owned)
    }

    fn end(&mut self, cx: &mut StreamContext<'_>) {
        self.state = State::Over;
        self.deadline = None;
        cx.close();
    }
}

impl StreamSession for HttpSession {
    fn on_open(&mut self, cx: &mut StreamContext<'_>) {
        self.deadline = Some(cx.now() + Duration::from_secs(self.server.head_seconds()));
    }

    fn on_bytes(&mut self, cx: &mut StreamContext<'_>, bytes: &[u8]) {
        if matches!(self.state, State::Over) {
            return;
        }
        let fresh = self.input.is_empty() && matches!(self.state, State::Head);
        if fresh && self.answered > 0 {
            self.deadline = Some(cx.now() + Duration::from_secs(self.server.head_seconds()));
        }
        self.input.extend_from_slice(bytes);
        self.read(cx);
        if matches!(self.state, State::Body(..)) {
            // A body may take its time as long as it moves.
            self.deadline = Some(cx.now() + Duration::from_secs(60));
        }
    }

    fn on_timeout(&mut self, cx: &mut StreamContext<'_>) {
        if self.deadline.is_none_or(|deadline| deadline > cx.now()) {
            return;
        }
        let begun = !self.input.is_empty() || matches!(self.state, State::Body(..));
        if begun {
            let sample = self.input.get(..SAMPLE).unwrap_or(&self.input);
            cx.emit(catalogue::protocol_error("request took too long", sample));
            if self.server.answers_slow_heads() {
                cx.commit();
                self.send_error(cx, 408);
            }
        }
        self.end(cx);
    }

    fn on_close(&mut self, cx: &mut StreamContext<'_>) {
        if !matches!(self.state, State::Over) && !self.input.is_empty() {
            let sample = self.input.get(..SAMPLE).unwrap_or(&self.input);
            cx.emit(catalogue::protocol_error("connection closed within a request", sample));
        }
        self.state = State::Over;
        self.deadline = None;
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.deadline
    }

    fn tls(&self) -> TlsOffer {
        let text = |key| self.settings.text(key).map(str::to_owned);
        TlsOffer {
            server: self.server.tls_server(),
            name: text("tls_cn"),
            given: text("tls_cert").zip(text("tls_key")),
        }
    }

    fn on_tls(&mut self, _cx: &mut StreamContext<'_>, facts: &TlsFacts) {
        self.tls = Some(facts.clone());
    }

    fn takes_plain(&self, first: &[u8]) -> bool {
        self.server.takes_plain(first)
    }
}

fn content_type(path: &[u8]) -> &'static str {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let ending = name.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    match ending {
        b"html" | b"htm" => "text/html",
        b"css" => "text/css",
        b"js" => "text/javascript",
        b"json" => "application/json",
        b"txt" => "text/plain",
        b"xml" => "application/xml",
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"ico" => "image/vnd.microsoft.icon",
        b"svg" => "image/svg+xml",
        b"gz" => "application/x-gzip",
        b"zip" => "application/zip",
        _ => "application/octet-stream",
    }
}
