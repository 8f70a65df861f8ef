//! `uname` and `arch`.

use crate::shell::commands::complaint::quoted;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    if proc.name() == "arch" {
        proc.out("x86_64\n").await?;
        return Ok(0);
    }
    let accepts = Accepts::new(
        "asnrvmpio",
        &[
            ("all", b'a'),
            ("kernel-name", b's'),
            ("nodename", b'n'),
            ("kernel-release", b'r'),
            ("kernel-version", b'v'),
            ("machine", b'm'),
            ("processor", b'p'),
            ("hardware-platform", b'i'),
            ("operating-system", b'o'),
        ],
    );
    let options = read(proc, &accepts).await?;
    if let Some(extra) = options.rest.first() {
        let quoted = quoted(extra);
        proc.err(
            [
                &b"uname: extra operand "[..],
                &quoted,
                b"\nTry 'uname --help' for more information.\n",
            ]
            .concat(),
        )
        .await;
        return Ok(1);
    }
    let (host, release) = proc.host.with(|machine| {
        let facts = machine.facts();
        (facts.hostname.clone(), facts.release)
    });
    let all = options.has(b'a');
    let wanted = |letter: u8| all || options.has(letter);
    let fills = proc.host.distro().uname_fills;
    let mut parts: Vec<&str> = Vec::new();
    let none = !b"asnrvmpio".iter().any(|letter| options.has(*letter));
    if none || wanted(b's') {
        parts.push("Linux");
    }
    if wanted(b'n') {
        parts.push(&host);
    }
    if wanted(b'r') {
        parts.push(&release.kernel);
    }
    if wanted(b'v') {
        parts.push(&release.build);
    }
    if wanted(b'm') {
        parts.push("x86_64");
    }
    // Debian's `-a` leaves unknown processor and platform out; the patch of others fills them in.
    if options.has(b'p') || (all && fills) {
        parts.push(if fills { "x86_64" } else { "unknown" });
    }
    if options.has(b'i') || (all && fills) {
        parts.push(if fills { "x86_64" } else { "unknown" });
    }
    if wanted(b'o') {
        parts.push("GNU/Linux");
    }
    proc.out(format!("{}\n", parts.join(" "))).await?;
    Ok(0)
}
