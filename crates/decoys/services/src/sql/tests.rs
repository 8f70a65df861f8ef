//! What statements come to, as MySQL and PostgreSQL answer them.

use std::borrow::Cow;

use super::{
    Budget, Dialect, Fault, Name, Scope, Statement, Store, Table, Type, Value, World, apply, parse,
    plan, select,
};

/// A product with tables and nothing else.
struct Plain {
    store: Store,
    dialect: Dialect,
}

impl World for Plain {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn table(&self, name: &Name) -> Result<Cow<'_, Table>, Fault> {
        let missing = || Fault::NoTable { schema: None, name: name.name.clone(), at: name.at };
        self.store.table("d", &name.name).map(Cow::Borrowed).ok_or_else(missing)
    }

    fn function(&self, _: &str, _: &[Value]) -> Option<Result<Value, Fault>> {
        None
    }

    fn rows_of(&self, _: &str, _: &[Value]) -> Option<Table> {
        None
    }

    fn variable(&self, name: &str) -> Result<Value, Fault> {
        Err(Fault::Syntax { at: 0, token: name.to_owned() })
    }

    fn returns(&self, _: &str) -> Option<Type> {
        None
    }

    fn micros(&self) -> i64 {
        // 2026-01-01T00:00:00Z.
        1_767_225_600_000_000
    }

    fn random(&self) -> f64 {
        0.5
    }
}

impl Plain {
    fn new(dialect: Dialect) -> Self {
        let mut store = Store::new(100);
        store.add_database("d").unwrap();
        let mut plain = Self { store, dialect };
        let key = if dialect == Dialect::MySql { "int primary key" } else { "integer primary key" };
        for sql in [
            &format!("create table t (id {key}, name varchar(20), n int)"),
            "insert into t values (1, 'ann', 10), (2, 'bob', 20), (3, 'cid', null)",
            "create table u (t_id int, tag varchar(20))",
            "insert into u values (1, 'red'), (1, 'blue'), (3, 'red')",
        ] {
            plain.say(sql);
        }
        plain
    }

    /// Cells parted by commas and rows by semicolons, rows changed, or what was wrong.
    fn say(&mut self, sql: &str) -> String {
        self.run(sql).unwrap_or_else(|fault| format!("{fault:?}"))
    }

    fn run(&mut self, sql: &str) -> Result<String, Fault> {
        let statement = parse(sql, self.dialect)?;
        let budget = Budget::new(200_000);
        if let Statement::Query(query) = &statement {
            let rows = select(query, &Scope::new(self, &budget, &[]))?;
            let shown = |value: &Value| value.shown().unwrap_or_else(|| "NULL".to_owned());
            let line = |row: &Vec<Value>| row.iter().map(shown).collect::<Vec<_>>().join(",");
            return Ok(rows.rows.iter().map(line).collect::<Vec<_>>().join(";"));
        }
        let place = |name: &Name| Ok(("d".to_owned(), name.name.clone()));
        let planned = plan(&statement, &Scope::new(self, &budget, &[]), &place, &self.store)?;
        apply(planned, &mut self.store).map(|changed| format!("{} rows", changed.rows))
    }
}

fn check(dialect: Dialect, cases: &[(&str, &str)]) {
    let mut plain = Plain::new(dialect);
    for (sql, expected) in cases {
        assert_eq!(plain.say(sql), *expected, "{sql}");
    }
}

