//! Carries a plan out: actors start one after the other at a rate, so many at a time at most, and
//! tell what happens to them.

use std::net::Ipv4Addr;
use std::time::Duration;

use base_runtime::Shutdown;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::alive;
use crate::clients::{Fault, Visitor, perform};
use crate::plan::{Actor, Login, Plan};
use crate::world::Door;

/// Notes that wait to be heard; who tells more waits.
const MOST_NOTES: usize = 256;
/// Longest life of an actor.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// With no connection after so many tries, nothing is there.
const HOPELESS: u64 = 3;
const MINUTE: Duration = Duration::from_secs(60);

/// How fast actors come and act.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Actors that start in a minute; at least one.
    pub per_minute: u32,
    /// Actors at work at a time; at least one.
    pub at_once: usize,
    /// How many times faster than people and bots they are; above zero.
    pub speed: f64,
}

impl Pace {
    /// `time` at this speed.
    pub(crate) fn shortened(self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() / self.speed).unwrap_or(time)
    }
}

/// Something that happened to an actor.
#[derive(Debug)]
pub struct Note {
    /// Its place in the plan.
    pub actor: usize,
    /// What happened.
    pub what: Happening,
}

/// What can happen to an actor.
#[derive(Debug)]
pub enum Happening {
    /// It starts.
    Began,
    /// A connection was made.
    Connected(Door),
    /// No connection could be made.
    Unreachable(Door),
    /// A login was answered.
    Tried {
        /// Where.
        door: Door,
        /// With what.
        login: Login,
        /// Whether it was taken.
        accepted: bool,
    },
    /// A command was answered.
    Commanded(String),
    /// A web request was answered.
    Requested,
    /// A file was taken.
    Uploaded(String),
    /// A mail was taken.
    Mailed,
    /// An act ended early.
    Failed(Fault),
    /// It did everything.
    Ended,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every actor did everything.
    Complete,
    /// Some acts ended early.
    Partial,
    /// Nothing answered.
    Unreachable,
    /// It was asked to end.
    Interrupted,
}

/// What came of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The plan's seed.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Of all actors.
    pub total: Counts,
    /// Of each actor, in the plan's order.
    pub actors: Vec<ActorSummary>,
    /// What was left out.
    pub skipped: Vec<String>,
}

/// What came of one actor.
#[derive(Clone, Debug, Serialize)]
pub struct ActorSummary {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub source: Ipv4Addr,
    /// How far it came.
    pub progress: Progress,
    /// What it did.
    #[serde(flatten)]
    pub counts: Counts,
}

/// How far an actor came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It did not start.
    Waiting,
    /// It started.
    Started,
    /// It did everything.
    Done,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Connections made.
    pub connections: u64,
    /// Connections that could not be made.
    pub unreachable: u64,
    /// Logins tried.
    pub logins_tried: u64,
    /// Logins taken.
    pub logins_accepted: u64,
    /// Commands answered.
    pub commands: u64,
    /// Web requests answered.
    pub requests: u64,
    /// Files taken.
    pub uploads: u64,
    /// Mails taken.
    pub mails: u64,
    /// Acts that ended early.
    pub errors: u64,
}

impl Counts {
    fn count(&mut self, what: &Happening) {
        let counter = match what {
            Happening::Connected(_) => &mut self.connections,
            Happening::Unreachable(_) => &mut self.unreachable,
            Happening::Tried { accepted, .. } => {
                self.logins_accepted += u64::from(*accepted);
                &mut self.logins_tried
            }
            Happening::Commanded(_) => &mut self.commands,
            Happening::Requested => &mut self.requests,
            Happening::Uploaded(_) => &mut self.uploads,
            Happening::Mailed => &mut self.mails,
            Happening::Failed(_) => &mut self.errors,
            Happening::Began | Happening::Ended => return,
        };
        *counter += 1;
    }
}

impl Summary {
    fn new(plan: &Plan) -> Self {
        let summary = |actor: &Actor| ActorSummary {
            name: actor.name.clone(),
            source: actor.source,
            progress: Progress::Waiting,
            counts: Counts::default(),
        };
        Self {
            seed: plan.seed,
            outcome: Outcome::Complete,
            total: Counts::default(),
            actors: plan.actors.iter().map(summary).collect(),
            skipped: plan.skipped.clone(),
        }
    }

    fn count(&mut self, note: &Note) {
        self.total.count(&note.what);
        if let Some(actor) = self.actors.get_mut(note.actor) {
            actor.counts.count(&note.what);
            match note.what {
                Happening::Began => actor.progress = Progress::Started,
                Happening::Ended => actor.progress = Progress::Done,
                _ => {}
            }
        }
    }

    /// Whether nothing is there.
    fn is_hopeless(&self) -> bool {
        self.total.connections == 0 && self.total.unreachable >= HOPELESS
    }
}

