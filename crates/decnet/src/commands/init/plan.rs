//! Which steps there are, in order.

use super::accounts::Account;
use super::layout::{
    ARTIFACTS, MARKER, SECRETS, SETTINGS, SETTINGS_DIR, STATE_DIR, TMPFILES, UNIT,
};
use super::machine::Owner;
use super::options::Names;
use super::step::Step;
use super::templates;

/// Installing.
pub(super) fn install(names: &Names) -> Vec<Step> {
    let bin = names.install_dir.join("bin");
    let folder = |path: &str, mode, owner| Step::Folder { path: path.into(), mode, owner };
    vec![
        Step::Account(Account::Group),
        Step::Account(Account::User),
        Step::ProgramFolder(names.install_dir.clone()),
        Step::ProgramFolder(bin),
        folder(STATE_DIR, 0o750, Owner::Service),
        // What is in it is for the group's members to read.
        folder(ARTIFACTS, 0o2775, Owner::Service),
        folder(SETTINGS_DIR, 0o755, Owner::RootAndGroup),
        Step::Program(names.program()),
        Step::Settings { path: SETTINGS, text: templates::settings(names) },
        Step::Secrets(SECRETS),
        Step::Systemd { path: UNIT, text: templates::unit(names) },
        Step::Systemd { path: TMPFILES, text: templates::tmpfiles(names) },
        Step::ApplyTmpfiles,
        Step::Reload,
        Step::Enable,
    ]
}

/// Undoing it; with `purge` nothing stays.
pub(super) fn undo(names: &Names, purge: bool) -> Vec<Step> {
    let mut steps = vec![
        Step::Disable,
        Step::Remove(UNIT.into()),
        Step::Remove(TMPFILES.into()),
        Step::Reload,
        Step::Remove(names.program()),
        Step::RemoveEmpty(names.install_dir.join("bin")),
        Step::RemoveEmpty(names.install_dir.clone()),
        Step::Remove(SETTINGS.into()),
    ];
    if purge {
        steps.extend([
            Step::RemoveData,
            Step::Remove(SECRETS.into()),
            Step::RemoveAccount(Account::User),
            Step::RemoveAccount(Account::Group),
            // Last of all: it says what of the above may be removed when this is tried again.
            Step::Remove(MARKER.into()),
        ]);
    } else {
        steps.extend([
            Step::Keep(format!("data {STATE_DIR}")),
            Step::Keep(format!("secrets {SECRETS}")),
            Step::Keep(format!("user {}", names.user)),
            Step::Keep(format!("group {}", names.group)),
        ]);
    }
    steps.push(Step::RemoveEmpty(SETTINGS_DIR.into()));
    steps
}
