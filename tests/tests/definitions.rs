//! Definitions that users write: made from a document, tested by themselves, used in a project.

use towpath_tests::{Scratch, repository};

fn case(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).expect("a case")
}

/// A project with nothing in it but definitions.
fn project() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("towpath.yaml", "{version: 1, project: shop}");
    scratch
}

#[test]
fn a_definition_made_of_a_document_is_a_connector_at_once() {
    let scratch = project();
    scratch.write("library.json", case("connectors/openapi/tests/cases/library.json"));
    let made = scratch.run("connectors new library --from library.json").ended(0);
    made.says("6 streams, 4 operations").says("guessed, to be checked").says("list_books: how its pages");
    scratch.run("validate").ended(0).says("all well");
    let shown = scratch.run("connectors show library list_books").ended(0);
    assert!(shown.stdout.contains("GET /books") && shown.stdout.contains("on-shelf"), "{}", shown.stdout);
    let again = scratch.run("connectors new library --from library.json").ended(2);
    again.says("is there already, and is not written over");
    scratch.run("connectors new Library --from library.json").ended(2).says("small letters");
    scratch.run("connectors new other --from towpath.yaml").ended(1).says("neither `openapi` nor `swagger`");
    scratch.run("connectors new other --from nowhere.json").ended(1).says("nowhere.json");
}

#[test]
fn a_definition_passes_its_own_tests() {
    let scratch = project();
    scratch.write("connectors/rentals.yaml", case("tests/cases/definitions/rentals.yaml"));
    let ran = scratch.run("connectors test").ended(0);
    assert!(ran.stdout.ends_with("5 passed, 0 failed\n"), "{}", ran.stdout);
    let ran = scratch.run("connectors test connectors/rentals.yaml").ended(0);
    assert_eq!(ran.stdout.matches("passed rentals: ").count(), 5, "{}", ran.stdout);
    // A definition of the project stands before one that comes with Towpath.
    scratch.write(
        "connectors/onefile.yaml",
        case("tests/cases/definitions/rentals.yaml").replace("connector: rentals", "connector: onefile"),
    );
    let ran = scratch.run("connectors test onefile").ended(0);
    assert_eq!(ran.stdout.matches("passed onefile: ").count(), 5, "{}", ran.stdout);
}

#[test]
fn a_definition_that_does_otherwise_is_told_how() {
    let scratch = project();
    let text = case("tests/cases/definitions/rentals.yaml");
    for (right, wrong, told) in [
        ("page: \"{{ page.number }}\"", "p: \"{{ page.number }}\"", "`page` of the query is not there, not `1`"),
        ("last_page: $.pages", "last_page: $.last", "GET /bikes?page=3 was not expected"),
        ("from: $.hire,", "from: $.number,", "`hire` is null, expected 77"),
        ("path: $.ok, equals: true", "path: $.good, equals: true", "there is no `$.good` in the answer"),
        ("X-Key: \"{{", "X-Keys: \"{{", "header `x-key` is None, not `k-1`"),
        ("colour: {type: text", "colour: {type: int", "a record is rejected: colour"),
        ("    rows: []", "    rows: [{id: 9}]", "0 rows came, expected 1"),
        ("error: \"not let in\"", "error: \"asleep\"", "expected `asleep` in that"),
    ] {
        assert!(text.contains(right), "{right}");
        scratch.write("connectors/rentals.yaml", text.replacen(right, wrong, 1));
        let ran = scratch.run("connectors test").ended(1);
        assert!(ran.stdout.contains(told), "{wrong}:\n{}", ran.stdout);
        assert!(ran.stdout.contains("connectors/rentals.yaml:"), "the place is told: {}", ran.stdout);
    }
}

#[test]
fn a_test_that_cannot_be_is_a_finding_of_validate() {
    let scratch = project();
    let text = case("tests/cases/definitions/rentals.yaml");
    for (right, wrong, told) in [
        ("read: bikes", "read: bike", "there is no stream `bike` here"),
        ("send: hire", "send: hires", "there is no operation `hires` here"),
        ("config: {key: k-1}", "config: {kee: k-1}", "there is no setting `kee` here"),
        ("    rows: []", "    rows: []\n    refused: no", "found 2"),
        ("    exchanges:", "    exchange:", "unknown key `exchange`"),
    ] {
        scratch.write("connectors/rentals.yaml", text.replacen(right, wrong, 1));
        scratch.run("validate").ended(78).says(told);
    }
}

#[test]
fn the_guide_shows_a_definition_that_works() {
    let guide = case("docs/guide/connectors.md");
    let text = case("tests/cases/definitions/rentals.yaml");
    let (definition, tests) = text.split_once("\ntests:\n").expect("tests");
    let (_, definition) = definition.split_once('\n').expect("a comment");
    assert!(guide.contains(definition.trim_end()), "the definition of the guide is the one that is tested");
    assert!(definition.trim_end().lines().count() <= 30, "thirty lines are promised");
    let first: Vec<&str> = tests.lines().take(9).collect();
    assert!(guide.contains(&first.join("\n")), "the test of the guide is the first one");
}

/// What is wrong with a definition is wrong for all pipelines that use it: it is told once, and no connector is unknown for it.
#[test]
fn a_wrong_definition_is_told_once() {
    let scratch = Scratch::new();
    scratch.write("towpath.yaml", "version: 1\nproject: p\n");
    let stream = "{a: {request: {path: /}, schema: {x: txt}}}";
    scratch.write("connectors/my.yaml", format!("version: 1\nconnector: mine # ours\nstreams: {stream}\n"));
    for name in ["one", "two"] {
        let nodes = "sources: {a: {connector: mine, stream: a}}\nsinks: {o: {input: a, connector: json, path: o.json}}";
        scratch.write(&format!("pipelines/{name}.yaml"), format!("version: 1\npipeline: {name}\n{nodes}\n"));
    }
    let ran = scratch.run("validate").ended(78).says("4 files checked: 2 errors");
    assert_eq!(ran.stderr.matches("connectors/my.yaml:3:47").count(), 1, "{}", ran.stderr);
    scratch.run("validate pipelines/one.yaml").ended(78).says("1 file checked: 2 errors");
    scratch.run("run pipelines/one.yaml").ended(78).says("unknown type `txt`");
    scratch.run("connectors new csv --from none.json").ended(2).says("comes with Towpath");
}
