//! Options as netkit's `telnetd` negotiates them, and what the client says in them.

use base_model::Fact;
use base_model::catalogue::{self, Negotiation};

use super::wire::{DO, DONT, IAC, SB, SE, WILL, WONT};

const BINARY: u8 = 0;
const ECHO: u8 = 1;
const SGA: u8 = 3;
const STATUS: u8 = 5;
const TIMING: u8 = 6;
const TTYPE: u8 = 24;
const NAWS: u8 = 31;
const TSPEED: u8 = 32;
const LFLOW: u8 = 33;
const XDISPLOC: u8 = 35;
const ENVIRON: u8 = 39;

/// Asked first of all, before anything else is said.
const FIRST: [u8; 4] = [TTYPE, TSPEED, XDISPLOC, ENVIRON];
/// The order in which their values are asked for.
const ASKED: [u8; 4] = [TSPEED, XDISPLOC, ENVIRON, TTYPE];
/// Most answers and bytes kept of a client.
const MAX_ORDER: usize = 128;
const MAX_RAW: usize = 2048;
const MAX_VARIABLES: usize = 64;
const MAX_VALUE: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waits for an answer to each of [`FIRST`].
    First,
    /// Waits for the values of those that the client has.
    Values,
    /// Waits to hear whether the client echoes.
    Echo,
    Done,
}

