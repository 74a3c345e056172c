//! Every function on a column, compiled and interpreted.
//!
//! Its first worked example is what is measured: the value it is applied to becomes a column that holds this value in
//! every row. What takes no value that could vary, such as `now()`, is left out.

use crate::Result;
use crate::mapping::timed;
use crate::table::count;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use polars::prelude::{Column, DataFrame};
use towpath_mapping::functions::FunctionKind;
use towpath_mapping::{
    Compiled, Computed, Constants, FrameRows, Mode, Scope, Value, compile_expression, evaluate, reference,
    values_to_series,
};
use towpath_spec::{Field, Files, Schema, Text};

/// Rows of the column.
const ROWS: usize = 50_000;

/// Measures, and prints a table of its own.
pub(super) fn measure() -> Result<()> {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "function",
        "expression",
        "compiled",
        "interpreted",
        "times",
        "mode",
    ]);
    for function in reference() {
        let measured = function.examples.iter().find_map(|example| prepared(example.template, function.kinds));
        let Some((expression, value, compiled, schema)) = measured else { continue };
        let (fast, slow) = both(&value, &compiled, &schema)?;
        let rate = |seconds: f64| format!("{} rows/s", count(ROWS as f64 / seconds));
        let mode = match compiled.mode() {
            Mode::Compiled => "compiled".to_owned(),
            Mode::Interpreted { why } => why.clone(),
        };
        table.add_row([
            format!("`{}`", function.name),
            format!("`{}`", expression.replace('|', "\\|")),
            rate(fast),
            rate(slow),
            format!("{:.1}", slow / fast),
            mode,
        ]);
    }
    println!("{table}\n");
    Ok(())
}

/// The expression of an example with `x` for the value it is applied to.
fn prepared(template: &str, kinds: &[FunctionKind]) -> Option<(String, Value, Compiled, Schema)> {
    let inner = template.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    if inner.contains("{{") {
        return None;
    }
    let sign = if kinds == [FunctionKind::Test] { " is " } else { " | " };
    let (value, rest) = inner.split_once(sign)?;
    let files = Files::new();
    let compile = |written: &str, columns: &Schema| {
        let scope = Scope { files: &files, columns: Some(columns), params: &[], extra: &[], macros: None };
        compile_expression(&Text { value: written.to_owned(), ..Text::default() }, &scope).ok()
    };
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    let of = compile(value, &Schema::default())?;
    let schema = Schema::new(vec![Field::new("x", of.field().0.clone())]);
    let value = of.interpret(&(), &constants).ok()?;
    let expression = format!("x{sign}{rest}");
    let compiled = compile(&expression, &schema)?;
    Some((expression, value, compiled, schema))
}

fn both(value: &Value, compiled: &Compiled, schema: &Schema) -> Result<(f64, f64)> {
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    let column = values_to_series("x", &schema.fields[0].ty, &vec![value.clone(); ROWS])?;
    let frame = DataFrame::new(ROWS, vec![Column::from(column)])?;
    let computed = [Computed::new("value", compiled, &constants)];
    let fast = timed(|| Ok(evaluate(&frame, &computed).map(drop)?))?;
    let rows = FrameRows::new(&frame, schema)?;
    let slow = timed(|| {
        let values: Vec<Value> =
            (0..ROWS).map(|at| compiled.interpret(&rows.row(at), &constants).unwrap_or(Value::Null)).collect();
        // What columns give is a column.
        Ok(values_to_series("value", compiled.field().0, &values).map(drop)?)
    })?;
    Ok((fast, slow))
}
