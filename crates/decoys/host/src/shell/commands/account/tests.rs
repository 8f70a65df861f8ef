//! What is done to accounts is there for everybody.

use crate::shell::commands::harness::Shell;

#[test]
fn a_changed_password_lets_in_and_the_old_one_does_not() {
    let mut shell = Shell::new();
    assert!(shell.host.check_login(b"root", b"toor"));
    shell.gives("echo root:n3w | chpasswd", "", "", 0);
    assert!(shell.host.check_login(b"root", b"n3w"));
    assert!(!shell.host.check_login(b"root", b"toor"));
    assert!(shell.host.check_login(b"deploy", b"s3cret"));
    let done = shell.feed("passwd deploy", b"other\nother\n");
    let prompts = "New password: Retype new password: passwd: password updated successfully\n";
    assert_eq!((done.err.as_str(), done.status), (prompts, 0));
    assert!(shell.host.check_login(b"deploy", b"other"));
    // It survives a restart.
    let again =
        crate::HostHandle::new(crate::testing::decky(1, "debian"), Some(&shell.host.snapshot()));
    assert!(again.check_login(b"root", b"n3w"));
    assert!(!again.check_login(b"root", b"toor"));
}

#[test]
fn a_new_user_is_known_to_every_tool() {
    let mut shell = Shell::new();
    shell.gives("useradd -m -s /bin/bash -G sudo eve", "", "", 0);
    shell.prints("id eve", "uid=1001(eve) gid=1001(eve) groups=1001(eve),27(sudo)\n");
    shell.prints("grep -c '^eve:' /etc/passwd /etc/shadow | cut -d: -f2", "1\n1\n");
    shell.prints("ls -A ~eve | wc -l", "3\n");
    shell.gives("useradd eve", "", "useradd: user 'eve' already exists\n", 9);
    shell.gives(
        "echo eve:pw | chpasswd; userdel -r eve; id eve",
        "",
        "userdel: eve mail spool (/var/mail/eve) not found\nid: ‘eve’: no such user\n",
        1,
    );
    let mut user = shell.also("deploy");
    user.gives(
        "/usr/sbin/useradd mallory",
        "",
        "useradd: Permission denied.\nuseradd: cannot lock /etc/passwd; try again later.\n",
        1,
    );
}

#[test]
fn a_line_written_into_the_file_is_an_account() {
    let mut shell = Shell::new();
    shell.run("echo 'toor2::0:0::/root:/bin/bash' >> /etc/passwd");
    shell.prints("id -u toor2", "0\n");
}
