//! Windows against the plainest way to say what they mean: for each row, look at all others.

use super::rows::windowed;
use super::{OrderBy, compile_window};
use crate::columns::values_to_series;
use crate::frame::FrameRows;
use crate::scope::{Constants, Row, Scope};
use crate::value::Value;
use polars::prelude::{DataFrame, IntoColumn};
use std::cmp::Ordering;
use towpath_spec::{Field, Files, Schema, Text, Type};

/// Numbers that look random and are the same at every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn schema() -> Schema {
    Schema::new(vec![Field::new("k", Type::Text), Field::new("o", Type::Int), Field::new("x", Type::Int)])
}

fn frame(numbers: &mut Numbers, height: usize) -> DataFrame {
    let mut cells = |text: bool, bound: u64| -> Vec<Value> {
        (0..height)
            .map(|_| match numbers.below(bound) {
                0 => Value::Null,
                n if text => Value::from(format!("g{n}").as_str()),
                n => Value::Int(i64::try_from(n).expect("a small number")),
            })
            .collect()
    };
    let columns =
        [("k", Type::Text, cells(true, 4)), ("o", Type::Int, cells(false, 6)), ("x", Type::Int, cells(false, 9))];
    let columns = columns.map(|(name, ty, cells)| values_to_series(name, &ty, &cells).expect("a column").into_column());
    DataFrame::new(height, columns.to_vec()).expect("a frame")
}

fn order(a: &Value, b: &Value, key: &OrderBy) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => {
            if key.nulls_first {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (_, Value::Null) => {
            if key.nulls_first {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (Value::Int(a), Value::Int(b)) => {
            if key.descending {
                b.cmp(a)
            } else {
                a.cmp(b)
            }
        }
        other => panic!("{other:?}"),
    }
}

/// What a function gives for a row: `group` are the rows of its group in order, `at` is its place in it.
fn plain(function: &str, group: &[(Value, Value)], at: usize, is_ordered: bool) -> Value {
    let int = |n: usize| Value::Int(i64::try_from(n).expect("a small number"));
    let peers = |other: usize| group[other].0 == group[at].0;
    let first_peer = (0..=at).find(|other| peers(*other)).expect("at least the row itself");
    let seen = if is_ordered { &group[..=at] } else { group };
    let known: Vec<i64> =
        seen.iter().filter_map(|(_, x)| if let Value::Int(x) = x { Some(*x) } else { None }).collect();
    let of_known = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
    match function {
        "row_number()" => int(at + 1),
        "rank()" => int(first_peer + 1),
        "dense_rank()" => int((1..=first_peer).filter(|other| group[*other].0 != group[*other - 1].0).count() + 1),
        "lag(x, 2)" => at.checked_sub(2).map_or(Value::Null, |other| group[other].1.clone()),
        "lead(x)" => group.get(at + 1).map_or(Value::Null, |other| other.1.clone()),
        "first(x)" => group[0].1.clone(),
        "last(x)" => group[group.len() - 1].1.clone(),
        "count()" => int(seen.len()),
        "count(x)" => int(known.len()),
        "sum(x)" => of_known((!known.is_empty()).then(|| known.iter().sum())),
        "min(x)" => of_known(known.iter().min().copied()),
        "max(x)" => of_known(known.iter().max().copied()),
        other => panic!("{other}"),
    }
}

const FUNCTIONS: [&str; 12] = [
    "row_number()",
    "rank()",
    "dense_rank()",
    "lag(x, 2)",
    "lead(x)",
    "first(x)",
    "last(x)",
    "count()",
    "count(x)",
    "sum(x)",
    "min(x)",
    "max(x)",
];

#[test]
fn every_function_is_what_it_is_row_by_row() {
    let mut numbers = Numbers(7);
    let (files, schema) = (Files::new(), schema());
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    for round in 0..200 {
        let height = usize::try_from(numbers.below(40)).expect("a small number");
        let frame = frame(&mut numbers, height);
        let (descending, nulls_first) = (numbers.below(2) == 0, numbers.below(2) == 0);
        let key = OrderBy { column: "o".into(), descending, nulls_first };
        let by: Vec<String> = (numbers.below(4) > 0).then(|| "k".to_owned()).into_iter().collect();
        let is_ordered = numbers.below(3) > 0;
        let order_by: Vec<OrderBy> = is_ordered.then(|| key.clone()).into_iter().collect();
        let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
        let functions = FUNCTIONS.iter().filter(|function| is_ordered || !function.contains("rank"));
        let values: Vec<_> = functions
            .map(|function| {
                let text = Text { value: (*function).to_owned(), ..Text::default() };
                ((*function).to_owned(), compile_window(&text, &scope, is_ordered).expect(function))
            })
            .collect();
        let found = windowed(&frame, &by, &order_by, &values, &constants).expect("columns");
        let found_schema = Schema::new(
            values.iter().map(|(name, value)| Field { name: name.clone(), ..value.field.clone() }).collect(),
        );
        let found = DataFrame::new(height, found).expect("a frame");
        let found = FrameRows::new(&found, &found_schema).expect("rows");
        let rows = FrameRows::new(&frame, &schema).expect("rows");
        for row in 0..height {
            let group_of = |row: usize| if by.is_empty() { Value::Null } else { rows.row(row).get("k") };
            let mut group: Vec<usize> = (0..height).filter(|other| group_of(*other) == group_of(row)).collect();
            if is_ordered {
                group.sort_by(|a, b| order(&rows.row(*a).get("o"), &rows.row(*b).get("o"), &key));
            }
            let at = group.iter().position(|other| *other == row).expect("the row itself");
            let group: Vec<(Value, Value)> =
                group.iter().map(|other| (rows.row(*other).get("o"), rows.row(*other).get("x"))).collect();
            for (function, _) in &values {
                let expected = plain(function, &group, at, is_ordered);
                assert_eq!(
                    found.row(row).get(function),
                    expected,
                    "{function} of row {row} in round {round}:\n{frame}"
                );
            }
        }
    }
}
