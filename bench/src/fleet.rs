//! A fleet of some size: until it is there, what it takes, and how long commands on it take.

use std::thread;
use std::time::Duration;

use crate::figure::Figure;
use crate::subject::Subject;

/// Services of each decky.
const SERVICES: &str = "ssh,http";
/// How often a command is repeated.
const TIMES: usize = 5;

pub(crate) fn measure(deckies: usize, settle: u64) -> anyhow::Result<Vec<Figure>> {
    let subject = Subject::with(deckies, SERVICES)?;
    let of = |what: &str| format!("{deckies} deckies, {what}");
    let mut figures =
        vec![Figure::new(of("time to ready"), subject.ready_after.as_secs_f64(), "s")];
    thread::sleep(Duration::from_secs(settle));
    let (control, decoy) = subject.memory()?;
    figures.push(Figure::new(of("both processes"), control + decoy, "MB"));
    let before = subject.spent()?;
    let status = repeated(|| subject.command(&["status", "--json"]))?;
    let spent = subject.spent()?.per(before, TIMES);
    figures.push(Figure::new(of("`decnet status`"), status, "ms"));
    figures.push(Figure::new(of("server CPU for it"), spent.0 + spent.1, "ms"));
    let name = format!("decky-{deckies}");
    let gone = subject.command(&["teardown", "--yes", "--id", &name])?;
    figures.push(Figure::new(of("one torn down"), milliseconds(gone), "ms"));
    subject.stop()?;
    Ok(figures)
}

/// The median of several runs, in milliseconds.
fn repeated(run: impl Fn() -> anyhow::Result<Duration>) -> anyhow::Result<f64> {
    let mut all = (0..TIMES).map(|_| run()).collect::<anyhow::Result<Vec<_>>>()?;
    all.sort();
    Ok(milliseconds(all.get(TIMES / 2).copied().unwrap_or_default()))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
