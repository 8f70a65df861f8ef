//! Functions of numbers.

use super::text::size;
use super::{Found, arg, bytes, int, number};
use crate::sql::evaluate::Scope;
use crate::sql::fault::Fault;
use crate::sql::value::Value;

pub(super) fn number_function(name: &str, args: &[Value], scope: &Scope<'_>) -> Found {
    let x = || number(args, 0);
    let whole = matches!(args.first(), Some(Value::Int(_)));
    let mysql = scope.mysql();
    #[expect(clippy::cast_possible_truncation, reason = "saturates, as the products do")]
    let rounded = |number: f64| {
        if number.abs() < 9e15 { Value::Int(number as i64) } else { Value::Float(number) }
    };
    Some(Ok(match (name, args.len()) {
        ("abs", 1) if whole => Value::Int(int(args, 0).saturating_abs()),
        ("abs", 1) => Value::Float(x().abs()),
        ("floor", 1) => rounded(x().floor()),
        ("ceil" | "ceiling", 1) => rounded(x().ceil()),
        ("round" | "truncate" | "trunc", 1 | 2) => {
            let places = i32::try_from(int(args, 1).clamp(-18, 18)).unwrap_or(0);
            let scale = 10_f64.powi(places);
            let value = if name == "round" {
                (x() * scale).round() / scale
            } else {
                (x() * scale).trunc() / scale
            };
            if places <= 0 { rounded(value) } else { Value::Float(value) }
        }
        ("mod", 2) if number(args, 1) == 0.0 => {
            return Some(if mysql { Ok(Value::Null) } else { Err(Fault::DivisionByZero) });
        }
        ("mod", 2) if whole => Value::Int(int(args, 0).wrapping_rem(int(args, 1))),
        ("mod", 2) => Value::Float(x() % number(args, 1)),
        ("power" | "pow", 2) => Value::Float(x().powf(number(args, 1))),
        ("sqrt", 1) => Value::Float(x().sqrt()),
        ("exp", 1) => Value::Float(x().exp()),
        ("ln", 1) => Value::Float(x().ln()),
        ("log", 1) if mysql => Value::Float(x().ln()),
        ("log" | "log10", 1) => Value::Float(x().log10()),
        ("log2", 1) => Value::Float(x().log2()),
        ("pi", 0) => {
            if mysql {
                Value::text("3.141593")
            } else {
                Value::Float(std::f64::consts::PI)
            }
        }
        ("sign", 1) => Value::Int(if x() > 0.0 {
            1
        } else if x() < 0.0 {
            -1
        } else {
            0
        }),
        ("rand", 0 | 1) if mysql => Value::Float(scope.world.random()),
        ("random", 0) if !mysql => Value::Float(scope.world.random()),
        ("crc32", 1) if mysql => Value::Int(crc32(&bytes(args, 0))),
        ("greatest" | "least", 2..) => {
            if mysql && args.iter().any(Value::is_null) {
                return Some(Ok(Value::Null));
            }
            let items = args.iter().filter(|value| !value.is_null());
            let best = if name == "greatest" {
                items.max_by(|a, b| a.order(b, mysql))
            } else {
                items.min_by(|a, b| a.order(b, mysql))
            };
            best.cloned().unwrap_or(Value::Null)
        }
        ("nullif", 2) => {
            let same =
                args.first().zip(args.get(1)).is_some_and(|(a, b)| a.order(b, mysql).is_eq());
            if same { Value::Null } else { args.first().cloned().unwrap_or(Value::Null) }
        }
        ("isnull", 1) if mysql => Value::Int(args.first().is_some_and(Value::is_null).into()),
        ("bin", 1) => Value::Text(format!("{:b}", int(args, 0))),
        ("oct", 1) => Value::Text(format!("{:o}", int(args, 0))),
        ("format", 2) if mysql => Value::Text(grouped(x(), size(int(args, 1)).min(30))),
        ("inet_aton", 1) => arg(args, 0)
            .parse::<std::net::Ipv4Addr>()
            .map_or(Value::Null, |ip| Value::Int(u32::from(ip).into())),
        ("inet_ntoa", 1) => Value::Text(
            std::net::Ipv4Addr::from(u32::try_from(int(args, 0)).unwrap_or(0)).to_string(),
        ),
        _ => return None,
    }))
}

fn crc32(bytes: &[u8]) -> i64 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    (!crc).into()
}

/// A number with commas between thousands.
pub(super) fn grouped(number: f64, places: usize) -> String {
    let text = format!("{:.places$}", number.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{}{out}{rest}", if number < 0.0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        assert_eq!(grouped(-1_234_567.891, 2), "-1,234,567.89");
    }
}
