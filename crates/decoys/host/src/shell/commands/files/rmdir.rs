//! `rmdir`.

use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &Accepts::new("pv", &[("parents", b'p')])).await?;
    if options.rest.is_empty() {
        return Err(proc.missing_operand().await);
    }
    let now = proc.io.now();
    let mut status = 0;
    for path in &options.rest {
        let removed = proc.host.with(|m| m.fs.remove(&proc.user.creds, &proc.cwd, path, true, now));
        if let Err(errno) = removed {
            proc.fault("failed to remove", path, errno).await;
            status = 1;
        }
    }
    Ok(status)
}
