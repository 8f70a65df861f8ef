//! The first tables: what an application of this machine would keep in its database.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chacha20::ChaCha12Rng;
use decoys_kit::Choices;
use rand_core::Rng as _;

use super::fault::Fault;
use super::store::{Column, Store, Table};
use super::value::{Type, Value};

const FIRST: &[&str] = &[
    "anna", "ben", "carla", "david", "elena", "felix", "gina", "hugo", "irene", "jonas", "karin",
    "liam", "maria", "nils", "olga", "paul", "rosa", "sven", "tina", "victor",
];
const LAST: &[&str] = &[
    "fischer", "novak", "rossi", "larsen", "weber", "moreau", "santos", "keller", "bianchi",
    "jensen", "kowalski", "dubois", "hofmann", "silva", "lindberg", "horvat",
];
const CITIES: &[&str] = &["Hamburg", "Lyon", "Torino", "Aarhus", "Gdansk", "Porto", "Graz", "Gent"];
const ITEMS: &[&str] =
    &["annual plan", "support plus", "licence", "renewal", "hardware", "consulting"];
const SCOPES: &[&str] = &["read", "write", "admin", "billing"];

/// What tables are drawn from.
#[derive(Debug)]
pub(crate) struct Bait<'b> {
    choices: Choices<'b>,
    /// Label that sets this database's draws apart.
    label: &'b str,
    /// Domain of mail addresses.
    domain: &'b str,
    /// When the machine was installed, and now, in seconds since the epoch.
    installed: i64,
    now: i64,
    /// One stream of draws for each sort of thing.
    streams: RefCell<BTreeMap<String, ChaCha12Rng>>,
}

impl<'b> Bait<'b> {
    pub(crate) const fn new(
        choices: Choices<'b>,
        label: &'b str,
        domain: &'b str,
        installed: i64,
        now: i64,
    ) -> Self {
        Self { choices, label, domain, installed, now, streams: RefCell::new(BTreeMap::new()) }
    }

    /// Fills `bytes` from the stream of the sort that `what` begins with.
    fn fill(&self, what: &str, bytes: &mut [u8]) {
        let sort = what.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let mut streams = self.streams.borrow_mut();
        let fresh = || self.choices.stream(&format!("{}.{sort}", self.label));
        streams.entry(sort.to_owned()).or_insert_with(fresh).fill_bytes(bytes);
    }

    fn range(&self, what: &str, low: u64, high: u64) -> i64 {
        let mut bytes = [0; 8];
        self.fill(what, &mut bytes);
        let span = u128::from(high.saturating_sub(low)) + 1;
        let scaled = (u128::from(u64::from_le_bytes(bytes)) * span) >> 64;
        i64::try_from(low.saturating_add(u64::try_from(scaled).unwrap_or(0))).unwrap_or(0)
    }

