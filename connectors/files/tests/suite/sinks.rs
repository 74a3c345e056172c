//! Files written: their form, and that nothing is seen of them before they are whole.

use crate::source::{connect, connector, describe, read, settings};
use polars::prelude::{Column, DataFrame, Engine, IntoLazy, NamedFrom, Series};
use serde_json::{Value as Json, json};
use std::path::Path;
use towpath_connector::{FileSink, Settings, Sink, SinkAsk};
use towpath_mapping::rows_to_frame;
use towpath_spec::{Field, Schema, Type};

fn schema(fields: &[(&str, &str)]) -> Schema {
    let field = |(name, ty): &(&str, &str)| Field::new(*name, Type::parse(ty).expect("a type"));
    Schema::new(fields.iter().map(field).collect())
}

fn frame(rows: Json, schema: &Schema) -> DataFrame {
    let rows: Vec<_> =
        rows.as_array().expect("rows").iter().map(|row| row.as_object().expect("a row").clone()).collect();
    let (frame, bad) = rows_to_frame(&rows, schema).expect("a frame");
    assert!(bad.is_empty(), "{bad:?}");
    frame
}

fn sink(name: &str, base: &Path, given: &Settings, schema: &Schema) -> towpath_connector::Result<Box<dyn FileSink>> {
    let none = Settings::default();
    let ask = SinkAsk { operation: None, connection: &none, settings: given, schema: Some(schema), base };
    match connector(name).writer(&connect(base))?.sink(&ask)? {
        Sink::File(sink) => Ok(sink),
        Sink::Operation(_) | Sink::Table(_) => panic!("a file sink"),
    }
}

fn run(sink: &mut dyn FileSink, frame: DataFrame, schema: &Schema) -> towpath_connector::Result<()> {
    let plan = sink.plan(frame.lazy(), schema)?;
    plan.collect_with_engine(Engine::Streaming)?;
    Ok(())
}

fn write(name: &str, base: &Path, given: Json, rows: Json, schema: &Schema) -> towpath_connector::Result<Vec<String>> {
    let mut sink = sink(name, base, &settings(given), schema)?;
    run(sink.as_mut(), frame(rows, schema), schema)?;
    let written = sink.commit()?;
    for file in &written {
        assert_eq!(std::fs::metadata(&file.path).expect("it is there").len(), file.bytes);
    }
    Ok(written.iter().map(|file| file.path.strip_prefix(base).expect("inside").display().to_string()).collect())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).expect("a text file")
}

#[test]
fn csv_is_written_as_it_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[("n", "int"), ("t", "text"), ("d", "date"), ("at", "datetime"), ("local", "datetime(none)")]);
    let rows = json!([
        {"n": 1, "t": "a,\"b\"\nc", "d": "2024-02-29", "at": "2024-02-29T10:00:00.500+00:00", "local": "2024-02-29T10:00:00"},
        {"n": null, "t": "", "d": null, "at": null, "local": null},
    ]);
    for path in ["deep/er/out.csv", "out.csv.gz", "out.csv.zst"] {
        let written = write("csv", folder.path(), json!({"path": path}), rows.clone(), &schema).expect(path);
        assert_eq!(written, [path]);
        let given = settings(json!({"path": path}));
        let found = read("csv", folder.path(), &given, &schema.fields).expect(path);
        assert_eq!(json!(found.rows[0]), rows[0], "{path}");
        assert_eq!(found.rows[1]["n"], Json::Null, "{path}");
        assert_eq!(found.rows[1]["t"], json!(""), "{path}");
    }
    let plain = text(folder.path().join("deep/er/out.csv"));
    assert!(plain.contains("2024-02-29T10:00:00.5"), "{plain}");
    assert_eq!(names(&folder.path().join("deep/er")), ["out.csv"]);
}

#[test]
fn csv_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[("a", "text"), ("n", "int")]);
    let rows = json!([{"a": "=1+1", "n": -1}, {"a": null, "n": null}, {"a": "x;y", "n": 2}]);
    let given =
        json!({"path": "o.csv", "delimiter": ";", "header": false, "null_value": "NULL", "escape_formulas": true});
    write("csv", folder.path(), given, rows, &schema).expect("written");
    assert_eq!(text(folder.path().join("o.csv")), "'=1+1;-1\nNULL;NULL\n\"x;y\";2\n");
}

