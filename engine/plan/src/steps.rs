//! Planning of transforms: the columns flow through the steps, and every template is compiled against them.

use crate::connections::Known;
use crate::context::Context;
use crate::graph::Graph;
use crate::plan::{Check, Column, LookupPlan, Port, Step, StepPlan, Taken, TransformNode};
use crate::step_shape::{self, Planned};
use crate::{join, reshape};
use towpath_connector::{Setting, StreamInfo};
use towpath_mapping::{
    Compiled, OrderBy, compile_aggregate, compile_cast, compile_condition, compile_value, compile_window,
};
use towpath_spec::document::{CheckDoc, CheckElse, LookupDoc, Missing, SortKey, StepDoc, StepKind, TransformDoc, Tree};
use towpath_spec::{Diagnostic, Field, Schema, Span, Text, Type, codes};

/// Requests a lookup has under way at a time when the pipeline does not say.
const LOOKUP_CONCURRENCY: usize = 8;

/// What the planner of steps needs beside the context.
pub(crate) struct Around<'a> {
    pub known: &'a Known,
    pub graph: &'a Graph,
    pub schema_of: &'a dyn Fn(Port) -> Option<Schema>,
}

/// Plans a transform: the node and its columns, when they are known.
pub(crate) fn plan(
    context: &mut Context<'_>,
    around: &Around<'_>,
    doc: &TransformDoc,
    input: Port,
) -> (TransformNode, Option<Schema>) {
    let input_schema = (around.schema_of)(input);
    let mut schema = input_schema.clone();
    let mut steps = Vec::new();
    for (index, step) in doc.steps.iter().enumerate() {
        let Some(before) = schema.take() else {
            check_without_columns(context, around, step);
            continue;
        };
        if let Some((plan, after)) = step_plan(context, around, step, &before, &doc.name) {
            steps.push(Step { index, name: key(&step.kind), plan, input: before, output: after.clone() });
            schema = Some(after);
        } else {
            // What is wrong with it was said; the steps behind it are checked all the same, as far as can be told.
            schema = columns_all_the_same(&step.kind, before);
        }
    }
    (TransformNode { input, input_schema, steps }, schema)
}

/// The columns after a step that could not be planned, where they can be told. A column that is not understood is of
/// any type (`json`), so that nothing more is said about it.
fn columns_all_the_same(kind: &StepKind, before: Schema) -> Option<Schema> {
    let any = |name: &Text| Field::new(&name.value, Type::Json);
    match kind {
        StepKind::Filter(_)
        | StepKind::Check(_)
        | StepKind::Sort(_)
        | StepKind::Distinct { .. }
        | StepKind::Limit(_) => Some(before),
        StepKind::Map(columns) => Some(Schema::new(columns.iter().map(|(name, _)| any(name)).collect())),
        StepKind::Set(columns) => {
            let mut schema = before;
            columns.iter().for_each(|(name, _)| schema.set(any(name)));
            Some(schema)
        }
        StepKind::Window(window) => {
            let mut schema = before;
            window.values.iter().for_each(|(name, _)| schema.set(any(name)));
            Some(schema)
        }
        StepKind::Pivot(pivot) => {
            let group = pivot.by.iter().map(|name| before.get(&name.value).cloned().unwrap_or_else(|| any(name)));
            Some(Schema::new(group.chain(pivot.values.iter().map(|(name, _)| any(name))).collect()))
        }
        _ => None,
    }
}

/// The step's key.
pub(crate) fn key(kind: &StepKind) -> &'static str {
    match kind {
        StepKind::Filter(_) => "filter",
        StepKind::Map(_) => "map",
        StepKind::Set(_) => "set",
        StepKind::Select(_) => "select",
        StepKind::Drop(_) => "drop",
        StepKind::Rename(_) => "rename",
        StepKind::Cast(_) => "cast",
        StepKind::Join(_) => "join",
        StepKind::Union(_) => "union",
        StepKind::Aggregate { .. } => "aggregate",
        StepKind::Window(_) => "window",
        StepKind::Pivot(_) => "pivot",
        StepKind::Unpivot(_) => "unpivot",
        StepKind::Sql(_) => "sql",
        StepKind::Distinct { .. } => "distinct",
        StepKind::Sort(_) => "sort",
        StepKind::Limit(_) => "limit",
        StepKind::Explode(_) => "explode",
        StepKind::Unnest(_) => "unnest",
        StepKind::Lookup(_) => "lookup",
        StepKind::Check(_) => "check",
    }
}

