//! The arguments of `ps`: three styles of them at once.

use super::column::Column;

/// Which processes, and how.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) everybody: bool,
    pub(super) without_tty: bool,
    pub(super) all: bool,
    pub(super) pids: Option<Vec<u32>>,
    pub(super) users: Option<Vec<String>>,
    pub(super) names: Option<Vec<String>>,
    pub(super) columns: Vec<Column>,
    pub(super) sort: Option<(Column, bool)>,
    pub(super) headless: bool,
    pub(super) forest: bool,
    pub(super) wide: bool,
}

pub(super) fn plan(arguments: &[Vec<u8>]) -> Result<Plan, String> {
    use Column as C;
    let mut plan = Plan::default();
    let mut custom: Vec<Column> = Vec::new();
    let mut style = vec![C::Pid, C::Tty, C::TimeLong, C::Name];
    let mut arguments = arguments.iter().map(|a| String::from_utf8_lossy(a).into_owned());
    while let Some(argument) = arguments.next() {
        if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = long.split_once('=').unwrap_or((long, ""));
            let value = if value.is_empty()
                && matches!(name, "pid" | "user" | "sort" | "format" | "ppid")
            {
                arguments.next().unwrap_or_default()
            } else {
                value.to_owned()
            };
            match name {
                "sort" => plan.sort = Some(sort(&value)?),
                "no-headers" | "no-heading" | "noheader" => plan.headless = true,
                "forest" => plan.forest = true,
                "pid" => plan.pids = Some(numbers(&value)),
                "user" => plan.users = Some(words(&value)),
                "format" => custom.extend(columns(&value)?),
                "cols" | "columns" | "width" => {}
                "help" | "version" => return Err("unsupported SysV option".to_owned()),
                _ => return Err("unknown gnu long option".to_owned()),
            }
            continue;
        }
        let dashed = argument.starts_with('-');
        let letters = argument.trim_start_matches('-').to_owned();
        if !dashed && letters.bytes().all(|b| b.is_ascii_digit() || b == b',') {
            plan.pids.get_or_insert_default().extend(numbers(&letters));
            continue;
        }
        let mut rest = letters.as_str();
        while let Some(letter) = rest.chars().next() {
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            let mut value = |rest: &mut &str| {
                let attached = std::mem::take(rest);
                if attached.is_empty() {
                    arguments.next().unwrap_or_default()
                } else {
                    attached.to_owned()
                }
            };
            match (dashed, letter) {
                (true, 'e' | 'A') => plan.all = true,
                (true, 'a') => (plan.everybody, plan.without_tty) = (true, false),
                (true, 'f') => {
                    style = vec![
                        C::User,
                        C::Pid,
                        C::Ppid,
                        C::CpuWhole,
                        C::Start,
                        C::Tty,
                        C::TimeLong,
                        C::Command,
                    ];
                }
                (true, 'F') => {
                    style = vec![
                        C::User,
                        C::Pid,
                        C::Ppid,
                        C::CpuWhole,
                        C::Rss,
                        C::Start,
                        C::Tty,
                        C::TimeLong,
                        C::Command,
                    ];
                }
                (true, 'l') => {
                    style = vec![
                        C::StateLetter,
                        C::Uid,
                        C::Pid,
                        C::Ppid,
                        C::CpuWhole,
                        C::Priority,
                        C::Nice,
                        C::Tty,
                        C::TimeLong,
                        C::Name,
                    ];
                }
                (true, 'p') | (false, 'p') => {
                    plan.pids.get_or_insert_default().extend(numbers(&value(&mut rest)))
                }
                (true, 'u' | 'U') => plan.users = Some(words(&value(&mut rest))),
                (true, 'C') => plan.names = Some(words(&value(&mut rest))),
                (_, 'o') => custom.extend(columns(&value(&mut rest))?),
                (true, 'H') | (false, 'f') => plan.forest = true,
                (false, 'a') => plan.everybody = true,
                (_, 'x') => plan.without_tty = true,
                (false, 'e') | (_, 'w') => plan.wide |= letter == 'w',
                (false, 'u') => {
                    style = vec![
                        C::User,
                        C::Pid,
                        C::Cpu,
                        C::Memory,
                        C::Vsz,
                        C::Rss,
                        C::Tty,
                        C::State,
                        C::Start,
                        C::Time,
                        C::Command,
                    ];
                }
                (false, 'l' | 'j' | 'h' | 'c' | 'k' | 'r' | 'n' | 'm' | 'T') => {}
                (true, 'd' | 'j' | 'L' | 'T' | 'm' | 'y' | 'N' | 'M' | 'Z' | 'c') => {}
                (true, _) => return Err("unsupported SysV option".to_owned()),
                (false, _) => return Err("unsupported option (BSD syntax)".to_owned()),
            }
        }
    }
    plan.columns = if custom.is_empty() { style } else { custom };
    Ok(plan)
}

fn numbers(text: &str) -> Vec<u32> {
    text.split([',', ' ']).filter_map(|n| n.parse().ok()).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

fn columns(text: &str) -> Result<Vec<Column>, String> {
    let name = |name: &str| {
        let plain = name.split('=').next().unwrap_or_default();
        Column::named(plain)
            .ok_or_else(|| "unknown user-defined format specifier \"".to_owned() + plain + "\"")
    };
    text.split([',', ' ']).filter(|w| !w.is_empty()).take(32).map(name).collect()
}

fn sort(text: &str) -> Result<(Column, bool), String> {
    let first = text.split(',').next().unwrap_or_default();
    let down = first.starts_with('-');
    let name = first.trim_start_matches(['-', '+']);
    Column::named(name)
        .map(|column| (column, down))
        .ok_or_else(|| "unknown sort specifier".to_owned())
}
