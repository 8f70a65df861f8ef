//! Runs a program: variables, input and output, statements.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Pattern, Program, RedirectKind, Statement, Variable};
use super::input::Records;
use super::record::{Record, Splitter};
use super::value::Value;
use crate::shell::io::Boxed;
use crate::shell::proc::{Proc, Stop};
use crate::shell::regex::Regex;

/// Calls inside calls.
const MAX_CALLS: usize = 24;
/// Files and commands open at once.
pub(super) const MAX_STREAMS: usize = 64;

pub(super) type Array = BTreeMap<Vec<u8>, Value>;

/// Places of the variables every program has.
pub(super) mod known {
    pub(in crate::shell::commands::text::awk) const NF: usize = 0;
    pub(in crate::shell::commands::text::awk) const NR: usize = 1;
    pub(in crate::shell::commands::text::awk) const FNR: usize = 2;
    pub(in crate::shell::commands::text::awk) const FS: usize = 3;
    pub(in crate::shell::commands::text::awk) const OFS: usize = 4;
    pub(in crate::shell::commands::text::awk) const ORS: usize = 5;
    pub(in crate::shell::commands::text::awk) const RS: usize = 6;
    pub(in crate::shell::commands::text::awk) const FILENAME: usize = 7;
    pub(in crate::shell::commands::text::awk) const SUBSEP: usize = 8;
    pub(in crate::shell::commands::text::awk) const RSTART: usize = 9;
    pub(in crate::shell::commands::text::awk) const RLENGTH: usize = 10;
    pub(in crate::shell::commands::text::awk) const CONVFMT: usize = 11;
    pub(in crate::shell::commands::text::awk) const OFMT: usize = 12;
    pub(in crate::shell::commands::text::awk) const ENVIRON: usize = 13;
    pub(in crate::shell::commands::text::awk) const ARGC: usize = 14;
    pub(in crate::shell::commands::text::awk) const ARGV: usize = 15;
}

/// A variable: a value or an array.
#[derive(Clone, Default)]
pub(super) struct Slot {
    pub(super) value: Option<Value>,
    /// Arrays are shared with the functions they are given to.
    pub(super) array: Option<usize>,
}

/// Why running stops.
pub(super) enum Halt {
    Next,
    Break,
    Continue,
    Return(Value),
    Exit,
    Stop(Stop),
    /// A mistake of the program, told in mawk's words.
    Wrong(String),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

pub(super) type Run<T> = Result<T, Halt>;

pub(super) struct Machine<'p> {
    pub(super) program: &'p Program,
    pub(super) proc: Proc,
    pub(super) globals: Vec<Slot>,
    pub(super) frames: Vec<Vec<Slot>>,
    pub(super) arrays: Vec<Array>,
    pub(super) heap: usize,
    pub(super) record: Record,
    pub(super) splitter: Splitter,
    pub(super) main: Option<Records>,
    pub(super) next_argument: usize,
    /// Standard input was read when no file was named.
    pub(super) used_input: bool,
    pub(super) readers: BTreeMap<Vec<u8>, Records>,
    pub(super) writers: BTreeMap<Vec<u8>, (RedirectKind, Vec<u8>)>,
    pub(super) regexes: BTreeMap<Vec<u8>, Arc<Regex>>,
    pub(super) ranges: Vec<bool>,
    pub(super) status: u8,
    pub(super) seed: u64,
    pub(super) random: u64,
}

impl<'p> Machine<'p> {
    pub(super) fn new(program: &'p Program, proc: &Proc) -> Self {
        let mut machine = Self {
            program,
            proc: proc.clone(),
            globals: vec![Slot::default(); program.globals.len()],
            frames: Vec::new(),
            arrays: Vec::new(),
            heap: 0,
            record: Record::default(),
            splitter: Splitter::Blanks,
            main: None,
            next_argument: 1,
            used_input: false,
            readers: BTreeMap::new(),
            writers: BTreeMap::new(),
            regexes: BTreeMap::new(),
            ranges: vec![false; program.rules.len()],
            status: 0,
            seed: 0,
            random: 0,
        };
        for (slot, text) in [
            (known::FS, " "),
            (known::OFS, " "),
            (known::ORS, "\n"),
            (known::RS, "\n"),
            (known::SUBSEP, "\x1c"),
            (known::CONVFMT, "%.6g"),
            (known::OFMT, "%.6g"),
        ] {
            machine.set_global(slot, Value::text(text.as_bytes()));
        }
        for slot in [known::NR, known::FNR, known::RSTART, known::NF] {
            machine.set_global(slot, Value::Number(0.0));
        }
        machine.set_global(known::RLENGTH, Value::Number(-1.0));
        let environ = machine.array_of(Variable::Global(known::ENVIRON));
        for (name, value) in proc.env.clone() {
            machine.put(environ, name.into_bytes(), Value::input(&value));
        }
        let bytes = proc.host.with(|m| m.read_device(crate::fs::Device::Random, 8));
        machine.random = bytes.iter().fold(1, |n, b| n << 8 | u64::from(*b)) | 1;
        machine
    }

