//! Records as they are sent: a tree with a template in each leaf, checked against the fields of the operation.

use crate::context::Context;
use crate::plan::RecordTemplate;
use towpath_connector::{OperationInfo, Setting};
use towpath_mapping::{Compiled, compile_template, compile_value};
use towpath_spec::document::{Map, Scalar, Tree, Value};
use towpath_spec::{Diagnostic, Schema, Span, Text, Type, codes};

/// Plans the record of an operation.
pub(crate) fn plan(
    context: &mut Context<'_>,
    operation: &OperationInfo,
    written: Option<&Tree>,
    schema: Option<&Schema>,
    sink: Span,
) -> Option<RecordTemplate> {
    match written {
        Some(tree) => {
            let Some(map) = tree.as_map() else {
                let message = format!("`record` expects a mapping of fields, found {}", tree.kind());
                context.push(Diagnostic::error(codes::WRONG_TYPE, tree.span, message));
                return None;
            };
            required(context, operation, map, tree.span);
            object(context, map, Some(&operation.fields), schema)
        }
        None => from_columns(context, operation, schema?, sink),
    }
}

fn required(context: &mut Context<'_>, operation: &OperationInfo, map: &Map, span: Span) {
    for field in operation.fields.iter().filter(|field| field.required && field.default.is_none()) {
        if map.get(&field.name).is_none() {
            let message = format!("operation `{}` needs the field `{}` ({})", operation.name, field.name, field.ty);
            context.push(
                Diagnostic::error(codes::MISSING_FIELD, span, message).help(format!("{}: {}", field.name, field.doc)),
            );
        }
    }
}

/// Without `record:` the row itself is sent: the columns that are fields of the operation.
fn from_columns(
    context: &mut Context<'_>,
    operation: &OperationInfo,
    schema: &Schema,
    sink: Span,
) -> Option<RecordTemplate> {
    let mut fields = Vec::new();
    for field in &operation.fields {
        if schema.get(&field.name).is_some() {
            let text = Text::new(format!("{{{{ row[{}] }}}}", serde_json::Value::from(field.name.as_str())), sink);
            let value = context.compile(Some(schema), &[], |scope| compile_template(&text, scope))?;
            check_type(context, field, &value, sink);
            fields.push((field.name.clone(), RecordTemplate::Leaf { value, wanted: Some(field.ty.clone()) }));
        } else if field.required && field.default.is_none() {
            let message = format!("operation `{}` needs the field `{}` ({})", operation.name, field.name, field.ty);
            context.push(
                Diagnostic::error(codes::MISSING_FIELD, sink, message)
                    .help("write a `record:` that fills it, or give the input a column of that name"),
            );
        }
    }
    Some(RecordTemplate::Object(fields))
}

fn object(
    context: &mut Context<'_>,
    map: &Map,
    declared: Option<&[Setting]>,
    schema: Option<&Schema>,
) -> Option<RecordTemplate> {
    let mut fields = Vec::new();
    let mut whole = true;
    for entry in &map.entries {
        let setting = match declared {
            Some(declared) => {
                let names = declared.iter().map(|field| field.name.as_str());
                if !context.known(codes::UNKNOWN_FIELD, "field", &entry.key, names) {
                    whole = false;
                    continue;
                }
                declared.iter().find(|field| field.name == entry.key.value)
            }
            None => None,
        };
        match value(context, &entry.value, setting, schema) {
            Some(value) => fields.push((entry.key.value.clone(), value)),
            None => whole = false,
        }
    }
    whole.then_some(RecordTemplate::Object(fields))
}

fn value(
    context: &mut Context<'_>,
    tree: &Tree,
    setting: Option<&Setting>,
    schema: Option<&Schema>,
) -> Option<RecordTemplate> {
    match &tree.value {
        Value::Map(map) => object(context, map, None, schema),
        Value::List(items) => Some(RecordTemplate::List(
            items.iter().map(|item| value(context, item, None, schema)).collect::<Option<_>>()?,
        )),
        Value::Scalar(scalar) => {
            let compiled = context.compile(schema, &[], |scope| compile_value(tree, scope))?;
            if let Some(setting) = setting.filter(|_| !matches!(scalar, Scalar::Null)) {
                check_type(context, setting, &compiled, tree.span);
            }
            Some(RecordTemplate::Leaf { value: compiled, wanted: setting.map(|setting| setting.ty.clone()) })
        }
    }
}

/// Whether the type goes into the field without loss; null into a required field is a warning.
fn check_type(context: &mut Context<'_>, field: &Setting, value: &Compiled, span: Span) {
    let (found, nullable) = value.field();
    if !fits(found, &field.ty) {
        let message = format!("field `{}` expects {}, found {found}", field.name, field.ty);
        context.push(
            Diagnostic::error(codes::TYPE_MISMATCH, span, message)
                .maybe_help(conversion(&field.ty).map(|filter| format!("convert it: `{{{{ … | {filter} }}}}`"))),
        );
    } else if nullable && field.required && field.default.is_none() {
        let message = format!("field `{}` must not be null, and this can be", field.name);
        context.push(
            Diagnostic::warning(codes::NULL_INTO_REQUIRED, span, message)
                .help("give it a value with `| default(…)`, or reject such rows with `check`"),
        );
    }
}

fn conversion(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Int => "int",
        Type::Float => "float",
        Type::Bool => "bool",
        Type::Text => "string",
        Type::Date => "to_date",
        Type::DateTime { .. } => "to_datetime",
        _ => return None,
    })
}

fn fits(found: &Type, wanted: &Type) -> bool {
    match (found, wanted) {
        (Type::Null, _) | (_, Type::Json) | (Type::Json, _) => true,
        (Type::Int, Type::Float | Type::Decimal { .. } | Type::Text) => true,
        (Type::Float, Type::Decimal { .. }) | (Type::Decimal { .. }, Type::Float | Type::Decimal { .. }) => true,
        (Type::DateTime { .. }, Type::DateTime { .. }) => true,
        (Type::List(found), Type::List(wanted)) => fits(found, wanted),
        (Type::Struct(_), Type::Struct(_)) => true,
        (found, wanted) => found == wanted,
    }
}
