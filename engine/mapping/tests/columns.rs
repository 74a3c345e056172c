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
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[] };
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
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[] };
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
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[] };
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
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[] };
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
