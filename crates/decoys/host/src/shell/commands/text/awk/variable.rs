//! Variables, arrays, and what they mean for the record.

use std::sync::Arc;

use super::ast::{Expression, Variable};
use super::machine::{Array, Halt, Machine, Run, Slot, known};
use super::record::Splitter;
use super::value::Value;
use crate::shell::regex::Regex;

/// Bytes of all arrays together.
const MAX_HEAP: usize = 16 * 1024 * 1024;
/// Compiled expressions kept.
const MAX_REGEXES: usize = 64;

impl Machine<'_> {
    pub(super) fn global(&self, slot: usize) -> Value {
        self.globals.get(slot).and_then(|slot| slot.value.clone()).unwrap_or(Value::Nothing)
    }

    pub(super) fn set_global(&mut self, at: usize, value: Value) {
        if at == known::NF {
            let count = super::format::clamp(value.number());
            self.record.set_count(count, &self.splitter);
        }
        if at == known::FS {
            self.splitter = self.splitter_of(&value.bytes(b"%.6g"));
        }
        if let Some(slot) = self.globals.get_mut(at) {
            slot.value = Some(value);
        }
    }

    /// What `fs` means as a separator.
    pub(super) fn splitter_of(&mut self, fs: &[u8]) -> Splitter {
        match fs {
            b" " => Splitter::Blanks,
            b"" => Splitter::Each,
            [one] if !b"\\.[]()*+?{}|^$".contains(one) => Splitter::Byte(*one),
            [one @ (b'|' | b'.' | b'*' | b'+' | b'?' | b'^' | b'$')] => Splitter::Byte(*one),
            _ => match self.regex(fs) {
                Ok(regex) => Splitter::Regex(regex),
                Err(_) => Splitter::Blanks,
            },
        }
    }

    pub(super) fn regex(&mut self, source: &[u8]) -> Run<Arc<Regex>> {
        if let Some(known) = self.regexes.get(source) {
            return Ok(known.clone());
        }
        let regex = Regex::new(source, true, false).map_err(|fault| {
            let shown = String::from_utf8_lossy(source).into_owned();
            Halt::Wrong(format!("regular expression compile failed ({})\n{shown}", fault.text()))
        })?;
        if self.regexes.len() >= MAX_REGEXES {
            self.regexes.clear();
        }
        let regex = Arc::new(regex);
        self.regexes.insert(source.to_vec(), regex.clone());
        Ok(regex)
    }

    pub(super) fn slot(&mut self, variable: Variable) -> Option<&mut Slot> {
        match variable {
            Variable::Global(at) => self.globals.get_mut(at),
            Variable::Local(at) => self.frames.last_mut()?.get_mut(at),
        }
    }

    /// The array that `variable` is, made when it is none yet.
    pub(super) fn array_of(&mut self, variable: Variable) -> usize {
        if let Some(known) = self.slot(variable).and_then(|slot| slot.array) {
            return known;
        }
        self.arrays.push(Array::new());
        let at = self.arrays.len() - 1;
        if let Some(slot) = self.slot(variable) {
            slot.array = Some(at);
        }
        at
    }

    pub(super) fn put(&mut self, array: usize, key: Vec<u8>, value: Value) {
        let size = key.len() + 64 + value.bytes(b"%.6g").len();
        let Some(entries) = self.arrays.get_mut(array) else { return };
        if !entries.contains_key(&key) {
            self.heap += size;
        }
        if self.heap > MAX_HEAP {
            self.proc.io.lock().killed = true;
            return;
        }
        entries.insert(key, value);
    }

    pub(super) fn get_variable(&mut self, variable: Variable) -> Value {
        if variable == Variable::Global(known::NF) {
            let count = self.record.count(&self.splitter);
            return Value::Number(f64::from(u32::try_from(count).unwrap_or(0)));
        }
        self.slot(variable).and_then(|slot| slot.value.clone()).unwrap_or(Value::Nothing)
    }

    pub(super) fn set_variable(&mut self, variable: Variable, value: Value) {
        match variable {
            Variable::Global(at) => self.set_global(at, value),
            Variable::Local(_) => {
                if let Some(slot) = self.slot(variable) {
                    slot.value = Some(value);
                }
            }
        }
    }

    /// The key that subscripts make.
    pub(super) async fn key(&mut self, subscripts: &[Expression]) -> Run<Vec<u8>> {
        let convert = self.global(known::CONVFMT).bytes(b"%.6g");
        let separator = self.global(known::SUBSEP).bytes(b"%.6g");
        let mut out = Vec::new();
        for (at, subscript) in subscripts.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(&separator);
            }
            let value = self.eval(subscript).await?;
            out.extend_from_slice(&value.bytes(&convert));
        }
        Ok(out)
    }

    pub(super) fn whole_record(&mut self) -> Vec<u8> {
        let ofs = self.global(known::OFS).bytes(b"%.6g");
        let convert = self.global(known::CONVFMT).bytes(b"%.6g");
        self.record.whole(&ofs, &convert).to_vec()
    }

    /// Sets the variable called `name`, as `-v` does.
    pub(super) fn assign_named(&mut self, name: &str, value: &[u8]) {
        if let Some(at) = self.program.globals.iter().position(|known| known == name) {
            let mut plain = Vec::new();
            let mut bytes = value.iter();
            while let Some(&byte) = bytes.next() {
                match byte {
                    b'\\' => match bytes.next() {
                        Some(letter) => match super::value::escape(*letter) {
                            Some(byte) => plain.push(byte),
                            None => plain.extend_from_slice(&[b'\\', *letter]),
                        },
                        None => plain.push(b'\\'),
                    },
                    _ => plain.push(byte),
                }
            }
            self.set_global(at, Value::input(&plain));
        }
    }
}
