//! Facts that do not fit a dialogue.

use std::time::Duration;

use base_model::Secret;
use decoys_host::HostHandle;
use decoys_kit::Effect;
use decoys_kit::ssh::{AuthTry, Channel, ChannelRequest, ClientLists, SshReply};

use super::dialogue::Client;
use decoys_host::testing;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_file_written_in_one_session_is_there_in_the_next() {
    let host = testing::host(1, "debian");
    Client::logged_in(&host, "root", "toor")
        .exec(0, b"echo kept > /var/tmp/a; chmod 640 /var/tmp/a");
    let seen =
        Client::logged_in(&host, "root", "toor").exec(0, b"cat /var/tmp/a; stat -c %a /var/tmp/a");
    assert_eq!(text(&seen), "kept\n640\n");
    let restarted = HostHandle::new(testing::decky(1, "debian"), Some(&host.snapshot()));
    let seen = Client::logged_in(&restarted, "root", "toor")
        .exec(0, b"cat /var/tmp/a; stat -c %a /var/tmp/a");
    assert_eq!(text(&seen), "kept\n640\n");
}

#[test]
fn the_revision_moves_only_when_something_must_persist() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.exec(0, b"ls /");
    let before = host.revision();
    client.exec(1, b"cat /etc/passwd > /dev/null; id");
    assert_eq!(host.revision(), before);
    client.exec(2, b"touch /tmp/x");
    assert_ne!(host.revision(), before);
}

#[test]
fn what_a_command_did_is_durable_before_its_output_is_sent() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.exec(0, b"echo a; echo b > /tmp/b; echo c; sleep 1; echo d > /tmp/d; echo e");
    let mut dirty = false;
    for act in &client.acts {
        match act {
            Effect::Emit(..) | Effect::Keep(_) => dirty = true,
            Effect::Commit => dirty = false,
            Effect::Reply(SshReply::Data(..) | SshReply::Stderr(..) | SshReply::Auth(_)) => {
                assert!(!dirty)
            }
            _ => {}
        }
    }
    assert!(client.facts().iter().any(|fact| fact.starts_with("file_captured")));
}

#[test]
fn only_declared_facts_come_out() {
    let declared: Vec<_> = super::super::SERVICE.spec.events.iter().map(|kind| kind.name).collect();
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.exec(0, b"wget x; curl y; echo a > /tmp/a; cp /tmp/a /tmp/b; echo \xff");
    client.step(|session, cx| session.on_close(cx));
    for fact in client.facts() {
        assert!(declared.contains(&fact.split(' ').next().unwrap()), "{fact}");
    }
}

#[test]
fn refusals_take_about_two_seconds_and_never_the_same() {
    let host = testing::host(1, "debian");
    let mut delays = std::collections::BTreeSet::new();
    for user in ["root", "nobody-here", "deploy", "x"] {
        let mut client = Client::on(&host);
        let start = client.now;
        client.password(user, "wrong");
        let due = client.session.poll_timeout().unwrap();
        let delay = due.since(start);
        assert!(
            (Duration::from_millis(1400)..Duration::from_millis(2600)).contains(&delay),
            "{delay:?}"
        );
        client.wait(Duration::from_secs(3));
        client.password(user, "wrong again");
        delays.insert(client.session.poll_timeout().unwrap().since(client.now));
        delays.insert(delay);
    }
    assert!(delays.len() > 1);
}

#[test]
fn silence_before_login_ends_after_two_minutes() {
    let mut client = Client::on(&testing::host(1, "debian"));
    client.wait(Duration::from_secs(119));
    assert!(!client.acts.contains(&Effect::Reply(SshReply::Hangup)));
    client.wait(Duration::from_secs(2));
    assert!(client.acts.contains(&Effect::Reply(SshReply::Hangup)));
    assert_eq!(client.session.poll_timeout(), None);
}

#[test]
fn a_program_rests_while_its_output_is_not_taken_and_others_go_on() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.open(0);
    client.request(0, ChannelRequest::Exec(b"yes".to_vec()));
    client.session.on_full(Channel(0), true);
    let before = client.output(0).len();
    client.wait(Duration::from_secs(10));
    assert_eq!(client.output(0).len(), before);
    assert_eq!(client.exec(1, b"sleep 1; echo other"), b"other\n");
    client.session.on_full(Channel(0), false);
    client.wait(Duration::from_millis(100));
    assert!(client.output(0).len() > before);
}

