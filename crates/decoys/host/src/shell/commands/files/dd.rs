//! `dd`.

use crate::fs::Errno;
use crate::shell::commands::complaint::quoted;
use crate::shell::commands::text::amount::number;
use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc, Source, Stop};

/// Largest block.
const MAX_BLOCK: u64 = 4 * 1024 * 1024;

/// What the operands say.
struct Plan {
    input: Option<Vec<u8>>,
    output: Option<Vec<u8>>,
    input_block: u64,
    output_block: u64,
    count: u64,
    skip: u64,
    seek: u64,
    keep: bool,
    status: Vec<u8>,
}

async fn plan(proc: &Proc) -> Result<Plan, Stop> {
    let mut plan = Plan {
        input: None,
        output: None,
        input_block: 512,
        output_block: 512,
        count: u64::MAX,
        skip: 0,
        seek: 0,
        keep: false,
        status: Vec::new(),
    };
    for argument in proc.arguments() {
        let Some(at) = argument.iter().position(|&b| b == b'=') else {
            return Err(proc.misused("unrecognized operand", &argument).await);
        };
        let (name, value) = argument.split_at_checked(at).unwrap_or((&argument, b"="));
        let value = value.get(1..).unwrap_or_default();
        let parsed = async || match number(value) {
            Some(number) => Ok(number),
            None => {
                proc.wrong("invalid number:", value).await;
                Err(Stop::Status(1))
            }
        };
        match name {
            b"if" => plan.input = Some(value.to_vec()),
            b"of" => plan.output = Some(value.to_vec()),
            b"bs" => {
                plan.input_block = parsed().await?;
                plan.output_block = plan.input_block;
            }
            b"ibs" => plan.input_block = parsed().await?,
            b"obs" => plan.output_block = parsed().await?,
            b"count" => plan.count = parsed().await?,
            b"skip" | b"iseek" => plan.skip = parsed().await?,
            b"seek" | b"oseek" => plan.seek = parsed().await?,
            b"conv" => plan.keep = value.windows(7).any(|w| w == b"notrunc"),
            b"status" => plan.status = value.to_vec(),
            b"iflag" | b"oflag" | b"cbs" => {}
            _ => return Err(proc.misused("unrecognized operand", &argument).await),
        }
    }
    for block in [plan.input_block, plan.output_block] {
        if block == 0 {
            proc.wrong("invalid number:", b"0").await;
            return Err(Stop::Status(1));
        }
        if block > MAX_BLOCK * 256 {
            proc.say_err(format!("memory exhausted by input buffer of size {block} bytes")).await;
            return Err(Stop::Status(1));
        }
    }
    Ok(plan)
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let plan = plan(proc).await?;
    let started = proc.io.now();
    let input = plan.input.clone().unwrap_or_else(|| b"-".to_vec());
    let mut source = match proc.source(&input) {
        Ok(source) => source,
        Err(errno) => {
            proc.fault("failed to open", &input, errno).await;
            return Ok(1);
        }
    };
    let target = match &plan.output {
        None => None,
        Some(path) => match open(proc, path, &plan) {
            Ok(ino) => Some(ino),
            Err(errno) => {
                proc.fault("failed to open", path, errno).await;
                return Ok(1);
            }
        },
    };
    let mut pending = Vec::new();
    for _ in 0..plan.skip.min(1 << 20) {
        if block(proc, &mut source, &mut pending, plan.input_block).await.is_empty() {
            break;
        }
    }
    let (mut full, mut partial, mut bytes) = (0_u64, 0_u64, 0_u64);
    let mut offset = plan.seek.saturating_mul(plan.output_block);
    let mut status = 0;
    while full + partial < plan.count {
        let piece = block(proc, &mut source, &mut pending, plan.input_block).await;
        if piece.is_empty() {
            break;
        }
        if piece.len() as u64 == plan.input_block {
            full += 1
        } else {
            partial += 1
        }
        bytes += piece.len() as u64;
        match target {
            None => proc.out(&piece).await?,
            Some(Target::Nowhere) => {}
            Some(Target::File(ino)) => {
                let now = proc.io.now();
                if let Err(errno) = proc.host.with(|m| m.fs.write(ino, offset, &piece, now)) {
                    let path = plan.output.clone().unwrap_or_default();
                    let text =
                        [&b"error writing "[..], &quoted(&path), b": ", errno.text().as_bytes()];
                    proc.say_err(text.concat()).await;
                    status = 1;
                    break;
                }
                offset += piece.len() as u64;
            }
        }
    }
    // What was read ahead stays for others.
    source.give_back(proc, pending.len());
    if let (Some(path), Some(Target::File(_))) = (&plan.output, &target) {
        proc.tell_written(path, "dd");
    }
    if plan.status != b"none" {
        let took = proc.io.now().since(started).as_secs_f64();
        let text = summary(full, partial, bytes, took, plan.status != b"noxfer");
        proc.err(text).await;
    }
    Ok(status)
}

