//! JSONPath (RFC 9535), parsed once and used often.
//!
//! A path whose answer would not be the standard's is refused when it is read (see [`crate::json_path_limits`]); it is never
//! answered differently.

use crate::json_path_limits::refused;
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value as Json;
use towpath_spec::{Diagnostic, Text, codes};

/// A parsed path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    written: String,
    query: JpQuery,
    // `$.a.b` and `$.a.b[*]`, by far the most common, need no query engine.
    plain: Option<Plain>,
}

/// A path of nothing but names.
#[derive(Debug, Clone)]
struct Plain {
    names: Vec<String>,
    /// Whether `[*]` comes behind them.
    each: bool,
}

/// What stands where a list of records should.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Records, or null: there are none.
    There,
    /// Nothing: no member of this name where there should be one.
    Without(String),
    /// Something that holds no records.
    Other(&'static str),
}

impl JsonPath {
    /// Parses a path a definition holds.
    ///
    /// # Errors
    /// A diagnostic at the path: it is none, or one that would be answered wrongly.
    pub fn parse(text: &Text) -> Result<Self, Diagnostic> {
        let query = parse_json_path(&text.value).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("= ").to_owned();
            Diagnostic::error(codes::INVALID_VALUE, text.span, format!("`{}` is not a JSONPath: {reason}", text.value))
                .help("a JSONPath starts with `$`, e.g. `$.data.items[*]`")
        })?;
        if let Some(why) = refused(&query) {
            let message = format!("`{}` cannot be used as a JSONPath: {why}", text.value);
            return Err(Diagnostic::error(codes::INVALID_VALUE, text.span, message)
                .help("`docs/jsonpath.md` lists what is not supported"));
        }
        let (list, each) = match text.value.strip_suffix("[*]") {
            Some(list) => (list, true),
            None => (text.value.as_str(), false),
        };
        let plain = plain_names(list).map(|names| Plain { names, each });
        Ok(Self { plain, written: text.value.clone(), query })
    }

    /// The path as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    /// The names it is made of, when it is `$.a.b` and the like.
    pub(crate) fn names(&self) -> Option<&[String]> {
        self.plain.as_ref().filter(|plain| !plain.each).map(|plain| &*plain.names)
    }

    /// The names that lead to a list whose items are records: `$.a.b` and `$.a.b[*]`.
    pub(crate) fn names_to_list(&self) -> Option<&[String]> {
        self.plain.as_ref().map(|plain| &*plain.names)
    }

    /// What stands in the place of the records of a document. A path that is more than names may select nothing anywhere.
    pub(crate) fn place(&self, document: &Json) -> Place {
        let Some(Plain { names, each }) = &self.plain else { return Place::There };
        let mut here = document;
        for name in names {
            here = match here {
                Json::Null => return Place::There,
                Json::Object(members) => match members.get(name) {
                    Some(member) => member,
                    None => return Place::Without(name.clone()),
                },
                other => return Place::Other(kind(other)),
            };
        }
        match here {
            Json::Null | Json::Array(_) | Json::Object(_) => Place::There,
            other if *each => Place::Other(kind(other)),
            _ => Place::There,
        }
    }

    /// All values it selects, in document order.
    pub fn all<'a>(&self, document: &'a Json) -> Vec<&'a Json> {
        if self.names().is_some() {
            return self.first(document).into_iter().collect();
        }
        js_path_process(&self.query, document)
            .map(|found| found.into_iter().map(|item| item.val()).collect())
            .unwrap_or_default()
    }

    /// The first value it selects.
    pub fn first<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        match self.names() {
            Some(names) => names.iter().try_fold(document, |value, name| value.as_object()?.get(name)),
            None => self.all(document).into_iter().next(),
        }
    }
}

