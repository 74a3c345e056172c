//! Mistakes in operations with batches, searches and steps, each at its place.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use support::problems;

const GOOD: &str = r#"version: 1
connector: my-system
config: {base_url: {type: text, required: true}}
streams:
  users:
    request: {path: /users, query: {text: "{{ params.text }}"}}
    params: {text: text}
    schema: {id: int, ref: text, made: datetime}
operations:
  make:
    kind: create
    request: {path: /users, body: record}
    fields: {ref: text}
    results: {id: int}
  change:
    kind: update
    request: {method: PUT, path: "/users/{{ record.id }}", body: record}
    fields: {id: int, ref: text}
    verify: {stream: users, with: {text: "{{ record.ref }}"}, match: {made: "2026-01-01"}, tolerance: {made: PT1H}}
  save:
    kind: upsert
    upsert:
      find: {stream: users, with: {text: "{{ record.ref }}"}, match: {ref: "{{ record.ref }}"}, many: fail}
      create: make
      update: {operation: change, with: {id: "{{ found.id }}"}}
    fields: {ref: text}
    results: {id: {from: $.found.id}, new: {from: $.created.id}, action: {from: $.action}}
  load:
    kind: upsert
    request: {path: /load, body: {json: "{{ records }}"}}
    fields: {ref: text}
    batch: {size: 100}
    items: {path: "$.results[*]", by: {field: ref, from: $.ref}}
"#;

#[test]
fn the_definition_is_good_before_it_is_spoilt() {
    let good = GOOD.replace("results: {id: int}", "results: {id: {type: int, from: $.id}}");
    assert_eq!(problems(&good), Vec::<String>::new());
}

#[test]
fn each_mistake_is_told_where_it_is_and_how_to_mend_it() {
    let cases = [
        (
            "find: {stream: users",
            "find: {stream: user",
            "23:22 invalid-value: there is no stream `user` here [did you mean `users`?]",
        ),
        (
            "{text: \"{{ record.ref }}\"}, match: {ref",
            "{txt: \"{{ record.ref }}\"}, match: {ref",
            "23:36 invalid-value: there is no parameter `txt` here [did you mean `text`?]",
        ),
        ("match: {ref:", "match: {reff:", "23:71 invalid-value: there is no column `reff` here [did you mean `ref`?]"),
        ("create: make", "create: mak", "24:15 invalid-value: there is no operation `mak` here [did you mean `make`?]"),
        (
            "create: make",
            "create: save",
            "24:15 invalid-value: `save` cannot be a step of an upsert: it would call itself",
        ),
        (
            "with: {id: \"{{ found.id }}\"}",
            "with: {idd: \"{{ found.id }}\"}",
            "25:42 invalid-value: there is no field `idd` here [did you mean `id`?]",
        ),
        ("found.id", "found.idd", "25:56 invalid-value: `found` has no `idd` [did you mean `id`?]"),
        (
            "$.found.id",
            "$.fuond.id",
            "27:26 invalid-value: there is no step's result `fuond` here [did you mean `found`?]",
        ),
        ("$.created.id", "$.created.idd", "27:51 invalid-value: `created` has no `idd` [did you mean `id`?]"),
        ("many: fail", "many: last", "23:103 invalid-value: `many`: expected `fail` or `first`, found `last`"),
        (
            "by: {field: ref,",
            "by: {field: rev,",
            "33:47 invalid-value: there is no field `rev` here [did you mean `ref`?]",
        ),
        (
            "batch: {size: 100}",
            "batch: {sise: 100}",
            "32:13 unknown-key: unknown key `sise` in `batch` [did you mean `size`?]",
        ),
        (
            "    batch: {size: 100}\n",
            "",
            "conflicting-keys: `items` is for operations that take several records [add `batch: {size: …}`]",
        ),
        ("body: {json: \"{{ records }}\"}", "body: record", "conflicting-keys: `body: record` is one record"),
        (
            "path: \"/users/{{ record.id }}\", body: record",
            "path: \"/users/{{ record.id }}\", body: {without: [id, reff]}",
            "invalid-value: there is no field `reff` here [did you mean `ref`?]",
        ),
        (
            "{{ records }}",
            "{{ record }}",
            "invalid-value: unknown name `record` in a template [did you mean `records`?]",
        ),
        ("tolerance: {made:", "tolerance: {mad:", "there is no column under `match` `mad` here [did you mean `made`?]"),
        (
            "upsert:\n      find",
            "upserts:\n      find",
            "unknown-key: unknown key `upserts` in operation `save` [did you mean `upsert`?]",
        ),
        ("      create: make\n", "", "23:7 missing-key: `upsert` needs the key `create`"),
        (
            "$.action}}\n  load",
            "$.action}}\n    batch: {size: 2}\n  load",
            "conflicting-keys: operation `save` has `upsert` and `batch`",
        ),
    ];
    let good = GOOD.replace("results: {id: int}", "results: {id: {type: int, from: $.id}}");
    let mut wrong = Vec::new();
    for (from, to, expected) in cases {
        assert!(good.contains(from), "{from}");
        let found = problems(&good.replacen(from, to, 1));
        if !found.iter().any(|line| line.contains(expected)) {
            wrong.push(format!("{to}: expected\n{expected}\nfound\n{}", found.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_upsert_says_how_it_knows_that_there_is_one() {
    let text = GOOD.replace(
        "      find: {stream: users, with: {text: \"{{ record.ref }}\"}, match: {ref: \"{{ record.ref }}\"}, many: fail}\n",
        "",
    );
    let all = problems(&text).join("\n");
    assert!(all.contains("`upsert` needs `find` or `exists`"), "{all}");
}

#[test]
fn an_echo_is_for_csv_and_its_column_needs_a_header() {
    let with = |response: &str| {
        problems(&GOOD.replace("    items: {path: \"$.results[*]\", by: {field: ref, from: $.ref}}\n", response))
            .join("\n")
    };
    let all = with("    response: {format: text, echo: {}}\n");
    assert!(all.contains("`echo` is for answers in CSV"), "{all}");
    let all = with("    response: {format: csv, echo: {header: false, error_column: Error}}\n");
    assert!(all.contains("`error_column` is `Error`, and without a header"), "{all}");
    let all = with("    response: {format: yaml}\n");
    assert!(all.contains("`format`: expected `json`, `xml`, `text`, `csv` or `none`, found `yaml`"), "{all}");
}
