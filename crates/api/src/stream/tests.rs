//! Facts about this resource.
