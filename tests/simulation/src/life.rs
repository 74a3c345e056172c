//! One run of a pipeline, from its beginning to its end or to its death.
//!
//! The run is the engine's own, with its own state on disk; one thread does everything, in the time of the schedule. At
//! the moment of a death the folder of state and stages is copied as it is, as `kill -9` would have left it, and what
//! is still done by those who do not know yet is done to a folder nobody looks at any more.

use crate::connector::Simulated;
use crate::schedule::Schedule;
use crate::system::{Books, System, Temper};
use chrono::{DateTime, Utc};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use towpath_connector::{Registry, watch_boundaries};
use towpath_plan::{Documents, Outside, Plan};
use towpath_run::{Options, Outcome, Quiet, RetryPolicy, RunError, World};
use towpath_spec::Files;
use towpath_spec::document::read_pipeline;
use towpath_state::{RunId, Store};

/// The folder of the state, beside that of the stages.
pub const STATE: &str = "state";

/// What a run begins with.
pub struct Life<'a> {
    /// The pipeline.
    pub pipeline: &'a str,
    /// Where state and stages are.
    pub folder: PathBuf,
    /// Where they are when it has died.
    pub grave: PathBuf,
    /// What is in the books of the other system.
    pub books: Books,
    /// Rows of the stream.
    pub rows: i64,
    /// How the other system behaves.
    pub temper: Temper,
    /// How often it may go wrong.
    pub troubles: usize,
    /// What decides everything else.
    pub choices: Rng,
    /// The event it dies of.
    pub dies_at: Option<usize>,
}

/// What is left of a run.
pub struct Left {
    /// Where state and stages are now.
    pub folder: PathBuf,
    /// What is in the books of the other system.
    pub books: Books,
    /// How often it may still go wrong.
    pub troubles: usize,
    /// Everything that happened.
    pub happened: Vec<String>,
    /// How the run ended, if it did not die.
    pub outcome: Option<Result<Outcome, RunError>>,
}

impl Life<'_> {
    /// Lives.
    ///
    /// # Panics
    /// The simulation itself is at fault.
    pub fn live(mut self) -> Left {
        fastrand::seed(self.choices.u64(..));
        let schedule = Arc::new(Schedule::new(self.choices.fork()));
        let system = Arc::new(System::new(schedule.clone(), self.temper, self.books.clone(), self.troubles));
        let dead = self.dies_at.map(|event| self.dies(event, &schedule, &system));
        let hears = schedule.clone();
        watch_boundaries(Some(Box::new(move |boundary| hears.event(boundary))));
        let moves = schedule.clone();
        // Neither the machine's clock nor its network is there.
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.on_thread_park(move || moves.is_idle()).build().expect("a runtime");
        let outcome = runtime.block_on(async {
            tokio::select! {
                biased;
                () = schedule.death() => None,
                ended = self.run(&schedule, &system) => Some(ended),
                () = schedule.pass() => None,
            }
        });
        drop(runtime);
        watch_boundaries(None);
        let (troubles, happened) = (system.troubles(), schedule.happened());
        let dead = dead.filter(|_| outcome.is_none());
        let Some(dead) = dead.and_then(|dead| dead.lock().unwrap_or_else(PoisonError::into_inner).take()) else {
            return Left { folder: self.folder, books: system.books(), troubles, happened, outcome };
        };
        std::fs::remove_dir_all(&self.folder).expect("the folder of the dead");
        Left { folder: dead.folder, books: dead.books, troubles, happened, outcome: None }
    }

    async fn run(&self, schedule: &Arc<Schedule>, system: &Arc<System>) -> Result<Outcome, RunError> {
        let mut registry = Registry::new();
        registry.register(Arc::new(Simulated::new(system.clone(), self.rows)));
        let plan = plan(self.pipeline, &registry, &self.folder);
        let world = World {
            registry,
            env: Arc::new(|_| None),
            secret: Arc::new(|_| None),
            overrides: BTreeMap::new(),
            observer: Arc::new(Quiet),
            cancel: CancellationToken::new(),
            clock: schedule.clone(),
        };
        let options = Options {
            run: RunId::generate().to_string(),
            now: DateTime::<Utc>::UNIX_EPOCH,
            limit: None,
            full_refresh: false,
            resume: None,
            keep_stage: false,
            stages: self.folder.join("stages"),
            retry: RetryPolicy { first: Duration::from_millis(20), ..RetryPolicy::default() },
            timeout: None,
            promise: None,
            replay: None,
        };
        let store = Store::open(&self.folder.join(STATE)).expect("the state");
        towpath_run::run(Arc::new(plan), options, world, store, "simulation.yaml", "simulation").await
    }

    /// Has it die of an event, and what is left of it kept.
    fn dies(&self, event: usize, schedule: &Arc<Schedule>, system: &Arc<System>) -> Arc<Mutex<Option<Remains>>> {
        let remains = Arc::new(Mutex::new(None));
        let (kept, from, folder) = (remains.clone(), self.folder.clone(), self.grave.clone());
        let system = Arc::downgrade(system);
        schedule.die_at(event, move || {
            let Some(system) = system.upgrade() else { return };
            copy(&from, &folder);
            bury(&folder);
            let left = Remains { folder, books: system.books_after_death() };
            kept.lock().unwrap_or_else(PoisonError::into_inner).replace(left);
        });
        remains
    }
}

/// What is left at the moment of a death.
struct Remains {
    folder: PathBuf,
    books: Books,
}

fn plan(pipeline: &str, registry: &Registry, base: &Path) -> Plan {
    let mut files = Files::new();
    let file = files.add("simulation.yaml", pipeline.to_owned());
    let (document, problems) = read_pipeline(&files, file);
    let document = document.unwrap_or_else(|| panic!("the pipeline cannot be read: {problems:?}"));
    let outside = Outside { env: &|_| None, secret: &|_| None, now: DateTime::<Utc>::UNIX_EPOCH };
    let documents = Documents {
        files: &files,
        project: None,
        pipeline: &document,
        environment: None,
        params: &BTreeMap::new(),
        base,
        macros: &[],
        outside: Some(outside),
    };
    let (plan, problems) = towpath_plan::build(&documents, registry);
    plan.unwrap_or_else(|| panic!("the pipeline cannot be planned: {problems:?}"))
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            std::fs::copy(&path, &copied).expect("a file");
        }
    }
}

/// The process that has the lock is this one, and it lives: in the copy it is one that is certainly gone.
fn bury(folder: &Path) {
    let path = folder.join(STATE).join("state.db");
    if path.exists() {
        let state = rusqlite::Connection::open(path).expect("the state");
        // Whoever died before there was anything to lock has no table of locks.
        let _ = state.execute("UPDATE lock SET born = '1'", []);
    }
}
