//! What is wrong with a template is said at its place inside the file.

#![allow(clippy::unwrap_used, missing_docs)]

use towpath_mapping::{
    Scope, compile_aggregate, compile_cast, compile_condition, compile_expression, compile_template,
};
use towpath_spec::{Diagnostic, Field, Files, Schema, Span, Text, Type};

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("name", Type::Text),
        Field::new("age", Type::Int).required(),
        Field::new("born", Type::Date),
        Field::new("end_date", Type::utc()),
        Field::new("tags", Type::List(Box::new(Type::Text))),
        Field::new("odd name", Type::Text),
    ])
}

/// The file `field: "TEMPLATE"`-like: the template starts at line 2, column 8.
fn problems(source: &str, bare: bool) -> Vec<(String, String, Diagnostic)> {
    let mut files = Files::new();
    let file = files.add("pipeline.yaml", format!("map:\n  field: {source}\n"));
    let start = "map:\n  field: ".len();
    let text = Text::new(source, Span::new(file, start, start + source.len()));
    let (schema, params) = (schema(), [Field::new("day", Type::Date)]);
    let scope = Scope { files: &files, columns: Some(&schema), params: &params, extra: &[], macros: None };
    let result = if bare { compile_expression(&text, &scope) } else { compile_template(&text, &scope) };
    let found = result.err().unwrap_or_default();
    found
        .into_iter()
        .map(|problem| {
            let whole = &files.get(file).unwrap().text;
            let at = whole[problem.span.start..problem.span.end].to_owned();
            (problem.code.to_owned(), at, problem)
        })
        .collect()
}

#[track_caller]
fn one(source: &str, code: &str, at: &str, help: &str) {
    let found = problems(source, false);
    assert_eq!(found.len(), 1, "{source}: {found:#?}");
    let (found_code, found_at, problem) = &found[0];
    assert_eq!((found_code.as_str(), found_at.as_str()), (code, at), "{source}: {problem:#?}");
    assert!(problem.help.as_deref().unwrap_or("").contains(help), "{source}: {problem:#?}");
}

#[test]
fn unknown_names_have_the_nearest_valid_one() {
    one("{{ nmae | trim }}", "unknown-column", "nmae", "did you mean `name`?");
    one("a {{ row['od name'] }}", "unknown-column", "'od name'", "did you mean `odd name`?");
    one("{{ params.dya }}", "unknown-name", "dya", "did you mean `day`?");
    one("{{ run.idd }}", "unknown-name", "idd", "did you mean `id`?");
    one("{{ name | trimm }}", "unknown-function", "trimm", "did you mean `trim`?");
    one("{{ name is nome }}", "unknown-function", "nome", "did you mean `none`?");
    one("{{ trim(name) }}", "unknown-function", "trim", "is a filter");
    one("{{ name.strip() }}", "unknown-function", "name.strip", "… | trim");
    one("{{ name.upper }}", "type-mismatch", "upper", "pipe");
}

#[test]
fn all_problems_come_at_once() {
    let found = problems("{{ nmae }} {{ name | trimm }} {{ age + name }}", false);
    let places: Vec<&str> = found.iter().map(|(_, at, _)| at.as_str()).collect();
    assert_eq!(places, ["nmae", "trimm", "+"]);
}

#[test]
fn types_are_checked_before_anything_runs() {
    one("{{ age == '1' }}", "type-mismatch", "==", "| int");
    one("{{ born < '2024-01-01' }}", "type-mismatch", "<", "| to_date");
    one("{{ age | lower }}", "type-mismatch", "lower", "| string");
    one("{{ name * 2 }}", "type-mismatch", "*", "| int");
    one("{{ 1 if age else 'x' }}", "type-mismatch", "'x'", "convert");
    one("{{ [1, 'a'] }}", "type-mismatch", "'a'", "");
    one("{{ name | default(0) }}", "type-mismatch", "0", "same type");
    one("{{ age in ['1'] }}", "type-mismatch", "in", "| string");
    one("{{ born + 1 }}", "type-mismatch", "+", "duration");
    one("{{ age / 0 }}", "type-mismatch", "0", "");
    one("{% for c in name %}{{ c }}{% endfor %}", "type-mismatch", "name", "");
}