    /// Gives the program its operands.
    pub(super) fn set_arguments(&mut self, operands: &[Vec<u8>]) {
        let argv = self.array_of(Variable::Global(known::ARGV));
        self.put(argv, b"0".to_vec(), Value::text(&b"awk"[..]));
        for (at, operand) in operands.iter().enumerate() {
            self.put(argv, (at + 1).to_string().into_bytes(), Value::input(operand));
        }
        let count = u32::try_from(operands.len() + 1).unwrap_or(u32::MAX);
        self.set_global(known::ARGC, Value::Number(f64::from(count)));
    }

    /// Runs all of the program; its status.
    pub(super) async fn run(&mut self) -> Result<u8, Halt> {
        let program = self.program;
        let mut exits = false;
        for block in &program.begin {
            match self.block(block).await {
                Ok(()) | Err(Halt::Next) => {}
                Err(Halt::Exit) => {
                    exits = true;
                    break;
                }
                Err(halt) => return self.ended(halt).await,
            }
        }
        if !exits && (!program.rules.is_empty() || !program.end.is_empty()) {
            while let Some(record) = self.next_record().await? {
                self.count_record();
                self.record.set(record);
                match self.rules().await {
                    Ok(()) | Err(Halt::Next) => {}
                    Err(Halt::Exit) => {
                        exits = true;
                        break;
                    }
                    Err(halt) => return self.ended(halt).await,
                }
            }
        }
        let _ = exits;
        for block in &program.end {
            match self.block(block).await {
                Ok(()) | Err(Halt::Next) => {}
                Err(Halt::Exit) => break,
                Err(halt) => return self.ended(halt).await,
            }
        }
        self.close_all().await?;
        Ok(self.status)
    }

    async fn ended(&mut self, halt: Halt) -> Result<u8, Halt> {
        self.close_all().await?;
        match halt {
            Halt::Exit => Ok(self.status),
            halt => Err(halt),
        }
    }

