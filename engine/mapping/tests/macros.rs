//! Macros and statements: what they give, as columns and row by row, and how far they may grow.

#![allow(clippy::unwrap_used, missing_docs)]

use polars::prelude::{DataFrame, DataType, IntoColumn, NamedFrom, Series};
use towpath_mapping::{
    Checked, Compiled, Computed, Constants, FrameRows, Macros, Mode, Row, Scope, Value, compile_template, evaluate,
};
use towpath_spec::{Diagnostic, Field, Files, Schema, Span, Text, Type};

const MACROS: &str = "{# Shared by all. #}
{% macro clean(text, how='lower') %}{{ text | trim | lower if how == 'lower' else text | trim }}{% endmacro %}
{% macro twice(n) %}{{ n * 2 }}{% endmacro %}
{% macro four(n) %}{{ twice(twice(n)) }}{% endmacro %}
{% macro label(text, sep=': ', n=params.one) %}{{ text ~ sep }}{{ n }}{% endmacro %}
{% macro with_set(x) -%} {% set y = x ~ '!' %}{{ y }} {%- endmacro %}
{% macro spaced(x) %} {{ x }} {% endmacro %}
{% macro nothing() %}{% endmacro %}
{% macro numbered(list) %}{% for x in list %}{{ loop.index }}{{ x }}{% endfor %}{% endmacro %}
";

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("name", Type::Text),
        Field::new("n", Type::Int).required(),
        Field::new("tags", Type::List(Box::new(Type::Text))),
        Field::new("doc", Type::Json),
    ])
}

