//! Compiled equals interpreted: generated templates over columns of every type, compared cell by cell and reject by reject.
//!
//! `TOWPATH_CASES` sets the number of generated cases (each is one template on sixteen rows).

#![allow(clippy::unwrap_used, missing_docs)]

mod cells;
mod templates;

use cells::{frame, schema};
use polars::prelude::DataFrame;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::collections::HashSet;
use templates::{Written, written};
use towpath_mapping::{Computed, Constants, FrameRows, Scope, Value, compile_expression, compile_template, evaluate};
use towpath_spec::{Field, Files, Schema, Text, Type};

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(l), Value::Float(r)) => l.to_bits() == r.to_bits() || l.is_nan() && r.is_nan(),
        (Value::List(l), Value::List(r)) => l.len() == r.len() && l.iter().zip(r).all(|(l, r)| same(l, r)),
        (l, r) => l == r,
    }
}

fn constants() -> Constants {
    let mut constants = Constants::at(chrono::DateTime::from_timestamp(1_709_632_800, 123_456_000).unwrap());
    constants.params.insert("text".into(), Value::from("P"));
    constants.params.insert("int".into(), Value::Int(3));
    constants
}

fn check(frame: &DataFrame, written: &Written) -> Result<bool, TestCaseError> {
    let (files, schema) = (Files::new(), schema());
    let params = [Field::new("text", Type::Text), Field::new("int", Type::Int), Field::new("flag", Type::Bool)];
    let scope = Scope { files: &files, columns: Some(&schema), params: &params, extra: &[] };
    let (Written::Expression(source) | Written::Template(source)) = written;
    let text = Text { value: source.clone(), ..Text::default() };
    let compiled = match written {
        Written::Expression(_) => compile_expression(&text, &scope),
        Written::Template(_) => compile_template(&text, &scope),
    };
    let Ok(compiled) = compiled else { return Ok(false) };
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

#[test]
fn compiled_equals_interpreted() {
    let cases = std::env::var("TOWPATH_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000);
    let seed = std::env::var("TOWPATH_SEED").ok();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = match seed {
        // A run can be repeated by its seed.
        Some(seed) => {
            let mut bytes = [0u8; 32];
            bytes[..seed.len().min(32)].copy_from_slice(&seed.as_bytes()[..seed.len().min(32)]);
            let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes);
            TestRunner::new_with_rng(config, rng)
        }
        None => TestRunner::new(config),
    };
    let compiled = std::cell::Cell::new(0u32);
    let cases_of = (prop::collection::vec(any::<u16>(), 1..60), any::<u64>());
    let outcome = runner.run(&cases_of, |(tape, seed)| {
        compiled.set(compiled.get() + u32::from(check(&frame(seed), &written(tape))?));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(compiled.get() * 2 > cases, "only {} of {cases} generated templates compile", compiled.get());
}
