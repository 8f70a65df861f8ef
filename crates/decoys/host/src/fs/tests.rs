use base_model::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::HostHandle;

const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

fn host() -> HostHandle {
    HostHandle::new(crate::testing::decky(1, "debian"), None)
}

fn root() -> Creds {
    Creds::root()
}

fn user() -> Creds {
    Creds { uid: 1000, gid: 1000, groups: vec![27] }
}

#[test]
fn permissions_are_the_kernels() {
    host().with(|m| {
        let fs = &mut m.fs;
        assert_eq!(fs.create(&user(), b"/", b"/etc/x", 0o644, NOW), Err(Errno::Access));
        assert_eq!(fs.find(&user(), b"/", b"/root/notes.txt", true), Err(Errno::Access));
        assert_eq!(fs.create(&user(), b"/", b"/etc/passwd", 0o644, NOW), Err(Errno::Access));
        let ino = fs.create(&root(), b"/", b"/tmp/r", 0o600, NOW).unwrap();
        assert_eq!(fs.remove(&user(), b"/", b"/tmp/r", false, NOW), Err(Errno::NotPermitted));
        assert_eq!(fs.chmod(&user(), ino, 0o777, NOW), Err(Errno::NotPermitted));
        assert_eq!(fs.make_dir(&root(), b"/", b"/proc/x", 0o755, NOW), Err(Errno::NotPermitted));
        assert_eq!(fs.remove(&root(), b"/", b"/usr", true, NOW), Err(Errno::NotEmpty));
        assert_eq!(fs.rename(&root(), b"/", b"/usr", b"/usr/bin/x", NOW), Err(Errno::Invalid));
    });
}

#[test]
fn links_are_followed_and_loops_refused() {
    host().with(|m| {
        let fs = &mut m.fs;
        assert!(fs.find(&root(), b"/", b"/bin/ls", true).is_ok());
        assert_eq!(
            fs.real_path(&root(), b"/", b"/bin/../lib/./os-release").unwrap(),
            b"/usr/lib/os-release"
        );
        fs.make_link(&root(), b"/tmp", b"b", b"a", NOW).unwrap();
        fs.make_link(&root(), b"/tmp", b"a", b"b", NOW).unwrap();
        assert_eq!(fs.find(&root(), b"/tmp", b"a", true), Err(Errno::Loop));
        assert!(fs.find(&root(), b"/tmp", b"a", false).is_ok());
        fs.make_link(&root(), b"/tmp", b"new", b"dangling", NOW).unwrap();
        fs.create(&root(), b"/tmp", b"dangling", 0o644, NOW).unwrap();
        assert!(fs.find(&root(), b"/", b"/tmp/new", false).is_ok());
    });
}

#[test]
fn the_disk_fills_up_and_frees_again() {
    host().with(|m| {
        let fs = &mut m.fs;
        let before = fs.used();
        let ino = fs.create(&root(), b"/", b"/tmp/big", 0o644, NOW).unwrap();
        assert_eq!(fs.truncate(ino, MAX_BYTES + 1, NOW), Err(Errno::NoSpace));
        fs.truncate(ino, MAX_BYTES - (1 << 20), NOW).unwrap();
        assert_eq!(fs.write(ino, MAX_BYTES, b"x", NOW), Err(Errno::NoSpace));
        fs.remove(&root(), b"/", b"/tmp/big", false, NOW).unwrap();
        assert_eq!(fs.used(), before);
        for n in 0..MAX_NODES + 10 {
            if fs.create(&root(), b"/tmp", format!("f{n}").as_bytes(), 0o644, NOW).is_err() {
                assert!(n > MAX_NODES - 100);
                return;
            }
        }
        panic!("no end of nodes");
    });
}

#[test]
fn programs_can_be_read_copied_and_overwritten() {
    host().with(|m| {
        let fs = &mut m.fs;
        let ino = fs.find(&root(), b"/", b"/bin/ls", true).unwrap();
        let size = fs.node(ino).unwrap().size();
        let whole = fs.read(ino, 0, usize::MAX / 2);
        assert_eq!((whole.len() as u64, &whole[..4]), (size, &b"\x7fELF"[..]));
        assert_eq!(fs.read(ino, 5000, 100), whole[5000..5100]);
        fs.write(ino, 0, b"#!", NOW).unwrap();
        assert_eq!(fs.read(ino, 0, 5), [b'#', b'!', b'L', b'F', whole[4]]);
    });
}