fn frame() -> DataFrame {
    let tags = [Some(Series::new("".into(), ["x", "y"])), None, Some(Series::new_empty("".into(), &DataType::String))];
    DataFrame::new(
        3,
        vec![
            Series::new("name".into(), [Some(" Ada "), None, Some("")]).into_column(),
            Series::new("n".into(), [1i64, 2, i64::MAX]).into_column(),
            Series::new("tags".into(), tags).into_column(),
            Series::new("doc".into(), [Some(r#"{"a":1,"b":[2]}"#), None, Some(r#"[["k",1],["l",null]]"#)])
                .into_column(),
        ],
    )
    .unwrap()
}

fn compile_with(macros: &str, source: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let mut files = Files::new();
    let file = files.add("macros/all.jinja", macros);
    let texts = [Text::new(macros, Span::new(file, 0, macros.len()))];
    let params = [Field::new("one", Type::Int).required()];
    let (macros, problems) = Macros::read(&texts, &files, &params);
    if !problems.is_empty() {
        return Err(problems);
    }
    let schema = schema();
    let scope = Scope { files: &files, columns: Some(&schema), params: &params, extra: &[], macros: Some(&macros) };
    compile_template(&Text { value: source.into(), ..Text::default() }, &scope)
}

fn compile(source: &str) -> Result<Compiled, Vec<Diagnostic>> {
    compile_with(MACROS, source)
}

/// The type (`?`: can be null), and what comes out of the three rows as JSON or `rejected: why`; the same both ways.
#[track_caller]
fn gives(source: &str, ty: &str, values: [&str; 3]) -> Compiled {
    let compiled = compile(source).unwrap_or_else(|problems| panic!("{source}: {problems:#?}"));
    let (found, nullable) = compiled.field();
    assert_eq!(format!("{found}{}", if nullable { "?" } else { "" }), ty, "{source}");
    let mut constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    constants.params.insert("one".into(), Value::Int(1));
    let (frame, schema) = (frame(), schema());
    let evaluated = evaluate(&frame, &[Computed::new("v", &compiled, &constants)]).unwrap();
    let failures: Vec<usize> = evaluated.failures().map(|(row, _)| row).collect();
    let out = DataFrame::new(frame.height(), evaluated.values).unwrap();
    let result = Schema::new(vec![compiled.named("v")]);
    let (columns, rows) = (FrameRows::new(&out, &result).unwrap(), FrameRows::new(&frame, &schema).unwrap());
    for (at, expected) in values.into_iter().enumerate() {
        let interpreted = match compiled.interpret(&rows.row(at), &constants) {
            Ok(value) => value.to_json().to_string(),
            Err(reason) => format!("rejected: {reason}"),
        };
        assert_eq!(interpreted, expected, "{source}, row {at}");
        assert_eq!(failures.contains(&at), expected.starts_with("rejected"), "{source}, row {at}");
        if !failures.contains(&at) {
            assert_eq!(columns.row(at).get("v").to_json().to_string(), expected, "{source}, row {at}, as columns");
        }
    }
    compiled
}

fn is_compiled(compiled: &Compiled) -> bool {
    *compiled.mode() == Mode::Compiled
}

#[test]
fn a_macro_of_one_expression_keeps_type_and_null() {
    let columns = [
        gives("{{ clean(name) }}", "text?", [r#""ada""#, "null", r#""""#]),
        gives("{{ clean(name, 'upper') }}", "text?", [r#""Ada""#, "null", r#""""#]),
        gives("{{ clean(how='upper', text=name) }}", "text?", [r#""Ada""#, "null", r#""""#]),
        gives("{{ twice(n) }}", "int", ["2", "4", "rejected: 9223372036854775807 * 2 is beyond 64 bits"]),
        gives("{{ four(n) | default(0) }}", "int", ["4", "8", "0"]),
        gives("{{ twice(1.5) }}", "float", ["3.0", "3.0", "3.0"]),
        gives("{{ twice(n) if n < 2 else 0 }}", "int", ["2", "0", "0"]),
        gives("{{ label(name) }}", "text", [r#"" Ada : 1""#, r#"": 1""#, r#"": 1""#]),
        gives("{{ label(name, n=n - 1, sep='') }}", "text", [r#"" Ada 0""#, r#""1""#, r#""9223372036854775806""#]),
        gives("{{ with_set(n) }}", "text", [r#""1!""#, r#""2!""#, r#""9223372036854775807!""#]),
        gives("{{ spaced(n) }}", "text", [r#"" 1 ""#, r#"" 2 ""#, r#"" 9223372036854775807 ""#]),
        gives("<{{ nothing() }}>", "text", [r#""<>""#; 3]),
        gives("{{ numbered(['a', 'b']) }}", "text", [r#""1a2b""#; 3]),
        gives("{% macro m(x) %}{{ clean(x) }}{% endmacro %}{{ m(name) }}", "text?", [r#""ada""#, "null", r#""""#]),
    ];
    for (at, compiled) in columns.iter().enumerate() {
        assert!(is_compiled(compiled), "{at}: {:?}", compiled.mode());
    }
    assert!(!is_compiled(&gives("{{ numbered(tags) }}", "text", [r#""1x2y""#, r#""""#, r#""""#])));
}

#[test]
fn names_set_in_a_branch_are_known_behind_it_as_in_jinja() {
    let set = "{% set a = 1 %}{% if n == 1 %}{% set a = 2 %}{% endif %}{{ a }}";
    assert!(is_compiled(&gives(set, "text", [r#""2""#, r#""1""#, r#""1""#])));
    let both = "{% if n == 1 %}{% set a = name %}{% else %}{% set a = 'b' %}{% endif %}<{{ a | trim }}>";
    gives(both, "text", [r#""<Ada>""#, r#""<b>""#, r#""<b>""#]);
    gives("{% if n == 1 %}{% set a = n %}{% endif %}<{{ a }}>", "text", [r#""<1>""#, r#""<>""#, r#""<>""#]);
    // A loop is a scope: what is set in it is forgotten.
    let looped = "{% set a = 1 %}{% for x in [2, 3] %}{% set a = x %}{% endfor %}{{ a }}";
    gives(looped, "text", [r#""1""#; 3]);
}

#[test]
fn loops_over_lists_that_are_written_out_compile() {
    let unrolled =
        "{% for x in [n, 5] %}{{ loop.index }}/{{ loop.length }}={{ x }}{{ '' if loop.last else ',' }}{% endfor %}";
    let values = [r#""1/2=1,2/2=5""#, r#""1/2=2,2/2=5""#, r#""1/2=9223372036854775807,2/2=5""#];
    assert!(is_compiled(&gives(unrolled, "text", values)));
    assert!(is_compiled(&gives("{% for x in [] %}a{% else %}none{% endfor %}", "text", [r#""none""#; 3])));
    let nested = "{% for x in [1, 2] %}{% for y in ['a', 'b'] %}{{ x }}{{ y }}{% endfor %}{% endfor %}";
    assert!(is_compiled(&gives(nested, "text", [r#""1a1b2a2b""#; 3])));
    let long = format!("{{% for x in [{}] %}}{{{{ x }}}}{{% endfor %}}", vec!["1"; 51].join(","));
    let ones = format!("\"{}\"", "1".repeat(51));
    let compiled = gives(&long, "text", [&ones; 3]);
    let Mode::Interpreted { why } = compiled.mode() else { panic!("51 items are a loop") };
    assert_eq!(why, "a loop runs row by row");
    let filtered = "{% for x in [1, 2, 3] if x != 2 %}{{ loop.index }}{{ x }}{% else %}none{% endfor %}";
    assert!(!is_compiled(&gives(filtered, "text", [r#""1123""#; 3])));
    gives("{% for x in tags %}{{ x }}{% else %}none{% endfor %}", "text", [r#""xy""#, r#""none""#, r#""none""#]);
}

#[test]
fn loops_take_pairs_apart() {
    gives("{% for k, v in doc %}{{ k }}={{ v }};{% endfor %}", "text", [r#""a=1;b=[2];""#, r#""""#, r#""k=1;l=;""#]);
    gives(
        "{% for k, v in {'x': n, 'y': 2} %}{{ k }}{{ v }}{% endfor %}",
        "text",
        [r#""x1y2""#, r#""x2y2""#, r#""x9223372036854775807y2""#],
    );
    gives(
        "{% for a, b in [[1, 2], [3, n]] %}{{ a + b }} {% endfor %}",
        "text",
        [r#""3 4 ""#, r#""3 5 ""#, "rejected: 3 + 9223372036854775807 is beyond 64 bits"],
    );
    let triple = "{% for a, b, c in [[1, 2], [3, n]] %}{{ a }}{% endfor %}";
    gives(triple, "text", ["rejected: cannot take 3 parts of list<int>"; 3]);
}

#[track_caller]
fn refused(macros: &str, source: &str, code: &str, says: &str) {
    let problems = compile_with(macros, source).expect_err("it is wrong");
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(problems[0].code, code, "{problems:#?}");
    assert!(problems[0].message.contains(says), "{problems:#?}");
}

#[test]
fn macros_cannot_explode() {
    let mut doubling = "{% macro m0(x) %}{{ x }}{% endmacro %}\n".to_owned();
    for n in 1..60 {
        let before = n - 1;
        doubling.push_str(&format!("{{% macro m{n}(x) %}}{{{{ m{before}(x) ~ m{before}(x) }}}}{{% endmacro %}}\n"));
    }
    refused(&doubling, "{{ m59(name) }}", "bad-macro", "more than 50000 parts");
    let deep = "{% macro m(x) %}{{ x | trim | trim | trim | trim | trim }}{% endmacro %}";
    let nested = format!("{{{{ {}name{} }}}}", "m(".repeat(100), ")".repeat(100));
    refused(deep, &nested, "bad-macro", "more than 120 deep");
    let many = format!("{{% set a = [{}] %}}{}", vec!["n"; 1000].join(","), "{{ a }}".repeat(1000));
    refused("", &many, "bad-macro", "more than 50000 parts");
    let chain = format!("{{% set a = name %}}{}{{{{ a }}}}", "{% set a = a | trim %}".repeat(1000));
    refused("", &chain, "bad-macro", "more than 120 deep");
}

#[test]
fn macros_in_macros_do_not_overflow_the_stack() {
    let mut chain = "{% macro m0(x) %}{{ x }}{% endmacro %}\n".to_owned();
    for n in 1..3000 {
        chain.push_str(&format!("{{% macro m{n}(x) %}}{{{{ (m{}((x))) }}}}{{% endmacro %}}\n", n - 1));
    }
    let run = move || refused(&chain, "{{ m2999(name) }}", "bad-macro", "too deep");
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_file_of_macros_of_a_megabyte_is_read_in_reasonable_time() {
    let mut many = String::new();
    for n in 0..15_000 {
        many.push_str(&format!("{{% macro m{n}(x) %}}{{{{ x | trim }}}} some text and more{{% endmacro %}}\n"));
    }
    assert!(many.len() > 1_000_000);
    let compiled = compile_with(&many, "{{ m14999(name) }}").unwrap();
    assert_eq!(compiled.field().0, &Type::Text);
}

#[test]
fn what_is_without_effect_is_told() {
    let told = |source: &str| compile(source).unwrap().warnings().len();
    assert_eq!(told("{{ n | default(0) }}"), 1);
    assert_eq!(told("{{ (n | string) | default('x') }}"), 1);
    assert_eq!(told("{{ name | default('') }}"), 0);
    assert_eq!(told("{{ (n + 1) | default(0) }}"), 0);
    assert_eq!(told("{{ (name ~ '') | default('x', true) }}"), 0);
    let shared = "{% macro m(x) %}{{ x | default(0) }}{% endmacro %}";
    assert_eq!(compile_with(shared, "{{ m(n) }}").unwrap().warnings().len(), 0);
}
