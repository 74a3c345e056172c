//! The steps of a transform.

use super::super::pipeline::{CheckDoc, CheckElse, Keep, LookupDoc, Missing, StepDoc, StepKind};
use super::super::reshape::SortKey;
use super::super::tree::{Entry, Tree};
use super::join::join;
use super::nodes::MAX_CONCURRENCY;
use super::reshape::{pivot, sql, unpivot, window};
use super::shared::{count, target};
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::{Diagnostic, did_you_mean, nearest, shown};
use crate::source_text::{Style, Text};

/// The steps.
pub const STEPS: [&str; 21] = [
    "filter",
    "map",
    "set",
    "select",
    "drop",
    "rename",
    "cast",
    "join",
    "union",
    "aggregate",
    "window",
    "distinct",
    "sort",
    "limit",
    "explode",
    "unnest",
    "pivot",
    "unpivot",
    "lookup",
    "check",
    "sql",
];

/// What other tools call our steps.
const ELSEWHERE: [(&str, &str); 20] = [
    ("where", "filter"),
    ("with_columns", "set"),
    ("mutate", "set"),
    ("add", "set"),
    ("remove", "drop"),
    ("group_by", "aggregate"),
    ("groupby", "aggregate"),
    ("dedupe", "distinct"),
    ("deduplicate", "distinct"),
    ("unique", "distinct"),
    ("order_by", "sort"),
    ("concat", "union"),
    ("append", "union"),
    ("head", "limit"),
    ("flatten", "unnest"),
    ("assert", "check"),
    ("over", "window"),
    ("melt", "unpivot"),
    ("pivot_wider", "pivot"),
    ("query", "sql"),
];

/// Reads a list item with exactly one step in it.
pub(super) fn step(tree: &Tree, problems: &mut Problems) -> Option<StepDoc> {
    let Some(map) = tree.as_map() else {
        decode::wrong_type(tree, "a step such as `- filter: …`", problems);
        return None;
    };
    let entries: Vec<&Entry> = map.entries.iter().filter(|entry| !entry.key.value.starts_with("x-")).collect();
    let is_step = |entry: &&&Entry| STEPS.contains(&entry.key.as_str());
    let steps: Vec<&&Entry> = entries.iter().filter(is_step).collect();
    match (steps.as_slice(), entries.as_slice()) {
        ([_], [only]) => known(only, problems),
        ([one], _) => {
            for other in entries.iter().filter(|other| other.key.span != one.key.span) {
                let message = format!("unknown key `{}` beside the step `{}`", shown(&other.key.value), one.key);
                let help = format!(
                    "a step is one key: indent `{}` below `{}:`, or start another item with `- `",
                    shown(&other.key.value),
                    one.key
                );
                problems.push(Diagnostic::error(codes::UNKNOWN_KEY, other.key.span, message).help(help));
            }
            None
        }
        ([first, second, ..], _) => {
            let message =
                format!("found the steps `{}` and `{}` in one list item, expected one", first.key, second.key);
            let problem = Diagnostic::error(codes::SEVERAL_STEPS, second.key.span, message);
            problems.push(
                problem
                    .label(first.key.span, "the first one")
                    .help(format!("start another item: `- {}: …`", second.key)),
            );
            None
        }
        ([], []) => {
            let message = "found an empty list item, expected a step";
            problems.push(Diagnostic::error(codes::UNKNOWN_STEP, tree.span, message).help(valid_steps()));
            None
        }
        ([], [first, ..]) => {
            let written = first.key.as_str();
            let message = format!("unknown step `{}`", shown(written));
            let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == written).map(|(_, ours)| *ours);
            let help = match elsewhere.or_else(|| nearest(written, STEPS)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => valid_steps(),
            };
            problems.push(Diagnostic::error(codes::UNKNOWN_STEP, first.key.span, message).help(help));
            None
        }
    }
}

fn valid_steps() -> String {
    did_you_mean("", STEPS).unwrap_or_default()
}

/// Reads the value of a key that is the name of a step.
fn known(entry: &Entry, problems: &mut Problems) -> Option<StepDoc> {
    let key = &entry.key;
    let kind = decode::of_key(key.as_str(), &entry.value, problems, |tree, problems| kind(key, tree, problems));
    Some(StepDoc { kind: kind?, span: key.span })
}

