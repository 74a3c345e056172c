//! Columns of every type with the cells that tend to go wrong: nulls, empty text, white space, extremes, bad numbers.

use std::sync::Arc;

use polars::prelude::{DataFrame, IntoColumn};
use towpath_mapping::{Value, values_to_series};
use towpath_spec::{Field, Schema, Type};

pub(crate) const ROWS: usize = 24;

pub(crate) fn london() -> Type {
    Type::DateTime { zone: Some("Europe/London".into()) }
}

/// The items of a list of structs.
fn person() -> Type {
    Type::Struct(vec![Field::new("name", Type::Text), Field::new("age", Type::Int), Field::new("pay", Type::Float)])
}

pub(crate) fn schema() -> Schema {
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
        Field::new("nums", Type::List(Box::new(Type::Int))),
        Field::new("people", Type::List(Box::new(person()))),
        Field::new("pair", Type::Struct(vec![Field::new("left", Type::Int), Field::new("Right", Type::Int)])),
        Field::new("raw", Type::Binary),
        Field::new("j", Type::Json),
        Field::new("odd name.'q\"ü", Type::Text),
    ])
}

pub(crate) const TEXTS: [&str; 38] = [
    "ΟΔΟΣ-ΑΣ. ΣΣ",
    "<b>x &amp; y</b> <!-- z -->&#8364;",
    "a < b & c",
    "one two\nthree\r\n\r\nfour",
    "ab cdefghij k",
    "ǅ ǆ",
    "क्षि e\u{301}\u{302} A\u{30a}",
    "\u{1f469}\u{200d}\u{1f680}",
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
pub(crate) const NUMERICS: [&str; 36] = [
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
pub(crate) const DATEDS: [&str; 34] = [
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
pub(crate) const JSONS: [&str; 17] = [
    r#"[{"a": 1, "b": "x"}, {"a": null}, {"b": {"c": 2}}]"#,
    r#"[3, "a", null, 1.5, true, [], 18446744073709551615, -2, "A", false]"#,
    r#"{"B": 2, "a": null, "c": "x", "A": 1}"#,
    "9007199254740993",
    "9007199254740992.0",
    "-1e300",
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
pub(crate) const INTS: [i64; 12] =
    [0, 1, -1, 2, i64::MAX, i64::MIN, 1 << 53, 5, -7, (1 << 53) + 1, i64::MAX - 1, i64::MIN + 1];
pub(crate) const FLOATS: [f64; 20] = [
    9_007_199_254_740_992.0,
    9_223_372_036_854_775_808.0,
    -9_223_372_036_854_775_808.0,
    5.0,
    5e-324,
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
pub(crate) const INSTANTS: [i64; 7] = [
    1_711_848_600_000_000,
    1_729_992_600_000_000,
    -1,
    0,
    -60_000_000_000_000_000,
    200_000_000_000_000_000,
    1_720_000_123_000_000,
];
pub(crate) const SPANS: [i64; 6] = [0, 86_400_000_000, -3_600_000_000, i64::MAX, i64::MIN, 90_000_001];

/// A small generator of bits, so that one number stands for a whole frame.
pub(crate) struct Bits(u64);

impl Bits {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// One of the given ones, mostly.
    pub(crate) fn or<T: Copy>(&mut self, all: &[T], any: impl FnOnce(&mut Self) -> T) -> T {
        if self.below(3) == 0 { any(self) } else { self.pick(all) }
    }

    pub(crate) fn text(&mut self) -> String {
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

    pub(crate) fn cell(&mut self, ty: &Type, name: &str) -> Value {
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
            (Type::List(inner), _) => {
                let n = self.below(5);
                Value::List((0..n).map(|_| self.cell(inner, "")).collect())
            }
            (Type::Struct(fields), _) => {
                Value::Struct(fields.iter().map(|field| (field.name.clone(), self.cell(&field.ty, ""))).collect())
            }
            (Type::Binary, _) => Value::Binary(self.text().into_bytes().into()),
            _ => Value::Json(serde_json::from_str(self.pick(&JSONS)).unwrap()),
        }
    }
}

pub(crate) fn frame(seed: u64) -> DataFrame {
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
