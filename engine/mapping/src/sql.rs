//! Polars SQL over tables whose columns are known: the columns of what it gives, or what is wrong with it.
//!
//! A query reads the tables it is given and nothing else: functions that would read files are refused before Polars sees
//! them. It gives the same rows in the same order at every run, which Polars' plan of it does not promise by itself.

use std::ops::Range;
use std::sync::Arc;

use polars::lazy::dsl::DslPlan;
use polars::prelude::{DataFrame, IntoLazy, LazyFrame, MaintainOrderJoin, PolarsResult, UniqueKeepStrategy};
use polars::sql::SQLContext;
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Diagnostic, Files, Schema, Text, codes};

use crate::columns::{schema_from_polars, schema_to_polars};

/// Functions of Polars' SQL that read files.
const READS_FILES: [&str; 5] = ["read_csv", "read_ipc", "read_json", "read_ndjson", "read_parquet"];

/// The columns a query gives. `tables` are names and columns of what it may read.
///
/// # Errors
/// What is wrong with the query, at its place inside of the text where that is known.
pub fn sql_schema(text: &Text, files: &Files, tables: &[(&str, &Schema)]) -> Result<Schema, Vec<Diagnostic>> {
    let at = |range: Range<usize>| files.inside(text, range.start, range.end);
    let words = words(&text.value);
    if let Some(first) = words.first()
        && !["select", "with", "("].iter().any(|known| first.text.eq_ignore_ascii_case(known))
    {
        let message = format!("a query starts with `SELECT` or `WITH`, found `{}`", first.text);
        let problem = Diagnostic::error(codes::INVALID_SQL, at(first.range.clone()), message);
        return Err(vec![problem.help("the step `sql` reads its tables and changes nothing")]);
    }
    if let Some(word) = words.iter().find(|word| READS_FILES.iter().any(|name| word.text.eq_ignore_ascii_case(name))) {
        let message = format!("`{}` reads a file, and a query reads `input` and the nodes of `with` only", word.text);
        let problem = Diagnostic::error(codes::INVALID_SQL, at(word.range.clone()), message);
        return Err(vec![problem.help("read the file with a source, and name the source in `with`")]);
    }
    let empty = |schema: &Schema| DataFrame::empty_with_schema(&schema_to_polars(schema)).lazy();
    let frames = tables.iter().map(|(name, schema)| ((*name).to_owned(), empty(schema))).collect();
    let found = run_sql(&text.value, frames).and_then(|mut frame| {
        let schema = frame.collect_schema()?;
        // Finds what only shows when types are brought together.
        frame.describe_optimized_plan()?;
        Ok(schema)
    });
    match found {
        Ok(schema) => Ok(schema_from_polars(&schema)),
        Err(error) => {
            let Told { message, range, help } = told(&error.to_string(), &text.value, &words, tables);
            let span = range.map_or(text.span, at);
            Err(vec![Diagnostic::error(codes::INVALID_SQL, span, message).maybe_help(help)])
        }
    }
}

/// The rows a query gives, as a plan. The columns may have types of Polars' own.
///
/// # Errors
/// The query cannot be read or does not fit its tables; [`sql_schema`] says so beforehand.
pub fn run_sql(query: &str, tables: Vec<(String, LazyFrame)>) -> PolarsResult<LazyFrame> {
    let mut context = SQLContext::new();
    for (name, frame) in tables {
        context.register(&name, frame);
    }
    let frame = context.execute(query)?;
    let optimizations = frame.get_current_optimizations();
    Ok(LazyFrame::from_logical_plan(in_order(frame.logical_plan), optimizations))
}

