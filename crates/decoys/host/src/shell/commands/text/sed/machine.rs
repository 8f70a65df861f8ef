//! Runs a script over lines.

use std::collections::BTreeMap;

use super::input::{Input, list_line};
use super::script::{Command, Script, Verb};
use super::select::Range;
use super::substitute;
use crate::shell::commands::input::Lines;
use crate::shell::proc::{Proc, Source, Stop};
use crate::shell::regex::Regex;

/// Most that the pattern and hold space hold.
const MAX_SPACE: usize = 1024 * 1024;

/// Where the output goes.
pub(super) enum Output {
    Shown,
    /// Collected, to become the file.
    Kept(Vec<u8>),
}

/// After a command.
enum Step {
    Next,
    Jump(usize),
    /// Begins the next cycle, printing the pattern space if that is asked for.
    End(bool),
    /// As `End(false)`, without reading when something is left.
    Restart,
    Quit(u8, bool),
}

/// A script at work; ranges and the hold space live from file to file.
pub(super) struct Machine<'s> {
    pub(super) script: &'s Script,
    pub(super) quiet: bool,
    pub(super) end: u8,
    pub(super) ranges: Vec<Range>,
    pub(super) hold: Vec<u8>,
    pub(super) number: u64,
    /// What an empty expression means.
    pub(super) last: Option<&'s Regex>,
    pub(super) changed: bool,
    /// Text of `a` and `r`, for the end of the cycle.
    pub(super) after: Vec<u8>,
    pub(super) written: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) out: Output,
}

impl<'s> Machine<'s> {
    pub(super) fn new(script: &'s Script, quiet: bool, end: u8) -> Self {
        Self {
            script,
            quiet,
            end,
            ranges: vec![Range::Closed; script.commands.len()],
            hold: Vec::new(),
            number: 0,
            last: None,
            changed: false,
            after: Vec::new(),
            written: BTreeMap::new(),
            out: Output::Shown,
        }
    }

    /// Runs over `sources`; the status when the script quits, and what was collected.
    pub(super) async fn run(
        &mut self,
        proc: &Proc,
        sources: Vec<Source>,
        output: Output,
    ) -> Result<(Option<u8>, Output), Stop> {
        self.out = output;
        if matches!(self.out, Output::Kept(_)) {
            self.number = 0;
        }
        let sources = sources.into_iter().map(|s| Lines::new(s).zero(self.end == 0)).collect();
        let mut input = Input::of(sources);
        let mut space = Space::default();
        let mut restart = false;
        let mut status = None;
        loop {
            if !restart {
                let Some(line) = input.next(proc, self.end).await else { break };
                self.number += 1;
                space.set(line, self.end);
            }
            self.changed = false;
            let step = self.cycle(proc, &mut space, &mut input).await?;
            restart = matches!(step, Step::Restart);
            let print = matches!(step, Step::End(true) | Step::Quit(_, true));
            if print && !self.quiet {
                self.line(proc, &space.text, space.ended).await?;
            }
            let after = std::mem::take(&mut self.after);
            self.emit(proc, &after).await?;
            if let Step::Quit(code, _) = step {
                status = Some(code);
                // A file that is edited keeps its rest.
                while matches!(self.out, Output::Kept(_)) {
                    let Some(line) = input.next(proc, self.end).await else { break };
                    self.emit(proc, &line).await?;
                }
                break;
            }
        }
        for (path, text) in std::mem::take(&mut self.written) {
            if let Err(errno) = proc.replace_file(&path, &text) {
                proc.complain_after("couldn't open file", &path, errno).await;
            }
        }
        Ok((status, std::mem::replace(&mut self.out, Output::Shown)))
    }

    async fn cycle(
        &mut self,
        proc: &Proc,
        space: &mut Space,
        input: &mut Input,
    ) -> Result<Step, Stop> {
        let script = self.script;
        let mut at = 0;
        while let Some(command) = script.commands.get(at) {
            proc.io.tick().await;
            let here = at;
            at += 1;
            if !self.selected(proc, here, command, space, input).await {
                if let Verb::Block(end) = command.verb {
                    at = end;
                }
                continue;
            }
            match self.obey(proc, here, command, space, input).await? {
                Step::Next => {}
                Step::Jump(to) => at = to,
                step => return Ok(step),
            }
        }
        Ok(Step::End(true))
    }

