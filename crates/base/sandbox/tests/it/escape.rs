//! Ways out, tried from inside as an intruder would.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use rustix::net::{SendFlags, Shutdown, sendto, shutdown};

use crate::Test;
use crate::child::{World, enter, say};

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "the_self_test_finds_no_opening",
        needs_root: false,
        scenario: |state| {
            enter(state);
            assert!(base_sandbox::verify().unwrap().tried > 90);
        },
        around: World::run,
    },
    Test {
        name: "the_self_test_finds_every_kind_of_opening_without_a_jail",
        needs_root: false,
        scenario: |_| {
            let text = base_sandbox::verify().unwrap_err().to_string();
            for act in ["open an IPv4 socket", "run a program", "fork", "read /etc/passwd"] {
                assert!(text.contains(act), "{act} is not in {text}");
            }
        },
        around: World::run,
    },
    Test {
        name: "no_program_can_be_run",
        needs_root: false,
        scenario: |state| {
            enter(state);
            refused(Command::new("/bin/true").status());
            refused(Command::new("/bin/true").spawn());
        },
        around: World::run,
    },
    Test {
        name: "no_connection_can_be_opened",
        needs_root: false,
        scenario: no_connection,
        around: World::run,
    },
    Test {
        name: "a_listening_socket_cannot_be_turned_around",
        needs_root: false,
        scenario: turn_around,
        around: World::run,
    },
    Test {
        name: "no_file_outside_can_be_reached_by_path_or_link",
        needs_root: false,
        scenario: no_file_outside,
        around: |world| {
            symlink("../secret", world.state().join("link")).unwrap();
            symlink("..", world.state().join("folder")).unwrap();
            symlink("/etc", world.state().join("etc")).unwrap();
            let (outside, running) = (world.outside().to_path_buf(), world.start());
            running.finish();
            assert_eq!(fs::read_to_string(outside.join("secret")).unwrap(), "not yours");
            let mut left: Vec<_> =
                fs::read_dir(outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            left.sort();
            assert_eq!(left, ["secret", "state"]);
        },
    },
    Test {
        name: "a_descriptor_of_a_folder_outside_opens_nothing_beneath_it",
        needs_root: false,
        scenario: |state| {
            let outside = File::open(state.parent().unwrap()).unwrap();
            enter(state);
            let flags = rustix::fs::OFlags::RDONLY;
            let result = rustix::fs::openat(&outside, "secret", flags, 0.into());
            refused(result.map_err(io::Error::from));
        },
        around: World::run,
    },
    Test {
        name: "files_inside_cannot_become_programs_or_special",
        needs_root: false,
        scenario: |state| {
            enter(state);
            fs::write("file", "#!/bin/sh").unwrap();
            refused(fs::set_permissions("file", fs::Permissions::from_mode(0o755)));
            refused(symlink("file", "link"));
            refused(fs::hard_link("file", "other"));
            refused(Command::new("./file").status());
        },
        around: World::run,
    },
];

fn no_connection(state: &Path) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    enter(state);
    refused(TcpStream::connect(address));
    refused(TcpListener::bind("127.0.0.1:0"));
    refused(UdpSocket::bind("127.0.0.1:0"));
    refused(UdpSocket::bind("[::1]:0"));
    refused(UnixStream::connect("/run/systemd/private"));
    refused(UnixListener::bind("socket"));
    refused(UnixDatagram::unbound());
    // Also from a thread made inside.
    std::thread::spawn(move || refused(TcpStream::connect(address))).join().unwrap();
}

/// A listening socket that is shut down becomes unconnected, and sending with "fast open" would
/// connect it.
fn turn_around(state: &Path) {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    enter(state);
    shutdown(&listener, Shutdown::Both).unwrap();
    let address: SocketAddr = target.local_addr().unwrap();
    let fast_open = SendFlags::from_bits_retain(libc::MSG_FASTOPEN.cast_unsigned());
    let result = sendto(&listener, b"out", fast_open, &address);
    refused(result.map_err(io::Error::from));
}

fn no_file_outside(state: &Path) {
    let outside = state.parent().unwrap().to_path_buf();
    let absolute = state.join("inside");
    enter(state);
    fs::write("inside", "ours").unwrap();
    fs::write(absolute, "also by its absolute path").unwrap();
    for path in ["../secret", "link", "folder/secret", "etc/passwd", "folder/state/../secret"] {
        refused(File::open(path));
        refused(OpenOptions::new().append(true).open(path));
        let truncating = OpenOptions::new().read(true).custom_flags(libc::O_TRUNC).open(path);
        refused(truncating);
    }
    refused(fs::read(outside.join("secret")));
    refused(fs::remove_file("../secret"));
    refused(fs::rename("../secret", "mine"));
    refused_across(fs::rename("inside", "../inside"));
    refused(fs::create_dir("../folder"));
    refused(fs::write("folder/new", "x"));
    refused(fs::copy("../secret", "copy"));
    refused(std::env::set_current_dir(".."));
    say("done");
}

fn refused<T>(result: io::Result<T>) {
    match result {
        Ok(_) => panic!("a forbidden act worked"),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}"),
    }
}

/// Moving a file to where it would be allowed more is refused as if it were another disk.
fn refused_across(result: io::Result<()>) {
    let kind = result.unwrap_err().kind();
    assert!(
        matches!(kind, io::ErrorKind::CrossesDevices | io::ErrorKind::PermissionDenied),
        "{kind}"
    );
}
