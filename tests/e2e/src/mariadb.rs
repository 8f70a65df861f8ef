//! A private MariaDB server in a temporary folder.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::wait::until;

/// A running server; ended with its data when dropped.
pub struct MariaDb {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
}

impl MariaDb {
    /// Starts a server with an empty database `decnet`.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("init.sql"), "CREATE DATABASE IF NOT EXISTS decnet;\n")
            .unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { child: None, folder, port };
        // A data folder that was never shut down in order does not survive a kill.
        server.start_again();
        server.stop();
        server.start_again();
        server
    }

    fn stop(&mut self) {
        let Some(child) = &mut self.child else { return };
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until("MariaDB's end", || child.try_wait().unwrap());
        self.child = None;
    }

    /// Starts again on the same data.
    pub fn start_again(&mut self) {
        let folder = self.folder.path();
        let show = |path: &Path| path.display().to_string();
        let child = Command::new("mariadbd")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", show(&folder.join("data"))))
            .arg(format!("--socket={}", show(&folder.join("s"))))
            .arg(format!("--pid-file={}", show(&folder.join("pid"))))
            .arg(format!("--init-file={}", show(&folder.join("init.sql"))))
            .arg(format!("--port={}", self.port))
            // It needs no system tables when it does not check rights.
            .args(["--skip-grant-tables", "--skip-networking=0", "--bind-address=127.0.0.1"])
            .arg("--innodb-buffer-pool-size=64M")
            .args(user())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap());
        let port = self.port;
        // Only its greeting says that it is up: it accepts before, and cannot be stopped then.
        until("MariaDB", || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
            stream.read_exact(&mut [0]).ok()
        });
    }

    /// The URL for `--db`.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/decnet", self.port)
    }

    /// Kills the server at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
    }
}

fn user() -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some("--user=root")
}