/// Carries `plan` out; `heard` is told everything that happens. Ends early when `shutdown` is asked
/// for, or when nothing answers; does not even begin when a DECNET it is for does not run.
pub async fn run(
    plan: &Plan,
    pace: Pace,
    shutdown: &Shutdown,
    mut heard: impl FnMut(&Actor, &Happening),
) -> Summary {
    let mut summary = Summary::new(plan);
    for api in &plan.apis {
        if !alive::is_alive(*api).await {
            summary.outcome = Outcome::Unreachable;
            return summary;
        }
    }
    let (notes, mut inbox) = mpsc::channel(MOST_NOTES);
    let mut working = JoinSet::new();
    let mut waiting = plan.actors.iter().enumerate();
    let mut next = waiting.next();
    let mut due = Instant::now();
    let gap = MINUTE / pace.per_minute.max(1);
    let mut hear = |note: &Note, summary: &mut Summary| {
        summary.count(note);
        if let Some(actor) = plan.actors.get(note.actor) {
            heard(actor, &note.what);
        }
    };
    let ended = loop {
        if working.is_empty() && next.is_none() {
            break None;
        }
        let may_start = next.is_some() && working.len() < pace.at_once.max(1);
        tokio::select! {
            Some(note) = inbox.recv() => {
                hear(&note, &mut summary);
                if summary.is_hopeless() {
                    break Some(Outcome::Unreachable);
                }
            }
            Some(_) = working.join_next() => {}
            () = sleep_until(due), if may_start => {
                if let Some((number, actor)) = next {
                    let source = actor.source;
                    let visitor = Visitor { actor: number, source, pace, notes: notes.clone() };
                    working.spawn(live(visitor, actor.clone()));
                }
                next = waiting.next();
                due = Instant::now() + gap;
            }
            () = shutdown.asked() => break Some(Outcome::Interrupted),
        }
    };
    working.shutdown().await;
    while let Ok(note) = inbox.try_recv() {
        hear(&note, &mut summary);
    }
    let total = summary.total;
    summary.outcome = match ended {
        Some(early) => early,
        None if total.connections == 0 && total.unreachable > 0 => Outcome::Unreachable,
        None if total.errors > 0 => Outcome::Partial,
        None => Outcome::Complete,
    };
    summary
}

async fn live(visitor: Visitor, actor: Actor) {
    visitor.tell(Happening::Began).await;
    let acting = async {
        for act in actor.acts {
            perform(visitor.clone(), act).await;
        }
    };
    if timeout(LIFE, acting).await.is_err() {
        visitor.failed(Fault::Late("the end of an actor")).await;
    }
    visitor.tell(Happening::Ended).await;
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use tokio::net::TcpListener;

    use super::*;
    use crate::plan::Act;

    const FAST: Pace = Pace { per_minute: 60_000, at_once: 2, speed: 1000.0 };

    fn plan(acts: Vec<Act>) -> Plan {
        let source = Ipv4Addr::new(127, 66, 7, 7);
        let actor = Actor { name: "caller-1".into(), source, acts };
        Plan { seed: 1, apis: Vec::new(), actors: vec![actor], skipped: Vec::new() }
    }

    fn door(address: SocketAddrV4) -> Door {
        Door { decky: "decky-01".into(), service: "ssh".into(), address }
    }

    #[tokio::test]
    async fn an_actor_comes_from_its_own_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let plan = plan(vec![Act::Knock(door(address)), Act::Pause(60_000)]);
        let shutdown = Shutdown::default();
        let running = run(&plan, FAST, &shutdown, |_, _| {});
        let seen = async { listener.accept().await.unwrap().1.ip().to_string() };
        let (summary, seen) = tokio::join!(running, seen);
        assert_eq!(seen, "127.66.7.7");
        assert_eq!((summary.outcome, summary.total.connections), (Outcome::Complete, 1));
        assert_eq!(summary.actors[0].counts, summary.total);
        assert_eq!(summary.actors[0].progress, Progress::Done);
    }

    #[tokio::test]
    async fn where_nothing_listens_the_run_ends_soon_and_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddrV4 = listener.local_addr().unwrap().to_string().parse().unwrap();
        drop(listener);
        let plan = plan((0..100).map(|_| Act::Knock(door(address))).collect());
        let summary = run(&plan, FAST, &Shutdown::default(), |_, _| {}).await;
        assert_eq!(summary.outcome, Outcome::Unreachable);
        assert!(summary.total.unreachable < 100, "not every door was tried");
    }

    #[tokio::test]
    async fn nobody_starts_where_no_decnet_runs() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddrV4 = listener.local_addr().unwrap().to_string().parse().unwrap();
        let gone = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let plan = Plan { apis: vec![gone], ..plan(vec![Act::Knock(door(address))]) };
        let summary = run(&plan, FAST, &Shutdown::default(), |_, _| {}).await;
        assert_eq!((summary.outcome, summary.total.connections), (Outcome::Unreachable, 0));
        assert_eq!(summary.actors[0].progress, Progress::Waiting);
    }

    #[tokio::test]
    async fn an_end_that_is_asked_for_comes_at_once() {
        let slow = Pace { speed: 0.001, ..FAST };
        let plan = plan(vec![Act::Pause(60_000)]);
        let shutdown = Shutdown::default();
        let began = |_: &Actor, what: &Happening| {
            if matches!(what, Happening::Began) {
                shutdown.ask();
            }
        };
        let summary = run(&plan, slow, &shutdown, began).await;
        assert_eq!(summary.outcome, Outcome::Interrupted);
        assert_eq!(summary.actors[0].progress, Progress::Started);
    }

    #[tokio::test]
    async fn no_connection_leaves_loopback() {
        let plan = plan(vec![Act::Knock(door("192.0.2.1:22".parse().unwrap()))]);
        let summary = run(&plan, FAST, &Shutdown::default(), |_, _| {}).await;
        assert_eq!((summary.total.connections, summary.total.unreachable), (0, 1));
    }
}
