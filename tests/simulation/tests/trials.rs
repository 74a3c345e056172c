//! Many trials: nothing is lost, nothing is doubled, and each can be had again.
//!
//! `TOWPATH_SIMULATION_TRIALS=20000` tries as many instead of a few; `TOWPATH_SIMULATION_SEED=N` has trial N alone, with everything
//! that happened in it.

#![cfg(debug_assertions)]

use towpath_simulation::{Honesty, OPERATIONS, Trial, trial, trial_of};

/// Trials when nobody asks for more.
const TRIALS: u64 = 300;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} expects a number")))
}

#[test]
fn no_record_is_lost_or_doubled() {
    let only = number("TOWPATH_SIMULATION_SEED");
    let seeds = match only {
        Some(seed) => seed..seed + 1,
        None => 0..number("TOWPATH_SIMULATION_TRIALS").unwrap_or(TRIALS),
    };
    let (mut trials, mut deaths, mut events, mut held) = (0, 0, 0, 0);
    let mut tried = std::collections::BTreeSet::new();
    for seed in seeds {
        let found = trial(seed);
        if only.is_some() {
            println!("{}", found.happened.join("\n"));
        }
        let help = format!("TOWPATH_SIMULATION_SEED={seed} tells more");
        assert!(found.lost.is_empty(), "{}: lost {:?}; {help}", found.operation, found.lost);
        assert!(found.doubled.is_empty(), "{}: doubled {:?}; {help}", found.operation, found.doubled);
        if !found.operation.ends_with("unseen") {
            assert!(found.held.is_empty(), "{}: held {:?}; {help}", found.operation, found.held);
        }
        (trials, deaths, events, held) =
            (trials + 1, deaths + found.deaths, events + found.happened.len(), held + found.held.len());
        tried.insert(found.operation);
    }
    println!("{trials} trials, {deaths} deaths, {events} events: 0 lost, 0 doubled, {held} held");
    if only.is_none() {
        assert!(deaths as u64 > trials / 2, "deaths are what is tried: {deaths} in {trials} trials");
        assert_eq!(tried.len(), OPERATIONS.len(), "every operation has its turn: {tried:?}");
    }
}

#[test]
fn a_seed_tells_the_same_story_again() {
    for seed in 0..60 {
        let (first, again) = (trial(seed), trial(seed));
        let differs = first.happened.iter().zip(&again.happened).position(|(one, other)| one != other);
        assert_eq!(differs.map(|at| (&first.happened[at], &again.happened[at])), None, "trial {seed}");
        assert_eq!(first, again, "trial {seed}");
    }
}

/// Whether any of the first trials of an operation finds what is looked for.
fn is_found(operation: &str, honesty: Honesty, wrong: impl Fn(&Trial) -> bool) -> bool {
    let behaviour = OPERATIONS.into_iter().find(|behaviour| behaviour.name == operation).expect("an operation");
    (0..100).any(|seed| wrong(&trial_of(fastrand::Rng::with_seed(seed), behaviour, honesty)))
}

#[test]
fn doubles_are_found_where_an_operation_is_not_what_it_says() {
    let honesty = Honesty { counts_doubles: true, lies: false };
    for operation in ["put", "put_many"] {
        assert!(is_found(operation, honesty, |trial| !trial.doubled.is_empty()), "{operation}");
    }
}

#[test]
fn losses_are_found_where_a_system_lies() {
    let honesty = Honesty { counts_doubles: true, lies: true };
    for operation in ["create", "create_many"] {
        assert!(is_found(operation, honesty, |trial| !trial.lost.is_empty()), "{operation}");
    }
}
