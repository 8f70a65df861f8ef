//! SASL PLAIN and LOGIN as Cyrus does them behind Postfix (RFC 4954, RFC 4616).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// `Username:` and `Password:`, each in base64.
const USERNAME: &str = "VXNlcm5hbWU6";
const PASSWORD: &str = "UGFzc3dvcmQ6";
/// Base64 with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An exchange that waits for the client.
#[derive(Debug)]
pub(super) enum Exchange {
    /// For everything.
    Plain,
    /// For the user name.
    LoginName,
    /// For the password of the user.
    LoginPassword(Vec<u8>),
}

/// What comes of a step.
#[derive(Debug)]
pub(super) enum Step {
    /// Asks; the text follows `334 `.
    Ask(Exchange, &'static str),
    /// A user and a password.
    Try { user: Vec<u8>, password: Vec<u8>, mechanism: &'static str },
    /// Refused, with the reason that Cyrus gives.
    Fail(&'static str),
    /// The client gave up.
    Aborted,
}

/// Begins `mechanism` with the client's `initial` response, if it sent one.
pub(super) fn begin(mechanism: &[u8], initial: Option<&[u8]>) -> Step {
    let exchange = match mechanism.to_ascii_uppercase().as_slice() {
        b"PLAIN" => Exchange::Plain,
        b"LOGIN" => Exchange::LoginName,
        _ => return Step::Fail("no mechanism available"),
    };
    match (initial, exchange) {
        (Some(initial), exchange) => go_on(exchange, initial),
        (None, Exchange::Plain) => Step::Ask(Exchange::Plain, ""),
        (None, exchange) => Step::Ask(exchange, USERNAME),
    }
}

/// Goes on with the client's `response`.
pub(super) fn go_on(exchange: Exchange, response: &[u8]) -> Step {
    if response == b"*" {
        return Step::Aborted;
    }
    // A lone `=` is an empty response (RFC 4954 §4).
    let decoded = if response == b"=" { Ok(Vec::new()) } else { BASE64.decode(response) };
    let Ok(response) = decoded else {
        return Step::Fail(match exchange {
            Exchange::Plain => "another step is needed in authentication",
            Exchange::LoginName | Exchange::LoginPassword(_) => "bad protocol / cancel",
        });
    };
    match exchange {
        Exchange::Plain => plain(&response),
        Exchange::LoginName if response.is_empty() => Step::Ask(Exchange::LoginName, USERNAME),
        Exchange::LoginName => Step::Ask(Exchange::LoginPassword(response), PASSWORD),
        Exchange::LoginPassword(user) => Step::Try { user, password: response, mechanism: "LOGIN" },
    }
}

/// `authorization NUL user NUL password`.
fn plain(response: &[u8]) -> Step {
    let mut parts = response.splitn(3, |&byte| byte == 0);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(user), Some(password)) if !user.is_empty() => {
            Step::Try { user: user.to_vec(), password: password.to_vec(), mechanism: "PLAIN" }
        }
        _ if response.is_empty() => Step::Fail("another step is needed in authentication"),
        _ => Step::Fail("bad protocol / cancel"),
    }
}
