//! Compiled equals interpreted: generated templates over columns of every type, compared cell by cell and reject by reject.
//!
//! `TOWPATH_CASES` sets the number of generated cases (each is one template on sixteen rows).

#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use polars::prelude::{DataFrame, IntoColumn, IntoLazy, lit};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use towpath_mapping::{Constants, FrameRows, Scope, Value, compile_expression, compile_template, values_to_series};
use towpath_spec::{Field, Files, Schema, Text, Type};

const ROWS: usize = 16;

fn london() -> Type {
    Type::DateTime { zone: Some("Europe/London".into()) }
}

fn schema() -> Schema {
    let decimal = Type::Decimal { precision: 12, scale: 3 };
    Schema::new(vec![
        Field::new("t1", Type::Text),
        Field::new("t2", Type::Text),
        Field::new("numeric", Type::Text),
        Field::new("dated", Type::Text),
        Field::new("code", Type::Text),
        Field::new("i1", Type::Int),
        Field::new("i2", Type::Int),
        Field::new("x1", Type::Float),
        Field::new("x2", Type::Float),
        Field::new("b1", Type::Bool),
        Field::new("day", Type::Date),
        Field::new("at", Type::utc()),
        Field::new("local", london()),
        Field::new("money", decimal),
        Field::new("span", Type::Duration),
        Field::new("tags", Type::List(Box::new(Type::Text))),
        Field::new("j", Type::Json),
        Field::new("odd name.'q\"ü", Type::Text),
    ])
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "", " ", "  a b ", "\u{a0}x\u{2003}", "ADA", "straße", "ΑΣ", "İi", "ŉ", "ﬁn", "𝒳😀", "e\u{301}", "a,b,c",
            "P", "F", "none", "null", "true", "{\"a\":1}", "\t\n", "a-b_c", "O'Neil \"x\"", "ǆ", "ß",
        ]).prop_map(str::to_owned),
        2 => "[a-cA-C ,]{0,6}",
        1 => any::<String>().prop_map(|s| s.chars().take(8).collect()),
    ]
}

fn numerics() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "0",
            "1",
            "-1",
            " 42 ",
            "12.7",
            "1e3",
            "1e400",
            "-0.0",
            "",
            " ",
            "abc",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "12.0",
            "1_000",
            "0x10",
            "nan",
            "inf",
            "+5",
            "1.005",
            "00012",
            "٣",
            "1.",
            ".5",
            "true",
            "yes",
            "NO",
            "1e-400",
            "99999999999999999999999999999999999999",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|i| i.to_string()),
        (-1000i32..1000, 0u32..1000).prop_map(|(a, b)| format!("{a}.{b:03}")),
    ]
}

fn dateds() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "2024-02-29",
            "2023-02-29",
            "2024-03-31T01:30:00",
            "2024-10-27T01:30:00",
            "2024-10-27 01:30",
            "2024-01-01T10:00:00Z",
            "2024-01-01T10:00:00.123456789+05:30",
            "05/03/2024",
            "5.3.2024",
            "5/3/24",
            "",
            "soon",
            "2024-01-01T24:00:00",
            "2024-13-01",
            "0000-01-01",
            "9999-12-31",
            "2024-1-1",
            "20240101",
            " 2024-01-01 ",
            "2024-01-01T10:00",
            "2024-12-31T23:59:60Z",
            "2024-01-01T10:00:00-00:00",
            "1969-12-31T23:59:59.999999Z",
        ])
        .prop_map(str::to_owned),
        (1900u32..2100, 1u32..14, 0u32..33, 0u32..25, 0u32..61)
            .prop_map(|(y, m, d, h, n)| format!("{y:04}-{m:02}-{d:02}T{h:02}:{n:02}:00")),
        (1u32..32, 1u32..13, 1990u32..2030).prop_map(|(d, m, y)| format!("{d:02}/{m:02}/{y}")),
    ]
}

