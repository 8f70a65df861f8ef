//! `seq`.

use crate::shell::commands::options::{Accepts, read_from};
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts =
    Accepts::new("+f:s:w", &[("equal-width", b'w'), ("format=", b'f'), ("separator=", b's')]);

/// A number as it was given, with the digits after its point.
#[derive(Clone, Copy)]
struct Number {
    /// Scaled to an integer by `digits`.
    value: f64,
    digits: usize,
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    // A negative number is no option.
    let arguments = proc.arguments();
    let negative = |argument: &Vec<u8>| {
        argument.first() == Some(&b'-')
            && argument.get(1).is_some_and(|b| b.is_ascii_digit() || *b == b'.')
    };
    let split = arguments.iter().position(negative).unwrap_or(arguments.len());
    let (head, tail) = arguments.split_at_checked(split).unwrap_or((&arguments, &[]));
    let mut options = read_from(proc, &ACCEPTS, head.to_vec()).await?;
    options.rest.extend(tail.iter().cloned());
    let mut numbers = Vec::new();
    for argument in &options.rest {
        match number(argument) {
            Some(number) => numbers.push(number),
            None => {
                return Err(proc.misused("invalid floating point argument:", argument).await);
            }
        }
    }
    let one = Number { value: 1.0, digits: 0 };
    let (from, step, to) = match numbers.as_slice() {
        [] => return Err(proc.missing_operand().await),
        [to] => (one, one, *to),
        [from, to] => (*from, one, *to),
        [from, step, to] => (*from, *step, *to),
        _ => {
            let extra = options.rest.get(3).cloned().unwrap_or_default();
            return Err(proc.misused("extra operand", &extra).await);
        }
    };
    if step.value == 0.0 {
        let given = options.rest.get(1).cloned().unwrap_or_default();
        return Err(proc.misused("invalid Zero increment value:", &given).await);
    }
    let separator = options.value(b's').unwrap_or(b"\n").to_vec();
    print(proc, from, step, to, &separator, options.has(b'w')).await?;
    Ok(0)
}

async fn print(
    proc: &Proc,
    from: Number,
    step: Number,
    to: Number,
    separator: &[u8],
    wide: bool,
) -> Result<(), Stop> {
    let digits = from.digits.max(step.digits);
    let width = if wide {
        let length = |n: Number| format!("{:.digits$}", n.value).len();
        length(from).max(length(Number { digits, ..to }))
    } else {
        0
    };
    let mut count = 0.0;
    let mut block = Vec::new();
    let mut first = true;
    loop {
        // Multiplied, not added up, so that errors do not grow.
        let value = from.value + count * step.value;
        let slack = step.value.abs() * 1e-9;
        let over =
            if step.value > 0.0 { value > to.value + slack } else { value < to.value - slack };
        if over {
            break;
        }
        if !first {
            block.extend_from_slice(separator);
        }
        first = false;
        block.extend(format!("{value:0width$.digits$}").into_bytes());
        if block.len() > 4096 {
            proc.out(&std::mem::take(&mut block)).await?;
        }
        count += 1.0;
    }
    if !first {
        block.push(b'\n');
        proc.out(&block).await?;
    }
    Ok(())
}

fn number(text: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if !text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        return None;
    }
    let value = text.parse::<f64>().ok().filter(|value| value.is_finite())?;
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len().min(20));
    Some(Number { value, digits })
}
