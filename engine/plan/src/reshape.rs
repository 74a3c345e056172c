//! Planning of `window`, `pivot`, `unpivot` and `sql`.

use crate::context::Context;
use crate::plan::StepPlan;
use crate::plan_steps::{PivotPlan, SqlPlan, UnpivotPlan, WindowPlan};
use crate::step_shape::{Planned, matching};
use crate::steps::{Around, sort_keys};
use towpath_mapping::{Value, compile_aggregate, compile_value, compile_window, convert, sql_schema};
use towpath_spec::document::{PivotDoc, SqlDoc, Tree, UnpivotDoc, WindowDoc};
use towpath_spec::{Diagnostic, Field, Schema, Text, Type, codes};

/// The table every query has.
const INPUT: &str = "input";

pub(crate) fn window(context: &mut Context<'_>, doc: &WindowDoc, input: &Schema) -> Planned {
    let mut whole = context.once(&doc.by);
    doc.by.iter().for_each(|column| whole &= context.column(column, Some(input)));
    let order_by = sort_keys(context, &doc.order_by, input);
    let is_ordered = !doc.order_by.is_empty();
    let mut output = input.clone();
    let mut values = Vec::new();
    for (name, text) in &doc.values {
        whole &= named(context, name);
        match context.compile(Some(input), &[], |scope| compile_window(text, scope, is_ordered)) {
            Some(value) => {
                output.set(Field { name: name.value.clone(), ..value.field.clone() });
                values.push((name.value.clone(), value));
            }
            None => whole = false,
        }
    }
    let by = doc.by.iter().map(|column| column.value.clone()).collect();
    let plan = WindowPlan { by, order_by: order_by?, values };
    whole.then_some((StepPlan::Window(plan), output))
}

/// Whether a new column has a name; it is said when not.
fn named(context: &mut Context<'_>, name: &Text) -> bool {
    if name.value.is_empty() {
        context.push(Diagnostic::error(codes::NOTHING_LEFT, name.span, "a column needs a name"));
    }
    !name.value.is_empty()
}

pub(crate) fn pivot(context: &mut Context<'_>, doc: &PivotDoc, input: &Schema) -> Planned {
    let mut output = Schema::default();
    let mut whole = context.once(&doc.by);
    for column in &doc.by {
        whole &= context.column(column, Some(input));
        output.fields.extend(input.get(&column.value).cloned());
    }
    let cells = if context.column(&doc.on, Some(input)) { cells(context, doc, input) } else { None };
    whole &= context.once(doc.values.iter().map(|(name, _)| name));
    for (name, _) in &doc.values {
        whole &= named(context, name);
        if doc.by.contains(name) {
            let message = format!("`{name}` is a column to group by already");
            context.push(Diagnostic::error(codes::DUPLICATE_COLUMN, name.span, message));
            whole = false;
        }
    }
    let take = context.compile(Some(input), &[], |scope| compile_aggregate(&doc.take, scope))?;
    let (ty, nullable) = (&take.field.ty, !take.is_count());
    output.fields.extend(doc.values.iter().map(|(name, _)| Field {
        name: name.value.clone(),
        ty: ty.clone(),
        nullable,
    }));
    let by = doc.by.iter().map(|column| column.value.clone()).collect();
    let plan = PivotPlan { on: doc.on.value.clone(), cells: cells?, by, take, otherwise: doc.otherwise };
    whole.then(|| (StepPlan::Pivot(Box::new(plan)), output))
}

/// The codes as values of the column they are in.
fn cells(context: &mut Context<'_>, doc: &PivotDoc, input: &Schema) -> Option<Vec<(String, Value)>> {
    let ty = &input.get(&doc.on.value)?.ty;
    let is_code =
        matches!(ty, Type::Text | Type::Int | Type::Bool | Type::Decimal { .. } | Type::Date | Type::DateTime { .. });
    if !is_code {
        let message = format!("`pivot` expects a column of codes, and `{}` is {ty}", doc.on);
        let problem = Diagnostic::error(codes::TYPE_MISMATCH, doc.on.span, message);
        context.push(problem.help("make it text or a whole number with a `cast` step"));
        return None;
    }
    let mut cells: Vec<(String, Value)> = Vec::new();
    let mut whole = true;
    for (name, tree) in &doc.values {
        let Some(code) = code(context, doc, tree, ty) else {
            whole = false;
            continue;
        };
        if let Some((first, _)) = cells.iter().find(|(known, other)| *other == code && *known != name.value) {
            let message = format!("the code of `{first}` is there twice");
            let problem = Diagnostic::error(codes::INVALID_VALUE, tree.span, message);
            context.push(problem.help("a row can fill one column only: leave one of the two out"));
            whole = false;
        }
        cells.push((name.value.clone(), code));
    }
    whole.then_some(cells)
}

