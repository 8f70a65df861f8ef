//! Reading authentication requests (RFC 4252, RFC 4256) and writing their answers.

use decoys_kit::ssh::{AuthAnswer, AuthTry, Method};

use super::numbers;
use super::sign;
use super::wire::{Malformed, Put as _, Reader};

/// The one service there is to authenticate for.
pub(super) const SERVICE: &[u8] = b"ssh-connection";
/// Most answers to prompts; OpenSSH takes 100 too.
const MAX_ANSWERS: u32 = 100;

/// A request to authenticate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request<'a> {
    pub(super) user: &'a [u8],
    pub(super) service: &'a [u8],
    pub(super) attempt: AuthTry,
}

/// Reads `SSH_MSG_USERAUTH_REQUEST` without its number, on the connection with `session_id`.
pub(super) fn read<'a>(message: &'a [u8], session_id: &[u8]) -> Result<Request<'a>, Malformed> {
    let mut reader = Reader::new(message);
    let (user, service, method) = (reader.string()?, reader.string()?, reader.string()?);
    let attempt = match method {
        b"none" => {
            reader.end()?;
            AuthTry::None
        }
        b"password" => {
            let change = reader.bool()?;
            let password = reader.string()?.to_vec();
            let new = if change { Some(reader.string()?.to_vec()) } else { None };
            reader.end()?;
            match new {
                Some(new) => AuthTry::PasswordChange { old: password, new },
                None => AuthTry::Password(password),
            }
        }
        b"keyboard-interactive" => {
            let (_language, _devices) = (reader.string()?, reader.string()?);
            reader.end()?;
            AuthTry::KeyboardInteractive(Vec::new())
        }
        b"publickey" => public_key(reader, message, session_id, false)?,
        b"publickey-hostbound-v00@openssh.com" => public_key(reader, message, session_id, true)?,
        other => AuthTry::Other(other.to_vec()),
    };
    Ok(Request { user, service, attempt })
}

fn public_key(
    mut reader: Reader<'_>,
    message: &[u8],
    session_id: &[u8],
    bound: bool,
) -> Result<AuthTry, Malformed> {
    let signed = reader.bool()?;
    let (algorithm, blob) = (reader.string()?, reader.string()?);
    if bound {
        reader.string()?;
    }
    let covered = message.len() - reader.rest().len();
    let signature = if signed { Some(reader.string()?) } else { None };
    reader.end()?;
    let algorithm = String::from_utf8_lossy(algorithm).into_owned();
    let signed = signature.is_some_and(|signature| {
        let mut text = Vec::with_capacity(message.len() + session_id.len() + 8);
        text.put_string(session_id);
        text.push(numbers::USERAUTH_REQUEST);
        text.extend(message.iter().take(covered));
        sign::verify(&algorithm, blob, signature, &text)
    });
    Ok(AuthTry::PublicKey { algorithm, fingerprint: sign::fingerprint(blob), signed })
}

/// Reads `SSH_MSG_USERAUTH_INFO_RESPONSE` without its number; there were `prompts` prompts.
pub(super) fn read_answers(message: &[u8], prompts: usize) -> Result<AuthTry, Malformed> {
    let mut reader = Reader::new(message);
    let count = reader.u32()?;
    if count > MAX_ANSWERS || count as usize != prompts {
        return Err(Malformed);
    }
    let answers = (0..count).map(|_| Ok(reader.string()?.to_vec()));
    let answers = answers.collect::<Result<_, Malformed>>()?;
    reader.end()?;
    Ok(AuthTry::KeyboardInteractive(answers))
}

/// The message of `answer`.
pub(super) fn message(answer: &AuthAnswer) -> Vec<u8> {
    match answer {
        AuthAnswer::Accept => vec![numbers::USERAUTH_SUCCESS],
        AuthAnswer::Reject(methods) => {
            let names: Vec<&str> = methods.iter().map(|method| name(*method)).collect();
            let mut message = vec![numbers::USERAUTH_FAILURE];
            message.put_string(names.join(",").as_bytes());
            message.put_bool(false);
            message
        }
        AuthAnswer::Prompt(prompts) => {
            let mut message = vec![numbers::USERAUTH_INFO_REQUEST];
            // Name, instruction, language.
            message.extend([0; 12]);
            message.put_u32(u32::try_from(prompts.len()).unwrap_or(0));
            for (text, echo) in prompts {
                message.put_string(text.as_bytes());
                message.put_bool(*echo);
            }
            message
        }
    }
}

