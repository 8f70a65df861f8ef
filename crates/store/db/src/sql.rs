//! Binding values, reading rows, inserting many.

use std::net::IpAddr;

use base_model::Timestamp;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, TryGetable, Value};
use serde_json::Map;
use time::PrimitiveDateTime;

use crate::DbError;

/// A typed row: which columns, and how to read them in that order.
pub(crate) trait Row: Sized {
    /// Column list of a SELECT.
    const COLUMNS: &'static str;

    /// Reads the columns from the first on.
    fn read(row: &QueryResult) -> Result<Self, DbErr>;
}

/// A value read from a column.
pub(crate) trait Column: Sized {
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr>;
}

macro_rules! plain_columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
                row.try_get_by_index(index)
            }
        }
        impl Column for Option<$type> {
            fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
                row.try_get_by_index(index)
            }
        }
    )*};
}

plain_columns!(String, i64, bool, f64, Vec<u8>);

impl Column for u64 {
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
        Ok(Self::try_from(row.try_get_by_index::<i64>(index)?).unwrap_or(0))
    }
}

impl Column for Option<u64> {
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
        let number = row.try_get_by_index::<Option<i64>>(index)?;
        Ok(number.map(|number| u64::try_from(number).unwrap_or(0)))
    }
}

impl Column for Option<u16> {
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
        let number = row.try_get_by_index::<Option<i64>>(index)?;
        Ok(number.and_then(|number| u16::try_from(number).ok()))
    }
}

impl Column for Timestamp {
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
        let at: PrimitiveDateTime = row.try_get_by_index(index)?;
        Ok(Self::from_utc(at.assume_utc()))
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
        let at: Option<PrimitiveDateTime> = row.try_get_by_index(index)?;
        Ok(at.map(|at| Timestamp::from_utc(at.assume_utc())))
    }
}

/// T-JSON (`spec/storage.md` §2): JSON in a text column.
macro_rules! json_columns {
    ($($type:ty),*) => {$(
        impl Column for $type {
            fn read(row: &QueryResult, index: usize) -> Result<Self, DbErr> {
                let text: String = row.try_get_by_index(index)?;
                serde_json::from_str(&text).map_err(|error| DbErr::Json(error.to_string()))
            }
        }
    )*};
}

json_columns!(
    Vec<String>,
    serde_json::Value,
    Map<String, serde_json::Value>,
    std::collections::BTreeMap<String, String>,
    Vec<crate::attackers::Contact>
);

/// Declares a row struct with its column list and reader.
macro_rules! row {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::sql::Row for $name {
            const COLUMNS: &'static str = $crate::sql::row!(@list $($field)*);

            fn read(row: &sea_orm::QueryResult) -> Result<Self, sea_orm::DbErr> {
                let mut index = 0..;
                $(let $field = <$type as $crate::sql::Column>::read(
                    row,
                    index.next().unwrap_or_default(),
                )?;)*
                Ok(Self { $($field),* })
            }
        }
    };
    (@list $first:ident $($rest:ident)*) => {
        concat!("`", stringify!($first), "`", $(",`", stringify!($rest), "`"),*)
    };
}
pub(crate) use row;

/// A value to bind.
pub(crate) trait Bind {
    fn bind(self) -> Value;
}

macro_rules! plain_binds {
    ($($type:ty),*) => {$(
        impl Bind for $type {
            fn bind(self) -> Value {
                self.into()
            }
        }
    )*};
}

plain_binds!(
    String,
    &str,
    i64,
    i32,
    u16,
    bool,
    f64,
    Option<String>,
    Option<&str>,
    Vec<u8>,
    Option<Vec<u8>>
);

impl Bind for Value {
    fn bind(self) -> Value {
        self
    }
}

impl Bind for u64 {
    fn bind(self) -> Value {
        i64::try_from(self).unwrap_or(i64::MAX).into()
    }
}

impl Bind for Option<u64> {
    fn bind(self) -> Value {
        self.map(|number| i64::try_from(number).unwrap_or(i64::MAX)).into()
    }
}

impl Bind for Option<u16> {
    fn bind(self) -> Value {
        self.map(i64::from).into()
    }
}

impl Bind for Timestamp {
    fn bind(self) -> Value {
        time_text(self).into()
    }
}

impl Bind for Option<Timestamp> {
    fn bind(self) -> Value {
        self.map(time_text).into()
    }
}

impl Bind for Option<bool> {
    fn bind(self) -> Value {
        self.into()
    }
}

/// Binds each expression in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Bind::bind($value)),*] };
}
pub(crate) use args;

/// The earliest and latest instant that is stored.
const TIMES: (i64, i64) = (0, 253_402_300_799_999_999);

