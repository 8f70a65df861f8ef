//! Functions every program has.

use super::ast::{Argument, Builtin, Expression, Place};
use super::machine::{Halt, Machine, Run, known};
use super::record::Splitter;
use super::value::Value;
use crate::clock;
use crate::shell::limits;

impl Machine<'_> {
    async fn argument(&mut self, arguments: &[Argument], at: usize) -> Run<Option<Value>> {
        Ok(match arguments.get(at) {
            None => None,
            Some(Argument::Name(variable)) => Some(self.get_variable(*variable)),
            Some(Argument::Value(value)) => Some(self.eval(value).await?),
        })
    }

    async fn text(&mut self, arguments: &[Argument], at: usize) -> Run<Vec<u8>> {
        let convert = self.convert();
        let value = self.argument(arguments, at).await?;
        Ok(value.map(|value| value.bytes(&convert).to_vec()).unwrap_or_default())
    }

    async fn number(&mut self, arguments: &[Argument], at: usize) -> Run<f64> {
        Ok(self.argument(arguments, at).await?.map_or(0.0, |value| value.number()))
    }

    pub(super) async fn builtin(&mut self, builtin: Builtin, arguments: &[Argument]) -> Run<Value> {
        let number = |number: f64| Ok(Value::Number(number));
        let count =
            |count: usize| Ok(Value::Number(f64::from(u32::try_from(count).unwrap_or(u32::MAX))));
        match builtin {
            Builtin::Length => match arguments.first() {
                None => count(self.whole_record().len()),
                Some(Argument::Name(variable))
                    if matches!(self.get_variable(*variable), Value::Nothing) =>
                {
                    let array = self.array_of(*variable);
                    count(self.arrays.get(array).map_or(0, |array| array.len()))
                }
                Some(_) => {
                    let text = self.text(arguments, 0).await?;
                    count(text.len())
                }
            },
            Builtin::Substr => {
                let text = self.text(arguments, 0).await?;
                // mawk takes place 0 for the first.
                let from = match self.number(arguments, 1).await?.round() {
                    0.0 => 1.0,
                    from => from,
                };
                let length = match self.argument(arguments, 2).await? {
                    Some(length) => length.number().round(),
                    None => f64::INFINITY,
                };
                let start = super::format::clamp(from - 1.0).min(text.len());
                let end = super::format::clamp(from - 1.0 + length).min(text.len());
                Ok(Value::text(text.get(start..end.max(start)).unwrap_or_default()))
            }
            Builtin::Index => {
                let text = self.text(arguments, 0).await?;
                let part = self.text(arguments, 1).await?;
                if part.is_empty() {
                    return number(1.0);
                }
                count(text.windows(part.len()).position(|w| w == part).map_or(0, |at| at + 1))
            }
            Builtin::Split => self.split(arguments).await,
            Builtin::Sub | Builtin::Gsub => self.replace(arguments, builtin == Builtin::Gsub).await,
            Builtin::Match => {
                let text = self.text(arguments, 0).await?;
                let regex = match arguments.get(1) {
                    Some(Argument::Value(expression)) => self.pattern(expression).await?,
                    _ => {
                        let source = self.text(arguments, 1).await?;
                        self.regex(&source)?
                    }
                };
                self.proc.io.spend(1 + text.len() / 512);
                let found = regex.find_at(&text, 0);
                let place = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
                let start = found.map_or(0.0, |(from, _)| place(from + 1));
                let length = found.map_or(-1.0, |(from, to)| place(to - from));
                self.set_global(known::RSTART, Value::Number(start));
                self.set_global(known::RLENGTH, Value::Number(length));
                number(start)
            }
            Builtin::Sprintf => {
                let format = self.text(arguments, 0).await?;
                let mut values = Vec::new();
                for at in 1..arguments.len() {
                    values.extend(self.argument(arguments, at).await?);
                }
                super::format::check(&format, values.len(), "sprintf").map_err(Halt::Wrong)?;
                let convert = self.convert();
                Ok(Value::text(super::format::format(&format, &values, &convert)))
            }
            Builtin::Sin => number(self.number(arguments, 0).await?.sin()),
            Builtin::Cos => number(self.number(arguments, 0).await?.cos()),
            Builtin::Atan2 => {
                let y = self.number(arguments, 0).await?;
                number(y.atan2(self.number(arguments, 1).await?))
            }
            Builtin::Exp => number(self.number(arguments, 0).await?.exp()),
            Builtin::Log => number(self.number(arguments, 0).await?.ln()),
            Builtin::Sqrt => number(self.number(arguments, 0).await?.sqrt()),
            Builtin::Int => number(self.number(arguments, 0).await?.trunc()),
            Builtin::Rand => {
                // xorshift64*: nothing secret depends on it.
                let mut x = self.random;
                x ^= x >> 12;
                x ^= x << 25;
                x ^= x >> 27;
                self.random = x;
                let bits = x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
                number(f64::from(u32::try_from(bits).unwrap_or(0)) / 4_294_967_296.0)
            }
            Builtin::Srand => {
                let old = self.seed;
                let seed = match self.argument(arguments, 0).await? {
                    Some(seed) => seed.number(),
                    None => f64::from(i32::try_from(self.proc.io.now().seconds()).unwrap_or(0)),
                };
                self.seed = super::format::clamp(seed) as u64;
                self.random = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                number(f64::from(u32::try_from(old).unwrap_or(u32::MAX)))
            }
            Builtin::ToLower => {
                Ok(Value::text(self.text(arguments, 0).await?.to_ascii_lowercase()))
            }
            Builtin::ToUpper => {
                Ok(Value::text(self.text(arguments, 0).await?.to_ascii_uppercase()))
            }
            Builtin::System => {
                let line = self.text(arguments, 0).await?;
                let (status, _) = self.command(&line, None, false).await?;
                number(f64::from(status))
            }
            Builtin::Close => {
                let name = self.text(arguments, 0).await?;
                number(self.close(&name).await?)
            }
            Builtin::Fflush => number(0.0),
            Builtin::Systime => {
                number(f64::from(u32::try_from(self.proc.io.now().seconds()).unwrap_or(0)))
            }
            Builtin::Strftime => {
                let format = match self.argument(arguments, 0).await? {
                    Some(format) => String::from_utf8_lossy(&format.bytes(b"%.6g")).into_owned(),
                    None => "%c".to_owned(),
                };
                let at = match self.argument(arguments, 1).await? {
                    Some(seconds) => {
                        let seconds = i64::try_from(super::format::clamp(seconds.number()));
                        base_model::Timestamp::from_micros(
                            seconds.unwrap_or(0).saturating_mul(1_000_000),
                        )
                    }
                    None => self.proc.io.now(),
                };
                Ok(Value::text(clock::format(at, &format).into_bytes()))
            }
        }
    }

    async fn split(&mut self, arguments: &[Argument]) -> Run<Value> {
        let text = self.text(arguments, 0).await?;
        let Some(Argument::Name(array)) = arguments.get(1) else {
            return Err(Halt::Wrong("type error in arg(2) in call to split".to_owned()));
        };
        let array = self.array_of(*array);
        let splitter = match arguments.get(2) {
            None => {
                let fs = self.global(known::FS).bytes(b"%.6g");
                self.splitter_of(&fs)
            }
            Some(Argument::Value(expression @ Expression::Regex(_))) => {
                Splitter::Regex(self.pattern(expression).await?)
            }
            Some(_) => {
                let fs = self.text(arguments, 2).await?;
                self.splitter_of(&fs)
            }
        };
        let parts = splitter.split(&text);
        self.proc.io.spend(1 + parts.len() / 16);
        if let Some(entries) = self.arrays.get_mut(array) {
            entries.clear();
        }
        let count = parts.len();
        for (at, part) in parts.into_iter().enumerate() {
            self.put(array, (at + 1).to_string().into_bytes(), Value::input(&part));
        }
        Ok(Value::Number(f64::from(u32::try_from(count).unwrap_or(0))))
    }

    async fn replace(&mut self, arguments: &[Argument], all: bool) -> Run<Value> {
        let regex = match arguments.first() {
            Some(Argument::Value(expression)) => self.pattern(expression).await?,
            _ => {
                let source = self.text(arguments, 0).await?;
                self.regex(&source)?
            }
        };
        let with = self.text(arguments, 1).await?;
        let target = match arguments.get(2) {
            None => None,
            Some(Argument::Name(variable)) => Some(Place::Variable(*variable)),
            Some(Argument::Value(_)) => None,
        };
        let place = match arguments.get(2) {
            Some(Argument::Value(Expression::Read(place))) => Some(place),
            _ => target.as_ref(),
        };
        let text = match arguments.get(2) {
            None => self.whole_record(),
            Some(_) => self.text(arguments, 2).await?,
        };
        let mut out = Vec::new();
        let mut at = 0;
        let mut count = 0_u32;
        let mut last_end = None;
        while at <= text.len() {
            self.proc.io.spend(1);
            let Some((from, to)) = regex.find_at(&text, at) else { break };
            if from == to && last_end == Some(from) {
                out.extend(text.get(from));
                at = from + 1;
                continue;
            }
            count += 1;
            out.extend_from_slice(text.get(at..from).unwrap_or_default());
            fill(&with, text.get(from..to).unwrap_or_default(), &mut out);
            last_end = Some(to);
            at = to;
            if from == to {
                out.extend(text.get(to));
                at = to + 1;
            }
            if !all || out.len() > limits::VALUE * 4 {
                break;
            }
        }
        if count == 0 {
            return Ok(Value::Number(0.0));
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        match (place, arguments.get(2)) {
            (Some(place), _) => self.assign(place, Value::text(out)).await?,
            (None, None) => self.record.set(out),
            // The result of an expression goes nowhere.
            (None, Some(_)) => {}
        }
        Ok(Value::Number(f64::from(count)))
    }
}

/// `with`, in which `&` is what matched.
fn fill(with: &[u8], matched: &[u8], out: &mut Vec<u8>) {
    let mut bytes = with.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'&' => out.extend_from_slice(matched),
            b'\\' => match bytes.next() {
                Some(b'&') => out.push(b'&'),
                Some(b'\\') => out.push(b'\\'),
                Some(&other) => out.extend_from_slice(&[b'\\', other]),
                None => out.push(b'\\'),
            },
            _ => out.push(byte),
        }
    }
}
