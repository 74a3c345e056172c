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

/// Choices read off a tape of numbers: a shorter tape and smaller numbers make a simpler case, which is how failures shrink.
struct Choices {
    tape: Vec<u16>,
    at: usize,
}

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        let next = self.tape.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(next) % n
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn is_over(&self) -> bool {
        self.at >= self.tape.len()
    }
}

const TEXTS: [&str; 30] = [
    "a",
    "",
    " ",
    "  a b ",
    "\u{a0}x\u{2003}",
    "ADA",
    "straße",
    "ΑΣ",
    "ΑΣΑΣ Σ",
    "İi",
    "ŉ",
    "ﬁn",
    "𝒳😀",
    "e\u{301}",
    "a,b,c",
    "P",
    "F",
    "none",
    "null",
    "true",
    "{\"a\":1}",
    "\t\n",
    "a-b_c",
    "O'Neil \"x\"",
    "ǆ",
    "ß",
    "\u{0}",
    "[1, 2]",
    "UXVl",
    "caB ,A",
];
const NUMERICS: [&str; 36] = [
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
    "-273.15",
    "1e17",
    "-.5e1",
    "0.1",
    "123456.789",
    "9.3e18",
];
const DATEDS: [&str; 34] = [
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
    "31/12/1999",
    "32/12/1999",
    "29/02/2023",
    "1900-01-01T00:00:00",
    "2024-03-10T02:30:00",
    "2024-11-03T01:30:00",
    "29.2.2024",
    "2024-01-01T10:00:00.5",
    "2024-01-01T10",
    "2024-01-01Z",
    "1/1/1",
];
const JSONS: [&str; 11] = [
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
];
const INTS: [i64; 9] = [0, 1, -1, 2, i64::MAX, i64::MIN, 1 << 53, 5, -7];
const FLOATS: [f64; 15] = [
    0.0,
    -0.0,
    1.5,
    2.5,
    -2.5,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e16,
    1e-7,
    f64::MAX,
    f64::MIN_POSITIVE,
    9.3e18,
    0.1,
    -1.0,
];
const INSTANTS: [i64; 7] = [
    1_711_848_600_000_000,
    1_729_992_600_000_000,
    -1,
    0,
    -60_000_000_000_000_000,
    200_000_000_000_000_000,
    1_720_000_123_000_000,
];
const SPANS: [i64; 6] = [0, 86_400_000_000, -3_600_000_000, i64::MAX, i64::MIN, 90_000_001];

/// A small generator of bits, so that one number stands for a whole frame.
struct Bits(u64);

impl Bits {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// One of the given ones, mostly.
    fn or<T: Copy>(&mut self, all: &[T], any: impl FnOnce(&mut Self) -> T) -> T {
        if self.below(3) == 0 { any(self) } else { self.pick(all) }
    }

    fn text(&mut self) -> String {
        if self.below(3) > 0 {
            return self.pick(&TEXTS).to_owned();
        }
        let n = self.below(7);
        (0..n)
            .map(|_| match self.below(4) {
                0 => char::from_u32(u32::try_from(self.below(0x11_0000)).unwrap()).unwrap_or('\u{fffd}'),
                1 => char::from_u32(u32::try_from(self.below(0x2000)).unwrap()).unwrap_or('x'),
                _ => self.pick(&['a', 'b', 'c', 'A', 'B', ' ', ',', 'ä', 'ß']),
            })
            .collect()
    }

