//! seccomp: an allow-list of the system calls that a multi-threaded process serving sockets it was
//! given and files it may open needs. Everything else is refused, on all threads.
//!
//! A refused call returns `EPERM` instead of killing the process: libraries probe for optional calls
//! and go on without them, and one odd path, which an attacker may be able to provoke, must not end
//! every decky of the process. Calls that the C library replaces by older ones when they are not
//! implemented, and that the filter cannot look into (their arguments lie in memory), return
//! `ENOSYS` instead: `clone3` becomes `clone`, whose flags are checked.
//!
//! A call of another architecture's table (32-bit) kills the process: nothing of ours makes one.

mod allowed;
mod conditions;

use libc::{BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use seccompiler::{BackendError, BpfProgram, SeccompAction, SeccompFilter, sock_filter};

use crate::SandboxError;

/// Filters the calls of all threads, for ever.
pub(crate) fn filter() -> Result<(), SandboxError> {
    if !allowed::IS_KNOWN {
        let why = format!("no list of calls for the {} processor", std::env::consts::ARCH);
        return Err(SandboxError::NoSeccomp { why });
    }
    let program = program().map_err(|error| SandboxError::NoSeccomp { why: error.to_string() })?;
    seccompiler::apply_filter_all_threads(&program)
        .map_err(|error| SandboxError::NoSeccomp { why: error.to_string() })
}

fn program() -> Result<BpfProgram, BackendError> {
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    let mut rules = conditions::rules()?;
    rules.extend(allowed::PLAIN.iter().map(|&call| (call, Vec::new())));
    let allow_list = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)?;
    let mut program = not_implemented();
    program.extend(BpfProgram::try_from(allow_list)?);
    Ok(program)
}

/// Instructions that answer `ENOSYS` for the calls meant to be replaced. They stand before the
/// allow-list in the same program, so there is no order of two filters to get wrong; jumps are
/// relative, so the list behind is not disturbed.
fn not_implemented() -> BpfProgram {
    let statement = |code: u32, k| instruction(code, 0, k);
    let answer = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let mut program = vec![statement(BPF_LD | BPF_W | BPF_ABS, 0)];
    for &call in allowed::NOT_IMPLEMENTED {
        let Ok(number) = u32::try_from(call) else { continue };
        program.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, 1, number));
        program.push(statement(BPF_RET | BPF_K, answer));
    }
    program
}

/// One instruction that skips `skip_unless` instructions when its comparison is false.
fn instruction(code: u32, skip_unless: u8, k: u32) -> sock_filter {
    // All instruction codes are below 0x100.
    sock_filter { code: u16::try_from(code).unwrap_or_default(), jt: 0, jf: skip_unless, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_fits_the_kernels_limit() {
        let length = program().unwrap().len();
        assert!((100..4096).contains(&length), "{length} instructions");
    }

    #[test]
    fn no_call_is_both_plain_and_conditional_or_replaced() {
        let conditional = conditions::rules().unwrap();
        for call in allowed::PLAIN {
            assert!(!conditional.contains_key(call), "call {call} is in two lists");
            assert!(!allowed::NOT_IMPLEMENTED.contains(call), "call {call} is in two lists");
        }
    }
}
