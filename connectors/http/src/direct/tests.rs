//! Made-up pages: whatever is read directly is what the general way reads.

use super::Direct;
use crate::compile::compile;
use crate::pager::fingerprint;
use crate::plan::StreamPlan;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value as Json;
use std::path::Path;
use std::sync::Arc;
use towpath_spec::definition::decode_definition;
use towpath_spec::{Files, parse_yaml};

const DEFINITION: &str = r#"version: 1
connector: made-up
config: {base_url: {type: text, required: true}}
streams:
  rows:
    request: {path: /rows}
    record_selector: {records: "$.data.items[*]"}
    paginator: {type: key, from: $.next}
    schema:
      a: text
      b: int
      c: float
      d: bool
      e: datetime
      f: date
      g: json
      h: {type: list<text>}
      i: {type: text, nulls: ["-"], case: lower}
      inner: {type: int, from: $.o.x}
      deep: {type: text, from: $.o.p.q}
      again: {type: text, from: $.a}
  whole:
    request: {path: /whole}
    schema: {a: text, b: int}
  by_record:
    request: {path: /by-record}
    record_selector: {records: "$.items"}
    paginator: {type: key, from: "$.items[-1:].b"}
    schema: {b: int}
  inside:
    request: {path: /inside}
    record_selector: {records: "$.items"}
    schema: {o: json, x: {type: int, from: $.o.x}}
"#;

fn stream(name: &str) -> Arc<StreamPlan> {
    let mut files = Files::new();
    let file = files.add(Path::new("made-up.yaml"), DEFINITION);
    let tree = parse_yaml(&files, file).expect("YAML");
    let mut problems = Vec::new();
    let definition = decode_definition(file, &tree, &mut problems).expect("a definition");
    assert!(problems.is_empty(), "{problems:?}");
    let api = compile(&definition, &files).unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::clone(api.stream(name).expect("the stream"))
}

/// A value as it is written, so that names may stand twice and numbers have any shape.
fn written() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => prop::sample::select(vec![
            "null", "true", "false", "0", "-0", "7", "-12", "9223372036854775807", "9223372036854775808",
            "18446744073709551616", "1.5", "1e3", "-2.25e-2", "\"\"", "\" x \"", "\"-\"", "\"12\"", "\"yes\"",
            "\"2024-05-17T09:00:00Z\"", "\"2024-05-17\"", "\"\\u00e9\\n\"", "\"Grüße\"", "\"2024-05-17T09:00:00+02:00\"",
        ]).prop_map(str::to_owned),
        1 => "[a-z0-9 ]{0,12}".prop_map(|text| format!("\"{text}\"")),
        1 => any::<i64>().prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let member = (name(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(member, 0..4).prop_map(|members| object(&members)),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "g", "h", "i", "o", "p", "q", "x", "other", "\\u0061"])
        .prop_map(str::to_owned)
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// A record whose members mostly are what the columns expect.
fn record() -> impl Strategy<Value = String> {
    let fits = |name: &'static str, values: Vec<&'static str>| {
        let value = prop::sample::select(values).prop_map(str::to_owned);
        (prop_oneof![12 => Just(name.to_owned()), 1 => self::name()], prop_oneof![25 => value, 1 => written()])
    };
    let members = vec![
        fits("a", vec!["\"text\"", "\" a \"", "null", "\"\\\"quoted\\\"\"", "5"]),
        fits("b", vec!["1", "\"12\"", "null", "-3"]),
        fits("c", vec!["1.5", "2", "\"2.5\"", "1e300"]),
        fits("d", vec!["true", "false", "null"]),
        fits("e", vec!["\"2024-05-17T09:00:00Z\"", "null", "\"2024-05-17T09:00:00.123+02:00\""]),
        fits("f", vec!["\"2024-05-17\"", "null"]),
        fits("g", vec!["{\"k\": [1, 2]}", "[]", "\"text\"", "3"]),
        fits("h", vec!["[\"x\", \"y\"]", "[]", "null"]),
        fits("i", vec!["\"-\"", "\"ABC\"", "7"]),
        fits(
            "o",
            vec!["{\"x\": 1, \"p\": {\"q\": \"deep\"}}", "{\"x\": \"2\"}", "{}", "null", "{\"p\": 3, \"z\": [[1]]}"],
        ),
        fits("other", vec!["{\"n\": null}", "[1, [2]]", "9"]),
    ];
    (members, any::<prop::sample::Index>(), 6..=11_usize).prop_map(|(mut members, start, keep)| {
        let start = start.index(members.len());
        members.rotate_left(start);
        members.truncate(keep);
        object(&members)
    })
}

