//! Values of expressions.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;

use super::aggregate;
use super::ast::{Call, Expr, Name, Op, Query};
use super::fault::{Clause, Fault};
use super::functions;
use super::lexer::Dialect;
use super::pattern;
use super::select::select_in;
use super::store::Table;
use super::value::{Type, Value};

/// Longest text that an expression makes.
const MAX_TEXT: usize = 1024 * 1024;

/// What a product adds to the language.
pub(crate) trait World {
    fn dialect(&self) -> Dialect;

    /// The table called `name`, of the store or of a catalogue.
    fn table(&self, name: &Name) -> Result<Cow<'_, Table>, Fault>;

    /// The value of a function of the product's own; none when it has none of that name.
    fn function(&self, name: &str, args: &[Value]) -> Option<Result<Value, Fault>>;

    /// A function that stands in a `FROM`.
    fn rows_of(&self, name: &str, args: &[Value]) -> Option<Table>;

    /// `@@name` and `@name`.
    fn variable(&self, name: &str) -> Result<Value, Fault>;

    /// What a function of the product's own returns.
    fn returns(&self, name: &str) -> Option<Type>;

    /// Microseconds since the epoch.
    fn micros(&self) -> i64;

    /// A number in `0..1`.
    fn random(&self) -> f64;
}

/// Steps that a statement may still take.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u32>);

impl Budget {
    pub(crate) const fn new(steps: u32) -> Self {
        Self(Cell::new(steps))
    }

    /// Steps that are left.
    pub(crate) const fn left(&self) -> u32 {
        self.0.get()
    }

    pub(super) fn step(&self) -> Result<(), Fault> {
        self.steps(1)
    }

    pub(super) fn steps(&self, steps: u32) -> Result<(), Fault> {
        match self.0.get().checked_sub(steps) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => Err(Fault::TooLong),
        }
    }
}

/// A column that names may mean.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) kind: Type,
    /// Not shown by `*`: the other side of a join by name.
    pub(super) hidden: bool,
}

/// What an expression sees.
pub(crate) struct Scope<'s> {
    pub(super) world: &'s dyn World,
    pub(super) budget: &'s Budget,
    pub(super) parameters: &'s [Value],
    pub(super) columns: &'s [Bound],
    pub(super) row: &'s [Value],
    /// Rows that aggregates run over.
    pub(super) group: Option<&'s [Vec<Value>]>,
    pub(super) outer: Option<&'s Scope<'s>>,
    /// Results of `WITH`.
    pub(super) with: &'s [(String, Table)],
    pub(super) clause: Clause,
    pub(super) depth: u32,
}

impl<'s> Scope<'s> {
    /// A scope without tables.
    pub(crate) const fn new(
        world: &'s dyn World,
        budget: &'s Budget,
        parameters: &'s [Value],
    ) -> Self {
        Self {
            world,
            budget,
            parameters,
            columns: &[],
            row: &[],
            group: None,
            outer: None,
            with: &[],
            clause: Clause::Fields,
            depth: 0,
        }
    }

    pub(super) fn mysql(&self) -> bool {
        self.world.dialect() == Dialect::MySql
    }

    /// A truth as the product has it.
    pub(super) fn truth(&self, truth: bool) -> Value {
        if self.mysql() { Value::Int(truth.into()) } else { Value::Bool(truth) }
    }

    fn maybe(&self, truth: Option<bool>) -> Value {
        truth.map_or(Value::Null, |truth| self.truth(truth))
    }

    /// Where the column called `name` stands here.
    pub(super) fn find(&self, table: Option<&str>, name: &str) -> Result<Option<usize>, ()> {
        let fits = |bound: &Bound| {
            bound.name.eq_ignore_ascii_case(name)
                && table.is_none_or(|table| bound.table.eq_ignore_ascii_case(table))
        };
        let mut hits = self.columns.iter().enumerate().filter(|(_, bound)| fits(bound));
        match (hits.next(), hits.find(|(_, bound)| !bound.hidden)) {
            (None, _) => Ok(None),
            (Some((at, _)), None) => Ok(Some(at)),
            (Some(_), Some(_)) if table.is_some() => Err(()),
            (Some(_), Some(_)) => Err(()),
        }
    }

