//! The document as it stands: versions made alike, references followed.

use serde_json::{Map, Value as Json};

/// How deep references and compositions are followed; recursive schemas end here.
const DEEPEST: usize = 12;

/// An OpenAPI 3 or Swagger 2 document.
pub(crate) struct Document<'a> {
    pub(crate) root: &'a Json,
    pub(crate) is_swagger: bool,
}

impl<'a> Document<'a> {
    pub(crate) fn new(root: &'a Json) -> Result<Self, String> {
        let is_swagger = match (root["openapi"].as_str(), root["swagger"].as_str(), root["swagger"].as_f64()) {
            (Some(version), ..) if version.starts_with("3.") => false,
            (None, Some("2.0"), _) => true,
            (None, None, Some(version)) if (version - 2.0).abs() < f64::EPSILON => true,
            (Some(version), ..) => return Err(format!("OpenAPI {version} is not known, only 3.x and Swagger 2.0")),
            (None, Some(version), _) => return Err(format!("Swagger {version} is not known, only 2.0")),
            _ => return Err("no OpenAPI or Swagger document: there is neither `openapi` nor `swagger`".to_owned()),
        };
        Ok(Self { root, is_swagger })
    }

    /// The address all paths start from, when the document has a whole one.
    pub(crate) fn server(&self) -> Option<String> {
        if self.is_swagger {
            let host = self.root["host"].as_str()?;
            let schemes = self.root["schemes"].as_array();
            let has_https = schemes.is_none_or(|all| all.is_empty() || all.iter().any(|scheme| scheme == "https"));
            let path = self.root["basePath"].as_str().unwrap_or_default().trim_end_matches('/');
            return Some(format!("{}://{host}{path}", if has_https { "https" } else { "http" }));
        }
        let server = self.root["servers"].get(0)?;
        let mut url = server["url"].as_str()?.to_owned();
        for (name, variable) in server["variables"].as_object().into_iter().flatten() {
            url = url.replace(&format!("{{{name}}}"), variable["default"].as_str().unwrap_or_default());
        }
        (url.starts_with("http") && !url.contains('{')).then(|| url.trim_end_matches('/').to_owned())
    }

    /// Paths with what stands under them, in the order of the document.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&'a String, &'a Json)> {
        self.root["paths"].as_object().into_iter().flatten()
    }

    /// What stands where a reference points; what is no reference stands for itself.
    pub(crate) fn resolve<'b>(&self, mut value: &'b Json) -> &'b Json
    where
        'a: 'b,
    {
        for _ in 0..DEEPEST {
            let Some(pointer) = value["$ref"].as_str().and_then(|written| written.strip_prefix('#')) else {
                return value;
            };
            match self.root.pointer(pointer) {
                Some(target) => value = target,
                None => return &Json::Null,
            }
        }
        &Json::Null
    }

    /// A schema with references followed and `allOf` put together; of `oneOf` and `anyOf` the first.
    pub(crate) fn schema(&self, value: &Json) -> Json {
        self.schema_at(value, 0)
    }

    fn schema_at(&self, value: &Json, depth: usize) -> Json {
        let value = self.resolve(value);
        if depth > DEEPEST {
            return Json::Null;
        }
        if let Some(parts) = value["allOf"].as_array() {
            let mut whole = value.as_object().cloned().unwrap_or_default();
            whole.remove("allOf");
            for part in parts {
                merge(&mut whole, self.schema_at(part, depth + 1));
            }
            return Json::Object(whole);
        }
        let choice = ["oneOf", "anyOf"].iter().find_map(|key| value[*key].as_array());
        match choice.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            Some(first) => self.schema_at(first, depth + 1),
            None => value.clone(),
        }
    }
}

/// Adds the members of a part; properties and lists of what is required are joined.
fn merge(whole: &mut Map<String, Json>, part: Json) {
    let Json::Object(part) = part else { return };
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Json::Object(mine)), Json::Object(more)) => mine.extend(more),
            (Some(Json::Array(mine)), Json::Array(more)) => mine.extend(more),
            (Some(_), _) => {}
            (None, value) => drop(whole.insert(key, value)),
        }
    }
}

/// A text of several lines as one.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    const LONGEST: usize = 300;
    if line.chars().count() > LONGEST {
        line = line.chars().take(LONGEST).collect::<String>();
        line.truncate(line.rfind(' ').unwrap_or(line.len()));
        line.push('…');
    }
    line
}
