//! Why a statement was refused; products give it their own code and text.

/// Where in a statement something unknown stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clause {
    Fields,
    Where,
    Order,
    Group,
    Having,
    On,
}

/// Why a statement was refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The statement cannot be read from byte `at` on; `token` is empty at its end.
    Syntax { at: usize, token: String },
    /// A quoted text or comment that does not end, starting at `at`.
    Unterminated { at: usize, token: String },
    /// Empty statement.
    Empty,
    /// Deeper nested or larger than is worked on.
    TooComplex,
    /// Took too many steps.
    TooLong,
    /// No such table.
    NoTable { schema: Option<String>, name: String, at: usize },
    /// No such column.
    NoColumn { table: Option<String>, name: String, clause: Clause, at: usize },
    /// A column of more than one table.
    Ambiguous { name: String, clause: Clause, at: usize },
    /// No such function for arguments of these types.
    NoFunction { name: String, types: Vec<&'static str>, at: usize },
    /// No such database.
    NoDatabase(String),
    /// No database was chosen.
    NoneChosen,
    /// A table of that name is there.
    TableExists(String),
    /// A database of that name is there.
    DatabaseExists(String),
    /// A text that is no value of the type.
    Input { kind: &'static str, text: String },
    /// Division by zero.
    DivisionByZero,
    /// More than one row where one value is needed.
    ManyRows,
    /// Sides of a set operation, or of an insert, with different numbers of columns.
    Columns { at: usize },
    /// The value of a unique column is there.
    Duplicate { table: String, key: String, value: String },
    /// A column that must not be null.
    NotNull { table: String, column: String },
    /// There is no room for more.
    Full,
    /// A parameter that was not bound.
    NoParameter(usize),
    /// Said by the product itself: its code (SQLSTATE or number) and text.
    Product(&'static str, String),
}
