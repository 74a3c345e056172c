//! The step `join`.

use super::super::pipeline::{JoinDoc, JoinHow};
use super::super::reshape::{AsofDoc, Cardinality, Direction, Tolerance};
use super::super::tree::{Scalar, Tree, Value};
use super::steps::options;
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::Diagnostic;
use crate::source_text::{Span, Text};

const HOW: [(&str, JoinHow); 7] = [
    ("left", JoinHow::Left),
    ("inner", JoinHow::Inner),
    ("full", JoinHow::Full),
    ("semi", JoinHow::Semi),
    ("anti", JoinHow::Anti),
    ("cross", JoinHow::Cross),
    ("asof", JoinHow::Asof),
];

const VALIDATE: [(&str, Cardinality); 4] = [
    ("1:1", Cardinality::OneToOne),
    ("m:1", Cardinality::ManyToOne),
    ("1:m", Cardinality::OneToMany),
    ("m:m", Cardinality::ManyToMany),
];

const DIRECTIONS: [(&str, Direction); 3] =
    [("backward", Direction::Backward), ("forward", Direction::Forward), ("nearest", Direction::Nearest)];

pub(super) fn join(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<JoinDoc> {
    let mut reader = options(key, tree, problems)?;
    let with = reader.required_text("with");
    let how = reader.optional("how", decode::choice(&HOW)).unwrap_or_default();
    let no_key_needed = matches!(how, JoinHow::Cross | JoinHow::Asof);
    let on = if no_key_needed { reader.optional("on", columns) } else { reader.required("on", columns) };
    let suffix = reader.optional_text("suffix");
    let asof = if how == JoinHow::Asof {
        if !reader.has("asof") {
            reader.missing("the key `asof`", "say what is near, e.g. `asof: {at: day}`");
        }
        Some(reader.optional("asof", asof))
    } else {
        if reader.has("asof") {
            reader.missing("`how: asof` for `asof`", "write `how: asof`, or leave `asof` out");
        }
        reader.known(&["asof"]);
        None
    };
    let validate = reader.optional("validate", decode::choice(&VALIDATE));
    if how == JoinHow::Cross {
        reader.conflict("how", "on", "a cross join pairs every row with every row: leave `on` out");
        reader.conflict("how", "validate", "a cross join has no keys to check: leave `validate` out");
    }
    reader.finish();
    // What is wrong with `asof` was said.
    let asof = match asof {
        Some(None) => return None,
        Some(read) => read,
        None => None,
    };
    Some(JoinDoc { with: with?, on: on.unwrap_or_default(), how, suffix, asof, validate })
}

/// `id`, `[id, day]`, or `{id: user_id}`.
fn columns(tree: &Tree, problems: &mut Problems) -> Option<Vec<(Text, Text)>> {
    let columns = if tree.as_map().is_some() {
        decode::map(decode::text)(tree, problems)?
    } else {
        let same = |tree: &Tree, problems: &mut Problems| decode::text(tree, problems).map(|name| (name.clone(), name));
        decode::one_or_many(same)(tree, problems)?
    };
    if columns.is_empty() {
        let message = "expected at least one column to join on";
        problems.push(
            Diagnostic::error(codes::INVALID_VALUE, tree.span, message).help("write e.g. `on: id`, or `how: cross`"),
        );
        return None;
    }
    Some(columns)
}

fn asof(tree: &Tree, problems: &mut Problems) -> Option<AsofDoc> {
    let mut reader = MapReader::of(tree, "`asof`", problems)?;
    let at = reader.required("at", at);
    let direction = reader.optional("direction", decode::choice(&DIRECTIONS)).unwrap_or_default();
    let tolerance = reader.optional("tolerance", tolerance);
    reader.finish();
    Some(AsofDoc { at: at?, direction, tolerance })
}

/// `day`, `[day, valid_from]` or `{day: valid_from}`: the column here, and the one there.
fn at(tree: &Tree, problems: &mut Problems) -> Option<(Text, Text)> {
    let mut pairs = match &tree.value {
        Value::Map(_) => decode::map(decode::text)(tree, problems)?,
        Value::List(items) => match items.as_slice() {
            [here, there] => {
                let (here, there) = (decode::text(here, problems), decode::text(there, problems));
                vec![(here?, there?)]
            }
            _ => Vec::new(),
        },
        Value::Scalar(_) => decode::text(tree, problems).map(|name| vec![(name.clone(), name)])?,
    };
    match (pairs.pop(), pairs.is_empty()) {
        (Some(pair), true) => Some(pair),
        _ => {
            let message = "expected one column, or one here and one there";
            let help = "write e.g. `at: day`, or `at: [day, valid_from]`";
            problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message).help(help));
            None
        }
    }
}

/// A duration, or a number for columns of numbers.
fn tolerance(tree: &Tree, problems: &mut Problems) -> Option<(Tolerance, Span)> {
    let read = match tree.value {
        Value::Scalar(Scalar::Int(_) | Scalar::Float(_)) => Tolerance::Number(decode::number(tree, problems)?),
        _ => Tolerance::Time(decode::duration(tree, problems)?),
    };
    if let Tolerance::Number(number) = read
        && (number.is_nan() || number < 0.0)
    {
        let message = "expected 0 or more";
        problems.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message));
        return None;
    }
    Some((read, tree.span))
}
