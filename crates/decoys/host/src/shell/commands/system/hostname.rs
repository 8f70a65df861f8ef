//! `hostname`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let (host, ip) =
        proc.host.with(|machine| (machine.facts().hostname.clone(), machine.decky().ip));
    let (fqdn, domain) = (proc.host.fqdn(), proc.host.domain());
    match proc.arguments().first().map(Vec::as_slice) {
        None => proc.out(format!("{host}\n")).await?,
        Some(b"-f" | b"--fqdn" | b"--long") => proc.out(format!("{fqdn}\n")).await?,
        Some(b"-a" | b"--alias") => proc.out(format!("{host}\n")).await?,
        Some(b"-s" | b"--short") => {
            proc.out(format!("{}\n", host.split('.').next().unwrap_or_default())).await?;
        }
        Some(b"-I" | b"-i") => proc.out(format!("{ip} \n")).await?,
        Some(b"-d" | b"--domain") => proc.out(format!("{domain}\n")).await?,
        Some(_) if proc.user.creds.uid == 0 => {}
        Some(_) => {
            proc.err("hostname: you must be root to change the host name\n").await;
            return Ok(1);
        }
    }
    Ok(0)
}
