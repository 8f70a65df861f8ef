//! What a decky is doing (`spec/fleet.md` §1).

/// What a decky is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeckyState {
    /// To be, and not looked at yet.
    Pending,
    /// All of it is served.
    Running,
    /// Some of it is served.
    Degraded,
    /// Nothing of it is served.
    Failed,
    /// To go, and not gone yet.
    TearingDown,
}

impl DeckyState {
    /// Its name in the database and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::TearingDown => "tearing_down",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Degraded, Self::Failed, Self::TearingDown]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// Of a decky with `ports` ports, `down` of which are not served.
    #[must_use]
    pub(crate) const fn of(ports: usize, down: usize) -> Self {
        match down {
            0 => Self::Running,
            _ if down < ports => Self::Degraded,
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decky_is_as_its_ports_are() {
        assert_eq!(DeckyState::of(3, 0), DeckyState::Running);
        assert_eq!(DeckyState::of(3, 2), DeckyState::Degraded);
        assert_eq!(DeckyState::of(3, 3), DeckyState::Failed);
        assert_eq!(DeckyState::parse("tearing_down"), Some(DeckyState::TearingDown));
        assert_eq!(DeckyState::parse("active"), None);
    }
}