    fn cell(&mut self, ty: &Type, name: &str) -> Value {
        if self.below(6) == 0 {
            return Value::Null;
        }
        let small = |bits: &mut Self| i64::try_from(bits.below(200)).unwrap() - 100;
        match (ty, name) {
            (_, "numeric") => match self.below(4) {
                0 => Value::from((self.next() as i64).to_string()),
                1 => Value::from(format!("{}.{:03}", small(self), self.below(1000))),
                _ => Value::from(self.pick(&NUMERICS)),
            },
            (_, "dated") => match self.below(4) {
                0 => Value::from(format!(
                    "{}-{:02}-{:02}T{:02}:{:02}:00",
                    1900 + self.below(200),
                    self.below(14),
                    self.below(33),
                    self.below(25),
                    self.below(61)
                )),
                1 => Value::from(format!("{:02}/{:02}/{}", self.below(33), self.below(14), 1990 + self.below(40))),
                _ => Value::from(self.pick(&DATEDS)),
            },
            (_, "code") => Value::from(self.pick(&["P", "F", "X", ""])),
            (Type::Text, _) => Value::from(self.text()),
            (Type::Int, _) => {
                Value::Int(self.or(&INTS, |bits| if bits.below(2) == 0 { small(bits) } else { bits.next() as i64 }))
            }
            (Type::Float, _) => Value::Float(self.or(&FLOATS, |bits| {
                if bits.below(2) == 0 { small(bits) as f64 / 8.0 } else { f64::from_bits(bits.next()) }
            })),
            (Type::Bool, _) => Value::Bool(self.below(2) == 0),
            (Type::Date, _) => Value::Date(i32::try_from(self.below(3_800_000)).unwrap() - 800_000),
            (Type::DateTime { zone }, _) => {
                let micros = self.or(&INSTANTS, |bits| {
                    1_700_000_000_000_000 + i64::try_from(bits.below(20_000_000_000_000)).unwrap()
                });
                Value::DateTime { micros, zone: zone.as_deref().map(Arc::from) }
            }
            (Type::Decimal { .. }, _) => {
                let unscaled = i128::from(self.next() as i64 % 1_000_000_000_000);
                Value::Decimal { unscaled: self.or(&[0, 1, -1, 1500, 2500, 999_999_999_999], |_| unscaled), scale: 3 }
            }
            (Type::Duration, _) => Value::Duration(self.or(&SPANS, |bits| small(bits) * 3_600_000_000)),
            (Type::List(_), _) => {
                let n = self.below(4);
                Value::List(
                    (0..n).map(|_| if self.below(5) == 0 { Value::Null } else { Value::from(self.text()) }).collect(),
                )
            }
            _ => Value::Json(serde_json::from_str(self.pick(&JSONS)).unwrap()),
        }
    }
}

fn frame(seed: u64) -> DataFrame {
    let mut bits = Bits(seed);
    let columns = schema()
        .fields
        .iter()
        .map(|field| {
            let values: Vec<Value> = (0..ROWS).map(|_| bits.cell(&field.ty, &field.name)).collect();
            values_to_series(&field.name, &field.ty, &values).unwrap().into_column()
        })
        .collect();
    DataFrame::new(ROWS, columns).unwrap()
}

