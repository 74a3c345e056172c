//! Tables of a database: all rows of a run or none, in every mode, whatever the names, and read back as what they were.

use rusqlite::Connection;
use serde_json::Value;
use std::fmt::Write;
use towpath_tests::{Scratch, node, until};

const PIPELINE: &str = r#"
version: 1
pipeline: people
connections:
  dw: {connector: sqlite, path: dw.db}
sources:
  people: {connector: csv, path: people.csv, columns: {id: int, name: text, born: date, height: float COLUMNS}}
sinks:
  load: {input: people, connection: dw, table: people, mode: MODE SINK}
"#;

const PEOPLE: &str = "id,name,born,height\n1,Ann,1990-01-02,1.7\n2,Bob,,1.85\n";

fn project(mode: &str, columns: &str, sink: &str) -> Scratch {
    let scratch = Scratch::new();
    change(&scratch, mode, columns, sink);
    scratch.write("people.csv", PEOPLE);
    scratch
}

fn change(scratch: &Scratch, mode: &str, columns: &str, sink: &str) {
    let text = PIPELINE.replace("MODE", mode).replace("COLUMNS", columns).replace("SINK", sink);
    scratch.write("people.yaml", text);
}

fn rows(scratch: &Scratch, query: &str) -> Vec<String> {
    let connection = Connection::open(scratch.at("dw.db")).expect("a database");
    let mut statement = connection.prepare(query).expect("a query");
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cell = |at: usize| match row.get_ref(at).expect("a cell") {
            rusqlite::types::ValueRef::Null => "-".to_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Real(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            rusqlite::types::ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
        };
        Ok((0..width).map(cell).collect::<Vec<_>>().join(" "))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

const ALL: &str = "SELECT * FROM people ORDER BY id, name";

#[test]
fn append_adds_rows_and_makes_the_table() {
    let scratch = project("append", "", "");
    scratch.run("validate people.yaml").ended(0).says("all well");
    // The run makes the file.
    scratch.run("check people.yaml").ended(0);
    scratch.run("run people.yaml").ended(0).says("2 written");
    scratch.run("check people.yaml").ended(0);
    assert_eq!(rows(&scratch, ALL), ["1 Ann 1990-01-02 1.7", "2 Bob - 1.85"]);
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, ALL).len(), 4, "a second run is another load");
    let run = scratch.last_run();
    assert_eq!((&node(&run, "load")["rows_in"], &node(&run, "load")["rows_out"]), (&2.into(), &2.into()));
    assert_eq!(rows(&scratch, "SELECT pipeline, sink, rows FROM _towpath_loads"), ["people load 2", "people load 2"]);
}

#[test]
fn create_refuses_a_table_that_is_there() {
    let scratch = project("create", "", "");
    scratch.run("run people.yaml").ended(0);
    scratch.run("run people.yaml").ended(1).says("is there already").says("append");
    assert_eq!(rows(&scratch, ALL).len(), 2);
}

#[test]
fn replace_takes_the_place_of_all_rows_or_of_none() {
    let scratch = project("replace", "", "");
    scratch.run("run people.yaml").ended(0);
    scratch.write("people.csv", "id,name,born,height\n7,Cat,2001-01-01,1.6\n");
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, ALL), ["7 Cat 2001-01-01 1.6"]);
    // A file that breaks off empties nothing.
    scratch.write("people.csv", "id,name,born,height\n8,Dan,2001-01-01,1.6\n9,\"Eve");
    assert_ne!(scratch.run("run people.yaml").code, Some(0));
    assert_eq!(rows(&scratch, ALL), ["7 Cat 2001-01-01 1.6"]);
}

