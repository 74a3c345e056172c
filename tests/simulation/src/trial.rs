//! A trial: runs of one pipeline that die, fail and go on, until one comes to its end; then the books are compared.

use crate::connector::{Behaviour, NAME, OPERATIONS, STREAM};
use crate::life::{Left, Life, STATE};
use crate::system::{Books, Temper, is_refused};
use fastrand::Rng;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use towpath_run::Status;
use towpath_state::{RejectFilter, Scope, Store};

/// Runs that may follow each other before it is said that they come to no end.
const LIVES: usize = 30;

/// What a trial came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Trial {
    /// The operation that was tried.
    pub operation: &'static str,
    /// Runs that died.
    pub deaths: usize,
    /// Runs that ended by themselves.
    pub ends: usize,
    /// Records that are neither there nor named as held or refused, by their ids.
    pub lost: Vec<i64>,
    /// Records that are there more than once.
    pub doubled: Vec<i64>,
    /// Records that are named as held.
    pub held: Vec<i64>,
    /// Everything that happened, a line each.
    pub happened: Vec<String>,
}

/// Carries out the trial of a seed.
///
/// # Panics
/// The simulation is at fault, or runs come to no end.
pub fn trial(seed: u64) -> Trial {
    let mut choices = Rng::with_seed(seed);
    let behaviour = OPERATIONS[choices.usize(..OPERATIONS.len())];
    trial_of(choices, behaviour, Honesty { counts_doubles: !behaviour.idempotent, lies: false })
}

/// Whether the other system is what it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Honesty {
    /// Doubles do harm, whatever the operation says of itself.
    pub counts_doubles: bool,
    /// It says that it has done what was lost.
    pub lies: bool,
}

/// Carries out a trial of one operation.
///
/// # Panics
/// Those of [`trial`].
pub fn trial_of(mut choices: Rng, behaviour: Behaviour, honesty: Honesty) -> Trial {
    // Where there is memory to write to, a sync takes nothing.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let place = tempfile::tempdir_in(place).expect("a folder");
    let slowness = [1, 8, 100, 900][choices.usize(..4)];
    let temper = Temper {
        trouble: [None, Some(4), Some(12)][choices.usize(..3)],
        slowness: Duration::from_millis(slowness),
        lies: honesty.lies,
    };
    let pipeline = pipeline(&behaviour, choices.usize(1..=6));
    let folder = place.path().join("0");
    std::fs::create_dir(&folder).expect("a folder");
    let mut world = Worlds {
        place: place.path(),
        folder,
        books: Books::new(),
        pipeline,
        settles: behaviour.verifies || behaviour.idempotent,
        temper,
        lives: 0,
        choices,
    };
    let mut trial = Trial { operation: behaviour.name, ..Trial::default() };
    let mut rows = 0;
    // The second time there is more to be read, and what was there is not to be sent again.
    for _ in 0..2 {
        rows += world.choices.i64(1..=30);
        world.until_it_ends(rows, &mut trial);
        let (held, refused) = world.named();
        for id in 1..=rows {
            let times = world.books.get(&id).copied().unwrap_or_default();
            if times == 0 && !held.contains(&id) && !(is_refused(id) && refused.contains(&id)) {
                trial.lost.push(id);
            }
            if times > 1 && honesty.counts_doubles {
                trial.doubled.push(id);
            }
        }
        trial.held = held.into_iter().collect();
    }
    trial
}

fn pipeline(behaviour: &Behaviour, concurrency: usize) -> String {
    let Behaviour { name, batch, .. } = behaviour;
    format!(
        r#"version: 1
pipeline: simulation
connections:
  other: {{connector: {NAME}}}
sources:
  rows: {{connection: other, stream: {STREAM}, incremental: true}}
sinks:
  out:
    input: rows
    connection: other
    operation: {name}
    concurrency: {concurrency}
    batch: {batch}
    key: [id]
    record: {{id: "{{{{ id }}}}", name: "{{{{ name }}}}"}}
"#
    )
}

/// What is there between two runs.
struct Worlds<'a> {
    place: &'a Path,
    folder: PathBuf,
    books: Books,
    pipeline: String,
    /// The next run finds out about what is held.
    settles: bool,
    temper: Temper,
    lives: usize,
    choices: Rng,
}

impl Worlds<'_> {
    /// Runs follow each other until one comes to a good end.
    fn until_it_ends(&mut self, rows: i64, trial: &mut Trial) {
        let mut deaths = self.choices.usize(0..=3);
        let mut troubles = self.choices.usize(0..=12);
        // Some do not come that far: they end by themselves.
        let events = 30 + 9 * usize::try_from(rows).unwrap_or_default();
        for _ in 0..LIVES {
            let dies_at = (deaths > 0).then(|| self.choices.usize(1..=events));
            self.lives += 1;
            let life = Life {
                pipeline: &self.pipeline,
                folder: self.folder.clone(),
                grave: self.place.join(self.lives.to_string()),
                books: self.books.clone(),
                rows,
                temper: self.temper,
                troubles,
                choices: self.choices.fork(),
                dies_at,
            };
            let Left { folder, books, troubles: left, happened, outcome } = life.live();
            (self.folder, self.books, troubles) = (folder, books, left);
            trial.happened.extend(happened);
            let Some(outcome) = outcome else {
                trial.happened.push("death".to_owned());
                (deaths, trial.deaths) = (deaths - 1, trial.deaths + 1);
                continue;
            };
            let outcome = outcome.unwrap_or_else(|error| panic!("a run did not begin: {error:?}\n{trial:#?}"));
            trial.happened.push(format!("end: {:?}", outcome.status));
            trial.ends += 1;
            let is_held = outcome.nodes.iter().any(|node| node.counts.unknown > 0);
            if matches!(outcome.status, Status::Done | Status::Rejects) && !(is_held && self.settles) {
                return;
            }
        }
        panic!("runs come to no end\n{trial:#?}");
    }

    /// The records that are named as held, and as refused.
    fn named(&self) -> (BTreeSet<i64>, BTreeSet<i64>) {
        let store = Store::open(&self.folder.join(STATE)).expect("the state");
        let unknown = store.unknown(&Scope::new("simulation", "")).expect("the journal");
        let held = unknown.iter().filter_map(|unsettled| unsettled.key.get("id")?.as_i64()).collect();
        let filter = RejectFilter { closed_too: true, ..RejectFilter::default() };
        let rejects = store.find_rejects(filter, usize::MAX >> 1).expect("the rejects");
        let refused = rejects.iter().filter_map(|stored| stored.reject.row.get("id")?.as_i64()).collect();
        (held, refused)
    }
}
