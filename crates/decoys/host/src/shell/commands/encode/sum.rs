//! `md5sum` and the `sha…sum`s.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::shell::commands::complaint::bare;
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::proc::{Outcome, Proc, Source};

const ACCEPTS: Accepts = Accepts::new(
    "bctwz",
    &[
        ("binary", b'b'),
        ("check", b'c'),
        ("tag", b'T'),
        ("text", b't'),
        ("zero", b'z'),
        ("ignore-missing", b'm'),
        ("quiet", b'q'),
        ("status", b's'),
        ("strict", b'S'),
        ("warn", b'w'),
    ],
);

/// `md5sum`.
pub(in crate::shell::commands) async fn md5(proc: &mut Proc) -> Outcome {
    run::<md5::Md5>(proc, "MD5").await
}

/// `sha1sum`.
pub(in crate::shell::commands) async fn sha1(proc: &mut Proc) -> Outcome {
    run::<sha1::Sha1>(proc, "SHA1").await
}

/// `sha224sum`.
pub(in crate::shell::commands) async fn sha224(proc: &mut Proc) -> Outcome {
    run::<Sha224>(proc, "SHA224").await
}

/// `sha256sum`.
pub(in crate::shell::commands) async fn sha256(proc: &mut Proc) -> Outcome {
    run::<Sha256>(proc, "SHA256").await
}

/// `sha384sum`.
pub(in crate::shell::commands) async fn sha384(proc: &mut Proc) -> Outcome {
    run::<Sha384>(proc, "SHA384").await
}

/// `sha512sum`.
pub(in crate::shell::commands) async fn sha512(proc: &mut Proc) -> Outcome {
    run::<Sha512>(proc, "SHA512").await
}

async fn run<D: Digest + Send>(proc: &mut Proc, tag: &str) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let files = or_input(options.rest.clone());
    if options.has(b'c') {
        return check::<D>(proc, &files, &options, tag).await;
    }
    let mut status = 0;
    for file in files {
        let Some(source) = proc.opened(&file, &mut status).await else { continue };
        let sum = digest::<D>(proc, source).await;
        let end = if options.has(b'z') { "\0" } else { "\n" };
        let shown = String::from_utf8_lossy(&file).into_owned();
        let line = if options.has(b'T') {
            format!("{tag} ({shown}) = {sum}{end}")
        } else {
            let mark = if options.last_of(b"bt") == Some(b'b') { '*' } else { ' ' };
            format!("{sum} {mark}{shown}{end}")
        };
        proc.out(line).await?;
    }
    Ok(status)
}

async fn digest<D: Digest>(proc: &Proc, mut source: Source) -> String {
    let mut digest = D::new();
    loop {
        let piece = source.next(proc).await;
        if piece.is_empty() {
            break;
        }
        proc.io.spend(piece.len() / 1024);
        digest.update(&piece);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn check<D: Digest>(proc: &Proc, lists: &[Vec<u8>], options: &Options, tag: &str) -> Outcome {
    let mut status = 0;
    for list in lists {
        let text = match proc.slurp(list).await {
            Ok(text) => text,
            Err(errno) => {
                proc.unreadable(list, errno).await;
                status = 1;
                continue;
            }
        };
        let (mut good, mut wrong, mut missing, mut malformed) = (0, 0, 0, 0);
        for line in text.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let line = String::from_utf8_lossy(line).into_owned();
            let length = <D as Digest>::output_size() * 2;
            let entry = match line.split_once(") = ") {
                Some((head, sum)) => head
                    .strip_prefix(&format!("{tag} ("))
                    .map(|name| (sum.to_owned(), name.to_owned())),
                None => line.split_once(' ').map(|(sum, name)| {
                    (sum.to_owned(), name.trim_start_matches([' ', '*']).to_owned())
                }),
            };
            let entry = entry.filter(|(sum, _)| {
                sum.len() == length && sum.bytes().all(|b| b.is_ascii_hexdigit())
            });
            let Some((sum, name)) = entry else {
                malformed += 1;
                continue;
            };
            let shown = String::from_utf8_lossy(&bare(name.as_bytes())).into_owned();
            match proc.source(name.as_bytes()) {
                Ok(source) => {
                    let same = digest::<D>(proc, source).await.eq_ignore_ascii_case(&sum);
                    good += u32::from(same);
                    wrong += u32::from(!same);
                    let quiet = options.has(b's') || (same && options.has(b'q'));
                    if !quiet {
                        let word = if same { "OK" } else { "FAILED" };
                        proc.out(format!("{shown}: {word}\n")).await?;
                    }
                }
                Err(errno) => {
                    if options.has(b'm') && errno == crate::fs::Errno::NoEntry {
                        continue;
                    }
                    proc.unreadable(name.as_bytes(), errno).await;
                    if !options.has(b's') {
                        proc.out(format!("{shown}: FAILED open or read\n")).await?;
                    }
                    missing += 1;
                }
            }
        }
        let list = String::from_utf8_lossy(list).into_owned();
        if good + wrong + missing == 0 {
            let text = format!("{list}: no properly formatted checksum lines found");
            proc.say_err(text).await;
            status = 1;
            continue;
        }
        let warn = async |count: u32, one: &str, many: &str| {
            if count > 0 && !options.has(b's') {
                let text = if count == 1 { one } else { many };
                proc.say_err(format!("WARNING: {count} {text}")).await;
            }
        };
        warn(malformed, "line is improperly formatted", "lines are improperly formatted").await;
        warn(missing, "listed file could not be read", "listed files could not be read").await;
        warn(wrong, "computed checksum did NOT match", "computed checksums did NOT match").await;
        if wrong + missing > 0 || (malformed > 0 && options.has(b'S')) {
            status = 1;
        }
    }
    Ok(status)
}
