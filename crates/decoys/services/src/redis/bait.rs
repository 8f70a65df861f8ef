//! The first keys: what an application of this machine would keep here.
//!
//! Secrets are the decky's own (`.env` and the notes in its file tree tell of the same database and
//! key), or drawn for this place alone.

use base_model::Timestamp;
use decoys_host::Machine;
use decoys_kit::Choices;

use super::keyspace::Entry;
use super::persona::{hex, token};
use super::server::Server;
use super::value::{Hash, Sorted, Value};

const SURFACES: &[&str] = &["api", "web", "worker", "shop", "admin", "cms"];
const STAGES: &[&str] = &["prod", "stage", "live"];
const FLAGS: &[&str] =
    &["new-checkout", "beta-search", "dark-mode", "sso", "export-v2", "audit-log"];

/// Lays the keys of `machine` at `now`.
pub(super) fn lay(server: &mut Server, machine: &Machine, now: Timestamp) {
    let choices = Choices::new(&machine.decky().secret);
    let values = &machine.facts().values;
    let fact = |name: &str| values.get(name).cloned().unwrap_or_default();
    let at = now.seconds();
    let mut put = |key: String, value: Value| {
        let entry = Entry { value, expires: None, touched: at };
        // The first keys are far from filling it.
        let _ = server.keys.put(0, key.as_bytes(), entry);
    };
    let text = |text: String| Value::Text(text.into_bytes());
    for n in 0..choices.range("redis.sessions", 3, 14) {
        let id = hex(&choices.bytes::<16>(&format!("redis.session.{n}")));
        let user = choices.range(&format!("redis.session.{n}.user"), 1, 900);
        let expires = at
            + i64::try_from(choices.range(&format!("redis.session.{n}.exp"), 600, 86_400))
                .unwrap_or(600);
        put(format!("session:{id}"), text(format!("{{\"uid\":{user},\"exp\":{expires}}}")));
    }
    let surface = |label: &str| choices.pick(label, SURFACES).copied().unwrap_or("api");
    for n in 0..choices.range("redis.caches", 2, 5) {
        let id = choices.range(&format!("redis.cache.{n}.id"), 1, 400);
        let items: Vec<String> = (0..3)
            .map(|item| choices.range(&format!("redis.cache.{n}.{item}"), 1000, 99_999).to_string())
            .collect();
        let name = surface(&format!("redis.cache.{n}"));
        put(
            format!("cache:{name}:feed:{id}"),
            text(format!("{{\"items\":[{}],\"ttl\":300}}", items.join(","))),
        );
    }
    let stage = choices.pick("redis.stage", STAGES).copied().unwrap_or("prod");
    let requests = choices.range("redis.requests", 20_000, 9_000_000);
    put(format!("stats:{}:{stage}:requests", surface("redis.stats")), text(requests.to_string()));

    put("config:jwt:signing_key".to_owned(), text(hex(&choices.bytes::<32>("redis.jwt"))));
    put(
        "api:key:internal".to_owned(),
        text(format!("sk_live_{}", token(&choices, "redis.api.key", 24))),
    );
    let mut admin = Hash::default();
    let field = |hash: &mut Hash, name: &str, value: String| {
        hash.set(name.into(), value.into_bytes());
    };
    field(&mut admin, "id", "1".to_owned());
    field(&mut admin, "email", format!("admin@{}.local", fact("hostname").to_lowercase()));
    field(&mut admin, "role", "superadmin".to_owned());
    field(&mut admin, "password", bcrypt_like(&choices));
    put("user:1".to_owned(), Value::Hash(admin));
    let mut database = Hash::default();
    for (name, value) in
        [("host", "db_host"), ("user", "db_user"), ("password", "db_pass"), ("name", "db_name")]
    {
        field(&mut database, name, fact(value));
    }
    put("config:database".to_owned(), Value::Hash(database));
    let jobs = (0..choices.range("redis.jobs", 1, 4)).map(|n| {
        let to = choices.range(&format!("redis.job.{n}"), 100, 900);
        format!("{{\"job\":\"send_mail\",\"user\":{to},\"template\":\"invoice\"}}").into_bytes()
    });
    put("queue:mail".to_owned(), Value::List(jobs.collect()));
    let flags = FLAGS.iter().filter(|flag| choices.range(&format!("redis.flag.{flag}"), 0, 1) == 1);
    let flags: std::collections::BTreeSet<Vec<u8>> =
        flags.map(|flag| flag.as_bytes().to_vec()).collect();
    put("features:enabled".to_owned(), Value::Set(flags));
    let mut board = Sorted::default();
    for n in 1..=choices.range("redis.board", 3, 8) {
        let hits = choices.range(&format!("redis.board.{n}"), 10, 9000);
        board.set(format!("page:{n}").into_bytes(), f64::from(u32::try_from(hits).unwrap_or(10)));
    }
    put("rank:pages".to_owned(), Value::Sorted(board));
}

/// Something of the form of a bcrypt hash; no password has it.
fn bcrypt_like(choices: &Choices<'_>) -> String {
    format!("$2y$10${}", token(choices, "redis.admin.hash", 53))
}