#[test]
fn names_and_passwords_that_openssh_cannot_read_are_told_before_it_hangs_up() {
    for (user, password) in [(&b"a\xff\0 "[..], &b"x"[..]), (b"root", b"to\0or")] {
        let mut client = Client::on(&testing::host(1, "debian"));
        let attempt = AuthTry::Password(password.to_vec());
        let before = client.acts.len();
        client.step(|session, cx| session.on_auth(cx, user, attempt));
        let [Effect::Emit(_, fact), Effect::Commit, Effect::Reply(SshReply::Hangup)] =
            &client.acts[before..]
        else {
            panic!("{:?}", client.acts);
        };
        let secret = Secret::plaintext(password).fields();
        assert_eq!(fact.fields().text("secret_b64"), secret.text("secret_b64"));
    }
}

#[test]
fn a_client_is_known_by_its_hassh() {
    let mut client = Client::on(&testing::host(1, "debian"));
    let pair = |text: &str| [text.to_owned(), String::new()];
    let lists = ClientLists {
        kex: "curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com".into(),
        host_keys: "ssh-ed25519".into(),
        ciphers: pair("aes128-ctr"),
        macs: pair("hmac-sha2-256"),
        compressions: pair("none"),
        languages: pair(""),
        guesses: false,
    };
    client.step(|session, cx| session.on_lists(cx, &lists));
    let Some(Effect::Emit(_, fact)) = client.acts.last() else { panic!("not told") };
    let algorithms = "curve25519-sha256,ext-info-c,kex-strict-c-v00@openssh.com;aes128-ctr;\
                      hmac-sha2-256;none";
    assert_eq!(fact.fields().text("hassh_algorithms"), Some(algorithms));
    assert_eq!(fact.fields().text("hassh"), Some("3756375c080b82261f34095bbb34afc2"));
    assert_eq!(fact.fields().text("host_key_algorithms"), Some("ssh-ed25519"));
}

#[test]
fn nothing_opens_before_login_and_no_more_than_ten_channels_after() {
    let host = testing::host(1, "debian");
    let opened = |client: &Client| {
        client
            .acts
            .iter()
            .filter(|act| matches!(act, Effect::Reply(SshReply::Opened(_, true))))
            .count()
    };
    let mut client = Client::on(&host);
    client.open(0);
    client.request(0, ChannelRequest::Exec(b"id".to_vec()));
    assert_eq!(opened(&client), 0);
    let mut client = Client::logged_in(&host, "root", "toor");
    for channel in 0..40 {
        client.open(channel);
    }
    assert_eq!(opened(&client), 10);
}