fn cell(ty: &Type, name: &str) -> BoxedStrategy<Value> {
    let value = match (ty, name) {
        (_, "numeric") => numerics().prop_map(Value::from).boxed(),
        (_, "dated") => dateds().prop_map(Value::from).boxed(),
        (_, "code") => prop::sample::select(vec!["P", "F", "X", ""]).prop_map(Value::from).boxed(),
        (Type::Text, _) => texts().prop_map(Value::from).boxed(),
        (Type::Int, _) => prop_oneof![
            Just(0),
            Just(1),
            Just(-1),
            Just(2),
            Just(i64::MAX),
            Just(i64::MIN),
            Just(1 << 53),
            -100i64..100,
            any::<i64>()
        ]
        .prop_map(Value::Int)
        .boxed(),
        (Type::Float, _) => prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(1.5),
            Just(2.5),
            Just(-2.5),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(1e16),
            Just(1e-7),
            Just(f64::MAX),
            Just(f64::MIN_POSITIVE),
            Just(9.3e18),
            -100.0..100.0,
            any::<f64>()
        ]
        .prop_map(Value::Float)
        .boxed(),
        (Type::Bool, _) => any::<bool>().prop_map(Value::Bool).boxed(),
        (Type::Date, _) => prop_oneof![-800_000i32..3_000_000, 19_700i32..19_900].prop_map(Value::Date).boxed(),
        (Type::DateTime { zone }, _) => {
            let zone: Option<Arc<str>> = zone.as_deref().map(Arc::from);
            prop_oneof![
                Just(1_711_848_600_000_000i64),
                Just(1_729_992_600_000_000),
                Just(-1),
                Just(0),
                -60_000_000_000_000_000i64..200_000_000_000_000_000,
                1_700_000_000_000_000i64..1_720_000_000_000_000
            ]
            .prop_map(move |micros| Value::DateTime { micros, zone: zone.clone() })
            .boxed()
        }
        (Type::Decimal { .. }, _) => {
            (-999_999_999_999i128..=999_999_999_999).prop_map(|unscaled| Value::Decimal { unscaled, scale: 3 }).boxed()
        }
        (Type::Duration, _) => prop_oneof![
            Just(0i64),
            Just(86_400_000_000),
            Just(-3_600_000_000),
            Just(i64::MAX),
            -1_000_000_000_000i64..1_000_000_000_000
        ]
        .prop_map(Value::Duration)
        .boxed(),
        (Type::List(_), _) => {
            prop::collection::vec(prop_oneof![4 => texts().prop_map(Value::from), 1 => Just(Value::Null)], 0..4)
                .prop_map(Value::List)
                .boxed()
        }
        _ => prop::sample::select(vec![
            r#"{"a": 1, "b": {"c": [1, "x"]}}"#,
            "[1, 2, 3]",
            "\"text\"",
            "12",
            "1.5",
            "true",
            "null",
            "{}",
            "[]",
            "\"\"",
            "18446744073709551615",
        ])
        .prop_map(|json| Value::Json(serde_json::from_str(json).unwrap()))
        .boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 5 => value].boxed()
}

fn frame() -> impl Strategy<Value = DataFrame> {
    let columns: Vec<BoxedStrategy<Vec<Value>>> =
        schema().fields.iter().map(|field| prop::collection::vec(cell(&field.ty, &field.name), ROWS).boxed()).collect();
    columns.prop_map(|columns| {
        let columns = schema()
            .fields
            .iter()
            .zip(columns)
            .map(|(field, values)| values_to_series(&field.name, &field.ty, &values).unwrap().into_column())
            .collect();
        DataFrame::new(ROWS, columns).unwrap()
    })
}

