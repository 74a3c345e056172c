//! Documents and the definitions made of them, side by side in `tests/cases`. `TOWPATH_REWRITE_EXPECTED=1` writes what comes
//! out; then it is reviewed by eye.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use towpath_openapi::generate;
use towpath_spec::definition::decode_definition;
use towpath_spec::{Files, parse_yaml};

fn case(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(file)
}

fn check(name: &str, document: &str) -> towpath_openapi::Generated {
    let text = std::fs::read_to_string(case(document)).unwrap();
    let made = generate(name, &text, document).unwrap();
    let mut told = made.text.clone();
    told.push_str("\n# told beside it\n");
    for line in made
        .guessed
        .iter()
        .map(|one| format!("# guessed: {one}"))
        .chain(made.left_out.iter().map(|one| format!("# left out: {one}")))
    {
        told.push_str(&line);
        told.push('\n');
    }
    let expected = case(&format!("{name}.expected.yaml"));
    if std::env::var_os("TOWPATH_REWRITE_EXPECTED").is_some() {
        std::fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, std::fs::read_to_string(&expected).unwrap(), "{name}");
    let mut files = Files::new();
    let file = files.add(Path::new("made.yaml"), &*made.text);
    let tree = parse_yaml(&files, file).unwrap_or_else(|problems| panic!("{:?}", problems[0].message));
    let mut problems = Vec::new();
    let definition = decode_definition(file, &tree, &mut problems).unwrap();
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", files.position(problem.span), problem.message)).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    assert_eq!((definition.streams.len(), definition.operations.len()), (made.streams, made.operations));
    made
}

#[test]
fn openapi_3() {
    let made = check("library", "library.json");
    assert_eq!((made.streams, made.operations), (6, 4));
}

#[test]
fn swagger_2() {
    let made = check("depot", "depot.yaml");
    assert_eq!((made.streams, made.operations), (4, 3));
}

#[test]
fn what_is_no_such_document_is_said() {
    for (text, wanted) in [
        ("{", "not JSON"),
        ("{}x", "not JSON"),
        ("a: [", "neither JSON nor YAML"),
        ("{}", "no OpenAPI or Swagger document"),
        ("openapi: 4.0.0", "OpenAPI 4.0.0 is not known"),
        ("swagger: '1.2'", "Swagger 1.2 is not known"),
        ("openapi: 3.0.0\npaths: {}", "no path"),
    ] {
        let error = generate("x", text, "x").unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn a_schema_that_holds_itself_ends() {
    let text = r##"{"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json":
        {"schema": {"$ref": "#/components/schemas/A"}}}}}}}},
        "components": {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}, "B": {"$ref": "#/components/schemas/B"}}}}"##;
    assert_eq!(generate("x", text, "x").unwrap().streams, 1);
}
