//! How people type: pauses between keys that follow a log-normal distribution, slips of the finger
//! that are seen and rubbed out, a moment's thought before Enter.

use std::time::Duration;

use crate::draw::Draw;

/// Half of the pauses between two keys are shorter.
const KEY: Duration = Duration::from_millis(135);
const SPREAD: f64 = 0.45;
/// Before the first key of a word or a sign that needs Shift.
const WORD: Duration = Duration::from_millis(230);
/// Until a slip is noticed, and before Enter.
const NOTICE: Duration = Duration::from_millis(320);
const SHORTEST: Duration = Duration::from_millis(35);
const LONGEST: Duration = Duration::from_millis(1800);
/// Slips in a hundred letters.
const SLIPS: usize = 3;
const BACKSPACE: u8 = 0x7f;
const ENTER: u8 = b'\r';
/// Rows of the keyboard, to find the key beside another.
const ROWS: &[&[u8]] = &[b"qwertyuiop", b"asdfghjkl", b"zxcvbnm"];

/// One key, and how long after the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The pause before it.
    pub after: Duration,
    /// The byte it sends.
    pub byte: u8,
}

/// The keys of somebody who types `line` and Enter; `rhythm` decides every pause and slip.
#[must_use]
pub fn keys(line: &str, rhythm: u64) -> Vec<Key> {
    let mut draw = Draw::new(rhythm, "rhythm");
    let mut keys = Vec::with_capacity(line.len() + 1);
    let mut before = b' ';
    for byte in line.bytes() {
        if let Some(beside) = neighbour(byte, &mut draw) {
            keys.push(Key { after: pause(KEY, &mut draw), byte: beside });
            keys.push(Key { after: pause(NOTICE, &mut draw), byte: BACKSPACE });
        }
        let median = if before == b' ' || !byte.is_ascii_alphanumeric() { WORD } else { KEY };
        keys.push(Key { after: pause(median, &mut draw), byte });
        before = byte;
    }
    keys.push(Key { after: pause(NOTICE, &mut draw), byte: ENTER });
    keys
}

fn pause(median: Duration, draw: &mut Draw) -> Duration {
    draw.log_normal(median, SPREAD).clamp(SHORTEST, LONGEST)
}

/// The key that is hit instead of `byte`, if the finger slips.
fn neighbour(byte: u8, draw: &mut Draw) -> Option<u8> {
    let row = ROWS.iter().find(|row| row.contains(&byte))?;
    if !draw.chance(SLIPS) {
        return None;
    }
    let at = row.iter().position(|&key| key == byte)?;
    let left = at.checked_sub(1).and_then(|left| row.get(left));
    left.or_else(|| row.get(at + 1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "cat /etc/passwd | grep -v nologin; ls -la /home /root; tail -n 20 /var/log/auth.log";

    /// What a terminal makes of `keys`.
    fn shown(keys: &[Key]) -> String {
        let mut line = String::new();
        for key in keys {
            match key.byte {
                BACKSPACE => drop(line.pop()),
                ENTER => line.push('\n'),
                byte => line.push(byte.into()),
            }
        }
        line
    }

    #[test]
    fn what_is_rubbed_out_leaves_the_line_as_it_was_meant() {
        for rhythm in 0..50 {
            assert_eq!(shown(&keys(LINE, rhythm)), format!("{LINE}\n"));
        }
        let slips = |rhythm| keys(LINE, rhythm).iter().filter(|key| key.byte == BACKSPACE).count();
        let all: usize = (0..50).map(slips).sum();
        assert!((30..200).contains(&all), "{all} slips in 50 lines");
    }

    #[test]
    fn pauses_are_those_of_a_person() {
        let all: Vec<_> = (0..50).flat_map(|rhythm| keys(LINE, rhythm)).collect();
        let mut pauses: Vec<_> = all.iter().map(|key| key.after).collect();
        pauses.sort_unstable();
        assert!(pauses.iter().all(|pause| (SHORTEST..=LONGEST).contains(pause)));
        let median = pauses[pauses.len() / 2];
        assert!((120..220).contains(&median.as_millis()), "{median:?}");
        let mean = pauses.iter().sum::<Duration>() / u32::try_from(pauses.len()).unwrap();
        assert!(mean > median, "long pauses are rare and long: {mean:?}, {median:?}");
    }

    #[test]
    fn the_same_rhythm_types_the_same() {
        assert_eq!(keys(LINE, 3), keys(LINE, 3));
        assert_ne!(keys(LINE, 3), keys(LINE, 4));
    }
}
