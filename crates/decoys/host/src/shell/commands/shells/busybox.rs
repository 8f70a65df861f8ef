//! `busybox`: dispatches to the programs that are also applets.

use crate::shell::interp::{Dialect, Interp};
use crate::shell::proc::{Outcome, Proc};
use crate::shell::{builtins, commands, limits};

/// Applets of Debian's full build, apart by blanks.
const APPLETS: &str = include_str!("../../../../data/busybox.txt");

fn applets() -> impl Iterator<Item = &'static str> {
    APPLETS.split_whitespace()
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    // A link to it says by its name which applet is meant.
    let linked = proc.name() != "busybox";
    let arguments = if linked {
        let mut all = proc.args.clone();
        if let Some(first) = all.first_mut() {
            *first = proc.name().trim_start_matches('-').as_bytes().to_vec();
        }
        all
    } else {
        proc.arguments()
    };
    let Some(applet) = arguments.first() else {
        proc.out(usage(proc)).await?;
        return Ok(0);
    };
    let name = String::from_utf8_lossy(applet).into_owned();
    if name == "--list" {
        proc.out(applets().map(|applet| format!("{applet}\n")).collect::<String>()).await?;
        return Ok(0);
    }
    if name == "--help" {
        proc.out(usage(proc)).await?;
        return Ok(0);
    }
    if !applets().any(|applet| applet == name) || proc.depth >= limits::DEPTH {
        proc.err([applet, &b": applet not found\n"[..]].concat()).await;
        return Ok(127);
    }
    let mut inner = proc.clone();
    inner.depth += 1;
    let mut shell = Interp::new(inner, b"busybox", Dialect::Dash);
    let program = match name.as_str() {
        "ash" | "sh" | "static-sh" => "dash",
        other => other,
    };
    let run = if let Some(command) = commands::find_applet(program) {
        shell.status = Box::pin(shell.run_entry(command, arguments)).await;
        true
    } else if let Some(builtin) = builtins::find(program, Dialect::Dash) {
        let _ = builtin(&mut shell, arguments).await;
        true
    } else {
        false
    };
    if !run {
        // An applet that needs a device or network this machine does not offer to it.
        proc.err(format!("{name}: Operation not permitted\n")).await;
        return Ok(1);
    }
    Ok(shell.status)
}

fn usage(proc: &Proc) -> String {
    let mut out = format!(
        "BusyBox {} multi-call binary.\n\
         BusyBox is copyrighted by many authors between 1998-2015.\n\
         Licensed under GPLv2. See source distribution for detailed\n\
         copyright notices.\n\n\
         Usage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n\
         \x20  or: busybox --show SCRIPT\n   or: busybox --install [-s] [DIR]\n\
         \x20  or: function [arguments]...\n\n\
         \tBusyBox is a multi-call binary that combines many common Unix\n\
         \tutilities into a single executable.  Most people will create a\n\
         \tlink to busybox for each function they wish to use and BusyBox\n\
         \twill act like whatever it was invoked as.\n\nCurrently defined functions:\n",
        proc.host.distro().busybox
    );
    let mut line = String::from("\t");
    for applet in applets() {
        if line.len() + applet.len() > 72 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("\t");
        }
        line.push_str(applet);
        line.push_str(", ");
    }
    out.push_str(line.trim_end_matches(", "));
    out.push('\n');
    out
}