#[test]
fn merge_changes_what_is_there_and_adds_the_rest() {
    let scratch = project("merge", "", ", key: id");
    scratch.run("run people.yaml").ended(0);
    // Of two rows of one key the later one counts.
    scratch.write("people.csv", "id,name,born,height\n2,Bo,1980-05-05,1.85\n3,Cat,,\n3,Kat,,\n");
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, ALL), ["1 Ann 1990-01-02 1.7", "2 Bo 1980-05-05 1.85", "3 Kat - -"]);
    // A row without a key is a reject; the others go in.
    scratch.write("people.csv", "id,name,born,height\n,Nobody,,\n4,Dan,,\n");
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, "SELECT count(*) FROM people"), ["4"]);
    assert_eq!(scratch.rejects()[0]["reason"], "the key of table `people` is null");
}

#[test]
fn merge_into_a_table_of_somebody_else() {
    let scratch = project("merge", "", ", key: id");
    let connection = Connection::open(scratch.at("dw.db")).expect("a database");
    connection
        .execute_batch("CREATE TABLE people (id INTEGER, name TEXT, born DATE, height REAL, note TEXT); INSERT INTO people VALUES (1, 'A', NULL, 1, 'kept')")
        .expect("a table");
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, ALL), ["1 Ann 1990-01-02 1.7 kept", "2 Bob - 1.85 -"]);
}

#[test]
fn columns_the_table_has_not() {
    let csv = "id,name,born,height,nick\n3,Cat,,,Kitty\n4,Dan,,,\n";
    for (schema, code, expected) in [
        ("evolve", 0, vec!["1 Ann 1990-01-02 1.7 -", "2 Bob - 1.85 -", "3 Cat - - Kitty", "4 Dan - - -"]),
        ("freeze", 1, vec!["1 Ann 1990-01-02 1.7", "2 Bob - 1.85"]),
        ("discard_row", 0, vec!["1 Ann 1990-01-02 1.7", "2 Bob - 1.85", "4 Dan - -"]),
        ("discard_value", 0, vec!["1 Ann 1990-01-02 1.7", "2 Bob - 1.85", "3 Cat - -", "4 Dan - -"]),
    ] {
        let scratch = project("append", "", "");
        scratch.run("run people.yaml").ended(0);
        scratch.write("people.csv", csv);
        change(&scratch, "append", ", nick: text", &format!(", schema: {schema}"));
        let ran = scratch.run("run people.yaml").ended(code);
        assert_eq!(rows(&scratch, ALL), expected, "{schema}");
        match schema {
            "freeze" => drop(ran.says("`nick` is no column of the table").says("schema: evolve")),
            "discard_row" => assert_eq!(scratch.rejects()[0]["field"], "nick"),
            "discard_value" => drop(ran.says("were left out: 1")),
            _ => {}
        }
    }
}

#[test]
fn columns_of_another_type() {
    let scratch = project("append", "", "");
    scratch.run("run people.yaml").ended(0);
    let text = scratch.read("people.yaml").replace("height: float", "height: text");
    scratch.write("people.yaml", text);
    scratch.run("run people.yaml").ended(1).says("`height` is float in the table, and text arrives").says("cast");
    assert_eq!(rows(&scratch, ALL).len(), 2);
}

#[test]
fn what_cannot_be_is_found_before_the_run() {
    for (mode, sink, told) in [
        ("merge", "", "`merge` needs a `key`"),
        ("append", ", key: id", "`key` is for `merge`"),
        ("upsert", "", "unknown value `upsert` of `mode`"),
        ("append", ", schema: evolves", "did you mean `evolve`"),
        ("append", ", keys: [id]", "unknown key `keys`"),
    ] {
        let scratch = project(mode, "", sink);
        scratch.run("validate people.yaml").ended(78).says(told);
    }
}