fn page() -> impl Strategy<Value = String> {
    let item = prop_oneof![60 => record(), 1 => written()];
    let items = prop::collection::vec(item, 0..6).prop_map(|items| format!("[{}]", items.join(",")));
    let items = prop_oneof![40 => items, 1 => written()];
    (items, written(), 0..30_u8).prop_map(|(items, next, kind)| match kind {
        0 => format!("{{\"data\":{{}},\"next\":{next}}}"),
        1 => format!("{{\"data\":{{\"items\":{items},\"items\":[]}},\"next\":{next}}}"),
        2 => format!("{{\"data\":{{\"items\":{items}}},\"data\":{{}}}}"),
        3 => format!("{{\"data\":{{\"items\":{items}}}"),
        4 => format!("{{\"data\":{{\"items\":{items}}}}} x"),
        5 => items,
        6 => format!("\u{feff}{{\"data\":{items}}}"),
        _ => format!("{{\"next\":{next},\"data\":{{\"total\":4,\"items\":{items}}},\"more\":{{\"items\":[{{}}]}}}}"),
    })
}

/// Whether a name stands twice in an object; then the two fingerprints differ, as the general one never sees the first.
fn names_stand_twice(body: &str, answer: &Json) -> bool {
    fn members(value: &Json) -> usize {
        match value {
            Json::Array(items) => items.iter().map(members).sum(),
            Json::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
            _ => 0,
        }
    }
    body.matches("\":").count() != members(answer)
}

#[test]
fn what_is_read_directly_is_what_is_read_in_general() {
    let stream = stream("rows");
    let direct = stream.direct.as_ref().expect("a stream that is read directly");
    let taken = std::cell::Cell::new((0_u32, 0_u32));
    let mut runner = TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let agreed = runner.run(&page(), |body| {
        let (all, read) = taken.get();
        let Some(page) = direct.page(&stream.columns, body.as_bytes()) else {
            taken.set((all + 1, read));
            return Ok(());
        };
        taken.set((all + 1, read + 1));
        let whole: Json = serde_json::from_slice(&towpath_mapping::exact_json(body.as_bytes())).expect("JSON");
        let records = stream.records(&whole);
        let chunk = stream.rows(&records).expect("rows");
        prop_assert!(chunk.rejects.is_empty(), "rejects");
        prop_assert!(page.frame.equals_missing(&chunk.frame), "{}\n{}", page.frame, chunk.frame);
        prop_assert_eq!(page.frame.schema(), chunk.frame.schema());
        if !names_stand_twice(&body, &whole) {
            prop_assert_eq!(page.content, fingerprint(&records));
        }
        let mut rest = whole.clone();
        if let Some(items) = rest.pointer_mut("/data/items") {
            *items = Json::Array(Vec::new());
        }
        prop_assert_eq!(page.answer, rest);
        Ok(())
    });
    agreed.unwrap_or_else(|error| panic!("{error}"));
    let (all, read) = taken.get();
    assert!(read * 3 > all, "only {read} of {all} pages were read directly");
}

#[test]
fn what_looks_into_records_is_not_read_directly() {
    assert!(stream("by_record").direct.is_none(), "paging looks at a record");
    assert!(stream("inside").direct.is_none(), "a value and a part of it are columns");
}

#[test]
fn a_list_of_records_alone_is_read_directly() {
    let stream = stream("whole");
    let direct: &Direct = stream.direct.as_ref().expect("a stream that is read directly");
    let page = direct.page(&stream.columns, br#"[{"a": "x", "b": 1}, {"b": 2}]"#).expect("a page");
    assert_eq!((page.frame.height(), page.answer), (2, Json::Array(Vec::new())));
    assert!(direct.page(&stream.columns, br#"{"a": "x"}"#).is_none(), "one record, and no list");
    assert!(direct.page(&stream.columns, br#"[{"a": "x", "b": "one"}]"#).is_none(), "it does not fit");
}
