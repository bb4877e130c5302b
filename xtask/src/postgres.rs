//! A private PostgreSQL for one run: found or installed, started on a free port of loopback, gone afterwards.
//! Not here: databases and tables; each test makes its own.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::fault::{Fault, Outcome};
use crate::host;
use crate::place::Place;
use crate::run::{self, MINUTE, SECOND};

/// Runs the server until standard input ends, then stops it and removes its folder. Standard input ends when the
/// cluster is dropped and also when this program dies in any other way, so nothing is ever left running.
const KEEPER: &str = r#"
trap '' INT TERM HUP
folder=$1; shift
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
{ cat <&3 >/dev/null; kill -QUIT "$server"; } &
exec 3<&-
wait "$server"
cd / && rm -rf "$folder"
"#;

/// The binaries of a PostgreSQL server.
pub struct Server {
    bin: PathBuf,
}

impl Server {
    /// Debian's folders first (the newest version), then PATH.
    pub fn find() -> Option<Self> {
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .filter(|(_, bin)| bin.join("initdb").is_file() && bin.join("postgres").is_file())
            .collect();
        versions.sort();
        if let Some((_, bin)) = versions.pop() {
            return Some(Server { bin });
        }
        let initdb = host::on_path("initdb")?.canonicalize().ok()?;
        let bin = initdb.parent()?.to_owned();
        bin.join("postgres").is_file().then_some(Server { bin })
    }

    pub fn find_or_install(place: &Place, may_install: bool) -> Outcome<Self> {
        if let Some(server) = Self::find() {
            return Ok(server);
        }
        let missing = |why: &str| {
            Fault::new("PostgreSQL server", why).next("install PostgreSQL 14 or newer with its server")
        };
        if !may_install {
            return Err(missing("no initdb found, and nothing may be installed"));
        }
        host::install_debian(place, &["postgresql"])?;
        Self::find().ok_or_else(|| missing("no initdb found after the installation"))
    }
}

/// The user that runs the server: it refuses to run as root.
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    fn find() -> Outcome<Option<Self>> {
        if !host::is_root() {
            return Ok(None);
        }
        let id = |flag: &str, user: &str| run::ask(Command::new("id").args([flag, user]))?.parse().ok();
        ["postgres", "nobody"]
            .iter()
            .find_map(|user| Some(Owner { uid: id("-u", user)?, gid: id("-g", user)? }))
            .map(Some)
            .ok_or_else(|| {
                Fault::new("PostgreSQL", "does not run as root, and there is no user `postgres` or `nobody`")
                    .next("run as another user")
            })
    }
}

/// A running server; dropping it stops the server and removes its files.
pub struct Cluster {
    keeper: Child,
    folder: PathBuf,
    pub url: String,
}

impl Cluster {
    pub fn start(place: &Place, server: &Server) -> Outcome<Self> {
        let owner = Owner::find()?;
        let log = place.log("postgres");
        let _ = fs::remove_file(&log);
        let mut last = None;
        // A free port can be taken by somebody else before the server has it.
        for attempt in 0..3 {
            let folder = make_folder(owner.as_ref(), attempt)?;
            match Self::start_in(place, server, owner.as_ref(), folder.clone(), &log) {
                Ok(cluster) => return Ok(cluster),
                Err(fault) => last = Some(fault),
            }
            let _ = fs::remove_dir_all(&folder);
        }
        Err(last.unwrap_or_else(|| Fault::new("PostgreSQL", "did not start")))
    }

    fn start_in(
        place: &Place,
        server: &Server,
        owner: Option<&Owner>,
        folder: PathBuf,
        log: &Path,
    ) -> Outcome<Self> {
        let what = "start a private PostgreSQL";
        let port = free_port()?;
        let data = folder.join("data");
        let mut initdb = as_owner(place, owner, &folder, &server.bin.join("initdb"));
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        run::logged("initdb", initdb.arg("-D").arg(&data), 2 * MINUTE, log)?;

        let keeper = keeper(place, server, owner, &folder, port, log)?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let mut cluster = Cluster { keeper, folder, url };
        let ready = run::poll(30 * SECOND, || match cluster.keeper.try_wait() {
            Ok(None) => answers(&server.bin, port).then_some(true),
            _ => Some(false),
        });
        match ready {
            Some(true) => Ok(cluster),
            Some(false) => Err(Fault::new(what, format!("the server ended at once\n{}", run::tail(log)))),
            None => Err(Fault::new(what, format!("no answer within 30 s\n{}", run::tail(log)))),
        }
        .map_err(|fault| fault.next(format!("less {}", log.display())))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let ended = run::poll(30 * SECOND, || self.keeper.try_wait().transpose()).is_some();
        if !ended || self.folder.exists() {
            eprintln!("warning: the private PostgreSQL in {} did not go away", self.folder.display());
        }
    }
}

/// Under the system's temporary folder: the server's user can reach it, and its socket's path stays short.
fn make_folder(owner: Option<&Owner>, attempt: u32) -> Outcome<PathBuf> {
    let parent = if owner.is_some() { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    let folder = parent.join(format!("deskbridge-test-pg-{}-{attempt}", std::process::id()));
    let made = fs::create_dir(&folder)
        .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)))
        .and_then(|()| owner.map_or(Ok(()), |o| chown(&folder, Some(o.uid), Some(o.gid))));
    match made {
        Ok(()) => Ok(folder),
        Err(e) => Err(Fault::new("folder for PostgreSQL", format!("{}: {e}", folder.display()))),
    }
}

fn keeper(
    place: &Place,
    server: &Server,
    owner: Option<&Owner>,
    folder: &Path,
    port: u16,
    log: &Path,
) -> Outcome<Child> {
    let io = |e: std::io::Error| Fault::new("start a private PostgreSQL", e.to_string());
    let output = File::options().append(true).open(log).map_err(io)?;
    let mut keeper = as_owner(place, owner, folder, Path::new("/bin/sh"));
    keeper.args(["-c", KEEPER, "keeper"]).arg(folder);
    keeper.arg(server.bin.join("postgres")).arg("-D").arg(folder.join("data"));
    keeper.arg("-p").arg(port.to_string()).arg("-k").arg(folder);
    for setting in [
        "listen_addresses=127.0.0.1",
        "max_connections=200",
        "fsync=on",
        "synchronous_commit=on",
        "timezone=UTC",
        "log_line_prefix=%m [%p] ",
    ] {
        keeper.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C stops the tests first, and the server after them.
    keeper.process_group(0).stdin(Stdio::piped());
    keeper.stdout(output.try_clone().map_err(io)?).stderr(output).spawn().map_err(io)
}

fn as_owner(place: &Place, owner: Option<&Owner>, folder: &Path, program: &Path) -> Command {
    let mut command = place.command(program);
    command.current_dir(folder).env("LC_ALL", "C");
    for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGOPTIONS"] {
        command.env_remove(name);
    }
    if let Some(owner) = owner {
        command.gid(owner.gid).uid(owner.uid);
    }
    command
}

fn answers(bin: &Path, port: u16) -> bool {
    let mut ask = Command::new(bin.join("pg_isready"));
    run::ask(ask.args(["-q", "-h", "127.0.0.1", "-p"]).arg(port.to_string())).is_some()
}

fn free_port() -> Outcome<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Fault::new("find a free port on 127.0.0.1", e.to_string()))
}
