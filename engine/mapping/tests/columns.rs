//! What callers rely on beyond single templates: casts, aggregates, frames, engines.

#![allow(clippy::unwrap_used, missing_docs)]

use polars::prelude::{DataFrame, DataType, Engine, IntoColumn, IntoLazy, NamedFrom, Series, col};
use serde_json::json;
use towpath_mapping::{
    Constants, FrameRows, Mode, Row, Scope, Value, compile_aggregate, compile_cast, compile_expression,
    compile_template, compile_value, frame_to_json_rows, rows_to_frame,
};
use towpath_spec::{Field, Files, Schema, Text, Type};

fn constants() -> Constants {
    Constants::at(chrono::DateTime::UNIX_EPOCH)
}

fn text(source: &str) -> Text {
    Text { value: source.into(), ..Text::default() }
}

fn column(name: &str, series: Series) -> polars::prelude::Column {
    series.with_name(name.into()).into_column()
}

#[test]
fn json_rows_become_typed_columns_and_say_what_does_not_fit() {
    let schema = Schema::new(vec![
        Field::new("id", Type::Int),
        Field::new("name", Type::Text),
        Field::new("on", Type::Bool),
        Field::new("raw", Type::Json),
        Field::new("tags", Type::List(Box::new(Type::Text))),
        Field::new("who", Type::Struct(vec![Field::new("age", Type::Int)])),
        Field::new("at", Type::utc()),
        Field::new("sum", Type::Decimal { precision: 10, scale: 2 }),
    ]);
    let rows = [
        json!({"id": "110022", "name": 5, "on": "true", "raw": {"a": [1]}, "tags": ["x", 1, null], "who": {"age": "7"},
               "at": "2024-01-01T10:00:00Z", "sum": "1.5", "more": 1}),
        json!({"id": 1.0, "name": null, "on": 0, "raw": "text"}),
        json!({"id": "x", "at": "soon", "sum": 1.005}),
    ];
    let rows: Vec<_> = rows.iter().map(|row| row.as_object().unwrap().clone()).collect();
    let (frame, bad) = rows_to_frame(&rows, &schema).unwrap();
    let found: Vec<(usize, &str)> = bad.iter().map(|cell| (cell.row, cell.column.as_str())).collect();
    assert_eq!(found, [(2, "id"), (2, "at")], "{bad:?}");
    let back = frame_to_json_rows(&frame, &schema).unwrap();
    assert_eq!(
        serde_json::Value::Object(back[0].clone()),
        json!({"id": 110022, "name": "5", "on": true, "raw": {"a": [1]}, "tags": ["x", "1", null], "who": {"age": 7},
               "at": "2024-01-01T10:00:00+00:00", "sum": "1.50"})
    );
    assert_eq!(back[1]["id"], json!(1));
    assert_eq!(back[1]["on"], json!(false));
    let empty = rows_to_frame(&[], &schema).unwrap().0;
    assert_eq!((empty.height(), empty.width()), (0, schema.fields.len()));
}

#[test]
fn casts_reject_what_does_not_fit() {
    let frame = DataFrame::new(
        5,
        vec![column("c", Series::new("c".into(), [Some("1"), Some("12.5"), Some(""), None, Some(" 7 ")]))],
    )
    .unwrap();
    let cast = compile_cast("c", &Type::Text, &Type::Int).unwrap();
    assert!(cast.is_fallible() && *cast.mode() == Mode::Compiled);
    let lowered = cast.lower(&constants());
    let out = frame.lazy().select([lowered.value.alias("v"), lowered.failed.unwrap().alias("f")]).collect().unwrap();
    let values: Vec<Option<i64>> = out.column("v").unwrap().i64().unwrap().iter().collect();
    let failed: Vec<Option<bool>> = out.column("f").unwrap().bool().unwrap().iter().collect();
    assert_eq!(values, [Some(1), None, None, None, Some(7)]);
    assert_eq!(failed, [Some(false), Some(true), Some(true), Some(false), Some(false)]);
    assert!(!compile_cast("c", &Type::Int, &Type::Text).unwrap().is_fallible());
}

