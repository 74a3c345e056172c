//! The database file: modes, other programs' files, damage, newer releases, full disks, lost connections.

use std::fs;
use std::path::Path;

use chrono::Utc;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use towpath_state::{Error, Fault, Intent, Lock, LockError, RunId, RunStart, Scope, Store};

fn scope() -> Scope {
    Scope::new("p", "")
}

fn run_on(store: &Store) -> (Lock, RunId) {
    let run = RunId::generate();
    let lock = store.lock(&scope(), &run).expect("free");
    let start = RunStart {
        id: run,
        scope: scope(),
        pipeline_file: "p.yaml".into(),
        started_at: Utc::now(),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    };
    store.begin_run(&start).expect("begins");
    (lock, run)
}

fn intents(count: u32) -> Vec<Intent> {
    (0..count)
        .map(|number| Intent {
            key_hash: u128::from(number).to_le_bytes(),
            key: json!({"person": number, "title": "x".repeat(200)}),
            payload_hash: [1; 16],
            content: vec![1; 80],
        })
        .collect()
}

fn raw(dir: &Path) -> Connection {
    Connection::open(dir.join("state.db")).expect("a database")
}

#[cfg(unix)]
#[test]
fn folder_and_files_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("deep/.towpath");
    let store = Store::open(&dir).expect("opens");
    let (_lock, _) = run_on(&store);
    assert_eq!(mode(&dir), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(&dir).expect("listable") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 2, "the database and its log");
    drop((_lock, store));
    fs::set_permissions(dir.join("state.db"), fs::Permissions::from_mode(0o644)).expect("ours");
    Store::open(&dir).expect("opens");
    assert_eq!(mode(&dir.join("state.db")), 0o600);
}

#[cfg(unix)]
#[test]
fn what_stood_open_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    let open_up = |path: &Path, to: u32| fs::set_permissions(path, fs::Permissions::from_mode(to)).expect("ours");
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("opens");
    let _held = run_on(&store);
    fs::create_dir(dir.path().join("stages")).expect("a folder");
    let files = ["state.db", "state.db-wal", "state.db-shm"].map(|name| dir.path().join(name));
    // As a release before this one left them, or a restored backup.
    files.iter().for_each(|file| open_up(file, 0o666));
    open_up(dir.path(), 0o777);
    let again = Store::open(dir.path()).expect("opens");
    assert_eq!(files.each_ref().map(|file| mode(file)), [0o600; 3]);
    assert_eq!(mode(dir.path()), 0o700);
    // A folder that holds other things, too, may be shared for a reason.
    drop(again);
    fs::write(dir.path().join("pipeline.yaml"), "").expect("a file");
    open_up(dir.path(), 0o755);
    Store::open(dir.path()).expect("opens");
    assert_eq!(mode(dir.path()), 0o755);
    assert_eq!(files.each_ref().map(|file| mode(file)), [0o600; 3]);
}

#[cfg(unix)]
#[test]
fn private_files_and_folders_are_made_and_closed() {
    use std::os::unix::fs::PermissionsExt;
    use towpath_state::private;
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    let dir = tempfile::tempdir().expect("a folder");
    let (deep, file) = (dir.path().join("a/b"), dir.path().join("a/b/c"));
    private::folder(&deep).expect("made");
    private::write(&file, "one").expect("written");
    assert_eq!([mode(&dir.path().join("a")), mode(&deep), mode(&file)], [0o700, 0o700, 0o600]);
    fs::set_permissions(&deep, fs::Permissions::from_mode(0o777)).expect("ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("ours");
    private::folder(&deep).expect("there");
    private::write(&file, "two").expect("written");
    assert_eq!([mode(&deep), mode(&file)], [0o700, 0o600]);
    // Somebody else's link is replaced, not followed.
    let other = dir.path().join("other");
    fs::write(&other, "theirs").expect("written");
    fs::remove_file(&file).expect("ours");
    std::os::unix::fs::symlink(&other, &file).expect("a link");
    private::write(&file, "three").expect("written");
    assert_eq!(
        (fs::read_to_string(&other).expect("there"), fs::read_to_string(&file).expect("there")),
        ("theirs".into(), "three".into())
    );
    assert!(private::new_folder(&deep).is_err(), "a folder that is there is not new");
}

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("state.db");
    let text = b"name,title\nAnna,Ladders\n".repeat(100);
    fs::write(&file, &text).expect("writable");
    let error = Store::open(dir.path()).expect_err("no database");
    assert!(matches!(error, Error::NotOurs { .. }), "{error:?}");
    assert!(error.to_string().contains("state.db"), "{error}");
    assert_eq!((error.fault(), error.code()), (Fault::User, "state-not-ours"));
    assert_eq!(fs::read(&file).expect("readable"), text);

    fs::remove_file(&file).expect("removable");
    raw(dir.path()).execute_batch("CREATE TABLE songs (title TEXT)").expect("theirs");
    let before = fs::read(&file).expect("readable");
    assert!(matches!(Store::open(dir.path()), Err(Error::NotOurs { .. })));
    assert_eq!(fs::read(&file).expect("readable"), before);

    fs::remove_file(&file).expect("removable");
    fs::create_dir(&file).expect("a folder of that name");
    assert!(matches!(Store::open(dir.path()), Err(Error::NotOurs { .. })));
}