/// Behind a problem, or behind a source whose columns are not known, templates are checked for syntax and functions.
fn check_without_columns(context: &mut Context<'_>, around: &Around<'_>, step: &StepDoc) {
    match &step.kind {
        StepKind::Filter(text) => {
            context.compile(None, &[], |scope| compile_condition(text, scope));
        }
        StepKind::Map(columns) | StepKind::Set(columns) => {
            for (_, tree) in columns {
                context.compile(None, &[], |scope| compile_value(tree, scope));
            }
        }
        StepKind::Aggregate { values, .. } => {
            for (_, text) in values {
                context.compile(None, &[], |scope| compile_aggregate(text, scope));
            }
        }
        StepKind::Window(window) => {
            let is_ordered = !window.order_by.is_empty();
            for (_, text) in &window.values {
                context.compile(None, &[], |scope| compile_window(text, scope, is_ordered));
            }
        }
        StepKind::Pivot(pivot) => {
            context.compile(None, &[], |scope| compile_aggregate(&pivot.take, scope));
        }
        StepKind::Check(checks) => {
            for check in checks {
                context.compile(None, &[], |scope| compile_condition(&check.expect, scope));
            }
        }
        StepKind::Lookup(lookup) => {
            lookup_stream(context, around, lookup, step.span, &Text::default());
        }
        _ => {}
    }
}

fn step_plan(context: &mut Context<'_>, around: &Around<'_>, step: &StepDoc, input: &Schema, node: &Text) -> Planned {
    match &step.kind {
        StepKind::Filter(text) => {
            let condition = context.compile(Some(input), &[], |scope| compile_condition(text, scope))?;
            let output = narrowed(input, &condition);
            Some((StepPlan::Filter(condition), output))
        }
        StepKind::Map(columns) => {
            let columns = compile_columns(context, columns, input, &[])?;
            let output = Schema::new(columns.iter().map(column_field).collect());
            Some((StepPlan::Map(columns), output))
        }
        StepKind::Set(columns) => {
            let columns = compile_columns(context, columns, input, &[])?;
            let mut output = input.clone();
            columns.iter().for_each(|column| output.set(column_field(column)));
            Some((StepPlan::Set(columns), output))
        }
        StepKind::Select(patterns) => step_shape::choose(context, patterns, input, true, step.span),
        StepKind::Drop(patterns) => step_shape::choose(context, patterns, input, false, step.span),
        StepKind::Rename(pairs) => step_shape::rename(context, pairs, input),
        StepKind::Cast(columns) => cast(context, columns, input),
        StepKind::Join(doc) => join::plan(context, around, doc, input),
        StepKind::Union(others) => union(context, around, others, input),
        StepKind::Aggregate { by, values } => aggregate(context, by, values, input),
        StepKind::Distinct { on, keep, order_by } => {
            let mut whole = true;
            on.iter().for_each(|column| whole &= context.column(column, Some(input)));
            whole &= context.once(on);
            let order_by = sort_keys(context, order_by, input)?;
            let on = on.iter().map(|column| column.value.clone()).collect();
            whole.then(|| (StepPlan::Distinct { on, keep: *keep, order_by }, input.clone()))
        }
        StepKind::Window(doc) => reshape::window(context, doc, input),
        StepKind::Pivot(doc) => reshape::pivot(context, doc, input),
        StepKind::Unpivot(doc) => reshape::unpivot(context, doc, input),
        StepKind::Sql(doc) => reshape::sql(context, around, doc, input),
        StepKind::Sort(keys) => Some((StepPlan::Sort(sort_keys(context, keys, input)?), input.clone())),
        StepKind::Limit(rows) => Some((StepPlan::Limit(*rows), input.clone())),
        StepKind::Explode(column) => step_shape::explode(context, column, input),
        StepKind::Unnest(column) => step_shape::unnest(context, column, input),
        StepKind::Lookup(lookup) => self::lookup(context, around, lookup, input, step.span, node),
        StepKind::Check(checks) => self::checks(context, checks, input),
    }
}

/// The columns of rows for which a condition holds: some can no longer be null.
fn narrowed(input: &Schema, condition: &Compiled) -> Schema {
    let mut output = input.clone();
    for name in condition.not_null_where_true() {
        output.fields.iter_mut().filter(|field| field.name == name).for_each(|field| field.nullable = false);
    }
    output
}

