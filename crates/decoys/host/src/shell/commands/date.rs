//! `date`.

use crate::clock;
use crate::shell::proc::{Outcome, Proc};

pub(super) async fn run(proc: &mut Proc) -> Outcome {
    let now = proc.io.now();
    let mut format = "%a %b %e %H:%M:%S UTC %Y".to_owned();
    for argument in proc.arguments() {
        let text = String::from_utf8_lossy(&argument).into_owned();
        if let Some(custom) = text.strip_prefix('+') {
            format = custom.to_owned();
        } else if text == "-R" || text == "--rfc-email" {
            format = "%a, %d %b %Y %H:%M:%S %z".to_owned();
        } else if text.starts_with("-I") {
            format =
                if text.ends_with("seconds") { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%F" }.to_owned();
        } else if !text.starts_with('-') {
            proc.err(format!("date: invalid date '{text}'\n")).await;
            return Ok(1);
        }
    }
    proc.out(format!("{}\n", clock::format(now, &format))).await?;
    Ok(0)
}