    fn column(&self, table: Option<&str>, name: &str, at: usize) -> Result<Value, Fault> {
        match self.find(table, name) {
            Ok(Some(place)) => return Ok(self.row.get(place).cloned().unwrap_or(Value::Null)),
            Err(()) => {
                return Err(Fault::Ambiguous { name: name.to_owned(), clause: self.clause, at });
            }
            Ok(None) => {}
        }
        if let Some(outer) = self.outer
            && let Ok(value) = outer.column(table, name, at)
        {
            return Ok(value);
        }
        // A table's own name stands for its whole row.
        if table.is_none()
            && self.columns.iter().any(|bound| bound.table.eq_ignore_ascii_case(name))
        {
            let own = self
                .columns
                .iter()
                .zip(self.row)
                .filter(|(bound, _)| bound.table.eq_ignore_ascii_case(name));
            return Ok(row_text(own.map(|(_, value)| value)));
        }
        Err(Fault::NoColumn {
            table: table.map(str::to_owned),
            name: name.to_owned(),
            clause: self.clause,
            at,
        })
    }

    /// Runs a query that stands in an expression.
    pub(super) fn query(&self, query: &Query) -> Result<Table, Fault> {
        let rows = select_in(query, self)?;
        Ok(Table::of(rows.columns, rows.rows))
    }
}

/// A row as PostgreSQL prints it.
fn row_text<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let items: Vec<String> = values.map(|value| value.shown().unwrap_or_default()).collect();
    Value::Text(format!("({})", items.join(",")))
}

/// The value of `expr` in `scope`.
///
/// # Errors
/// Whatever the product would refuse.
pub(crate) fn evaluate(expr: &Expr, scope: &Scope<'_>) -> Result<Value, Fault> {
    scope.budget.step()?;
    let value = |expr: &Expr| evaluate(expr, scope);
    let compared = |op, a: &Expr, b: &Expr| compare(op, &value(a)?, &value(b)?, scope);
    Ok(match expr {
        Expr::Literal(value) => value.clone(),
        Expr::Parameter(number) => {
            scope.parameters.get(*number).cloned().ok_or(Fault::NoParameter(*number + 1))?
        }
        Expr::Column { table, name, at } => scope.column(table.as_deref(), name, *at)?,
        Expr::Variable(name) => scope.world.variable(name)?,
        Expr::Default => Value::Null,
        Expr::Not(inner) => scope.maybe(value(inner)?.truth().map(|truth| !truth)),
        Expr::Negate(inner) => match value(inner)? {
            Value::Null => Value::Null,
            Value::Int(number) => Value::Int(number.wrapping_neg()),
            other => Value::Float(-other.number()),
        },
        Expr::BitNot(inner) => match value(inner)? {
            Value::Null => Value::Null,
            other => Value::Int(!other.int()),
        },
        Expr::Chain(any, items) => return chain(*any, items, scope),
        Expr::Binary(op, left, right) => {
            let (left, right) = (value(left)?, value(right)?);
            return binary(*op, &left, &right, scope);
        }
        Expr::IsNull(inner, not) => scope.truth(value(inner)?.is_null() != *not),
        Expr::IsTruth(inner, wanted, not) => {
            scope.truth((value(inner)?.truth() == Some(*wanted)) != *not)
        }
        Expr::IsDistinct(a, b, not) => {
            let same = value(a)?.order(&value(b)?, scope.mysql()).is_eq();
            scope.truth(same == *not)
        }
        Expr::Between(inner, low, high, not) => {
            let low = compared(Op::GreaterEqual, inner, low)?;
            let high = compared(Op::LessEqual, inner, high)?;
            let inside = low.and_then(|low| high.map(|high| low && high));
            scope.maybe(inside.map(|inside| inside != *not))
        }
        Expr::In(inner, items, not) => {
            let left = value(inner)?;
            let mut values = Vec::with_capacity(items.len().min(1024));
            for item in items {
                values.push(value(item)?);
            }
            return Ok(scope.maybe(among(&left, &values, scope)?.map(|is| is != *not)));
        }
        Expr::InQuery(inner, query, not) => {
            let left = value(inner)?;
            let rows = scope.query(query)?.rows;
            let values: Vec<Value> =
                rows.into_iter().filter_map(|row| row.into_iter().next()).collect();
            return Ok(scope.maybe(among(&left, &values, scope)?.map(|is| is != *not)));
        }
        Expr::Like { text, pattern, fold, not } => {
            let (text, pattern) = (value(text)?, value(pattern)?);
            let (Some(text), Some(pattern)) = (text.shown(), pattern.shown()) else {
                return Ok(Value::Null);
            };
            scope.budget.steps(u32::try_from(text.len() / 64).unwrap_or(0))?;
            scope.truth(pattern::like(&text, &pattern, *fold) != *not)
        }
        Expr::Regex { text, pattern, fold, not } => {
            let (text, pattern) = (value(text)?, value(pattern)?);
            let (Some(text), Some(pattern)) = (text.shown(), pattern.shown()) else {
                return Ok(Value::Null);
            };
            scope.budget.steps(100)?;
            let regex = pattern::regex(&pattern, *fold).ok_or_else(|| bad_regex(scope))?;
            scope.truth(regex.is_match(&text) != *not)
        }
        Expr::Case { on, arms, other } => {
            let on = on.as_ref().map(|on| value(on)).transpose()?;
            for (when, then) in arms {
                let hit = match &on {
                    Some(on) => compare(Op::Equal, on, &value(when)?, scope)?,
                    None => value(when)?.truth(),
                };
                if hit == Some(true) {
                    return value(then);
                }
            }
            match other {
                Some(other) => return value(other),
                None => Value::Null,
            }
        }
        Expr::Cast(inner, kind, name) => return functions::cast(value(inner)?, *kind, name, scope),
        Expr::Call(call) => return run(call, scope),
        Expr::Exists(query) => scope.truth(!scope.query(query)?.rows.is_empty()),
        Expr::Scalar(query) => {
            let mut rows = scope.query(query)?.rows;
            if rows.len() > 1 {
                return Err(Fault::ManyRows);
            }
            rows.pop().and_then(|row| row.into_iter().next()).unwrap_or(Value::Null)
        }
        Expr::Quantified(op, left, all, right) => {
            let left = value(left)?;
            let Value::List(items) = value(right)? else { return Ok(Value::Null) };
            let mut hit = *all;
            for item in &items {
                let is = compare(*op, &left, item, scope)? == Some(true);
                hit = if *all { hit && is } else { hit || is };
            }
            scope.truth(hit)
        }
        Expr::ListQuery(query) => {
            let rows = scope.query(query)?.rows;
            Value::List(rows.into_iter().filter_map(|row| row.into_iter().next()).collect())
        }
        Expr::List(items) => Value::List(items.iter().map(value).collect::<Result<_, _>>()?),
        Expr::Row(items) => {
            let items: Vec<Value> = items.iter().map(value).collect::<Result<_, _>>()?;
            if scope.mysql() { Value::List(items) } else { row_text(items.iter()) }
        }
        Expr::At(list, index) => {
            let (list, index) = (value(list)?, value(index)?);
            match list {
                Value::List(items) => {
                    let at = usize::try_from(index.int() - 1).ok();
                    at.and_then(|at| items.get(at).cloned()).unwrap_or(Value::Null)
                }
                _ => Value::Null,
            }
        }
    })
}

