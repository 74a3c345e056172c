//! Templates outside rows.

#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;
use towpath_mapping::Value;
use towpath_mapping::scalar::ScalarTemplate;

fn render(source: &str) -> Result<Value, String> {
    let config = Value::Json(json!({"base": "https://x", "n": 3, "list": [1, {"a": "b"}], "none": null}));
    ScalarTemplate::parse_str(source)?.render(&|name| match name {
        "config" => Some(config.clone()),
        "at" => Some(Value::DateTime { micros: 0, zone: Some("UTC".into()) }),
        _ => None,
    })
}

#[test]
fn one_expression_keeps_its_type_and_text_is_joined() {
    assert_eq!(render("{{ config.n }}"), Ok(Value::Int(3)));
    assert_eq!(render("{{ config.base }}/v{{ config.n + 1 }}"), Ok(Value::from("https://x/v4")));
    assert_eq!(render("plain"), Ok(Value::from("plain")));
    assert_eq!(render("{{ config.list[1].a }}"), Ok(Value::from("b")));
    assert_eq!(render("{{ config.none | default('d') }}"), Ok(Value::from("d")));
    assert_eq!(render("{{ params }}"), Ok(Value::Null));
    assert_eq!(render("{{ at | format_datetime('%Y') }}"), Ok(Value::from("1970")));
    assert_eq!(render("{{ (at | default(none)) | format_datetime('%Y') }}"), Ok(Value::from("1970")));
    assert_eq!(render("{% if config.n > 2 %}big{% else %}small{% endif %}"), Ok(Value::from("big")));
    assert!(render("{{ config.base | int }}").unwrap_err().contains("https://x"));
}

#[test]
fn roots_say_what_is_read() {
    let template =
        ScalarTemplate::parse_str("{{ config.base }}{{ secret['KEY'] }}{{ now() }}{{ x if x else config.n }}").unwrap();
    let roots: Vec<(String, Option<String>)> =
        template.roots().iter().map(|root| (root.name.clone(), root.field.clone())).collect();
    let of = |name: &str, field: Option<&str>| (name.to_owned(), field.map(str::to_owned));
    assert_eq!(
        roots,
        [of("config", Some("base")), of("secret", Some("KEY")), of("x", None), of("x", None), of("config", Some("n"))]
    );
}
