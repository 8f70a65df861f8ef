//! `xxd`.

use crate::shell::limits;
use crate::shell::proc::{Outcome, Proc};

/// How it is called.
struct Plan {
    plain: bool,
    reverse: bool,
    upper: bool,
    include: bool,
    bits: bool,
    columns: Option<usize>,
    group: Option<usize>,
    length: usize,
    skip: usize,
    files: Vec<Vec<u8>>,
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let Some(plan) = plan(proc.arguments()) else {
        proc.err(USAGE).await;
        return Ok(1);
    };
    let file = plan.files.first().map_or(&b"-"[..], Vec::as_slice);
    let bytes = match proc.slurp(file).await {
        Ok(bytes) => bytes,
        Err(errno) => {
            proc.unreadable(file, errno).await;
            return Ok(2);
        }
    };
    proc.io.spend(bytes.len() / 256);
    let out = if plan.reverse {
        if plan.plain { plain_back(&bytes) } else { back(&bytes) }
    } else {
        let from = plan.skip.min(bytes.len());
        let to = from.saturating_add(plan.length).min(bytes.len());
        let bytes = bytes.get(from..to).unwrap_or_default();
        if plan.include {
            include(bytes, file, &plan)
        } else if plan.plain {
            plain(bytes, &plan)
        } else {
            dump(bytes, from, &plan)
        }
    };
    match plan.files.get(1) {
        Some(target) => {
            if let Err(errno) = proc.replace_file(target, &out) {
                proc.unreadable(target, errno).await;
                return Ok(3);
            }
        }
        None => proc.out(out).await?,
    }
    Ok(0)
}

fn plan(arguments: Vec<Vec<u8>>) -> Option<Plan> {
    let mut plan = Plan {
        plain: false,
        reverse: false,
        upper: false,
        include: false,
        bits: false,
        columns: None,
        group: None,
        length: limits::SLURP,
        skip: 0,
        files: Vec::new(),
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let text = String::from_utf8_lossy(&argument).into_owned();
        let Some(option) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            plan.files.push(argument);
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        match option {
            "p" | "ps" | "plain" | "postscript" => plan.plain = true,
            "r" | "revert" => plan.reverse = true,
            "u" | "upper" => plan.upper = true,
            "i" | "include" => plan.include = true,
            "b" | "bits" => plan.bits = true,
            "a" | "autoskip" | "E" | "EBCDIC" => {}
            _ => {
                let (letter, attached) = option.split_at_checked(1)?;
                let value = if attached.is_empty()
                    || option.len() > 3 && !attached.starts_with(|c: char| c.is_ascii_digit())
                {
                    String::from_utf8_lossy(&arguments.next()?).into_owned()
                } else {
                    attached.to_owned()
                };
                let value = match value.strip_prefix("0x") {
                    Some(hex) => usize::from_str_radix(hex, 16).ok()?,
                    None => value.trim_start_matches('+').parse().ok()?,
                };
                match letter {
                    "c" => plan.columns = Some(value.clamp(1, 256)),
                    "g" => plan.group = Some(value),
                    "l" => plan.length = value,
                    "s" => plan.skip = value,
                    _ => return None,
                }
            }
        }
    }
    Some(plan)
}

fn hex(byte: u8, upper: bool) -> String {
    if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }
}

fn dump(bytes: &[u8], start: usize, plan: &Plan) -> Vec<u8> {
    let columns = plan.columns.unwrap_or(if plan.bits { 6 } else { 16 });
    let group = match plan.group {
        Some(0) => columns,
        Some(group) => group,
        None => {
            if plan.bits {
                1
            } else {
                2
            }
        }
    };
    let cell = if plan.bits { 8 } else { 2 };
    let width = columns * cell + columns.div_ceil(group.max(1)) - 1 + 2;
    let mut out = String::new();
    for (row, line) in bytes.chunks(columns).enumerate() {
        let mut cells = String::new();
        for (at, byte) in line.iter().enumerate() {
            if at > 0 && at % group.max(1) == 0 {
                cells.push(' ');
            }
            cells.push_str(&if plan.bits { format!("{byte:08b}") } else { hex(*byte, plan.upper) });
        }
        let seen: String = line
            .iter()
            .map(|b| if (0x20..0x7f).contains(b) { char::from(*b) } else { '.' })
            .collect();
        out.push_str(&format!("{:08x}: {cells:<width$}{seen}\n", start + row * columns));
    }
    out.into_bytes()
}