#[test]
fn aggregates_leave_nulls_out() {
    let schema = Schema::new(vec![Field::new("k", Type::Text), Field::new("n", Type::Int)]);
    let frame = DataFrame::new(
        4,
        vec![
            column("k", Series::new("k".into(), ["a", "a", "a", "b"])),
            column("n", Series::new("n".into(), [Some(1i64), Some(1), None, None])),
        ],
    )
    .unwrap();
    let files = Files::new();
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let sources = [
        "count()",
        "count(n)",
        "sum(n)",
        "min(n)",
        "max(n + 1)",
        "mean(n)",
        "first(n)",
        "last(n)",
        "collect(n)",
        "count_distinct(n)",
    ];
    let mut values = Vec::new();
    for engine in [Engine::InMemory, Engine::Streaming] {
        let aggregates: Vec<_> = sources
            .iter()
            .map(|source| compile_aggregate(&text(source), &scope).unwrap().lower(&constants()).alias(*source))
            .collect();
        let out = frame
            .clone()
            .lazy()
            .group_by([col("k")])
            .agg(aggregates)
            .sort(["k"], Default::default())
            .collect_with_engine(engine)
            .unwrap()
            .unwrap_single();
        let fields = sources
            .iter()
            .map(|source| Field::new(*source, compile_aggregate(&text(source), &scope).unwrap().field.ty));
        let schema = Schema::new(fields.collect());
        values.push(frame_to_json_rows(&out, &schema).unwrap());
    }
    let expected = json!([
        {"count()": 3, "count(n)": 2, "sum(n)": 2, "min(n)": 1, "max(n + 1)": 2, "mean(n)": 1.0, "first(n)": 1, "last(n)": null,
         "collect(n)": [1, 1], "count_distinct(n)": 1},
        {"count()": 1, "count(n)": 0, "sum(n)": null, "min(n)": null, "max(n + 1)": null, "mean(n)": null, "first(n)": null,
         "last(n)": null, "collect(n)": [], "count_distinct(n)": 0},
    ]);
    for value in values {
        assert_eq!(serde_json::to_value(value).unwrap(), expected);
    }
}

/// Value and failure come from one kernel, which Polars must run once.
#[test]
fn value_and_failure_share_their_work() {
    let schema = Schema::new(vec![Field::new("t", Type::Text)]);
    let files = Files::new();
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let compiled = compile_template(&text("{{ t | int }}"), &scope).unwrap();
    let lowered = compiled.lower(&constants());
    let frame = DataFrame::new(2, vec![column("t", Series::new("t".into(), ["1", "x"]))]).unwrap();
    let plan = frame
        .lazy()
        .with_columns([lowered.value.alias("v"), lowered.failed.unwrap().alias("f")])
        .explain(true)
        .unwrap();
    assert_eq!(plan.matches(".map()").count(), 1, "{plan}");
}

#[test]
fn streaming_and_memory_agree_over_many_batches() {
    let schema = Schema::new(vec![Field::new("t", Type::Text), Field::new("n", Type::Int)]);
    let files = Files::new();
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let height = 250_000usize;
    let texts: Vec<String> = (0..height).map(|n| if n % 3 == 0 { "x".into() } else { n.to_string() }).collect();
    let numbers: Vec<i64> = (0..height as i64).collect();
    let frame = DataFrame::new(
        height,
        vec![column("t", Series::new("t".into(), texts)), column("n", Series::new("n".into(), numbers))],
    )
    .unwrap();
    let compiled = compile_expression(&text("((t | int | default(-1)) + n) ~ '/' ~ (t | length)"), &scope).unwrap();
    let lowered = compiled.lower(&constants());
    let run = |engine| {
        let lazy =
            frame.clone().lazy().select([lowered.value.clone().alias("v"), lowered.failed.clone().unwrap().alias("f")]);
        lazy.collect_with_engine(engine).unwrap().unwrap_single()
    };
    assert!(run(Engine::InMemory).equals(&run(Engine::Streaming)));
}

