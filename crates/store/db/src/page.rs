//! Pages of lists.

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Most rows.
    pub limit: u64,
    /// Rows to skip.
    pub offset: u64,
}

/// Part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Rows in the whole list.
    pub total: u64,
    /// Whether `total` stopped counting and is only a lower bound.
    pub total_estimated: bool,
}
