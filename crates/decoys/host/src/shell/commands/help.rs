//! `--help` and `--version`.

use super::find;
use crate::shell::proc::Proc;

/// What parts the two texts of a file under `data/help`.
const PART: &str = "\u{c}\n";

/// The answer of `proc` to the long option `name`, which may be cut short; `None` when it is not one
/// of these, or the program has no such text.
pub(super) fn answer(proc: &Proc, name: &str) -> Option<String> {
    let text = find(&proc.name())?.help?;
    let (help, version) = text.split_once(PART).unwrap_or((text, ""));
    let asked = |whole: &str| !name.is_empty() && whole.starts_with(name);
    let text = if asked("help") {
        help
    } else if asked("version") {
        version
    } else {
        return None;
    };
    let packages = &proc.host.distro().packages;
    let text = packages.iter().fold(text.to_owned(), |text, (name, version)| {
        text.replace(&format!("{{{name}}}"), version)
    });
    Some(text).filter(|text| !text.is_empty())
}
