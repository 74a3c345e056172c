//! A definition's mistakes, each at its place, all at once.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use support::problems;

const GOOD: &str = r#"version: 1
connector: my-system
config: {base_url: {type: text, required: true}, token: {secret: true}}
auth: {key: {type: bearer, token: "{{ config.token }}"}}
defaults: {auth: key}
streams:
  users:
    request: {path: "/users/{{ params.group }}", query: {page: "{{ page.number }}"}}
    params: {group: text}
    record_selector: {records: "$.data[*]"}
    paginator: {type: page}
    schema: {id: int, name: {from: $.profile.name}}
"#;

#[test]
fn a_connector_in_a_dozen_lines_is_good() {
    assert_eq!(problems(GOOD), Vec::<String>::new());
}

fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    problems(&GOOD.replace(from, to))
}

#[test]
fn each_mistake_is_told_where_it_is_and_how_to_mend_it() {
    let cases = [
        (
            "paginator:",
            "paginater:",
            "c.yaml:11:5 unknown-key: unknown key `paginater` in stream `users` [did you mean `paginator`?]",
        ),
        ("config.token", "config.tokn", "c.yaml:4:46 invalid-value: `config` has no `tokn` [did you mean `token`?]"),
        ("params.group", "params.grup", "c.yaml:8:39 invalid-value: `params` has no `grup` [did you mean `group`?]"),
        (
            "page.number",
            "pages.number",
            "c.yaml:8:68 invalid-value: unknown name `pages` in a template [did you mean `page`?]",
        ),
        (
            "type: page",
            "type: pages",
            "c.yaml:11:23 invalid-value: `type`: expected `page`, `offset`, `key`, `next`, `link` or `max`, found `pages` [did you mean `page`?]",
        ),
        (
            "auth: key",
            "auth: kay",
            "c.yaml:5:18 invalid-value: there is no auth profile `kay` here [did you mean `key`?]",
        ),
        ("id: int", "id: integr", "c.yaml:12:18 invalid-type: `id`: unknown type `integr`, did you mean `int`?"),
        (
            "base_url: {type: text, required: true}, ",
            "",
            "c.yaml:2:12 missing-key: a connector needs the setting `base_url`, where its calls start",
        ),
    ];
    for (from, to, expected) in cases {
        let found = changed(from, to);
        assert!(
            found.iter().any(|line| line.starts_with(expected)),
            "{to}: expected\n{expected}\nfound\n{}",
            found.join("\n")
        );
        assert_eq!(found.len(), 1, "{to}: {}", found.join("\n"));
    }
}

#[test]
fn paths_templates_and_shape_are_all_told_at_once() {
    let found = problems(
        &GOOD
            .replace("$.data[*]", "data[")
            .replace("$.profile.name", "$.profile..")
            .replace("{{ params.group }}", "{{ params.group")
            .replace("params: {group: text}", "params: {group: {typ: text}}"),
    );
    let all = found.join("\n");
    for expected in
        ["`data[` is not a JSONPath", "`$.profile..` is not a JSONPath", "without its `}}`", "unknown key `typ`"]
    {
        assert!(all.contains(expected), "{expected} in\n{all}");
    }
}

#[test]
fn an_xml_stream_says_which_selector_is_wrong() {
    let text = GOOD
        .replace("record_selector: {records: \"$.data[*]\"}", "record_selector: {format: xml, records: //user}")
        .replace("$.profile.name", "profile//name")
        .replace("    paginator: {type: page}\n", "");
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("c.yaml:11:") && found[0].contains("profile//name"), "{found:?}");
}
