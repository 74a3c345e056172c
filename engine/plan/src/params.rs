//! Parameters: defaults of project and pipeline, values of the environment and of the command line.

use crate::context::Context;
use crate::plan::Param;
use std::collections::BTreeMap;
use towpath_mapping::Value;
use towpath_spec::document::{Environment, ParamDoc, Tree};
use towpath_spec::{Diagnostic, Field, Span, Text, codes};

/// Resolves all parameters into the context. `given` comes from the command line and wins.
pub(crate) fn resolve(
    context: &mut Context<'_>,
    declared: &[&ParamDoc],
    environment: Option<&Environment>,
    given: &BTreeMap<String, String>,
    pipeline: Span,
) {
    for param in declared {
        // The pipeline's own declaration comes last and takes the place of the project's.
        context.params.retain(|known| known.field.name != param.name.value);
        let mut value = None;
        if let Some(tree) = &param.default {
            value = convert_tree(context, param, tree);
        }
        if let Some((_, tree)) = environment.and_then(|env| find(&env.params, &param.name.value)) {
            value = convert_tree(context, param, tree);
        }
        if let Some(text) = given.get(&param.name.value) {
            match Value::from_json(&serde_json::Value::from(text.as_str()), &param.ty) {
                Ok(converted) => value = Some(converted),
                Err(reason) => context.push(Diagnostic::error(
                    codes::WRONG_TYPE,
                    param.name.span,
                    format!("the value given for parameter `{}` does not fit: {reason}", param.name),
                )),
            }
        }
        if value.is_none() {
            let message = format!("parameter `{}` has no value", param.name);
            context.blocked.push(
                Diagnostic::error(codes::MISSING_PARAM, param.name.span, message)
                    .help(format!("give it with `--param {}=…` or write a `default:`", param.name)),
            );
        }
        let field = Field { name: param.name.value.clone(), ty: param.ty.clone(), nullable: value.is_none() };
        context.params.push(Param { field, value });
    }
    unknown_values(context, given, pipeline);
    context.param_fields = context.params.iter().map(|param| param.field.clone()).collect();
}

fn find<'a>(params: &'a [(Text, Tree)], name: &str) -> Option<&'a (Text, Tree)> {
    params.iter().find(|(text, _)| text.value == name)
}

// Values of the environment are not checked here: it serves several pipelines, and a parameter this one does not have is
// not its business.
fn unknown_values(context: &mut Context<'_>, given: &BTreeMap<String, String>, pipeline: Span) {
    let known: Vec<String> = context.params.iter().map(|param| param.field.name.clone()).collect();
    for name in given.keys().filter(|name| !known.contains(name)) {
        let written = Text::new(name.clone(), pipeline);
        context.known(
            codes::UNKNOWN_PARAM,
            "parameter on the command line",
            &written,
            known.iter().map(String::as_str),
        );
    }
}

fn convert_tree(context: &mut Context<'_>, param: &ParamDoc, tree: &Tree) -> Option<Value> {
    match Value::from_json(&tree.to_json(), &param.ty) {
        Ok(value) => Some(value),
        Err(reason) => {
            let message = format!("the value of parameter `{}` is not of type {}: {reason}", param.name, param.ty);
            context.push(Diagnostic::error(codes::WRONG_TYPE, tree.span, message));
            None
        }
    }
}
