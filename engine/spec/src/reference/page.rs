//! The tables as Markdown.

use super::documents::{PIPELINE, PROJECT};
use super::steps::STEP_ENTRIES;
use super::{Entry, Example, Mapping, Need, StepEntry};
use std::fmt::Write;

const LANGUAGE: &str = "\
Documents are YAML 1.2. `on`, `off`, `yes` and `no` are text. Unknown and duplicate keys are errors, and keys that begin \
with `x-` are yours. YAML is read first and templates are filled in afterwards: a value can never change the structure.

* A **template** is text with `{{ }}`. One that is a single `{{ expression }}` keeps type and null of the expression; \
anything else gives text, in which null is nothing. Templates have to be quoted, since YAML takes a bare `{{` for a \
mapping.
* An **expression** is written without braces: `filter: age >= 18`.
* Over rows the names are the columns, `row[\"odd name\"]`, `params` and `run`. In connections and in `with:` of a \
source they are `env`, `secret`, `params`, `run` and `state`.

All filters and functions: [functions.md](functions.md). Connectors and their settings: [connectors.md](connectors.md).
";

const OUTPUTS: &str = "\
Every node has a second output, and sinks that use an operation have a third. Any `input:`, `join` or `union` may name \
them.

| output | of | columns |
|---|---|---|
| `NAME` | sources, transforms | its rows |
| `NAME.rejects` | every node | `node`, `step` (from 1), `field`, `value`, `reason`, `row` (the whole row, as JSON) |
| `NAME.results` | sinks with an operation | the columns of `key`, `outcome` (`delivered`, `unchanged`, `refused`, `unknown`), `message`, and the fields of the answer that the operation names |
";

/// Types with what they hold and how they are written; the names are held to those of the language by a test.
pub(super) const TYPES: &[(&str, &str, &str)] = &[
    ("bool", "`bool`", "true or false"),
    ("int", "`int`", "a whole number of 64 bits"),
    ("float", "`float`", "a floating point number of 64 bits"),
    ("decimal", "`decimal(10,2)`", "an exact number: digits in all, digits behind the point"),
    ("text", "`text`", "Unicode text"),
    ("date", "`date`", "a day"),
    (
        "datetime",
        "`datetime`, `datetime('Europe/London')`, `datetime(none)`",
        "an instant, shown in UTC or in a zone; or a wall-clock time without a zone",
    ),
    ("duration", "`duration`", "a span of time"),
    ("binary", "`binary`", "bytes"),
    ("list", "`list<text>`", "values of one type"),
    ("struct", "`struct{a: int, b: text}`", "named fields"),
    ("json", "`json`", "any JSON value"),
];

/// Quantities with examples, all of them read by a test.
pub(super) const QUANTITIES: &[(&str, &[&str], &str)] = &[
    (
        "duration",
        &["PT1H", "P1DT12H", "P2W", "500ms", "90s", "15m", "2h", "1d"],
        "ISO 8601, or a number with a unit; years and months are refused, as they differ in length",
    ),
    (
        "size",
        &["2GiB", "512 MB", "1048576"],
        "`kB`, `MB`, `GB`, `TB` are powers of 1000, `KiB`, `MiB`, `GiB`, `TiB` of 1024",
    ),
    ("rate", &["10/s", "600/min", "5/2s", "1000/h"], "requests in a time"),
];

/// The page, in Markdown, without a title.
pub fn markdown() -> String {
    let mut out = String::from(LANGUAGE);
    out.push_str("\n## Contents\n\n");
    let titles = PIPELINE.iter().chain(PROJECT).map(|mapping| mapping.title);
    for title in titles.chain(["Outputs", "Steps", "Types", "Quantities"]) {
        let _ = writeln!(out, "* {}", link(title));
    }
    let steps: Vec<String> = STEP_ENTRIES.iter().map(|step| link(step.name)).collect();
    let _ = writeln!(out, "\nSteps: {}\n", steps.join(" · "));
    PIPELINE.iter().for_each(|mapping| one_mapping(&mut out, mapping));
    let _ = writeln!(out, "## Outputs\n\n{OUTPUTS}");
    out.push_str("## Steps\n\nEach item of `steps:` has exactly one of these keys.\n\n");
    STEP_ENTRIES.iter().for_each(|step| one_step(&mut out, step));
    PROJECT.iter().for_each(|mapping| one_mapping(&mut out, mapping));
    types(&mut out);
    quantities(&mut out);
    out
}

fn link(title: &str) -> String {
    format!("[{title}](#{})", title.to_lowercase().replace(' ', "-"))
}

fn one_mapping(out: &mut String, mapping: &Mapping) {
    let _ = writeln!(out, "## {}\n", mapping.title);
    if !mapping.doc.is_empty() {
        let _ = writeln!(out, "{}\n", mapping.doc);
    }
    table(out, mapping.entries.iter().chain(mapping.later));
    if let Some(others) = mapping.others {
        let _ = writeln!(out, "All other keys are {others}.\n");
    }
    let (Example::Pipeline(text) | Example::InPipeline(text) | Example::Project(text) | Example::InProject(text)) =
        &mapping.example;
    let _ = writeln!(out, "```yaml\n{text}```\n");
}

fn one_step(out: &mut String, step: &StepEntry) {
    let _ = writeln!(out, "### {}\n\n`{}:` {}. {}\n", step.name, step.name, step.takes, step.doc);
    if let Some(keys) = &step.keys {
        table(out, keys.entries.iter());
    }
    let _ = writeln!(out, "```yaml\n{}```\n", step.example);
}

fn table<'a>(out: &mut String, entries: impl Iterator<Item = &'a Entry>) {
    out.push_str("| key | value | required | meaning |\n|---|---|---|---|\n");
    for entry in entries {
        let need = match entry.need {
            Need::Required => "required".to_owned(),
            Need::RequiredBut(but) => format!("required, but {but}"),
            Need::OneOf => "one of them".to_owned(),
            Need::Optional => String::new(),
            Need::Default(value) => format!("default: {value}"),
        };
        let _ = writeln!(out, "| `{}` | {} | {need} | {} |", entry.key, entry.ty, entry.doc);
    }
    out.push('\n');
}

fn types(out: &mut String) {
    out.push_str("## Types\n\n| type | written | holds |\n|---|---|---|\n");
    for (name, written, holds) in TYPES {
        let _ = writeln!(out, "| {name} | {written} | {holds} |");
    }
    out.push_str("\nWrite types with commas or braces between quotes where YAML would take them for its own: `\"decimal(10,2)\"` inside `{ }`.\n\n");
}

fn quantities(out: &mut String) {
    out.push_str("## Quantities\n\n| quantity | written | |\n|---|---|---|\n");
    for (name, written, note) in QUANTITIES {
        let written: Vec<String> = written.iter().map(|text| format!("`{text}`")).collect();
        let _ = writeln!(out, "| {name} | {} | {note} |", written.join(", "));
    }
}
