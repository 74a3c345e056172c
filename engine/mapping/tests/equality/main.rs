//! Compiled equals interpreted: generated templates over columns of every type, compared cell by cell and reject by reject.
//!
//! An outcome is one template on one row. `TOWPATH_CASES` sets how many are wanted of all tests together, `TOWPATH_SEED`
//! repeats a run by the number it printed. The work is split into tests of their own, which run side by side.

#![allow(clippy::unwrap_used, missing_docs)]

mod cells;
mod templates;

use cells::{ROWS, frame, schema};
use polars::prelude::DataFrame;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::cell::Cell;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use templates::{Written, written};
use towpath_mapping::functions::FunctionKind;
use towpath_mapping::{
    Compiled, Computed, Constants, FrameRows, Scope, Value, compile_expression, compile_template, evaluate, reference,
};
use towpath_spec::{Field, Files, Schema, Text, Type};

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(l), Value::Float(r)) => l.to_bits() == r.to_bits() || l.is_nan() && r.is_nan(),
        (Value::List(l), Value::List(r)) => l.len() == r.len() && l.iter().zip(r).all(|(l, r)| same(l, r)),
        (Value::Struct(l), Value::Struct(r)) => {
            l.len() == r.len() && l.iter().zip(r).all(|((name, l), (other, r))| name == other && same(l, r))
        }
        (l, r) => l == r,
    }
}

fn constants() -> Constants {
    let mut constants = Constants::at(chrono::DateTime::from_timestamp(1_709_632_800, 123_456_000).unwrap());
    constants.params.insert("text".into(), Value::from("P"));
    constants.params.insert("int".into(), Value::Int(3));
    constants
}

fn compile(written: &Written) -> Option<Compiled> {
    let (files, schema) = (Files::new(), schema());
    let params = [Field::new("text", Type::Text), Field::new("int", Type::Int), Field::new("flag", Type::Bool)];
    let scope = Scope { files: &files, columns: Some(&schema), params: &params, extra: &[], macros: None };
    let (Written::Expression(source) | Written::Template(source)) = written;
    let text = Text { value: source.clone(), ..Text::default() };
    match written {
        Written::Expression(_) => compile_expression(&text, &scope).ok(),
        Written::Template(_) => compile_template(&text, &scope).ok(),
    }
}

fn check(frame: &DataFrame, written: &Written) -> Result<bool, TestCaseError> {
    let (Written::Expression(source) | Written::Template(source)) = written;
    let Some(compiled) = compile(written) else { return Ok(false) };
    let schema = schema();
    let constants = constants();
    let lowered = compiled.lower(&constants);
    let (ty, nullable) = compiled.field();
    prop_assert!(compiled.is_fallible() || lowered.failed.is_none(), "{} says it cannot fail, but may", source);
    let computed = [Computed::new("value", &compiled, &constants)];
    let evaluated = evaluate(frame, &computed).map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
    let failures: HashSet<usize> = evaluated.failures().map(|(row, _)| row).collect();
    let out =
        DataFrame::new(frame.height(), evaluated.values).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let result = Schema::new(vec![Field::new("value", ty.clone())]);
    let dtype = out.column("value").unwrap().dtype().clone();
    prop_assert_eq!(&dtype, &towpath_mapping::to_polars(ty), "type of {}", source);
    let columns = FrameRows::new(&out, &result).map_err(TestCaseError::fail)?;
    let rows = FrameRows::new(frame, &schema).map_err(TestCaseError::fail)?;
    for at in 0..frame.height() {
        let failed = failures.contains(&at);
        let got = towpath_mapping::Row::get(&columns.row(at), "value");
        match compiled.interpret(&rows.row(at), &constants) {
            Err(reason) => prop_assert!(
                failed,
                "{source}\nrow {:?}\ninterpreted: rejects ({reason})\ncolumns: {got:?}",
                rows.row(at).to_json()
            ),
            Ok(value) => {
                let value = if *ty == Type::Json && !value.is_null() { Value::Json(value.to_json()) } else { value };
                let value = if value.is_null() { Value::Null } else { value };
                let got = if got.is_null() { Value::Null } else { got };
                prop_assert!(
                    !failed && same(&value, &got),
                    "{source}\nrow {:?}\ninterpreted: {value:?}\ncolumns: {}{got:?}",
                    rows.row(at).to_json(),
                    if failed { "rejects " } else { "" }
                );
                prop_assert!(nullable || !value.is_null(), "{source}: null, though it says never");
            }
        }
    }
    Ok(true)
}