#[test]
fn conversions_and_nested_values_keep_their_types() {
    let schema = Schema::new(vec![Field::new("a b.c", Type::Text)]);
    let mut files = Files::new();
    files.add("x", "");
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let compiled = compile_expression(&text("{'k': row['a b.c'], 'n': [1, 2]}"), &scope).unwrap();
    assert_eq!(compiled.field().0.to_string(), "struct{k: text, n: list<int>}");
    let frame = DataFrame::new(1, vec![column("a b.c", Series::new("x".into(), ["v"]))]).unwrap();
    let rows = FrameRows::new(&frame, &schema).unwrap();
    assert_eq!(rows.row(0).get("a b.c"), Value::from("v"));
    let value = compiled.interpret(&rows.row(0), &constants()).unwrap();
    assert_eq!(value.to_json(), json!({"k": "v", "n": [1, 2]}));
    let out = frame.lazy().with_columns([compiled.lower(&constants()).value.alias("s")]).collect().unwrap();
    assert!(matches!(out.column("s").unwrap().dtype(), DataType::Struct(_)));
    use towpath_spec::document::{Scalar, Tree, Value as Yaml};
    let tree = Tree {
        value: Yaml::List(vec![Tree { value: Yaml::Scalar(Scalar::Int(5)), span: Default::default() }]),
        span: Default::default(),
    };
    assert_eq!(compile_value(&tree, &scope).unwrap().field().0.to_string(), "list<int>");
}

/// A frame of one group, its column `x` twice the same value, and the aggregates of it as JSON or the error.
fn summed(series: Series, ty: &Type, engine: Engine, grouped: bool) -> Result<serde_json::Value, String> {
    let rows = series.len();
    let frame =
        DataFrame::new(rows, vec![column("x", series), column("k", Series::new("k".into(), vec!["a"; rows]))]).unwrap();
    let schema = Schema::new(vec![Field::new("x", ty.clone())]);
    let files = Files::new();
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let sum = compile_aggregate(&text(" sum(x)"), &scope).unwrap();
    let frame = frame.lazy();
    let frame = if grouped {
        frame.group_by_stable([col("k")]).agg([sum.lower(&constants()).alias("sum")])
    } else {
        frame.select([sum.lower_over_all(&constants()).alias("sum")])
    };
    let out = frame.select([col("sum")]).collect_with_engine(engine).map_err(|error| error.to_string())?;
    let rows = frame_to_json_rows(&out.unwrap_single(), &Schema::new(vec![Field::new("sum", sum.field.ty)])).unwrap();
    Ok(rows[0]["sum"].clone())
}

#[test]
fn sums_are_exact_or_an_error() {
    let decimals = |values: &[&str]| {
        let ty = Type::Decimal { precision: 38, scale: 2 };
        let values: Vec<Value> =
            values.iter().map(|text| towpath_mapping::convert(&Value::from(*text), &ty).unwrap()).collect();
        (towpath_mapping::values_to_series("x", &ty, &values).unwrap(), ty)
    };
    let ints = |values: &[Option<i64>]| (Series::new("x".into(), values), Type::Int);
    let nines = "999999999999999999999999999999999999.99";
    let beyond_ints = || Err("sum(x): the sum is beyond 64 bits");
    let beyond_decimals = || Err("sum(x): the sum is beyond 38 digits");
    let cases = [
        (ints(&[Some(i64::MAX), Some(1)]), beyond_ints()),
        (ints(&[Some(i64::MIN), None, Some(-1)]), beyond_ints()),
        (ints(&[Some(i64::MAX), Some(i64::MAX), Some(i64::MIN), Some(i64::MIN), Some(-5)]), Ok(json!(-7))),
        (ints(&[Some(i64::MAX - 1), Some(1)]), Ok(json!(i64::MAX))),
        (ints(&[Some(i64::MIN + 1), Some(-1)]), Ok(json!(i64::MIN))),
        (ints(&[None, None]), Ok(json!(null))),
        (decimals(&[nines, "0.01"]), beyond_decimals()),
        (decimals(&[nines, nines, "-0.01"]), beyond_decimals()),
        (decimals(&[nines, nines, &format!("-{nines}")]), Ok(json!(nines))),
        (decimals(&["0.10", "-0.30", "12345678901234567890.25"]), Ok(json!("12345678901234567890.05"))),
    ];
    for ((series, ty), expected) in cases {
        for engine in [Engine::InMemory, Engine::Streaming] {
            for grouped in [false, true] {
                let found = summed(series.clone(), &ty, engine, grouped);
                let place = format!("{series:?} {engine:?} grouped: {grouped}");
                match &expected {
                    Ok(value) => assert_eq!(found.as_ref(), Ok(value), "{place}"),
                    Err(message) => assert!(found.clone().unwrap_err().contains(message), "{place}: {found:?}"),
                }
            }
        }
    }
    let hours =
        Series::new("x".into(), [i64::MAX, 1]).cast(&DataType::Duration(polars::prelude::TimeUnit::Microseconds));
    let found = summed(hours.unwrap(), &Type::Duration, Engine::InMemory, true);
    assert!(found.unwrap_err().contains("sum(x): the sum is beyond 64 bits"));
}

