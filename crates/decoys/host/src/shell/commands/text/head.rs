//! `head`.

use super::amount::{Amount, spelled};
use crate::shell::commands::input::{or_input, shown};
use crate::shell::commands::options::{Accepts, read_from};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc, Source, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "c:n:qvz",
    &[
        ("bytes=", b'c'),
        ("lines=", b'n'),
        ("quiet", b'q'),
        ("silent", b'q'),
        ("verbose", b'v'),
        ("zero-terminated", b'z'),
    ],
);

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read_from(proc, &ACCEPTS, spelled(proc.arguments())).await?;
    let amount = Amount::of(proc, &options, b'-').await?;
    let end = if options.has(b'z') { 0 } else { b'\n' };
    let titles = options.last_of(b"qv");
    let files = or_input(options.rest);
    let titled = titles.map_or(files.len() > 1, |letter| letter == b'v');
    let mut status = 0;
    let mut gap: &[u8] = b"";
    for file in &files {
        let Some(mut source) = proc.opened_to_read(file, &mut status).await else { continue };
        if titled {
            proc.out([gap, b"==> ", shown(file), b" <==\n"].concat()).await?;
            gap = b"\n";
        }
        if amount.other_way {
            all_but(proc, &mut source, amount, end).await?;
        } else {
            first(proc, &mut source, amount, end).await?;
        }
    }
    Ok(status)
}

async fn first(proc: &mut Proc, source: &mut Source, amount: Amount, end: u8) -> Result<(), Stop> {
    let mut left = amount.count;
    while left > 0 {
        let piece = source.next(proc).await;
        if piece.is_empty() {
            break;
        }
        let (shown, used) = first_of(&piece, left, amount.bytes, end);
        left -= used;
        // What was read too much goes back, as a seek would: `(head -1; cat) < file`.
        source.give_back(proc, piece.len() - shown.len());
        proc.out(shown).await?;
    }
    Ok(())
}

fn first_of(piece: &[u8], left: u64, bytes: bool, end: u8) -> (&[u8], u64) {
    if bytes {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        return (piece.get(..take).unwrap_or(piece), take as u64);
    }
    let mut lines = 0;
    for (at, byte) in piece.iter().enumerate() {
        if *byte == end {
            lines += 1;
            if lines == left {
                return (piece.get(..=at).unwrap_or(piece), lines);
            }
        }
    }
    (piece, lines)
}

async fn all_but(
    proc: &mut Proc,
    source: &mut Source,
    amount: Amount,
    end: u8,
) -> Result<(), Stop> {
    let mut all = Vec::new();
    loop {
        let piece = source.next(proc).await;
        if piece.is_empty() || all.len() > limits::SLURP {
            break;
        }
        all.extend(piece);
    }
    let dropped = super::tail::last(&all, Amount { other_way: false, ..amount }, end).len();
    let kept = all.len() - dropped;
    proc.out(all.get(..kept).unwrap_or_default()).await
}
