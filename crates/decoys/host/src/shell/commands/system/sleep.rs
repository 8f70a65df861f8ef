//! `sleep`.

use std::time::Duration;

use crate::shell::commands::complaint::quoted;
use crate::shell::proc::{Outcome, Proc};

/// Longest nap; further ones end here.
const MAX_SECONDS: f64 = 86_400.0 * 30.0;

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let arguments = proc.arguments();
    if arguments.is_empty() {
        return Err(proc.missing_operand().await);
    }
    let mut seconds = 0.0;
    for argument in &arguments {
        let text = String::from_utf8_lossy(argument);
        let (digits, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
            Some(digits) => (digits, text.chars().last().unwrap_or('s')),
            None => (text.as_ref(), 's'),
        };
        let factor = match unit {
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86_400.0,
            _ => 1.0,
        };
        match digits.parse::<f64>() {
            Ok(number) if number >= 0.0 => seconds += number * factor,
            _ => {
                let quoted = quoted(argument);
                proc.err(
                    [
                        &b"sleep: invalid time interval "[..],
                        &quoted,
                        b"\nTry 'sleep --help' for more information.\n",
                    ]
                    .concat(),
                )
                .await;
                return Ok(1);
            }
        }
    }
    proc.io.sleep(Duration::from_secs_f64(seconds.min(MAX_SECONDS))).await;
    Ok(0)
}