#[test]
fn arguments_are_checked() {
    one("{{ name | replace('a') }}", "wrong-arguments", "replace", "replace(old, new");
    one("{{ name | trim('a', 'b') }}", "wrong-arguments", "'b'", "trim(chars?)");
    one("{{ name | trim(charz='a') }}", "wrong-arguments", "'a'", "trim(chars?)");
    one("{{ name | regex_replace('a(b', '') }}", "bad-regex", "(", "");
    one("{{ name | to_datetime(tz='Europe/Londn') }}", "unknown-zone", "'Europe/Londn'", "Europe/London");
    one("{{ name | to_date('dd.mm.yyyy') }}", "wrong-arguments", "'dd.mm.yyyy'", "%d/%m/%Y");
    one("{{ name | hash('sha1') }}", "wrong-arguments", "'sha1'", "sha256");
    one("{{ end_date | date_part('hours') }}", "wrong-arguments", "'hours'", "did you mean `hour`?");
    one("{{ duration('P1M') }}", "wrong-arguments", "'P1M'", "");
    one("{{ name | map_values(tags) }}", "wrong-arguments", "tags", "");
}

#[test]
fn syntax_errors_have_a_place() {
    let found = problems("{{ name | }}", false);
    assert_eq!(found[0].0, "template-syntax");
    assert!(problems("{{ name }", false)[0].1.len() < 12);
    assert_eq!(problems("{{ name }}", true)[0].2.help.as_deref(), Some("write the expression without the braces"));
}

/// Runs on a thread with the small stack of a worker.
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn deep_and_long_templates_do_no_harm() {
    on_small_stack(|| {
        for deep in [
            format!("{{{{ {}name }}}}", "not ".repeat(100_000)),
            format!("{{{{ {}1 }}}}", "-".repeat(100_000)),
            format!("{{{{ {}name{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
            format!("{{{{ name{} }}}}", " ~ name".repeat(100_000)),
            format!("{{{{ name{} }}}}", " | trim".repeat(100_000)),
            format!("{{{{ name{} }}}}", " if age else name".repeat(50_000)),
            "{% if age %}".repeat(50_000),
        ] {
            let found = problems(&deep, false);
            assert_eq!(found[0].0, "template-syntax", "{}", &deep[..40]);
        }
    });
}

#[test]
fn a_chain_at_the_limit_compiles_and_runs() {
    on_small_stack(|| {
        use polars::prelude::{DataFrame, IntoColumn, IntoLazy, NamedFrom, Series};
        let source = format!("{{{{ name{} }}}}", " | trim".repeat(110));
        let (files, schema) = (Files::new(), schema());
        let text = Text { value: source, ..Text::default() };
        let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
        let compiled = compile_template(&text, &scope).unwrap();
        let lowered = compiled.lower(&towpath_mapping::Constants::at(chrono::DateTime::UNIX_EPOCH));
        let frame = DataFrame::new(1, vec![Series::new("name".into(), [" x "]).into_column()]).unwrap();
        let out = frame.lazy().select([lowered.value.alias("v")]).collect().unwrap();
        assert_eq!(out.column("v").unwrap().str().unwrap().get(0), Some("x"));
    });
}

#[test]
fn a_template_of_a_megabyte_is_read_in_reasonable_time() {
    let source = format!("{}{{{{ nmae }}}}", "text {{ name }} ".repeat(65_000));
    let found = problems(&source, false);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, "nmae");
}

#[test]
fn names_built_on_names_cannot_explode() {
    let mut source = "{% set a = name ~ name %}".to_owned();
    for _ in 0..40 {
        source.push_str("{% set a = a ~ a %}");
    }
    source.push_str("{{ a }}");
    assert_eq!(problems(&source, false)[0].0, "template-syntax");
}

#[test]
fn unknown_columns_are_let_through_while_the_schema_is_unknown() {
    let files = Files::new();
    let scope = Scope { files: &files, columns: None, params: &[], extra: &[], macros: None };
    let text = Text { value: "whatever == 1 and whatever.x[2] < 5".into(), ..Text::default() };
    let compiled = compile_condition(&text, &scope).unwrap();
    assert_eq!(compiled.columns(), ["whatever"]);
}

#[test]
fn aggregates_are_checked() {
    let (files, schema) = (Files::new(), schema());
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let compile = |source: &str| compile_aggregate(&Text { value: source.into(), ..Text::default() }, &scope);
    assert_eq!(compile("sum(age)").unwrap().field.ty, Type::Int);
    assert_eq!(compile("sum(age | decimal(38, 0))").unwrap().field.ty, Type::Decimal { precision: 38, scale: 0 });
    assert_eq!(compile("mean(age)").unwrap().field.ty, Type::Float);
    assert_eq!(compile("sum(name)").unwrap_err()[0].code, "type-mismatch");
    assert_eq!(compile("summ(age)").unwrap_err()[0].help.as_deref(), Some("did you mean `sum`?"));
    assert_eq!(compile("age").unwrap_err()[0].code, "unknown-function");
    assert_eq!(compile("count(age, age)").unwrap_err()[0].code, "wrong-arguments");
    assert!(compile_cast("tags", &schema.fields[4].ty, &Type::Int).unwrap_err().contains("tags"));
}

