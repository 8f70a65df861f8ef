//! The calls allowed whatever their arguments, and those said not to exist.

use libc::*;

/// Allowed as they are: they act on this process, on descriptors it has, or on paths, which Landlock
/// judges. The numbers of the two processor families differ; the names below exist on both.
#[cfg(target_arch = "aarch64")]
pub(super) const PLAIN: &[c_long] = COMMON;

/// As on the other processors, with the older calls that the C library uses on x86-64.
#[cfg(target_arch = "x86_64")]
pub(super) const PLAIN: &[c_long] = {
    const OLDER: [c_long; 9] = [
        SYS_stat,
        SYS_lstat,
        SYS_epoll_wait,
        SYS_poll,
        SYS_rename,
        SYS_mkdir,
        SYS_rmdir,
        SYS_unlink,
        SYS_time,
    ];
    const ALL: [c_long; COMMON.len() + OLDER.len()] = joined(COMMON, &OLDER);
    &ALL
};

/// Whether the numbers were checked for this processor family. The filter is not installed where
/// not: an empty list would refuse everything.
pub(super) const IS_KNOWN: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const PLAIN: &[c_long] = &[];

/// Answered with `ENOSYS`: thread creation and opening have older forms whose arguments can be
/// checked, which the C library and runtimes fall back to.
pub(super) const NOT_IMPLEMENTED: &[c_long] = &[SYS_clone3, SYS_openat2, SYS_epoll_pwait2];

#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    expect(dead_code, reason = "only where the numbers were checked")
)]
const COMMON: &[c_long] = &[
    // Reading and writing what is open.
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_lseek,
    SYS_close,
    SYS_copy_file_range,
    // Making files durable and giving them a size.
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_flock,
    // Paths: Landlock judges all but the look at a file's metadata.
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_getdents64,
    SYS_statx,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statfs,
    SYS_fstatfs,
    SYS_getcwd,
    SYS_umask,
    // Sockets that were handed in or accepted; sending is conditional.
    SYS_accept4,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    // Waiting.
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_ppoll,
    SYS_eventfd2,
    SYS_pipe2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_restart_syscall,
    // Threads.
    SYS_futex,
    SYS_futex_waitv,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_membarrier,
    SYS_getcpu,
    SYS_exit,
    SYS_exit_group,
    // Memory; making it executable is conditional.
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    // Signals of our own.
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    // Questions.
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrandom,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_uname,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
];

#[cfg(target_arch = "x86_64")]
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which checks it")]
const fn joined<const N: usize>(first: &[c_long], second: &[c_long]) -> [c_long; N] {
    assert!(first.len() + second.len() == N);
    let mut all = [0; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < first.len() { first[i] } else { second[i - first.len()] };
        i += 1;
    }
    all
}
