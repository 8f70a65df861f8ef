//! `sed`: `script` is the program as read, `parse` reads it, `machine` runs it.

mod input;
mod machine;
mod parse;
mod script;
mod select;
mod substitute;

use self::machine::{Machine, Output};
use crate::shell::commands::input::or_input;
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "bsnrzuEe:f:l:i::V:",
    &[
        ("expression=", b'e'),
        ("file=", b'f'),
        ("in-place?", b'i'),
        ("line-length=", b'l'),
        ("null-data", b'z'),
        ("quiet", b'n'),
        ("silent", b'n'),
        ("regexp-extended", b'E'),
        ("separate", b's'),
        ("unbuffered", b'u'),
        ("posix", b'1'),
        ("sandbox", b'2'),
    ],
);
const USAGE: &str = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n";

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let mut files = options.rest.clone();
    let source = source(proc, &options, &mut files).await?;
    let extended = options.has(b'E') || options.has(b'r');
    let script = match parse::parse(&source, extended) {
        Ok(script) => script,
        Err(fault) => {
            // A label that is not there is missed when all is read: it has no place.
            let Some(at) = fault.at else {
                proc.say_err(fault.what).await;
                return Ok(4);
            };
            proc.say_err(format!("-e expression #1, char {at}: {}", fault.what)).await;
            return Ok(1);
        }
    };
    let files = or_input(files);
    let quiet = options.has(b'n') || script.quiet;
    let end = if options.has(b'z') { 0 } else { b'\n' };
    let in_place = options.has(b'i');
    let apart = in_place || options.has(b's');
    let mut status = 0;
    let mut machine = Machine::new(&script, quiet, end);
    let groups: Vec<Vec<Vec<u8>>> =
        if apart { files.into_iter().map(|file| vec![file]).collect() } else { vec![files] };
    for group in groups {
        let mut readable = Vec::new();
        for file in group {
            match proc.source(&file) {
                Ok(source) => readable.push((file, source)),
                Err(crate::fs::Errno::IsDirectory) if !in_place => {
                    let text = [&b"read error on "[..], &file, b": Is a directory"].concat();
                    proc.say_err(text).await;
                    status = 2;
                }
                Err(crate::fs::Errno::IsDirectory) => {
                    let text = [&b"couldn't edit "[..], &file, b": not a regular file"].concat();
                    proc.say_err(text).await;
                    status = 4;
                }
                Err(errno) => {
                    let text = [&b"can't read "[..], &file, b": ", errno.text().as_bytes()];
                    proc.say_err(text.concat()).await;
                    status = 2;
                }
            }
        }
        if in_place && readable.is_empty() {
            continue;
        }
        let target = readable.first().map(|(file, _)| file.clone()).filter(|_| in_place);
        let output = if target.is_some() { Output::Kept(Vec::new()) } else { Output::Shown };
        let sources = readable.into_iter().map(|(_, source)| source).collect();
        let (done, output) = machine.run(proc, sources, output).await?;
        if let (Some(file), Output::Kept(text)) = (target, output) {
            let suffix = options.value(b'i').unwrap_or_default();
            rewrite(proc, &file, suffix, &text).await?;
        }
        if let Some(code) = done {
            return Ok(code);
        }
    }
    Ok(status)
}

async fn source(proc: &Proc, options: &Options, files: &mut Vec<Vec<u8>>) -> Result<Vec<u8>, Stop> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for (letter, value) in options.iter() {
        match letter {
            b'e' => parts.push(value.to_vec()),
            b'f' => match proc.slurp(value).await {
                Ok(text) => parts.push(text.strip_suffix(b"\n").unwrap_or(&text).to_vec()),
                Err(errno) => {
                    let text = [&b"couldn't open file "[..], value, b": ", errno.text().as_bytes()];
                    proc.say_err(text.concat()).await;
                    return Err(Stop::Status(4));
                }
            },
            _ => {}
        }
    }
    if parts.is_empty() {
        if files.is_empty() {
            let help = crate::shell::commands::help::answer(proc, "help");
            proc.err(help.unwrap_or_else(|| USAGE.to_owned())).await;
            return Err(Stop::Status(1));
        }
        parts.push(files.remove(0));
    }
    Ok(parts.join(&b'\n'))
}

/// Puts `text` in place of the content of `file`, keeping the old one under a name with `suffix`.
async fn rewrite(proc: &Proc, file: &[u8], suffix: &[u8], text: &[u8]) -> Result<(), Stop> {
    if !suffix.is_empty() {
        let old = proc.slurp(file).await.unwrap_or_default();
        let name = [file, suffix].concat();
        // A backup that cannot be made stops nothing here: the edit itself will fail alike.
        let _ = proc.replace_file(&name, &old);
    }
    if let Err(errno) = proc.replace_file(file, text) {
        let directory = crate::fs::parent_of(file);
        let directory = if file.contains(&b'/') { directory } else { b"./" };
        let text = [
            &b"couldn't open temporary file "[..],
            directory,
            b"/sedXXXXXX: ",
            errno.text().as_bytes(),
        ];
        proc.say_err(text.concat()).await;
        return Err(Stop::Status(4));
    }
    Ok(())
}
