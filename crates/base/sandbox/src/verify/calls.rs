//! Forbidden system calls, made without the C library's help.
#![expect(unsafe_code, reason = "trying forbidden system calls needs raw ones")]

use std::io;

use libc::*;

/// A forbidden call.
pub(super) struct Act {
    /// What it would do.
    pub(super) name: &'static str,
    call: c_long,
    arguments: [Argument; 6],
}

/// An argument, as far as it is not known when compiling.
#[derive(Clone, Copy)]
enum Argument {
    /// This number.
    Number(c_long),
    /// The process that started ours; exists, and is none of our business.
    Parent,
}

impl Act {
    /// Makes the call; whether it was refused. Not implemented is refused as well.
    pub(super) fn is_refused(&self) -> bool {
        let [a, b, c, d, e, f] = self.arguments.map(|argument| match argument {
            Argument::Number(number) => number,
            Argument::Parent => {
                rustix::process::getppid().map_or(1, |pid| pid.as_raw_nonzero().get().into())
            }
        });
        // SAFETY: no act of the table passes a pointer to memory of ours: each is null or invalid,
        // or a plain number, so that the kernel reads and writes none of it. Acts that make
        // something are dealt with below.
        let result = unsafe { syscall(self.call, a, b, c, d, e, f) };
        if result < 0 {
            let error = io::Error::last_os_error();
            return super::is_refusal(&error) || error.raw_os_error() == Some(ENOSYS);
        }
        self.undo(result);
        false
    }

    /// Takes back what a call did that should have been refused.
    fn undo(&self, result: c_long) {
        if self.call == SYS_clone && result == 0 {
            // SAFETY: this is a copy of the process with its own memory, which ends here without
            // running anything that the copied state could confuse.
            unsafe { _exit(0) }
        }
        if self.call == SYS_mmap {
            // SAFETY: the page was just made by the call and nothing else knows it.
            unsafe { syscall(SYS_munmap, result, PAGE) };
        }
        if MAKE_DESCRIPTORS.contains(&self.call) {
            // SAFETY: the descriptor was just made by the call and nothing else knows it.
            unsafe { syscall(SYS_close, result) };
        }
    }
}

const MAKE_DESCRIPTORS: &[c_long] = &[SYS_socket, SYS_pidfd_open, SYS_inotify_init1];
const PAGE: c_long = 4096;
/// Not a descriptor: an allowed call says `EBADF`.
const NO_FD: c_long = -1;
/// Not an address: an allowed call says `EFAULT`.
const NULL: c_long = 0;
const NO_ADDRESS: c_long = 1;
const ANYWHERE: c_long = AT_FDCWD as c_long;

const fn act<const N: usize>(name: &'static str, call: c_long, numbers: [c_long; N]) -> Act {
    Act { name, call, arguments: padded(numbers) }
}