fn column_field(column: &Column) -> Field {
    let (ty, nullable) = column.value.field();
    Field { name: column.name.clone(), ty: ty.clone(), nullable }
}

fn compile_columns(
    context: &mut Context<'_>,
    columns: &[(Text, Tree)],
    input: &Schema,
    extra: &[Field],
) -> Option<Vec<Column>> {
    // All are compiled, so that all problems are reported.
    let compiled: Vec<Option<Column>> = columns
        .iter()
        .map(|(name, tree)| {
            if name.value.is_empty() {
                let message = "a column needs a name";
                context.push(Diagnostic::error(codes::NOTHING_LEFT, name.span, message));
                return None;
            }
            let value = context.compile(Some(input), extra, |scope| compile_value(tree, scope))?;
            Some(Column { name: name.value.clone(), value })
        })
        .collect();
    compiled.into_iter().collect()
}

fn cast(context: &mut Context<'_>, columns: &[(Text, Type)], input: &Schema) -> Planned {
    let mut plan = Vec::new();
    let mut output = input.clone();
    let mut whole = true;
    for (name, ty) in columns {
        if !context.column(name, Some(input)) {
            whole = false;
            continue;
        }
        let from = &input.get(&name.value)?.ty;
        match compile_cast(&name.value, from, ty) {
            Ok(value) => {
                let column = Column { name: name.value.clone(), value };
                output.set(Field { nullable: input.get(&name.value)?.nullable, ..column_field(&column) });
                plan.push(column);
            }
            Err(reason) => {
                context.push(Diagnostic::error(codes::TYPE_MISMATCH, name.span, reason));
                whole = false;
            }
        }
    }
    whole.then_some((StepPlan::Cast(plan), output))
}

pub(crate) fn sort_keys(context: &mut Context<'_>, keys: &[SortKey], input: &Schema) -> Option<Vec<OrderBy>> {
    let mut whole = true;
    keys.iter().for_each(|key| whole &= context.column(&key.column, Some(input)));
    whole &= context.once(keys.iter().map(|key| &key.column));
    let order = |key: &SortKey| OrderBy {
        column: key.column.value.clone(),
        descending: key.descending,
        nulls_first: key.nulls_first,
    };
    whole.then(|| keys.iter().map(order).collect())
}

fn union(context: &mut Context<'_>, around: &Around<'_>, others: &[Text], input: &Schema) -> Planned {
    let mut output = input.clone();
    let mut ports = Vec::new();
    let mut whole = true;
    for other in others {
        let port = around.graph.port(other)?;
        let schema = (around.schema_of)(port)?;
        for field in &mut output.fields {
            field.nullable |= schema.get(&field.name).is_none();
        }
        for field in &schema.fields {
            match output.fields.iter_mut().find(|known| known.name == field.name) {
                Some(known) if known.ty == field.ty => known.nullable |= field.nullable,
                Some(known) if field.ty == Type::Null => known.nullable = true,
                Some(known) if known.ty == Type::Null => *known = Field { nullable: true, ..field.clone() },
                Some(known) => {
                    let message = format!("column `{}` is {} here and {} in `{other}`", field.name, known.ty, field.ty);
                    context.push(
                        Diagnostic::error(codes::TYPE_MISMATCH, other.span, message)
                            .help("make both the same type with a `cast` step"),
                    );
                    whole = false;
                }
                None => output.fields.push(Field { nullable: true, ..field.clone() }),
            }
        }
        ports.push(port);
    }
    whole.then_some((StepPlan::Union(ports), output))
}

fn aggregate(context: &mut Context<'_>, by: &[Text], values: &[(Text, Text)], input: &Schema) -> Planned {
    let mut output = Schema::default();
    let mut whole = context.once(by);
    for column in by {
        whole &= context.column(column, Some(input));
        output.fields.extend(input.get(&column.value).cloned());
    }
    let mut plan = Vec::new();
    for (name, text) in values {
        if by.contains(name) {
            let message = format!("`{name}` is a column to group by already");
            context.push(Diagnostic::error(codes::DUPLICATE_COLUMN, name.span, message));
            whole = false;
        }
        match context.compile(Some(input), &[], |scope| compile_aggregate(text, scope)) {
            Some(value) => {
                output.fields.push(Field { name: name.value.clone(), ..value.field.clone() });
                plan.push((name.value.clone(), value));
            }
            None => whole = false,
        }
    }
    let by = by.iter().map(|column| column.value.clone()).collect();
    whole.then_some((StepPlan::Aggregate { by, values: plan }, output))
}

