//! What can be wrong with a router, each at its place.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::Path;
use support::problems;
use towpath_spec::Files;

const GOOD: &str = r#"version: 1
connector: my-system
config: {base_url: {type: text, required: true}}
streams:
  people:
    request: {path: /people}
    params: {group: text}
    schema: {id: int, name: text, tags: "list<text>"}
  results:
    request: {path: "/people/{{ params.person }}/{{ slice.start }}/{{ slice.who }}"}
    params: {person: {type: text, required: true}, from: text, to: text}
    partition_router: {stream: people, with: {group: all}, params: {person: id}, take: {who: name}}
    incremental: {by: request_time, start: from, end: to, step: P30D, overlap: P1D, earliest: "2020-01-01"}
    key: [who, id]
    schema: {id: int}
  orders:
    request: {path: "/orders/{{ params.status }}"}
    params: {status: text}
    partition_router: {values: {status: [open, closed]}, take: {status: status}}
    schema: {id: int}
"#;

#[test]
fn each_mistake_of_a_router_is_told_where_it_is() {
    assert_eq!(problems(GOOD), Vec::<String>::new());
    let cases = [
        (
            "stream: people,",
            "stream: poeple,",
            "12:32 invalid-value: there is no stream `poeple` [did you mean `people`?]",
        ),
        (
            "{group: all}",
            "{grup: all}",
            "12:47 invalid-value: stream `people` has no parameter `grup` [did you mean `group`?]",
        ),
        (
            "{person: id}",
            "{persn: id}",
            "12:69 invalid-value: stream `results` has no parameter `persn` [did you mean `person`?]",
        ),
        (
            "{person: id}",
            "{person: ids}",
            "12:77 invalid-value: stream `people` has no column `ids` [did you mean `id`?]",
        ),
        (
            "{person: id}",
            "{person: tags}",
            "12:77 invalid-value: column `tags` of `people` is list<text>, and a parameter takes one value",
        ),
        (
            "{who: name}",
            "{who: nam}",
            "12:94 invalid-value: stream `people` has no column `nam` [did you mean `name`?]",
        ),
        (
            "key: [who, id]\n    schema: {id: int}",
            "key: id\n    schema: {id: int, who: text}",
            "12:89 duplicate-name: `who` is a column of its own and one that is taken, expected one of the two",
        ),
        ("slice.who", "slice.whom", "10:77 invalid-value: `slice` has no `whom` [did you mean `who`?]"),
        ("[who, id]", "[whom, id]", "14:11 invalid-value: there is no column `whom` here [did you mean `who`?]"),
        (
            "{group: text}",
            "{group: text, site: {required: true}}",
            "12:32 missing-key: stream `people` needs `site` [give it under `with:`, e.g. `with: {site: \"{{ params.site }}\"}`]",
        ),
        ("end: to,", "end: till,", "13:55 invalid-value: there is no parameter `till` here"),
        ("end: to, ", "", "13:18 missing-key: `incremental` needs `end` ["),
        (", earliest: \"2020-01-01\"", "", "13:18 missing-key: `incremental` needs `earliest` ["),
        ("\"2020-01-01\"", "long ago", "13:95 invalid-value: `long ago` is not a time [write it as"),
        ("    key: [who, id]\n", "", "13:18 missing-key: windows that overlap need the stream's `key` ["),
        ("[open, closed]", "open", "19:41 invalid-value: expected a list of values, or a template that gives one ["),
        ("{status: status}", "{status: state}", "19:73 invalid-value: there are no values for `state`"),
        ("values: {", "stream: people, values: {", "conflicting-keys: a partition router has `stream` and `values`"),
        ("stream: people, with", "with", "missing-key: a partition router needs `stream` or `values` ["),
    ];
    for (from, to, expected) in cases {
        assert!(GOOD.contains(from), "{from}");
        let found = problems(&GOOD.replacen(from, to, 1));
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{to}: expected\n{expected}\nfound\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn circles_are_refused() {
    let own = GOOD.replace("stream: people,", "stream: results,").replace("with: {group: all}, ", "");
    let found = problems(&own);
    let expected = "stream `results` is read for each record of `results`, which is read for each of its own";
    assert!(found.iter().any(|line| line.contains(expected)), "{found:?}");
    let back = GOOD.replace(
        "    params: {group: text}\n",
        "    params: {group: text}\n    partition_router: {stream: results, params: {group: id}}\n",
    );
    let found = problems(&back);
    for expected in [
        "stream `people` is read for each record of `results`, which is read for each of `people`",
        "stream `results` is read for each record of `people`, which is read for each of `results`",
    ] {
        assert!(found.iter().any(|line| line.contains(expected)), "{found:?}");
    }
}

#[test]
fn what_a_router_fills_is_not_required_and_says_so() {
    let mut files = Files::new();
    let connector = towpath_http::from_definition(&mut files, Path::new("c.yaml"), GOOD).unwrap();
    let stream = connector.descriptor().stream("results").unwrap();
    let person = &stream.params[0];
    assert_eq!((person.required, person.doc.as_str()), (false, "each `id` of `people` in turn when not given"));
    assert_eq!(stream.params[1].doc, "a bound of the windows it is read in");
    let columns: Vec<&str> = stream.schema.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(columns, ["who", "id"]);
}
