//! Columns.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Pid,
    Ppid,
    User,
    Uid,
    Cpu,
    CpuWhole,
    Memory,
    Vsz,
    Rss,
    Tty,
    State,
    StateLetter,
    Start,
    Time,
    TimeLong,
    Elapsed,
    Name,
    Command,
    Nice,
    Priority,
}

impl Column {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "pid" => Self::Pid,
            "ppid" => Self::Ppid,
            "user" | "euser" | "uname" | "ruser" => Self::User,
            "uid" | "euid" => Self::Uid,
            "pcpu" | "%cpu" | "cpu" => Self::Cpu,
            "c" => Self::CpuWhole,
            "pmem" | "%mem" | "mem" => Self::Memory,
            "vsz" | "vsize" => Self::Vsz,
            "rss" | "rssize" | "rsz" => Self::Rss,
            "tty" | "tt" | "tname" => Self::Tty,
            "stat" => Self::State,
            "s" | "state" => Self::StateLetter,
            "start" | "stime" | "start_time" | "lstart" | "bsdstart" => Self::Start,
            "time" | "cputime" => Self::TimeLong,
            "bsdtime" => Self::Time,
            "etime" => Self::Elapsed,
            "comm" | "ucmd" | "ucomm" => Self::Name,
            "cmd" | "args" | "command" => Self::Command,
            "ni" | "nice" => Self::Nice,
            "pri" => Self::Priority,
            _ => return None,
        })
    }

    /// Title, width, whether to the left.
    pub(super) const fn head(self) -> (&'static str, usize, bool) {
        match self {
            Self::Pid => ("PID", 7, false),
            Self::Ppid => ("PPID", 7, false),
            Self::User => ("USER", 8, true),
            Self::Uid => ("UID", 5, false),
            Self::Cpu => ("%CPU", 4, false),
            Self::CpuWhole => ("C", 2, false),
            Self::Memory => ("%MEM", 4, false),
            Self::Vsz => ("VSZ", 6, false),
            Self::Rss => ("RSS", 5, false),
            Self::Tty => ("TTY", 8, true),
            Self::State => ("STAT", 4, true),
            Self::StateLetter => ("S", 1, true),
            Self::Start => ("START", 5, false),
            Self::Time => ("TIME", 6, false),
            Self::TimeLong => ("TIME", 8, false),
            Self::Elapsed => ("ELAPSED", 11, false),
            Self::Name => ("COMMAND", 15, true),
            Self::Command => ("COMMAND", 27, true),
            Self::Nice => ("NI", 3, false),
            Self::Priority => ("PRI", 3, false),
        }
    }
}
