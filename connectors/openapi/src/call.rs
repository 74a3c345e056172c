//! Calls of a document: a method on a path, with its parameters, its body and its answer.

use crate::Work;
use crate::document::one_line;
use crate::schema::kind;
use crate::write::{Page, scalar, template};
use serde_json::{Map, Value as Json};

/// Methods that can be called, in the order they are written.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Form,
    Multipart,
}

/// A body.
pub(crate) struct Body {
    pub(crate) kind: BodyKind,
    pub(crate) schema: Json,
    pub(crate) required: bool,
}

/// A parameter of the path, the query or the head.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) required: bool,
    pub(crate) schema: Json,
    pub(crate) doc: Option<String>,
    /// What stands between the items of a list; without it, the name is repeated.
    pub(crate) join: Option<&'static str>,
}

/// A call.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) params: Vec<Param>,
    pub(crate) body: Option<Body>,
    /// The schema of a good answer in JSON; null when it has none.
    pub(crate) answer: Json,
    /// The media type of a good answer that is not JSON.
    pub(crate) other_answer: Option<String>,
    /// As the document has it.
    pub(crate) whole: Json,
}

impl Call {
    /// The template of the path.
    pub(crate) fn path_template(&self, scope: &str) -> String {
        let mut path = self.path.clone();
        for param in self.params.iter().filter(|param| param.place == "path") {
            path = path.replace(&format!("{{{}}}", param.name), &template(scope, &param.name));
        }
        path
    }

    pub(crate) fn at<'a>(&'a self, place: &'a str) -> impl Iterator<Item = &'a Param> {
        self.params.iter().filter(move |param| param.place == place)
    }

