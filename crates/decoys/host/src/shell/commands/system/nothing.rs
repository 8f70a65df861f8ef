//! Programs that do nothing, well or badly: `true`, `false`, `sync`.

use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(_: &mut Proc) -> Outcome {
    Ok(0)
}

pub(super) async fn fails(_: &mut Proc) -> Outcome {
    Ok(1)
}
