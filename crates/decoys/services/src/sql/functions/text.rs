//! Functions of text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::{Found, MAX_MADE, arg, bytes, count, int};
use crate::sql::evaluate::Scope;
use crate::sql::fault::Fault;
use crate::sql::value::Value;

pub(super) fn text_function(name: &str, args: &[Value], scope: &Scope<'_>) -> Found {
    let first = || arg(args, 0);
    let chars = || first().chars().collect::<Vec<char>>();
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Some(Ok(match (name, args.len()) {
        ("lower" | "lcase", 1) => Value::Text(first().to_lowercase()),
        ("upper" | "ucase", 1) => Value::Text(first().to_uppercase()),
        ("initcap", 1) => Value::Text(initcap(&first())),
        ("char_length" | "character_length", 1) => count(chars().len()),
        ("length", 1) if !scope.mysql() => count(chars().len()),
        ("length" | "octet_length", 1) => count(bytes(args, 0).len()),
        ("bit_length", 1) => count(bytes(args, 0).len() * 8),
        ("ascii" | "ord", 1) => Value::Int(chars().first().map_or(0, |c| i64::from(u32::from(*c)))),
        ("chr", 1) => Value::Text(
            u32::try_from(int(args, 0))
                .ok()
                .and_then(char::from_u32)
                .map(String::from)
                .unwrap_or_default(),
        ),
        ("char", _) => {
            let bytes: Vec<u8> =
                args.iter().map(|value| u8::try_from(value.int() & 0xff).unwrap_or(0)).collect();
            Value::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        ("concat", _) if scope.mysql() && args.iter().any(Value::is_null) => Value::Null,
        ("concat", _) => Value::Text(args.iter().filter_map(Value::shown).collect()),
        ("concat_ws", 1..) => {
            let items: Vec<String> = args.iter().skip(1).filter_map(Value::shown).collect();
            Value::Text(items.join(&first()))
        }
        ("substring" | "substr" | "mid", 2 | 3) => {
            let length = args.get(2).map(Value::int);
            Value::Text(substring(&chars(), int(args, 1), length, scope.mysql()))
        }
        ("left", 2) => {
            let n = int(args, 1);
            let all = chars();
            let take = if n < 0 { all.len().saturating_sub(size(-n)) } else { size(n) };
            Value::Text(all.into_iter().take(take).collect())
        }
        ("right", 2) => {
            let all = chars();
            let n = int(args, 1);
            let skip = if n < 0 { size(-n) } else { all.len().saturating_sub(size(n)) };
            Value::Text(all.into_iter().skip(skip).collect())
        }
        ("trim" | "btrim" | "ltrim" | "rtrim", 1 | 2) => {
            let set: Vec<char> =
                if args.len() == 2 { arg(args, 1).chars().collect() } else { vec![' '] };
            let text = first();
            let text =
                if name == "rtrim" { text.as_str() } else { text.trim_start_matches(&set[..]) };
            let text = if name == "ltrim" { text } else { text.trim_end_matches(&set[..]) };
            Value::Text(text.to_owned())
        }
        ("replace", 3) => {
            let (text, from, to) = (first(), arg(args, 1), arg(args, 2));
            if from.is_empty() {
                Value::Text(text)
            } else if text.matches(&from).count().saturating_mul(to.len()) > MAX_MADE {
                return Some(Err(Fault::Full));
            } else {
                Value::Text(text.replace(&from, &to))
            }
        }
        ("reverse", 1) => Value::Text(first().chars().rev().collect()),
        ("repeat", 2) => {
            let times = size(int(args, 1));
            if first().len().saturating_mul(times) > MAX_MADE {
                return Some(if scope.mysql() {
                    Ok(Value::Null)
                } else {
                    Err(Fault::Product("54000", "requested length too large".to_owned()))
                });
            }
            Value::Text(first().repeat(times))
        }
        ("space", 1) => Value::Text(" ".repeat(size(int(args, 0)).min(MAX_MADE))),
        ("lpad" | "rpad", 2 | 3) => {
            let fill = if args.len() == 3 { arg(args, 2) } else { " ".to_owned() };
            Value::Text(pad(&chars(), size(int(args, 1)), &fill, name == "lpad"))
        }
        ("position" | "locate", 2 | 3) => {
            Value::Int(find(&arg(args, 1), &first(), int(args, 2), scope.mysql()))
        }
        ("strpos" | "instr", 2) => Value::Int(find(&first(), &arg(args, 1), 1, scope.mysql())),
        ("md5", 1) => Value::Text(digits(&Md5::digest(bytes(args, 0)))),
        ("sha1" | "sha", 1) if scope.mysql() => Value::Text(digits(&Sha1::digest(bytes(args, 0)))),
        ("sha2", 2) if scope.mysql() => match int(args, 1) {
            0 | 256 => Value::Text(digits(&Sha256::digest(bytes(args, 0)))),
            224 => Value::Text(digits(&Sha224::digest(bytes(args, 0)))),
            384 => Value::Text(digits(&Sha384::digest(bytes(args, 0)))),
            512 => Value::Text(digits(&Sha512::digest(bytes(args, 0)))),
            _ => Value::Null,
        },
        ("sha256", 1) if !scope.mysql() => Value::Bytes(Sha256::digest(bytes(args, 0)).to_vec()),
        ("hex", 1) => Value::Text(match args.first() {
            Some(Value::Int(number)) => format!("{number:X}"),
            _ => digits(&bytes(args, 0)).to_uppercase(),
        }),
        ("unhex", 1) => unhex(&first()).map_or(Value::Null, from_bytes),
        ("to_hex", 1) => Value::Text(format!("{:x}", int(args, 0))),
        ("to_base64", 1) => Value::Text(STANDARD.encode(bytes(args, 0))),
        ("from_base64", 1) => STANDARD.decode(first().trim()).map_or(Value::Null, from_bytes),
        ("encode", 2) => match arg(args, 1).as_str() {
            "hex" => Value::Text(digits(&bytes(args, 0))),
            "base64" => Value::Text(STANDARD.encode(bytes(args, 0))),
            "escape" => Value::Text(String::from_utf8_lossy(&bytes(args, 0)).into_owned()),
            other => {
                return Some(Err(Fault::Product(
                    "22023",
                    format!("unrecognized encoding: \"{other}\""),
                )));
            }
        },
        ("decode", 2) => match arg(args, 1).as_str() {
            "hex" => unhex(&first()).map_or(Value::Null, Value::Bytes),
            "base64" => STANDARD.decode(first().trim()).map_or(Value::Null, Value::Bytes),
            _ => Value::Bytes(first().into_bytes()),
        },
        ("convert_from", 2) => from_bytes(bytes(args, 0)),
        ("convert_to", 2) => Value::Bytes(bytes(args, 0)),
        ("quote" | "quote_literal" | "quote_nullable", 1) => {
            match args.first().and_then(Value::shown) {
                None => Value::text("NULL"),
                Some(text) => Value::Text(format!("'{}'", text.replace('\'', "''"))),
            }
        }
        ("quote_ident", 1) => Value::Text(quote_ident(&first())),
        ("split_part", 3) => {
            let at = usize::try_from(int(args, 2) - 1).unwrap_or(usize::MAX);
            Value::Text(first().split(&arg(args, 1)).nth(at).unwrap_or_default().to_owned())
        }
        ("substring_index", 3) => {
            Value::Text(substring_index(&first(), &arg(args, 1), int(args, 2)))
        }
        ("elt", 2..) => args
            .get(size(int(args, 0)))
            .filter(|_| int(args, 0) > 0)
            .cloned()
            .unwrap_or(Value::Null),
        ("field", 2..) => {
            let hit = args
                .iter()
                .skip(1)
                .position(|item| args.first().is_some_and(|a| a.order(item, true).is_eq()));
            Value::Int(hit.map_or(0, |at| i64::try_from(at + 1).unwrap_or(0)))
        }
        ("find_in_set", 2) => {
            let hit = arg(args, 1).split(',').position(|item| item.eq_ignore_ascii_case(&first()));
            Value::Int(hit.map_or(0, |at| i64::try_from(at + 1).unwrap_or(0)))
        }
        ("strcmp", 2) => {
            Value::Int(match first().to_lowercase().cmp(&arg(args, 1).to_lowercase()) {
                std::cmp::Ordering::Less => -1,
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Greater => 1,
            })
        }
        ("translate", 3) => {
            let (from, to) = (
                arg(args, 1).chars().collect::<Vec<_>>(),
                arg(args, 2).chars().collect::<Vec<_>>(),
            );
            let swap = |c: char| match from.iter().position(|f| *f == c) {
                Some(at) => to.get(at).copied(),
                None => Some(c),
            };
            Value::Text(first().chars().filter_map(swap).collect())
        }
        ("regexp_replace", 3 | 4) => {
            let Some(regex) = crate::sql::pattern::regex(&arg(args, 1), arg(args, 3).contains('i'))
            else {
                return Some(Err(Fault::Product("2201B", "invalid regular expression".to_owned())));
            };
            let (text, to) = (first(), arg(args, 2));
            let global = scope.mysql() || arg(args, 3).contains('g');
            let mut out = String::new();
            let mut last = 0;
            for hit in regex.find_iter(&text).take(if global { 100_000 } else { 1 }) {
                out.push_str(text.get(last..hit.start()).unwrap_or_default());
                out.push_str(&to);
                last = hit.end();
                if out.len() > MAX_MADE {
                    return Some(Err(Fault::Full));
                }
            }
            out.push_str(text.get(last..).unwrap_or_default());
            Value::Text(out)
        }
        ("uuid" | "gen_random_uuid" | "uuid_generate_v4", 0) => {
            let mut digits = String::new();
            while digits.len() < 32 {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a draw below 2^32"
                )]
                let draw = (scope.world.random() * 4_294_967_296.0) as u32;
                digits.push_str(&format!("{draw:08x}"));
            }
            digits.replace_range(12..13, "4");
            for at in [20, 16, 12, 8] {
                digits.insert(at, '-');
            }
            Value::Text(digits)
        }
        _ => return None,
    }))
}