    async fn obey(
        &mut self,
        proc: &Proc,
        at: usize,
        command: &'s Command,
        space: &mut Space,
        input: &mut Input,
    ) -> Result<Step, Stop> {
        match &command.verb {
            Verb::Block(_) | Verb::EndBlock | Verb::Label => {}
            Verb::Append(text) => self.after.extend_from_slice(text),
            Verb::Insert(text) => self.emit(proc, text).await?,
            Verb::Change(text) => {
                let within = self.ranges.get(at).is_some_and(|range| *range != Range::Closed);
                if command.to.is_none() || command.negated || !within {
                    self.emit(proc, text).await?;
                }
                return Ok(Step::End(false));
            }
            Verb::Branch(to) => return Ok(to.map_or(Step::End(true), Step::Jump)),
            Verb::BranchIf(to) => {
                if std::mem::take(&mut self.changed) {
                    return Ok(to.map_or(Step::End(true), Step::Jump));
                }
            }
            Verb::BranchUnless(to) => {
                if !std::mem::take(&mut self.changed) {
                    return Ok(to.map_or(Step::End(true), Step::Jump));
                }
            }
            Verb::Delete => return Ok(Step::End(false)),
            Verb::DeleteFirst => {
                let Some(newline) = space.text.iter().position(|&b| b == b'\n') else {
                    return Ok(Step::End(false));
                };
                space.text.drain(..=newline);
                return Ok(Step::Restart);
            }
            Verb::HoldCopy => self.hold.clone_from(&space.text),
            Verb::HoldAppend => add(&mut self.hold, &space.text),
            Verb::HoldGet => space.text.clone_from(&self.hold),
            Verb::HoldGetAppend => add(&mut space.text, &self.hold),
            Verb::HoldSwap => std::mem::swap(&mut self.hold, &mut space.text),
            Verb::List => {
                let text = list_line(&space.text);
                self.emit(proc, &text).await?;
            }
            Verb::Next | Verb::NextAppend => {
                let append = matches!(command.verb, Verb::NextAppend);
                if !append && !self.quiet && !input.is_last(proc, self.end).await {
                    self.line(proc, &space.text, space.ended).await?;
                }
                let after = std::mem::take(&mut self.after);
                self.emit(proc, &after).await?;
                let Some(line) = input.next(proc, self.end).await else {
                    return Ok(Step::Quit(0, true));
                };
                self.number += 1;
                if append {
                    let before = std::mem::take(&mut space.text);
                    space.set(line, self.end);
                    let read = std::mem::replace(&mut space.text, before);
                    add(&mut space.text, &read);
                } else {
                    space.set(line, self.end);
                }
            }
            Verb::Print => self.line(proc, &space.text, true).await?,
            Verb::PrintFirst => {
                let first = space.text.split(|&b| b == b'\n').next().unwrap_or_default();
                self.line(proc, first, true).await?;
            }
            Verb::Quit(code) => return Ok(Step::Quit(*code, true)),
            Verb::QuitSilently(code) => return Ok(Step::Quit(*code, false)),
            Verb::Read(path) => {
                if let Ok(text) = proc.slurp(path).await {
                    self.after.extend(text);
                }
            }
            Verb::Write(path) => {
                let text = [&space.text[..], b"\n"].concat();
                self.write_to(proc, path, &text).await?;
            }
            Verb::Number => {
                let text = format!("{}\n", self.number);
                self.emit(proc, text.as_bytes()).await?;
            }
            Verb::Substitute(substitute) => {
                let Some(regex) = substitute.regex.as_ref().or(self.last) else {
                    proc.say_err("no previous regular expression").await;
                    return Err(Stop::Status(1));
                };
                self.last = Some(regex);
                if let Some(text) = substitute::apply(proc, substitute, regex, &space.text).await {
                    space.text = text;
                    self.changed = true;
                    if substitute.print {
                        self.line(proc, &space.text, true).await?;
                    }
                    if let Some(path) = &substitute.write {
                        let text = [&space.text[..], b"\n"].concat();
                        self.write_to(proc, path, &text).await?;
                    }
                }
            }
            Verb::Translate(table) => {
                for byte in &mut space.text {
                    *byte = table.get(usize::from(*byte)).copied().unwrap_or(*byte);
                }
            }
            Verb::Clear => space.text.clear(),
            Verb::FileName => self.emit(proc, b"-\n").await?,
        }
        Ok(Step::Next)
    }

    async fn write_to(&mut self, proc: &Proc, path: &[u8], text: &[u8]) -> Result<(), Stop> {
        match path {
            b"/dev/stdout" => proc.out(text).await,
            b"/dev/stderr" => {
                proc.err(text).await;
                Ok(())
            }
            _ => {
                if self.written.len() < 64 || self.written.contains_key(path) {
                    let kept = self.written.entry(path.to_vec()).or_default();
                    if kept.len() < MAX_SPACE * 4 {
                        kept.extend_from_slice(text);
                    }
                }
                Ok(())
            }
        }
    }

    /// Writes a line; the last one lacks its end if the file's does.
    async fn line(&mut self, proc: &Proc, text: &[u8], ended: bool) -> Result<(), Stop> {
        let end: &[u8] = if ended { &[self.end] } else { b"" };
        let line = [text, end].concat();
        self.emit(proc, &line).await
    }

    async fn emit(&mut self, proc: &Proc, text: &[u8]) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        match &mut self.out {
            Output::Shown => proc.out(text).await,
            Output::Kept(kept) => {
                if kept.len() < crate::shell::limits::SLURP {
                    kept.extend_from_slice(text);
                }
                Ok(())
            }
        }
    }
}

/// The pattern space.
#[derive(Default)]
pub(super) struct Space {
    pub(super) text: Vec<u8>,
    ended: bool,
}

impl Space {
    fn set(&mut self, mut line: Vec<u8>, end: u8) {
        self.ended = line.last() == Some(&end);
        if self.ended {
            line.pop();
        }
        self.text = line;
    }
}

fn add(to: &mut Vec<u8>, text: &[u8]) {
    if to.len() + text.len() < MAX_SPACE {
        to.push(b'\n');
        to.extend_from_slice(text);
    }
}
