//! Mistakes in calls of a definition: logins, bodies, formats, rules of values.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use support::problems;

const HEAD: &str = "version: 1\nconnector: c\nconfig: {base_url: text, key: {secret: true}}\n";

#[test]
fn mistakes_in_logins() {
    let with = |auth: &str| problems(&format!("{HEAD}auth:\n{auth}"));
    let cases = [
        (
            "  a: {type: choice, of: [b]}\n",
            "c.yaml:5:26 invalid-value: there is no auth profile `b` here [did you mean `a`?]",
        ),
        (
            "  a: {type: none}\n  b: {type: choice, of: [a]}\n  c: {type: choice, of: [b]}\n",
            "c.yaml:7:26 invalid-value: `b` is a choice itself, expected a profile that is none",
        ),
        (
            "  a: {type: query, params: {k: \"{{ config.kay }}\"}}\n",
            "c.yaml:5:43 invalid-value: `config` has no `kay` [did you mean `key`?]",
        ),
        (
            "  a:\n    type: session\n    request: {path: /t}\n    token: $.t\n    refresh: {request: {path: \"/r/{{ token.refesh }}\"}, token: $.r}\n",
            "c.yaml:9:44 invalid-value: `token` has no `refesh` [did you mean `refresh`?]",
        ),
        ("  a: {type: query}\n", "c.yaml:5:6 missing-key: an auth profile needs the key `params` [add `params: …`]"),
    ];
    for (auth, expected) in cases {
        assert_eq!(with(auth), [expected], "{auth}");
    }
}

#[test]
fn mistakes_in_bodies_and_fields() {
    let with = |request: &str, fields: &str| {
        problems(&format!(
            "{HEAD}operations:\n  o:\n    kind: create\n    request: {{path: /x, body: {request}}}\n    fields: {fields}\n"
        ))
    };
    let cases = [
        ("{csv: {columns: [id, nam]}}", "{id: text, name: text}", "there is none `nam` [did you mean `name`?]"),
        ("{csv: {columns: {H: \"{{ record.nam }}\"}}}", "{name: text}", "`record` has no `nam` [did you mean `name`?]"),
        ("{csv: {columns: [id], quote: maybe}}", "{id: text}", "`quote`: expected `always` or `needed`, found `maybe`"),
        ("{xml: {a: 1, b: 2}}", "{}", "an XML body has one root element"),
        ("{xml: {a: {\"b c\": 1}}}", "{}", "`b c` cannot be the name of an element or attribute"),
        ("{text: a, json: b}", "{}", "a body is written in one way"),
        ("{json: a, content_type: b}", "{}", "it goes with `text` and `xml`"),
        ("{multipart: {f: {file: {}}}}", "{}", "say where the file comes from"),
        (
            "record",
            "{a: {type: text, format: \"%Y\"}}",
            "`format` and `zone` are for dates and times, and the type is `text`",
        ),
        ("record", "{a: {type: date, format: \"%Q\"}}", "`%Q` is not a format in strftime's letters"),
        ("record", "{a: {type: date, format: DD.MM.YYYY}}", "`DD.MM.YYYY` is not a format in strftime's letters"),
        ("record", "{a: {type: datetime, zone: Londinium}}", "`Londinium` is not a time zone"),
        ("record", "{a: {type: text, join: \",\"}}", "`join` makes one text of a list, and the type is `text`"),
    ];
    for (body, fields, expected) in cases {
        let found = with(body, fields);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{expected}: {found:?}");
    }
}

#[test]
fn mistakes_in_formats_and_columns() {
    let with = |rest: &str| problems(&format!("{HEAD}streams:\n  s:\n    request: {{path: /x}}\n{rest}"));
    let cases = [
        ("    record_selector: {format: text}\n    schema: {a: text}\n", "`value`"),
        (
            "    record_selector: {format: csv, records: $.a}\n    schema: {a: text}\n",
            "records of CSV, text and files stand at no path",
        ),
        ("    record_selector: {format: csv, delimiter: ab}\n    schema: {a: text}\n", "one character"),
        ("    record_selector: {delimiter: \";\"}\n    schema: {a: text}\n", "`format: csv`, as it says `delimiter`"),
        ("    schema: {a: {type: text, split: \",\"}}\n", "`split` makes a list, and the column is `text`"),
        ("    schema: {a: {type: text, yes: Y}}\n", "`yes` and `no` are for type `bool`, and the column is `text`"),
        ("    paginator: {type: max}\n    schema: {a: text}\n", "`page_size`"),
    ];
    for (rest, expected) in cases {
        let found = with(rest);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(expected), "{expected}: {found:?}");
    }
}
