//! Files that `init` writes, as texts.

use super::layout::{ARTIFACTS, SECRETS, STATE_DIR};
use super::options::Names;

/// The service unit.
pub(super) fn unit(names: &Names) -> String {
    render(include_str!("templates/decnet.service"), names)
}

/// The tmpfiles entry.
pub(super) fn tmpfiles(names: &Names) -> String {
    render(include_str!("templates/tmpfiles.conf"), names)
}

/// Settings to begin with.
pub(super) fn settings(names: &Names) -> String {
    render(include_str!("templates/decnet.ini"), names)
}

/// One pass over the template, so that no value is looked at for placeholders.
fn render(template: &str, names: &Names) -> String {
    let program = names.program().display().to_string();
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((text, (name, after))) =
        rest.split_once("{{").and_then(|(text, after)| Some((text, after.split_once("}}")?)))
    {
        out.push_str(text);
        out.push_str(match name {
            "USER" => &names.user,
            "GROUP" => &names.group,
            "PROGRAM" => &program,
            "STATE_DIR" => STATE_DIR,
            "ARTIFACTS" => ARTIFACTS,
            "SECRETS" => SECRETS,
            unknown => unknown,
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn names() -> Names {
        let (user, group) = ("trap".into(), "traps".into());
        Names { user, group, install_dir: "/srv/trap".into() }
    }

    #[test]
    fn names_and_paths_follow_what_was_asked_for() {
        let unit = unit(&names());
        for line in [
            "User=trap",
            "Group=traps",
            "ExecStart=/srv/trap/bin/decnet up",
            "ReadWritePaths=/var/lib/decnet",
            "SystemCallFilter=@system-service",
            "SystemCallFilter=~@chown @keyring @memlock @setuid",
        ] {
            assert!(unit.lines().any(|one| one == line), "{line} is not in\n{unit}");
        }
        assert!(!unit.contains(['{', '}']), "{unit}");
        assert!(tmpfiles(&names()).contains("d /var/lib/decnet/artifacts 2775 trap traps -\n"));
        let settings = settings(&names());
        assert!(settings.contains("mysql://user:password@host:port/name"), "{settings}");
    }

    #[test]
    fn settings_are_those_that_up_reads_and_hold_no_secret() {
        let text = settings(&names());
        let mut section = "";
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
            } else if let Some((key, _)) = line.split_once(" =") {
                let name = format!("{section}.{}", key.trim_start_matches(';'));
                assert!(crate::settings::find(&name).is_some(), "{name} is no setting");
            }
        }
        assert_eq!(section, "database");
    }

    /// `UPDATE=1` writes them again.
    #[test]
    fn the_files_in_deploy_are_those_that_init_writes() {
        let (user, group) = ("decnet".into(), "decnet".into());
        let names = Names { user, group, install_dir: "/opt/decnet".into() };
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd");
        let files: [(&str, String); 3] = [
            ("decnet.service", unit(&names)),
            ("decnet.tmpfiles.conf", tmpfiles(&names)),
            ("decnet.ini", settings(&names)),
        ];
        for (name, text) in files {
            let path: PathBuf = deploy.join(name);
            if base_runtime::environment::variable("UPDATE").is_some() {
                std::fs::create_dir_all(&deploy).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let shown = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(shown == text, "{name} differs; UPDATE=1 with this test writes it");
        }
    }
}
