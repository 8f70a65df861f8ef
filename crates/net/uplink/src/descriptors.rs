//! Whether a fleet fits the descriptor limit, before the first socket is opened.
//!
//! The limit counts per process. The keeper holds every listening socket to pass it again when the
//! decoy process restarts, and the decoy process holds a copy; so each of the two needs one
//! descriptor per socket, and room for what it does besides.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Room for connections, journal, database and runtime: a quarter of the limit, at least and at
/// most these. The least lets a demonstration run under a limit of 1,024; more than the most is not
/// needed before the machine's memory ends.
const ROOM: (u64, u64) = (256, 16_384);

/// The fleet needs more descriptors than a process may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{deckies} deckies need {needed} open files and the limit is {limit}; {fitting} of them fit. \
     Raise the hard limit (`ulimit -Hn`, or `LimitNOFILE=` in the systemd unit) or deploy fewer \
     deckies"
)]
pub struct TooManyDeckies {
    /// Deckies asked for.
    pub deckies: usize,
    /// Descriptors that each process would need.
    pub needed: u64,
    /// Descriptors that each process may have.
    pub limit: u64,
    /// How many deckies, in the order given, fit.
    pub fitting: usize,
}

/// Raises this process's soft limit to the hard one and returns what is in force. The decoy process
/// inherits it.
pub fn raise_limit() -> u64 {
    let hard = getrlimit(Resource::Nofile).maximum;
    // On failure the limit stays as it was, which the return value says.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: hard, maximum: hard });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Descriptors that each of the two processes needs for `listeners` sockets under `limit`; also
/// what the decoy process asks its sandbox for.
#[must_use]
pub fn descriptors_needed(listeners: usize, limit: u64) -> u64 {
    let (least, most) = ROOM;
    let listeners = u64::try_from(listeners).unwrap_or(u64::MAX);
    listeners.saturating_add((limit / 4).clamp(least, most))
}

/// Checks a fleet, given the number of open ports of each decky, against `limit` descriptors per
/// process. Returns the descriptors needed.
///
/// # Errors
/// [`TooManyDeckies`] with the number that fits.
pub fn fit(ports_per_decky: &[usize], limit: u64) -> Result<u64, TooManyDeckies> {
    let mut listeners = 0_usize;
    let mut fitting = 0;
    for ports in ports_per_decky {
        listeners = listeners.saturating_add(*ports);
        if descriptors_needed(listeners, limit) <= limit {
            fitting += 1;
        }
    }
    let needed = descriptors_needed(listeners, limit);
    let deckies = ports_per_decky.len();
    if needed <= limit {
        Ok(needed)
    } else {
        Err(TooManyDeckies { deckies, needed, limit, fitting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_that_does_not_fit_is_refused_with_the_number_that_does() {
        let refused = fit(&[10; 100], 1024).unwrap_err();
        assert_eq!((refused.fitting, refused.deckies, refused.limit), (76, 100, 1024));
        assert!(fit(&[10; 76], 1024).is_ok());
        assert!(fit(&[10; 77], 1024).is_err());
        let text = refused.to_string();
        assert!(text.contains("76 of them fit") && text.contains("LimitNOFILE="), "{text}");
    }

    #[test]
    fn ten_thousand_ports_fit_a_server_and_none_fit_a_tiny_limit() {
        assert!(fit(&[1; 10_000], 524_288).is_ok());
        assert_eq!(fit(&[1, 1], 64).unwrap_err().fitting, 0);
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let limit = raise_limit();
        assert_eq!(getrlimit(Resource::Nofile).maximum, Some(limit));
    }
}