#[test]
fn a_newer_database_is_refused_with_both_versions() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(Store::open(dir.path()).expect("opens"));
    raw(dir.path()).pragma_update(None, "user_version", 99).expect("ours");
    let error = Store::open(dir.path()).expect_err("newer");
    assert!(matches!(error, Error::Newer { found: 99, known: 4, .. }), "{error:?}");
    let text = format!("{error}; {}", error.help());
    for part in ["state.db", "99", "versions up to 4", "newer release", "--state"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn damage_is_called_damage() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("opens");
    let (lock, run) = run_on(&store);
    store.intend(&lock, &scope(), "s", "t", &run, &intents(2000)).expect("put down");
    drop((lock, store));
    let file = dir.path().join("state.db");
    let mut bytes = fs::read(&file).expect("readable");
    // All but the first page, which holds the header and the schema.
    bytes[4096..].fill(0xa5);
    fs::write(&file, bytes).expect("writable");
    let error = Store::open(dir.path()).and_then(|store| store.unknown(&scope())).expect_err("damaged");
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    assert!(error.help().contains("backup"));
}

#[test]
fn what_was_not_committed_when_the_connection_was_lost_is_not_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("opens");
    let (lock, run) = run_on(&store);
    store.intend(&lock, &scope(), "s", "t", &run, &intents(3)).expect("put down");
    let lost = raw(dir.path());
    lost.execute_batch("BEGIN IMMEDIATE; DELETE FROM journal; UPDATE lock SET token = 99").expect("written");
    drop(lost);
    assert!(store.fence_ok(&lock).expect("readable"));
    let open = Store::open(dir.path()).expect("opens").unknown(&scope()).expect("readable");
    assert_eq!(open.len(), 3);
}

#[test]
fn a_copy_of_database_and_log_holds_all_that_was_accepted() {
    let (dir, copy) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let store = Store::open(dir.path()).expect("opens");
    let (lock, run) = run_on(&store);
    for (number, intent) in intents(20).into_iter().enumerate() {
        store.intend(&lock, &scope(), "s", "t", &run, &[intent]).expect("put down");
        // What a machine that loses power now finds when it comes back: the two files, no shared memory.
        for name in ["state.db", "state.db-wal"] {
            fs::copy(dir.path().join(name), copy.path().join(name)).expect("copied");
        }
        let found = Store::open(copy.path()).expect("recovers").unknown(&scope()).expect("readable");
        assert_eq!(found.len(), number + 1);
        for name in ["state.db-shm", "state.db-wal"] {
            let _ = fs::remove_file(copy.path().join(name));
        }
    }
}

#[test]
fn a_log_cut_anywhere_loses_only_its_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(dir.path()).expect("opens");
    let (lock, run) = run_on(&store);
    for intent in intents(12) {
        store.intend(&lock, &scope(), "s", "t", &run, &[intent]).expect("put down");
    }
    let database = fs::read(dir.path().join("state.db")).expect("readable");
    let log = fs::read(dir.path().join("state.db-wal")).expect("readable");
    let mut last = 0;
    for cut in (0..=log.len()).step_by(log.len() / 40) {
        let copy = tempfile::tempdir().expect("a folder");
        fs::write(copy.path().join("state.db"), &database).expect("writable");
        fs::write(copy.path().join("state.db-wal"), &log[..cut]).expect("writable");
        let found = Store::open(copy.path()).expect("recovers").unknown(&scope()).expect("readable").len();
        assert!(found >= last, "a longer log holds more: {found} after {last}");
        last = found;
    }
    assert!(last >= 11, "{last}");
}

#[test]
fn a_database_locked_by_another_is_not_an_error_of_ours() {
    let error = LockError::from(Error::Busy { path: "x/state.db".into(), action: "taking the lock" });
    assert!(error.to_string().contains("another process keeps"), "{error}");
    assert!(error.help().contains("wait"));
}

#[test]
fn handles_may_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Store>();
    shared::<Lock>();
    shared::<Error>();
    shared::<LockError>();
}