#[test]
fn no_text_is_a_formula_and_numbers_stay_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema =
        schema(&[("=name", "text"), ("int", "int"), ("float", "float"), ("money", "decimal(9,2)"), ("json", "json")]);
    let texts = ["=1+1", "+1", "-5", "@SUM(A1)", "\tx", "\rx", "x=1", "'=1", " =1", "", "5"];
    let row = |text: &&str| json!({"=name": text, "int": -5, "float": -0.5, "money": "-5.25", "json": "-x"});
    let rows: Vec<Json> = texts.iter().map(row).collect();
    let cells = |escape: bool| -> Vec<Vec<String>> {
        let given = json!({"path": "o.csv", "escape_formulas": escape});
        write("csv", folder.path(), given, json!(rows), &schema).expect("written");
        let written = text(folder.path().join("o.csv"));
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(written.as_bytes());
        reader.records().map(|line| line.expect("CSV").iter().map(str::to_owned).collect()).collect()
    };
    let (plain, safe) = (cells(false), cells(true));
    assert_eq!((plain[0][0].as_str(), safe[0][0].as_str()), ("=name", "'=name"));
    for (at, text) in texts.iter().enumerate() {
        let expected = if at < 6 { format!("'{text}") } else { (*text).to_owned() };
        assert_eq!((plain[at + 1][0].as_str(), safe[at + 1][0].as_str()), (*text, expected.as_str()));
        assert_eq!(safe[at + 1][1..4], ["-5", "-0.5", "-5.25"]);
    }
}

#[test]
fn csv_has_no_form_for_nested_values() {
    let schema = schema(&[("tags", "list<text>"), ("raw", "binary")]);
    let (none, given) = (Settings::default(), settings(json!({"path": "o.csv"})));
    let ask =
        SinkAsk { operation: None, connection: &none, settings: &given, schema: Some(&schema), base: Path::new(".") };
    let problems = connector("csv").describe_sink(&ask).expect_err("two problems");
    assert_eq!(problems.len(), 2);
    assert!(problems[0].message.contains("`tags` is list<text>"));
    assert!(problems[0].help.as_ref().expect("help").contains("{{ tags | tojson }}"));
}

#[test]
fn json_keeps_types_and_nesting() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema =
        schema(&[("n", "int"), ("tags", "list<text>"), ("at", "datetime"), ("raw", "json"), ("s", "struct{d: date}")]);
    let rows = json!([
        {"n": 1, "tags": ["a"], "at": "2024-02-29T10:00:00+00:00", "raw": {"x": [1, null]}, "s": {"d": "2024-02-29"}},
        {"n": 2, "tags": [], "at": null, "raw": null, "s": null},
    ]);
    write("json", folder.path(), json!({"path": "o.jsonl"}), rows.clone(), &schema).expect("written");
    let lines: Vec<Json> =
        text(folder.path().join("o.jsonl")).lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!(json!(lines), rows);
    write("json", folder.path(), json!({"path": "o.json", "format": "array"}), rows.clone(), &schema).expect("written");
    assert_eq!(serde_json::from_str::<Json>(&text(folder.path().join("o.json"))).expect("JSON"), rows);
    write("json", folder.path(), json!({"path": "e.json", "format": "array"}), json!([]), &schema).expect("written");
    assert_eq!(text(folder.path().join("e.json")), "[]\n");
    write("json", folder.path(), json!({"path": "o.jsonl.gz"}), rows, &schema).expect("written");
    let found = read("json", folder.path(), &settings(json!({"path": "o.jsonl.gz"})), &[]).expect("read");
    assert_eq!(found.rows.len(), 2);
}

#[test]
fn parquet_round_trip_in_every_compression() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[
        ("n", "int"),
        ("price", "decimal(10,2)"),
        ("at", "datetime"),
        ("tags", "list<text>"),
        ("s", "struct{x: float}"),
    ]);
    let rows =
        json!([{"n": 1, "price": "2.50", "at": "2024-02-29T10:00:00+00:00", "tags": ["a", null], "s": {"x": 1.5}}]);
    for compression in ["zstd", "lz4", "snappy", "none"] {
        let given = json!({"path": format!("{compression}.parquet"), "compression": compression});
        write("parquet", folder.path(), given, rows.clone(), &schema).expect(compression);
    }
    let given = settings(json!({"path": "*.parquet"}));
    let found = read("parquet", folder.path(), &given, &[]).expect("read");
    assert_eq!((found.rows.len(), found.scanned), (4, true));
    assert_eq!(json!([found.rows[3]]), rows);
    assert_eq!(found.schema, schema);
}

#[test]
fn parquet_files_must_agree_and_be_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, ty, value) in [("1", "int", json!(1)), ("2", "text", json!("x"))] {
        let rows = json!([{"n": value}]);
        write("parquet", folder.path(), json!({"path": format!("{name}.parquet")}), rows, &schema(&[("n", ty)]))
            .expect(name);
    }
    let problems =
        describe("parquet", folder.path(), &settings(json!({"path": "*.parquet"})), &[]).expect_err("they differ");
    assert!(problems[0].message.contains("column `n` is text in"), "{problems:?}");
    std::fs::write(folder.path().join("3.parquet"), b"PAR1 and then nothing").expect("a file");
    let problems =
        describe("parquet", folder.path(), &settings(json!({"path": "3.parquet"})), &[]).expect_err("broken");
    assert!(problems[0].message.contains("3.parquet is no whole Parquet file"), "{problems:?}");
}

