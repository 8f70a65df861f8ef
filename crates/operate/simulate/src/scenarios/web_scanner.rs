//! Scanners of web servers: one that lists what there is, one that sends requests in the shape of
//! known exploits, both with guesses at log-in forms and Basic authentication.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Scenario, Script, token};
use crate::draw::Draw;
use crate::lists::{self, BROWSERS, EXPLOITS, GUESSES, PATHS, SCANNERS};
use crate::plan::{Act, HttpVisit, Login, Request};
use crate::world::{Door, World};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "web-scanner",
    summary: "web scanners: known paths, forms and Basic logins, exploit-shaped requests (inert)",
    write,
};

const PATHS_EACH: usize = 24;
const EXPLOITS_EACH: usize = 8;

fn write(world: &World, draw: &mut Draw) -> Script {
    let mut script = Script::default();
    let Some(door) = script.door(world, "http", draw) else { return script };
    script.roles.push(lister(door, draw));
    if let Some(door) = script.door(world, "http", draw) {
        script.roles.push(exploiter(door, draw));
    }
    script
}

fn lister(door: Door, draw: &mut Draw) -> Vec<Act> {
    let mut requests = vec![get("/")];
    requests.extend(draw.some(&lists::entries(PATHS), PATHS_EACH).into_iter().map(get));
    // Told apart from real pages by what a path that cannot exist gives.
    let nowhere = token(draw, 12);
    requests.insert(1, get(&format!("/{nowhere}")));
    let guesses = lists::logins(GUESSES);
    let logins = draw.some(&guesses, 3).into_iter();
    requests.extend(logins.map(|login| basic("/manager/html", login)));
    let user_agent = draw.word(&lists::entries(SCANNERS)).to_owned();
    vec![Act::Http(HttpVisit { door, user_agent, requests })]
}

fn exploiter(door: Door, draw: &mut Draw) -> Vec<Act> {
    let known = lists::entries(EXPLOITS);
    // The first of the list is tried by all.
    let (first, others) = known.split_at(known.len().min(1));
    let lines = first.iter().copied().chain(draw.some(others, EXPLOITS_EACH));
    let probes: Vec<_> = lines.filter_map(exploit).collect();
    let guesses = lists::logins(GUESSES);
    let forms = draw.some(&guesses, 3).into_iter().map(|login| match draw.below(3) {
        0 => form("/wp-login.php", ("log", "pwd"), login),
        1 => form("/phpmyadmin/index.php", ("pma_username", "pma_password"), login),
        _ => json("/api/login", login),
    });
    let forms: Vec<_> = forms.collect();
    let browser = draw.word(&lists::entries(BROWSERS)).to_owned();
    let scanner = draw.word(&lists::entries(SCANNERS)).to_owned();
    vec![
        Act::Http(HttpVisit { door: door.clone(), user_agent: scanner, requests: probes }),
        Act::Pause(draw.between(300, 1200)),
        Act::Http(HttpVisit { door, user_agent: browser, requests: forms }),
    ]
}

fn get(path: &str) -> Request {
    Request { method: "GET".into(), path: path.into(), ..Request::default() }
}

/// A line of the list.
fn exploit(line: &str) -> Option<Request> {
    let mut cells = line.split('\t');
    let (method, path, headers) = (cells.next()?, cells.next()?, cells.next()?);
    let headers = headers.split(" | ").filter_map(|header| header.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = cells.next().unwrap_or_default().to_owned();
    Some(Request { method: method.into(), path: path.into(), headers, body, login: None })
}

/// A login in the `Authorization` header (RFC 7617).
pub(super) fn basic(path: &str, login: Login) -> Request {
    let pair = STANDARD.encode(format!("{}:{}", login.username, login.password));
    let headers = vec![("Authorization".to_owned(), format!("Basic {pair}"))];
    Request { headers, login: Some(login), ..get(path) }
}

/// A login in a form, under the names of the application.
pub(super) fn form(path: &str, (user, password): (&str, &str), login: Login) -> Request {
    let (name, word) = (encoded(&login.username), encoded(&login.password));
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())],
        body: format!("{user}={name}&{password}={word}"),
        login: Some(login),
    }
}

/// A login in JSON.
pub(super) fn json(path: &str, login: Login) -> Request {
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: serde_json::json!({ "username": login.username, "password": login.password })
            .to_string(),
        login: Some(login),
    }
}

/// As forms encode it.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                out.push(byte.into());
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_travel_as_browsers_send_them() {
        let login = Login::new("a b", "p&ss=ü");
        let sent = form("/x", ("u", "p"), login.clone());
        assert_eq!(sent.body, "u=a+b&p=p%26ss%3D%C3%BC");
        assert_eq!(basic("/x", Login::new("a", "b")).headers[0].1, "Basic YTpi");
        assert_eq!(json("/x", login).body, "{\"username\":\"a b\",\"password\":\"p&ss=ü\"}");
    }

    #[test]
    fn every_line_of_the_list_is_a_request() {
        let all: Vec<_> = lists::entries(EXPLOITS).into_iter().filter_map(exploit).collect();
        assert_eq!(all.len(), lists::entries(EXPLOITS).len());
        assert!(all.iter().all(|one| one.path.starts_with('/') && !one.path.contains(' ')));
        assert_eq!(all[0].headers.len(), 2);
    }
}