/// `at` within the years 1970 to 9999: what both databases can hold and compute with, and all that
/// a sensor may truthfully say.
#[must_use]
pub fn storable_time(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().clamp(TIMES.0, TIMES.1))
}

/// Fixed-width text, so that SQLite orders it as time; MariaDB converts it.
pub(crate) fn time_text(at: Timestamp) -> String {
    let at = storable_time(at).to_utc();
    let mut text = *b"0000-00-00 00:00:00.000000";
    let mut put = |start: usize, digits: usize, mut value: u32| {
        for slot in text.iter_mut().skip(start).take(digits).rev() {
            *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
    };
    put(0, 4, u32::try_from(at.year()).unwrap_or(0));
    put(5, 2, u8::from(at.month()).into());
    put(8, 2, at.day().into());
    put(11, 2, at.hour().into());
    put(14, 2, at.minute().into());
    put(17, 2, at.second().into());
    put(20, 6, at.microsecond());
    String::from_utf8_lossy(&text).into_owned()
}

/// An address as 16 bytes (IPv4 mapped), for equality and ranges; `None` for anything else.
pub(crate) fn address_key(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

fn statement(connection: &impl ConnectionTrait, sql: &str, args: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(connection.get_database_backend(), sql, args)
}

/// Runs a statement; returns the affected rows.
pub(crate) async fn execute(
    connection: &impl ConnectionTrait,
    sql: &str,
    args: Vec<Value>,
) -> Result<u64, DbError> {
    Ok(connection.execute_raw(statement(connection, sql, args)).await?.rows_affected())
}

/// All rows of a query that selects `R::COLUMNS` first.
pub(crate) async fn all<R: Row>(
    connection: &impl ConnectionTrait,
    sql: &str,
    args: Vec<Value>,
) -> Result<Vec<R>, DbError> {
    let rows = connection.query_all_raw(statement(connection, sql, args)).await?;
    Ok(rows.iter().map(R::read).collect::<Result<_, _>>()?)
}

/// The only row of a query, if there is one.
pub(crate) async fn one<R: Row>(
    connection: &impl ConnectionTrait,
    sql: &str,
    args: Vec<Value>,
) -> Result<Option<R>, DbError> {
    let row = connection.query_one_raw(statement(connection, sql, args)).await?;
    Ok(row.as_ref().map(R::read).transpose()?)
}

/// The first column of the first row.
pub(crate) async fn scalar<T: TryGetable>(
    connection: &impl ConnectionTrait,
    sql: &str,
    args: Vec<Value>,
) -> Result<Option<T>, DbError> {
    let row = connection.query_one_raw(statement(connection, sql, args)).await?;
    Ok(row.map(|row| row.try_get_by_index::<Option<T>>(0)).transpose()?.flatten())
}

/// The rows of a query, to be read by position.
pub(crate) async fn raw(
    connection: &impl ConnectionTrait,
    sql: &str,
    args: Vec<Value>,
) -> Result<Vec<QueryResult>, DbError> {
    Ok(connection.query_all_raw(statement(connection, sql, args)).await?)
}

/// T-JSON text of a value of ours, which always has one.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Appends a condition: any of `columns` contains `text`, ASCII letters of either case.
pub(crate) fn any_contains(
    columns: &[&str],
    text: &str,
    condition: &mut String,
    args: &mut Vec<Value>,
) {
    let fold = text.is_ascii();
    let needle = if fold { text.to_ascii_lowercase() } else { text.to_owned() };
    let parts: Vec<String> = columns
        .iter()
        .map(|column| match fold {
            true => format!("INSTR(LOWER(`{column}`),?)>0"),
            false => format!("INSTR(`{column}`,?)>0"),
        })
        .collect();
    condition.push_str(&format!(" AND ({})", parts.join(" OR ")));
    args.extend(columns.iter().map(|_| needle.clone().bind()));
}

/// `?,?,…` of `count` places.
pub(crate) fn places(count: usize) -> String {
    let mut text = "?,".repeat(count);
    text.pop();
    text
}

/// Pieces of at most 256 keys, for `IN (…)` lists.
pub(crate) fn key_chunks<T>(keys: &[T]) -> impl Iterator<Item = &[T]> {
    keys.chunks(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_order_as_text_and_clamp() {
        let text = |micros| time_text(Timestamp::from_micros(micros));
        assert_eq!(text(1_767_225_600_000_007), "2026-01-01 00:00:00.000007");
        assert_eq!(text(i64::MIN), "1970-01-01 00:00:00.000000");
        assert_eq!(text(i64::MAX), "9999-12-31 23:59:59.999999");
    }

    #[test]
    fn ipv4_and_its_mapped_form_share_a_key() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("10.0.0.1"), key("::ffff:10.0.0.1"));
        assert_ne!(key("10.0.0.1"), key("::1"));
    }
}
