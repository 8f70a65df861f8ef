//! `ps`.

mod column;
mod plan;

use std::collections::BTreeMap;

use base_model::Timestamp;

use self::column::Column;
use self::plan::{Plan, plan};
use crate::processes::{Process, started};
use crate::shell::proc::{Outcome, Proc};

/// What of the machine the columns need.
struct View {
    now: Timestamp,
    memory: u64,
    uids: BTreeMap<String, u32>,
}

impl View {
    fn uid(&self, user: &str) -> u32 {
        self.uids.get(user).copied().unwrap_or(0)
    }
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let plan = match plan(&proc.arguments()) {
        Ok(plan) => plan,
        Err(text) => {
            proc.err(format!("error: {text}\n\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n")).await;
            return Ok(1);
        }
    };
    let now = proc.io.now();
    let (mut table, view) = proc.host.with(|machine| {
        let table = machine.processes(now);
        let uid = |p: &Process| {
            let account = machine.accounts().by_name(&p.user);
            (p.user.clone(), account.map_or(0, |account| account.uid))
        };
        let uids = table.iter().map(uid).collect();
        (table, View { now, memory: machine.memory(now).total, uids })
    });
    let place = proc.tty();
    let mine = proc.user.name.clone();
    table.retain(|p| {
        if plan.pids.is_some() || plan.users.is_some() || plan.names.is_some() {
            return plan.pids.as_ref().is_some_and(|pids| pids.contains(&p.pid))
                || plan.users.as_ref().is_some_and(|users| users.contains(&p.user))
                || plan.names.as_ref().is_some_and(|names| names.iter().any(|n| n == p.name()));
        }
        match (plan.all, plan.everybody, plan.without_tty) {
            (true, ..) | (_, true, true) => true,
            (_, true, false) => p.tty != "?",
            (_, false, true) => p.user == mine,
            _ => p.tty == place && p.user == mine,
        }
    });
    if let Some((column, down)) = plan.sort {
        let key = |p: &Process| match column {
            Column::Cpu | Column::CpuWhole | Column::Time | Column::TimeLong => p.cpu_seconds,
            Column::Memory | Column::Rss => p.rss,
            Column::Vsz => p.vsz,
            Column::Start | Column::Elapsed => u64::try_from(p.started).unwrap_or(0),
            _ => u64::from(p.pid),
        };
        table.sort_by_key(key);
        if down {
            table.reverse();
        }
    }
    let rows = if plan.forest {
        forest(&table)
    } else {
        table.iter().map(|p| (p, String::new())).collect()
    };
    let mut out = String::new();
    if !plan.headless {
        out.push_str(&heads(&plan));
    }
    let width = if plan.wide || !proc.out_is_tty() { usize::MAX } else { proc.columns() };
    for (process, indent) in rows {
        let line = line(process, &indent, &plan, &view);
        let cut = line.char_indices().nth(width).map_or(line.len(), |(at, _)| at);
        out.push_str(line.get(..cut).unwrap_or(&line));
        out.push('\n');
    }
    let found = !out.trim_start_matches(&heads(&plan)).is_empty();
    proc.out(out).await?;
    Ok(u8::from(!found))
}

/// The style of `-f` names some columns in its own way.
fn is_full(plan: &Plan) -> bool {
    plan.columns.contains(&Column::CpuWhole) && plan.columns.contains(&Column::Command)
}

fn heads(plan: &Plan) -> String {
    let full = is_full(plan);
    let bsd = plan.columns.contains(&Column::Cpu) && plan.columns.contains(&Column::Time);
    let last = plan.columns.len().saturating_sub(1);
    let mut out = String::new();
    for (at, column) in plan.columns.iter().enumerate() {
        let (title, width, left) = column.head();
        let title = match column {
            Column::User if full => "UID",
            Column::Start if full => "STIME",
            Column::Command if full => "CMD",
            Column::Name if !bsd && plan.columns.len() == 4 => "CMD",
            _ => title,
        };
        if at > 0 {
            out.push(' ');
        }
        out.push_str(&cell(title, width, left, at == last));
    }
    out.push('\n');
    out
}

fn cell(text: &str, width: usize, left: bool, last: bool) -> String {
    match (left, last) {
        (true, true) => text.to_owned(),
        (true, false) => format!("{text:<width$}"),
        (false, _) => format!("{text:>width$}"),
    }
}

fn line(p: &Process, indent: &str, plan: &Plan, view: &View) -> String {
    let last = plan.columns.len().saturating_sub(1);
    let mut out = String::new();
    let elapsed = (view.now.seconds() - p.started).max(1);
    let cpu = p.cpu_seconds * 1000 / u64::try_from(elapsed).unwrap_or(1);
    let memory = p.rss * 1000 / view.memory.max(1);
    for (at, column) in plan.columns.iter().enumerate() {
        let (_, width, left) = column.head();
        let text = match column {
            Column::Pid => p.pid.to_string(),
            Column::Ppid => p.ppid.to_string(),
            Column::User if p.user.len() > 8 => format!("{}+", p.user.get(..7).unwrap_or_default()),
            Column::User => p.user.clone(),
            Column::Uid => view.uid(&p.user).to_string(),
            Column::Cpu => format!("{}.{}", cpu / 10, cpu % 10),
            Column::CpuWhole => (cpu / 10).to_string(),
            Column::Memory => format!("{}.{}", memory / 10, memory % 10),
            Column::Vsz => p.vsz.to_string(),
            Column::Rss => p.rss.to_string(),
            Column::Tty => p.tty.clone(),
            Column::State => p.state.to_owned(),
            Column::StateLetter => p.state.get(..1).unwrap_or_default().to_owned(),
            Column::Start => started(p.started, view.now),
            Column::Time => format!("{}:{:02}", p.cpu_seconds / 60, p.cpu_seconds % 60),
            Column::TimeLong => {
                let s = p.cpu_seconds;
                format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
            }
            Column::Elapsed => {
                let (days, hours) = (elapsed / 86_400, elapsed / 3600 % 24);
                let tail = format!("{:02}:{:02}", elapsed / 60 % 60, elapsed % 60);
                match (days, hours) {
                    (0, 0) => tail,
                    (0, _) => format!("{hours:02}:{tail}"),
                    _ => format!("{days}-{hours:02}:{tail}"),
                }
            }
            Column::Name => format!("{indent}{}", p.name()),
            Column::Command => format!("{indent}{}", p.command),
            Column::Nice => if p.state.contains('<') { "-20" } else { "0" }.to_owned(),
            Column::Priority => if p.state.contains('<') { "39" } else { "19" }.to_owned(),
        };
        if at > 0 {
            out.push(' ');
        }
        out.push_str(&cell(&text, width, left, at == last));
    }
    out
}

/// Children below their parents, drawn as branches.
fn forest(table: &[Process]) -> Vec<(&Process, String)> {
    let is_root = |p: &&Process| !table.iter().any(|other| other.pid == p.ppid);
    let mut out = Vec::new();
    let mut todo: Vec<(&Process, usize)> =
        table.iter().filter(is_root).map(|p| (p, 0)).rev().collect();
    while let Some((process, depth)) = todo.pop() {
        if out.len() > table.len() {
            break;
        }
        let branch =
            if depth == 0 { String::new() } else { format!("{} \\_ ", "    ".repeat(depth - 1)) };
        out.push((process, branch));
        let children = table.iter().filter(|p| p.ppid == process.pid && p.pid != process.pid);
        todo.extend(children.map(|p| (p, depth + 1)).rev());
    }
    out
}