/// An expression of a kind: text, int, float, bool, date, instant, decimal, length of time, list of text, json.
fn expression(kind: char, depth: u32) -> BoxedStrategy<String> {
    let leaf = leaf(kind);
    if depth == 0 {
        return leaf;
    }
    let sub = |kind| expression(kind, depth - 1);
    let e = |kind: char, template: &'static str| sub(kind).prop_map(move |a| template.replace('A', &a)).boxed();
    let two = |k1: char, k2: char, template: &'static str| {
        (sub(k1), sub(k2))
            .prop_map(move |(a, b)| template.replace('B', "\u{1}").replace('A', &a).replace('\u{1}', &b))
            .boxed()
    };
    let mut all = vec![
        leaf,
        (sub(kind), sub('b'), sub(kind)).prop_map(|(a, t, b)| format!("({a} if {t} else {b})")).boxed(),
        (sub(kind), sub(kind)).prop_map(|(a, b)| format!("({a} | default({b}))")).boxed(),
        (sub(kind), sub(kind)).prop_map(|(a, b)| format!("coalesce({a}, {b})")).boxed(),
    ];
    if kind != 'b' {
        all.push(two(kind, kind, "(A or B)"));
        all.push(two(kind, kind, "(A and B)"));
    }
    match kind {
        't' => all.extend([
            e('t', "(A | trim)"),
            e('t', "(A | trim('a '))"),
            e('t', "(A | lower)"),
            e('t', "(A | upper)"),
            e('t', "(A | title)"),
            e('t', "(A | capitalize)"),
            e('t', "(A | replace('a', 'bb'))"),
            two('t', 't', "(A | replace(B, '.'))"),
            e('t', "(A | substring(1, 2))"),
            e('t', "(A | substring(-2))"),
            two('t', 'i', "(A | left(B))"),
            e('t', "(A | left(2))"),
            e('t', "(A | right(2))"),
            e('t', "(A | pad_left(5, '0'))"),
            e('t', "(A | pad_right(4))"),
            e('t', "(A | split_part(',', 2))"),
            e('t', "(A | split_part('a', -1))"),
            e('t', "(A | regex_replace('[a-c]+', '<$0>'))"),
            e('t', "(A | regex_extract('([a-zA-Z])[^a]'))"),
            e('t', "(A | slug)"),
            e('t', "(A | mask(1))"),
            e('t', "(A | urlencode)"),
            e('t', "(A | base64_encode)"),
            e('t', "(A | base64_decode)"),
            e('t', "(A | hash('xxh64'))"),
            e('t', "(A | hash('md5'))"),
            e('t', "(A | short_key(9))"),
            e('i', "(A | hash)"),
            e('t', "(A | null_if('', 'P'))"),
            e('t', "(A | default('-', true))"),
            e('t', "A[0]"),
            e('t', "A[1:3]"),
            e('t', "(A | map_values({'P': 'Passed', 'F': 'Failed'}))"),
            e('t', "(A | map_values({'P': 'Passed'}, default='?'))"),
            e('t', "(A | reverse)"),
            e('i', "(A | string)"),
            e('f', "(A | string)"),
            e('b', "(A | string)"),
            e('d', "(A | string)"),
            e('z', "(A | string)"),
            e('m', "(A | string)"),
            e('s', "(A | string)"),
            e('l', "(A | string)"),
            e('j', "(A | string)"),
            two('t', 't', "(A ~ B)"),
            two('f', 'd', "(A ~ '/' ~ B)"),
            two('z', 'b', "(A ~ B)"),
            two('t', 't', "(A + B)"),
            e('d', "(A | format_datetime('%d.%m.%y %A'))"),
            e('z', "(A | format_datetime('%Y-%m-%dT%H:%M:%S%.3fZ'))"),
            e('l', "(A | join('+'))"),
            e('l', "(A | first)"),
            e('l', "(A | last)"),
            e('l', "(A | min)"),
            e('l', "A[1]"),
            e('l', "(A | tojson)"),
            e('j', "(A | tojson)"),
            e('j', "(A | trim)"),
            e('j', "(A | upper)"),
        ]),
        'i' => all.extend([
            two('i', 'i', "(A + B)"),
            two('i', 'i', "(A - B)"),
            two('i', 'i', "(A * B)"),
            two('i', 'i', "(A // B)"),
            two('i', 'i', "(A % B)"),
            e('i', "(A ** 2)"),
            e('i', "(-A)"),
            e('t', "(A | int)"),
            e('t', "(A | int(0))"),
            e('f', "(A | int)"),
            e('m', "(A | int)"),
            e('b', "(A | int)"),
            e('t', "(A | length)"),
            e('l', "(A | length)"),
            e('i', "(A | abs)"),
            e('i', "(A | round)"),
            two('d', 'd', "days_between(A, B)"),
            e('z', "(A | date_part('hour'))"),
            e('d', "(A | date_part('week'))"),
            two('i', 'i', "max(A, B)"),
            e('j', "(A | int)"),
            e('i', "(A | null_if(1))"),
            e('t', "(A | map_values({'P': 1, 'F': 2}))"),
            e('j', "(A | length)"),
        ]),
        'f' => all.extend([
            two('f', 'f', "(A + B)"),
            two('f', 'i', "(A * B)"),
            two('i', 'i', "(A / B)"),
            two('f', 'f', "(A / B)"),
            two('f', 'f', "(A // B)"),
            two('f', 'f', "(A % B)"),
            two('i', 'f', "(A - B)"),
            e('f', "(A / 4)"),
            e('f', "(-A)"),
            e('t', "(A | float)"),
            e('i', "(A | float)"),
            e('m', "(A | float)"),
            e('f', "(A | round(1))"),
            e('f', "(A | round)"),
            e('f', "(A | round(2, 'floor'))"),
            e('f', "(A | abs)"),
            two('i', 'f', "min(A, B)"),
            two('m', 'f', "(A + B)"),
            e('j', "(A | float)"),
        ]),
        'b' => all.extend([
            two('t', 't', "(A == B)"),
            two('t', 't', "(A < B)"),
            two('i', 'f', "(A <= B)"),
            two('i', 'i', "(A != B)"),
            two('f', 'f', "(A > B)"),
            two('f', 'f', "(A == B)"),
            two('d', 'd', "(A >= B)"),
            two('z', 'z', "(A == B)"),
            two('z', 'z', "(A < B)"),
            two('m', 'i', "(A < B)"),
            two('m', 'm', "(A == B)"),
            two('s', 's', "(A < B)"),
            two('b', 'b', "(A == B)"),
            two('b', 'b', "(A < B)"),
            two('b', 'b', "(A and B)"),
            two('b', 'b', "(A or B)"),
            two('t', 'i', "(A or B)"),
            e('b', "(not A)"),
            e('l', "(not A)"),
            e('f', "(not A)"),
            e('t', "(A is none)"),
            e('i', "(A is not none)"),
            e('j', "(A is none)"),
            e('t', "(A is empty)"),
            e('t', "(A is matching('^[a-c]'))"),
            e('t', "(A in ['P', 'F', ''])"),
            e('t', "(A not in ['P', none])"),
            e('i', "(A in [1, 2, 0])"),
            e('t', "('a' in A)"),
            two('t', 't', "(A in B)"),
            two('t', 'l', "(A in B)"),
            e('t', "(A | bool)"),
            e('t', "(A | bool(false))"),
            e('i', "(A | bool)"),
            two('j', 'i', "(A == B)"),
            two('j', 't', "(A == B)"),
            two('j', 'i', "(A < B)"),
            two('l', 'l', "(A == B)"),
            e('i', "(1 < A < 5)"),
            e('j', "(not A)"),
            two('t', 'j', "(A in B)"),
            e('t', "(A == none)"),
            e('j', "(A != none)"),
        ]),
        'd' => all.extend([
            e('t', "(A | to_date)"),
            e('t', "(A | to_date('%d/%m/%Y', '%Y-%m-%d', '%d.%m.%Y'))"),
            e('z', "(A | to_date)"),
            e('d', "(A | add('P1D'))"),
            e('d', "(A | subtract(duration('P30D')))"),
            two('d', 's', "(A + B)"),
        ]),
        'z' => all.extend([
            e('t', "(A | to_datetime)"),
            e('t', "(A | to_datetime(tz='Europe/London'))"),
            e('d', "(A | to_datetime)"),
            e('t', "(A | to_datetime('%d/%m/%Y', '%Y-%m-%dT%H:%M:%S', tz='America/New_York'))"),
            e('z', "(A | in_timezone('Asia/Tokyo'))"),
            two('z', 's', "(A + B)"),
            e('z', "(A | subtract('PT90M'))"),
            e('d', "(A | to_datetime(tz='Europe/London'))"),
        ]),
        'm' => all.extend([
            two('m', 'm', "(A + B)"),
            two('m', 'i', "(A - B)"),
            two('m', 'm', "(A * B)"),
            two('m', 'm', "(A / B)"),
            two('m', 'm', "(A % B)"),
            e('t', "(A | decimal(12, 2))"),
            e('f', "(A | decimal(20, 4))"),
            e('i', "(A | decimal(25, 2))"),
            e('m', "(A | round(1))"),
            e('m', "(-A)"),
            e('m', "(A | abs)"),
            e('m', "(A | decimal(10, 1))"),
            two('m', 'm', "(A // B)"),
        ]),
        's' => all.extend([
            two('d', 'd', "(A - B)"),
            two('z', 'z', "(A - B)"),
            two('s', 's', "(A + B)"),
            two('s', 'i', "(A * B)"),
            e('s', "(-A)"),
        ]),
        'l' => all.extend([
            e('t', "(A | split(','))"),
            e('t', "(A | split)"),
            e('l', "(A | sort)"),
            e('l', "(A | unique)"),
            e('l', "(A | reverse)"),
            two('t', 't', "[A, B, 'x']"),
            e('l', "A[1:]"),
        ]),
        _ => all.extend([
            e('t', "(A | parse_json)"),
            e('j', "A.a"),
            e('j', "A['b'].c"),
            e('j', "A[0]"),
            two('j', 'i', "(A + B)"),
            e('j', "(A | get('b.c.1'))"),
            two('i', 't', "json_object(n=A, t=B)"),
            two('j', 'j', "(A * B)"),
            e('l', "(A | get('0'))"),
        ]),
    }
    proptest::strategy::Union::new(all).boxed()
}

