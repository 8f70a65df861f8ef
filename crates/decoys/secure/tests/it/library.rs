//! russh's client, for what OpenSSH's does not do.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use russh::client::{self, Config, Handle};
use russh::{ChannelMsg, Disconnect};

use crate::machine::Machine;

struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

async fn connect(machine: &Machine) -> Handle<Trusting> {
    let config = Config { nodelay: true, ..Config::default() };
    client::connect(Arc::new(config), machine.address, Trusting).await.unwrap()
}

async fn log_in(machine: &Machine) -> Handle<Trusting> {
    let mut handle = connect(machine).await;
    assert!(handle.authenticate_password("root", "pw").await.unwrap().success());
    handle
}

async fn run(handle: &Handle<Trusting>, line: &str) -> (Vec<u8>, Option<u32>) {
    let mut channel = handle.channel_open_session().await.unwrap();
    channel.exec(true, line).await.unwrap();
    let (mut output, mut status) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => output.extend_from_slice(&data),
            ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    (output, status)
}

#[tokio::test]
async fn many_programs_run_on_one_connection() {
    let machine = Machine::start().await;
    let handle = log_in(&machine).await;
    for round in 0..100 {
        let (output, status) = run(&handle, &format!("echo {round}")).await;
        assert_eq!((output, status), (round.to_string().into_bytes(), Some(0)));
    }
    handle.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
}

#[tokio::test]
async fn a_panic_in_a_session_ends_its_connection_and_is_counted() {
    let machine = Machine::start().await;
    let (doomed, other) = (log_in(&machine).await, log_in(&machine).await);
    let (output, status) = run(&doomed, "panic").await;
    assert_eq!((output.len(), status), (0, None));
    assert_eq!(machine.seen.panics.load(Ordering::SeqCst), 1);
    assert_eq!(run(&other, "echo alive").await.0, b"alive");
}

#[tokio::test]
async fn one_program_whose_output_nobody_takes_does_not_hold_up_another() {
    let machine = Machine::start().await;
    let handle = log_in(&machine).await;
    let greedy = handle.channel_open_session().await.unwrap();
    greedy.exec(true, "bytes 1000000000").await.unwrap();
    for _ in 0..3 {
        assert_eq!(run(&handle, "echo here").await.0, b"here");
    }
}

#[tokio::test]
async fn prompts_are_answered() {
    let machine = Machine::start().await;
    let mut handle = connect(&machine).await;
    let asked = handle.authenticate_keyboard_interactive_start("root", None::<String>).await;
    let client::KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } = asked.unwrap()
    else {
        panic!("not asked");
    };
    assert_eq!((prompts[0].prompt.as_str(), prompts[0].echo), ("Password: ", false));
    let answers = vec!["pw".to_owned()];
    let answer = handle.authenticate_keyboard_interactive_respond(answers).await.unwrap();
    assert!(matches!(answer, client::KeyboardInteractiveAuthResponse::Success));
    assert_eq!(run(&handle, "echo in").await.0, b"in");
}