#[test]
fn the_machine_tells_one_story() {
    for distro in decoys_host::persona::distros().iter().map(|distro| distro.slug.as_str()) {
        let host = testing::host(3, distro);
        let mut client = Client::logged_in(&host, "root", "toor");
        let mut say = |line: &str| {
            let channel = u32::try_from(client.acts.len()).unwrap();
            text(&client.exec(channel, line.as_bytes())).trim().to_owned()
        };
        let kernel = say("uname -r");
        assert!(say("cat /proc/version").contains(&kernel));
        // Alpine and Arch name it by its kind.
        let image = match distro {
            "alpine" => "vmlinuz-lts".to_owned(),
            "arch" => "vmlinuz-linux".to_owned(),
            _ => format!("vmlinuz-{kernel}"),
        };
        assert!(say("ls /boot").contains(&image), "{distro}");
        assert_eq!(say("ls /lib/modules"), kernel);
        assert_eq!(say("hostname"), say("cat /etc/hostname"));
        assert_eq!(say("hostname"), say("uname -n"));
        assert_eq!(say("cat /proc/sys/kernel/hostname"), say("hostname"));
        assert!(say("cat /etc/hosts").contains(&say("hostname")));
        let name = say(". /etc/os-release; echo $PRETTY_NAME");
        assert_eq!(name, host.distro().pretty_name);
        let banner = client.session.banner().to_owned();
        // Debian and what is derived from it tell their name there; the others do not.
        let told =
            banner.contains(' ').then(|| host.distro().mail_label.split('/').next().unwrap());
        assert_eq!(told.is_some(), host.distro().family == "debian", "{banner}");
        assert!(told.is_none_or(|vendor| banner.contains(vendor)), "{banner}");
        let mut say = |line: &str| {
            let channel = u32::try_from(client.acts.len()).unwrap();
            text(&client.exec(channel, line.as_bytes())).trim().to_owned()
        };
        let boot: f64 = say("cut -d. -f1 /proc/uptime").parse().unwrap();
        let btime: f64 = say("grep btime /proc/stat | cut -d' ' -f2").parse().unwrap();
        let now: f64 = say("date +%s").parse().unwrap();
        assert!((now - boot - btime).abs() < 1300.0, "{now} {boot} {btime}");
        assert!(!say("pidof sshd").is_empty(), "{distro}");
        assert!(say("id deploy").contains("uid=1000(deploy)"));
        assert!(say("cat /etc/passwd").contains("deploy:x:1000:1000"));
        // Everything that is listed runs, and what runs is listed.
        for program in ["ls", "cat", "ps", "uname", "wget", "curl", "sudo"] {
            assert!(say(&format!("command -v {program}")).ends_with(program), "{distro} {program}");
        }
        // Nothing lies in the future, nothing is of one moment.
        let times = say("stat -c %Y /etc/passwd /bin/ls /etc/hosts /root/notes.txt /var/log/wtmp");
        let times: std::collections::BTreeSet<_> = times.lines().collect();
        assert!(times.len() >= 4, "{times:?}");
    }
}

#[test]
fn two_deckies_share_nothing_comparable_and_one_is_always_itself() {
    let lines: &[&[u8]] = &[
        b"cat /etc/machine-id",
        b"cat /etc/shadow",
        b"cat /root/projects/.env",
        b"cat /root/notes.txt",
        b"uptime -s",
        b"cat /etc/fstab",
        b"ls -li --full-time /etc",
        b"cat /proc/meminfo",
        b"df",
    ];
    let look = |seed: u8, distro: &str| {
        let host = testing::host(seed, distro);
        let mut client = Client::logged_in(&host, "root", "toor");
        let at =
            |(channel, line): (usize, &&[u8])| client.exec(u32::try_from(channel).unwrap(), line);
        lines.iter().enumerate().map(at).collect::<Vec<_>>()
    };
    for distro in decoys_host::persona::distros() {
        let look = |seed| look(seed, &distro.slug);
        let (one, other) = (look(1), look(2));
        assert_eq!(one, look(1));
        for ((line, one), other) in lines.iter().zip(&one).zip(&other) {
            assert!(!one.is_empty());
            assert_ne!(one, other, "{} {}", distro.slug, text(line));
        }
    }
}

#[test]
fn passwords_are_not_recorded_as_echoed() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "deploy", "s3cret");
    client.open(0);
    client.pty(0, "xterm");
    client.request(0, ChannelRequest::Shell);
    client.send(0, b"sudo -i\r");
    client.send(0, b"s3cret\r");
    client.wait(Duration::from_secs(2));
    let recorded: String = client
        .acts
        .iter()
        .filter_map(|act| match act {
            Effect::Record(piece) => Some(piece.lines.clone()),
            _ => None,
        })
        .collect();
    assert!(recorded.contains(r#""d":"s3cret\r","e":0"#), "{recorded}");
    assert!(text(&client.output(0)).ends_with("# "), "{}", text(&client.output(0)));
}

#[test]
fn pastes_of_ten_kilobytes_are_run_line_by_line() {
    let host = testing::host(1, "debian");
    let mut client = Client::logged_in(&host, "root", "toor");
    client.open(0);
    client.pty(0, "xterm");
    client.request(0, ChannelRequest::Shell);
    client.send(0, "echo a-line-of-a-script\r".repeat(430).as_bytes());
    client.wait(Duration::from_secs(60));
    assert_eq!(client.facts().iter().filter(|fact| fact.starts_with("command")).count(), 430);
}
