//! Redis: RESP2, `AUTH`, then commands.

use super::wire::Wire;
use super::{Fault, Visitor};
use crate::plan::RedisVisit;

/// Most elements of one reply, arrays within arrays counted.
const MOST_ELEMENTS: usize = 10_000;

pub(super) async fn visit(visitor: &Visitor, visit: &RedisVisit) -> Result<(), Fault> {
    let mut wire = visitor.wire(&visit.door).await?;
    for login in &visit.logins {
        let named = ["AUTH".to_owned(), login.username.clone(), login.password.clone()];
        let words = if login.username.is_empty() {
            vec!["AUTH".into(), login.password.clone()]
        } else {
            named.to_vec()
        };
        let accepted = say(&mut wire, &words).await? == "+OK";
        visitor.tried(&visit.door, login, accepted).await;
        if accepted {
            break;
        }
    }
    for words in &visit.commands {
        say(&mut wire, words).await?;
        visitor.commanded(&words.join(" ")).await;
    }
    drop(say(&mut wire, &["QUIT".to_owned()]).await);
    Ok(())
}

/// Sends a command. Returns the first line of its reply.
async fn say(wire: &mut Wire, words: &[String]) -> Result<String, Fault> {
    let mut out = format!("*{}\r\n", words.len());
    for word in words {
        out.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    wire.send(out.as_bytes()).await?;
    let mut first = None;
    let mut left = 1usize;
    let mut seen = 0;
    while left > 0 {
        left -= 1;
        seen += 1;
        let line = wire.line("a Redis reply").await?;
        let length = || line.get(1..).and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1);
        match line.as_bytes().first() {
            Some(b'+' | b'-' | b':') => {}
            Some(b'$') => {
                if let Ok(length) = usize::try_from(length()) {
                    wire.exactly(length.saturating_add(2), "a Redis string").await?;
                }
            }
            Some(b'*') => {
                left = left.saturating_add(usize::try_from(length()).unwrap_or(0));
                if left + seen > MOST_ELEMENTS {
                    return Err(Fault::TooLong("a Redis reply"));
                }
            }
            _ => return Err(Fault::Odd("a Redis reply")),
        }
        first.get_or_insert(line);
    }
    Ok(first.unwrap_or_default())
}
