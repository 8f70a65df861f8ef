//! Which lines a command is for.

use super::input::Input;
use super::machine::{Machine, Space};
use super::script::{Address, Command};
use crate::shell::proc::Proc;

/// What a range of lines is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Closed,
    /// Until this line; at least to the next match without a number.
    Open(Option<u64>),
}

impl<'s> Machine<'s> {
    pub(super) async fn selected(
        &mut self,
        proc: &Proc,
        at: usize,
        command: &'s Command,
        space: &Space,
        input: &mut Input,
    ) -> bool {
        let Some(from) = &command.from else { return !command.negated };
        let hit = match &command.to {
            None => self.meant(proc, from, space, input).await,
            Some(to) => self.in_range(proc, at, from, to, space, input).await,
        };
        hit != command.negated
    }

    pub(super) async fn meant(
        &mut self,
        proc: &Proc,
        address: &'s Address,
        space: &Space,
        input: &mut Input,
    ) -> bool {
        match address {
            Address::Line(number) => self.number == *number,
            Address::Last => input.is_last(proc, self.end).await,
            Address::Match(regex) => {
                let regex = regex.as_deref().or(self.last);
                self.last = regex;
                proc.io.spend(1 + space.text.len() / 512);
                regex.is_some_and(|regex| regex.is_match(&space.text))
            }
            Address::Step(first, 0) => self.number == *first,
            Address::Step(first, step) => {
                self.number >= *first && (self.number - first).checked_rem(*step) == Some(0)
            }
            Address::More(_) | Address::Multiple(_) | Address::Zero => false,
        }
    }

    pub(super) async fn in_range(
        &mut self,
        proc: &Proc,
        at: usize,
        from: &'s Address,
        to: &'s Address,
        space: &Space,
        input: &mut Input,
    ) -> bool {
        let state = self.ranges.get(at).copied().unwrap_or(Range::Closed);
        let zero = matches!(from, Address::Zero) && self.number == 1;
        let (hit, next) = match state {
            Range::Open(Some(last)) => {
                // A last line that lies behind ends the range with this one.
                if self.number > last {
                    (false, Range::Closed)
                } else {
                    (true, open(self.number, last))
                }
            }
            Range::Closed if !zero => {
                if self.meant(proc, from, space, input).await {
                    let next = match to {
                        Address::Line(last) => open(self.number, *last),
                        Address::More(more) => open(self.number, self.number.saturating_add(*more)),
                        Address::Multiple(n) => {
                            let last = self.number.next_multiple_of((*n).max(1));
                            open(self.number, last)
                        }
                        Address::Last if input.is_last(proc, self.end).await => Range::Closed,
                        _ => Range::Open(None),
                    };
                    (true, next)
                } else {
                    (false, Range::Closed)
                }
            }
            _ => {
                let ends = self.meant(proc, to, space, input).await;
                (true, if ends { Range::Closed } else { Range::Open(None) })
            }
        };
        if let Some(slot) = self.ranges.get_mut(at) {
            *slot = next;
        }
        hit
    }
}

/// A range from the line `here` to the line `last`.
const fn open(here: u64, last: u64) -> Range {
    if last <= here { Range::Closed } else { Range::Open(Some(last)) }
}
