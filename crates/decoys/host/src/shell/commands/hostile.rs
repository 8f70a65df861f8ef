//! Every command survives arguments that make no sense, and ends.

use super::harness::Shell;

/// Arguments that are wrong for most programs and right for some.
const ARGUMENTS: &[&str] = &[
    "",
    "''",
    "-",
    "--",
    "-x -1 -99999999999999999999 %s",
    "--no-such-option=1",
    "-n 99999999999 /tmp/junk",
    "-f /tmp/junk /nosuch /etc",
    "-c -d -e -i -k 1 /tmp/junk",
    "xf /tmp/junk",
    "s/\\(.*/x/ /tmp/junk",
    "'{print $-1}' /tmp/junk",
    "$(head -c 3000 /dev/zero | tr '\\0' '(')",
    "-R -s -t -u /tmp/j /tmp/j2",
];

#[test]
fn no_argument_makes_a_command_panic_or_hang() {
    let mut shell = Shell::new();
    let ready = "mkdir -p /tmp/j; cd /tmp/j; head -c 9000 /dev/urandom > /tmp/junk";
    let mut refused = 0;
    for command in super::of(shell.host.distro()) {
        for arguments in ARGUMENTS {
            let name = command.path(shell.host.distro());
            let done = shell.run(&format!("{ready}; timeout 9 {name} {arguments} < /tmp/junk"));
            assert!(!done.err.contains("/tmp/junk: No such file"), "{name} {arguments}");
            assert!(done.took < 60, "{name} {arguments}");
            assert!(done.out.len() <= 16 * 1024 * 1024, "{name} {arguments}");
            refused += usize::from(done.status != 0);
        }
    }
    assert!(refused > 500, "only {refused} calls were refused");
    // The machine is none the worse for it.
    shell.prints("echo still here", "still here\n");
}

#[test]
fn names_are_unique_and_families_agree_with_the_file_system() {
    let mut shell = Shell::new();
    let mut names: Vec<&str> = super::all().map(|command| command.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for command in super::of(shell.host.distro()) {
        let path = command.path(shell.host.distro());
        let line = format!("stat -c '%s %a' {path}");
        shell.prints(&line, &format!("{} {:o}\n", command.size, command.mode));
    }
}
