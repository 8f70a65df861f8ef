//! The calls allowed with some arguments only.

use std::collections::BTreeMap;

use libc::*;
use seccompiler::{
    BackendError, SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition,
    SeccompRule,
};

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// Each call with the alternatives of which one must hold.
pub(super) fn rules() -> Result<Rules, BackendError> {
    let mut rules = Rules::new();
    memory(&mut rules)?;
    threads(&mut rules)?;
    files(&mut rules)?;
    sockets(&mut rules)?;
    Ok(rules)
}

/// No memory that is or becomes executable: injected code has nowhere to run.
fn memory(rules: &mut Rules) -> Result<(), BackendError> {
    for call in [SYS_mmap, SYS_mprotect] {
        allow(rules, call, &[bits(2, PROT_EXEC, 0)?])?;
    }
    Ok(())
}

/// Threads of this process, never another process; signals to ourselves only.
fn threads(rules: &mut Rules) -> Result<(), BackendError> {
    const THREAD: c_int = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
    const OTHER: c_int = CLONE_VFORK
        | CLONE_PARENT
        | CLONE_PTRACE
        | CLONE_PIDFD
        | CLONE_NEWNS
        | CLONE_NEWCGROUP
        | CLONE_NEWUTS
        | CLONE_NEWIPC
        | CLONE_NEWUSER
        | CLONE_NEWPID
        | CLONE_NEWNET;
    allow(rules, SYS_clone, &[bits(0, THREAD | OTHER, THREAD)?])?;
    // `abort` and the C library's cancellation.
    let own = rustix::process::getpid().as_raw_nonzero().get();
    allow(rules, SYS_tgkill, &[equal(0, own)?])?;
    allow(rules, SYS_prctl, &[equal(0, PR_SET_NAME)?])?;
    // Reading limits: of ourselves, with no new value.
    allow(rules, SYS_prlimit64, &[equal(0, 0)?, no_pointer(2)?])
}

/// Opening, which Landlock judges, and the few controls of descriptors.
fn files(rules: &mut Rules) -> Result<(), BackendError> {
    // Before version 3 Landlock lets a file opened for reading be truncated.
    allow(rules, SYS_openat, &[bits(2, O_ACCMODE | O_TRUNC, O_RDONLY)?])?;
    allow(rules, SYS_openat, &[bits(2, O_ACCMODE, O_WRONLY)?])?;
    allow(rules, SYS_openat, &[bits(2, O_ACCMODE, O_RDWR)?])?;
    // Not F_SETOWN and F_SETSIG, with which a descriptor sends signals to any process.
    for command in [F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC] {
        allow(rules, SYS_fcntl, &[equal(1, command)?])?;
    }
    // Not the terminal's: TIOCSTI types into the operator's shell.
    for request in [FIONBIO, FIOCLEX, FIONREAD] {
        let request = SeccompCondition::new(1, Length::Dword, Compare::Eq, request)?;
        allow(rules, SYS_ioctl, &[request])?;
    }
    Ok(())
}

/// Sockets are handed in; the process makes none that reaches anyone else.
fn sockets(rules: &mut Rules) -> Result<(), BackendError> {
    // A connected pair inside the process, which the runtime wakes its signal driver with.
    allow(rules, SYS_socketpair, &[equal(0, AF_UNIX)?])?;
    // A listening socket that was shut down is an ordinary unconnected one, and sending with
    // MSG_FASTOPEN connects it without `connect`.
    allow(rules, SYS_sendto, &[bits(3, MSG_FASTOPEN, 0)?])?;
    allow(rules, SYS_sendmsg, &[bits(2, MSG_FASTOPEN, 0)?])?;
    for (level, options) in SOCKET_OPTIONS {
        for option in *options {
            allow(rules, SYS_setsockopt, &[equal(1, *level)?, equal(2, *option)?])?;
        }
    }
    Ok(())
}

/// Options that tune a connection. Not filters, devices, marks, routing, TCP_REPAIR or
/// TCP_FASTOPEN_CONNECT.
const SOCKET_OPTIONS: &[(c_int, &[c_int])] = &[
    (
        SOL_SOCKET,
        &[SO_KEEPALIVE, SO_LINGER, SO_RCVBUF, SO_SNDBUF, SO_RCVTIMEO, SO_SNDTIMEO, SO_RCVLOWAT],
    ),
    (
        IPPROTO_TCP,
        &[TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT, TCP_QUICKACK],
    ),
    (IPPROTO_IP, &[IP_TTL, IP_TOS]),
    (IPPROTO_IPV6, &[IPV6_UNICAST_HOPS, IPV6_TCLASS]),
];

/// Adds the alternative that all `conditions` hold.
fn allow(
    rules: &mut Rules,
    call: c_long,
    conditions: &[SeccompCondition],
) -> Result<(), BackendError> {
    rules.entry(call).or_default().push(SeccompRule::new(conditions.to_vec())?);
    Ok(())
}

/// The kernel reads these arguments as 32-bit numbers, so the upper half must not be compared.
fn equal(argument: u8, value: c_int) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Length::Dword, Compare::Eq, word(value))
}

/// Of the bits in `mask`, exactly those of `value` are set.
fn bits(argument: u8, mask: c_int, value: c_int) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Length::Dword, Compare::MaskedEq(word(mask)), word(value))
}

fn no_pointer(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Length::Qword, Compare::Eq, 0)
}

/// The bit pattern of an argument, without the sign in the upper half.
fn word(value: c_int) -> u64 {
    u64::from(value.cast_unsigned())
}