/// The same plan with the order of rows kept where it would be left to chance.
fn in_order(plan: DslPlan) -> DslPlan {
    let below = |plan: Arc<DslPlan>| Arc::new(in_order(Arc::unwrap_or_clone(plan)));
    let all = |plans: Vec<DslPlan>| plans.into_iter().map(in_order).collect();
    match plan {
        DslPlan::Filter { input, predicate } => DslPlan::Filter { input: below(input), predicate },
        DslPlan::Cache { input, id } => DslPlan::Cache { input: below(input), id },
        DslPlan::Select { expr, input, options } => DslPlan::Select { expr, input: below(input), options },
        DslPlan::HStack { input, exprs, options } => DslPlan::HStack { input: below(input), exprs, options },
        DslPlan::GroupBy { input, keys, predicates, aggs, options, apply, .. } => {
            DslPlan::GroupBy { input: below(input), keys, predicates, aggs, maintain_order: true, options, apply }
        }
        DslPlan::Join { input_left, input_right, left_on, right_on, predicates, options } => {
            let mut options = Arc::unwrap_or_clone(options);
            if options.args.maintain_order == MaintainOrderJoin::None {
                options.args.maintain_order = MaintainOrderJoin::LeftRight;
            }
            let (input_left, input_right) = (below(input_left), below(input_right));
            DslPlan::Join { input_left, input_right, left_on, right_on, predicates, options: Arc::new(options) }
        }
        DslPlan::Distinct { input, mut options } => {
            options.maintain_order = true;
            if options.keep_strategy == UniqueKeepStrategy::Any {
                options.keep_strategy = UniqueKeepStrategy::First;
            }
            DslPlan::Distinct { input: below(input), options }
        }
        DslPlan::Sort { input, by_column, slice, mut sort_options } => {
            sort_options.maintain_order = true;
            DslPlan::Sort { input: below(input), by_column, slice, sort_options }
        }
        DslPlan::Slice { input, offset, len } => DslPlan::Slice { input: below(input), offset, len },
        DslPlan::MapFunction { input, function } => DslPlan::MapFunction { input: below(input), function },
        DslPlan::Union { inputs, mut args } => {
            args.maintain_order = true;
            DslPlan::Union { inputs: all(inputs), args }
        }
        DslPlan::HConcat { inputs, options } => DslPlan::HConcat { inputs: all(inputs), options },
        DslPlan::ExtContext { input, contexts } => DslPlan::ExtContext { input: below(input), contexts: all(contexts) },
        // What was made of the plan before is made again.
        DslPlan::IR { dsl, .. } => in_order(Arc::unwrap_or_clone(dsl)),
        other => other,
    }
}

/// A word, quoted name or sign of a query.
struct Word<'q> {
    text: &'q str,
    /// Where it stands, without its quotes.
    range: Range<usize>,
}

/// The words and names of a query, comments and text left out, and brackets.
fn words(query: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(c) = query[at..].chars().next() {
        let rest = &query[at..];
        let until =
            |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |found| from + found + end.len());
        let length = match c {
            '-' if rest.starts_with("--") => until("\n", 2),
            '/' if rest.starts_with("/*") => until("*/", 2),
            '\'' => until("'", 1),
            '"' | '`' => {
                let length = until(if c == '"' { "\"" } else { "`" }, 1);
                let inner = 1..(length - 1).max(1);
                words
                    .extend(rest.get(inner.clone()).map(|text| Word { text, range: at + inner.start..at + inner.end }));
                length
            }
            '(' => {
                words.push(Word { text: &rest[..1], range: at..at + 1 });
                1
            }
            c if c.is_alphanumeric() || c == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                words.push(Word { text: &rest[..length], range: at..at + length });
                length
            }
            c => c.len_utf8(),
        };
        at += length;
    }
    words
}

/// What is said about a query.
struct Told {
    message: String,
    range: Option<Range<usize>>,
    help: Option<String>,
}

