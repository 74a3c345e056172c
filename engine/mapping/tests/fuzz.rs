//! Templates nobody would write: refused with a reason or computed, and never a panic.
#![allow(missing_docs, clippy::unwrap_used)]

use polars::prelude::{DataFrame, df};
use proptest::prelude::*;
use towpath_fuzz::{fuzz, soup};
use towpath_mapping::scalar::ScalarTemplate;
use towpath_mapping::{
    Computed, Constants, FrameRows, Scope, Value, compile_condition, compile_expression, compile_template, evaluate,
};
use towpath_spec::{Field, Files, Schema, Text, Type};

const PIECES: &[&str] = &[
    "{{ ",
    " }}",
    "{% if ",
    "{% else %}",
    "{% endif %}",
    "{% for x in ",
    "{% endfor %}",
    "{% set x = ",
    "{% macro m(a) %}",
    "{# ",
    " #}",
    " %}",
    "name",
    "age",
    "row",
    "row[\"name\"]",
    "params",
    "run.id",
    " | ",
    "trim",
    "upper",
    "int",
    "float",
    "to_date",
    "to_datetime",
    "('%Y-%m-%d')",
    "default(",
    "replace('a', 'b')",
    "regex_replace('(', '')",
    "regex_extract('(a)')",
    "split(',')",
    "join('-')",
    "length",
    "round(",
    "decimal(5, 2)",
    "substring(",
    "left(-1)",
    "pad_left(9)",
    "range(99999999)",
    "duration('P1D')",
    "now()",
    "tojson",
    "parse_json",
    "get('a.b')",
    "first",
    "last",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'",
    "\"",
    " + ",
    " - ",
    " * ",
    " / ",
    " // ",
    " % ",
    " ** ",
    "~",
    " == ",
    " < ",
    " and ",
    " or ",
    "not ",
    " in ",
    " is none",
    " is matching('a+')",
    " if ",
    " else ",
    "none",
    "true",
    "1",
    "-1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "0.1",
    "'x'",
    "'é🦀'",
    "loop.index",
    ".",
    ":",
    "=",
    "\n",
    "-%}",
    "{%- raw %}",
];

fn frame() -> (DataFrame, Schema) {
    let frame = df!("name" => [Some("Zoë 🦀"), None, Some(""), Some("-12")], "age" => [Some(7_i64), None, Some(i64::MAX), Some(i64::MIN)]);
    (frame.unwrap(), Schema::new(vec![Field::new("name", Type::Text), Field::new("age", Type::Int)]))
}

fn check(source: &str) -> Result<(), TestCaseError> {
    let (files, (frame, schema)) = (Files::new(), frame());
    let text = Text { value: source.to_owned(), ..Text::default() };
    if let Ok(template) = ScalarTemplate::parse_str(source) {
        let none = |_: &str| Some(Value::from("x".to_owned()));
        let _ = template.render(&none);
    }
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    let rows = FrameRows::new(&frame, &schema).map_err(TestCaseError::fail)?;
    for compile in [compile_template, compile_expression, compile_condition] {
        let Ok(compiled) = compile(&text, &scope) else { continue };
        for row in rows.iter() {
            let _ = compiled.interpret(&row, &constants);
        }
        let computed = [Computed::new("value", &compiled, &constants)];
        evaluate(&frame, &computed).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
    Ok(())
}

#[test]
fn fuzz_templates() {
    fuzz("templates", 1_500, soup(PIECES, 14), |source| check(&source));
}

#[test]
fn fuzz_expressions() {
    let inside = soup(PIECES, 12).prop_map(|inner| format!("{{{{ {inner} }}}}"));
    fuzz("expressions", 1_500, inside, |source| {
        check(&source)?;
        check(source.trim_matches(['{', '}', ' ']))
    });
}
