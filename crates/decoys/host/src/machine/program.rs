//! Programs that sessions run, and signals.

use super::Machine;
use crate::fs::Errno;
use crate::processes::Process;

/// Most programs told of at once; more run unseen.
const MAX_PROGRAMS: usize = 1024;
/// Most deadly signals remembered.
const MAX_KILLED: usize = 4096;

impl Machine {
    /// Notes that a program runs, until [`Machine::ended`].
    pub(crate) fn started(&mut self, process: Process) {
        if self.programs.len() < MAX_PROGRAMS {
            self.programs.insert(process.pid, process);
        }
    }

    /// Notes that the program of process `pid` is over.
    pub(crate) fn ended(&mut self, pid: u32) {
        self.programs.remove(&pid);
    }

    /// The signal that ends process `pid`, if it got one.
    #[must_use]
    pub(crate) fn deadly(&self, pid: u32) -> Option<u8> {
        self.killed.get(&pid).copied()
    }

    /// Programs of the daemons that come with the machine, running or not.
    #[must_use]
    pub(crate) fn installed_daemons(&self) -> Vec<String> {
        self.daemons().iter().map(|process| process.name().to_owned()).collect()
    }

    /// Starts the daemons that run `program` again.
    pub(crate) fn revive(&mut self, program: &str) {
        let pids: Vec<u32> =
            self.daemons().iter().filter(|p| p.name() == program).map(|p| p.pid).collect();
        self.killed.retain(|pid, _| !pids.contains(pid));
    }

    /// Sends `signal` to the process `pid` of `table`, as `uid` under the name `user`. Signal 0 only
    /// asks whether that may be done.
    ///
    /// # Errors
    /// `EPERM` for somebody else's process.
    pub(crate) fn send_signal(
        &mut self,
        process: &Process,
        signal: u8,
        uid: u32,
        user: &str,
    ) -> Result<(), Errno> {
        if uid != 0 && process.user != user {
            return Err(Errno::NotPermitted);
        }
        // The kernel's threads and the first process take no such orders; WINCH, CHLD, CONT and stop
        // signals end nothing.
        let deaf = process.pid <= 2 || process.command.starts_with('[');
        let ends = !matches!(signal, 0 | 17..=20 | 23 | 28);
        // A shell at its prompt ignores TERM, QUIT and INT.
        let shell = process.command == "-bash" && matches!(signal, 2 | 3 | 15);
        // Daemons read their settings again on HUP.
        let reload = signal == 1 && process.tty == "?" && !self.programs.contains_key(&process.pid);
        if ends && !deaf && !shell && !reload && self.killed.len() < MAX_KILLED {
            self.killed.insert(process.pid, signal);
            self.programs.remove(&process.pid);
        }
        Ok(())
    }
}
