//! The journal keeps its order: intent, receipt, and nothing certain is ever forgotten.

use std::collections::HashMap;

use chrono::Utc;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use towpath_state::{Entries, Error, Intent, Lock, Outcome, ReceiptIn, Result, RunId, RunStart, Scope, Store};

const SINK: &str = "upload";
const TARGET: &str = "https://example.test UploadExternalTraining";

fn scope() -> Scope {
    Scope::new("completed-training", "production")
}

struct Journal {
    store: Store,
    lock: Lock,
    run: RunId,
}

impl Journal {
    fn open() -> Self {
        Self::on(Store::in_memory().expect("memory"))
    }

    fn on(store: Store) -> Self {
        let run = RunId::generate();
        let lock = store.lock(&scope(), &run).expect("free");
        store.begin_run(&start(run)).expect("begins");
        Self { store, lock, run }
    }

    fn intend(&self, key: u8, payload: u8) -> Result<()> {
        let intent = Intent { key_hash: [key; 16], key: json!([key]), payload_hash: [payload; 16] };
        self.store.intend(&self.lock, &scope(), SINK, TARGET, &self.run, &[intent])
    }

    fn receive(&self, key: u8, outcome: Outcome, fields: Json) -> Result<()> {
        let receipt = ReceiptIn {
            key_hash: [key; 16],
            outcome,
            fields,
            message: (outcome != Outcome::Confirmed).then(|| format!("{outcome:?}")),
        };
        self.store.receive(&self.lock, &scope(), SINK, TARGET, &self.run, &[receipt])
    }

    fn withdraw(&self, key: u8) -> Result<()> {
        let entries = Entries { withdrawn: &[[key; 16]], ..Entries::default() };
        self.store.journal(&self.lock, &scope(), SINK, TARGET, &self.run, entries)
    }

    fn look(&self, key: u8) -> Option<towpath_state::Receipt> {
        self.store.sent_before(&scope(), SINK, TARGET, &[[key; 16]]).expect("readable").remove(0)
    }
}

fn start(id: RunId) -> RunStart {
    RunStart {
        id,
        scope: scope(),
        pipeline_file: "p.yaml".into(),
        started_at: Utc::now(),
        params: Json::Null,
        towpath_version: "0.1.0".into(),
    }
}

#[test]
fn a_record_goes_from_intent_to_receipt() {
    let journal = Journal::open();
    assert_eq!(journal.look(1), None);
    journal.intend(1, 10).expect("put down");
    let open = journal.look(1).expect("known");
    assert_eq!((open.outcome, open.attempts, open.confirmed.clone()), (Outcome::Intent, 1, None));
    assert!(!open.holds(&[10; 16]));
    journal.receive(1, Outcome::Confirmed, json!({"id": 77})).expect("settled");
    let settled = journal.look(1).expect("known");
    assert_eq!((settled.outcome, settled.attempts), (Outcome::Confirmed, 0));
    assert_eq!(settled.fields, json!({"id": 77}));
    assert_eq!(settled.run, journal.run);
    assert!(settled.holds(&[10; 16]) && !settled.holds(&[11; 16]));
}

#[test]
fn what_was_confirmed_outlives_later_attempts() {
    let journal = Journal::open();
    journal.intend(1, 10).expect("put down");
    journal.receive(1, Outcome::Confirmed, json!({"id": 77})).expect("settled");
    journal.intend(1, 11).expect("an update");
    let open = journal.look(1).expect("known");
    assert!(!open.holds(&[10; 16]) && !open.holds(&[11; 16]), "either may be there");
    assert_eq!(open.confirmed.expect("the first").fields, json!({"id": 77}));
    journal.receive(1, Outcome::Refused, Json::Null).expect("settled");
    let refused = journal.look(1).expect("known");
    assert_eq!((refused.outcome, refused.message.as_deref()), (Outcome::Refused, Some("Refused")));
    assert!(refused.holds(&[10; 16]), "the target still has the first");
    journal.intend(1, 12).expect("another update");
    journal.receive(1, Outcome::Confirmed, json!({"id": 78})).expect("settled");
    let last = journal.look(1).expect("known");
    assert!(last.holds(&[12; 16]) && !last.holds(&[10; 16]));
    assert_eq!(last.confirmed.expect("itself").fields, json!({"id": 78}));
}