fn checks(context: &mut Context<'_>, checks: &[CheckDoc], input: &Schema) -> Planned {
    let compiled: Vec<Option<Check>> = checks
        .iter()
        .map(|check| {
            let expect = context.compile(Some(input), &[], |scope| compile_condition(&check.expect, scope))?;
            Some(Check { name: check.name.value.clone(), expect, otherwise: check.otherwise })
        })
        .collect();
    let compiled: Option<Vec<Check>> = compiled.into_iter().collect();
    let compiled = compiled?;
    // Rows for which a check does not hold go on only when it merely warns.
    let output = compiled
        .iter()
        .filter(|check| check.otherwise != CheckElse::Warn)
        .fold(input.clone(), |schema, check| narrowed(&schema, &check.expect));
    Some((StepPlan::Check(compiled), output))
}

/// Finds what a lookup asks; checks the names of its parameters.
fn lookup_stream(
    context: &mut Context<'_>,
    around: &Around<'_>,
    doc: &LookupDoc,
    step: Span,
    node: &Text,
) -> Option<(usize, StreamInfo)> {
    let target = context.target(around.known, &doc.target, node, &[], step)?;
    let connector = target.connector.clone();
    let descriptor = connector.descriptor();
    let names = descriptor.streams.iter().map(|stream| stream.name.as_str());
    if !context.known(codes::UNKNOWN_STREAM, "stream", &doc.stream, names) {
        return None;
    }
    let stream = descriptor.stream(&doc.stream.value)?.clone();
    let declared: Vec<&Setting> = stream.params.iter().collect();
    let mut whole = true;
    for (name, _) in &doc.with {
        let names = declared.iter().map(|setting| setting.name.as_str());
        whole &= context.known(codes::UNKNOWN_KEY, &format!("parameter of stream `{}`", stream.name), name, names);
    }
    for setting in declared.iter().filter(|setting| setting.required && setting.default.is_none()) {
        if !doc.with.iter().any(|(name, _)| name.value == setting.name) {
            let message = format!("stream `{}` needs the parameter `{}`", stream.name, setting.name);
            context.push(
                Diagnostic::error(codes::MISSING_KEY, doc.stream.span, message)
                    .help(format!("write it under `with:` ({}; {})", setting.ty, setting.doc)),
            );
            whole = false;
        }
    }
    whole.then_some((target.connection, stream))
}

fn lookup(
    context: &mut Context<'_>,
    around: &Around<'_>,
    doc: &LookupDoc,
    input: &Schema,
    step: Span,
    node: &Text,
) -> Planned {
    let with = compile_columns(context, &doc.with, input, &[]);
    let (connection, stream) = lookup_stream(context, around, doc, step, node)?;
    let record = Type::Struct(stream.schema.fields.clone());
    let extra = [Field::new("record", record.clone()).required()];
    let matching: Option<Option<Compiled>> = match &doc.matching {
        Some(text) => context.compile(Some(input), &extra, |scope| compile_condition(text, scope)).map(Some),
        None => Some(None),
    };
    let mut output = input.clone();
    let mut take = Vec::new();
    let mut whole = true;
    for (column, field) in &doc.take {
        let what = format!("field of stream `{}`", stream.name);
        if !context.known(codes::UNKNOWN_FIELD, &what, field, stream.schema.names()) {
            whole = false;
            continue;
        }
        let ty = stream.schema.get(&field.value)?.ty.clone();
        let is_key = stream.key.contains(&field.value);
        // A record is known by its key; rows for which there is none do not go on, unless null was asked for.
        let nullable = !is_key || doc.missing == Missing::Null;
        output.set(Field { name: column.value.clone(), ty: ty.clone(), nullable });
        take.push(Taken { column: column.value.clone(), field: field.value.clone(), ty, is_key });
    }
    let plan = LookupPlan {
        connection,
        stream: stream.name,
        with: with?,
        matching: matching?,
        take,
        missing: doc.missing,
        cache: doc.cache,
        concurrency: doc.concurrency.and_then(|n| usize::try_from(n).ok()).unwrap_or(LOOKUP_CONCURRENCY).max(1),
        record,
    };
    whole.then(|| (StepPlan::Lookup(Box::new(plan)), output))
}