fn leaf(kind: char) -> BoxedStrategy<String> {
    let leaves: Vec<&str> = match kind {
        't' => vec![
            "t1",
            "t2",
            "numeric",
            "dated",
            "code",
            "row[\"odd name.'q\\\"ü\"]",
            "'P'",
            "' a,b '",
            "''",
            "params.text",
        ],
        'i' => vec!["i1", "i2", "0", "7", "-3", "9223372036854775807", "params.int"],
        'f' => vec!["x1", "x2", "0.0", "2.5", "-1e300"],
        'b' => vec!["b1", "true", "false", "params.flag"],
        'd' => vec!["day", "today()"],
        'z' => vec!["at", "local", "now()", "run.started_at"],
        'm' => vec!["money", "('1.5' | decimal(3, 1))"],
        's' => vec!["span", "duration('PT1H')"],
        'l' => vec!["tags", "['a', none, 'P']"],
        _ => vec!["j", "j.a", "j[0]"],
    };
    prop::sample::select(leaves).prop_map(str::to_owned).boxed()
}

#[derive(Debug, Clone)]
enum Written {
    Expression(String),
    Template(String),
}

fn written() -> impl Strategy<Value = Written> {
    let any = || prop::sample::select(vec!['t', 'i', 'f', 'b', 'd', 'z', 'm', 's', 'l', 'j']);
    prop_oneof![
        8 => any().prop_flat_map(|kind| expression(kind, 2)).prop_map(Written::Expression),
        3 => any().prop_flat_map(|kind| expression(kind, 3)).prop_map(Written::Expression),
        2 => (any().prop_flat_map(|k| expression(k, 1)), any().prop_flat_map(|k| expression(k, 1)))
            .prop_map(|(a, b)| Written::Template(format!("<{{{{ {a} }}}} {{{{ {b} }}}}"))),
        1 => (expression('b', 1), expression('t', 1), expression('i', 1)).prop_map(|(test, a, b)| Written::Template(
            format!("{{% set v = {a} %}}{{% if {test} %}}{{{{ v }}}}!{{% elif v %}}{{{{ {b} }}}}{{% else %}}-{{% endif %}}"))),
        1 => (expression('l', 1), expression('t', 1)).prop_map(|(items, a)| Written::Template(
            format!("{{% for x in {items} if x %}}{{{{ loop.index }}}}{{{{ x | upper }}}}{{{{ {a} }}}}{{% else %}}none{{% endfor %}}"))),
    ]
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Float(l), Value::Float(r)) => l.to_bits() == r.to_bits() || l.is_nan() && r.is_nan(),
        (Value::List(l), Value::List(r)) => l.len() == r.len() && l.iter().zip(r).all(|(l, r)| same(l, r)),
        (l, r) => l == r,
    }
}

