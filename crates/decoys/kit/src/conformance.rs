//! What every stream service must hold to, whatever it speaks. Joining the registry enrols it.

use std::collections::BTreeSet;

use base_model::Fact;
use chacha20::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::context::Effect;
use crate::service::Service;
use crate::session::{Side, StreamReply};
use crate::settings::Settings;
use crate::transcript::{self, Acts, Stage};

/// Most bytes a service may answer to one byte of input, beyond [`FREE_OUTPUT`].
const OUTPUT_PER_BYTE: usize = 512;
/// Output that is fine whatever came in: banners, pages.
const FREE_OUTPUT: usize = 256 * 1024;
/// Mutated inputs tried per dialogue.
const MUTATIONS: u64 = 80;

/// Checks `service` over hosts made by `host`, with the client's side of its own `dialogues` as the
/// starting corpus.
///
/// # Errors
/// The rule that was broken, and by which input.
pub fn check<H>(
    service: &Service<H>,
    host: impl Fn() -> H,
    dialogues: &[&str],
) -> Result<(), String> {
    let name = service.spec.name;
    if dialogues.is_empty() {
        return Err(format!("{name} has no transcripts"));
    }
    let mut inputs: Vec<Vec<u8>> =
        dialogues.iter().map(|text| transcript::client_bytes(text).concat()).collect();
    let mut rng = ChaCha12Rng::from_seed([3; 32]);
    for at in 0..inputs.len() {
        for _ in 0..MUTATIONS {
            let mutant = mutate(&mut rng, inputs.get(at).map_or(&[][..], Vec::as_slice));
            inputs.push(mutant);
        }
    }
    for input in &inputs {
        let shown = || format!("{name} on \"{}\"", input.escape_ascii());
        let whole = run(service, host(), std::iter::once(input.as_slice()))?;
        if whole != run(service, host(), std::iter::once(input.as_slice()))? {
            return Err(format!("{}: two runs with one seed differ", shown()));
        }
        let cut = run(service, host(), input.chunks(1))?;
        if whole != cut {
            return Err(format!(
                "{}: cutting the input at every byte changes the answer\n{whole:?}\n{cut:?}",
                shown()
            ));
        }
        if whole.sent.len() > FREE_OUTPUT + OUTPUT_PER_BYTE * input.len() {
            return Err(format!("{}: answered {} bytes", shown(), whole.sent.len()));
        }
        let declared: BTreeSet<_> = service.spec.events.iter().map(|kind| kind.name).collect();
        if let Some(fact) = whole.facts.iter().find(|fact| !declared.contains(fact.kind().name)) {
            return Err(format!("{}: undeclared event {}", shown(), fact.kind().name));
        }
    }
    Ok(())
}

/// What an exchange came to, however it was cut.
#[derive(PartialEq)]
struct Outcome {
    sent: Vec<u8>,
    facts: Vec<Fact>,
    side: Vec<Side>,
    closed: bool,
    upgraded: bool,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sent = self.sent.escape_ascii();
        write!(f, "sent \"{sent}\", told {:?}, closed {}", self.facts, self.closed)
    }
}

fn run<'i, H>(
    service: &Service<H>,
    host: H,
    pieces: impl Iterator<Item = &'i [u8]>,
) -> Result<Outcome, String> {
    let (mut stage, acts) = Stage::open(service, host, Settings::default())
        .ok_or_else(|| format!("{} is not a stream service", service.spec.name))?;
    let mut outcome = Outcome {
        sent: Vec::new(),
        facts: Vec::new(),
        side: Vec::new(),
        closed: false,
        upgraded: false,
    };
    collect(acts, &mut outcome);
    for piece in pieces {
        // The runtime reads no further once the service closed; what follows an upgrade in one piece
        // is dropped, and in the next one is encrypted.
        if outcome.closed || outcome.upgraded {
            break;
        }
        collect(stage.bytes(piece), &mut outcome);
    }
    collect(stage.wait(600), &mut outcome);
    collect(stage.close(), &mut outcome);
    Ok(outcome)
}

fn collect(acts: Acts, outcome: &mut Outcome) {
    for act in acts {
        match act {
            Effect::Emit(_, fact) => outcome.facts.push(fact),
            Effect::Reply(StreamReply::Data(bytes)) => outcome.sent.extend(bytes),
            Effect::Reply(StreamReply::Close) => outcome.closed = true,
            Effect::Reply(StreamReply::Side(side)) => outcome.side.push(side),
            Effect::Reply(StreamReply::StartTls) => outcome.upgraded = true,
            Effect::Keep(_) | Effect::Record(_) | Effect::Commit => {}
        }
    }
}

fn mutate(rng: &mut ChaCha12Rng, input: &[u8]) -> Vec<u8> {
    let mut out = input.to_vec();
    let below = |rng: &mut ChaCha12Rng, n: usize| {
        usize::try_from(rng.next_u64()).unwrap_or(0).checked_rem(n).unwrap_or(0)
    };
    for _ in 0..=below(rng, 4) {
        let at = below(rng, out.len() + 1);
        match below(rng, 5) {
            0 => out.truncate(at),
            1 => {
                if let Some(byte) = out.get_mut(at) {
                    *byte ^= 1 << below(rng, 8);
                }
            }
            2 => out.insert(at, u8::try_from(below(rng, 256)).unwrap_or(0)),
            3 => {
                let again = out.get(at..).unwrap_or_default().to_vec();
                out.extend(again);
            }
            _ => {
                let noise = below(rng, 64);
                out.splice(at..at, (0..noise).map(|_| b'A'));
            }
        }
        out.truncate(64 * 1024);
    }
    out
}
