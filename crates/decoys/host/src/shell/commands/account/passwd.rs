//! `passwd` and `chpasswd`.

use std::time::Duration;

use super::become_user::ask;
use super::book::Book;
use crate::shell::commands::input::chomp;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "adehi:kln:qr:R:Suw:x:",
    &[
        ("delete", b'd'),
        ("expire", b'e'),
        ("lock", b'l'),
        ("quiet", b'q'),
        ("status", b'S'),
        ("stdin", b'I'),
        ("unlock", b'u'),
    ],
)
.status(2);

/// A secret from the terminal without echo, or the next line of a pipe.
async fn secret(proc: &Proc, prompt: &str) -> Option<Vec<u8>> {
    if proc.in_is_tty() {
        return ask(proc, prompt).await;
    }
    proc.err(prompt).await;
    let mut line = Vec::new();
    loop {
        let piece = proc.read(1).await;
        match piece.first() {
            None if line.is_empty() => return None,
            None | Some(b'\n') => return Some(line),
            Some(byte) if line.len() < 512 => line.push(*byte),
            Some(_) => {}
        }
    }
}

/// `passwd`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let me = proc.user.name.clone();
    let root = proc.user.creds.uid == 0;
    let user = match options.rest.first() {
        Some(name) => String::from_utf8_lossy(name).into_owned(),
        None => me.clone(),
    };
    let mut book = Book::read(proc);
    if !book.passwd.has(&user) {
        proc.say_err(format!("user '{user}' does not exist")).await;
        return Ok(1);
    }
    if user != me && !root {
        proc.say_err(format!("You may not view or modify password information for {user}.")).await;
        return Ok(1);
    }
    let acts = b"dluS".iter().find(|letter| options.has(**letter));
    if let Some(act) = acts {
        if !root && *act != b'S' {
            proc.say_err("Permission denied.").await;
            return Ok(1);
        }
        return state(proc, &mut book, &user, *act).await;
    }
    if !root {
        proc.err(format!("Changing password for {user}.\n")).await;
        let old = secret(proc, "Current password: ").await.unwrap_or_default();
        if !proc.host.check_login(user.as_bytes(), &old) {
            proc.io.sleep(Duration::from_millis(1800)).await;
            proc.err(
                "passwd: Authentication token manipulation error\npasswd: password unchanged\n",
            )
            .await;
            return Ok(10);
        }
    }
    for _ in 0..3 {
        let Some(new) = secret(proc, "New password: ").await else {
            proc.err("Password change has been aborted.\n").await;
            break;
        };
        if new.is_empty() {
            proc.err("No password has been supplied.\n").await;
            continue;
        }
        let again = secret(proc, "Retype new password: ").await.unwrap_or_default();
        if new != again {
            proc.err("Sorry, passwords do not match.\n").await;
            break;
        }
        book.set_password(proc, &user, &new);
        if book.write(proc).is_err() {
            break;
        }
        proc.err("passwd: password updated successfully\n").await;
        return Ok(0);
    }
    proc.err("passwd: Authentication token manipulation error\npasswd: password unchanged\n").await;
    Ok(10)
}

async fn state(proc: &Proc, book: &mut Book, user: &str, act: u8) -> Outcome {
    let hash = book.shadow.line(user).and_then(|line| line.get(1).cloned()).unwrap_or_default();
    match act {
        b'S' => {
            let kind = match hash.as_bytes().first() {
                None => "NP",
                Some(b'!' | b'*') => "L",
                Some(_) => "P",
            };
            let day = book.shadow.line(user).and_then(|line| line.get(2)?.parse::<i64>().ok());
            let at =
                base_model::Timestamp::from_micros(day.unwrap_or(0).saturating_mul(86_400_000_000));
            let date = crate::clock::format(at, "%m/%d/%Y");
            proc.out(format!("{user} {kind} {date} 0 99999 7 -1\n")).await?;
            return Ok(0);
        }
        b'd' => book.shadow.set(user, 1, ""),
        b'l' => book.shadow.set(user, 1, &format!("!{}", hash.trim_start_matches('!'))),
        _ => {
            let plain = hash.trim_start_matches('!');
            if plain.is_empty() {
                proc.err("passwd: unlocking the password would result in a passwordless account.\nYou should set a password with usermod -p to unlock the password of this account.\n").await;
                return Ok(3);
            }
            book.shadow.set(user, 1, plain);
        }
    }
    if book.write(proc).is_err() {
        return Ok(5);
    }
    proc.err("passwd: password changed.\n").await;
    Ok(0)
}

/// `chpasswd`.
pub(in crate::shell::commands) async fn from_list(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts =
        Accepts::new("c:ehmR:s:", &[("encrypted", b'e'), ("md5", b'm'), ("crypt-method=", b'c')]);
    let options = read(proc, &ACCEPTS).await?;
    if proc.user.creds.uid != 0 {
        proc.err(
            "chpasswd: Permission denied.\nchpasswd: cannot lock /etc/passwd; try again later.\n",
        )
        .await;
        return Ok(1);
    }
    let text = proc.slurp(b"-").await.unwrap_or_default();
    let mut book = Book::read(proc);
    let mut wrong = false;
    let mut changed = false;
    for (line, number) in text.split_inclusive(|&b| b == b'\n').zip(1_u32..).take(1000) {
        proc.io.spend(64);
        proc.io.tick().await;
        let line = String::from_utf8_lossy(chomp(line)).into_owned();
        let Some((user, password)) = line.split_once(':') else {
            proc.say_err(format!("line {number}: missing new password")).await;
            wrong = true;
            continue;
        };
        if !book.passwd.has(user) {
            proc.err(format!("chpasswd: (user {user}) pam_chauthtok() failed, error:\nAuthentication token manipulation error\nchpasswd: (line {number}, user {user}) password not changed\n")).await;
            wrong = true;
            continue;
        }
        if options.has(b'e') {
            book.set_hash(proc, user, password);
        } else {
            book.set_password(proc, user, password.as_bytes());
        }
        changed = true;
    }
    if changed && book.write(proc).is_err() {
        wrong = true;
    }
    Ok(u8::from(wrong))
}
