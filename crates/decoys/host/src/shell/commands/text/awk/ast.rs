//! A program as it was read.

use std::sync::Arc;

use crate::shell::regex::Regex;

pub(super) struct Program {
    pub(super) begin: Vec<Vec<Statement>>,
    pub(super) rules: Vec<Rule>,
    pub(super) end: Vec<Vec<Statement>>,
    pub(super) functions: Vec<Function>,
    /// Names of global variables by slot.
    pub(super) globals: Vec<String>,
}

pub(super) struct Rule {
    pub(super) pattern: Pattern,
    /// Without an action the record is printed.
    pub(super) action: Option<Vec<Statement>>,
}

pub(super) enum Pattern {
    Always,
    When(Expression),
    Range(Expression, Expression),
}

pub(super) struct Function {
    pub(super) name: String,
    pub(super) parameters: usize,
    pub(super) body: Vec<Statement>,
}

pub(super) enum Statement {
    Expression(Expression),
    Print(Vec<Expression>, Option<Redirect>),
    Printf(Vec<Expression>, Option<Redirect>),
    If(Expression, Vec<Statement>, Vec<Statement>),
    While(Expression, Vec<Statement>),
    Do(Vec<Statement>, Expression),
    For(Vec<Statement>, Option<Expression>, Vec<Statement>, Vec<Statement>),
    ForIn(Variable, Variable, Vec<Statement>),
    Delete(Variable, Vec<Expression>),
    Next,
    Exit(Option<Expression>),
    Return(Option<Expression>),
    Break,
    Continue,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RedirectKind {
    Write,
    Append,
    Pipe,
}

pub(super) struct Redirect {
    pub(super) kind: RedirectKind,
    pub(super) to: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Global(usize),
    Local(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Concat,
    Less,
    LessEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
}

/// What can be assigned to.
pub(super) enum Place {
    Variable(Variable),
    Field(Box<Expression>),
    Element(Variable, Vec<Expression>),
}

/// Where `getline` reads.
pub(super) enum Source {
    Main,
    File(Box<Expression>),
    Command(Box<Expression>),
}

pub(super) enum Expression {
    Number(f64),
    Text(Arc<[u8]>),
    /// A regular expression: matched against the record when it stands alone.
    Regex(Arc<Regex>),
    Read(Place),
    Assign(Place, Option<Binary>, Box<Expression>),
    /// Place, step, whether the value before it counts.
    Step(Place, f64, bool),
    Binary(Binary, Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Plus(Box<Expression>),
    Match(bool, Box<Expression>, Box<Expression>),
    In(Vec<Expression>, Variable),
    Choice(Box<Expression>, Box<Expression>, Box<Expression>),
    Call(usize, Vec<Argument>),
    Builtin(Builtin, Vec<Argument>),
    Getline(Source, Option<Place>),
    Group(Box<Expression>),
}

/// An argument: a bare name may be an array.
pub(super) enum Argument {
    Name(Variable),
    Value(Expression),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Length,
    Substr,
    Index,
    Split,
    Sub,
    Gsub,
    Match,
    Sprintf,
    Sin,
    Cos,
    Atan2,
    Exp,
    Log,
    Sqrt,
    Int,
    Rand,
    Srand,
    ToLower,
    ToUpper,
    System,
    Close,
    Fflush,
    Systime,
    Strftime,
}

impl Builtin {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "length" => Self::Length,
            "substr" => Self::Substr,
            "index" => Self::Index,
            "split" => Self::Split,
            "sub" => Self::Sub,
            "gsub" => Self::Gsub,
            "match" => Self::Match,
            "sprintf" => Self::Sprintf,
            "sin" => Self::Sin,
            "cos" => Self::Cos,
            "atan2" => Self::Atan2,
            "exp" => Self::Exp,
            "log" => Self::Log,
            "sqrt" => Self::Sqrt,
            "int" => Self::Int,
            "rand" => Self::Rand,
            "srand" => Self::Srand,
            "tolower" => Self::ToLower,
            "toupper" => Self::ToUpper,
            "system" => Self::System,
            "close" => Self::Close,
            "fflush" => Self::Fflush,
            "systime" => Self::Systime,
            "strftime" => Self::Strftime,
            _ => return None,
        })
    }
}