fn from_bytes(bytes: Vec<u8>) -> Value {
    match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::Bytes(error.into_bytes()),
    }
}

pub(super) fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

pub(super) fn initcap(text: &str) -> String {
    let mut fresh = true;
    text.chars()
        .map(|c| {
            let out = if fresh { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            fresh = !c.is_alphanumeric();
            out
        })
        .collect()
}

pub(super) fn substring(chars: &[char], from: i64, length: Option<i64>, mysql: bool) -> String {
    let total = i64::try_from(chars.len()).unwrap_or(i64::MAX);
    if mysql && from == 0 {
        return String::new();
    }
    let start = if mysql && from < 0 { total + from + 1 } else { from };
    let end = length.map_or(i64::MAX, |length| start.saturating_add(length));
    let at = |place: i64| usize::try_from((place - 1).clamp(0, total)).unwrap_or(0);
    if mysql && start < 1 || end <= start {
        return String::new();
    }
    chars.get(at(start)..at(end).max(at(start))).unwrap_or_default().iter().collect()
}

fn pad(chars: &[char], length: usize, fill: &str, left: bool) -> String {
    let length = length.min(MAX_MADE / 4);
    let text: String = chars.iter().take(length).collect();
    let missing = length.saturating_sub(chars.len());
    let filler: String =
        fill.chars().cycle().take(if fill.is_empty() { 0 } else { missing }).collect();
    if left { filler + &text } else { text + &filler }
}

pub(super) fn find(text: &str, part: &str, from: i64, fold: bool) -> i64 {
    let (text, part) = if fold {
        (text.to_lowercase(), part.to_lowercase())
    } else {
        (text.to_owned(), part.to_owned())
    };
    let skip = size(from - 1);
    let start =
        text.char_indices().nth(skip).map_or(if skip == 0 { 0 } else { text.len() }, |(at, _)| at);
    let rest = text.get(start..).unwrap_or_default();
    match rest.find(&part) {
        Some(at) => {
            let before = rest.get(..at).map_or(0, |text| text.chars().count());
            i64::try_from(before + skip + 1).unwrap_or(0)
        }
        None => 0,
    }
}

fn substring_index(text: &str, between: &str, times: i64) -> String {
    if between.is_empty() || times == 0 {
        return String::new();
    }
    let parts: Vec<&str> = text.split(between).collect();
    let n = usize::try_from(times.unsigned_abs()).unwrap_or(usize::MAX);
    if times > 0 {
        parts.iter().take(n).copied().collect::<Vec<_>>().join(between)
    } else {
        parts.get(parts.len().saturating_sub(n)..).unwrap_or_default().join(between)
    }
}

pub(super) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if digits.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits.chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

pub(super) fn quote_ident(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    if first && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_texts_are_counted_as_in_each_product() {
        let chars: Vec<char> = "abcdef".chars().collect();
        assert_eq!(substring(&chars, 2, Some(3), true), "bcd");
        assert_eq!(substring(&chars, -2, None, true), "ef");
        assert_eq!(substring(&chars, 0, Some(3), true), "");
        assert_eq!(substring(&chars, 0, Some(3), false), "ab");
        assert_eq!(find("banana", "na", 4, false), 5);
    }
}