/// Ways to make an expression of a kind (text, int, float, bool, day, instant, decimal, length of time, list of text, json):
/// in a template, `A` and `B` stand for expressions of the kinds named first.
fn ways(kind: char) -> &'static [(&'static str, &'static str)] {
    match kind {
        't' => &[
            ("t", "(A | trim)"),
            ("t", "(A | trim('a '))"),
            ("t", "(A | lower)"),
            ("t", "(A | upper)"),
            ("t", "(A | title)"),
            ("t", "(A | capitalize)"),
            ("t", "(A | replace('a', 'bb'))"),
            ("tt", "(A | replace(B, '.'))"),
            ("t", "(A | substring(1, 2))"),
            ("t", "(A | substring(-2))"),
            ("ti", "(A | left(B))"),
            ("t", "(A | left(2))"),
            ("t", "(A | right(2))"),
            ("t", "(A | pad_left(5, '0'))"),
            ("t", "(A | pad_right(4))"),
            ("t", "(A | split_part(',', 2))"),
            ("t", "(A | split_part('a', -1))"),
            ("t", "(A | regex_replace('[a-c]+', '<$0>'))"),
            ("t", "(A | regex_extract('([a-zA-Z])[^a]'))"),
            ("t", "(A | slug)"),
            ("t", "(A | mask(1))"),
            ("t", "(A | urlencode)"),
            ("t", "(A | base64_encode)"),
            ("t", "(A | base64_decode)"),
            ("t", "(A | hash('xxh64'))"),
            ("t", "(A | hash('md5'))"),
            ("t", "(A | short_key(9))"),
            ("i", "(A | hash)"),
            ("t", "(A | null_if('', 'P'))"),
            ("t", "(A | default('-', true))"),
            ("t", "A[0]"),
            ("t", "A[1:3]"),
            ("t", "(A | map_values({'P': 'Passed', 'F': 'Failed'}))"),
            ("t", "(A | map_values({'P': 'Passed'}, default='?'))"),
            ("t", "(A | reverse)"),
            ("i", "(A | string)"),
            ("f", "(A | string)"),
            ("b", "(A | string)"),
            ("d", "(A | string)"),
            ("z", "(A | string)"),
            ("m", "(A | string)"),
            ("s", "(A | string)"),
            ("l", "(A | string)"),
            ("j", "(A | string)"),
            ("tt", "(A ~ B)"),
            ("fd", "(A ~ '/' ~ B)"),
            ("zb", "(A ~ B)"),
            ("tt", "(A + B)"),
            ("d", "(A | format_datetime('%d.%m.%y %A'))"),
            ("z", "(A | format_datetime('%Y-%m-%dT%H:%M:%S%.3fZ'))"),
            ("l", "(A | join('+'))"),
            ("l", "(A | first)"),
            ("l", "(A | last)"),
            ("l", "(A | min)"),
            ("l", "A[1]"),
            ("l", "(A | tojson)"),
            ("j", "(A | tojson)"),
            ("j", "(A | trim)"),
            ("j", "(A | upper)"),
        ],
        'i' => &[
            ("ii", "(A + B)"),
            ("ii", "(A - B)"),
            ("ii", "(A * B)"),
            ("ii", "(A // B)"),
            ("ii", "(A % B)"),
            ("i", "(A ** 2)"),
            ("i", "(-A)"),
            ("t", "(A | int)"),
            ("t", "(A | int(0))"),
            ("f", "(A | int)"),
            ("m", "(A | int)"),
            ("b", "(A | int)"),
            ("t", "(A | length)"),
            ("l", "(A | length)"),
            ("i", "(A | abs)"),
            ("i", "(A | round)"),
            ("dd", "days_between(A, B)"),
            ("z", "(A | date_part('hour'))"),
            ("d", "(A | date_part('week'))"),
            ("ii", "max(A, B)"),
            ("j", "(A | int)"),
            ("i", "(A | null_if(1))"),
            ("t", "(A | map_values({'P': 1, 'F': 2}))"),
            ("j", "(A | length)"),
        ],
        'f' => &[
            ("ff", "(A + B)"),
            ("fi", "(A * B)"),
            ("ii", "(A / B)"),
            ("ff", "(A / B)"),
            ("ff", "(A // B)"),
            ("ff", "(A % B)"),
            ("if", "(A - B)"),
            ("f", "(A / 4)"),
            ("f", "(-A)"),
            ("t", "(A | float)"),
            ("i", "(A | float)"),
            ("m", "(A | float)"),
            ("f", "(A | round(1))"),
            ("f", "(A | round)"),
            ("f", "(A | round(2, 'floor'))"),
            ("f", "(A | abs)"),
            ("if", "min(A, B)"),
            ("mf", "(A + B)"),
            ("j", "(A | float)"),
        ],
        'b' => &[
            ("tt", "(A == B)"),
            ("tt", "(A < B)"),
            ("if", "(A <= B)"),
            ("ii", "(A != B)"),
            ("ff", "(A > B)"),
            ("ff", "(A == B)"),
            ("dd", "(A >= B)"),
            ("zz", "(A == B)"),
            ("zz", "(A < B)"),
            ("mi", "(A < B)"),
            ("mm", "(A == B)"),
            ("ss", "(A < B)"),
            ("bb", "(A == B)"),
            ("bb", "(A < B)"),
            ("bb", "(A and B)"),
            ("bb", "(A or B)"),
            ("ti", "(A or B)"),
            ("b", "(not A)"),
            ("l", "(not A)"),
            ("f", "(not A)"),
            ("t", "(A is none)"),
            ("i", "(A is not none)"),
            ("j", "(A is none)"),
            ("t", "(A is empty)"),
            ("t", "(A is matching('^[a-c]'))"),
            ("t", "(A in ['P', 'F', ''])"),
            ("t", "(A not in ['P', none])"),
            ("i", "(A in [1, 2, 0])"),
            ("t", "('a' in A)"),
            ("tt", "(A in B)"),
            ("tl", "(A in B)"),
            ("t", "(A | bool)"),
            ("t", "(A | bool(false))"),
            ("i", "(A | bool)"),
            ("ji", "(A == B)"),
            ("jt", "(A == B)"),
            ("ji", "(A < B)"),
            ("ll", "(A == B)"),
            ("i", "(1 < A < 5)"),
            ("j", "(not A)"),
            ("tj", "(A in B)"),
            ("t", "(A == none)"),
            ("j", "(A != none)"),
        ],
        'd' => &[
            ("t", "(A | to_date)"),
            ("t", "(A | to_date('%d/%m/%Y', '%Y-%m-%d', '%d.%m.%Y'))"),
            ("z", "(A | to_date)"),
            ("d", "(A | add('P1D'))"),
            ("d", "(A | subtract(duration('P30D')))"),
            ("ds", "(A + B)"),
        ],
        'z' => &[
            ("t", "(A | to_datetime)"),
            ("t", "(A | to_datetime(tz='Europe/London'))"),
            ("d", "(A | to_datetime)"),
            ("t", "(A | to_datetime('%d/%m/%Y', '%Y-%m-%dT%H:%M:%S', tz='America/New_York'))"),
            ("z", "(A | in_timezone('Asia/Tokyo'))"),
            ("zs", "(A + B)"),
            ("z", "(A | subtract('PT90M'))"),
            ("d", "(A | to_datetime(tz='Europe/London'))"),
        ],
        'm' => &[
            ("mm", "(A + B)"),
            ("mi", "(A - B)"),
            ("mm", "(A * B)"),
            ("mm", "(A / B)"),
            ("mm", "(A % B)"),
            ("t", "(A | decimal(12, 2))"),
            ("f", "(A | decimal(20, 4))"),
            ("i", "(A | decimal(25, 2))"),
            ("m", "(A | round(1))"),
            ("m", "(-A)"),
            ("m", "(A | abs)"),
            ("m", "(A | decimal(10, 1))"),
            ("mm", "(A // B)"),
        ],
        's' => &[("dd", "(A - B)"), ("zz", "(A - B)"), ("ss", "(A + B)"), ("si", "(A * B)"), ("s", "(-A)")],
        'l' => &[
            ("t", "(A | split(','))"),
            ("t", "(A | split)"),
            ("l", "(A | sort)"),
            ("l", "(A | unique)"),
            ("l", "(A | reverse)"),
            ("tt", "[A, B, 'x']"),
            ("l", "A[1:]"),
        ],
        _ => &[
            ("t", "(A | parse_json)"),
            ("j", "A.a"),
            ("j", "A['b'].c"),
            ("j", "A[0]"),
            ("ji", "(A + B)"),
            ("j", "(A | get('b.c.1'))"),
            ("it", "json_object(n=A, t=B)"),
            ("jj", "(A * B)"),
            ("l", "(A | get('0'))"),
        ],
    }
}

