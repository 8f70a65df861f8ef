//! What every process of ours needs from the machine: time, entropy, the environment, logging and
//! an orderly end.
//!
//! The only crate that reads the clock, the environment and the system's random numbers. Others
//! take them as arguments.

pub mod clock;
pub mod entropy;
pub mod environment;
pub mod shutdown;
pub mod telemetry;

pub use clock::Clock;
pub use shutdown::Shutdown;
