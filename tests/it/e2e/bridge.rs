//! The built program as a process: its configuration in a folder of its own, its start, its end by signal, its export.
//!
//! Not here: what people do and see (`talk`).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deskbridge_platforms::telegram::FakeTelegram;
use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub const SECRET: &str = "a-webhook-secret-for-tests";
/// Long, because the machine may be busy; what is waited for is an event, so a quick machine is not held up.
pub const PATIENCE: Duration = Duration::from_secs(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Polling,
    Webhook,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    Sqlite,
    Postgres,
}

/// One configuration and, now and then, a process that runs by it.
pub struct Bridge {
    pub folder: TempDir,
    pub port: u16,
    child: Option<Child>,
    starts: u32,
    /// Dropped with it.
    _database: Option<Database>,
}

impl Bridge {
    /// One Telegram channel with a desk. `None` where the database cannot be had.
    pub async fn set_up(fake: &FakeTelegram, room: i64, way: Way, base: Base) -> Option<Bridge> {
        let technicians = r#"
            [[technicians]]
            name = "Bob"
            identities = ["telegram:200"]
            capacity = 100
        "#;
        let desk = format!("[channels.telegram.desk]\nroom = \"{room}\"");
        Bridge::with(&[&telegram(fake, way), &desk, technicians].join("\n"), base).await
    }

    /// These channels and technicians; the rest is as every test wants it. `None` where the database cannot be had.
    pub async fn with(channels: &str, base: Base) -> Option<Bridge> {
        // The fake's clients and ours need it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = match base {
            Base::Sqlite => None,
            Base::Postgres => Some(Database::create().await?),
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let url =
            database.as_ref().map_or("sqlite:deskbridge.db".to_owned(), |database| database.url.clone());
        let knowledge = folder.path().join("articles");
        copy_articles(&knowledge);
        let text = format!(
            r#"
            [server]
            listen = "127.0.0.1:{port}"
            public_url = "http://127.0.0.1:{port}"
            [store]
            url = "{url}"
            blobs = "blobs"
            [assistant]
            knowledge = "{}"
            burst_window = "100ms"
            [desk]
            undo_window = "0s"
            {channels}
            "#,
            knowledge.display(),
        );
        fs::write(folder.path().join("deskbridge.toml"), text).expect("written");
        Some(Bridge { folder, port, child: None, starts: 0, _database: database })
    }

    /// The folder of this bridge's own articles: a copy of the samples.
    pub fn articles(&self) -> PathBuf {
        self.folder.path().join("articles")
    }

    /// Changes the configuration; it is read at the next start.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let file = self.folder.path().join("deskbridge.toml");
        let text = fs::read_to_string(&file).expect("read");
        fs::write(file, change(text)).expect("written");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deskbridge"));
        command
            .args(args)
            .args(["--config", "deskbridge.toml"])
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts `args` (`serve`, or `bench serve`) and waits until it is ready for calls.
    pub async fn start_as(&mut self, args: &[&str]) {
        self.launch(args);
        self.ready().await;
    }

    pub async fn start(&mut self) {
        self.start_as(&["serve"]).await;
    }

    fn launch(&mut self, args: &[&str]) {
        self.starts += 1;
        let log = File::create(self.log_file()).expect("a log file");
        let child = self.command(args).stdout(Stdio::null()).stderr(log).spawn().expect("started");
        self.child = Some(child);
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join(format!("log-{}", self.starts))
    }

    /// What the process of the latest start said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    async fn ready(&mut self) {
        let http = client();
        let url = self.url("/readyz");
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let answer = http.get(&url).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
                assert!(ended.is_none(), "it ended while it started: {ended:?}\n{}", self.log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        if waited.await.is_err() {
            panic!("not ready after {PATIENCE:?}:\n{}", self.log());
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.expect("killed");
    }

    /// The process of the latest start.
    pub fn id(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let told = Command::new("kill").args([name, &id]).status().await.expect("kill");
        assert!(told.success());
    }

    /// SIGHUP.
    pub async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    /// SIGTERM, and its end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal("-TERM").await;
        let mut child = self.child.take().expect("it runs");
        match tokio::time::timeout(Duration::from_secs(30), child.wait()).await {
            Ok(ended) => ended.expect("waited"),
            Err(_) => panic!("it did not stop:\n{}", self.log()),
        }
    }