fn leaves(kind: char) -> &'static [&'static str] {
    match kind {
        't' => &[
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
        'i' => &["i1", "i2", "0", "7", "-3", "9223372036854775807", "params.int"],
        'f' => &["x1", "x2", "0.0", "2.5", "-1e300"],
        'b' => &["b1", "true", "false", "params.flag"],
        'd' => &["day", "today()"],
        'z' => &["at", "local", "now()", "run.started_at"],
        'm' => &["money", "('1.5' | decimal(3, 1))"],
        's' => &["span", "duration('PT1H')"],
        'l' => &["tags", "['a', none, 'P']"],
        _ => &["j", "j.a", "j[0]"],
    }
}

fn expression(choices: &mut Choices, kind: char, depth: u32) -> String {
    let ways = ways(kind);
    let general = if kind == 'b' { 3 } else { 5 };
    let choice = if depth == 0 || choices.is_over() { 0 } else { choices.below(ways.len() + general + 2) };
    let mut of = |kind| expression(choices, kind, depth.saturating_sub(1));
    match choice.checked_sub(2).map(|choice| choice.checked_sub(general).ok_or(choice)) {
        None => choices.pick(leaves(kind)).to_owned(),
        Some(Ok(way)) => {
            let (kinds, template) = ways[way];
            let parts: Vec<String> = kinds.chars().map(of).collect();
            let second = parts.get(1).map_or("", String::as_str);
            template.replace('B', "\u{1}").replace('A', &parts[0]).replace('\u{1}', second)
        }
        Some(Err(0)) => format!("({} if {} else {})", of(kind), of('b'), of(kind)),
        Some(Err(1)) => format!("({} | default({}))", of(kind), of(kind)),
        Some(Err(2)) => format!("coalesce({}, {})", of(kind), of(kind)),
        Some(Err(3)) => format!("({} or {})", of(kind), of(kind)),
        Some(Err(_)) => format!("({} and {})", of(kind), of(kind)),
    }
}

const KINDS: [char; 10] = ['t', 'i', 'f', 'b', 'd', 'z', 'm', 's', 'l', 'j'];

fn written(tape: Vec<u16>) -> Written {
    let mut choices = Choices { tape, at: 0 };
    let shape = choices.below(16);
    let kind = choices.pick(&KINDS);
    let c = &mut choices;
    match shape {
        0..=8 => Written::Expression(expression(c, kind, 2)),
        9..=11 => Written::Expression(expression(c, kind, 4)),
        12 | 13 => {
            let second = c.pick(&KINDS);
            Written::Template(format!("<{{{{ {} }}}} {{{{ {} }}}}", expression(c, kind, 2), expression(c, second, 2)))
        }
        14 => Written::Template(format!(
            "{{% set v = {} %}}{{% if {} %}}{{{{ v }}}}!{{% elif v %}}{{{{ {} }}}}{{% else %}}-{{% endif %}}",
            expression(c, 't', 2),
            expression(c, 'b', 2),
            expression(c, 'i', 2)
        )),
        _ => Written::Template(format!(
            "{{% for x in {} if x %}}{{{{ loop.index }}}}{{{{ x | upper }}}}{{{{ {} }}}}{{% else %}}none{{% endfor %}}",
            expression(c, 'l', 2),
            expression(c, 't', 2)
        )),
    }
}

#[derive(Debug, Clone)]
enum Written {
    Expression(String),
    Template(String),
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
    let cases = std::env::var("TOWPATH_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000);
    let seed = std::env::var("TOWPATH_SEED").ok();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
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
    let cases_of = (prop::collection::vec(any::<u16>(), 1..60), any::<u64>());
    let outcome = runner.run(&cases_of, |(tape, seed)| {
        compiled.set(compiled.get() + u32::from(check(&frame(seed), &written(tape))?));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(compiled.get() * 2 > cases, "only {} of {cases} generated templates compile", compiled.get());
}