fn bad_regex(scope: &Scope<'_>) -> Fault {
    if scope.mysql() {
        Fault::Product(
            "1139",
            "Got error 'missing terminating ] or invalid pattern' from regexp".to_owned(),
        )
    } else {
        Fault::Product(
            "2201B",
            "invalid regular expression: parentheses () not balanced".to_owned(),
        )
    }
}

fn chain(any: bool, items: &[Expr], scope: &Scope<'_>) -> Result<Value, Fault> {
    let mut unknown = false;
    for item in items {
        match evaluate(item, scope)?.truth() {
            Some(truth) if truth == any => return Ok(scope.truth(any)),
            Some(_) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { Value::Null } else { scope.truth(!any) })
}

/// Whether `left` is one of `values`; none when that is not known.
fn among(left: &Value, values: &[Value], scope: &Scope<'_>) -> Result<Option<bool>, Fault> {
    let mut unknown = false;
    for value in values {
        scope.budget.step()?;
        match compare(Op::Equal, left, value, scope)? {
            Some(true) => return Ok(Some(true)),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { None } else { Some(false) })
}

/// Compares two values; none when either is null.
pub(super) fn compare(
    op: Op,
    a: &Value,
    b: &Value,
    scope: &Scope<'_>,
) -> Result<Option<bool>, Fault> {
    let mysql = scope.mysql();
    if op == Op::Same {
        return Ok(Some(a.order(b, mysql).is_eq()));
    }
    if a.is_null() || b.is_null() {
        return Ok(None);
    }
    // PostgreSQL reads a text as the other side's type, or refuses.
    if !mysql
        && let (Value::Int(_), Value::Text(text)) | (Value::Text(text), Value::Int(_)) = (a, b)
        && text.trim().parse::<i64>().is_err()
        && text.trim().parse::<f64>().is_err()
    {
        return Err(Fault::Input { kind: "integer", text: text.clone() });
    }
    let order = a.order(b, mysql);
    Ok(Some(match op {
        Op::Equal => order.is_eq(),
        Op::NotEqual => order.is_ne(),
        Op::Less => order == Ordering::Less,
        Op::LessEqual => order != Ordering::Greater,
        Op::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

fn binary(op: Op, a: &Value, b: &Value, scope: &Scope<'_>) -> Result<Value, Fault> {
    let mysql = scope.mysql();
    match op {
        Op::Equal
        | Op::NotEqual
        | Op::Less
        | Op::LessEqual
        | Op::Greater
        | Op::GreaterEqual
        | Op::Same => {
            return Ok(scope.maybe(compare(op, a, b, scope)?));
        }
        _ if a.is_null() || b.is_null() => return Ok(Value::Null),
        _ => {}
    }
    let whole = matches!((a, b), (Value::Int(_) | Value::Bool(_), Value::Int(_) | Value::Bool(_)));
    let (x, y) = (a.number(), b.number());
    let (i, j) = (a.int(), b.int());
    let bits = |number: i64| u32::try_from(number.clamp(0, 64)).unwrap_or(64);
    let checked = |number: Option<i64>| {
        number.map(Value::Int).ok_or_else(|| {
            Fault::Product(
                if mysql { "1690" } else { "22003" },
                if mysql {
                    "BIGINT value is out of range".to_owned()
                } else {
                    "bigint out of range".to_owned()
                },
            )
        })
    };
    Ok(match op {
        Op::Add if whole => return checked(i.checked_add(j)),
        Op::Subtract if whole => return checked(i.checked_sub(j)),
        Op::Multiply if whole => return checked(i.checked_mul(j)),
        Op::Add if functions::is_interval(b) => functions::shift(a, b, 1),
        Op::Subtract if functions::is_interval(b) => functions::shift(a, b, -1),
        Op::Add => Value::Float(x + y),
        Op::Subtract => Value::Float(x - y),
        Op::Multiply => Value::Float(x * y),
        Op::Divide | Op::Modulo | Op::Whole if y == 0.0 => {
            return if mysql { Ok(Value::Null) } else { Err(Fault::DivisionByZero) };
        }
        Op::Divide if whole && !mysql => Value::Int(i.wrapping_div(j)),
        Op::Divide if whole => Value::Text(format!("{:.4}", x / y)),
        Op::Divide => Value::Float(x / y),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as MySQL does")]
        Op::Whole => Value::Int((x / y).trunc() as i64),
        Op::Modulo if whole => Value::Int(i.wrapping_rem(j)),
        Op::Modulo => Value::Float(x % y),
        Op::Power => Value::Float(x.powf(y)),
        Op::Concat => match (a, b) {
            (Value::List(left), Value::List(right)) => {
                Value::List(left.iter().chain(right).take(10_000).cloned().collect())
            }
            _ => {
                let text = a.shown().unwrap_or_default() + &b.shown().unwrap_or_default();
                if text.len() > MAX_TEXT {
                    return Err(Fault::Full);
                }
                Value::Text(text)
            }
        },
        Op::BitAnd => Value::Int(i & j),
        Op::BitOr => Value::Int(i | j),
        Op::BitXor => Value::Int(i ^ j),
        Op::ShiftLeft => Value::Int(i.checked_shl(bits(j)).unwrap_or(0)),
        Op::ShiftRight => Value::Int(i.checked_shr(bits(j)).unwrap_or(0)),
        Op::Xor => scope.truth(a.truth() != b.truth()),
        Op::JsonGet | Op::JsonText => functions::json_get(a, b, op == Op::JsonText),
        Op::Contains => scope.truth(match (a, b) {
            (Value::List(all), Value::List(some)) => some.iter().all(|item| all.contains(item)),
            _ => false,
        }),
        Op::Equal
        | Op::NotEqual
        | Op::Less
        | Op::LessEqual
        | Op::Greater
        | Op::GreaterEqual
        | Op::Same => Value::Null,
    })
}

fn run(call: &Call, scope: &Scope<'_>) -> Result<Value, Fault> {
    if aggregate::is(call) {
        return aggregate::run(call, scope);
    }
    let name = call.name.as_str();
    // Arguments that are not needed are not looked at.
    match name {
        "coalesce" | "ifnull" | "nvl" => {
            for arg in &call.args {
                let value = evaluate(arg, scope)?;
                if !value.is_null() {
                    return Ok(value);
                }
            }
            return Ok(Value::Null);
        }
        "if" => {
            let [test, then, other] = call.args.as_slice() else {
                return Err(functions::unknown(call, &[], scope));
            };
            let hit = evaluate(test, scope)?.truth() == Some(true);
            return evaluate(if hit { then } else { other }, scope);
        }
        _ => {}
    }
    let mut args = Vec::with_capacity(call.args.len().min(64));
    for arg in &call.args {
        args.push(evaluate(arg, scope)?);
    }
    if let Some(value) = scope.world.function(name, &args) {
        return value;
    }
    match functions::run(name, &args, scope)? {
        Some(value) => {
            if value.weight() > MAX_TEXT {
                return Err(Fault::Full);
            }
            Ok(value)
        }
        None => Err(functions::unknown(call, &args, scope)),
    }
}
