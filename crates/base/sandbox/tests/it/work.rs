//! What must still work inside: everything the decoy process does for a living.

use std::fs;
use std::io::{self, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::Test;
use crate::child::{World, enter, say};

pub(crate) const TESTS: &[Test] = &[
    Test {
        name: "a_runtime_serves_a_socket_opened_before",
        needs_root: false,
        scenario: |state| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            say(listener.local_addr().unwrap());
            enter(state);
            base_sandbox::verify().unwrap();
            runtime().block_on(serve(listener));
        },
        around: |world| {
            let mut child = world.start();
            talk(child.line().parse().unwrap());
            child.finish();
        },
    },
    Test {
        name: "a_socket_passed_in_later_is_served",
        needs_root: false,
        scenario: |state| {
            enter(state);
            let listener = TcpListener::from(received());
            runtime().block_on(serve(listener));
        },
        around: |world| {
            let child = world.start();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let passed = [listener.as_fd()];
            assert!(control.push(SendAncillaryMessage::ScmRights(&passed)));
            let bytes = [io::IoSlice::new(b"fd")];
            sendmsg(&child.socket, &bytes, &mut control, SendFlags::empty()).unwrap();
            let address = listener.local_addr().unwrap();
            // The child alone has it, so that a child that dies refuses its clients.
            drop(listener);
            talk(address);
            child.finish();
        },
    },
    Test {
        name: "files_in_the_state_folder_can_be_made_durable_moved_and_removed",
        needs_root: false,
        scenario: keep_files,
        around: World::run,
    },
    Test {
        name: "threads_timers_and_signals_work_and_a_panic_ends_one_thread",
        needs_root: false,
        scenario: |state| {
            enter(state);
            let panicked = std::thread::spawn(|| panic!("one session")).join();
            panicked.unwrap_err();
            std::thread::available_parallelism().unwrap();
            runtime().block_on(async {
                let ended = tokio::signal::unix::SignalKind::terminate();
                let mut ended = tokio::signal::unix::signal(ended).unwrap();
                let waiting = tokio::time::timeout(Duration::from_millis(1), ended.recv());
                waiting.await.unwrap_err();
                let blocking = tokio::task::spawn_blocking(|| fs::write("blocking", "done"));
                blocking.await.unwrap().unwrap();
                assert_eq!(tokio::fs::read("blocking").await.unwrap(), b"done");
            });
        },
        around: World::run,
    },
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Answers two clients at a time with what they send, keeping it in a file first.
async fn serve(listener: TcpListener) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let mut sessions = tokio::task::JoinSet::new();
    for number in 0..2 {
        let (mut stream, peer) = listener.accept().await.unwrap();
        assert!(peer.ip().is_loopback());
        stream.set_nodelay(true).unwrap();
        sessions.spawn(async move {
            let mut bytes = [0; 5];
            stream.read_exact(&mut bytes).await.unwrap();
            let path = format!("session-{number}");
            let mut file = tokio::fs::File::create(&path).await.unwrap();
            file.write_all(&bytes).await.unwrap();
            file.sync_data().await.unwrap();
            stream.write_all(&tokio::fs::read(&path).await.unwrap()).await.unwrap();
            stream.shutdown().await.unwrap();
        });
    }
    while let Some(session) = sessions.join_next().await {
        session.unwrap();
    }
}

fn talk(address: SocketAddr) {
    let mut clients = [1, 2].map(|_| TcpStream::connect(address).unwrap());
    for client in &mut clients {
        client.write_all(b"hello").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "hello");
    }
}

/// The descriptor that the parent sends over standard input.
fn received() -> OwnedFd {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; 2];
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let flags = RecvFlags::CMSG_CLOEXEC;
    recvmsg(io::stdin(), &mut slices, &mut control, flags).unwrap();
    let received = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    received.unwrap()
}

fn keep_files(state: &Path) {
    enter(state);
    fs::create_dir_all("journal/segments").unwrap();
    let mut file = fs::File::create_new("journal/segments/1.new").unwrap();
    file.write_all(b"one record").unwrap();
    file.sync_all().unwrap();
    file.set_len(3).unwrap();
    file.try_lock().unwrap();
    fs::rename("journal/segments/1.new", "journal/segments/1").unwrap();
    fs::File::open("journal/segments").unwrap().sync_all().unwrap();
    fs::rename("journal/segments/1", "moved-up").unwrap();
    assert_eq!(fs::read_to_string("moved-up").unwrap(), "one");
    let (mut from, mut to) = (fs::File::open("moved-up").unwrap(), tempfile("copy"));
    assert_eq!(io::copy(&mut from, &mut to).unwrap(), 3);
    assert_eq!(fs::metadata("copy").unwrap().len(), 3);
    let mut names: Vec<_> =
        fs::read_dir(".").unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["copy", "journal", "moved-up"]);
    fs::remove_dir_all("journal").unwrap();
    fs::remove_file("copy").unwrap();
    fs::File::options().write(true).truncate(true).open("moved-up").unwrap();
    assert_eq!(fs::read("moved-up").unwrap(), b"");
}

fn tempfile(name: &str) -> fs::File {
    fs::File::options().read(true).write(true).create_new(true).open(name).unwrap()
}
