//! Operators on numbers, and constants as they are written.

/// The value of `left operator right`. Dividing by zero is the caller's to refuse.
pub(super) fn apply(operator: &str, left: i64, right: i64) -> i64 {
    let shift = u32::try_from(right & 63).unwrap_or(0);
    match operator {
        "||" => i64::from(left != 0 || right != 0),
        "&&" => i64::from(left != 0 && right != 0),
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "<<" => left.wrapping_shl(shift),
        ">>" => left.wrapping_shr(shift),
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.checked_div(right).unwrap_or(left),
        _ => left.checked_rem(right).unwrap_or(0),
    }
}

/// A constant: decimal, `0x…`, `0…` or `base#digits`.
pub(super) fn number(text: &str) -> Option<i64> {
    let (radix, digits) = if let Some((base, digits)) = text.split_once('#') {
        (base.parse::<i64>().ok().filter(|base| (2..=36).contains(base))?, digits)
    } else if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (16, digits)
    } else if text.len() > 1 && text.starts_with('0') {
        (8, text)
    } else {
        (10, text)
    };
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_i64, |value, c| {
        let digit = i64::from(c.to_digit(u32::try_from(radix).ok()?)?);
        Some(value.wrapping_mul(radix).wrapping_add(digit))
    })
}