/// As [`act`], with the parent process as the first argument.
const fn on_parent<const N: usize>(name: &'static str, call: c_long, rest: [c_long; N]) -> Act {
    let [a, b, c, d, e, _] = padded(rest);
    Act { name, call, arguments: [Argument::Parent, a, b, c, d, e] }
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
const fn padded<const N: usize>(numbers: [c_long; N]) -> [Argument; 6] {
    let mut arguments = [Argument::Number(0); 6];
    let mut i = 0;
    while i < N {
        arguments[i] = Argument::Number(numbers[i]);
        i += 1;
    }
    arguments
}

/// What must not be possible.
pub(super) const FORBIDDEN: &[Act] = &[
    // Connections.
    act("open an IPv4 socket", SYS_socket, [AF_INET as c_long, SOCK_STREAM as c_long]),
    act("open an IPv4 datagram socket", SYS_socket, [AF_INET as c_long, SOCK_DGRAM as c_long]),
    act("open an IPv6 socket", SYS_socket, [AF_INET6 as c_long, SOCK_STREAM as c_long]),
    act("open a local socket", SYS_socket, [AF_UNIX as c_long, SOCK_STREAM as c_long]),
    act("open a netlink socket", SYS_socket, [AF_NETLINK as c_long, SOCK_RAW as c_long]),
    act("open a packet socket", SYS_socket, [AF_PACKET as c_long, SOCK_RAW as c_long]),
    act(
        "open a socket to the host machine",
        SYS_socket,
        [AF_VSOCK as c_long, SOCK_STREAM as c_long],
    ),
    act("connect a socket", SYS_connect, [NO_FD, NULL, 16]),
    act("bind a socket", SYS_bind, [NO_FD, NULL, 16]),
    act("listen on a socket", SYS_listen, [NO_FD, 1]),
    act("connect by sending", SYS_sendto, [NO_FD, NULL, 0, MSG_FASTOPEN as c_long]),
    act("connect by sending a message", SYS_sendmsg, [NO_FD, NULL, MSG_FASTOPEN as c_long]),
    act("send many messages", SYS_sendmmsg, [NO_FD, NULL, 0, 0]),
    act(
        "attach a socket filter",
        SYS_setsockopt,
        [NO_FD, SOL_SOCKET as c_long, SO_ATTACH_FILTER as c_long],
    ),
    act(
        "connect with the first byte",
        SYS_setsockopt,
        [NO_FD, IPPROTO_TCP as c_long, TCP_FASTOPEN_CONNECT as c_long],
    ),
    act(
        "repair a connection",
        SYS_setsockopt,
        [NO_FD, IPPROTO_TCP as c_long, TCP_REPAIR as c_long],
    ),
    // Programs and processes.
    act("run a program", SYS_execve, [NULL, NULL, NULL]),
    act("run a program by descriptor", SYS_execveat, [NO_FD, NULL, NULL, NULL, 0]),
    act("fork", SYS_clone, [SIGCHLD as c_long]),
    // Invalid together, so that no shared stack is at stake where the filter lets it through.
    act("fork as vfork does", SYS_clone, [(CLONE_VFORK | CLONE_SIGHAND | SIGCHLD) as c_long]),
    act("make a process with clone3", SYS_clone3, [NULL, 0]),
    act("make a namespace", SYS_unshare, [(CLONE_NEWUSER | CLONE_THREAD | 1) as c_long]),
    act("enter a namespace", SYS_setns, [NO_FD, 0]),
    act("trace a process", SYS_ptrace, [PTRACE_ATTACH as c_long, -1]),
    on_parent("read another process's memory", SYS_process_vm_readv, [NULL, 0, NULL, 0, 0]),
    on_parent("write another process's memory", SYS_process_vm_writev, [NULL, 0, NULL, 0, 0]),
    on_parent("signal another process", SYS_kill, [0]),
    on_parent("signal another process's thread", SYS_tkill, [0]),
    on_parent("queue a signal to another process", SYS_rt_sigqueueinfo, [0, NO_ADDRESS]),
    on_parent("get hold of another process", SYS_pidfd_open, [0]),
    act("take another process's descriptor", SYS_pidfd_getfd, [NO_FD, 0, 0]),
    on_parent("change another process's limits", SYS_prlimit64, [RLIMIT_NOFILE as c_long, NULL]),
    act("own the signals of a descriptor", SYS_fcntl, [NO_FD, F_SETOWN as c_long]),
    act("change a control of the process", SYS_prctl, [PR_SET_DUMPABLE as c_long, 99]),
    act("raise a limit", SYS_prlimit64, [0, RLIMIT_NOFILE as c_long, NO_ADDRESS]),
    // Executable memory.
    act(
        "map executable memory",
        SYS_mmap,
        [
            NULL,
            PAGE,
            (PROT_READ | PROT_EXEC) as c_long,
            (MAP_PRIVATE | MAP_ANONYMOUS) as c_long,
            NO_FD,
            0,
        ],
    ),
    act("make memory executable", SYS_mprotect, [NULL, 0, PROT_EXEC as c_long]),
    act("make memory executable by key", SYS_pkey_mprotect, [NULL, 0, PROT_EXEC as c_long, -1]),
    act("make a file in memory", SYS_memfd_create, [NULL, 0]),
    act("attach shared memory", SYS_shmat, [-1, NULL, 0]),
    // Powers of the kernel.
    act("use io_uring", SYS_io_uring_setup, [0, NULL]),
    act("load a BPF program", SYS_bpf, [-1, NULL, 0]),
    act("open a performance counter", SYS_perf_event_open, [NULL, 0, -1, -1, 0]),
    act("handle page faults", SYS_userfaultfd, [-1]),
    act("use the kernel's keys", SYS_keyctl, [-1]),
    act("add a key", SYS_add_key, [NULL, NULL, NULL, 0, 0]),
    act("load a module", SYS_init_module, [NULL, 0, NULL]),
    act("load a module by descriptor", SYS_finit_module, [NO_FD, NULL, 0]),
    act("load another kernel", SYS_kexec_load, [0, 0, NULL, -1]),
    act("restart the machine", SYS_reboot, [0, 0, 0]),
    act("name the machine", SYS_sethostname, [NULL, -1]),
    act("set the clock", SYS_clock_settime, [-1, NULL]),
    act("swap", SYS_swapon, [NULL, 0]),
    act("mount", SYS_mount, [NULL, NO_ADDRESS, NULL, 0, NULL]),
    act("mount by descriptor", SYS_fsopen, [NULL, 0]),
    act("unmount", SYS_umount2, [NULL, 0]),
    act("change the root folder", SYS_chroot, [NULL]),
    act("swap the root folder", SYS_pivot_root, [NULL, NULL]),
    act("become root", SYS_setuid, [0]),
    act("become root's group", SYS_setgid, [0]),
    act("join groups", SYS_setgroups, [0, NULL]),
    act("change capabilities", SYS_capset, [NULL, NULL]),
    act("watch files", SYS_inotify_init1, [0]),
    act("watch all files", SYS_fanotify_init, [-1, 0]),
    // Files by ways that Landlock does not judge.
    act("change the working folder", SYS_chdir, [NULL]),
    act("change the working folder by descriptor", SYS_fchdir, [NO_FD]),
    act("change a file's mode", SYS_fchmodat, [ANYWHERE, NULL, 0]),
    act("change an open file's mode", SYS_fchmod, [NO_FD, 0]),
    act("change a file's owner", SYS_fchownat, [ANYWHERE, NULL, 0, 0, 0]),
    act("change a file's attributes", SYS_setxattr, [NULL, NULL, NULL, 0, 0]),
    act("change a file's times", SYS_utimensat, [ANYWHERE, NULL, NO_ADDRESS, 0]),
    act("truncate by path", SYS_truncate, [NULL, 0]),
    act("truncate on opening to read", SYS_openat, [ANYWHERE, NULL, O_TRUNC as c_long]),
    act("open by another call", SYS_openat2, [ANYWHERE, NULL, NULL, 0]),
    act("open by handle", SYS_open_by_handle_at, [NO_FD, NULL, 0]),
    act("link", SYS_linkat, [ANYWHERE, NULL, ANYWHERE, NULL, 0]),
    act("link symbolically", SYS_symlinkat, [NULL, ANYWHERE, NULL]),
    act("make a device", SYS_mknodat, [ANYWHERE, NULL, S_IFCHR as c_long, 0]),
    act("move data between pipes", SYS_splice, [NO_FD, NULL, NO_FD, NULL, 0, 0]),
    act("type into the terminal", SYS_ioctl, [NO_FD, TIOCSTI as c_long, NULL]),
    // The older forms that only this processor family has.
    #[cfg(target_arch = "x86_64")]
    act("open by the older call", SYS_open, [NULL, 0]),
    #[cfg(target_arch = "x86_64")]
    act("make a file by the older call", SYS_creat, [NULL, 0]),
    #[cfg(target_arch = "x86_64")]
    act("change a mode by the older call", SYS_chmod, [NULL, 0]),
    #[cfg(target_arch = "x86_64")]
    act("link by the older call", SYS_symlink, [NULL, NULL]),
    #[cfg(target_arch = "x86_64")]
    act("change a descriptor table", SYS_modify_ldt, [-1, NULL, 0]),
    #[cfg(target_arch = "x86_64")]
    act("reach the hardware's ports", SYS_iopl, [4]),
    // The same numbers in the table for 32-bit pointers.
    #[cfg(target_arch = "x86_64")]
    act("open a socket by the x32 table", SYS_socket | 0x4000_0000, [AF_INET as c_long, 1]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_act_has_its_own_name() {
        let names: BTreeSet<_> = FORBIDDEN.iter().map(|act| act.name).collect();
        assert_eq!(names.len(), FORBIDDEN.len());
    }

    #[test]
    fn an_unjailed_process_is_found_open_without_harm() {
        let refused = |name: &str| {
            FORBIDDEN.iter().find(|act| act.name == name).expect("listed").is_refused()
        };
        for harmless in ["open an IPv4 socket", "fork", "map executable memory", "bind a socket"] {
            assert!(!refused(harmless), "{harmless} was refused outside the jail");
        }
    }
}
