//! The main input: the files among the operands, one after the other.

use super::ast::Variable;
use super::input::Records;
use super::machine::{Machine, Run, assignment, known};
use super::value::Value;

impl Machine<'_> {
    pub(super) fn count_record(&mut self) {
        for slot in [known::NR, known::FNR] {
            let number = self.global(slot).number() + 1.0;
            self.set_global(slot, Value::Number(number));
        }
    }

    /// The next record of the main input.
    pub(super) async fn next_record(&mut self) -> Run<Option<Vec<u8>>> {
        loop {
            if self.main.is_none() && !self.open_next().await? {
                return Ok(None);
            }
            let end = self.record_end();
            let proc = self.proc.clone();
            let Some(main) = &mut self.main else { return Ok(None) };
            if let Some(record) = main.next(&proc, end).await {
                return Ok(Some(record));
            }
            self.main = None;
        }
    }

    pub(super) async fn open_next(&mut self) -> Run<bool> {
        loop {
            let count = super::format::clamp(self.global(known::ARGC).number());
            if self.next_argument >= count {
                if self.used_input {
                    return Ok(false);
                }
                self.used_input = true;
                return Ok(self.open_main(b"-"));
            }
            let key = self.next_argument.to_string().into_bytes();
            self.next_argument += 1;
            let argv = self.array_of(Variable::Global(known::ARGV));
            let value = self.arrays.get(argv).and_then(|array| array.get(&key)).cloned();
            let operand = value.map(|value| value.bytes(b"%.6g").to_vec()).unwrap_or_default();
            if operand.is_empty() {
                continue;
            }
            if let Some((name, value)) = assignment(&operand) {
                self.assign_named(&name, &value);
                continue;
            }
            self.used_input = true;
            if self.open_main(&operand) {
                return Ok(true);
            }
            let shown = String::from_utf8_lossy(&operand).into_owned();
            let why = self.proc.source(&operand).err().map_or("", crate::fs::Errno::text);
            self.proc.err(format!("awk: cannot open {shown} ({why})\n")).await;
            self.status = 2;
        }
    }

    pub(super) fn open_main(&mut self, path: &[u8]) -> bool {
        let Ok(source) = self.proc.source(path) else { return false };
        self.set_global(known::FNR, Value::Number(0.0));
        let name: &[u8] = if path == b"-" { b"" } else { path };
        self.set_global(known::FILENAME, Value::text(name));
        self.main = Some(Records::of(source));
        true
    }

    /// The byte records end with; none in paragraph mode.
    pub(super) fn record_end(&self) -> Option<u8> {
        self.global(known::RS).bytes(b"%.6g").first().copied()
    }
}