    async fn rules(&mut self) -> Run<()> {
        let program = self.program;
        for (at, rule) in program.rules.iter().enumerate() {
            let hit = match &rule.pattern {
                Pattern::Always => true,
                Pattern::When(expression) => self.eval(expression).await?.is_true(),
                Pattern::Range(from, to) => {
                    let open = self.ranges.get(at).copied().unwrap_or(false);
                    let inside = open || self.eval(from).await?.is_true();
                    if inside {
                        let ends = self.eval(to).await?.is_true();
                        if let Some(slot) = self.ranges.get_mut(at) {
                            *slot = !ends;
                        }
                    }
                    inside
                }
            };
            if !hit {
                continue;
            }
            match &rule.action {
                Some(body) => self.block(body).await?,
                None => {
                    let line = self.whole_record();
                    self.print_line(&line, None).await?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn block<'a>(&'a mut self, body: &'a [Statement]) -> Boxed<'a, Run<()>> {
        Box::pin(async move {
            for statement in body {
                self.proc.io.tick().await;
                self.statement(statement).await?;
            }
            Ok(())
        })
    }

    async fn statement(&mut self, statement: &Statement) -> Run<()> {
        match statement {
            Statement::Expression(expression) => drop(self.eval(expression).await?),
            Statement::Print(values, redirect) => {
                let mut line = Vec::new();
                if values.is_empty() {
                    line = self.whole_record();
                } else {
                    let ofs = self.global(known::OFS).bytes(b"%.6g");
                    let format = self.global(known::OFMT).bytes(b"%.6g");
                    for (at, value) in values.iter().enumerate() {
                        if at > 0 {
                            line.extend_from_slice(&ofs);
                        }
                        let value = self.eval(value).await?;
                        line.extend_from_slice(&value.bytes(&format));
                    }
                }
                self.print_line(&line, redirect.as_ref()).await?;
            }
            Statement::Printf(values, redirect) => {
                let mut evaluated = Vec::new();
                for value in values {
                    evaluated.push(self.eval(value).await?);
                }
                let convert = self.global(known::CONVFMT).bytes(b"%.6g");
                if let Some((format, values)) = evaluated.split_first() {
                    let shape = format.bytes(&convert);
                    super::format::check(&shape, values.len(), "printf").map_err(Halt::Wrong)?;
                    let text = super::format::format(&format.bytes(&convert), values, &convert);
                    self.write(text, redirect.as_ref()).await?;
                }
            }
            Statement::If(condition, then, otherwise) => {
                let branch = if self.eval(condition).await?.is_true() { then } else { otherwise };
                self.block(branch).await?;
            }
            Statement::While(condition, body) => {
                while self.eval(condition).await?.is_true() {
                    self.proc.io.tick().await;
                    if self.turn(body).await? {
                        break;
                    }
                }
            }
            Statement::Do(body, condition) => loop {
                self.proc.io.tick().await;
                if self.turn(body).await? || !self.eval(condition).await?.is_true() {
                    break;
                }
            },
            Statement::For(start, condition, step, body) => {
                self.block(start).await?;
                loop {
                    self.proc.io.tick().await;
                    let goes_on = match condition {
                        Some(condition) => self.eval(condition).await?.is_true(),
                        None => true,
                    };
                    if !goes_on || self.turn(body).await? {
                        break;
                    }
                    self.block(step).await?;
                }
            }
            Statement::ForIn(variable, array, body) => {
                let array = self.array_of(*array);
                let entries = self.arrays.get(array);
                let keys: Vec<Vec<u8>> =
                    entries.map(|array| array.keys().cloned().collect()).unwrap_or_default();
                for key in keys {
                    self.set_variable(*variable, Value::input(&key));
                    if self.turn(body).await? {
                        break;
                    }
                }
            }
            Statement::Delete(array, subscripts) => {
                let at = self.array_of(*array);
                if subscripts.is_empty() {
                    if let Some(array) = self.arrays.get_mut(at) {
                        array.clear();
                    }
                } else {
                    let key = self.key(subscripts).await?;
                    if let Some(array) = self.arrays.get_mut(at) {
                        array.remove(&key);
                    }
                }
            }
            Statement::Next => return Err(Halt::Next),
            Statement::Exit(value) => {
                if let Some(value) = value {
                    let code = self.eval(value).await?.number();
                    self.status = super::format::clamp(code.rem_euclid(256.0)).to_le_bytes()[0];
                }
                return Err(Halt::Exit);
            }
            Statement::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(value).await?,
                    None => Value::Nothing,
                };
                return Err(Halt::Return(value));
            }
            Statement::Break => return Err(Halt::Break),
            Statement::Continue => return Err(Halt::Continue),
        }
        Ok(())
    }

    /// One turn of a loop; true when it ends the loop.
    async fn turn(&mut self, body: &[Statement]) -> Run<bool> {
        match self.block(body).await {
            Ok(()) | Err(Halt::Continue) => Ok(false),
            Err(Halt::Break) => Ok(true),
            Err(halt) => Err(halt),
        }
    }

    /// Where the input stands, as told with a mistake.
    pub(super) fn place(&self) -> String {
        let text = |slot| String::from_utf8_lossy(&self.global(slot).bytes(b"%.6g")).into_owned();
        format!(
            "\tFILENAME=\"{}\" FNR={} NR={}\n",
            text(known::FILENAME),
            text(known::FNR),
            text(known::NR)
        )
    }

    pub(super) fn may_call(&self) -> bool {
        self.frames.len() < MAX_CALLS
    }

    pub(super) fn may_open(&self) -> bool {
        self.readers.len() < MAX_STREAMS
    }
}

/// `name=value` as an operand.
pub(super) fn assignment(operand: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = operand.iter().position(|&b| b == b'=')?;
    let name = std::str::from_utf8(operand.get(..at)?).ok()?;
    let good = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    good.then(|| (name.to_owned(), operand.get(at + 1..).unwrap_or_default().to_vec()))
}
