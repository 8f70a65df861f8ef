//! `hostname`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let (host, ip) =
        proc.host.with(|machine| (machine.facts().hostname.clone(), machine.decky().ip));
    match proc.arguments().first().map(Vec::as_slice) {
        None | Some(b"-f" | b"--fqdn" | b"-a") => proc.out(format!("{host}\n")).await?,
        Some(b"-s" | b"--short") => {
            proc.out(format!("{}\n", host.split('.').next().unwrap_or_default())).await?;
        }
        Some(b"-I" | b"-i") => proc.out(format!("{ip} \n")).await?,
        Some(b"-d") => proc.out("\n").await?,
        Some(_) if proc.user.creds.uid == 0 => {}
        Some(_) => {
            proc.err("hostname: you must be root to change the host name\n").await;
            return Ok(1);
        }
    }
    Ok(0)
}
