//! `true`, `false`, `yes`, `seq`, `sync`, `kill`.

use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    match proc.name().as_str() {
        "yes" => {
            let arguments = proc.arguments();
            let mut line = if arguments.is_empty() { b"y".to_vec() } else { arguments.join(&b' ') };
            line.push(b'\n');
            let block = line.repeat((8192 / line.len()).max(1));
            loop {
                proc.out(&block).await?;
            }
        }
        "seq" => seq(proc).await,
        "false" => Ok(1),
        _ => Ok(0),
    }
}

async fn seq(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let mut numbers = Vec::new();
    for argument in &arguments {
        match String::from_utf8_lossy(argument).parse::<i64>() {
            Ok(number) => numbers.push(number),
            Err(_) => {
                let quoted = super::options::quoted(argument);
                let text = [
                    &b"seq: invalid floating point argument: "[..],
                    &quoted,
                    b"\nTry 'seq --help' for more information.\n",
                ];
                proc.err(text.concat()).await;
                return Ok(1);
            }
        }
    }
    let (from, step, to) = match numbers.as_slice() {
        [to] => (1, 1, *to),
        [from, to] => (*from, 1, *to),
        [from, step, to] => (*from, *step, *to),
        _ => return Err(super::options::missing_operand(proc).await),
    };
    if step == 0 {
        proc.err(
            "seq: invalid Zero increment value: '0'\nTry 'seq --help' for more information.\n",
        )
        .await;
        return Ok(1);
    }
    let mut value = from;
    let mut block = Vec::new();
    while (step > 0 && value <= to) || (step < 0 && value >= to) {
        block.extend(format!("{value}\n").into_bytes());
        if block.len() > 4096 {
            proc.out(&std::mem::take(&mut block)).await?;
        }
        match value.checked_add(step) {
            Some(next) => value = next,
            None => break,
        }
    }
    if !block.is_empty() {
        proc.out(&block).await?;
    }
    Ok(0)
}