fn plain(bytes: &[u8], plan: &Plan) -> Vec<u8> {
    let mut out = String::new();
    for line in bytes.chunks(plan.columns.unwrap_or(30)) {
        out.extend(line.iter().map(|byte| hex(*byte, plan.upper)));
        out.push('\n');
    }
    out.into_bytes()
}

fn include(bytes: &[u8], file: &[u8], plan: &Plan) -> Vec<u8> {
    let name: String = String::from_utf8_lossy(file)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let named = file != b"-";
    let mut out = String::new();
    if named {
        out.push_str(&format!("unsigned char {name}[] = {{\n"));
    }
    let rows: Vec<String> = bytes
        .chunks(plan.columns.unwrap_or(12))
        .map(|row| {
            let cells: Vec<String> =
                row.iter().map(|b| format!("0x{}", hex(*b, plan.upper))).collect();
            format!("  {}", cells.join(", "))
        })
        .collect();
    out.push_str(&rows.join(",\n"));
    out.push('\n');
    if named {
        out.push_str(&format!("}};\nunsigned int {name}_len = {};\n", bytes.len()));
    }
    out.into_bytes()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

fn plain_back(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text.iter().filter_map(|b| digit(*b)).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |n, d| n << 4 | d)).collect()
}

/// Lines of `offset: digits  text` back to bytes; gaps become zeros.
fn back(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        let line = String::from_utf8_lossy(line).into_owned();
        let Some((offset, rest)) = line.split_once(':') else { continue };
        let Ok(offset) = usize::from_str_radix(offset.trim(), 16) else { continue };
        if offset > limits::SLURP {
            break;
        }
        let digits = rest.strip_prefix(' ').unwrap_or(rest).split("  ").next().unwrap_or_default();
        let bytes = plain_back(digits.as_bytes());
        if out.len() < offset {
            out.resize(offset, 0);
        }
        out.truncate(offset);
        out.extend(bytes);
    }
    out
}

const USAGE: &str = "Usage:\n       xxd [options] [infile [outfile]]\n    or\n       xxd -r [-s [-]offset] [-c cols] [-ps] [infile [outfile]]\nOptions:\n    -a          toggle autoskip: A single '*' replaces nul-lines. Default off.\n    -b          binary digit dump (incompatible with -ps,-i). Default hex.\n    -C          capitalize variable names in C include file style (-i).\n    -c cols     format <cols> octets per line. Default 16 (-i: 12, -ps: 30).\n    -E          show characters in EBCDIC. Default ASCII.\n    -e          little-endian dump (incompatible with -ps,-i,-r).\n    -g bytes    number of octets per group in normal output. Default 2 (-e: 4).\n    -h          print this summary.\n    -i          output in C include file style.\n    -l len      stop after <len> octets.\n    -n name     set the variable name used in C include output (-i).\n    -o off      add <off> to the displayed file position.\n    -ps         output in postscript plain hexdump style.\n    -r          reverse operation: convert (or patch) hexdump into binary.\n    -r -s off   revert with <off> added to file positions found in hexdump.\n    -d          show offset in decimal instead of hex.\n    -s [+][-]seek  start at <seek> bytes abs. (or +: rel.) infile offset.\n    -u          use upper case hex letters.\n    -v          show version: \"xxd 2022-01-14 by Juergen Weigert et al.\".\n";
