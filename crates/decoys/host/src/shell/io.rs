//! What a process shares with whoever drives it: time, input, output, acts, fuel.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use base_model::Timestamp;

use super::limits;

/// A boxed step of the interpreter.
pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something a process did that is worth telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A command line was run.
    Command {
        /// The line as it was read.
        line: Vec<u8>,
        /// Login name it ran as.
        user: String,
        /// User id it ran as.
        uid: u32,
        /// Working directory at its start.
        pwd: Vec<u8>,
        /// Exit status; none while it is running.
        status: Option<u8>,
    },
    /// A file was written and closed, or moved into place.
    Written(Written),
    /// A file crossed the connection by a protocol of its own.
    Transfer {
        /// `scp` or `sftp`.
        protocol: &'static str,
        /// Towards this machine.
        upload: bool,
        /// Where it is here, absolute.
        path: Vec<u8>,
        /// Bytes that crossed.
        size: u64,
        /// What arrived.
        content: Option<Arc<Vec<u8>>>,
    },
    /// A program tried to fetch something; nothing is ever fetched.
    Fetch {
        /// The program.
        tool: &'static str,
        /// What it was to fetch.
        url: Vec<u8>,
    },
}

/// A file that was written and closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// Where, absolute.
    pub path: Vec<u8>,
    /// Content.
    pub content: Arc<Vec<u8>>,
    /// Login name of the writer.
    pub user: String,
    /// User id of the writer.
    pub uid: u32,
    /// The program that wrote it.
    pub writer: String,
}

/// What comes out of a process, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Standard output, or the terminal.
    Out(Vec<u8>),
    /// Standard error, where it is apart.
    Err(Vec<u8>),
    /// Something it did.
    Act(Act),
}

/// Where a write goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// The shared state.
pub(crate) struct Io {
    pub(crate) now: Timestamp,
    /// Columns and rows, when there is a terminal.
    pub(crate) tty: Option<(u32, u32)>,
    pub(crate) input: VecDeque<u8>,
    pub(crate) eof: bool,
    /// The rest of an edited line that was read in part.
    pub(crate) cooked: VecDeque<u8>,
    pub(crate) items: Vec<Item>,
    /// Items that were taken before these.
    taken: usize,
    /// Whether the terminal echoes what is typed now.
    pub(crate) echo: bool,
    /// A command is running on the terminal, so Ctrl-C is for it.
    pub(crate) foreground: bool,
    pub(crate) interrupt: bool,
    /// The running command line has used up what it may.
    pub(crate) killed: bool,
    /// A file transfer: its output is what was asked for and has no ceiling of its own.
    pub(crate) transfer: bool,
    pub(crate) wake: Option<Timestamp>,
    /// Counts what could let another stage of a pipeline go on.
    pub(crate) progress: u64,
    steps_slice: u32,
    steps_line: u64,
    output_slice: usize,
    output_line: u64,
    commands_line: u32,
    pub(crate) jobs: Vec<Job>,
    pub(crate) new_jobs: Vec<(Job, Boxed<'static, u8>)>,
}

/// A command in the background.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) number: usize,
    pub(crate) pid: u32,
    pub(crate) text: String,
    pub(crate) done: Option<u8>,
}

/// A handle on the shared state. It is never locked across a suspension.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Io>>);