#[derive(Clone, Copy)]
enum Target {
    File(crate::fs::Ino),
    Nowhere,
}

fn open(proc: &Proc, path: &[u8], plan: &Plan) -> Result<Target, Errno> {
    let now = proc.io.now();
    let mode = 0o666 & !proc.umask;
    let block = plan.output_block;
    proc.host.with(|machine| {
        let ino = machine.fs.create(&proc.user.creds, &proc.cwd, path, mode, now)?;
        if !machine.fs.node(ino).is_some_and(crate::fs::Node::is_file) {
            return Ok(Target::Nowhere);
        }
        if !plan.keep {
            let length = plan.seek.saturating_mul(block);
            let size = machine.fs.node(ino).map_or(0, crate::fs::Node::size);
            machine.fs.truncate(ino, length.min(size), now)?;
        }
        Ok(Target::File(ino))
    })
}

/// The next block; a short one only at the end, or when a pipe has no more yet.
async fn block(proc: &Proc, source: &mut Source, pending: &mut Vec<u8>, size: u64) -> Vec<u8> {
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(limits::SLURP);
    if pending.is_empty() || source.is_regular(proc) {
        while pending.len() < size {
            let piece = source.next(proc).await;
            if piece.is_empty() {
                break;
            }
            pending.extend(piece);
            if !source.is_regular(proc) {
                break;
            }
        }
    }
    let take = size.min(pending.len());
    pending.drain(..take).collect()
}

fn summary(full: u64, partial: u64, bytes: u64, took: f64, speed: bool) -> String {
    let mut out = format!("{full}+{partial} records in\n{full}+{partial} records out\n");
    if !speed {
        return out;
    }
    // What the simulation does in no time took a disk some.
    let measured = f64::from(u32::try_from(bytes / 64).unwrap_or(u32::MAX)) * 64.0;
    let took = took.max(0.000_06 + measured / 620_000_000.0);
    let scale = |value: f64, step: f64, units: &[&str]| {
        let mut value = value;
        let mut unit = 0;
        while value >= step && unit + 1 < units.len() {
            value /= step;
            unit += 1;
        }
        let name = units.get(unit).copied().unwrap_or_default();
        if value < 10.0 && unit > 0 {
            format!("{value:.1} {name}")
        } else {
            format!("{value:.0} {name}")
        }
    };
    let exact = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    let decimal = scale(exact, 1000.0, &["B", "kB", "MB", "GB"]);
    let binary = scale(exact, 1024.0, &["B", "KiB", "MiB", "GiB"]);
    let noun = if bytes == 1 { "byte" } else { "bytes" };
    let size = match bytes {
        0..=999 => format!("{bytes} {noun}"),
        1000..=1023 => format!("{bytes} bytes ({decimal})"),
        _ => format!("{bytes} bytes ({decimal}, {binary})"),
    };
    let rate = scale(exact / took, 1000.0, &["B/s", "kB/s", "MB/s", "GB/s"]);
    let seconds = crate::shell::commands::text::general(took);
    out.push_str(&format!("{size} copied, {seconds} s, {rate}\n"));
    out
}