const fn name(method: Method) -> &'static str {
    match method {
        Method::PublicKey => "publickey",
        Method::Password => "password",
        Method::KeyboardInteractive => "keyboard-interactive",
        Method::GssapiKeyex => "gssapi-keyex",
        Method::GssapiWithMic => "gssapi-with-mic",
    }
}

#[cfg(test)]
mod tests {
    use ssh_key::PrivateKey;
    use ssh_key::private::Ed25519Keypair;

    use super::*;

    fn strings(parts: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        parts.iter().for_each(|part| out.put_string(part));
        out
    }

    #[test]
    fn user_names_and_passwords_are_taken_byte_for_byte() {
        let user = b"a\xff\0 \xf0\x9f\x92\x80 ";
        let mut message = strings(&[user, SERVICE, b"password"]);
        message.push(0);
        message.put_string(b"\xfe\0 ");
        let request = read(&message, b"").unwrap();
        assert_eq!(request.user, user);
        assert_eq!(request.attempt, AuthTry::Password(b"\xfe\0 ".to_vec()));
        for end in 0..message.len() {
            assert_eq!(read(&message[..end], b""), Err(Malformed));
        }
    }

    #[test]
    fn a_change_of_password_gives_both() {
        let mut message = strings(&[b"root", SERVICE, b"password"]);
        message.push(1);
        message.extend(strings(&[b"old", b"new"]));
        let expected = AuthTry::PasswordChange { old: b"old".to_vec(), new: b"new".to_vec() };
        assert_eq!(read(&message, b"").unwrap().attempt, expected);
    }

    #[test]
    fn possession_is_proven_by_a_valid_signature_only() {
        let pair = Ed25519Keypair::from_seed(&[5; 32]);
        let key = PrivateKey::from(pair);
        let blob = key.public_key().to_bytes().unwrap();
        let fingerprint = key.fingerprint(ssh_key::HashAlg::Sha256).to_string();
        let signer = sign::Signer::new(&key).unwrap();
        for (method, bound) in
            [(&b"publickey"[..], false), (b"publickey-hostbound-v00@openssh.com", true)]
        {
            let mut message = strings(&[b"root", SERVICE, method]);
            message.push(1);
            message.extend(strings(&[b"ssh-ed25519", &blob]));
            if bound {
                message.put_string(b"host key");
            }
            let text = [&strings(&[b"session"])[..], &[50], &message].concat();
            message.put_string(&signer.sign("ssh-ed25519", &text).unwrap());
            let attempt = |signed| AuthTry::PublicKey {
                algorithm: "ssh-ed25519".into(),
                fingerprint: fingerprint.clone(),
                signed,
            };
            assert_eq!(read(&message, b"session").unwrap().attempt, attempt(true));
            assert_eq!(read(&message, b"another").unwrap().attempt, attempt(false));
        }
    }

    #[test]
    fn keys_nobody_can_read_still_have_a_fingerprint() {
        let mut message = strings(&[b"root", SERVICE, b"publickey"]);
        message.push(0);
        message.extend(strings(&[b"ssh-\xff", b"rubbish"]));
        let AuthTry::PublicKey { algorithm, fingerprint, signed } =
            read(&message, b"").unwrap().attempt
        else {
            panic!("no key");
        };
        assert_eq!((algorithm.as_str(), signed), ("ssh-\u{fffd}", false));
        assert!(fingerprint.starts_with("SHA256:") && fingerprint.len() == 50);
    }

    #[test]
    fn answers_must_be_as_many_as_prompts() {
        let mut message = vec![0, 0, 0, 1];
        message.put_string(b"secret");
        let expected = AuthTry::KeyboardInteractive(vec![b"secret".to_vec()]);
        assert_eq!(read_answers(&message, 1), Ok(expected));
        assert_eq!(read_answers(&message, 2), Err(Malformed));
        assert_eq!(read_answers(&[0xff; 8], 1), Err(Malformed));
    }
}