fn code(context: &mut Context<'_>, doc: &PivotDoc, tree: &Tree, ty: &Type) -> Option<Value> {
    let compiled = context.compile(None, &[], |scope| compile_value(tree, scope))?;
    let Some(written) = compiled.constant() else {
        let message = "a code is written down, so that the columns are known before a run; found a template";
        context.push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message));
        return None;
    };
    match convert(written, ty) {
        Ok(code) => Some(code),
        Err(reason) => {
            let message = format!("`{}` is {ty}: {reason}", doc.on);
            context.push(Diagnostic::error(codes::TYPE_MISMATCH, tree.span, message));
            None
        }
    }
}

pub(crate) fn unpivot(context: &mut Context<'_>, doc: &UnpivotDoc, input: &Schema) -> Planned {
    let matched = matching(context, &doc.columns, input, true)?;
    let (ty, mut whole) = one_type(context, &matched, input)?;
    let mut output = Schema::default();
    output.fields.extend(input.fields.iter().filter(|field| !is_in(&matched, &field.name)).cloned());
    let nullable = !doc.drop_null && input.fields.iter().any(|field| is_in(&matched, &field.name) && field.nullable);
    let new = [
        (&doc.name, Field::new(&doc.name.value, Type::Text).required()),
        (&doc.value, Field { name: doc.value.value.clone(), ty: ty.clone(), nullable }),
    ];
    for (written, field) in new {
        whole &= named(context, written);
        if output.get(&field.name).is_some() {
            let message = format!("`unpivot` would give a second column `{}`", field.name);
            let problem = Diagnostic::error(codes::DUPLICATE_COLUMN, written.span, message);
            context.push(problem.help("choose another name, or drop or rename the other column first"));
            whole = false;
        }
        output.fields.push(field);
    }
    let (name, value) = (doc.name.value.clone(), doc.value.value.clone());
    let columns = matched.into_iter().map(|(column, _)| column).collect();
    let plan = UnpivotPlan { columns, name, value, ty, drop_null: doc.drop_null };
    whole.then_some((StepPlan::Unpivot(plan), output))
}

fn is_in(matched: &[(String, &Text)], name: &str) -> bool {
    matched.iter().any(|(column, _)| column == name)
}

/// The type all columns have, and whether they do.
fn one_type(context: &mut Context<'_>, matched: &[(String, &Text)], input: &Schema) -> Option<(Type, bool)> {
    let typed = || matched.iter().filter_map(|(column, pattern)| Some((input.get(column)?, *pattern)));
    let (first, _) = typed().find(|(field, _)| field.ty != Type::Null).or_else(|| typed().next())?;
    let mut whole = true;
    for (field, pattern) in typed().filter(|(field, _)| field.ty != first.ty && field.ty != Type::Null) {
        let message = format!(
            "column `{}` is {}, and `{}` is {}: one column can have one type only",
            field.name, field.ty, first.name, first.ty
        );
        let problem = Diagnostic::error(codes::TYPE_MISMATCH, pattern.span, message);
        context.push(problem.help("make them the same type with a `cast` step before"));
        whole = false;
    }
    Some((first.ty.clone(), whole))
}

pub(crate) fn sql(context: &mut Context<'_>, around: &Around<'_>, doc: &SqlDoc, input: &Schema) -> Planned {
    let mut whole = context.once(&doc.with);
    let mut with = Vec::new();
    let mut schemas = Vec::new();
    for node in &doc.with {
        if node.value == INPUT {
            let message = "`input` is what the step reads anyway";
            let problem = Diagnostic::error(codes::DUPLICATE_NAME, node.span, message);
            context.push(problem.help("leave it out of `with`; a node of that name needs another one here"));
            whole = false;
        }
        let port = around.graph.port(node)?;
        schemas.push((node.as_str(), (around.schema_of)(port)?));
        with.push((node.value.clone(), port));
    }
    let mut tables = vec![(INPUT, input)];
    tables.extend(schemas.iter().map(|(name, schema)| (*name, schema)));
    let output = context.take(sql_schema(&doc.query, context.files, &tables))?;
    let plan = SqlPlan { query: doc.query.value.clone(), with };
    whole.then_some((StepPlan::Sql(plan), output))
}
