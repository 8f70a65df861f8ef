//! `s`.

use super::script::{Case, Part, Substitute};
use crate::shell::proc::Proc;
use crate::shell::regex::Regex;

/// Longest line a substitution makes.
const MAX_LINE: usize = 1024 * 1024;

/// `line` with matches of `regex` replaced; `None` when there was none to replace.
pub(super) async fn apply(
    proc: &Proc,
    substitute: &Substitute,
    regex: &Regex,
    line: &[u8],
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut count = 0;
    let mut replaced = false;
    // Where the last match ended: an empty match is none right there.
    let mut last_end = None;
    while at <= line.len() {
        proc.io.spend(1);
        if count % 256 == 255 {
            proc.io.tick().await;
        }
        let Some(groups) = regex.groups_at(line, at) else { break };
        let Some(Some((from, to))) = groups.first().copied() else { break };
        if from == to && last_end == Some(from) {
            out.extend(line.get(from));
            at = from + 1;
            continue;
        }
        count += 1;
        out.extend_from_slice(line.get(at..from).unwrap_or_default());
        if count >= substitute.number {
            replaced = true;
            expand(&substitute.with, &groups, line, &mut out);
        } else {
            out.extend_from_slice(line.get(from..to).unwrap_or_default());
        }
        last_end = Some(to);
        at = to;
        if from == to {
            out.extend(line.get(to));
            at = to + 1;
        }
        if (replaced && !substitute.global) || out.len() > MAX_LINE {
            break;
        }
    }
    out.extend_from_slice(line.get(at..).unwrap_or_default());
    replaced.then_some(out)
}

fn expand(parts: &[Part], groups: &[Option<(usize, usize)>], line: &[u8], out: &mut Vec<u8>) {
    let mut case = Case::End;
    let mut next = None;
    let mut push = |text: &[u8], case: Case, next: &mut Option<Case>| {
        for &byte in text {
            out.push(match next.take().unwrap_or(case) {
                Case::Upper | Case::UpperNext => byte.to_ascii_uppercase(),
                Case::Lower | Case::LowerNext => byte.to_ascii_lowercase(),
                Case::End => byte,
            });
        }
    };
    for part in parts {
        match part {
            Part::Text(text) => push(text, case, &mut next),
            Part::Group(number) => {
                if let Some(Some((from, to))) = groups.get(*number) {
                    push(line.get(*from..*to).unwrap_or_default(), case, &mut next);
                }
            }
            Part::Case(turn @ (Case::UpperNext | Case::LowerNext)) => next = Some(*turn),
            Part::Case(turn) => case = *turn,
        }
    }
}