#[test]
fn a_receipt_needs_an_intent_and_settles_it_once() {
    let journal = Journal::open();
    let orphan = journal.receive(1, Outcome::Confirmed, Json::Null);
    assert!(matches!(orphan, Err(Error::Misuse(text)) if text.contains("without an intent")));
    journal.intend(1, 10).expect("put down");
    assert!(matches!(journal.receive(1, Outcome::Intent, Json::Null), Err(Error::Misuse(_))));
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("settled");
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("the same again");
    assert!(matches!(journal.receive(1, Outcome::Unknown, Json::Null), Err(Error::Misuse(_))));
    assert_eq!(journal.look(1).expect("known").outcome, Outcome::Confirmed);
}

#[test]
fn an_intent_needs_a_run_on_record() {
    let store = Store::in_memory().expect("memory");
    let run = RunId::generate();
    let lock = store.lock(&scope(), &run).expect("free");
    let intent = Intent { key_hash: [1; 16], key: Json::Null, payload_hash: [1; 16] };
    let refused = store.intend(&lock, &scope(), SINK, TARGET, &run, &[intent]);
    assert!(matches!(refused, Err(Error::NoSuchRun(_))));
    assert_eq!(store.unknown(&scope()).expect("readable"), []);
}

#[test]
fn one_bad_receipt_keeps_its_whole_call_out() {
    let journal = Journal::open();
    journal.intend(1, 10).expect("put down");
    let receipt =
        |key| ReceiptIn { key_hash: [key; 16], outcome: Outcome::Confirmed, fields: Json::Null, message: None };
    let call = journal.store.receive(&journal.lock, &scope(), SINK, TARGET, &journal.run, &[receipt(1), receipt(2)]);
    assert!(matches!(call, Err(Error::Misuse(_))));
    assert_eq!(journal.look(1).expect("known").outcome, Outcome::Intent);
}

#[test]
fn another_target_starts_afresh() {
    let journal = Journal::open();
    journal.intend(1, 10).expect("put down");
    let elsewhere = |sink, target| journal.store.sent_before(&scope(), sink, target, &[[1; 16]]).expect("readable");
    assert_eq!(elsewhere(SINK, "https://other.test UploadExternalTraining"), [None]);
    assert_eq!(elsewhere("another", TARGET), [None]);
    let other_scope = Scope::new("completed-training", "test");
    let known = journal.store.sent_before(&other_scope, SINK, TARGET, &[[1; 16]]).expect("readable");
    assert_eq!(known, [None]);
}

#[test]
fn what_is_open_is_listed_with_its_key_and_counted() {
    let journal = Journal::open();
    for key in 1..=4 {
        journal.intend(key, key).expect("put down");
    }
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("settled");
    journal.receive(2, Outcome::Refused, Json::Null).expect("settled");
    journal.receive(3, Outcome::Unknown, json!({"status": 502})).expect("put down");
    let open = journal.store.unknown(&scope()).expect("readable");
    let seen: Vec<_> = open.iter().map(|open| (open.key.clone(), open.receipt.outcome)).collect();
    assert_eq!(seen, [(json!([3]), Outcome::Unknown), (json!([4]), Outcome::Intent)]);
    assert_eq!((open[0].sink.as_str(), open[0].target.as_str()), (SINK, TARGET));
    assert_eq!(open[0].receipt.fields, json!({"status": 502}));
    let counts = journal.store.journal_counts(&scope()).expect("readable");
    assert_eq!(counts.len(), 1);
    let counts = counts[0].counts;
    assert_eq!((counts.intents, counts.confirmed, counts.refused, counts.unknown), (1, 1, 1, 1));
    assert_eq!(journal.store.unknown(&Scope::new("none", "")).expect("readable"), []);
}

#[test]
fn resending_is_counted_until_it_is_settled() {
    let journal = Journal::open();
    for _ in 0..3 {
        journal.intend(1, 10).expect("put down");
        journal.receive(1, Outcome::Unknown, Json::Null).expect("put down");
    }
    assert_eq!(journal.look(1).expect("known").attempts, 3);
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("verified");
    journal.intend(1, 11).expect("put down");
    assert_eq!(journal.look(1).expect("known").attempts, 1);
}

