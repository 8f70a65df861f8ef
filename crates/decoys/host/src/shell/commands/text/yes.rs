//! `yes`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    let mut line = if arguments.is_empty() { b"y".to_vec() } else { arguments.join(&b' ') };
    line.push(b'\n');
    let block = line.repeat((8192 / line.len()).max(1));
    loop {
        proc.out(&block).await?;
    }
}