/// What a template without columns gives, interpreted and compiled alike.
fn alone(source: &str) -> Result<Value, String> {
    let (files, schema) = (Files::new(), Schema::new(vec![Field::new("x", Type::Int)]));
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let compiled = compile_template(&text(source), &scope).unwrap();
    let found = compiled.interpret(&(), &constants());
    let lowered = compiled.lower(&constants());
    let failed = lowered.failed.unwrap_or_else(|| polars::prelude::lit(false)).alias("f");
    let frame = DataFrame::new(1, vec![column("x", Series::new("x".into(), [1i64]))]).unwrap();
    let out = frame.lazy().with_columns([lowered.value.alias("v"), failed]).collect().unwrap();
    assert_eq!(out.column("f").unwrap().bool().unwrap().get(0), Some(found.is_err()), "{source}");
    found.map_err(|reason| reason.message)
}

#[test]
fn text_is_cut_to_an_int_exactly() {
    let long = format!("{{{{ '7.{}' | int }}}}", "9".repeat(400));
    for (source, expected) in [
        ("{{ '12.9999999999999999999' | int }}", 12),
        ("{{ '0.99999999999999999999' | int }}", 0),
        ("{{ '-0.99999999999999999999' | int }}", 0),
        ("{{ '-12.9' | int }}", -12),
        ("{{ '9007199254740993.5' | int }}", 9_007_199_254_740_993),
        ("{{ '1234567890123456789e0' | int }}", 1_234_567_890_123_456_789),
        ("{{ '12345e-2' | int }}", 123),
        ("{{ '1e-999999999999999999999' | int }}", 0),
        ("{{ '0e999999999999999999999' | int }}", 0),
        ("{{ ' +1.5E+3 ' | int }}", 1500),
        ("{{ '.5' | int }}", 0),
        ("{{ '5.' | int }}", 5),
        ("{{ '-9223372036854775808.9' | int }}", i64::MIN),
        ("{{ '000000000000000000000000000000000000000000000012.5' | int }}", 12),
        (&long, 7),
    ] {
        assert_eq!(alone(source), Ok(Value::Int(expected)), "{source}");
    }
    for (source, expected) in [
        ("{{ '9223372036854775808.5' | int }}", "`9223372036854775808.5` is beyond 64 bits"),
        ("{{ '1e400' | int }}", "`1e400` is beyond 64 bits"),
        ("{{ '1e999999999999999999999' | int }}", "`1e999999999999999999999` is beyond 64 bits"),
        ("{{ '.' | int }}", "`.` is no whole number"),
        ("{{ '1e' | int }}", "`1e` is no whole number"),
        ("{{ '1.-5' | int }}", "`1.-5` is no whole number"),
        ("{{ 'inf' | int }}", "`inf` is no whole number"),
    ] {
        assert_eq!(alone(source), Err(expected.to_owned()), "{source}");
    }
}

#[test]
fn what_a_float_cannot_hold_is_no_infinity() {
    let beyond = |text: &str| Err(format!("`{text}` is beyond what a float can hold"));
    assert_eq!(alone("{{ '1.5e400' | float }}"), beyond("1.5e400"));
    assert_eq!(alone("{{ '-1.5e400' | float }}"), beyond("-1.5e400"));
    assert_eq!(alone("{{ '-inf' | float }}"), Ok(Value::Float(f64::NEG_INFINITY)));
    assert_eq!(alone("{{ 'Infinity' | float }}"), Ok(Value::Float(f64::INFINITY)));
    assert_eq!(alone("{{ '1e-400' | float }}"), Ok(Value::Float(0.0)));
    assert_eq!(Value::from_json(&json!("1e400"), &Type::Float), Err("`1e400` is beyond what a float can hold".into()));
}

#[test]
fn an_int_that_is_no_bool_is_named() {
    assert_eq!(alone("{{ 7 | bool }}"), Err("`7` is neither true nor false".to_owned()));
    assert_eq!(alone("{{ 1 | bool }}"), Ok(Value::Bool(true)));
}

#[test]
fn a_name_given_with_set_keeps_its_type() {
    assert_eq!(alone("{% set q = 5 %}{{ q }}"), Ok(Value::Int(5)));
    assert_eq!(alone("{% set q = 5 %}<{{ q }}>"), Ok(Value::from("<5>")));
}
