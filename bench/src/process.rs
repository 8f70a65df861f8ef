//! What a process has used, as `/proc` tells it.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// Processor time of a process, its ended threads included and its children not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read `{path}`"))?;
        let per_second = rustix::param::clock_ticks_per_second();
        Self::parse(&text, per_second).with_context(|| format!("`{path}` is not understood"))
    }

    fn parse(stat: &str, ticks_per_second: u64) -> Option<Self> {
        // The name is in brackets and may hold anything.
        let (_, after) = stat.rsplit_once(") ")?;
        let mut fields = after.split(' ').skip(11);
        let mut time = || {
            let ticks: u64 = fields.next()?.parse().ok()?;
            Some(Duration::from_micros(ticks * 1_000_000 / ticks_per_second))
        };
        Some(Self { user: time()?, system: time()? })
    }

    pub(crate) fn since(self, before: Self) -> Duration {
        (self.user + self.system).saturating_sub(before.user + before.system)
    }
}

/// Proportional set size in MB (10⁶ bytes): what it has alone, and its part of what it shares.
pub(crate) fn memory(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("failed to read `{path}`; the decoy process's needs root"))?;
    pss(&text).with_context(|| format!("`{path}` is not understood"))
}

fn pss(rollup: &str) -> Option<f64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_whatever_the_name() {
        let stat = "7 (a) b) (c) S 1 7 7 0 -1 4194560 1 2 3 4 250 50 9 9 20 0 8 0";
        let cpu = Cpu::parse(stat, 100).unwrap();
        assert_eq!(cpu.user, Duration::from_millis(2500));
        assert_eq!(cpu.since(Cpu::default()), Duration::from_secs(3));
    }

    #[test]
    fn this_process_has_time_and_memory() {
        let pid = std::process::id();
        assert!(Cpu::of(pid).is_ok());
        assert!(memory(pid).unwrap() > 0.1);
    }

    #[test]
    fn memory_is_the_proportional_size() {
        let rollup =
            "0-1 ---p 00000000 00:00 0 [rollup]\nRss: 9000 kB\nPss:    2000 kB\nPss_Dirty: 1 kB\n";
        assert_eq!(pss(rollup), Some(2.048));
    }
}
