//! The tables of the guide to mapping: every template in them gives what stands beside it, compiled and interpreted.
//!
//! A table whose first heading is `template` is run. Its other headings say what a column holds (``where `n` is `5` ``),
//! or `gives` for templates that read none, or `validate says` for those that do not compile. A cell begins with what
//! comes out; ``, an int`` behind it is its type; ``reject: `…` `` is the reason.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, IntoColumn};
use towpath_mapping::{
    Computed, Constants, FrameRows, Row, Scope, Value, compile_template, evaluate, values_to_series,
};
use towpath_spec::{Field, Files, Schema, Text, Type};

fn guide() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/mapping.md");
    std::fs::read_to_string(path).unwrap()
}

fn constants() -> Constants {
    Constants::at(chrono::DateTime::from_timestamp(1_709_632_800, 0).unwrap())
}

/// The cells of a line of a table.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{1}");
    inner.split('|').map(|cell| cell.replace('\u{1}', "|").trim().to_owned()).collect()
}

/// What stands between back quotes, in order; between double ones if there are.
fn quoted(cell: &str) -> Vec<&str> {
    if cell.contains("`` ") {
        return cell
            .split("``")
            .skip(1)
            .step_by(2)
            .map(|text| text.strip_prefix(' ').unwrap_or(text))
            .map(|text| text.strip_suffix(' ').unwrap_or(text))
            .collect();
    }
    cell.split('`').skip(1).step_by(2).collect()
}

/// Tables to run: headings and lines.
fn tables() -> Vec<(Vec<String>, Vec<Vec<String>>)> {
    let text = guide();
    let parts = text.split("\n\n").filter(|part| part.trim_start().starts_with("| template |"));
    parts
        .map(|part| {
            let mut lines = part.trim().lines().map(cells);
            let headings = lines.next().unwrap();
            (headings, lines.skip(1).collect())
        })
        .collect()
}

/// A value written as an expression, and its type.
fn value(written: &str) -> (Value, Type) {
    let text = Text { value: format!("{{{{ {written} }}}}"), ..Text::default() };
    let (files, schema) = (Files::new(), Schema::default());
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let compiled = compile_template(&text, &scope).unwrap();
    (compiled.interpret(&(), &constants()).unwrap(), compiled.field().0.clone())
}

fn shown(value: &Value, ty: &Type) -> (String, String) {
    let text = if value.is_null() { "null".into() } else { value.to_text() };
    (text, ty.to_string())
}

/// The text and type of a value, or why its row is rejected.
type Outcome = Result<(String, String), String>;

/// What comes out for each row: value and type, or why the row is rejected. `Err`: what `validate` says.
fn outcomes(template: &str, name: &str, values: &[Value], ty: &Type) -> Result<Vec<Outcome>, String> {
    let (files, schema) = (Files::new(), Schema::new(vec![Field::new(name, ty.clone())]));
    let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
    let text = Text { value: template.into(), ..Text::default() };
    let compiled = compile_template(&text, &scope).map_err(|problems| problems[0].message.clone())?;
    let column = values_to_series(name, ty, values).unwrap().into_column();
    let frame = DataFrame::new(values.len(), vec![column]).unwrap();
    let evaluated = evaluate(&frame, &[Computed::new("value", &compiled, &constants())]).unwrap();
    let failures: BTreeMap<usize, ()> = evaluated.failures().map(|(row, _)| (row, ())).collect();
    let out = DataFrame::new(values.len(), evaluated.values).unwrap();
    let result = Schema::new(vec![Field::new("value", compiled.field().0.clone())]);
    let columns = FrameRows::new(&out, &result).unwrap();
    let rows = values.iter().enumerate().map(|(at, value)| {
        let row: BTreeMap<String, Value> = [(name.to_owned(), value.clone())].into();
        let interpreted = compiled.interpret(&row, &constants());
        assert_eq!(
            interpreted.is_err(),
            failures.contains_key(&at),
            "{template}: rejected by one of the two ways only"
        );
        let interpreted = interpreted.map_err(|reason| reason.to_string())?;
        let columnar = Row::get(&columns.row(at), "value");
        let both = [&interpreted, &columnar].map(|value| shown(value, compiled.field().0));
        assert_eq!(both[0], both[1], "{template}: interpreted and in columns");
        Ok(both[0].clone())
    });
    Ok(rows.collect())
}

/// Whether a cell says what came out.
fn agrees(cell: &str, outcome: &Outcome) -> bool {
    let expected = quoted(cell).first().copied().unwrap_or(cell);
    match outcome {
        Err(reason) => cell.starts_with("reject: ") && expected == reason,
        Ok((text, ty)) => {
            let named = cell.rsplit_once(", ").filter(|_| !cell.ends_with('`'));
            let named = named.map(|(_, ty)| ty.trim_start_matches("an ").trim_start_matches("a "));
            let expected = if expected == cell { expected.split(',').next().unwrap_or(cell) } else { expected };
            !cell.starts_with("reject: ") && text == expected && named.is_none_or(|named| named == ty)
        }
    }
}

#[test]
fn tables_give_what_they_say() {
    let (mut run, mut wrong) = (0, Vec::new());
    for (headings, lines) in tables() {
        let given: Vec<Vec<&str>> = headings[1..].iter().map(|heading| quoted(heading)).collect();
        let name = given.iter().find_map(|pair| pair.first().copied()).unwrap_or("none_of_these");
        let values: Vec<(Value, Type)> =
            given.iter().map(|pair| value(pair.get(1).copied().unwrap_or("none"))).collect();
        let ty = values.iter().map(|(_, ty)| ty.clone()).find(|ty| *ty != Type::Null).unwrap_or(Type::Text);
        let values: Vec<Value> = values.into_iter().map(|(value, _)| value).collect();
        for line in lines {
            let template = quoted(&line[0])[0];
            run += 1;
            match (outcomes(template, name, &values, &ty), headings[1].as_str()) {
                (Err(said), "validate says") if quoted(&line[1]) == [said.as_str()] => {}
                (Ok(outcomes), heading) if heading != "validate says" => {
                    for (cell, outcome) in line[1..].iter().zip(&outcomes) {
                        if !agrees(cell, outcome) {
                            wrong.push(format!("{template}: the guide says {cell}, found {outcome:?}"));
                        }
                    }
                }
                (found, _) => wrong.push(format!("{template}: the guide says {}, found {found:?}", line[1])),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run > 40, "only {run} templates of the guide are run");
}

#[test]
fn a_wrong_cell_is_seen() {
    let outcome = Ok(("5".to_owned(), "int".to_owned()));
    assert!(agrees("`5`", &outcome) && agrees("`5`, an int", &outcome));
    assert!(!agrees("`6`", &outcome) && !agrees("`5`, text", &outcome) && !agrees("reject: `5`", &outcome));
}