#[test]
fn a_corrupt_snapshot_gives_a_fresh_machine() {
    let host = host();
    host.with(|m| m.fs.create(&root(), b"/", b"/tmp/x", 0o644, NOW).unwrap());
    let good = host.snapshot();
    for cut in [0, 1, good.len() / 2, good.len() - 1] {
        let restored = HostHandle::new(crate::testing::decky(1, "debian"), Some(&good[..cut]));
        assert!(restored.with(|m| m.fs.find(&root(), b"/", b"/etc/passwd", true)).is_ok());
    }
    for at in 0..good.len().min(2000) {
        let mut bad = good.clone();
        bad[at] ^= 0x5a;
        let restored = HostHandle::new(crate::testing::decky(1, "debian"), Some(&bad));
        assert!(restored.with(|m| m.fs.find(&root(), b"/", b"/etc", true)).is_ok());
        drop(restored.snapshot());
    }
}

/// Everything a client could see of a tree.
fn listing(host: &HostHandle) -> Vec<(Vec<u8>, Node)> {
    host.with(|m| {
        let mut out = Vec::new();
        let mut todo = vec![b"/".to_vec()];
        while let Some(path) = todo.pop() {
            let stat = m.fs.stat(&root(), b"/", &path, false).unwrap();
            if let Kind::Directory(entries) = &stat.node.kind {
                todo.extend(entries.keys().map(|name| join(&path, name)));
            }
            let mut node = stat.node;
            if node.is_dir() {
                node.kind = Kind::Directory(std::collections::BTreeMap::new());
            }
            out.push((path, node));
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        out
    })
}

fn path() -> impl Strategy<Value = Vec<u8>> {
    let part = prop::sample::select(vec![
        "tmp", "a", "b", "..", ".", "etc", "passwd", "root", "", "x y", "\u{1}", "usr", "bin",
        "home", "deploy",
    ]);
    prop::collection::vec(part, 1..5).prop_map(|parts| format!("/{}", parts.join("/")).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_history_survives_a_restart(steps in prop::collection::vec((0_u8..9, path(), path()), 0..60)) {
        let host = host();
        host.with(|m| {
            for (kind, one, two) in steps {
                let fs = &mut m.fs;
                let at = fs.find(&root(), b"/", &one, true);
                match kind {
                    0 | 1 => {
                        if let Ok(ino) = fs.create(&root(), b"/", &one, 0o644, NOW) {
                            let _ = fs.write(ino, 3, &two, NOW);
                        }
                    }
                    2 => drop(fs.make_dir(&root(), b"/", &one, 0o755, NOW)),
                    3 => drop(fs.rename(&root(), b"/", &one, &two, NOW)),
                    4 => drop(fs.make_link(&root(), b"/", &two, &one, NOW)),
                    5 => drop(fs.remove(&root(), b"/", &one, false, NOW)),
                    6 => drop(fs.remove(&root(), b"/", &one, true, NOW)),
                    7 => drop(at.map(|ino| fs.chmod(&root(), ino, 0o711, NOW))),
                    _ => drop(at.map(|ino| fs.truncate(ino, 2, NOW))),
                }
            }
        });
        let restored = HostHandle::new(crate::testing::decky(1, "debian"), Some(&host.snapshot()));
        prop_assert_eq!(listing(&host), listing(&restored));
    }

    #[test]
    fn paths_normalise_to_absolute_ones(cwd in path(), path in prop::collection::vec(any::<u8>(), 0..40)) {
        let full = absolute(&cwd, &path);
        prop_assert_eq!(full[0], b'/');
        prop_assert_eq!(absolute(b"/", &full), full.clone());
        prop_assert!(!full.split(|&b| b == b'/').any(|part| part == b".." || part == b"."));
        let found = host().with(|m| m.fs.find(&root(), &cwd, &path, true));
        prop_assert!(found != Err(Errno::NoSpace));
    }
}
