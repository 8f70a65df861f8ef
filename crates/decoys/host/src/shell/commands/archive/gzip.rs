//! `gzip`, `gunzip`, `zcat`.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::fs::Errno;
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

const ACCEPTS: Accepts = Accepts::new(
    "123456789acdfhklLnNqrS:tvV",
    &[
        ("stdout", b'c'),
        ("to-stdout", b'c'),
        ("decompress", b'd'),
        ("uncompress", b'd'),
        ("force", b'f'),
        ("keep", b'k'),
        ("list", b'l'),
        ("no-name", b'n'),
        ("quiet", b'q'),
        ("recursive", b'r'),
        ("test", b't'),
        ("verbose", b'v'),
        ("fast", b'1'),
        ("best", b'9'),
    ],
);

/// Why something cannot be unpacked.
pub(super) enum Fault {
    NotGzip,
    Ended,
    Broken,
    /// Larger than anything here may become.
    TooLarge,
}

/// `bytes` as a gzip file; whole seconds of `mtime` are in its head.
pub(super) fn pack(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// What the gzip file `bytes` holds, up to a ceiling.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(if bytes.is_empty() { Fault::Ended } else { Fault::NotGzip });
    }
    let ceiling = limits::SLURP as u64;
    let mut out = Vec::new();
    match MultiGzDecoder::new(bytes).take(ceiling + 1).read_to_end(&mut out) {
        Ok(_) if out.len() as u64 > ceiling => Err(Fault::TooLarge),
        Ok(_) => Ok(out),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::Ended),
        Err(_) => Err(Fault::Broken),
    }
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let name = proc.name();
    let unpacks = options.has(b'd') || name != "gzip";
    let shows = options.has(b'c') || name == "zcat";
    let from_input = options.rest.is_empty();
    let mut status = 0;
    for file in or_input(options.rest.clone()) {
        let shown = if from_input {
            "stdin".to_owned()
        } else {
            String::from_utf8_lossy(&file).into_owned()
        };
        let mut path = file.clone();
        let mut slurped = proc.slurp(&path).await;
        if unpacks && slurped == Err(Errno::NoEntry) && !path.ends_with(b".gz") {
            // The ending may be left out.
            path.extend_from_slice(b".gz");
            slurped = proc.slurp(&path).await;
        }
        let bytes = match slurped {
            Ok(bytes) => bytes,
            Err(Errno::IsDirectory) => {
                proc.err(format!("gzip: {shown} is a directory -- ignored\n")).await;
                status = 2;
                continue;
            }
            Err(errno) => {
                let shown = String::from_utf8_lossy(&path).into_owned();
                proc.err(format!("gzip: {shown}: {}\n", errno.text())).await;
                status = 1;
                continue;
            }
        };
        let in_place = unpacks && !shows && !from_input && !options.has(b't');
        if in_place && !path.ends_with(b".gz") && !path.ends_with(b".tgz") {
            proc.err(format!("gzip: {shown}: unknown suffix -- ignored\n")).await;
            status = 2;
            continue;
        }
        proc.io.spend(bytes.len() / 256);
        let result = if unpacks || options.has(b't') {
            match unpack(&bytes) {
                Ok(out) => out,
                Err(fault) => {
                    let why = match fault {
                        Fault::NotGzip => "not in gzip format",
                        Fault::Ended => "unexpected end of file",
                        Fault::Broken => "invalid compressed data--format violated",
                        Fault::TooLarge => "No space left on device",
                    };
                    proc.err(format!("\ngzip: {shown}: {why}\n")).await;
                    status = 1;
                    continue;
                }
            }
        } else {
            pack(&bytes, level(&options))
        };
        proc.io.spend(result.len() / 256);
        if options.has(b't') {
            continue;
        }
        if shows || from_input {
            if from_input && !unpacks && proc.out_is_tty() && !options.has(b'f') {
                proc.err("gzip: compressed data not written to a terminal. Use -f to force compression.\nFor help, type: gzip -h\n").await;
                return Ok(1);
            }
            proc.out(result).await?;
            continue;
        }
        status = status.max(replace(proc, &path, &result, unpacks, &options).await?);
    }
    Ok(status)
}

fn level(options: &Options) -> u32 {
    options.last_of(b"123456789").map_or(6, |digit| u32::from(digit - b'0'))
}

/// Puts the result beside the file and removes that.
async fn replace(
    proc: &Proc,
    path: &[u8],
    result: &[u8],
    unpacks: bool,
    options: &Options,
) -> Outcome {
    let shown = String::from_utf8_lossy(path).into_owned();
    let target = if unpacks {
        match path.strip_suffix(b".gz") {
            Some(plain) => plain.to_vec(),
            None => match path.strip_suffix(b".tgz") {
                Some(plain) => [plain, b".tar"].concat(),
                None => path.to_vec(),
            },
        }
    } else if path.ends_with(b".gz") && !options.has(b'f') {
        proc.err(format!("gzip: {shown} already has .gz suffix -- unchanged\n")).await;
        return Ok(2);
    } else {
        [path, b".gz"].concat()
    };
    let target_shown = String::from_utf8_lossy(&target).into_owned();
    let creds = proc.user.creds.clone();
    let exists = proc.host.with(|m| m.fs.find(&creds, &proc.cwd, &target, true).is_ok());
    if exists && !options.has(b'f') {
        proc.err(format!("gzip: {target_shown} already exists;\tnot overwritten\n")).await;
        return Ok(2);
    }
    if let Err(errno) = proc.replace_file(&target, result) {
        proc.err(format!("gzip: {target_shown}: {}\n", errno.text())).await;
        return Ok(1);
    }
    let now = proc.io.now();
    proc.host.with(|machine| {
        let fs = &mut machine.fs;
        let Ok(stat) = fs.stat(&creds, &proc.cwd, path, true) else { return };
        if let Ok(ino) = fs.find(&creds, &proc.cwd, &target, true) {
            // The copy is the caller's own.
            let _ = fs.chmod(&creds, ino, stat.node.mode, now);
            let _ = fs.set_times(&creds, ino, stat.node.atime, stat.node.mtime, now);
        }
        if !options.has(b'k') {
            let _ = fs.remove(&creds, &proc.cwd, path, false, now);
        }
    });
    if options.has(b'v') {
        proc.err(format!("{shown}:\t replaced with {target_shown}\n")).await;
    }
    Ok(0)
}
