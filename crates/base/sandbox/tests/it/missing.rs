//! Kernels and starts that lack something. What the kernel of the test has is hidden by a filter of
//! the scenario's own.

use std::fs;

use base_sandbox::{Jail, SandboxError, Weakness, enter, verify};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::Test;
use crate::child::{World, jail};

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "without_landlock_it_refuses_and_says_how_to_mend_it",
        needs_root: false,
        scenario: |state| {
            hide(libc::SYS_landlock_create_ruleset, libc::ENOSYS);
            let text = enter(&jail(state)).unwrap_err().to_string();
            assert!(text.contains("Landlock is not available") && text.contains("not built in"));
            assert!(text.contains("--allow-weak-sandbox"), "{text}");
        },
        around: World::run,
    },
    Test {
        name: "a_landlock_that_is_switched_off_has_its_own_mending",
        needs_root: false,
        scenario: |state| {
            hide(libc::SYS_landlock_create_ruleset, libc::EOPNOTSUPP);
            let text = enter(&jail(state)).unwrap_err().to_string();
            assert!(text.contains("lsm="), "{text}");
        },
        around: World::run,
    },
    Test {
        name: "a_weak_sandbox_without_landlock_says_so_and_keeps_the_rest",
        needs_root: false,
        scenario: |state| {
            hide(libc::SYS_landlock_create_ruleset, libc::ENOSYS);
            let report = enter(&Jail { allow_weak: true, ..jail(state) }).unwrap();
            assert!(report.is_weak() && report.seccomp && report.landlock.is_none());
            let text = report.to_string();
            assert!(text.contains("WEAK") && text.contains("can reach all files"), "{text}");
            let worked = openings();
            assert!(worked.contains(&"read /etc/passwd"), "{worked:?}");
            assert!(!worked.contains(&"open an IPv4 socket"), "{worked:?}");
        },
        around: World::run,
    },
    Test {
        name: "without_seccomp_it_refuses_and_says_how_to_mend_it",
        needs_root: false,
        scenario: |state| {
            hide(libc::SYS_seccomp, libc::EINVAL);
            let text = enter(&jail(state)).unwrap_err().to_string();
            assert!(text.contains("CONFIG_SECCOMP_FILTER"), "{text}");
        },
        around: World::run,
    },
    Test {
        name: "a_weak_sandbox_without_seccomp_says_so_and_keeps_the_rest",
        needs_root: false,
        scenario: |state| {
            hide(libc::SYS_seccomp, libc::EINVAL);
            let report = enter(&Jail { allow_weak: true, ..jail(state) }).unwrap();
            assert!(matches!(report.weaknesses[..], [Weakness::Calls { .. }]), "{report}");
            let worked = openings();
            assert!(worked.contains(&"open an IPv4 socket"), "{worked:?}");
            assert!(!worked.contains(&"read /etc/passwd"), "{worked:?}");
        },
        around: World::run,
    },
    Test {
        name: "a_second_thread_is_refused",
        needs_root: false,
        scenario: |state| {
            let (send, receive) = std::sync::mpsc::sync_channel::<()>(0);
            let other = std::thread::spawn(move || receive.recv());
            let error = enter(&jail(state)).unwrap_err();
            assert!(matches!(error, SandboxError::NotAlone { threads: 2 }), "{error}");
            drop(send);
            other.join().unwrap().unwrap_err();
        },
        around: World::run,
    },
    Test {
        name: "a_missing_state_folder_is_named",
        needs_root: false,
        scenario: |state| {
            let text = enter(&jail(&state.join("nowhere"))).unwrap_err().to_string();
            assert!(text.contains("enter") && text.contains("nowhere"), "{text}");
        },
        around: World::run,
    },
    Test {
        name: "a_state_folder_that_cannot_be_written_is_named_with_its_repair",
        needs_root: false,
        scenario: |state| {
            let text = enter(&jail(state)).unwrap_err().to_string();
            assert!(text.contains("not writable") && text.contains("chown -R"), "{text}");
        },
        around: |world| {
            use std::os::unix::fs::PermissionsExt as _;
            let closed = fs::Permissions::from_mode(0o555);
            fs::set_permissions(world.state(), closed).unwrap();
            world.run();
        },
    },
    Test {
        name: "too_low_a_descriptor_limit_is_refused_with_numbers",
        needs_root: false,
        scenario: |state| {
            // More than any machine allows, so that root cannot raise it either.
            let error =
                enter(&Jail { open_files: u64::MAX - 1, ..jail(state) }).unwrap_err().to_string();
            assert!(error.contains("18446744073709551614") && error.contains("ulimit"), "{error}");
        },
        around: World::run,
    },
    Test {
        name: "the_soft_descriptor_limit_is_raised_to_the_hard_one",
        needs_root: false,
        scenario: |state| {
            let hard = getrlimit(Resource::Nofile).maximum;
            setrlimit(Resource::Nofile, Rlimit { current: Some(32), maximum: hard }).unwrap();
            let report = enter(&jail(state)).unwrap();
            assert_eq!(Some(report.open_files), hard);
        },
        around: World::run,
    },
];

/// Answers `call` with `errno` from here on, as a kernel without it does.
fn hide(call: libc::c_long, errno: i32) {
    let filter = SeccompFilter::new(
        [(call, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.cast_unsigned()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    apply_filter(&BpfProgram::try_from(filter.unwrap()).unwrap()).unwrap();
}

fn openings() -> Vec<&'static str> {
    match verify().unwrap_err() {
        SandboxError::Open { worked } => worked,
        other => panic!("{other}"),
    }
}