/// What a value is, in a word for messages.
fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// The names of a path of nothing but names.
pub(crate) fn plain_names(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('$')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    rest.strip_prefix('.')?
        .split('.')
        .map(|name| {
            let good = !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_alphanumeric() || c == '_');
            good.then(|| name.to_owned())
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;
    use towpath_spec::Span;

    fn path(written: &str) -> JsonPath {
        JsonPath::parse(&Text::new(written, Span::default())).unwrap()
    }

    #[test]
    fn plain_and_general_paths_agree() {
        let document = json!({"a": {"b": [1, {"c": 2}], "TotalRecords": [{"Total": 7}]}, "x": null});
        assert_eq!(path("$.a.b").first(&document), Some(&json!([1, {"c": 2}])));
        assert_eq!(path("$['a']['b']").first(&document), Some(&json!([1, {"c": 2}])));
        assert_eq!(path("$.a.TotalRecords[0].Total").first(&document), Some(&json!(7)));
        assert_eq!(path("$.a.b[*]").all(&document).len(), 2);
        assert_eq!(path("$.x").first(&document), Some(&Json::Null));
        assert_eq!(path("$.nothing.at.all").first(&document), None);
        assert_eq!(path("$").first(&document), Some(&document));
    }

    #[test]
    fn what_would_be_answered_wrongly_is_refused() {
        for written in [
            "$..['a','d']",
            "$[?@[?@ > 1]]",
            "$[?count(@..*)]",
            "$[?length(@.a)]",
            "$[?value(@.a)]",
            "$[?length(@.*) < 3]",
            "$[?length(@['a','b']) < 3]",
            "$.a[?!(count(@.*))]",
            "$[?@.a || @.b[?@.c]]",
            "$[?count($.x[?@.y]) > 1]",
        ] {
            let error = JsonPath::parse(&Text::new(written, Span::default())).unwrap_err();
            assert!(error.message.contains(written) && error.help.is_some(), "{}", error.message);
        }
    }

    #[test]
    fn what_is_answered_rightly_is_taken() {
        let document = json!({"a": [{"b": 1, "c": ["x"]}, {"b": 2, "c": []}, {"b": 3}]});
        for (written, found) in [
            ("$..b", json!([1, 2, 3])),
            ("$.a[?@.b > 1].b", json!([2, 3])),
            ("$.a[?count(@.c[*]) > 0].b", json!([1])),
            ("$.a[?length(@.c) == 0].b", json!([2])),
            ("$.a[?value(@..b) == 3].b", json!([3])),
            ("$.a[0,2].b", json!([1, 3])),
            ("$.a[?@.c && !@.c[0]].b", json!([2])),
            ("$.a[?match(@.c[0], 'x')]['b']", json!([1])),
            ("$.a[-1:].b", json!([3])),
        ] {
            let values: Vec<&Json> = path(written).all(&document);
            assert_eq!(json!(values), found, "{written}");
        }
    }

    #[test]
    fn the_place_of_records_is_there_or_is_told_to_be_missing() {
        let without = |name: &str| Place::Without(name.to_owned());
        for (written, document, place) in [
            ("$.a.b[*]", json!({"a": {"b": []}}), Place::There),
            ("$.a.b[*]", json!({"a": {"b": {"x": {}}}}), Place::There),
            ("$.a.b[*]", json!({"a": {"b": null}}), Place::There),
            ("$.a.b[*]", json!({"a": null}), Place::There),
            ("$.a.b[*]", json!({"a": {}}), without("b")),
            ("$.a.b[*]", json!({}), without("a")),
            ("$.a.b[*]", json!([]), Place::Other("a list")),
            ("$.a.b[*]", json!({"a": {"b": "no"}}), Place::Other("text")),
            ("$.a.b", json!({"a": {"b": 7}}), Place::There),
            ("$[*]", json!(7), Place::Other("a number")),
            ("$..b[*]", json!({}), Place::There),
        ] {
            assert_eq!(path(written).place(&document), place, "{written} {document}");
        }
    }

    #[test]
    fn what_is_no_path_is_said_to_be_none() {
        let error = JsonPath::parse(&Text::new("a.b[", Span::default())).unwrap_err();
        assert_eq!(error.code, "invalid-value");
        assert!(error.message.starts_with("`a.b[` is not a JSONPath"), "{}", error.message);
    }
}