#[test]
fn values_come_back_as_what_they_were() {
    let scratch = Scratch::new();
    let people = r#"{"id": 9007199254740993, "name": "O'Hara \"x\"", "yes": true, "price": "12.30", "day": "2024-02-29", "at": "2024-02-29T10:11:12.123456+00:00", "list": ["a", "b"], "any": {"k": [1, null]}, "ratio": 0.1, "text": "007"}
{"id": 2, "name": "", "yes": false, "price": "-0.01", "day": null, "at": null, "list": [], "any": null, "ratio": -1e300, "text": null}
"#;
    scratch.write("in.jsonl", people);
    scratch.write(
        "there.yaml",
        r#"
version: 1
pipeline: there
connections:
  dw: {connector: sqlite, path: dw.db}
sources:
  in:
    connector: json
    path: in.jsonl
    columns: {id: int, name: text, yes: bool, price: "decimal(10,2)", day: date, at: datetime, list: list<text>, any: json, ratio: float, text: text}
transforms:
  odd: {input: in, steps: [{rename: {name: "na\"m e."}}]}
sinks:
  table: {input: odd, connection: dw, table: "od\"d ta.ble", mode: replace}
"#,
    );
    scratch.write(
        "back.yaml",
        r#"
version: 1
pipeline: back
connections:
  dw: {connector: sqlite, path: dw.db}
sources:
  table: {connection: dw, table: "od\"d ta.ble"}
  query: {connection: dw, query: "SELECT count(*) AS n, sum(ratio > 0) AS positive FROM \"od\"\"d ta.ble\""}
transforms:
  plain: {input: table, steps: [{rename: {"na\"m e.": name}}]}
sinks:
  out: {input: plain, connector: json, path: out.jsonl}
  count: {input: query, connector: json, path: count.jsonl}
"#,
    );
    scratch.run("run there.yaml").ended(0);
    scratch.run("validate back.yaml").ended(0).says("all well");
    scratch.run("run back.yaml").ended(0);
    let lines = |text: &str| -> Vec<Value> {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        // A list is read back as JSON; its columns come in another order.
        lines.collect()
    };
    let (wanted, found) = (lines(people), lines(&scratch.read("out.jsonl")));
    assert_eq!(wanted.len(), found.len());
    for (wanted, found) in wanted.iter().zip(&found) {
        for (name, value) in wanted.as_object().expect("an object") {
            assert_eq!(&found[name.as_str()], value, "{name}");
        }
    }
    assert_eq!(scratch.read("count.jsonl"), "{\"n\":2,\"positive\":1}\n");
}

#[test]
fn a_table_that_is_not_there_is_told_with_the_nearest_name() {
    let scratch = project("append", "", "");
    scratch.run("run people.yaml").ended(0);
    let read = "version: 1\npipeline: read\nsources:\n  a: {connector: sqlite, path: dw.db, table: peple}\nsinks:\n  out: {input: a, connector: json, path: out.jsonl}\n";
    scratch.write("read.yaml", read);
    scratch.run("validate read.yaml").ended(78).says("did you mean `people`");
    scratch.write("read.yaml", read.replace("table: peple", "query: DELETE FROM people"));
    scratch.run("validate read.yaml").ended(78).says("does not give rows");
    assert_eq!(rows(&scratch, ALL).len(), 2);
    scratch.write("read.yaml", read.replace("dw.db", "nowhere.db"));
    scratch.run("validate read.yaml").ended(0).says("no such file yet");
    assert_ne!(scratch.run("run read.yaml").says("no such file yet: nowhere.db").code, Some(0));
}

/// Killed without warning in the middle of a load, the table is as it was; the next run loads all of it.
#[test]
fn a_load_that_is_killed_leaves_no_trace() {
    const ROWS: usize = 300_000;
    let scratch = project("append", "", "");
    scratch.run("run people.yaml").ended(0);
    let mut text = "id,name,born,height\n".to_owned();
    for number in 10..10 + ROWS {
        writeln!(text, "{number},Person number {number},2000-01-01,{number}.5").expect("text");
    }
    scratch.write("people.csv", text);
    let before = std::fs::metadata(scratch.at("dw.db")).expect("a database").len();
    let running = scratch.towpath("run people.yaml").start();
    // The file grows as pages are written that have no room in memory: then the load is in the middle.
    until("the load has begun to be written", || {
        std::fs::metadata(scratch.at("dw.db")).is_ok_and(|file| file.len() > before + (1 << 20))
    });
    running.signal("KILL");
    running.wait();
    assert_eq!(rows(&scratch, ALL), ["1 Ann 1990-01-02 1.7", "2 Bob - 1.85"]);
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, "SELECT count(*), count(DISTINCT id) FROM people"), [format!("{0} {0}", ROWS + 2)]);
}

