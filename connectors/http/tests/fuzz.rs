//! JSONPath selectors nobody would write: refused at their place, or answered soon, and never a panic.
#![allow(missing_docs, clippy::unwrap_used)]

use serde_json::{Value as Json, json};
use towpath_fuzz::{damaged, fuzz, soup};
use towpath_http::JsonPath;
use towpath_spec::{Span, Text};

const PIECES: &[&str] = &[
    "$",
    ".",
    "..",
    "*",
    "[",
    "]",
    "[*]",
    "[0]",
    "[-1]",
    "[1:]",
    "[::-1]",
    "[0:9:0]",
    "['a']",
    "[\"b\"]",
    "a",
    "b",
    "é",
    ",",
    ":",
    "?",
    "?(",
    "(",
    ")",
    "@",
    "@.a",
    " == ",
    " != ",
    " < ",
    " >= ",
    " && ",
    " || ",
    "!",
    "1",
    "-0",
    "9007199254740992",
    "1e9",
    "'x'",
    "\"",
    "'",
    "\\u00e9",
    "\\",
    "null",
    "true",
    "length(",
    "count(",
    "match(",
    "search(",
    "value(",
    "@.a, '(a+)+$'",
    "..[*]",
    "[?@.a]",
    " ",
    "\n",
    "_",
    "-",
];

fn document() -> Json {
    json!({"a": [{"a": "aaaaaaaaaaaaaaaaaaaaaaaa!", "b": [1, 2, {"a": null}]}, {"b": -0.5, "é": true}, []], "b": {"a": {"a": {"a": 1}}}})
}

fn check(written: &str) {
    if let Ok(path) = JsonPath::parse(&Text::new(written, Span::default())) {
        let document = document();
        let all = path.all(&document);
        assert_eq!(path.first(&document), all.first().copied(), "{written}");
    }
}

#[test]
fn fuzz_selectors() {
    fuzz("JSONPath selectors", 4_000, soup(PIECES, 12), |written| {
        check(&written);
        check(&format!("$.{written}"));
        Ok(())
    });
}

#[test]
fn fuzz_filters() {
    let known = ["$.a[?@.a == 'x' && length(@.b) > 1].b[0]", "$..a[?match(@.a, 'a.*')]['a', 'b'][1:3:2]", "$.b.a.a"];
    fuzz("damaged JSONPath selectors", 4_000, damaged(known.map(str::to_owned).to_vec()), |written| {
        check(&written);
        Ok(())
    });
}
