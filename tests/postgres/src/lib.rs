//! A PostgreSQL server of one's own, for as long as a test process lives, and a database of one's own for each test.
//!
//! The server listens on a socket in a folder of its own, so that no port can be taken; it stops when the process that asked
//! for it ends, however it ends: it is watched by a shell that reads from a pipe which nobody else holds. Where
//! `TOWPATH_TEST_POSTGRES` names a server (`postgres://USER@HOST:PORT`), that one is used. Where there is neither, tests fail and
//! say what to install: a suite that skipped half of itself in silence would be worse.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server in use.
struct Server {
    /// The folder of its programs.
    programs: PathBuf,
    /// Its address, without a database.
    address: String,
    /// Closing its input stops it.
    _watch: Option<Child>,
}

/// Makes a database that nobody else uses and gives its address. It goes with the server.
///
/// # Panics
/// When there is no PostgreSQL on this machine.
pub fn database() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("towpath_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    run_sql(&address_of("postgres"), &format!("CREATE DATABASE {name}"));
    address_of(&name)
}

/// Takes a database away that [`database`] made, whoever is still connected to it.
///
/// # Panics
/// When there is no such database.
pub fn drop_database(address: &str) {
    let path = address.split('?').next().unwrap_or(address);
    let name = path.rsplit('/').next().unwrap_or(path);
    run_sql(&address_of("postgres"), &format!("DROP DATABASE {name} WITH (FORCE)"));
}

/// Runs statements as the server's owner, and gives what they answer, a row a line.
///
/// # Panics
/// When they fail.
pub fn run_sql(address: &str, sql: &str) -> String {
    // Where only a server's programs are linked, the client's is on the path.
    let own = server().programs.join("psql");
    let psql = if own.is_file() { own } else { "psql".into() };
    let ran = Command::new(psql).args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", sql]).output();
    let ran = ran.expect("psql starts");
    assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8_lossy(&ran.stdout).trim().to_owned()
}

fn address_of(database: &str) -> String {
    let address = &server().address;
    let (server, query) = address.split_once('?').unwrap_or((address, ""));
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}/{database}{mark}{query}", server.trim_end_matches('/'))
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let programs = programs().unwrap_or_else(|| {
            panic!(
                "there is no PostgreSQL on this machine: install the package `postgresql` (apt-get install postgresql)"
            )
        });
        match std::env::var("TOWPATH_TEST_POSTGRES") {
            Ok(address) => Server { programs, address, _watch: None },
            Err(_) => start(programs),
        }
    })
}

/// The newest server's folder of programs; Debian keeps them beside the path.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Starts it without care for what a loss of power would take. The server refuses root, who gives it another name.
const SCRIPT: &str = r#"
programs=$1
as=
if [ "$(id -u)" = 0 ]; then as="runuser -u postgres --"; fi
data=$($as mktemp -d /tmp/towpath-postgres-XXXXXX) || exit 1
# At once: what it holds is thrown away. Its own process is asked, since another may stand before it.
finish() { kill -QUIT "$(head -n 1 "$data/db/postmaster.pid")" 2>/dev/null; wait; rm -rf "$data"; exit 0; }
trap finish TERM INT HUP
$as "$programs/initdb" -D "$data/db" -U towpath -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$data/log" 2>&1 || { cat "$data/log"; rm -rf "$data"; exit 1; }
cd "$data"
$as "$programs/postgres" -D "$data/db" -c listen_addresses= -c unix_socket_directories="$data" -c fsync=off \
    -c full_page_writes=off -c max_connections=200 -c autovacuum=off >"$data/log" 2>&1 &
server=$!
tries=0
until grep -q '^ready' "$data/db/postmaster.pid" 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 600 ] || ! kill -0 $server 2>/dev/null; then cat "$data/log"; finish; fi
    sleep 0.05
done
echo "ready $data"
cat >/dev/null
finish
"#;

fn start(programs: PathBuf) -> Server {
    let mut watch = Command::new("sh")
        .args(["-c", SCRIPT, "sh"])
        .arg(&programs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts");
    let mut output = BufReader::new(watch.stdout.take().expect("piped"));
    let mut told = String::new();
    output.read_line(&mut told).expect("readable");
    let Some(folder) = told.trim().strip_prefix("ready ") else {
        output.read_to_string(&mut told).expect("readable");
        panic!("PostgreSQL does not start: {told}");
    };
    let escaped = Path::new(folder).display().to_string().replace('/', "%2F");
    Server { programs, address: format!("postgres://towpath@{escaped}:5432"), _watch: Some(watch) }
}