#[test]
fn threads_share_commits_and_every_receipt_is_there() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = Journal::on(Store::open(dir.path()).expect("opens"));
    std::thread::scope(|threads| {
        for thread in 0..16_u8 {
            let journal = &journal;
            threads.spawn(move || {
                for step in 0..8 {
                    let key = thread * 8 + step;
                    journal.intend(key, key).expect("put down");
                    journal.receive(key, Outcome::Confirmed, json!(key)).expect("settled");
                }
            });
        }
    });
    let keys: Vec<[u8; 16]> = (0..128).map(|key| [key; 16]).collect();
    let known = journal.store.sent_before(&scope(), SINK, TARGET, &keys).expect("readable");
    for (key, receipt) in (0..128_u8).zip(known) {
        let receipt = receipt.expect("known");
        assert_eq!((receipt.outcome, receipt.fields), (Outcome::Confirmed, json!(key)));
    }
}

#[derive(Debug, Clone)]
enum Act {
    Intend(u8, u8),
    Receive(u8, Outcome),
    Withdraw(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let outcome = prop_oneof![Just(Outcome::Confirmed), Just(Outcome::Refused), Just(Outcome::Unknown)];
    prop_oneof![
        (0..4_u8, 0..4_u8).prop_map(|(key, payload)| Act::Intend(key, payload)),
        (0..4_u8, outcome).prop_map(|(key, outcome)| Act::Receive(key, outcome)),
        (0..4_u8).prop_map(Act::Withdraw),
    ]
}

/// What a key's row must say, kept by the simplest rules.
#[derive(Debug, Clone)]
struct Model {
    payload: u8,
    outcome: Outcome,
    attempts: u32,
    confirmed: Option<u8>,
}

fn model_intend(model: &mut HashMap<u8, Model>, key: u8, payload: u8) {
    let before = model.get(&key);
    let open = before.filter(|before| !before.outcome.is_settled());
    let next = Model {
        payload,
        outcome: Outcome::Intent,
        attempts: open.map_or(0, |open| open.attempts) + 1,
        confirmed: before.and_then(|before| before.confirmed),
    };
    model.insert(key, next);
}

fn model_receive(model: &mut HashMap<u8, Model>, key: u8, outcome: Outcome) -> bool {
    let Some(known) = model.get_mut(&key) else {
        return false;
    };
    if known.outcome.is_settled() {
        return known.outcome == outcome;
    }
    known.outcome = outcome;
    if outcome.is_settled() {
        known.attempts = 0;
    }
    if outcome == Outcome::Confirmed {
        known.confirmed = Some(known.payload);
    }
    true
}

fn model_withdraw(model: &mut HashMap<u8, Model>, key: u8) -> bool {
    let Some(known) = model.get_mut(&key).filter(|known| known.outcome == Outcome::Intent) else {
        return false;
    };
    known.attempts -= 1;
    match (known.attempts, known.confirmed) {
        (1.., _) => known.outcome = Outcome::Unknown,
        (0, Some(payload)) => (known.outcome, known.payload) = (Outcome::Confirmed, payload),
        (0, None) => drop(model.remove(&key)),
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_journal_follows_its_model(acts in prop::collection::vec(act(), 0..40)) {
        let journal = Journal::open();
        let mut model = HashMap::new();
        for act in acts {
            match act {
                Act::Intend(key, payload) => {
                    model_intend(&mut model, key, payload);
                    prop_assert!(journal.intend(key, payload).is_ok());
                }
                Act::Receive(key, outcome) => {
                    let allowed = model_receive(&mut model, key, outcome);
                    prop_assert_eq!(journal.receive(key, outcome, Json::Null).is_ok(), allowed);
                }
                Act::Withdraw(key) => {
                    let allowed = model_withdraw(&mut model, key);
                    prop_assert_eq!(journal.withdraw(key).is_ok(), allowed);
                }
            }
        }
        for key in 0..4 {
            let (stored, expected) = (journal.look(key), model.get(&key));
            prop_assert_eq!(stored.is_some(), expected.is_some());
            if let (Some(stored), Some(expected)) = (stored, expected) {
                prop_assert_eq!(stored.payload_hash, [expected.payload; 16]);
                prop_assert_eq!(stored.outcome, expected.outcome);
                prop_assert_eq!(stored.attempts, expected.attempts);
                prop_assert_eq!(stored.confirmed.map(|it| it.payload_hash), expected.confirmed.map(|it| [it; 16]));
            }
        }
        let open = model.values().filter(|known| !known.outcome.is_settled()).count();
        prop_assert_eq!(journal.store.unknown(&scope()).expect("readable").len(), open);
    }
}