/// Polars' error with its place, as far as it says one.
fn told(error: &str, query: &str, words: &[Word<'_>], tables: &[(&str, &Schema)]) -> Told {
    let place = |name: &str| words.iter().find(|word| word.text == name).map(|word| word.range.clone());
    let between = |start: &str, end: &str| {
        let from = error.find(start)? + start.len();
        error[from..].find(end).map(|length| error[from..from + length].to_owned())
    };
    if let Some(name) = between("relation '", "'") {
        let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
        let help = match did_you_mean(&name, names.iter().copied()) {
            Some(help) if help.starts_with("did you mean") => help,
            _ => "a query reads `input`, and the nodes it names in `with:`".to_owned(),
        };
        let range = place(&name);
        return Told { message: format!("unknown table `{name}`"), range, help: Some(help) };
    }
    let column = between("unable to find column \"", "\"").or_else(|| between("column '", "' "));
    if let Some(name) = column.filter(|_| error.contains("find column") || error.contains("not found")) {
        let names = tables.iter().flat_map(|(_, schema)| schema.names());
        let (range, help) = (place(&name), did_you_mean(&name, names));
        return Told { message: format!("unknown column `{name}`"), range, help };
    }
    let message = error.lines().next().unwrap_or_default();
    let message = message.split(" at Line: ").next().unwrap_or_default().trim_start_matches("sql parser error: ");
    let range = between(" at Line: ", ",").zip(error.split("Column: ").nth(1)).and_then(|(line, column)| {
        let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
        offset(query, line.trim().parse().ok()?, digits.parse().ok()?)
    });
    let range = range.map(|start| {
        start..words.iter().find(|word| word.range.start == start).map_or(start + 1, |word| word.range.end)
    });
    let range = range.filter(|range| range.end <= query.len());
    // What is named in quotes stands in the query, mostly.
    let named = || place(&between("'", "'")?);
    Told { message: shortened(message), range: range.or_else(named), help: None }
}

/// Of Polars' words as much as fits a line.
fn shortened(message: &str) -> String {
    let message = message.trim_end_matches(['.', ':', ' ']);
    if message.chars().count() <= 200 {
        return message.to_owned();
    }
    message.chars().take(200).chain("…".chars()).collect()
}

/// The byte of a line and a column, both from 1.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let start = match line.checked_sub(1)? {
        0 => 0,
        before => text.match_indices('\n').nth(before - 1).map(|(at, _)| at + 1)?,
    };
    let rest = text.get(start..)?;
    let within = rest.char_indices().nth(column.checked_sub(1)?).map_or(rest.len(), |(at, _)| at);
    Some(start + within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_spec::{Field, Type};

    fn said(query: &str) -> Result<Schema, String> {
        let people = Schema::new(vec![Field::new("id", Type::Int), Field::new("name", Type::Text)]);
        let text = Text { value: query.to_owned(), ..Text::default() };
        sql_schema(&text, &Files::new(), &[("input", &people), ("others", &people)])
            .map_err(|problems| problems[0].message.clone())
    }

    #[test]
    fn a_query_gives_types_of_the_language() {
        let schema = said("SELECT name, COUNT(*) AS n, AVG(id) AS m FROM input GROUP BY name").expect("a schema");
        let types: Vec<String> = schema.fields.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
        assert_eq!(types, ["name: text", "n: int", "m: float"]);
    }

    #[test]
    fn only_what_reads_its_tables_is_a_query() {
        for query in ["DELETE FROM input", "DROP TABLE input", "CREATE TABLE a AS SELECT * FROM input", "SHOW TABLES"] {
            assert!(said(query).expect_err(query).starts_with("a query starts with"), "{query}");
        }
        for query in
            ["SELECT * FROM read_csv('x.csv')", "SELECT * FROM Read_Parquet ('x')", "SELECT * FROM \"read_csv\"('x')"]
        {
            assert!(said(query).expect_err(query).contains("reads a file"), "{query}");
        }
        assert!(said("SELECT 'read_csv' AS x FROM input -- read_csv\n").is_ok());
        assert!(said("SELECT * FROM input; SELECT * FROM input").is_err());
    }

    #[test]
    fn wrong_names_are_named() {
        assert_eq!(said("SELECT nam FROM input"), Err("unknown column `nam`".to_owned()));
        assert_eq!(said("SELECT * FROM inputs"), Err("unknown table `inputs`".to_owned()));
        assert!(said("SELECT FROM WHERE").is_err());
        assert!(said("SELECT * FROM input WHERE name + 1 > id - name").is_err());
        assert!(said("").is_err());
    }
}
