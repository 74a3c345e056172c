//! Types of the language from JSON Schema.

use crate::call::Param;
use crate::document::{Document, one_line};
use crate::write::{inline, scalar};
use serde_json::Value as Json;

/// How many columns of nested objects are not asked for: a nested object is one column of type json.
const MOST_VALUES: usize = 40;

impl Document<'_> {
    /// The type of a value, in the language's words.
    pub(crate) fn type_of(&self, schema: &Json) -> String {
        let schema = self.schema(schema);
        match kind(&schema) {
            "boolean" => "bool".to_owned(),
            "integer" => "int".to_owned(),
            "number" => "float".to_owned(),
            "string" => match schema["format"].as_str() {
                Some("date") => "date",
                Some("date-time") => "datetime",
                Some("binary" | "byte") => "binary",
                _ => "text",
            }
            .to_owned(),
            "array" => match self.type_of(&schema["items"]).as_str() {
                // A list of what is no plain value is kept as it came.
                item @ ("bool" | "int" | "float" | "text" | "date" | "datetime") => format!("list<{item}>"),
                _ => "json".to_owned(),
            },
            _ => "json".to_owned(),
        }
    }

    /// `{type: …, doc: …}` of a column.
    pub(crate) fn column(&self, schema: &Json) -> String {
        let ty = self.type_of(schema);
        let mut pairs = vec![("type", type_word(&ty))];
        pairs.push(("doc", scalar(&self.doc(schema, "not described in the document"))));
        inline(&pairs)
    }

    /// `{type: …, required: …, default: …, values: […], doc: …}` of a field.
    pub(crate) fn setting(&self, schema: &Json, doc: Option<&str>, required: bool) -> String {
        inline(&self.pairs(schema, doc, required))
    }

    /// The same of a parameter, with how a list is written in one.
    pub(crate) fn parameter(&self, param: &Param) -> String {
        let mut pairs = self.pairs(&param.schema, param.doc.as_deref(), param.required);
        if let Some(between) = param.join.filter(|_| self.type_of(&param.schema).starts_with("list")) {
            pairs.insert(1, ("join", scalar(between)));
        }
        inline(&pairs)
    }

    fn pairs(&self, schema: &Json, doc: Option<&str>, required: bool) -> Vec<(&'static str, String)> {
        let whole = self.schema(schema);
        let ty = self.type_of(schema);
        // What is given as a date is sent as text of the vendor's own form.
        let mut pairs = vec![("type", type_word(&ty))];
        let default = whole.get("default").filter(|default| !default.is_null() && !default.is_object());
        match default {
            Some(default) => pairs.push(("default", default.as_str().map_or_else(|| default.to_string(), scalar))),
            None if required => pairs.push(("required", "true".to_owned())),
            None => {}
        }
        let values: Vec<String> =
            whole["enum"].as_array().into_iter().flatten().filter(|one| !one.is_null()).map(plain).collect();
        if !values.is_empty() && values.len() <= MOST_VALUES && !ty.starts_with("list") {
            let values: Vec<String> = values.iter().map(|value| scalar(value)).collect();
            pairs.push(("values", format!("[{}]", values.join(", "))));
        }
        let said = doc.map(one_line).filter(|doc| !doc.is_empty());
        pairs.push(("doc", scalar(&said.unwrap_or_else(|| self.doc(schema, "not described in the document")))));
        pairs
    }

    fn doc(&self, schema: &Json, otherwise: &str) -> String {
        let own = schema["description"].as_str().or(schema["title"].as_str()).map(one_line);
        let own = own.filter(|doc| !doc.is_empty());
        own.or_else(|| {
            let whole = self.schema(schema);
            whole["description"].as_str().map(one_line).filter(|doc| !doc.is_empty())
        })
        .unwrap_or_else(|| otherwise.to_owned())
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `list<text>` must be quoted inside of `{ }`.
fn type_word(ty: &str) -> String {
    scalar(ty)
}

/// The JSON type of a schema; of several the first that is not null.
pub(crate) fn kind(schema: &Json) -> &str {
    match &schema["type"] {
        Json::String(kind) => kind,
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        _ if schema["properties"].is_object() => "object",
        _ if !schema["items"].is_null() => "array",
        _ if schema["enum"].is_array() => "string",
        _ => "",
    }
}
