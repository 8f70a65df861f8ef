//! Ceilings of one shell process.

use std::time::Duration;

/// Steps (commands, loop turns, expansions) between two pauses.
pub const STEPS_PER_SLICE: u32 = 4_000;
/// How long a busy program pauses after each slice: it looks busy and costs little.
pub const SLICE_PAUSE: Duration = Duration::from_millis(100);
/// Steps of one command line; past it the kernel kills.
pub const STEPS_PER_LINE: u64 = 1_000_000;
/// Output between two pauses.
pub const OUTPUT_PER_SLICE: usize = 128 * 1024;
/// How long a flood of output pauses after each slice.
pub const OUTPUT_PAUSE: Duration = Duration::from_millis(50);
/// Output of one command line; past it the program is killed.
pub const OUTPUT_PER_LINE: u64 = 4 * 1024 * 1024;
/// Commands inside commands: functions, compound commands, substitutions, subshells. Each holds a few
/// frames while it is polled; so many of them fit a two-megabyte stack even unoptimised.
pub const DEPTH: usize = 28;
/// Longest value of a variable.
pub const VALUE: usize = 256 * 1024;
/// All variables together.
pub const VARIABLES: usize = 2 * 1024 * 1024;
/// Arguments of one command, in bytes (`ARG_MAX`).
pub const ARGUMENTS: usize = 2 * 1024 * 1024;
/// Output kept of a command substitution.
pub const SUBSTITUTION: usize = 1024 * 1024;
/// Bytes in a pipe, as on Linux.
pub const PIPE: usize = 64 * 1024;
/// Commands in the background at once.
pub const JOBS: usize = 12;
/// Stages of a pipeline.
pub const STAGES: usize = 32;
/// Typed bytes waiting to be read; more are lost, as on a terminal.
pub const TYPED: usize = 256 * 1024;
/// Bytes sent to a pipe and waiting to be read; a client that sends more is cut off.
pub const INPUT: usize = 4 * 1024 * 1024;
/// Longest line of the line editor.
pub const LINE: usize = 64 * 1024;
/// Whole file read at once by a command.
pub const SLURP: usize = 16 * 1024 * 1024;
/// Commands started by one command line.
pub const COMMANDS_PER_LINE: u32 = 20_000;