/// The options of one connection.
#[derive(Debug)]
pub(super) struct Options {
    stage: Stage,
    /// Options we asked the client for and have no answer to.
    open: Vec<u8>,
    /// Options the client has, and we have.
    his: Vec<u8>,
    mine: Vec<u8>,
    /// Options we offered and have no answer to.
    offered: Vec<u8>,
    /// Values asked for.
    values: Vec<u8>,
    order: Vec<String>,
    raw: Vec<u8>,
    pub(super) terminal: Option<Vec<u8>>,
    speed: Option<Vec<u8>>,
    display: Option<Vec<u8>>,
    pub(super) window: Option<(u16, u16)>,
    pub(super) environment: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Options {
    /// With the first requests.
    pub(super) fn begin() -> (Self, Vec<u8>) {
        let options = Self {
            stage: Stage::First,
            open: FIRST.to_vec(),
            his: Vec::new(),
            mine: Vec::new(),
            offered: Vec::new(),
            values: Vec::new(),
            order: Vec::new(),
            raw: Vec::new(),
            terminal: None,
            speed: None,
            display: None,
            window: None,
            environment: Vec::new(),
        };
        (options, FIRST.iter().flat_map(|option| [IAC, DO, *option]).collect())
    }

    /// Whether the prompt may come.
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Whether the client said anything of options.
    pub(super) fn heard(&self) -> bool {
        !self.order.is_empty()
    }

    /// What the client has said.
    pub(super) fn fact(&self) -> Fact {
        catalogue::telnet_negotiation(&Negotiation {
            order: &self.order,
            raw: &self.raw,
            terminal: self.terminal.as_deref(),
            speed: self.speed.as_deref(),
            window: self.window,
            display: self.display.as_deref(),
            environment: &self.environment,
        })
    }

    fn note(&mut self, text: String, bytes: &[u8]) {
        if self.order.len() < MAX_ORDER {
            self.order.push(text);
        }
        let room = MAX_RAW.saturating_sub(self.raw.len());
        self.raw.extend(bytes.iter().take(room));
    }

    /// The client said `verb` of `option`; returns what to send.
    pub(super) fn said(&mut self, verb: u8, option: u8) -> Vec<u8> {
        let name = match verb {
            WILL => "WILL",
            WONT => "WONT",
            DO => "DO",
            _ => "DONT",
        };
        self.note(format!("{name} {option}"), &[IAC, verb, option]);
        let mut out = match verb {
            WILL => self.client_will(option),
            WONT => self.client_wont(option),
            DO => self.client_do(option),
            _ => self.client_dont(option),
        };
        self.advance(&mut out);
        out
    }

    fn client_will(&mut self, option: u8) -> Vec<u8> {
        let asked = remove(&mut self.open, option);
        if self.his.contains(&option) {
            return Vec::new();
        }
        let wanted =
            matches!(option, BINARY | TTYPE | NAWS | TSPEED | LFLOW | XDISPLOC | ENVIRON | SGA);
        if asked && option == ECHO {
            // A client that echoes is told to leave that to us.
            return vec![IAC, DONT, ECHO];
        }
        if asked || wanted {
            self.his.push(option);
        }
        match (asked, wanted) {
            (true, _) => Vec::new(),
            (false, true) => vec![IAC, DO, option],
            (false, false) => vec![IAC, DONT, option],
        }
    }

    fn client_wont(&mut self, option: u8) -> Vec<u8> {
        if remove(&mut self.open, option) || !remove(&mut self.his, option) {
            return Vec::new();
        }
        vec![IAC, DONT, option]
    }

    fn client_do(&mut self, option: u8) -> Vec<u8> {
        if option == TIMING {
            return vec![IAC, WILL, TIMING];
        }
        let offered = remove(&mut self.offered, option);
        if self.mine.contains(&option) {
            return Vec::new();
        }
        let can = matches!(option, BINARY | ECHO | SGA | STATUS);
        if can {
            self.mine.push(option);
        }
        match (offered, can) {
            (true, _) => Vec::new(),
            (false, true) => vec![IAC, WILL, option],
            (false, false) => vec![IAC, WONT, option],
        }
    }

    fn client_dont(&mut self, option: u8) -> Vec<u8> {
        if remove(&mut self.offered, option) || !remove(&mut self.mine, option) {
            return Vec::new();
        }
        vec![IAC, WONT, option]
    }

    /// The client sent the value of `option`; returns what to send, and whether its window changed.
    pub(super) fn value(&mut self, option: u8, value: &[u8]) -> (Vec<u8>, bool) {
        let whole = [&[IAC, SB, option], value, &[IAC, SE]].concat();
        self.note(format!("SB {option}"), &whole);
        let mut resized = false;
        let text = || value.get(1..).unwrap_or_default().iter().take(MAX_VALUE).copied().collect();
        let is = matches!(value.first(), Some(0 | 2));
        match option {
            NAWS => {
                if let [a, b, c, d] = value {
                    let window = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
                    resized = self.window != Some(window);
                    self.window = Some(window);
                }
            }
            TTYPE if is => self.terminal = Some(text()),
            TSPEED if is => self.speed = Some(text()),
            XDISPLOC if is => self.display = Some(text()),
            ENVIRON if is => self.variables(value.get(1..).unwrap_or_default()),
            _ => {}
        }
        remove(&mut self.values, option);
        let mut out = Vec::new();
        self.advance(&mut out);
        (out, resized)
    }

    /// Variables and values (RFC 1572 §2).
    fn variables(&mut self, bytes: &[u8]) {
        let mut name = Vec::new();
        let mut value = Vec::new();
        let mut in_value = false;
        let mut bytes = bytes.iter();
        loop {
            let byte = bytes.next().copied();
            match byte {
                None | Some(0 | 3) => {
                    if !name.is_empty() && self.environment.len() < MAX_VARIABLES {
                        let pair = (std::mem::take(&mut name), std::mem::take(&mut value));
                        self.environment.push(pair);
                    }
                    name.clear();
                    value.clear();
                    in_value = false;
                    if byte.is_none() {
                        return;
                    }
                }
                Some(1) => in_value = true,
                Some(other) => {
                    let byte = if other == 2 { bytes.next().copied().unwrap_or(2) } else { other };
                    let target = if in_value { &mut value } else { &mut name };
                    if target.len() < MAX_VALUE {
                        target.push(byte);
                    }
                }
            }
        }
    }

    /// Goes on to the next stage once nothing of this one is open.
    fn advance(&mut self, out: &mut Vec<u8>) {
        if self.stage == Stage::First && !self.open.iter().any(|option| FIRST.contains(option)) {
            self.stage = Stage::Values;
            self.values =
                ASKED.iter().copied().filter(|option| self.his.contains(option)).collect();
            out.extend(self.values.iter().flat_map(|option| [IAC, SB, *option, 1, IAC, SE]));
        }
        if self.stage == Stage::Values && self.values.is_empty() {
            self.stage = Stage::Echo;
            self.offer(out, SGA);
            self.ask(out, ECHO);
            self.ask(out, NAWS);
            self.offer(out, STATUS);
            self.ask(out, LFLOW);
        }
        if self.stage == Stage::Echo && !self.open.contains(&ECHO) {
            self.stage = Stage::Done;
            self.offer(out, ECHO);
        }
    }

    fn offer(&mut self, out: &mut Vec<u8>, option: u8) {
        if !self.mine.contains(&option) {
            self.mine.push(option);
            self.offered.push(option);
            out.extend([IAC, WILL, option]);
        }
    }

    fn ask(&mut self, out: &mut Vec<u8>, option: u8) {
        if !self.his.contains(&option) {
            self.open.push(option);
            out.extend([IAC, DO, option]);
        }
    }
}

fn remove(list: &mut Vec<u8>, option: u8) -> bool {
    let before = list.len();
    list.retain(|one| *one != option);
    list.len() < before
}