/// Tests the work is split into.
const SHARES: u64 = 8;

/// Outcomes of all tests together, when nothing else is asked for.
const OUTCOMES: u64 = 240_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

fn runner(seed: u64, share: u64, round: u64, cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&share.to_le_bytes());
    bytes[16..24].copy_from_slice(&round.to_le_bytes());
    let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(config, rng)
}

fn compiled_equals_interpreted(share: u64) {
    let seed = number("TOWPATH_SEED").unwrap_or_else(|| RandomState::new().hash_one(share) >> 16);
    let wanted = number("TOWPATH_CASES").unwrap_or(OUTCOMES).div_ceil(SHARES);
    let rows = u64::try_from(ROWS).unwrap();
    let (templates, compiled) = (Cell::new(0u64), Cell::new(0u64));
    let cases = u32::try_from(wanted.div_ceil(rows)).unwrap();
    let cases_of = (prop::collection::vec(any::<u16>(), 1..60), any::<u64>());
    // Templates that do not compile have no outcome: others are made until there are enough.
    for round in 0.. {
        if compiled.get() * rows >= wanted {
            break;
        }
        let outcome = runner(seed, share, round, cases).run(&cases_of, |(tape, cells)| {
            if compiled.get() * rows < wanted {
                templates.set(templates.get() + 1);
                compiled.set(compiled.get() + u64::from(check(&frame(cells), &written(tape))?));
            }
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{error}\nTOWPATH_SEED={seed} repeats this in share {share}");
        }
        assert!(
            compiled.get() * 2 > templates.get(),
            "only {} of {} templates compile",
            compiled.get(),
            templates.get()
        );
    }
    eprintln!("{} templates, {} outcomes, TOWPATH_SEED={seed}", compiled.get(), compiled.get() * rows);
}

macro_rules! shares {
    ($($name:ident: $share:literal),+ $(,)?) => {
        $(#[test]
        fn $name() {
            const { assert!($share < SHARES) };
            compiled_equals_interpreted($share);
        })+
    };
}

shares! {
    compiled_equals_interpreted_0: 0,
    compiled_equals_interpreted_1: 1,
    compiled_equals_interpreted_2: 2,
    compiled_equals_interpreted_3: 3,
    compiled_equals_interpreted_4: 4,
    compiled_equals_interpreted_5: 5,
    compiled_equals_interpreted_6: 6,
    compiled_equals_interpreted_7: 7,
}

/// Whether `source` uses the name as what it is: `| name`, `is name`, `is not name`, `name(`, or as text in `map('name')`.
fn uses(source: &str, name: &str, kind: FunctionKind) -> bool {
    source.match_indices(name).any(|(at, _)| {
        let (before, after) = (&source[..at], &source[at + name.len()..]);
        let is_whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
            && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let starts = match kind {
            FunctionKind::Filter => before.trim_end().ends_with('|'),
            FunctionKind::Function => after.starts_with('(') && !before.trim_end().ends_with('|'),
            FunctionKind::Test => before.ends_with(" is ") || before.ends_with(" is not "),
        };
        is_whole && starts
    })
}

#[test]
fn every_function_is_reached() {
    let sources: Vec<String> = (0..20_000u64)
        .filter_map(|seed| {
            let mut bits = cells::Bits::of(seed);
            let tape = (0..40).map(|_| u16::try_from(bits.next() >> 48).unwrap()).collect();
            let written = written(tape);
            compile(&written)?;
            let (Written::Expression(source) | Written::Template(source)) = written;
            Some(source)
        })
        .collect();
    let mut missing = Vec::new();
    for function in reference() {
        for kind in function.kinds {
            let times = sources.iter().filter(|source| uses(source, function.name, *kind)).count();
            if times < 3 {
                missing.push(format!("{kind} {} ({times} times)", function.name));
            }
        }
    }
    assert!(missing.is_empty(), "not reached: {}", missing.join(", "));
}