fn kind(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<StepKind> {
    let mut texts = decode::one_or_many(decode::text);
    Some(match key.as_str() {
        "filter" => StepKind::Filter(decode::expression(tree, problems)?),
        "map" => StepKind::Map(columns(tree, problems)?),
        "set" => StepKind::Set(columns(tree, problems)?),
        "select" => StepKind::Select(texts(tree, problems)?),
        "drop" => StepKind::Drop(texts(tree, problems)?),
        "rename" => StepKind::Rename(decode::map(decode::text)(tree, problems)?),
        "cast" => StepKind::Cast(decode::map(decode::column_type)(tree, problems)?),
        "join" => StepKind::Join(join(key, tree, problems)?),
        "union" => StepKind::Union(texts(tree, problems)?),
        "aggregate" => aggregate(key, tree, problems)?,
        "window" => StepKind::Window(window(key, tree, problems)?),
        "pivot" => StepKind::Pivot(pivot(key, tree, problems)?),
        "unpivot" => StepKind::Unpivot(unpivot(key, tree, problems)?),
        "sql" => StepKind::Sql(sql(key, tree, problems)?),
        "distinct" => distinct(key, tree, problems)?,
        "sort" => StepKind::Sort(decode::one_or_many(sort_key)(tree, problems)?),
        "limit" => StepKind::Limit(decode::int(0..=i64::MAX)(tree, problems)?.unsigned_abs()),
        "explode" => StepKind::Explode(decode::text(tree, problems)?),
        "unnest" => StepKind::Unnest(decode::text(tree, problems)?),
        "lookup" => StepKind::Lookup(lookup(key, tree, problems)?),
        "check" => StepKind::Check(decode::one_or_many(check)(tree, problems)?),
        _ => return None,
    })
}

pub(super) fn options<'a, 'p>(key: &Text, tree: &'a Tree, problems: &'p mut Problems) -> Option<MapReader<'a, 'p>> {
    Some(MapReader::of(tree, format!("the step `{key}`"), problems)?.at(key.span))
}

fn columns(tree: &Tree, problems: &mut Problems) -> Option<Vec<(Text, Tree)>> {
    let columns = decode::map(decode::any)(tree, problems)?;
    if columns.is_empty() {
        let message = "expected columns, found an empty mapping";
        problems.push(
            Diagnostic::error(codes::INVALID_VALUE, tree.span, message)
                .help("write e.g. `name: \"{{ name | trim }}\"`"),
        );
        return None;
    }
    Some(columns)
}

/// `name`, `-name`, or `{column: name, descending: true, nulls: first}`.
pub(super) fn sort_key(tree: &Tree, problems: &mut Problems) -> Option<SortKey> {
    if tree.as_map().is_some() {
        let mut reader = MapReader::of(tree, "a sort key", problems)?;
        let column = reader.required_text("column");
        let descending = reader.bool("descending").unwrap_or_default();
        let nulls_first =
            reader.optional("nulls", decode::choice(&[("first", true), ("last", false)])).unwrap_or_default();
        reader.finish();
        return Some(SortKey { column: column?, descending, nulls_first });
    }
    let mut column = decode::text(tree, problems)?;
    let descending = column.value.starts_with('-');
    if descending {
        column.value.remove(0);
        if column.style == Style::Plain {
            column.span.start += 1;
        }
    }
    Some(SortKey { column, descending, nulls_first: false })
}

fn aggregate(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<StepKind> {
    let mut reader = options(key, tree, problems)?;
    let by = reader.optional("by", decode::one_or_many(decode::text)).unwrap_or_default();
    let values = reader.map("values", decode::expression);
    reader.require_one_of(&["by", "values"], "write e.g. `values: {orders: count()}`");
    reader.finish();
    Some(StepKind::Aggregate { by, values })
}

fn distinct(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<StepKind> {
    let mut reader = options(key, tree, problems)?;
    let on = reader.optional("on", decode::one_or_many(decode::text)).unwrap_or_default();
    let keep = decode::choice(&[("first", Keep::First), ("last", Keep::Last)]);
    let keep = reader.optional("keep", keep).unwrap_or_default();
    let order_by = reader.optional("order_by", decode::one_or_many(sort_key)).unwrap_or_default();
    reader.finish();
    Some(StepKind::Distinct { on, keep, order_by })
}

fn lookup(key: &Text, tree: &Tree, problems: &mut Problems) -> Option<LookupDoc> {
    let mut reader = options(key, tree, problems)?;
    let target = target(&mut reader);
    let stream = reader.required_text("stream");
    let with = reader.map("with", decode::any);
    let matching = reader.optional("match", decode::expression);
    let take = reader.required("take", decode::map(decode::text)).unwrap_or_default();
    let missing = [("reject", Missing::Reject), ("null", Missing::Null), ("fail", Missing::Fail)];
    let missing = reader.optional("missing", null_word(decode::choice(&missing))).unwrap_or_default();
    let cache = reader.bool("cache").unwrap_or(true);
    let concurrency = count(&mut reader, "concurrency", 1, MAX_CONCURRENCY);
    reader.finish();
    Some(LookupDoc { target: target?, stream: stream?, with, matching, take, missing, cache, concurrency })
}

/// `missing: null` is YAML's null where the word is meant.
fn null_word<T>(read: impl Fn(&Tree, &mut Problems) -> Option<T>) -> impl Fn(&Tree, &mut Problems) -> Option<T> {
    use super::super::tree::{Scalar, Value};
    move |tree, problems| match tree.value {
        Value::Scalar(Scalar::Null) if tree.span.end > tree.span.start => {
            let word = Value::Scalar(Scalar::Text(Text::new("null", tree.span)));
            read(&Tree { value: word, span: tree.span }, problems)
        }
        _ => read(tree, problems),
    }
}

fn check(tree: &Tree, problems: &mut Problems) -> Option<CheckDoc> {
    let mut reader = MapReader::of(tree, "a check", problems)?;
    let name = reader.required("name", decode::text);
    let expect = reader.required("expect", decode::expression);
    let otherwise = [("reject", CheckElse::Reject), ("warn", CheckElse::Warn), ("fail", CheckElse::Fail)];
    let otherwise = reader.optional("else", decode::choice(&otherwise)).unwrap_or_default();
    reader.finish();
    Some(CheckDoc { name: name?, expect: expect?, otherwise })
}