    fn pick(&self, what: &str, from: &[&'static str]) -> &'static str {
        let last = u64::try_from(from.len().saturating_sub(1)).unwrap_or(0);
        let at = usize::try_from(self.range(what, 0, last)).unwrap_or(0);
        from.get(at).copied().unwrap_or_default()
    }

    fn hex<const N: usize>(&self, what: &str) -> String {
        let mut bytes = [0; N];
        self.fill(what, &mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// An instant between installation and now.
    fn moment(&self, what: &str) -> String {
        let age = u64::try_from((self.now - self.installed).max(3600)).unwrap_or(3600);
        let at = self.now - self.range(what, 600, age);
        stamp(at)
    }

    /// Something of the form of a bcrypt hash; no password has it.
    fn hash(&self, what: &str) -> String {
        const LETTERS: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut bytes = [0; 53];
        self.fill(what, &mut bytes);
        let letter =
            |byte: &u8| LETTERS.get(usize::from(byte & 63)).copied().map_or('.', char::from);
        format!("$2y$10${}", bytes.iter().map(letter).collect::<String>())
    }
}

fn stamp(at: i64) -> String {
    let (year, month, day) = super::functions::day_of(at.div_euclid(86_400));
    let rest = at.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Lays the tables of an application into `database`.
///
/// # Errors
/// The store is full, or there is no such database.
pub(crate) fn lay(store: &mut Store, database: &str, bait: &Bait<'_>) -> Result<(), Fault> {
    let mut add = |name: &str, columns: Vec<Column>, rows: Vec<Vec<Value>>| {
        let next = i64::try_from(rows.len()).unwrap_or(0) + 1;
        let made = bait.installed + 7200;
        store.add_table(database, name, Table { columns, rows, next, made, id: 0 })
    };
    let text = |name: &str, size: u32| Column::needed(name, Type::Varchar(size));
    let people: Vec<(String, String)> = (0..bait.range("users", 9, 24))
        .map(|n| {
            (
                bait.pick(&format!("first.{n}"), FIRST).to_owned(),
                bait.pick(&format!("last.{n}"), LAST).to_owned(),
            )
        })
        .collect();
    let users = people.iter().enumerate().map(|(n, (first, last))| {
        let admin = n == 0;
        let login = if admin {
            "admin".to_owned()
        } else {
            format!("{}.{last}", first.get(..1).unwrap_or("x"))
        };
        vec![
            Value::Int(i64::try_from(n).unwrap_or(0) + 1),
            Value::Text(login.clone()),
            Value::Text(format!("{login}@{}", bait.domain)),
            Value::Text(bait.hash(&format!("hash.{n}"))),
            Value::text(if admin {
                "admin"
            } else if n < 3 {
                "manager"
            } else {
                "user"
            }),
            Value::Text(bait.moment(&format!("user.{n}"))),
        ]
    });
    add(
        "users",
        vec![
            Column::key("id"),
            text("username", 64),
            text("email", 190),
            text("password_hash", 255),
            text("role", 32),
            Column::new("created_at", Type::Timestamp),
        ],
        users.collect(),
    )?;
    let customers = (0..bait.range("customers", 14, 40)).map(|n| {
        let first = bait.pick(&format!("customer.first.{n}"), FIRST);
        let last = bait.pick(&format!("customer.last.{n}"), LAST);
        let cap =
            |word: &str| word.get(..1).unwrap_or("").to_uppercase() + word.get(1..).unwrap_or("");
        vec![
            Value::Int(n + 1),
            Value::Text(format!("{} {}", cap(first), cap(last))),
            Value::Text(format!(
                "{first}.{last}{}@example.net",
                bait.range(&format!("customer.mail.{n}"), 1, 99)
            )),
            Value::Text(format!(
                "+49 40 {}",
                bait.range(&format!("customer.phone.{n}"), 1_000_000, 9_999_999)
            )),
            Value::text(bait.pick(&format!("customer.city.{n}"), CITIES)),
            Value::Text(format!(
                "DE{:020}",
                bait.range(&format!("customer.iban.{n}"), 10_000_000_000, 9_999_999_999_999)
            )),
        ]
    });
    let customers: Vec<Vec<Value>> = customers.collect();
    let known = u64::try_from(customers.len()).unwrap_or(1);
    add(
        "customers",
        vec![
            Column::key("id"),
            text("name", 128),
            text("email", 190),
            Column::new("phone", Type::Varchar(32)),
            Column::new("city", Type::Varchar(64)),
            Column::new("iban", Type::Varchar(34)),
        ],
        customers,
    )?;
    let orders = (0..bait.range("orders", 20, 60)).map(|n| {
        let cents = bait.range(&format!("order.total.{n}"), 1900, 480_000);
        vec![
            Value::Int(n + 1),
            Value::Int(bait.range(&format!("order.customer.{n}"), 1, known)),
            Value::text(bait.pick(&format!("order.item.{n}"), ITEMS)),
            Value::Text(format!("{}.{:02}", cents / 100, cents % 100)),
            Value::text(
                bait.pick(&format!("order.state.{n}"), &["paid", "paid", "open", "refunded"]),
            ),
            Value::Text(bait.moment(&format!("order.{n}"))),
        ]
    });
    add(
        "orders",
        vec![
            Column::key("id"),
            Column::needed("customer_id", Type::Int),
            text("item", 128),
            Column::needed("total", Type::Decimal(10, 2)),
            text("status", 16),
            Column::new("created_at", Type::Timestamp),
        ],
        orders.collect(),
    )?;
    let keys = (0..bait.range("keys", 2, 5)).map(|n| {
        vec![
            Value::Int(n + 1),
            Value::Text(format!("{}-{}", bait.pick(&format!("key.scope.{n}"), SCOPES), n + 1)),
            Value::Text(format!("ak_{}", bait.hex::<8>(&format!("key.id.{n}")))),
            Value::Text(bait.hex::<20>(&format!("key.secret.{n}"))),
            Value::Text(bait.moment(&format!("key.{n}"))),
        ]
    });
    add(
        "api_keys",
        vec![
            Column::key("id"),
            text("name", 64),
            text("key_id", 64),
            text("secret", 128),
            Column::new("last_used", Type::Timestamp),
        ],
        keys.collect(),
    )?;
    let sessions = (0..bait.range("sessions", 3, 12)).map(|n| {
        let people = u64::try_from(people.len()).unwrap_or(1);
        vec![
            Value::Text(bait.hex::<16>(&format!("session.{n}"))),
            Value::Int(bait.range(&format!("session.user.{n}"), 1, people)),
            Value::Text(format!(
                "10.0.{}.{}",
                bait.range(&format!("session.a.{n}"), 0, 20),
                bait.range(&format!("session.b.{n}"), 2, 250)
            )),
            Value::Text(stamp(bait.now + bait.range(&format!("session.exp.{n}"), 600, 86_400))),
        ]
    });
    let mut id = text("id", 64);
    id.primary = true;
    add(
        "sessions",
        vec![
            id,
            Column::needed("user_id", Type::Int),
            Column::new("ip", Type::Varchar(45)),
            Column::new("expires_at", Type::Timestamp),
        ],
        sessions.collect(),
    )
}
