//! `decnet init`: makes this machine one that DECNET runs on as a service, and undoes that.
//!
//! [`plan`] lists the steps; each is looked at before it is done, so that a second run finds nothing
//! to do. One process needs one unit: there is no target, no bus and no rule for other users to
//! manage it. DECNET rotates its own files, so nothing is set up for logrotate.

mod accounts;
mod files;
mod layout;
mod machine;
mod options;
mod plan;
mod secrets;
mod step;
mod templates;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;

pub(crate) use options::Init;

use self::layout::{SECRETS, SETTINGS, STATE_DIR, UNIT_NAME};
use self::machine::Machine;
use self::options::Names;
use self::step::{Context, Need, Step};
use crate::refusal::{self, Exit, Refusal};

/// Runs the command.
pub(crate) fn run(options: &Init) -> ExitCode {
    match init(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refusal::report(&error),
    }
}

fn init(options: &Init) -> anyhow::Result<()> {
    let names = Names::parse(options)?;
    if options.purge && !options.deinit {
        let hint = "to remove everything, say `decnet init --deinit --purge`";
        return Err(Refusal::new(Exit::Failed, "--purge without --deinit", hint).into());
    }
    let machine = Machine::new(options.prefix.as_deref());
    if machine.live && !base_sandbox::is_root() {
        let hint = "say `sudo decnet init`; to try DECNET without root, say `decnet up`";
        return Err(Refusal::new(Exit::Failed, "only root can install DECNET", hint).into());
    }
    let steps = match options.deinit {
        true => plan::undo(&names, options.purge),
        false => {
            refuse_foreign_data(&machine, &names)?;
            plan::install(&names)
        }
    };
    let Init { force, no_start, dry_run, .. } = *options;
    let mut context =
        Context { machine: &machine, names: &names, force, no_start, done: Vec::new() };
    perform(steps, &mut context, dry_run)?;
    if !options.deinit && !dry_run {
        say(&next_steps(&context));
    }
    Ok(())
}

/// Data of another user's DECNET would neither be readable for the service nor stay that user's.
fn refuse_foreign_data(machine: &Machine, names: &Names) -> anyhow::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(machine.at(STATE_DIR).join("lock")) else {
        return Ok(());
    };
    if !machine.live || machine.user_id(&names.user)? == Some(metadata.uid()) {
        return Ok(());
    }
    let Names { user, group, .. } = names;
    let what = format!("`{STATE_DIR}` holds the data of a DECNET of user {}", metadata.uid());
    let hint = format!(
        "end that one, make the user, and hand the data over: `groupadd --system {group}; useradd \
         --system --gid {group} --shell /usr/sbin/nologin {user}; chown -R {user}:{group} {STATE_DIR}`"
    );
    Err(Refusal::new(Exit::Failed, what, hint).into())
}

/// One after the other, up to the first that fails.
fn perform(steps: Vec<Step>, context: &mut Context<'_>, dry_run: bool) -> anyhow::Result<()> {
    for step in steps {
        let label = step.label(context.names);
        let outcome = step.look(context).and_then(|need| match need {
            Need::Needed if !dry_run => step.act(context).map(|()| Need::Needed),
            need => Ok(need),
        });
        match outcome {
            Ok(Need::Skip(reason)) => say(&format!("[SKIP] {label} ({reason})\n")),
            Ok(Need::Needed) => {
                let note = if dry_run { " (dry run: not done)" } else { "" };
                say(&format!("[ OK ] {label}{note}\n"));
                context.done.push(step);
            }
            Err(error) => {
                say(&format!("[FAIL] {label}\n"));
                let hint = match step {
                    Step::Enable => "see `journalctl -u decnet`, then say `decnet init` again",
                    _ => "mend that and say the same again; what is done already is skipped",
                };
                let why = format!("{label}: {}", refusal::chain(error.as_ref()));
                return Err(Refusal::new(Exit::Failed, why, hint).into());
            }
        }
    }
    Ok(())
}

fn next_steps(context: &Context<'_>) -> String {
    let names = context.names;
    let program = names.program().display().to_string();
    let mut lines = vec![String::new()];
    if !context.machine.has_systemd() {
        let Names { user, group, .. } = names;
        lines.push("no init system: run `decnet up`. As its user, with low ports:".to_owned());
        lines.push(format!(
            "  (set -a; . {SECRETS}; exec setpriv --reuid {user} --regid {group} \
             --clear-groups --inh-caps=-all,+net_bind_service --ambient-caps=+net_bind_service \
             --bounding-set=-all,+net_bind_service {program} up)"
        ));
    } else if context.no_start {
        lines.push(format!("start:      systemctl enable --now {UNIT_NAME}"));
    } else if context.machine.live && replaced(context) && !context.done.contains(&Step::Enable) {
        lines.push(format!("take up:    systemctl restart {UNIT_NAME}"));
    }
    lines.push(format!("log in:     the first password is in {SECRETS}, if no other was chosen"));
    lines.push(format!("look:       {program} status"));
    if context.machine.has_systemd() {
        lines.push("messages:   journalctl -u decnet".to_owned());
    }
    lines.push(format!("settings:   {SETTINGS}"));
    lines.push(format!("back up:    {SECRETS} and {STATE_DIR}"));
    lines.join("\n") + "\n"
}

/// Whether what runs is not what is installed any more.
fn replaced(context: &Context<'_>) -> bool {
    let programs = context.done.iter().filter(|step| matches!(step, Step::Program(_)));
    context.changed(layout::UNIT) || programs.count() > 0
}

#[expect(clippy::print_stdout, reason = "this is what the command is for")]
fn say(text: &str) {
    print!("{text}");
}
