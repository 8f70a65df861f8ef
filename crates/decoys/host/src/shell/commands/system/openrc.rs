//! `rc-service` and `rc-status` of OpenRC, over the daemons of the process table.

use super::services::{act, find, units};
use crate::shell::proc::{Outcome, Proc};

/// `rc-service`, which is also `service`.
pub(in crate::shell::commands) async fn service(proc: &mut Proc) -> Outcome {
    let arguments: Vec<String> =
        proc.arguments().iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let units = units(proc);
    let (name, verb) = match arguments.as_slice() {
        [list] if list == "--list" || list == "-l" => {
            proc.out(units.iter().map(|unit| format!("{}\n", unit.name)).collect::<String>())
                .await?;
            return Ok(0);
        }
        [name, verb, ..] if !name.starts_with('-') => (name, verb.as_str()),
        _ => {
            proc.err("rc-service: you need to specify a service and an action\n").await;
            return Ok(1);
        }
    };
    let Some(unit) = find(proc, &units, name) else {
        proc.err(format!(" * rc-service: service `{name}' does not exist\n")).await;
        return Ok(1);
    };
    let runs = unit.main.is_some();
    if verb == "status" {
        let state = if runs { "started" } else { "stopped" };
        proc.out(format!(" * status: {state}\n")).await?;
        return Ok(if runs { 0 } else { 3 });
    }
    if !matches!(verb, "start" | "stop" | "restart") {
        proc.err(format!(" * {name}: unknown function `{verb}'\n")).await;
        return Ok(1);
    }
    if proc.user.creds.uid != 0 {
        proc.err(format!(" * {name}: superuser access required\n")).await;
        return Ok(1);
    }
    if runs && verb == "start" {
        proc.err(format!(" * WARNING: {name} has already been started\n")).await;
        return Ok(0);
    }
    if runs {
        proc.out(format!(" * Stopping {name} ... [ ok ]\n")).await?;
    }
    if verb != "stop" {
        proc.out(format!(" * Starting {name} ... [ ok ]\n")).await?;
    }
    act(proc, unit, verb, false);
    Ok(0)
}

/// `rc-status`.
pub(in crate::shell::commands) async fn status(proc: &mut Proc) -> Outcome {
    let mut out = String::from("Runlevel: default\n");
    for unit in units(proc) {
        let state = if unit.main.is_some() { "started" } else { "stopped" };
        out.push_str(&format!(" {:<66}[  {state}  ]\n", unit.name));
    }
    out.push_str(
        "Dynamic Runlevel: hotplugged\nDynamic Runlevel: needed/wanted\nDynamic Runlevel: manual\n",
    );
    proc.out(out).await?;
    Ok(0)
}