impl Shared {
    pub(crate) fn new(now: Timestamp, tty: Option<(u32, u32)>) -> Self {
        Self(Arc::new(Mutex::new(Io {
            now,
            tty,
            input: VecDeque::new(),
            eof: false,
            cooked: VecDeque::new(),
            items: Vec::new(),
            taken: 0,
            echo: tty.is_some(),
            foreground: false,
            interrupt: false,
            killed: false,
            transfer: false,
            wake: None,
            progress: 0,
            steps_slice: 0,
            steps_line: 0,
            output_slice: 0,
            output_line: 0,
            commands_line: 0,
            jobs: Vec::new(),
            new_jobs: Vec::new(),
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Io> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.lock().now
    }

    pub(crate) fn is_tty(&self) -> bool {
        self.lock().tty.is_some()
    }

    pub(crate) fn act(&self, act: Act) {
        self.lock().items.push(Item::Act(act));
    }

    /// Counts a step; suspends when the slice is used up.
    pub(crate) async fn tick(&self) {
        let pause = {
            let mut io = self.lock();
            io.steps_slice += 1;
            io.steps_line += u64::from(!io.transfer);
            if io.steps_line > limits::STEPS_PER_LINE {
                io.killed = true;
            }
            (io.steps_slice > limits::STEPS_PER_SLICE).then(|| io.now + limits::SLICE_PAUSE)
        };
        if let Some(until) = pause {
            self.sleep_until(until).await;
        }
    }

    /// Counts work that one step does not measure: the next step may suspend for it.
    pub(crate) fn spend(&self, steps: usize) {
        let mut io = self.lock();
        if io.transfer {
            return;
        }
        io.steps_slice = io.steps_slice.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
        io.steps_line = io.steps_line.saturating_add(steps as u64);
    }

    /// Tells of a written file. Its content is held until the driver takes it, so it costs steps:
    /// a program that rewrites large files over and over is slowed and then killed.
    pub(crate) fn written(&self, written: Written) {
        self.spend(written.content.len() / 256);
        self.act(Act::Written(written));
    }

    /// Counts a started command; false when there were too many.
    pub(crate) fn may_start(&self) -> bool {
        let mut io = self.lock();
        io.commands_line += 1;
        if io.commands_line > limits::COMMANDS_PER_LINE {
            io.killed = true;
        }
        !io.killed
    }

    pub(crate) async fn sleep_until(&self, until: Timestamp) {
        poll_fn(|_| {
            let mut io = self.lock();
            if io.now >= until {
                return Poll::Ready(());
            }
            io.wake = Some(io.wake.map_or(until, |wake| wake.min(until)));
            Poll::Pending
        })
        .await;
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        self.sleep_until(until).await;
    }

    /// Writes to the session, at most a slice at a time.
    pub(crate) async fn write(&self, stream: Stream, bytes: &[u8]) {
        for piece in bytes.chunks(16 * 1024) {
            let pause = {
                let mut io = self.lock();
                io.output_line += piece.len() as u64;
                if io.output_line > limits::OUTPUT_PER_LINE && !io.transfer {
                    io.killed = true;
                    return;
                }
                io.output_slice += piece.len();
                io.push(stream, piece);
                (io.output_slice > limits::OUTPUT_PER_SLICE).then(|| io.now + limits::OUTPUT_PAUSE)
            };
            if let Some(until) = pause {
                self.sleep_until(until).await;
            }
        }
    }

    /// The next typed or sent byte; `None` at the end of input.
    pub(crate) async fn byte(&self) -> Option<u8> {
        poll_fn(|_| {
            let mut io = self.lock();
            match io.input.pop_front() {
                Some(byte) => {
                    io.progress += 1;
                    Poll::Ready(Some(byte))
                }
                None if io.eof => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// What was sent so far, at most `max` bytes; empty at the end of input.
    pub(crate) async fn bytes(&self, max: usize) -> Vec<u8> {
        poll_fn(|_| {
            let mut io = self.lock();
            if io.input.is_empty() && !io.eof {
                return Poll::Pending;
            }
            let take = io.input.len().min(max);
            io.progress += 1;
            Poll::Ready(io.input.drain(..take).collect())
        })
        .await
    }
}

impl Io {
    /// Begins a command line: its fuel is its own.
    pub(crate) fn begin_line(&mut self) {
        self.steps_line = 0;
        self.output_line = 0;
        self.commands_line = 0;
        self.killed = false;
        self.interrupt = false;
    }

    /// Hands over what came out.
    pub(crate) fn take_items(&mut self) -> Vec<Item> {
        self.taken += self.items.len();
        std::mem::take(&mut self.items)
    }

    /// Tells that a command line starts. Returns its mark, for [`Io::end_command`].
    pub(crate) fn begin_command(&mut self, act: Act) -> usize {
        self.begin_line();
        self.items.push(Item::Act(act));
        self.taken + self.items.len() - 1
    }

    /// Adds the status to what was told at `mark`, if that was not taken yet.
    pub(crate) fn end_command(&mut self, mark: usize, ended: u8) {
        let item = mark.checked_sub(self.taken).and_then(|at| self.items.get_mut(at));
        if let Some(Item::Act(Act::Command { status, .. })) = item {
            *status = Some(ended);
        }
    }

    /// Begins a poll at `now`.
    pub(crate) fn begin_slice(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.wake = None;
        self.steps_slice = 0;
        self.output_slice = 0;
    }

    /// A line for each background command, as `jobs` prints it; `state` says state and text, or that
    /// the command has no line.
    pub(crate) fn job_lines(&self, state: impl Fn(&Job) -> Option<(String, String)>) -> String {
        let last = self.jobs.len();
        let line = |(at, job): (usize, &Job)| {
            let mark = if at + 1 == last {
                '+'
            } else if at + 2 == last {
                '-'
            } else {
                ' '
            };
            let (state, text) = state(job)?;
            Some(format!("[{}]{mark}  {state:<24}{text}\n", job.number))
        };
        self.jobs.iter().enumerate().filter_map(line).collect()
    }

    /// Appends output; on a terminal both streams are one and line ends become CR LF.
    pub(crate) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.tty.is_some() {
            let mut cooked = Vec::with_capacity(bytes.len() + 16);
            for &byte in bytes {
                if byte == b'\n' {
                    cooked.push(b'\r');
                }
                cooked.push(byte);
            }
            self.push_raw(Stream::Out, &cooked);
        } else {
            self.push_raw(stream, bytes);
        }
    }

    fn push_raw(&mut self, stream: Stream, bytes: &[u8]) {
        match (self.items.last_mut(), stream) {
            (Some(Item::Out(last)), Stream::Out) | (Some(Item::Err(last)), Stream::Err)
                if last.len() < 32 * 1024 =>
            {
                last.extend_from_slice(bytes);
            }
            (_, Stream::Out) => self.items.push(Item::Out(bytes.to_vec())),
            (_, Stream::Err) => self.items.push(Item::Err(bytes.to_vec())),
        }
    }
}