#[test]
fn smaller_types_of_parquet_are_widened() {
    let folder = tempfile::tempdir().expect("a folder");
    let columns =
        vec![Column::from(Series::new("a".into(), [1i32, 2])), Column::from(Series::new("b".into(), [1.5f32, 2.0]))];
    let mut frame = DataFrame::new(2, columns).expect("a frame");
    let file = std::fs::File::create(folder.path().join("s.parquet")).expect("a file");
    polars::prelude::ParquetWriter::new(file).finish(&mut frame).expect("written");
    let found = read("parquet", folder.path(), &settings(json!({"path": "s.parquet"})), &[]).expect("read");
    assert_eq!(json!(found.rows), json!([{"a": 1, "b": 1.5}, {"a": 2, "b": 2.0}]));
}

#[test]
fn nothing_is_seen_before_the_commit_and_nothing_is_left_after_an_abort() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[("n", "int")]);
    for (name, path) in [("csv", "o.csv"), ("json", "o.jsonl"), ("parquet", "o.parquet")] {
        let target = folder.path().join(path);
        std::fs::write(&target, "before").expect("a file");
        let given = settings(json!({"path": path}));
        let mut first = sink(name, folder.path(), &given, &schema).expect("a sink");
        run(first.as_mut(), frame(json!([{"n": 1}]), &schema), &schema).expect("it runs");
        assert_eq!(text(&target), "before");
        first.abort();
        assert_eq!(names(folder.path()), [path]);
        let mut dropped = sink(name, folder.path(), &given, &schema).expect("a sink");
        run(dropped.as_mut(), frame(json!([{"n": 1}]), &schema), &schema).expect("it runs");
        drop(dropped);
        assert_eq!(names(folder.path()), [path]);
        write(name, folder.path(), json!({"path": path}), json!([{"n": 1}]), &schema).expect("written");
        assert_ne!(std::fs::read(&target).expect("a file"), b"before");
        assert_eq!(names(folder.path()), [path]);
        std::fs::remove_file(target).expect("removed");
    }
}

#[test]
fn partitions_stay_inside_their_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[("k", "text"), ("n", "int")]);
    let rows = json!([
        {"k": "../../up", "n": 1}, {"k": "..", "n": 2}, {"k": "a/b", "n": 3}, {"k": null, "n": 4}, {"k": "x", "n": 5},
        {"k": "x", "n": 6},
    ]);
    for (name, path) in [("parquet", "p"), ("csv", "c")] {
        let given = json!({"path": path, "partition_by": ["k"]});
        let written = write(name, folder.path(), given.clone(), rows.clone(), &schema).expect(name);
        assert_eq!(written.len(), 5, "{written:?}");
        assert!(written.iter().all(|file| file.starts_with(&format!("{path}/k="))), "{written:?}");
        // Again: the folder is replaced as a whole.
        let again = write(name, folder.path(), given, json!([{"k": "x", "n": 7}]), &schema).expect(name);
        assert_eq!(again.len(), 1);
        assert_eq!(names(&folder.path().join(path)), ["k=x"]);
    }
    assert_eq!(names(folder.path()), ["c", "p"]);
    let found = read("parquet", folder.path(), &settings(json!({"path": "p/**/*.parquet"})), &[]).expect("read");
    assert_eq!(json!(found.rows), json!([{"k": "x", "n": 7}]));
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[("k", "text"), ("n", "int")]);
    std::fs::create_dir(folder.path().join("mine")).expect("a folder");
    std::fs::write(folder.path().join("mine/thesis.txt"), "years of work").expect("a file");
    let given = json!({"path": "mine", "partition_by": ["k"]});
    let error = write("parquet", folder.path(), given, json!([{"k": "x", "n": 1}]), &schema).expect_err("refused");
    assert!(error.message.contains("thesis.txt, which is no earlier output"), "{error}");
    assert_eq!(names(folder.path()), ["mine"]);
    assert_eq!(text(folder.path().join("mine/thesis.txt")), "years of work");
}

#[test]
fn a_column_whose_name_is_a_path_cannot_partition() {
    let schema = schema(&[("../k", "text"), ("n", "int")]);
    let given = settings(json!({"path": "p", "partition_by": ["../k", "m"]}));
    let none = Settings::default();
    let ask =
        SinkAsk { operation: None, connection: &none, settings: &given, schema: Some(&schema), base: Path::new(".") };
    let problems = connector("parquet").describe_sink(&ask).expect_err("refused");
    assert!(problems[0].message.contains("`../k` cannot be the name of a folder"), "{problems:?}");
}

#[test]
fn files_are_split_by_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = schema(&[("n", "int")]);
    let rows: Json = (0..25).map(|n| json!({"n": n})).collect();
    for (name, path) in [("parquet", "p"), ("csv", "c")] {
        let given = json!({"path": path, "max_rows_per_file": 10});
        let written = write(name, folder.path(), given, rows.clone(), &schema).expect(name);
        assert_eq!(written.len(), 3, "{written:?}");
        let glob = settings(json!({"path": format!("{path}/*")}));
        let found = read(name, folder.path(), &glob, &[]).expect("read");
        assert_eq!(json!(found.rows), rows);
    }
}
