//! DECNET installed as a service, and gone again.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::{booted, missing};
use tempfile::TempDir;

/// A folder that stands in for a machine.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn init(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(e2e::binary());
        command.args(["init", "--prefix"]).arg(self.0.path()).args(arguments);
        command.output().unwrap()
    }

    /// What a run that went well said.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.init(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.at(path)).unwrap().mode() & 0o7777
    }

    /// Everything in it but folders.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        let name = |path: PathBuf| path.strip_prefix(self.0.path()).unwrap().display().to_string();
        let mut names: Vec<String> = found.into_iter().map(name).collect();
        names.sort();
        names
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

/// Steps by their outcome.
fn steps<'t>(told: &'t str, outcome: &str) -> Vec<&'t str> {
    told.lines().filter(|line| line.starts_with(outcome)).collect()
}

#[test]
fn a_dry_run_names_what_would_be_done_and_touches_nothing() {
    let machine = Machine::new();
    let told = machine.done(&["--dry-run"]);
    assert!(steps(&told, "[ OK ]").iter().any(|line| line.contains("/etc/decnet/secrets.env")));
    assert!(steps(&told, "[ OK ]").iter().all(|line| line.ends_with("(dry run: not done)")));
    assert_eq!(fs::read_dir(machine.0.path()).unwrap().count(), 0);
    machine.done(&[]);
    let files = machine.files();
    machine.done(&["--deinit", "--purge", "--dry-run"]);
    assert_eq!(machine.files(), files);
}

#[test]
fn an_installation_is_as_specified_and_a_second_run_has_nothing_to_do() {
    let machine = Machine::new();
    machine.done(&[]);
    let files = [
        "etc/decnet/decnet.ini",
        "etc/decnet/secrets.env",
        "etc/systemd/system/decnet.service",
        "etc/tmpfiles.d/decnet.conf",
        "opt/decnet/bin/decnet",
    ];
    assert_eq!(machine.files(), files);
    for (path, mode) in [
        ("opt/decnet", 0o755),
        ("opt/decnet/bin/decnet", 0o755),
        ("var/lib/decnet", 0o750),
        ("var/lib/decnet/artifacts", 0o2775),
        ("etc/decnet", 0o755),
        ("etc/decnet/decnet.ini", 0o640),
        ("etc/decnet/secrets.env", 0o600),
    ] {
        assert_eq!(machine.mode(path), mode, "{path}");
    }
    let secrets = machine.read("etc/decnet/secrets.env");
    let again = machine.done(&[]);
    assert_eq!(steps(&again, "[ OK ]"), Vec::<&str>::new());
    assert_eq!(steps(&again, "[SKIP]").len(), 15);
    assert_eq!(machine.read("etc/decnet/secrets.env"), secrets);

    let other = Machine::new();
    other.done(&[]);
    let shared = |line: &&str| line.starts_with("DECNET_") && secrets.contains(*line);
    assert_eq!(other.read("etc/decnet/secrets.env").lines().find(shared), None);
}

#[test]
fn what_was_changed_is_mended_but_settings_and_secrets_are_the_operators() {
    let machine = Machine::new();
    machine.done(&[]);
    let unit = machine.read("etc/systemd/system/decnet.service");
    fs::write(machine.at("etc/systemd/system/decnet.service"), "[Service]\nUser=root\n").unwrap();
    fs::write(machine.at("etc/decnet/decnet.ini"), "[decnet]\napi-addr = 127.0.0.1:9\n").unwrap();
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(machine.at("etc/decnet/secrets.env"), open).unwrap();
    let secrets = machine.read("etc/decnet/secrets.env");
    let told = machine.done(&[]);
    assert_eq!(
        steps(&told, "[ OK ]"),
        [
            "[ OK ] secrets /etc/decnet/secrets.env",
            "[ OK ] file /etc/systemd/system/decnet.service",
        ]
    );
    assert_eq!(machine.read("etc/systemd/system/decnet.service"), unit);
    assert_eq!(machine.mode("etc/decnet/secrets.env"), 0o600);
    let forced = machine.done(&["--force"]);
    assert_eq!(steps(&forced, "[ OK ]").len(), 3, "{forced}");
    assert_eq!(machine.read("etc/decnet/decnet.ini"), "[decnet]\napi-addr = 127.0.0.1:9\n");
    assert_eq!(machine.read("etc/decnet/secrets.env"), secrets);
}

