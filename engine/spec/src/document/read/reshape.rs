//! The steps `window`, `pivot`, `unpivot` and `sql`.

use super::super::reshape::{PivotDoc, SqlDoc, Unlisted, UnpivotDoc, WindowDoc};
use super::super::tree::{Scalar, Tree, Value};
use super::steps::{options, sort_key};
use crate::codes;
use crate::decode::{self, Problems};
use crate::diagnostic::Diagnostic;
use crate::source_text::Text;

/// Reports that nothing is there where something must be.
fn empty<T>(tree: &Tree, message: &str, help: &str, problems: &mut Problems) -> Option<T> {
    problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message).help(help));
    None
}

pub(super) fn window(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<WindowDoc> {
    let mut reader = options(key, tree, problems)?;
    let by = reader.optional("by", decode::one_or_many(decode::text)).unwrap_or_default();
    let order_by = reader.optional("order_by", decode::one_or_many(sort_key)).unwrap_or_default();
    let values = reader.required("values", |tree, problems| {
        let values = decode::map(decode::expression)(tree, problems)?;
        if tree.as_map().is_some_and(|map| map.entries.is_empty()) {
            let help = "write e.g. `values: {place: row_number()}`";
            return empty(tree, "expected columns, found an empty mapping", help, problems);
        }
        Some(values)
    });
    reader.finish();
    Some(WindowDoc { by, order_by, values: values? })
}

pub(super) fn pivot(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<PivotDoc> {
    let mut reader = options(key, tree, problems)?;
    let on = reader.required_text("on");
    let values = reader.required("values", codes_of);
    let by = reader.optional("by", decode::one_or_many(decode::text)).unwrap_or_default();
    let take = reader.required("take", decode::expression);
    let otherwise = [("reject", Unlisted::Reject), ("ignore", Unlisted::Ignore), ("fail", Unlisted::Fail)];
    let otherwise = reader.optional("else", decode::choice(&otherwise)).unwrap_or_default();
    reader.finish();
    Some(PivotDoc { on: on?, values: values?, by, take: take?, otherwise })
}

/// `{column: code}`, or `[code, …]` where the columns are named as the codes.
fn codes_of(tree: &Tree, problems: &mut Problems) -> Option<Vec<(Text, Tree)>> {
    let read = match &tree.value {
        Value::Map(_) => decode::map(code)(tree, problems)?,
        Value::List(items) => items
            .iter()
            .filter_map(|item| {
                let code = code(item, problems)?;
                let name = match item.as_text() {
                    Some(text) => text.clone(),
                    None => Text::new(item.to_json().to_string(), item.span),
                };
                Some((name, code))
            })
            .collect(),
        Value::Scalar(_) => {
            decode::wrong_type(tree, "columns with their codes, or a list of codes", problems);
            return None;
        }
    };
    let is_empty = match &tree.value {
        Value::Map(map) => map.entries.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Scalar(_) => false,
    };
    if is_empty {
        let help = "write the codes that become columns, e.g. `values: [open, closed]`";
        return empty(tree, "expected at least one code", help, problems);
    }
    Some(read)
}

fn code(tree: &Tree, problems: &mut Problems) -> Option<Tree> {
    match &tree.value {
        Value::Scalar(Scalar::Null) | Value::List(_) | Value::Map(_) => {
            decode::wrong_type(tree, "a code: text, a number, true or false", problems);
            None
        }
        Value::Scalar(_) => Some(tree.clone()),
    }
}

pub(super) fn unpivot(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<UnpivotDoc> {
    let mut reader = options(key, tree, problems)?;
    let columns = reader.required("columns", |tree, problems| {
        let columns = decode::one_or_many(decode::text)(tree, problems)?;
        if tree.as_list().is_some_and(<[Tree]>::is_empty) {
            return empty(tree, "expected at least one column", "write e.g. `columns: [jan, feb]`", problems);
        }
        Some(columns)
    });
    let name = reader.required_text("name");
    let value = reader.required_text("value");
    let drop_null = reader.bool("drop_null").unwrap_or_default();
    reader.finish();
    Some(UnpivotDoc { columns: columns?, name: name?, value: value?, drop_null })
}

/// The query alone, or with the nodes it reads.
pub(super) fn sql(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<SqlDoc> {
    if tree.as_map().is_none() {
        return Some(SqlDoc { query: query(tree, problems)?, with: Vec::new() });
    }
    let mut reader = options(key, tree, problems)?;
    let query = reader.required("query", query);
    let with = reader.optional("with", decode::one_or_many(decode::text)).unwrap_or_default();
    reader.finish();
    Some(SqlDoc { query: query?, with })
}

fn query(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    let text = decode::text(tree, problems)?;
    if text.value.trim().is_empty() {
        return empty(tree, "expected a query, found empty text", "write e.g. `SELECT * FROM input`", problems);
    }
    Some(text)
}