fn constants() -> Constants {
    let mut constants = Constants::at(chrono::DateTime::from_timestamp(1_709_632_800, 123_456_000).unwrap());
    constants.params.insert("text".into(), Value::from("P"));
    constants.params.insert("int".into(), Value::Int(3));
    constants
}

fn check(frame: &DataFrame, written: &Written) -> Result<bool, TestCaseError> {
    let (files, schema) = (Files::new(), schema());
    let params = [Field::new("text", Type::Text), Field::new("int", Type::Int), Field::new("flag", Type::Bool)];
    let scope = Scope { files: &files, columns: Some(&schema), params: &params, extra: &[] };
    let (Written::Expression(source) | Written::Template(source)) = written;
    let text = Text { value: source.clone(), ..Text::default() };
    let compiled = match written {
        Written::Expression(_) => compile_expression(&text, &scope),
        Written::Template(_) => compile_template(&text, &scope),
    };
    let Ok(compiled) = compiled else { return Ok(false) };
    let constants = constants();
    let lowered = compiled.lower(&constants);
    let (ty, nullable) = compiled.field();
    prop_assert!(compiled.is_fallible() || lowered.failed.is_none(), "{} says it cannot fail, but may", source);
    let failed = lowered.failed.unwrap_or_else(|| lit(false));
    let out = frame
        .clone()
        .lazy()
        .with_columns([lowered.value.alias("value"), failed.alias("failed")])
        .collect()
        .map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
    let result = Schema::new(vec![Field::new("value", ty.clone())]);
    let dtype = out.column("value").unwrap().dtype().clone();
    prop_assert_eq!(&dtype, &towpath_mapping::to_polars(ty), "type of {}", source);
    let columns = FrameRows::new(&out, &result).map_err(TestCaseError::fail)?;
    let failures = out.column("failed").unwrap().bool().unwrap().clone();
    let rows = FrameRows::new(frame, &schema).map_err(TestCaseError::fail)?;
    for at in 0..frame.height() {
        let failed =
            failures.get(at).ok_or_else(|| TestCaseError::fail(format!("{source}: null in failed, row {at}")))?;
        let got = towpath_mapping::Row::get(&columns.row(at), "value");
        match compiled.interpret(&rows.row(at), &constants) {
            Err(reason) => prop_assert!(
                failed,
                "{source}\nrow {:?}\ninterpreted: rejects ({reason})\ncolumns: {got:?}",
                rows.row(at).to_json()
            ),
            Ok(value) => {
                let value = if *ty == Type::Json && !value.is_null() { Value::Json(value.to_json()) } else { value };
                let value = if value.is_null() { Value::Null } else { value };
                let got = if got.is_null() { Value::Null } else { got };
                prop_assert!(
                    !failed && same(&value, &got),
                    "{source}\nrow {:?}\ninterpreted: {value:?}\ncolumns: {}{got:?}",
                    rows.row(at).to_json(),
                    if failed { "rejects " } else { "" }
                );
                prop_assert!(nullable || !value.is_null(), "{source}: null, though it says never");
            }
        }
    }
    Ok(true)
}

#[test]
fn compiled_equals_interpreted() {
    let cases = std::env::var("TOWPATH_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000);
    let seed = std::env::var("TOWPATH_SEED").ok();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = match seed {
        // A run can be repeated by its seed.
        Some(seed) => {
            let mut bytes = [0u8; 32];
            bytes[..seed.len().min(32)].copy_from_slice(&seed.as_bytes()[..seed.len().min(32)]);
            let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes);
            TestRunner::new_with_rng(config, rng)
        }
        None => TestRunner::new(config),
    };
    let compiled = std::cell::Cell::new(0u32);
    let outcome = runner.run(&(written(), frame()), |(written, frame)| {
        compiled.set(compiled.get() + u32::from(check(&frame, &written)?));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(compiled.get() * 2 > cases, "only {} of {cases} generated templates compile", compiled.get());
}