#[test]
fn undoing_keeps_data_and_what_opens_it_until_a_purge() {
    let machine = Machine::new();
    machine.done(&[]);
    fs::write(machine.at("var/lib/decnet/decnet.db"), "caught").unwrap();
    fs::write(machine.at("opt/decnet/notes"), "the operator's").unwrap();
    let secrets = machine.read("etc/decnet/secrets.env");
    machine.done(&["--deinit"]);
    let kept = ["etc/decnet/secrets.env", "opt/decnet/notes", "var/lib/decnet/decnet.db"];
    assert_eq!(machine.files(), kept);
    // Installed again, it goes on with what it had.
    machine.done(&[]);
    assert_eq!(machine.read("etc/decnet/secrets.env"), secrets);
    machine.done(&["--deinit", "--purge"]);
    assert_eq!(machine.files(), ["opt/decnet/notes"]);
    assert!(!machine.at("var/lib/decnet").exists() && !machine.at("etc/decnet").exists());
}

#[test]
fn data_under_a_daemon_that_runs_is_not_removed() {
    let machine = Machine::new();
    machine.done(&[]);
    let lock = fs::File::create(machine.at("var/lib/decnet/lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let output = machine.init(&["--deinit", "--purge"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("[FAIL] remove /var/lib/decnet"), "{}", told(&output));
    assert!(machine.at("var/lib/decnet/artifacts").exists());
    drop(lock);
    machine.done(&["--deinit", "--purge"]);
    assert!(!machine.at("var/lib/decnet").exists());
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_done() {
    let machine = Machine::new();
    for (arguments, code, why) in [
        (&["--purge"][..], 1, "--purge without --deinit"),
        (&["--install-dir", "opt/decnet"], 1, "is not absolute"),
        (&["--install-dir", "/home/me/decnet"], 1, "is where the service cannot see it"),
        (&["--user", "root"], 2, "is not for root"),
        (&["--group", "a b"], 2, "is not a name"),
    ] {
        let output = machine.init(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(told(&output).contains(why), "{arguments:?}: {}", told(&output));
    }
    assert_eq!(fs::read_dir(machine.0.path()).unwrap().count(), 0);
    if rustix::process::geteuid().is_root() {
        // A program that others may replace is not one for root.
        fs::create_dir_all(machine.at("opt/decnet")).unwrap();
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(machine.at("opt/decnet"), open).unwrap();
        let output = machine.init(&[]);
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains("[FAIL] folder /opt/decnet"), "{}", told(&output));
    } else {
        let output = Command::new(e2e::binary()).arg("init").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(told(&output).contains("only root"), "{}", told(&output));
    }
}

#[test]
fn systemd_finds_no_fault_with_the_unit_and_little_exposure() {
    if missing("systemd-analyze") {
        return;
    }
    let machine = Machine::new();
    machine.done(&[]);
    let unit = machine.at("etc/systemd/system/decnet.service");
    let verify = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
    let complaints = told(&verify);
    // The program is in the stand-in only.
    let ours = complaints.lines().filter(|line| line.contains("decnet"));
    let faults: Vec<&str> = ours.filter(|line| !line.contains("is not executable")).collect();
    assert_eq!(faults, Vec::<&str>::new());
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--offline=true", "--threshold=22"]).arg(&unit);
    let security = security.output().unwrap();
    assert!(security.status.success(), "{}", told(&security));
}

/// Lines `NAME=VALUE` that a script wrote.
fn fact<'o>(out: &'o str, name: &str) -> &'o str {
    let mut lines = out.lines().filter_map(|line| line.split_once('='));
    lines
        .find_map(|(key, value)| (key == name).then_some(value))
        .unwrap_or_else(|| panic!("{name} is not in:\n{out}"))
}

#[test]
fn systemd_runs_it_as_its_user_watches_it_and_forgets_it() {
    let out = booted(
        r#"
main() { systemctl show -P MainPID decnet; }
show() { echo "$1=$(systemctl show -P "$2" decnet)"; }
of() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$2/status"; }
/trial/decnet init; init=$?; echo "init=$init"
[ "$init" = 0 ] || { systemctl status decnet; journalctl --no-pager | tail -n 50; exit 1; }
show active ActiveState; show text StatusText
/opt/decnet/bin/decnet status > /dev/null; echo "status=$?"
control=$(main); decoy=$(pgrep -P "$control")
echo "user=$(stat -c %U:%G "/proc/$control")"
echo "control_caps=$(of CapEff "$control")"
echo "decoy_caps=$(of CapEff "$decoy")"
echo "decoy_uid=$(of Uid "$decoy")"; echo "uid=$(id -u decnet)"
echo "shell=$(getent passwd decnet | cut -d: -f7)"
echo "secrets=$(stat -c %a:%U:%G /etc/decnet/secrets.env)"
echo "settings=$(stat -c %a:%U:%G /etc/decnet/decnet.ini)"
echo "state=$(stat -c %a:%U:%G /var/lib/decnet)"
echo "artifacts=$(stat -c %a:%U:%G /var/lib/decnet/artifacts)"
echo "program=$(stat -c %a:%U:%G /opt/decnet/bin/decnet)"
. /etc/decnet/secrets.env
echo "login=$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8000/api/v1/auth/login \
    -H 'content-type: application/json' \
    -d "{\"username\":\"admin\",\"password\":\"$DECNET_ADMIN_PASSWORD\"}")"
echo "told=$(journalctl -u decnet | grep -c "$DECNET_ADMIN_PASSWORD")"
echo "again=$(/trial/decnet init | grep -c '^\[ OK \]')"
mkdir /etc/systemd/system/decnet.service.d
printf '[Service]\nWatchdogSec=1\nTimeoutAbortSec=1\nRestartSec=0\n' > /etc/systemd/system/decnet.service.d/trial.conf
systemctl daemon-reload; systemctl restart decnet; control=$(main)
# Hangs: it neither works nor ends.
kill -STOP "$control"
again() { [ "$(systemctl show -P NRestarts decnet)" -ge 1 ] && systemctl is-active --quiet decnet; }
tries=0; until again || [ "$((tries += 1))" -gt 1000 ]; do sleep 0.02; done
[ "$(main)" != "$control" ]; echo "other_process=$?"
/opt/decnet/bin/decnet status > /dev/null; echo "status_after=$?"
systemctl stop decnet; show result Result
/trial/decnet init --deinit > /dev/null; echo "deinit=$?"
echo "unit_after=$(systemctl show -P LoadState decnet)"
echo "data_after=$(ls /var/lib/decnet/decnet.db)"
/trial/decnet init --no-start | sed -n '/enable/s/^/no_start=/p'
/trial/decnet init --deinit --purge > /dev/null; echo "purge=$?"
echo "left=$(getent passwd decnet; getent group decnet; ls -d /var/lib/decnet /etc/decnet /opt/decnet 2> /dev/null)"
useradd --system --user-group theirs
/trial/decnet init --user theirs --group theirs > /dev/null; echo "theirs=$?"
echo "theirs_runs=$(stat -c %U "/proc/$(main)")"
/trial/decnet init --deinit --purge --user theirs --group theirs | sed -n '/remove user/s/^/theirs_after=/p'
echo "theirs_there=$(id -un theirs)"
"#,
    );
    let Some(out) = out else { return };
    for (name, value) in [
        ("init", "0"),
        ("active", "active"),
        ("text", "5 deckies, API on 127.0.0.1:8000"),
        ("status", "0"),
        ("user", "decnet:decnet"),
        // CAP_NET_BIND_SERVICE alone, and nothing.
        ("control_caps", "0000000000000400"),
        ("decoy_caps", "0000000000000000"),
        ("secrets", "600:root:root"),
        ("settings", "640:root:decnet"),
        ("state", "750:decnet:decnet"),
        ("artifacts", "2775:decnet:decnet"),
        ("program", "755:root:root"),
        ("login", "200"),
        ("told", "0"),
        ("again", "0"),
        ("other_process", "0"),
        ("status_after", "0"),
        ("result", "success"),
        ("deinit", "0"),
        ("unit_after", "not-found"),
        ("data_after", "/var/lib/decnet/decnet.db"),
        ("no_start", "[SKIP] systemctl enable --now decnet.service (--no-start)"),
        ("purge", "0"),
        ("left", ""),
        ("theirs", "0"),
        ("theirs_runs", "theirs"),
        ("theirs_after", "[SKIP] remove user theirs (kept: `decnet init` did not make it)"),
        ("theirs_there", "theirs"),
    ] {
        assert_eq!(fact(&out, name), value, "{name}\n{out}");
    }
    assert_eq!(fact(&out, "decoy_uid"), fact(&out, "uid"));
    assert!(fact(&out, "shell").ends_with("/nologin"));
}