#[test]
fn queries_that_both_products_answer_alike() {
    let cases = [
        ("select 1 + 2 * 3, (1 + 2) * 3, 7 % 4, -2", "7,9,3,-2"),
        ("select name from t where n > 10 or n is null order by id", "bob;cid"),
        ("select * from t where n between 10 and 15", "1,ann,10"),
        ("select name from t where id in (1, 3) and name like '%i%'", "cid"),
        ("select name from t where id not in (select t_id from u)", "bob"),
        ("select count(*), count(n), sum(n), min(name), max(n) from t", "3,2,30,ann,20"),
        ("select tag, count(*) from u group by tag having count(*) > 1", "red,2"),
        (
            "select t.name, u.tag from t join u on u.t_id = t.id order by 1, 2",
            "ann,blue;ann,red;cid,red",
        ),
        ("select t.id, u.tag from t left join u on u.t_id = t.id where u.tag is null", "2,NULL"),
        ("select id from t order by id desc limit 2", "3;2"),
        ("select id from t order by id limit 1 offset 1", "2"),
        ("select distinct tag from u order by tag", "blue;red"),
        ("select 1 union select 1 union all select 2", "1;2"),
        (
            "select case when n is null then 'none' when n > 15 then 'much' else 'some' end from t order by id",
            "some;much;none",
        ),
        ("select coalesce(null, null, 'x'), nullif(1, 1)", "x,NULL"),
        ("select upper('aB'), lower('aB'), length('abc'), concat('a', 1)", "AB,ab,3,a1"),
        ("select x.n from (select max(n) as n from t) x", "20"),
        ("select name from t a where exists (select 1 from u where t_id = a.id)", "ann;cid"),
        ("with w as (select id from t where id > 1) select count(*) from w", "2"),
        (
            "select replace('a-b', '-', '+'), substring('hello', 2, 3), md5('a')",
            "a+b,ell,0cc175b9c0f1b6a831c399e269772661",
        ),
    ];
    check(Dialect::MySql, &cases);
    check(Dialect::Postgres, &cases);
}

#[test]
fn queries_that_tell_the_products_apart() {
    check(
        Dialect::MySql,
        &[
            ("select '1' + 1, 7 / 2, 1 / 0", "2,3.5000,NULL"),
            ("select 'A' = 'a', 1 = 1", "1,1"),
            ("select \"text\", `name` from t where id = 1", "text,ann"),
            ("select 1 /*!50000 + 1 */", "2"),
            ("select if(1 > 2, 'y', 'n'), ifnull(null, 3), 0x4142", "n,3,AB"),
            ("select group_concat(tag separator '|') from u where t_id = 1", "red|blue"),
            ("select 1 || 0, 1 && 0", "1,0"),
        ],
    );
    check(
        Dialect::Postgres,
        &[
            ("select '1'::int + 1, 7 / 2, 'a' || 'b'", "2,3,ab"),
            ("select 'A' = 'a', 'A' ilike 'a', 'abc' ~ 'b.'", "f,t,t"),
            ("select \"name\" from t where id = 1", "ann"),
            ("select string_agg(tag, '|') from u where t_id = 1", "red|blue"),
            ("select * from generate_series(1, 3)", "1;2;3"),
            ("select 1/0", "DivisionByZero"),
            ("select array[1, 2]::text, $$it's$$", "{1,2},it's"),
            ("select extract(year from timestamp '2024-02-29 10:00:00')", "2024"),
        ],
    );
}

#[test]
fn changes_are_there_for_the_next_statement() {
    for dialect in [Dialect::MySql, Dialect::Postgres] {
        check(
            dialect,
            &[
                ("update t set n = n + 1 where id < 3", "2 rows"),
                ("select n from t order by id", "11;21;NULL"),
                ("delete from t where id = 2", "1 rows"),
                (
                    "insert into t (id, name) select t_id + 10, tag from u where tag = 'blue'",
                    "1 rows",
                ),
                ("select id, name, n from t order by id", "1,ann,11;3,cid,NULL;11,blue,NULL"),
                ("alter table t add column extra text", "0 rows"),
                ("select extra from t where id = 1", "NULL"),
                ("drop table u", "0 rows"),
                ("select * from u", "NoTable { schema: None, name: \"u\", at: 14 }"),
            ],
        );
    }
}

#[test]
fn keys_are_kept() {
    let mut plain = Plain::new(Dialect::Postgres);
    assert!(plain.say("insert into t values (1, 'again', 0)").starts_with("Duplicate"));
    assert!(plain.say("insert into t values (null, 'none', 0)").starts_with("NotNull"));
    assert_eq!(plain.say("select count(*) from t"), "3");
}

#[test]
fn work_has_an_end() {
    for dialect in [Dialect::MySql, Dialect::Postgres] {
        let mut plain = Plain::new(dialect);
        let crowd =
            "select count(*) from t a, t b, t c, t d, t e, t f, t g, t h, t i, t j, t k, t l";
        assert_eq!(plain.say(crowd), "TooLong");
        let deep = format!("select {}1{}", "(".repeat(5000), ")".repeat(5000));
        assert_eq!(plain.say(&deep), "TooComplex");
        let growth = "select repeat(repeat(repeat('a', 1000000), 1000000), 1000000)";
        assert!(plain.say(growth).len() <= 4 * 1024 * 1024);
    }
}
