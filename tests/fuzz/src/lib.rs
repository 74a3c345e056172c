//! Fuzz targets on stable Rust: a check is fed with made-up input, and what breaks it is made as small as it can be.
//!
//! The targets stand in the crates they attack, in modules and tests named `fuzz`. In the short form each looks at a fixed
//! number of inputs; with `TOWPATH_FUZZ_MINUTES=30` each goes on for so long. A panic is a failure like any other, and so
//! is a check that takes longer than [`LONGEST`]. What is found becomes a fixed case beside the target.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::time::{Duration, Instant};

/// The variable with the minutes each target runs in the long form.
pub const MINUTES: &str = "TOWPATH_FUZZ_MINUTES";

/// Time for one input, in a debug build on a busy machine; what takes longer is taken for endless.
pub const LONGEST: Duration = Duration::from_secs(20);

/// Feeds a check with inputs: `cases` of them in the short form, rounds of as many until the time is up in the long one.
///
/// # Panics
/// When an input breaks the check; the message has the smallest such input. When [`MINUTES`] is no number.
pub fn fuzz<S: Strategy>(target: &str, cases: u32, inputs: S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let minutes = std::env::var(MINUTES).ok().map(|text| text.parse::<f64>());
    let minutes =
        minutes.map_or(0.0, |found| found.unwrap_or_else(|_| panic!("{MINUTES} expects a number of minutes")));
    let begun = Instant::now();
    let mut done = 0_u64;
    while done == 0 || begun.elapsed().as_secs_f64() < minutes * 60.0 {
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let timed = |input: S::Value| {
            let begun = Instant::now();
            check(input)?;
            let took = begun.elapsed();
            if took > LONGEST { Err(TestCaseError::fail(format!("took {took:?}"))) } else { Ok(()) }
        };
        if let Err(broken) = runner.run(&inputs, timed) {
            panic!("{target}: {broken}");
        }
        done += u64::from(cases);
    }
    println!("{target}: {done} inputs in {:.1} s", begun.elapsed().as_secs_f64());
}

/// Texts of pieces that mean something to whoever reads them, and of anything else.
pub fn soup(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => proptest::sample::select(pieces).prop_map(str::to_owned),
        2 => "[a-z0-9_ ]{0,4}",
        1 => "\\PC{0,3}",
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

/// A text with some of its characters taken away, repeated, or replaced.
pub fn damaged(texts: Vec<String>) -> impl Strategy<Value = String> {
    let change = (any::<proptest::sample::Index>(), 0..6_usize, "\\PC{0,4}", 0..4_u8);
    let changes = proptest::collection::vec(change, 0..6);
    (proptest::sample::select(texts), changes).prop_map(|(text, changes)| {
        let mut letters: Vec<char> = text.chars().collect();
        for (at, length, other, kind) in changes {
            let at = at.index(letters.len() + 1);
            let end = (at + length).min(letters.len());
            match kind {
                0 => drop(letters.drain(at..end)),
                1 => {
                    let again: Vec<char> = letters[at..end].to_vec();
                    letters.splice(at..at, again);
                }
                2 => drop(letters.splice(at..end, other.chars())),
                _ => letters.truncate(end.max(letters.len() / 2)),
            }
        }
        letters.into_iter().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_is_found_and_made_small() {
        let found = std::panic::catch_unwind(|| {
            fuzz("numbers", 1_000, 0..1_000_u32, |number| {
                assert!(number < 500, "too large");
                Ok(())
            });
        });
        let message = *found.expect_err("it breaks").downcast::<String>().expect("a text");
        assert!(message.contains("numbers") && message.contains("500"), "{message}");
    }

    #[test]
    fn every_piece_comes_up() {
        let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
        fuzz("soup", 500, soup(&["<one>", "<two>"], 8), |text| {
            seen.borrow_mut().extend(["<one>", "<two>"].into_iter().filter(|piece| text.contains(piece)));
            Ok(())
        });
        assert_eq!(seen.borrow().len(), 2);
    }
}
