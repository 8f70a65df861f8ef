//! What the process may be and do afterwards, as the kernel tells others.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use base_sandbox::{Ids, Jail, SandboxError, Weakness, unprivileged_user};
use rustix::process::{Gid, Uid};

use crate::Test;
use crate::child::{World, enter, jail, say, wait_for_the_parent};

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "the_kernel_lists_no_privilege",
        needs_root: false,
        scenario: ready,
        around: |world| {
            let mut child = world.start();
            assert_eq!(child.line(), "ready");
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
                assert!(status.contains(line), "{line} is not in {status}");
            }
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                assert!(status.contains(&format!("{set}:\t0000000000000000")), "{set}: {status}");
            }
            child.finish();
        },
    },
    Test {
        name: "started_by_root_it_is_someone_else_for_good",
        needs_root: true,
        scenario: |state| {
            // Groups that a login would have given.
            rustix::thread::set_thread_groups(&[Gid::ROOT, Gid::from_raw(4)]).unwrap();
            ready(state);
        },
        around: |world| {
            let mut child = world.start();
            assert_eq!(child.line(), "ready");
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let Ids { uid, gid } = unprivileged_user();
            for line in [
                format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}"),
                format!("Gid:\t{gid}\t{gid}\t{gid}\t{gid}"),
                "Groups:\t \n".to_owned(),
                "CapBnd:\t0000000000000000".to_owned(),
            ] {
                assert!(status.contains(&line), "{line} is not in {status}");
            }
            child.finish();
        },
    },
    Test {
        name: "an_ordinary_user_can_start_it",
        needs_root: true,
        scenario: |state| {
            let ids = unprivileged_user();
            let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
            rustix::thread::set_thread_groups(&[]).unwrap();
            rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
            rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            let report = base_sandbox::enter(&Jail { user: None, ..jail(state) }).unwrap();
            assert!(!report.is_weak(), "{report}");
            assert_eq!(report.ids, ids);
            base_sandbox::verify().unwrap();
        },
        around: World::run,
    },
    Test {
        name: "the_state_folder_may_lie_below_one_that_only_root_can_enter",
        needs_root: true,
        scenario: |state| {
            enter(state);
            base_sandbox::verify().unwrap();
            fs::create_dir("sub").unwrap();
            fs::write("sub/new", "kept").unwrap();
            fs::rename("sub/new", "moved").unwrap();
            assert_eq!(fs::read_to_string("moved").unwrap(), "kept");
        },
        around: |world| {
            fs::set_permissions(world.outside(), fs::Permissions::from_mode(0o700)).unwrap();
            let (state, child) = (world.state(), world.start());
            child.finish();
            let file = fs::metadata(state.join("moved")).unwrap();
            assert_eq!((file.uid(), file.mode() & 0o777), (unprivileged_user().uid, 0o600));
        },
    },
    Test {
        name: "root_without_a_user_to_become_is_refused",
        needs_root: true,
        scenario: |state| {
            let error = base_sandbox::enter(&Jail { user: None, ..jail(state) }).unwrap_err();
            assert!(matches!(error, SandboxError::StaysRoot), "{error}");
        },
        around: World::run,
    },
    Test {
        name: "root_is_no_user_to_become",
        needs_root: true,
        scenario: |state| {
            let user = Some(Ids { uid: 0, gid: 0 });
            let error = base_sandbox::enter(&Jail { user, ..jail(state) }).unwrap_err();
            assert!(matches!(error, SandboxError::RootAsUser(_)), "{error}");
        },
        around: World::run,
    },
    Test {
        name: "a_weak_sandbox_that_stays_root_says_so",
        needs_root: true,
        scenario: |state| {
            let weak = Jail { user: None, allow_weak: true, ..jail(state) };
            let report = base_sandbox::enter(&weak).unwrap();
            assert_eq!(report.weaknesses, [Weakness::Root]);
            assert!(report.to_string().contains("runs as root"), "{report}");
        },
        around: |world| {
            std::os::unix::fs::chown(world.state(), Some(0), Some(0)).unwrap();
            world.run();
        },
    },
];

fn ready(state: &Path) {
    let report = enter(state);
    assert!(!report.is_weak() && report.landlock.is_some(), "{report}");
    say("ready");
    wait_for_the_parent();
}