    /// Writes method, path, query and headers; `skip` names query parameters that paging fills in.
    pub(crate) fn write_request(&self, page: &mut Page, scope: &str, paging: &[(String, &'static str)]) {
        page.pair("method", &self.method.to_ascii_uppercase());
        page.pair("path", &self.path_template(scope));
        for (place, key) in [("query", "query"), ("header", "headers")] {
            if self.at(place).next().is_none() {
                continue;
            }
            page.open(key);
            for param in self.at(place) {
                let paged = paging.iter().find(|(name, _)| *name == param.name);
                let value = paged.map_or_else(|| template(scope, &param.name), |(_, page)| template("page", page));
                page.pair(&param.name, &value);
            }
            page.close();
        }
    }
}

impl Work<'_> {
    /// All calls, in the order of the document.
    pub(crate) fn calls(&mut self) -> Vec<Call> {
        let paths: Vec<(&String, &Json)> = self.document.paths().collect();
        let mut calls = Vec::new();
        for (path, item) in paths {
            let item = self.document.resolve(item);
            for method in METHODS {
                if let Some(whole) = item.get(method).filter(|call| call.is_object()) {
                    let shared = item["parameters"].as_array().cloned().unwrap_or_default();
                    calls.push(self.call(method, path, &shared, whole.clone()));
                }
            }
            for method in ["head", "options", "trace"].iter().filter(|method| item.get(**method).is_some()) {
                self.left_out.push(format!("{} {path}: a call that neither reads nor writes", method.to_uppercase()));
            }
        }
        calls
    }

    fn call(&mut self, method: &'static str, path: &str, shared: &[Json], whole: Json) -> Call {
        let name = self.names.of(whole["operationId"].as_str(), method, path);
        let own = whole["parameters"].as_array().cloned().unwrap_or_default();
        let mut written: Vec<Json> = own.iter().map(|param| self.document.resolve(param).clone()).collect();
        for param in shared.iter().map(|param| self.document.resolve(param)) {
            let is_there = |one: &Json| one["name"] == param["name"] && one["in"] == param["in"];
            if !written.iter().any(is_there) {
                written.push(param.clone());
            }
        }
        let body = self.body(&whole, &written);
        let params = written.iter().filter_map(|one| param(one, self.document.is_swagger)).collect();
        let said = ["summary", "description"].iter().filter_map(|key| whole[*key].as_str()).map(one_line);
        let doc = said.filter(|doc| !doc.is_empty()).collect::<Vec<_>>().join(". ");
        let doc = if doc.is_empty() { format!("{} {path}", method.to_uppercase()) } else { doc };
        let (answer, other_answer) = self.answer(&whole);
        Call { method, path: path.to_owned(), name, doc, params, body, answer, other_answer, whole }
    }

    fn body(&mut self, whole: &Json, params: &[Json]) -> Option<Body> {
        if self.document.is_swagger {
            return self.swagger_body(whole, params);
        }
        let body = self.document.resolve(&whole["requestBody"]);
        let content = body["content"].as_object()?;
        let kinds = [
            ("application/json", BodyKind::Json),
            ("application/x-www-form-urlencoded", BodyKind::Form),
            ("multipart/form-data", BodyKind::Multipart),
        ];
        let found = kinds.iter().find_map(|(media, kind)| {
            let is_it = |(name, _): &(&String, &Json)| name.split(';').next().is_some_and(|name| name.trim() == *media);
            content.iter().find(is_it).map(|(_, body)| (*kind, &body["schema"]))
        });
        let json_like = || {
            content.iter().find(|(name, _)| name.contains("json")).map(|(_, body)| (BodyKind::Json, &body["schema"]))
        };
        let (kind, schema) = found.or_else(json_like).or_else(|| {
            let media = content.keys().next()?;
            self.left_out.push(format!("the body of {}: `{media}` is not supported", whole["operationId"]));
            None
        })?;
        Some(Body { kind, schema: self.document.schema(schema), required: body["required"] == true })
    }

    fn swagger_body(&self, whole: &Json, params: &[Json]) -> Option<Body> {
        if let Some(body) = params.iter().find(|param| param["in"] == "body") {
            let schema = self.document.schema(&body["schema"]);
            return Some(Body { kind: BodyKind::Json, schema, required: body["required"] == true });
        }
        let form: Vec<&Json> = params.iter().filter(|param| param["in"] == "formData").collect();
        let mut properties = Map::new();
        for field in &form {
            let mut schema = (*field).clone();
            if schema["type"] == "file" {
                schema["type"] = Json::from("string");
                schema["format"] = Json::from("binary");
            }
            properties.insert(field["name"].as_str().unwrap_or_default().to_owned(), schema);
        }
        let required: Vec<Json> =
            form.iter().filter(|one| one["required"] == true).map(|one| one["name"].clone()).collect();
        let consumes = whole["consumes"].as_array().or(self.document.root["consumes"].as_array());
        let is_multipart = consumes.into_iter().flatten().any(|media| media == "multipart/form-data");
        let kind = if is_multipart { BodyKind::Multipart } else { BodyKind::Form };
        (!form.is_empty()).then(|| Body {
            kind,
            required: !required.is_empty(),
            schema: serde_json::json!({"type": "object", "properties": properties, "required": required}),
        })
    }

    /// The schema of the first good answer in JSON, or the media type of another one.
    fn answer(&self, whole: &Json) -> (Json, Option<String>) {
        let answers = whole["responses"].as_object().into_iter().flatten();
        let mut good: Vec<(&String, &Json)> =
            answers.filter(|(code, _)| code.starts_with('2') || *code == "default").collect();
        good.sort_by_key(|(code, _)| *code);
        let Some((_, answer)) = good.first() else { return (Json::Null, None) };
        let answer = self.document.resolve(answer);
        if self.document.is_swagger {
            let media = whole["produces"].as_array().or(self.document.root["produces"].as_array());
            let media: Vec<&str> = media.into_iter().flatten().filter_map(Json::as_str).collect();
            let is_file = answer["schema"]["type"] == "file";
            let is_json = media.is_empty() || media.iter().any(|media| media.contains("json") || *media == "*/*");
            if is_file || !is_json {
                let other = media.iter().find(|media| !media.contains("json")).unwrap_or(&"application/octet-stream");
                return (Json::Null, Some((*other).to_owned()));
            }
            return (self.document.schema(&answer["schema"]), None);
        }
        let content = answer["content"].as_object();
        let json = content.into_iter().flatten().find(|(media, _)| media.contains("json") || *media == "*/*");
        match (json, content.and_then(|content| content.keys().next())) {
            (Some((_, body)), _) => (self.document.schema(&body["schema"]), None),
            (None, other) => (Json::Null, other.cloned()),
        }
    }
}

fn param(written: &Json, is_swagger: bool) -> Option<Param> {
    let place = written["in"].as_str()?;
    // These stand in other places: the body, and headers the runtime itself is in charge of.
    let name = written["name"].as_str()?;
    let own = matches!(name.to_ascii_lowercase().as_str(), "accept" | "authorization" | "content-type");
    if !matches!(place, "path" | "query" | "header") || (place == "header" && own) {
        return None;
    }
    let schema = if written["schema"].is_object() { written["schema"].clone() } else { written.clone() };
    let doc = written["description"].as_str().map(one_line);
    Some(Param {
        name: name.to_owned(),
        place: place.to_owned(),
        required: place == "path" || written["required"] == true,
        schema,
        doc,
        join: if is_swagger { swagger_join(written) } else { join(written, place) },
    })
}

/// `collectionFormat` of Swagger 2: commas when nothing is said.
fn swagger_join(param: &Json) -> Option<&'static str> {
    match param["collectionFormat"].as_str() {
        Some("multi") => None,
        Some("ssv") => Some(" "),
        Some("tsv") => Some("\t"),
        Some("pipes") => Some("|"),
        _ => Some(","),
    }
}

/// `style` and `explode` of OpenAPI 3: a query's name is repeated when nothing is said, elsewhere there are commas.
fn join(param: &Json, place: &str) -> Option<&'static str> {
    let style = param["style"].as_str().unwrap_or(if place == "query" { "form" } else { "simple" });
    let explodes = param["explode"].as_bool().unwrap_or(style == "form");
    match style {
        "spaceDelimited" => Some(" "),
        "pipeDelimited" => Some("|"),
        "form" if explodes => None,
        _ => Some(","),
    }
}

/// The properties of an object, with whether each must be given.
pub(crate) fn properties(schema: &Json) -> Vec<(String, Json, bool)> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, schema)| (name.clone(), schema.clone(), required.contains(&name.as_str()))).collect()
}

/// Whether a schema is of an object with known members.
pub(crate) fn is_object(schema: &Json) -> bool {
    kind(schema) == "object" && schema["properties"].as_object().is_some_and(|all| !all.is_empty())
}

/// A key with a written value.
pub(crate) fn entry(page: &mut Page, key: &str, value: &str) {
    page.line(&format!("{}: {value}", scalar(key)));
}