#[test]
fn replacements_refer_to_groups_the_pattern_has() {
    let wrong = "wrong-arguments";
    one("{{ name | regex_replace('(a)', '$1_') }}", wrong, "$1_", "write `${1}_`");
    one("{{ name | regex_replace('(?P<first>a)', 'é $first_x') }}", wrong, "$first_x", "write `${first}_x`");
    one("{{ name | regex_replace('(a)', 'x$9') }}", wrong, "$9", "1 group");
    one("{{ name | regex_replace('a', '$1') }}", wrong, "$1", "`$$`");
    one("{{ name | regex_replace('a', '${b}') }}", wrong, "${b}", "no groups");
    one("{{ name | regex_replace('a', 'b ${}') }}", wrong, "${}", "no groups");
    for fine in ["$0", "$1", "${1}_", "$$1_", "$$", "$", "a$ b", "${", "$first", "${first}s", "5 $", "$-"] {
        let source = format!("{{{{ name | regex_replace('(?P<first>a)', '{fine}') }}}}");
        assert!(problems(&source, false).is_empty(), "{fine}: {:#?}", problems(&source, false));
    }
}

/// The help of the only problem of a bare expression and of the same in braces.
#[track_caller]
fn slip(source: &str, at: &str, help: &str) {
    for (source, bare) in [(source.to_owned(), true), (format!("a 'b {{{{ {source} }}}} = c"), false)] {
        let found = problems(&source, bare);
        assert_eq!(found.len(), 1, "{source}: {found:#?}");
        assert!(found[0].2.help.as_deref().unwrap_or("").contains(help), "{source}: {found:#?}");
        assert_eq!(found[0].1, at, "{source}: {found:#?}");
    }
}

#[test]
fn words_of_other_languages_are_translated() {
    slip("name is null", "null", "did you mean `is none`?");
    slip("name is not null", "null", "did you mean `is not none`?");
    slip("null == name", "null", "did you mean `none`?");
    slip("NULL", "NULL", "did you mean `none`?");
    slip("len(name)", "len", "name | length");
    slip("name | len", "len", "did you mean `length`?");
    slip("age = 1", "=", "`==`");
    slip("name | replace('a', new='=') = 'x'", "=", "`==`");
    slip("age && age", "&&", "`and`");
    slip("age || age", "||", "`or`");
    slip("!age", "!", "`not`");
    slip("age <> 1", "<>", "`!=`");
    slip("age == 1 OR age == 2", "OR", "`or`");
    slip("age == 1 AND age == 2", "AND", "`and`");
    slip("NOT age", "NOT", "`not`");
    slip("age ? 1 : 2", "?", "`b if a else c`");
    slip("name like 'a%'", "like", "is matching");
    slip("name LIKE 'a&&'", "LIKE", "in");
    slip("ünï", "ünï", "row[\"ünï\"]");
    slip("name ~ 'é' ~ naïve1", "naïve1", "row[\"naïve1\"]");
}

#[test]
fn what_is_not_offered_is_refused_at_its_place() {
    one("{{ lipsum(3) }}", "unknown-function", "lipsum", "");
    one("{% for a, b in tags %}{{ a }}{% endfor %}", "type-mismatch", "a, b", "");
    one("{{ name[::2] }}", "template-syntax", "2", "");
    one("{{ coalesce(*tags) }}", "template-syntax", "tags", "");
    for source in ["{% include 'a' %}", "{% import 'a' as b %}", "{% block b %}{% endblock %}"] {
        assert_eq!(problems(source, false)[0].0, "template-syntax", "{source}");
    }
}

#[test]
fn what_is_valid_elsewhere_is_no_slip() {
    for source in [
        "{% set q = age } a = b",
        "{% set q = age + %}{{ q = 1 }}",
        "{{ name | replace('a', new='b') + }} a = b ?",
        "{{ name ~ 'a && b ? c' ~ }}",
        "{{ {'a': {'b': 1}} + }} !",
        "{{ like + }}",
        "{{ 'open }}",
        "{{ age != 1 and age <= 2 and age == }}",
    ] {
        let found = problems(source, false);
        assert!(found[0].2.help.is_none(), "{source}: {found:#?}");
    }
}