    /// Runs another process by the same configuration to its end: whether it succeeded, and what it said.
    pub async fn run(&self, args: &[&str]) -> (bool, String, String) {
        let done = self.command(args).output();
        let done = tokio::time::timeout(PATIENCE, done).await.expect("it ended").expect("run");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.success(), text(&done.stdout), text(&done.stderr))
    }

    /// A token that may look at everything; made before the first start: a SQLite file is for one process (F31).
    pub async fn token(&self) -> String {
        self.token_with(&["--scope", "admin", "--scope", "chats:read", "--scope", "tickets:read"]).await
    }

    /// A token made with these arguments; before the first start, too.
    pub async fn token_with(&self, args: &[&str]) -> String {
        let (good, _, err) = self.run(&["migrate", "up"]).await;
        assert!(good, "{err}");
        let (good, out, err) = self.run(&[&["token", "create", "--name", "e2e"], args].concat()).await;
        assert!(good, "{err}");
        out.trim().to_owned()
    }

    /// What the API answers under `/api/v1`.
    pub async fn api(&self, path: &str, token: &str) -> Value {
        let answer = client().get(self.url(&format!("/api/v1{path}"))).bearer_auth(token).send().await;
        let answer = answer.expect("answered");
        let (status, text) = (answer.status(), answer.text().await.expect("read"));
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Rows of one table of the export. It is stopped for that, so that nothing is under way.
    pub async fn rows(&mut self, table: &str) -> Vec<Value> {
        if self.child.is_some() {
            assert!(self.stop().await.success(), "{}", self.log());
        }
        let (good, out, err) = self.run(&["export"]).await;
        assert!(good, "{err}");
        let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        lines.filter(|line| line["table"] == table).map(|mut line| line["row"].take()).collect()
    }
}

/// The section of a Telegram channel, without a desk.
pub fn telegram(fake: &FakeTelegram, way: Way) -> String {
    let receive = match way {
        Way::Polling => "polling",
        Way::Webhook => "webhook",
    };
    let (token, api) = (fake.token(), fake.base_url());
    format!(
        r#"
        [channels.telegram]
        adapter = "telegram"
        token = "{token}"
        api_base = "{api}"
        receive = "{receive}"
        webhook_secret = "{SECRET}"
        "#
    )
}

fn copy_articles(to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge")).expect("samples") {
        let from = entry.expect("an entry").path();
        if let Some(name) = from.file_name().filter(|_| from.is_file()) {
            fs::copy(&from, to.join(name)).expect("copied");
        }
    }
}

/// Free a moment ago; it must be known before the start, and stay the same over restarts.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A database of this test's own.
pub struct Database {
    server: String,
    name: String,
    pub url: String,
}

impl Database {
    pub async fn create() -> Option<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("DESKBRIDGE_TEST_PG") else {
            eprintln!("skipped: needs PostgreSQL (DESKBRIDGE_TEST_PG is not set)");
            return None;
        };
        let name = format!("e2e_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        tell(&server, format!("create database {name}")).await.expect("created");
        let url = server.parse::<sqlx::postgres::PgConnectOptions>().expect("a URL").database(&name);
        Some(Database { url: url.to_url_lossy().to_string(), server, name })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, text) =
            (self.server.clone(), format!("drop database if exists {} with (force)", self.name));
        // This runs inside a runtime; a database that stays costs a little disk, and no test.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(tell(&server, text)).map_err(std::io::Error::other)
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("the database {} stays behind", self.name);
        }
    }
}

async fn tell(server: &str, text: String) -> Result<(), sqlx::Error> {
    let mut conn = server.parse::<sqlx::postgres::PgConnectOptions>()?.connect().await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut conn).await?;
    conn.close().await
}
