//! Templates as columns, beside the same written by hand in Polars, beside MiniJinja row by row; and every function's
//! columns beside its own interpreter.
//!
//! Measured inside of this process, unlike all else here: what is compared is a few hundredths of a second long.

mod functions;

use crate::Result;
use crate::bench::{Bench, Finding, Report};
use crate::numbers::{median, one_of, roll};
use crate::table::{count, size};
use minijinja::{Environment, context};
use polars::prelude::*;
use std::time::Instant;
use towpath_mapping::{Computed, Constants, Scope, compile_template, evaluate, schema_from_polars};
use towpath_spec::{Files, Text};

/// Rows unless others are asked for.
const SIZES: [u64; 1] = [1_000_000];
/// Rows of a batch, as a run has them.
const BATCH: usize = 50_000;
/// Times each is measured; the median counts.
const TIMES: usize = 5;

/// Names and templates of three fields, as a pipeline would have them.
const FIELDS: [(&str, &str); 3] = [
    ("name", "{{ first_name | trim }} {{ last_name | upper }}"),
    ("result", "{{ 'Passed' if status == 'P' else 'Failed' }}"),
    ("points", "{{ score | default('0') | int }}"),
];

/// Measures.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    for rows in bench.sizes(&SIZES) {
        let frame = people(rows)?;
        let (ours, by_hand) = (columns(&frame)?, hand(&frame)?);
        if !ours.equals_missing(&by_hand) {
            return Err("the templates and the plan by hand gave different values".into());
        }
        let name = format!("mapping, {} rows", size(rows));
        let compiled = timed(|| columns(&frame).map(drop))?;
        let by_hand = timed(|| hand(&frame).map(drop))?;
        let by_row = timed(|| rendered(&frame).map(drop))?;
        let rate = |seconds: f64| format!("{} rows/s", count(rows as f64 / seconds));
        let (share, times) = (by_hand / compiled, by_row / compiled);
        let mut found = |what, other: f64, result: String, target, met| {
            let (bench, towpath) = (name.clone(), rate(compiled));
            report.findings.push(Finding { bench, what, towpath, other: rate(other), result, target, met });
        };
        found("beside Polars by hand", by_hand, format!("{share:.2}"), "≥ 0.85", share >= 0.85);
        found("beside MiniJinja row by row", by_row, format!("{times:.1} times"), "≥ 8 times", times >= 8.0);
    }
    functions::measure()
}

fn people(rows: u64) -> Result<DataFrame> {
    let first = [" Ada ", "Grace", " Alan", "Edsger ", "Barbara"];
    let last = ["Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov"];
    let text = |all: &'static [&'static str], salt: u64| {
        (0..rows).map(move |row| one_of(all, roll(row ^ salt))).collect::<Vec<&str>>()
    };
    let score = |row| (!roll(row).is_multiple_of(7)).then(|| (roll(row) % 100).to_string());
    Ok(df!(
        "first_name" => text(first.to_vec().leak(), 0),
        "last_name" => text(last.to_vec().leak(), 1),
        "status" => text(&["P", "F", "I"], 2),
        "score" => (0..rows).map(score).collect::<Vec<Option<String>>>(),
    )?)
}

/// The median of some measurements, in seconds.
fn timed(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut taken = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        work()?;
        taken.push(begun.elapsed().as_secs_f64());
    }
    Ok(median(taken))
}

/// Does something to each batch.
fn batches(frame: &DataFrame, mut work: impl FnMut(DataFrame) -> Result<DataFrame>) -> Result<DataFrame> {
    let mut all: Option<DataFrame> = None;
    for from in (0..frame.height()).step_by(BATCH) {
        let done = work(frame.slice(i64::try_from(from)?, BATCH))?;
        match &mut all {
            Some(all) => drop(all.vstack_mut(&done)?),
            None => all = Some(done),
        }
    }
    Ok(all.unwrap_or_default())
}

fn columns(frame: &DataFrame) -> Result<DataFrame> {
    let (files, schema) = (Files::new(), schema_from_polars(frame.schema()));
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    let mut computed = Vec::new();
    for (name, template) in FIELDS {
        let text = Text { value: template.to_owned(), ..Text::default() };
        let compiled = compile_template(&text, &scope).map_err(|problems| format!("{name}: {problems:?}"))?;
        computed.push(Computed::new(name, &compiled, &constants));
    }
    batches(frame, |batch| {
        let evaluated = evaluate(&batch, &computed)?;
        if evaluated.has_failures() {
            return Err("a row failed".into());
        }
        Ok(DataFrame::new(batch.height(), evaluated.values)?)
    })
}

fn hand(frame: &DataFrame) -> Result<DataFrame> {
    batches(frame, |batch| {
        let name = concat_str(
            [col("first_name").str().strip_chars(lit(NULL)), lit(" "), col("last_name").str().to_uppercase()],
            "",
            true,
        );
        let result = when(col("status").eq_missing(lit("P"))).then(lit("Passed")).otherwise(lit("Failed"));
        let points = col("score").fill_null(lit("0")).strict_cast(DataType::Int64);
        let fields = [name.alias("name"), result.alias("result"), points.alias("points")];
        Ok(batch.lazy().select(fields).collect()?)
    })
}

/// What rendering each field of each row costs, its output as text.
fn rendered(frame: &DataFrame) -> Result<usize> {
    let mut environment = Environment::new();
    for (name, template) in FIELDS {
        environment.add_template(name, template)?;
    }
    let templates = FIELDS.map(|(name, _)| environment.get_template(name));
    let [first, last, status, score] =
        ["first_name", "last_name", "status", "score"].map(|name| frame.column(name).and_then(|column| column.str()));
    let (first, last, status, score) = (first?, last?, status?, score?);
    let mut length = 0;
    for row in 0..frame.height() {
        let score = score.get(row).map_or(minijinja::Value::UNDEFINED, minijinja::Value::from);
        let values = context! {
            first_name => first.get(row), last_name => last.get(row), status => status.get(row), score => score
        };
        for template in &templates {
            let template = template.as_ref().map_err(ToString::to_string)?;
            length += template.render(&values)?.len();
        }
    }
    Ok(length)
}
