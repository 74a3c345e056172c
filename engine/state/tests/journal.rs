//! The journal keeps its order: intent, receipt, and nothing certain is ever forgotten.

use std::collections::HashMap;

use chrono::Utc;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use towpath_state::{Entries, Error, Intent, Lock, Outcome, ReceiptIn, Result, RunId, RunStart, Scope, Store};

#[macro_use]
mod support;
use support::Place;

on_both! {
    a_record_goes_from_intent_to_receipt,
    what_was_confirmed_outlives_later_attempts,
    a_receipt_needs_an_intent_and_settles_it_once,
    an_intent_needs_a_run_on_record,
    one_bad_receipt_keeps_its_whole_call_out,
    another_target_starts_afresh,
    what_is_open_is_listed_with_its_key_and_counted,
    resending_is_counted_until_it_is_settled,
    threads_share_commits_and_every_receipt_is_there,
    many_lines_are_entered_on_the_way_and_in_their_order,
    lines_of_one_call_are_checked_against_each_other,
    what_another_handle_enters_is_still_answered_here,
}

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
    fn open(place: &Place) -> Self {
        Self::on(place.store())
    }

    fn on(store: Store) -> Self {
        let run = RunId::generate();
        let lock = store.lock(&scope(), &run).expect("free");
        store.begin_run(&start(run)).expect("begins");
        Self { store, lock, run }
    }

    fn intend(&self, key: u8, payload: u8) -> Result<()> {
        // Some say nothing of their fields, as those of earlier releases did.
        let content = vec![payload; usize::from(payload % 3)];
        let intent = Intent { key_hash: [key; 16], key: json!([key]), payload_hash: [payload; 16], content };
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

    /// The run that follows when this process dies now: on a copy of the files on disk; on a server, under the eyes of this
    /// one, which is taken for dead and wakes again.
    fn after_a_crash(self, place: &mut Place) -> Self {
        let there = match &*place {
            Place::Folder(dir) => {
                let copy = tempfile::tempdir().expect("a folder");
                for name in ["state.db", "state.db-wal"] {
                    std::fs::copy(dir.path().join(name), copy.path().join(name)).expect("copied");
                }
                Place::Folder(copy)
            }
            Place::Server(address) => Place::Server(address.clone()),
        };
        there.raw("UPDATE lock SET heartbeat = 0");
        let next = Self::on(there.store());
        assert_eq!(next.lock.taken_over_from(), Some(self.run));
        drop(self);
        *place = there;
        next
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

fn a_record_goes_from_intent_to_receipt(place: &Place) {
    let journal = Journal::open(place);
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

fn what_was_confirmed_outlives_later_attempts(place: &Place) {
    let journal = Journal::open(place);
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

fn a_receipt_needs_an_intent_and_settles_it_once(place: &Place) {
    let journal = Journal::open(place);
    let orphan = journal.receive(1, Outcome::Confirmed, Json::Null);
    assert!(matches!(orphan, Err(Error::Misuse(text)) if text.contains("without an intent")));
    journal.intend(1, 10).expect("put down");
    assert!(matches!(journal.receive(1, Outcome::Intent, Json::Null), Err(Error::Misuse(_))));
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("settled");
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("the same again");
    assert!(matches!(journal.receive(1, Outcome::Unknown, Json::Null), Err(Error::Misuse(_))));
    assert_eq!(journal.look(1).expect("known").outcome, Outcome::Confirmed);
}

fn an_intent_needs_a_run_on_record(place: &Place) {
    let store = place.store();
    let run = RunId::generate();
    let lock = store.lock(&scope(), &run).expect("free");
    let intent = Intent { key_hash: [1; 16], key: Json::Null, payload_hash: [1; 16], content: Vec::new() };
    let refused = store.intend(&lock, &scope(), SINK, TARGET, &run, &[intent]);
    assert!(matches!(refused, Err(Error::NoSuchRun(_))));
    assert_eq!(store.unknown(&scope()).expect("readable"), []);
}

fn one_bad_receipt_keeps_its_whole_call_out(place: &Place) {
    let journal = Journal::open(place);
    journal.intend(1, 10).expect("put down");
    let receipt =
        |key| ReceiptIn { key_hash: [key; 16], outcome: Outcome::Confirmed, fields: Json::Null, message: None };
    let call = journal.store.receive(&journal.lock, &scope(), SINK, TARGET, &journal.run, &[receipt(1), receipt(2)]);
    assert!(matches!(call, Err(Error::Misuse(_))));
    assert_eq!(journal.look(1).expect("known").outcome, Outcome::Intent);
}

fn another_target_starts_afresh(place: &Place) {
    let journal = Journal::open(place);
    journal.intend(1, 10).expect("put down");
    let elsewhere = |sink, target| journal.store.sent_before(&scope(), sink, target, &[[1; 16]]).expect("readable");
    assert_eq!(elsewhere(SINK, "https://other.test UploadExternalTraining"), [None]);
    assert_eq!(elsewhere("another", TARGET), [None]);
    let other_scope = Scope::new("completed-training", "test");
    let known = journal.store.sent_before(&other_scope, SINK, TARGET, &[[1; 16]]).expect("readable");
    assert_eq!(known, [None]);
}

fn what_is_open_is_listed_with_its_key_and_counted(place: &Place) {
    let journal = Journal::open(place);
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

fn resending_is_counted_until_it_is_settled(place: &Place) {
    let journal = Journal::open(place);
    for _ in 0..3 {
        journal.intend(1, 10).expect("put down");
        journal.receive(1, Outcome::Unknown, Json::Null).expect("put down");
    }
    assert_eq!(journal.look(1).expect("known").attempts, 3);
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("verified");
    journal.intend(1, 11).expect("put down");
    assert_eq!(journal.look(1).expect("known").attempts, 1);
}

fn threads_share_commits_and_every_receipt_is_there(place: &Place) {
    let journal = Journal::on(place.store());
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

fn many_lines_are_entered_on_the_way_and_in_their_order(place: &Place) {
    const KEYS: u32 = 40_000;
    const ROUND: u32 = 500;
    let journal = Journal::on(place.store());
    // Later keys have smaller hashes: their order is not that of the index.
    let hash = |key: u32| (u128::from(u32::MAX - key)).to_be_bytes();
    let rows = |table: &str| place.raw(&format!("SELECT count(*) FROM {table}")) as u32;
    for first in (0..KEYS).step_by(ROUND as usize) {
        let keys = first..first + ROUND;
        let intents: Vec<Intent> = keys
            .clone()
            .map(|key| Intent { key_hash: hash(key), key: json!(key), payload_hash: [1; 16], content: Vec::new() })
            .collect();
        let confirmed = |key| ReceiptIn {
            key_hash: hash(key),
            outcome: Outcome::Confirmed,
            fields: json!({"id": key}),
            message: None,
        };
        // The answers to the round before, but for every hundredth.
        let receipts: Vec<ReceiptIn> =
            keys.filter(|key| *key >= ROUND && key % 100 != 0).map(|key| confirmed(key - ROUND)).collect();
        let entries = Entries { intents: &intents, receipts: &receipts, withdrawn: &[] };
        journal.store.journal(&journal.lock, &scope(), SINK, TARGET, &journal.run, entries).expect("put down");
        assert!(rows("under_way") < 70, "they do not pile up");
    }
    let entered = rows("journal");
    assert!(0 < entered && entered < KEYS, "{entered}");
    // Keys of which nothing is under way are looked up without entering anything; the others are not overlooked.
    let before = journal.store.sent_before(&scope(), SINK, TARGET, &[hash(1), hash(KEYS)]).expect("readable");
    assert_eq!(before[0].as_ref().map(|receipt| receipt.outcome), Some(Outcome::Confirmed));
    assert_eq!((&before[1], rows("journal")), (&None, entered));
    let last = journal.store.sent_before(&scope(), SINK, TARGET, &[hash(KEYS - 1)]).expect("readable");
    assert_eq!(last[0].as_ref().map(|receipt| receipt.outcome), Some(Outcome::Intent));
    assert_eq!((rows("journal"), rows("under_way")), (KEYS, 0));
    let open: Vec<Json> = journal.store.unknown(&scope()).expect("readable").into_iter().map(|open| open.key).collect();
    let expected: Vec<Json> =
        (0..KEYS).filter(|key| *key >= KEYS - ROUND || key % 100 == 0).map(|key| json!(key)).collect();
    assert_eq!(open, expected, "oldest first");
}

fn lines_of_one_call_are_checked_against_each_other(place: &Place) {
    let journal = Journal::open(place);
    for key in 1..=3 {
        journal.intend(key, 10).expect("put down");
        journal.receive(key, Outcome::Unknown, Json::Null).expect("put down");
        journal.intend(key, 10).expect("put down");
    }
    let write = |receipts: &[(u8, Outcome)], withdrawn: &[u8]| {
        let receipts: Vec<ReceiptIn> = receipts
            .iter()
            .map(|(key, outcome)| ReceiptIn {
                key_hash: [*key; 16],
                outcome: *outcome,
                fields: Json::Null,
                message: None,
            })
            .collect();
        let withdrawn: Vec<[u8; 16]> = withdrawn.iter().map(|key| [*key; 16]).collect();
        let entries = Entries { receipts: &receipts, withdrawn: &withdrawn, intents: &[] };
        journal.store.journal(&journal.lock, &scope(), SINK, TARGET, &journal.run, entries)
    };
    let refused = |answer: Result<()>| matches!(answer, Err(Error::Misuse(_)));
    assert!(refused(write(&[], &[1, 1])), "there is one intent");
    assert!(refused(write(&[(1, Outcome::Confirmed)], &[1])), "it is answered");
    assert!(refused(write(&[(1, Outcome::Confirmed), (1, Outcome::Refused)], &[])), "it is answered otherwise");
    write(&[], &[1]).expect("the second intent");
    // A key whose intent was withdrawn is looked up in the middle of a call.
    write(&[(2, Outcome::Refused), (1, Outcome::Confirmed)], &[3]).expect("each fits");
    assert!(refused(write(&[(2, Outcome::Confirmed)], &[])), "it is refused");
    assert!(refused(write(&[], &[3])), "it was withdrawn");
    let outcomes = [1, 2, 3].map(|key| journal.look(key).expect("known").outcome);
    assert_eq!(outcomes, [Outcome::Confirmed, Outcome::Refused, Outcome::Unknown]);
}

fn what_another_handle_enters_is_still_answered_here(place: &Place) {
    let journal = Journal::on(place.store());
    journal.intend(1, 10).expect("put down");
    let other = place.store();
    assert_eq!(other.unknown(&scope()).expect("readable").len(), 1);
    journal.receive(1, Outcome::Confirmed, Json::Null).expect("settled");
    assert!(matches!(journal.receive(1, Outcome::Refused, Json::Null), Err(Error::Misuse(_))));
    assert_eq!(other.unknown(&scope()).expect("readable"), []);
    assert_eq!(journal.look(1).expect("known").outcome, Outcome::Confirmed);
    let entries = Entries { withdrawn: &[[1; 16]], ..Entries::default() };
    let foreign = other.journal(&journal.lock, &scope(), SINK, TARGET, &journal.run, entries);
    assert!(matches!(foreign, Err(Error::Misuse(text)) if text.contains("another handle")));
}

#[derive(Debug, Clone)]
enum Act {
    Intend(u8, u8),
    Receive(u8, Outcome),
    Withdraw(u8),
    /// Somebody reads the whole journal, through this handle or as another process would.
    Read(bool),
    /// The process dies, and the next run takes over.
    Crash,
}

fn act() -> impl Strategy<Value = Act> {
    let outcome = prop_oneof![Just(Outcome::Confirmed), Just(Outcome::Refused), Just(Outcome::Unknown)];
    prop_oneof![
        (0..4_u8, 0..4_u8).prop_map(|(key, payload)| Act::Intend(key, payload)),
        (0..4_u8, outcome).prop_map(|(key, outcome)| Act::Receive(key, outcome)),
        (0..4_u8).prop_map(Act::Withdraw),
        any::<bool>().prop_map(Act::Read),
        Just(Act::Crash),
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

fn unsettled(model: &HashMap<u8, Model>) -> usize {
    model.values().filter(|known| !known.outcome.is_settled()).count()
}

fn follow(mut place: Place, acts: Vec<Act>, at_the_end: bool) -> std::result::Result<(), TestCaseError> {
    let mut journal = Journal::open(&place);
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
            Act::Read(elsewhere) => {
                let open = if elsewhere { place.store().unknown(&scope()) } else { journal.store.unknown(&scope()) };
                prop_assert_eq!(open.expect("readable").len(), unsettled(&model));
            }
            Act::Crash => journal = journal.after_a_crash(&mut place),
        }
    }
    if at_the_end {
        drop(journal.lock);
        let waiting = place.raw("SELECT count(*) FROM under_way");
        prop_assert_eq!(waiting, 0, "a run that ends in order leaves nothing under way");
        let run = RunId::generate();
        let lock = journal.store.lock(&scope(), &run).expect("free");
        journal = Journal { store: journal.store, lock, run };
    }
    for key in 0..4 {
        let (stored, expected) = (journal.look(key), model.get(&key));
        prop_assert_eq!(stored.is_some(), expected.is_some());
        if let (Some(stored), Some(expected)) = (stored, expected) {
            prop_assert_eq!(stored.payload_hash, [expected.payload; 16]);
            prop_assert_eq!(stored.outcome, expected.outcome);
            prop_assert_eq!(stored.attempts, expected.attempts);
            let confirmed = stored.confirmed.map(|it| (it.payload_hash, it.content));
            let expected = expected.confirmed.map(|it| ([it; 16], vec![it; usize::from(it % 3)]));
            prop_assert_eq!(confirmed, expected);
        }
    }
    prop_assert_eq!(journal.store.unknown(&scope()).expect("readable").len(), unsettled(&model));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_journal_follows_its_model(acts in prop::collection::vec(act(), 0..40), at_the_end in any::<bool>()) {
        follow(Place::folder(), acts, at_the_end)?;
    }
}

proptest! {
    // A database each.
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_journal_on_a_server_follows_its_model(acts in prop::collection::vec(act(), 0..40), at_the_end in any::<bool>()) {
        follow(Place::server(), acts, at_the_end)?;
    }
}
