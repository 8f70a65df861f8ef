//! Statements as they are carried out.

use super::value::{Type, Value};

/// A name with its schema or database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) at: usize,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Statement {
    Query(Query),
    Insert(Insert),
    Update {
        table: Name,
        set: Vec<(String, Expr)>,
        filter: Option<Expr>,
        returning: Vec<Item>,
    },
    Delete {
        table: Name,
        filter: Option<Expr>,
        returning: Vec<Item>,
    },
    CreateTable {
        name: Name,
        columns: Vec<Definition>,
        unless_there: bool,
        query: Option<Query>,
    },
    DropTable {
        names: Vec<Name>,
        if_there: bool,
    },
    Truncate(Vec<Name>),
    CreateDatabase {
        name: String,
        unless_there: bool,
    },
    DropDatabase {
        name: String,
        if_there: bool,
    },
    AddColumn {
        table: Name,
        column: Definition,
    },
    DropColumn {
        table: Name,
        column: String,
    },
    RenameTable {
        table: Name,
        to: String,
    },
    /// One that products carry out on their own, by its first word.
    Other(String),
}

/// `INSERT` or `REPLACE`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Insert {
    pub(crate) table: Name,
    pub(crate) columns: Vec<String>,
    pub(crate) source: Source,
    /// Rows that are there already are left, or replaced.
    pub(crate) conflict: Conflict,
    pub(crate) returning: Vec<Item>,
}

/// What becomes of a row whose key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    Refuse,
    Skip,
    Replace,
}

/// Where inserted rows come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Values(Vec<Vec<Expr>>),
    Query(Box<Query>),
}

/// A column as it is defined.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) not_null: bool,
    pub(crate) primary: bool,
    pub(crate) unique: bool,
    pub(crate) automatic: bool,
    pub(crate) default: Option<Expr>,
}

/// A query: bodies put together, in an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) with: Vec<(String, Query)>,
    pub(crate) body: Select,
    /// Further bodies, with how they are put together.
    pub(crate) unions: Vec<(SetKind, Select)>,
    pub(crate) order: Vec<Sort>,
    pub(crate) limit: Option<Expr>,
    pub(crate) offset: Option<Expr>,
    /// `INTO OUTFILE` or `INTO DUMPFILE`.
    pub(crate) outfile: Option<String>,
}

/// How two results are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetKind {
    Union,
    UnionAll,
    Except,
    Intersect,
}

/// One `SELECT`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Select {
    pub(crate) distinct: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) from: Vec<Joined>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group: Vec<Expr>,
    pub(crate) having: Option<Expr>,
    /// `VALUES`, or rows of a query in parentheses.
    pub(crate) values: Option<Vec<Vec<Expr>>>,
    pub(crate) nested: Option<Box<Query>>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// All columns, of all tables or one.
    All(Option<String>),
    /// An expression with its name, and its text.
    One { expr: Expr, name: Option<String>, text: String },
}

/// A table of a `FROM`, with how it joins those before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Joined {
    pub(crate) table: From,
    pub(crate) alias: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) join: Join,
    pub(crate) on: Option<Expr>,
    pub(crate) using: Vec<String>,
}

/// What stands in a `FROM`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum From {
    Table(Name),
    Query(Box<Query>),
    Function { name: String, args: Vec<Expr>, at: usize },
}

/// How a table joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Cross,
    Inner,
    Left,
    Right,
}

/// A key of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sort {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    pub(crate) nulls_first: Option<bool>,
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Literal(Value),
    Parameter(usize),
    Column {
        table: Option<String>,
        name: String,
        at: usize,
    },
    /// `@@scope.name` or `@name`, with its signs.
    Variable(String),
    Default,
    Not(Box<Expr>),
    Negate(Box<Expr>),
    BitNot(Box<Expr>),
    Binary(Op, Box<Expr>, Box<Expr>),
    /// A chain of `AND` or `OR`.
    Chain(bool, Vec<Expr>),
    IsNull(Box<Expr>, bool),
    IsTruth(Box<Expr>, bool, bool),
    IsDistinct(Box<Expr>, Box<Expr>, bool),
    Between(Box<Expr>, Box<Expr>, Box<Expr>, bool),
    In(Box<Expr>, Vec<Expr>, bool),
    InQuery(Box<Expr>, Box<Query>, bool),
    Like {
        text: Box<Expr>,
        pattern: Box<Expr>,
        fold: bool,
        not: bool,
    },
    Regex {
        text: Box<Expr>,
        pattern: Box<Expr>,
        fold: bool,
        not: bool,
    },
    Case {
        on: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        other: Option<Box<Expr>>,
    },
    Cast(Box<Expr>, Type, String),
    Call(Box<Call>),
    Exists(Box<Query>),
    Scalar(Box<Query>),
    /// A comparison with any (or all, when true) of a query's or list's values.
    Quantified(Op, Box<Expr>, bool, Box<Expr>),
    ListQuery(Box<Query>),
    List(Vec<Expr>),
    Row(Vec<Expr>),
    At(Box<Expr>, Box<Expr>),
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
    pub(crate) args: Vec<Expr>,
    pub(crate) distinct: bool,
    /// `count(*)`.
    pub(crate) star: bool,
    pub(crate) order: Vec<Sort>,
    pub(crate) separator: Option<String>,
    pub(crate) filter: Option<Expr>,
    pub(crate) at: usize,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// MySQL's `<=>`.
    Same,
    Add,
    Subtract,
    Multiply,
    Divide,
    /// MySQL's `DIV`.
    Whole,
    Modulo,
    Power,
    Concat,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Xor,
    JsonGet,
    JsonText,
    Contains,
}
