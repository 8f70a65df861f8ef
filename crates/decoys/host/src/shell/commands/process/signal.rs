//! Names and numbers of signals.

const NAMES: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS",
];

/// The number of `HUP`, `SIGHUP` or `1`.
pub(in crate::shell) fn number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (number <= 64).then_some(number);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let at = NAMES.iter().position(|known| *known == name)?;
    u8::try_from(at + 1).ok()
}

/// The name of signal `number`.
pub(in crate::shell) fn name(number: u8) -> Option<&'static str> {
    NAMES.get(usize::from(number).checked_sub(1)?).copied()
}

/// All of them, as `kill -l` lists them.
pub(in crate::shell) fn listing() -> String {
    let mut out = String::new();
    for (at, name) in NAMES.iter().enumerate() {
        let cell = format!("{:>2}) SIG{name}", at + 1);
        let last = at % 5 == 4 || at + 1 == NAMES.len();
        out.push_str(&if last { format!("{cell}\n") } else { format!("{cell}\t") });
    }
    out
}

/// The signal that the first arguments of a killer name, and the other arguments: `-9`, `-KILL`,
/// `-s KILL`.
pub(in crate::shell) fn taken(arguments: &[Vec<u8>]) -> Result<(u8, Vec<Vec<u8>>), String> {
    let mut signal = 15;
    let mut rest = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let text = String::from_utf8_lossy(argument).into_owned();
        let Some(option) = text.strip_prefix('-').filter(|option| !option.is_empty()) else {
            rest.push(argument.clone());
            continue;
        };
        match option {
            "s" | "n" | "-signal" => {
                let value = arguments.next().map(|v| String::from_utf8_lossy(v).into_owned());
                let value = value.unwrap_or_default();
                signal = number(&value).ok_or(value)?;
            }
            "-" => rest.extend(arguments.by_ref().cloned()),
            option => match number(option.strip_prefix("-signal=").unwrap_or(option)) {
                Some(number) if rest.is_empty() => signal = number,
                _ => rest.push(argument.clone()),
            },
        }
    }
    Ok((signal, rest))
}
