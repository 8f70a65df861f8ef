//! Fresh databases for tests, on both engines.
//!
//! One private MariaDB server serves every test process of a user. Processes hold a shared lock on a
//! file while they live; a watcher ends the server and removes its files some seconds after the last
//! lock is gone, so even a killed test leaves nothing behind. It does so under the exclusive lock, so
//! no process can begin to use a server that is about to end.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;

use crate::{Db, DbUrl, MySqlUrl};

const SERVER: &str = "/usr/sbin/mariadbd";

/// A database of its own; gone when dropped.
pub struct TestDb {
    /// The open database.
    pub db: Db,
    /// To open it again.
    pub url: DbUrl,
    /// `sqlite` or `mariadb`.
    pub engine: &'static str,
    _folder: tempfile::TempDir,
}

/// Fresh migrated databases: one on SQLite, and one on MariaDB unless the server is missing, which is
/// said once per process, or fails the test when `DECNET_TESTS_STRICT=1`.
///
/// # Panics
/// When a database cannot be made.
#[expect(clippy::panic, reason = "a test without its database has failed")]
pub async fn databases() -> Vec<TestDb> {
    let mut all = vec![sqlite().await];
    if let Some(server) = server() {
        all.push(mariadb(server).await);
    } else if base_runtime::environment::variable("DECNET_TESTS_STRICT").is_some() {
        panic!("{SERVER} is missing: install the Debian package mariadb-server-core");
    }
    all
}

/// A fresh migrated SQLite file.
///
/// # Panics
/// When it cannot be made.
#[expect(clippy::expect_used, reason = "a test without its database has failed")]
pub async fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = DbUrl::Sqlite(folder.path().join("test.db"));
    let db = Db::open(&url).await.expect("a fresh SQLite file opens");
    TestDb { db, url, engine: "sqlite", _folder: folder }
}

#[expect(clippy::expect_used, reason = "a test without its database has failed")]
async fn mariadb(server: &Server) -> TestDb {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let database = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let at = |database: &str| MySqlUrl {
        host: "127.0.0.1".into(),
        port: server.port,
        user: "root".into(),
        password: String::new(),
        database: database.into(),
    };
    let root = format!("mysql://root@127.0.0.1:{}/information_schema", server.port);
    let root = sea_orm::Database::connect(root).await.expect("the test server answers");
    let create = format!("CREATE DATABASE {database}");
    root.execute_unprepared(&create).await.expect("a fresh database");
    root.close().await.expect("the connection closes");
    let url = DbUrl::MySql(at(&database));
    let db = Db::open(&url).await.expect("a fresh MariaDB database opens");
    TestDb { db, url, engine: "mariadb", _folder: tempfile::tempdir().expect("a folder") }
}

struct Server {
    port: u16,
    /// Held shared until this process ends.
    _users: File,
}

fn server() -> Option<&'static Server> {
    static SERVER_OF_PROCESS: OnceLock<Option<Server>> = OnceLock::new();
    SERVER_OF_PROCESS.get_or_init(start).as_ref()
}

#[expect(clippy::expect_used, reason = "a test without its database has failed")]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn start() -> Option<Server> {
    if !Path::new(SERVER).exists() {
        eprintln!("skipped on MariaDB: {SERVER} is missing (package mariadb-server-core)");
        return None;
    }
    let home = home();
    std::fs::create_dir_all(&home).expect("the server's folder");
    let open = |name: &str| {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        options.open(home.join(name)).expect("a lock file")
    };
    let starting = open("starting");
    starting.lock().expect("the start lock");
    let users = open("users");
    users.lock_shared().expect("the users lock");
    let port_file = home.join("port");
    let running = std::fs::read_to_string(&port_file).ok().and_then(|port| port.parse().ok());
    let port = match running {
        Some(port) if answers(port) => port,
        _ => launch(&home, &port_file),
    };
    drop(starting);
    Some(Server { port, _users: users })
}

fn home() -> PathBuf {
    // Memory, where there is such a file system: these databases need not outlive anything.
    let shared = Path::new("/dev/shm");
    let base = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    base.join(format!("decnet-test-mariadb-{}", whoami()))
}

/// The owner of our own files, as a number.
fn whoami() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").map_or(0, |entry| entry.uid())
}

#[expect(clippy::expect_used, reason = "a test without its database has failed")]
#[expect(clippy::panic, reason = "a test without its database has failed")]
fn launch(home: &Path, port_file: &Path) -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    let data = home.join(format!("data-{port}"));
    std::fs::create_dir_all(&data).expect("the data folder");
    // The server needs no system tables when it does not check rights; it is reachable from this
    // machine only. The watcher holds none of our descriptors.
    let script = format!(
        r#"{{
{SERVER} --no-defaults --user=$(id -un) --datadir='{data}' --skip-grant-tables \
  --skip-networking=0 --bind-address=127.0.0.1 --port={port} --socket='{data}/s.sock' \
  --pid-file='{data}/pid' --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=256M \
  --innodb-log-file-size=256M --max-connections=1000 --skip-log-bin >'{data}/log' 2>&1 &
server=$!
exec 9<>'{users}'
idle=0
while kill -0 $server 2>/dev/null; do
  sleep 1
  if flock -n -x 9; then
    idle=$((idle+1))
    if [ $idle -lt 5 ]; then flock -u 9; else kill $server; wait $server; fi
  else
    idle=0
  fi
done
rm -rf '{data}'
}} &
"#,
        data = data.display(),
        users = home.join("users").display(),
    );
    let started = Command::new("setsid")
        .args(["sh", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(started.is_ok_and(|status| status.success()), "the watcher of the test server starts");
    let started = Instant::now();
    while !answers(port) {
        if started.elapsed() > Duration::from_secs(60) {
            let log = std::fs::read_to_string(data.join("log")).unwrap_or_default();
            panic!("the test server does not answer: {log}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut file = File::create(port_file).expect("the port file");
    file.write_all(port.to_string().as_bytes()).expect("the port file");
    port
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
