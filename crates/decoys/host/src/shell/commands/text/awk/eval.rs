//! Values of expressions.

use std::cmp::Ordering;

use super::ast::{Argument, Binary, Expression, Place, Source, Variable};
use super::input::Records;
use super::machine::{Halt, Machine, Run, Slot, known};
use super::value::Value;
use crate::shell::fd::Fd;
use crate::shell::interp::{Dialect, Interp};
use crate::shell::io::Boxed;
use crate::shell::limits;

impl Machine<'_> {
    pub(super) fn eval<'a>(&'a mut self, expression: &'a Expression) -> Boxed<'a, Run<Value>> {
        Box::pin(async move {
            match expression {
                Expression::Number(number) => Ok(Value::Number(*number)),
                Expression::Text(text) => Ok(Value::Text(text.clone())),
                Expression::Group(inner) => self.eval(inner).await,
                Expression::Regex(regex) => {
                    let record = self.whole_record();
                    self.proc.io.spend(1 + record.len() / 512);
                    Ok(Value::truth(regex.is_match(&record)))
                }
                Expression::Read(place) => self.read(place).await,
                Expression::Assign(place, operator, value) => {
                    let value = match operator {
                        None => self.eval(value).await?,
                        Some(operator) => {
                            let left = self.read(place).await?;
                            let right = self.eval(value).await?;
                            self.binary(*operator, &left, &right)?
                        }
                    };
                    self.assign(place, value.clone()).await?;
                    Ok(value)
                }
                Expression::Step(place, step, before) => {
                    let old = self.read(place).await?.number();
                    self.assign(place, Value::Number(old + step)).await?;
                    Ok(Value::Number(if *before { old } else { old + step }))
                }
                Expression::Binary(operator, left, right) => {
                    let left = self.eval(left).await?;
                    let right = self.eval(right).await?;
                    self.binary(*operator, &left, &right)
                }
                Expression::And(left, right) => {
                    let answer =
                        self.eval(left).await?.is_true() && self.eval(right).await?.is_true();
                    Ok(Value::truth(answer))
                }
                Expression::Or(left, right) => {
                    let answer =
                        self.eval(left).await?.is_true() || self.eval(right).await?.is_true();
                    Ok(Value::truth(answer))
                }
                Expression::Not(inner) => Ok(Value::truth(!self.eval(inner).await?.is_true())),
                Expression::Negate(inner) => Ok(Value::Number(-self.eval(inner).await?.number())),
                Expression::Plus(inner) => Ok(Value::Number(self.eval(inner).await?.number())),
                Expression::Match(wanted, text, pattern) => {
                    let text = self.eval(text).await?;
                    let text = text.bytes(&self.convert());
                    let regex = self.pattern(pattern).await?;
                    self.proc.io.spend(1 + text.len() / 512);
                    Ok(Value::truth(regex.is_match(&text) == *wanted))
                }
                Expression::In(subscripts, array) => {
                    if *array == Variable::Local(usize::MAX) {
                        return Err(Halt::Wrong("syntax error at or near ,".to_owned()));
                    }
                    let key = self.key(subscripts).await?;
                    let array = self.array_of(*array);
                    let has = self.arrays.get(array).is_some_and(|array| array.contains_key(&key));
                    Ok(Value::truth(has))
                }
                Expression::Choice(condition, yes, no) => {
                    let branch = if self.eval(condition).await?.is_true() { yes } else { no };
                    self.eval(branch).await
                }
                Expression::Call(function, arguments) => self.call(*function, arguments).await,
                Expression::Builtin(builtin, arguments) => self.builtin(*builtin, arguments).await,
                Expression::Getline(source, place) => self.getline(source, place.as_ref()).await,
            }
        })
    }

    pub(super) fn convert(&self) -> std::sync::Arc<[u8]> {
        self.global(known::CONVFMT).bytes(b"%.6g")
    }

    /// The expression as a pattern: a literal one, or text that is compiled.
    pub(super) async fn pattern(
        &mut self,
        expression: &Expression,
    ) -> Run<std::sync::Arc<crate::shell::regex::Regex>> {
        if let Expression::Regex(regex) = expression {
            return Ok(regex.clone());
        }
        let value = self.eval(expression).await?;
        let source = value.bytes(&self.convert());
        self.regex(&source)
    }

    async fn read(&mut self, place: &Place) -> Run<Value> {
        match place {
            Place::Variable(variable) => Ok(self.get_variable(*variable)),
            Place::Field(number) => {
                let number = self.eval(number).await?.number();
                if number < 0.0 {
                    return Err(Halt::Wrong(format!("negative field index ${number}")));
                }
                let number = super::format::clamp(number);
                if number == 0 {
                    return Ok(Value::input(&self.whole_record()));
                }
                Ok(self.record.field(number, &self.splitter))
            }
            Place::Element(array, subscripts) => {
                let key = self.key(subscripts).await?;
                let array = self.array_of(*array);
                match self.arrays.get(array).and_then(|array| array.get(&key)) {
                    Some(value) => Ok(value.clone()),
                    None => {
                        // Looking makes an element.
                        self.put(array, key, Value::Nothing);
                        Ok(Value::Nothing)
                    }
                }
            }
        }
    }

    pub(super) async fn assign(&mut self, place: &Place, value: Value) -> Run<()> {
        match place {
            Place::Variable(variable) => self.set_variable(*variable, value),
            Place::Field(number) => {
                let number = super::format::clamp(self.eval(number).await?.number());
                if number == 0 {
                    let text = value.bytes(&self.convert()).to_vec();
                    self.record.set(text);
                } else {
                    self.record.set_field(number, value, &self.splitter);
                }
            }
            Place::Element(array, subscripts) => {
                let key = self.key(subscripts).await?;
                let array = self.array_of(*array);
                self.put(array, key, value);
            }
        }
        Ok(())
    }

    fn binary(&self, operator: Binary, left: &Value, right: &Value) -> Run<Value> {
        let numbers = || (left.number(), right.number());
        let compare = |wanted: fn(Ordering) -> bool| {
            let convert = self.convert();
            Ok(Value::truth(wanted(left.compare(right, &convert))))
        };
        match operator {
            Binary::Add => Ok(Value::Number(numbers().0 + numbers().1)),
            Binary::Subtract => Ok(Value::Number(numbers().0 - numbers().1)),
            Binary::Multiply => Ok(Value::Number(numbers().0 * numbers().1)),
            Binary::Divide => {
                let (left, right) = numbers();
                Ok(Value::Number(left / right))
            }
            Binary::Modulo => {
                let (left, right) = numbers();
                Ok(Value::Number(left % right))
            }
            Binary::Power => Ok(Value::Number(numbers().0.powf(numbers().1))),
            Binary::Concat => {
                let convert = self.convert();
                let (left, right) = (left.bytes(&convert), right.bytes(&convert));
                if left.len() + right.len() > limits::VALUE * 4 {
                    self.proc.io.lock().killed = true;
                    return Ok(Value::Nothing);
                }
                self.proc.io.spend((left.len() + right.len()) / 1024);
                Ok(Value::text([&left[..], &right[..]].concat()))
            }
            Binary::Less => compare(Ordering::is_lt),
            Binary::LessEqual => compare(Ordering::is_le),
            Binary::Equal => compare(Ordering::is_eq),
            Binary::NotEqual => compare(Ordering::is_ne),
            Binary::Greater => compare(Ordering::is_gt),
            Binary::GreaterEqual => compare(Ordering::is_ge),
        }
    }

    async fn call(&mut self, function: usize, arguments: &[Argument]) -> Run<Value> {
        let program = self.program;
        let Some(function) = program.functions.get(function) else { return Ok(Value::Nothing) };
        if arguments.len() > function.parameters {
            let text = format!("{} called with too many arguments", function.name);
            return Err(Halt::Wrong(text));
        }
        if !self.may_call() {
            return Err(Halt::Wrong("function call nesting too deep".to_owned()));
        }
        let mut frame = Vec::new();
        for argument in arguments {
            frame.push(match argument {
                Argument::Name(variable) => {
                    let value = self.get_variable(*variable);
                    // What is no value yet may become an array.
                    let array = matches!(value, Value::Nothing).then(|| self.array_of(*variable));
                    Slot { value: Some(value), array }
                }
                Argument::Value(value) => {
                    Slot { value: Some(self.eval(value).await?), array: None }
                }
            });
        }
        frame.resize_with(function.parameters, Slot::default);
        self.frames.push(frame);
        let run = self.block(&function.body).await;
        self.frames.pop();
        match run {
            Ok(()) => Ok(Value::Nothing),
            Err(Halt::Return(value)) => Ok(value),
            Err(halt) => Err(halt),
        }
    }

    async fn getline(&mut self, source: &Source, place: Option<&Place>) -> Run<Value> {
        let record = match source {
            Source::Main => {
                let record = self.next_record().await?;
                if record.is_some() {
                    for slot in [known::NR, known::FNR] {
                        let number = self.global(slot).number() + 1.0;
                        self.set_global(slot, Value::Number(number));
                    }
                }
                record
            }
            Source::File(name) | Source::Command(name) => {
                let name = self.eval(name).await?.bytes(&self.convert()).to_vec();
                if !self.readers.contains_key(&name) {
                    if !self.may_open() {
                        return Ok(Value::Number(-1.0));
                    }
                    let records = if matches!(source, Source::Command(_)) {
                        let (_, text) = self.command(&name, None, true).await?;
                        Records::text(text)
                    } else {
                        match self.proc.source(&name) {
                            Ok(source) => Records::of(source),
                            Err(_) => return Ok(Value::Number(-1.0)),
                        }
                    };
                    self.readers.insert(name.clone(), records);
                }
                let end = self.record_end();
                let proc = self.proc.clone();
                let record = match self.readers.get_mut(&name) {
                    Some(records) => records.next(&proc, end).await,
                    None => None,
                };
                if record.is_some() && matches!(source, Source::Command(_)) {
                    let number = self.global(known::NR).number() + 1.0;
                    self.set_global(known::NR, Value::Number(number));
                }
                record
            }
        };
        let Some(record) = record else { return Ok(Value::Number(0.0)) };
        match place {
            Some(place) => self.assign(place, Value::input(&record)).await?,
            None => self.record.set(record),
        }
        Ok(Value::Number(1.0))
    }

    /// Runs a command line with `sh`: its status, and its output when that is wanted.
    pub(super) async fn command(
        &mut self,
        line: &[u8],
        input: Option<Vec<u8>>,
        capture: bool,
    ) -> Run<(u8, Vec<u8>)> {
        let mut inner = self.proc.clone();
        inner.depth += 1;
        if inner.depth >= limits::DEPTH || !inner.io.may_start() {
            return Ok((137, Vec::new()));
        }
        let buffer = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        if capture {
            inner.fds.insert(1, Fd::Capture(buffer.clone()));
        }
        if let Some(input) = input {
            let text = std::collections::VecDeque::from(input);
            inner.fds.insert(0, Fd::Text(std::sync::Arc::new(std::sync::Mutex::new(text))));
        }
        let mut shell = Interp::new(inner, b"sh", Dialect::Dash);
        let _ = Box::pin(shell.run_source(line)).await;
        let status = shell.status;
        drop(shell);
        let text =
            std::mem::take(&mut *buffer.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        Ok((status, text))
    }
}
