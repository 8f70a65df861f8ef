//! `tar`: makes, lists and unpacks archives in the format of GNU tar.

mod pack;
mod unpack;

use crate::fs::{Errno, join};
use crate::shell::proc::{Outcome, Proc, Stop};

/// Most members of one archive.
const MAX_MEMBERS: usize = 20_000;
const BLOCK: usize = 512;

/// What the command line says.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) act: u8,
    pub(super) file: Option<Vec<u8>>,
    pub(super) directory: Option<Vec<u8>>,
    pub(super) gzip: bool,
    pub(super) verbose: bool,
    pub(super) to_output: bool,
    pub(super) absolute: bool,
    pub(super) strip: usize,
    pub(super) names: Vec<Vec<u8>>,
    pub(super) excluded: Vec<Vec<u8>>,
}

const HINT: &str = "Try 'tar --help' or 'tar --usage' for more information.\n";

async fn plan(proc: &Proc) -> Result<Plan, Stop> {
    let mut plan = Plan::default();
    let mut arguments = proc.arguments().into_iter();
    let mut first = true;
    while let Some(argument) = arguments.next() {
        let text = String::from_utf8_lossy(&argument).into_owned();
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) = long.split_once('=').unwrap_or((long, ""));
            match name {
                "create" => plan.act = b'c',
                "extract" | "get" => plan.act = b'x',
                "list" => plan.act = b't',
                "gzip" | "gunzip" | "ungzip" | "auto-compress" => plan.gzip = true,
                "verbose" => plan.verbose = true,
                "to-stdout" => plan.to_output = true,
                "absolute-names" => plan.absolute = true,
                "file" => plan.file = Some(value.as_bytes().to_vec()),
                "directory" => plan.directory = Some(value.as_bytes().to_vec()),
                "strip-components" => plan.strip = value.parse().unwrap_or(0),
                "exclude" => plan.excluded.push(value.as_bytes().to_vec()),
                "no-same-owner"
                | "same-owner"
                | "preserve-permissions"
                | "overwrite"
                | "no-same-permissions"
                | "numeric-owner" => {}
                _ => {
                    proc.err(format!("tar: unrecognized option '--{name}'\n{HINT}")).await;
                    return Err(Stop::Status(64));
                }
            }
            continue;
        }
        let bundle = match text.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => letters,
            _ if first && !text.contains(['/', '.']) => text.as_str(),
            _ => {
                plan.names.push(argument);
                first = false;
                continue;
            }
        };
        first = false;
        let mut letters = bundle.bytes();
        while let Some(letter) = letters.next() {
            match letter {
                b'c' | b'x' | b't' if plan.act != 0 && plan.act != letter => {
                    proc.err(format!("tar: You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option\n{HINT}")).await;
                    return Err(Stop::Status(2));
                }
                b'c' | b'x' | b't' => plan.act = letter,
                b'z' => plan.gzip = true,
                b'v' => plan.verbose = true,
                b'O' => plan.to_output = true,
                b'P' => plan.absolute = true,
                b'p' | b'o' | b'm' | b'k' | b'a' | b'h' | b'S' => {}
                b'f' | b'C' => {
                    // In the old form values follow the bundle; otherwise the rest is the value.
                    let attached: Vec<u8> =
                        if text.starts_with('-') { letters.by_ref().collect() } else { Vec::new() };
                    let value = if attached.is_empty() { arguments.next() } else { Some(attached) };
                    let Some(value) = value else {
                        let shown = char::from(letter);
                        proc.err(format!("tar: option requires an argument -- '{shown}'\n{HINT}"))
                            .await;
                        return Err(Stop::Status(64));
                    };
                    if letter == b'f' {
                        plan.file = Some(value)
                    } else {
                        plan.directory = Some(value)
                    }
                }
                _ => {
                    let shown = char::from(letter);
                    proc.err(format!("tar: invalid option -- '{shown}'\n{HINT}")).await;
                    return Err(Stop::Status(64));
                }
            }
        }
    }
    if plan.act == 0 {
        proc.err(format!("tar: You must specify one of the '-Acdtrux', '--delete' or '--test-label' options\n{HINT}")).await;
        return Err(Stop::Status(2));
    }
    Ok(plan)
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let plan = plan(proc).await?;
    let base = proc.cwd.clone();
    if let Some(directory) = &plan.directory {
        let found = proc.host.with(|m| m.fs.stat(&proc.user.creds, &base, directory, true));
        match found {
            Ok(stat) if stat.node.is_dir() => proc.cwd = proc.absolute(directory),
            Ok(_) => return fatal(proc, directory, "Cannot open", Errno::NotDirectory).await,
            Err(errno) => return fatal(proc, directory, "Cannot open", errno).await,
        }
    }
    let file = plan.file.clone().filter(|file| file != b"-").map(|file| join(&base, &file));
    if plan.act == b'c' {
        pack::create(proc, &plan, file).await
    } else {
        unpack::read(proc, &plan, file).await
    }
}

/// Tells what ends everything.
pub(super) async fn fatal(proc: &Proc, path: &[u8], verb: &str, errno: Errno) -> Outcome {
    let shown = String::from_utf8_lossy(path).into_owned();
    proc.err(format!(
        "tar: {shown}: {verb}: {}\ntar: Error is not recoverable: exiting now\n",
        errno.text()
    ))
    .await;
    Ok(2)
}