/// Sinks of one file wait for each other, and none of them leaves an index or anything else behind.
#[test]
fn many_rows_into_several_tables_of_one_file() {
    const ROWS: usize = 200_000;
    let scratch = project("append", "", "");
    let mut text = "id,name,born,height\n".to_owned();
    for number in 0..ROWS {
        writeln!(text, "{number},Person {},2000-01-01,{number}.5", number % 977).expect("text");
    }
    scratch.write("people.csv", text);
    let more = "  merged: {input: people, connection: dw, table: merged, mode: merge, key: id}\n  \
                found: {input: people, connector: sqlite, path: ./dw.db, table: found, mode: merge, key: [id, name]}\n  \
                replaced: {input: people, connection: dw, table: replaced, mode: replace}\n";
    scratch.write("people.yaml", scratch.read("people.yaml") + more);
    let connection = Connection::open(scratch.at("dw.db")).expect("a database");
    let found = "CREATE TABLE found (id INTEGER, name TEXT, born DATE, height REAL); \
                 INSERT INTO found VALUES (7, 'Person 7', NULL, 0), (-1, 'other', NULL, 0)";
    connection.execute_batch(found).expect("a table");
    drop(connection);
    for _ in 0..2 {
        scratch.run("run people.yaml").ended(0);
    }
    let count = |table: &str| rows(&scratch, &format!("SELECT count(*) FROM {table}"));
    for (table, rows) in [("people", 2 * ROWS), ("merged", ROWS), ("found", ROWS + 1), ("replaced", ROWS)] {
        assert_eq!(count(table), [rows.to_string()], "{table}");
    }
    assert_eq!(rows(&scratch, "SELECT born, height FROM found WHERE id = 7"), ["2000-01-01 7.5"]);
    let made = rows(&scratch, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    assert_eq!(made, ["_towpath_loads", "found", "merged", "people", "replaced"]);
    assert_eq!(rows(&scratch, "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"), ["0"]);
}

/// A run that loads and then does not end well is repeated: what it loaded is known, in whatever order it comes.
#[test]
fn a_repeated_run_does_not_load_twice() {
    let scratch = project("append", "", "");
    let good = scratch.read("people.yaml");
    // The other sink fails: its folder is a file.
    let more = "  other: {input: people, connector: json, path: stop/other.json}\n";
    scratch.write("stop", "");
    scratch.write("people.yaml", good.clone() + more);
    scratch.run("run people.yaml").ended(1);
    assert_eq!(rows(&scratch, ALL).len(), 2, "the sinks do not hang together");
    scratch.write("people.csv", "id,name,born,height\n2,Bob,,1.85\n1,Ann,1990-01-02,1.7\n");
    scratch.run("run people.yaml").ended(1);
    std::fs::remove_file(scratch.at("stop")).expect("a file");
    scratch.run("run people.yaml").ended(0).says("has loaded these rows before");
    assert_eq!(rows(&scratch, ALL).len(), 2);
    let run = scratch.last_run();
    let load = node(&run, "load");
    assert_eq!([&load["rows_in"], &load["rows_out"], &load["skipped"]], [2, 0, 2]);

    // It is settled now: the same rows are another load.
    scratch.run("run people.yaml").ended(0);
    assert_eq!(rows(&scratch, ALL).len(), 4);

    // Other rows after a run that did not end well go in, and it is said.
    std::fs::remove_dir_all(scratch.at("stop")).expect("a folder");
    scratch.write("stop", "");
    scratch.write("people.csv", "id,name,born,height\n3,Cat,,\n");
    scratch.run("run people.yaml").ended(1);
    scratch.write("people.csv", "id,name,born,height\n3,Cat,,\n4,Dan,,\n");
    scratch.write("people.yaml", good);
    scratch.run("run people.yaml").ended(0).says("loaded other rows and did not end well");
    assert_eq!(rows(&scratch, ALL).len(), 7);
}
