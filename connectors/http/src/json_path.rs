//! JSONPath (RFC 9535), parsed once and used often.

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value as Json;
use towpath_spec::{Diagnostic, Text, codes};

/// A parsed path.
#[derive(Debug, Clone)]
pub(crate) struct JsonPath {
    written: String,
    query: JpQuery,
    // `$.a.b` and `$['a'].b`, by far the most common, need no query engine.
    plain: Option<Vec<String>>,
}

impl JsonPath {
    /// Parses a path a definition holds.
    ///
    /// # Errors
    /// A diagnostic at the path.
    pub(crate) fn parse(text: &Text) -> Result<Self, Diagnostic> {
        let query = parse_json_path(&text.value).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("= ").to_owned();
            Diagnostic::error(codes::INVALID_VALUE, text.span, format!("`{}` is not a JSONPath: {reason}", text.value))
                .help("a JSONPath starts with `$`, e.g. `$.data.items[*]`")
        })?;
        Ok(Self { plain: plain_names(&text.value), written: text.value.clone(), query })
    }

    /// The path as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    /// All values it selects, in document order.
    pub(crate) fn all<'a>(&self, document: &'a Json) -> Vec<&'a Json> {
        if self.plain.is_some() {
            return self.first(document).into_iter().collect();
        }
        js_path_process(&self.query, document)
            .map(|found| found.into_iter().map(|item| item.val()).collect())
            .unwrap_or_default()
    }

    /// The first value it selects.
    pub(crate) fn first<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        match &self.plain {
            Some(names) => names.iter().try_fold(document, |value, name| value.as_object()?.get(name)),
            None => self.all(document).into_iter().next(),
        }
    }
}

/// The names of a path of nothing but names.
fn plain_names(path: &str) -> Option<Vec<String>> {
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
    fn what_is_no_path_is_said_to_be_none() {
        let error = JsonPath::parse(&Text::new("a.b[", Span::default())).unwrap_err();
        assert_eq!(error.code, "invalid-value");
        assert!(error.message.starts_with("`a.b[` is not a JSONPath"), "{}", error.message);
    }
}
