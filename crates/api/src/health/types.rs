//! Shape of the health answer.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::health::board::{ComponentStatus, Overall};

/// How the whole and its components are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `healthy`, `degraded` or `unhealthy`.
    status: &'static str,
    /// By name.
    components: BTreeMap<&'static str, Component>,
}

/// How one component is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Component {
    /// `ok` or `failing`.
    status: &'static str,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Health {
    pub(crate) fn of(
        overall: Overall,
        components: BTreeMap<&'static str, ComponentStatus>,
    ) -> Self {
        let status = match overall {
            Overall::Healthy => "healthy",
            Overall::Degraded => "degraded",
            Overall::Unhealthy => "unhealthy",
        };
        let component = |(name, status)| match status {
            ComponentStatus::Ok => (name, Component { status: "ok", detail: None }),
            ComponentStatus::Failing(detail) => {
                (name, Component { status: "failing", detail: Some(detail) })
            }
        };
        Self { status, components: components.into_iter().map(component).collect() }
    }
}
