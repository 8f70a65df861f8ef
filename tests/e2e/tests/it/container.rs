//! The container image: built without an engine, unpacked as one would, run in namespaces.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use e2e::{missing, skipped, until};
use serde_json::Value;

/// Mounts what engines mount, on a read-only root, and becomes the image's user. Says 77 where
/// that is not possible.
const CONTAINER: &str = r#"
set -e
root=$1 state=$2 user=$3; shift 3
{
    mount --bind "$root" "$root"
    mount --bind "$state" "$root/var/lib/decnet"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero urandom; do
        : > "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -o remount,bind,ro "$root"
    ip link set lo up
    echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
} || exit 77
chroot=$(command -v chroot)
cd /
exec env -i PATH=/usr/bin DECNET_STATE_DIR=/var/lib/decnet \
    "$chroot" --userspec="$user" --groups= "$root" "$@"
"#;

/// Namespaces with a process in them; all of it ends with this.
struct Container(Child);

impl Container {
    /// The process in it, once it is what the image says.
    fn process(&self) -> Option<u32> {
        let children = format!("/proc/{0}/task/{0}/children", self.0.id());
        let pid: u32 = fs::read_to_string(children).ok()?.trim().parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name == "decnet\n").then_some(pid)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Its child goes with it.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The blob that `descriptor` names, after a look at its digest and size.
fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let path = layout.join("blobs/sha256").join(digest);
    assert_eq!(sha256(&path), digest);
    assert_eq!(fs::metadata(&path).unwrap().len(), descriptor["size"].as_u64().unwrap());
    path
}

fn sha256(path: &Path) -> String {
    let sum = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(sum.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

fn build(program: &Path, folder: &Path, name: &str) -> PathBuf {
    let image = folder.join(name);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/oci/build.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg("-b").arg(program).arg("-o").arg(&image);
    let built = command.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    image
}

fn unpack(archive: &Path, folder: &Path) {
    fs::create_dir(folder).unwrap();
    let mut command = Command::new("tar");
    command.arg("-xpf").arg(archive).arg("-C").arg(folder).arg("--numeric-owner");
    assert!(command.status().unwrap().success());
}

#[test]
fn the_image_runs_as_its_user_on_a_read_only_root() {
    if missing("unshare") || missing("ip") || missing("tar") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = build(e2e::binary(), folder.path(), "image.tar");
    let layout = folder.path().join("layout");
    unpack(&image, &layout);
    let manifest = json(&blob(&layout, &json(&layout.join("index.json"))["manifests"][0]));
    let config = json(&blob(&layout, &manifest["config"]));
    let layer = blob(&layout, &manifest["layers"][0]);
    let docker = json(&layout.join("manifest.json"));
    assert!(layer.ends_with(docker[0]["Layers"][0].as_str().unwrap()));
    assert_eq!(config["config"]["User"], "990:990");

    if !rustix::process::geteuid().is_root() {
        skipped("only root can unpack an image with its owners and run it");
        return;
    }
    let root = folder.path().join("root");
    unpack(&layer, &root);
    let kept = fs::metadata(root.join("var/lib/decnet")).unwrap();
    assert_eq!((kept.uid(), kept.gid(), kept.mode() & 0o777), (990, 990, 0o750));
    assert_eq!(fs::metadata(root.join("usr/bin/decnet")).unwrap().uid(), 0);
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    chown(&state, Some(990), Some(990)).unwrap();

    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"]);
    command.args(["sh", "-c", CONTAINER, "container"]).arg(&root).arg(&state);
    command.arg(config["config"]["User"].as_str().unwrap());
    command.args(texts(&config["config"]["Entrypoint"])).args(texts(&config["config"]["Cmd"]));
    let errors = folder.path().join("stderr");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(fs::File::create(&errors).unwrap());
    let mut container = Container(command.spawn().unwrap());
    let told = || fs::read_to_string(&errors).unwrap();
    let ready = until("the ready file", || {
        if let Some(status) = container.0.try_wait().unwrap() {
            assert_eq!(status.code(), Some(77), "it ended with {status}: {}", told());
            return Some(Value::Null);
        }
        serde_json::from_slice(&fs::read(state.join("ready.json")).ok()?).ok()
    });
    if ready.is_null() {
        skipped(&format!("no container: {}", told()));
        return;
    }
    let ports: Vec<u64> = ready["deckies"][0]["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| service["port"].as_u64().unwrap())
        .collect();
    assert!(ports.contains(&22) && ports.contains(&80), "{ports:?}");
    let pid = container.process().unwrap();
    assert_eq!(fs::metadata(format!("/proc/{pid}")).unwrap().uid(), 990);
    let mut status = Command::new(e2e::binary());
    let status = status.arg("status").arg("--state-dir").arg(&state).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    assert!(told().contains("sandbox holds"), "{}", told());
    let process = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(until("the end", || container.0.try_wait().unwrap()).success(), "{}", told());
    assert!(!state.join("ready.json").exists());
}

#[test]
fn the_same_program_gives_the_same_image() {
    if missing("tar") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::write(&program, "#!/bin/sh\necho decnet 1.2.3\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let build = |name| sha256(&build(&program, folder.path(), name));
    let one = build("one");
    assert_eq!(build("again"), one);
    fs::write(&program, "#!/bin/sh\necho decnet 1.2.4\n").unwrap();
    assert_ne!(build("other"), one);
}
