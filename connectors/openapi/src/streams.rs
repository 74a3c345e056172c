//! Streams: calls that read.

use crate::Work;
use crate::auth::Logins;
use crate::call::{Body, BodyKind, Call, entry, is_object, properties};
use crate::paging;
use crate::schema::kind;
use crate::write::{Page, scalar, template};
use serde_json::Value as Json;

/// Names of members that hold the records of a list.
const LISTS: [&str; 9] = ["data", "items", "results", "records", "value", "values", "entries", "rows", "content"];

/// First words of calls that read though they are a POST.
const READING: [&str; 6] = ["get_", "list_", "search_", "find_", "query_", "fetch_"];

/// Where the records of an answer are.
pub(crate) struct Records {
    /// The path to them; the answer itself when none.
    path: Option<String>,
    schema: Json,
    /// The column plain values become.
    value: Option<&'static str>,
    is_list: bool,
}

impl Call {
    /// Whether a call reads; for a POST that is a guess.
    pub(crate) fn reads(&self) -> bool {
        let is_search = || READING.iter().any(|word| self.name.starts_with(word)) && !self.answer.is_null();
        self.method == "get" || (self.method == "post" && is_search())
    }
}

impl Work<'_> {
    /// Writes all streams and says how many there are.
    pub(crate) fn streams(&mut self, page: &mut Page, calls: &[Call], logins: &Logins) -> usize {
        let reading: Vec<&Call> = calls.iter().filter(|call| call.reads()).collect();
        if reading.is_empty() {
            return 0;
        }
        page.line("");
        page.open("streams");
        for (index, call) in reading.iter().enumerate() {
            if index > 0 {
                page.line("");
            }
            self.stream(page, call, logins);
        }
        page.close();
        reading.len()
    }

    fn stream(&mut self, page: &mut Page, call: &Call, logins: &Logins) {
        let records = self.records(call);
        let paging = if records.is_list { paging::guess(call) } else { None };
        let filled = paging.as_ref().map(|paging| paging.params.as_slice()).unwrap_or_default();
        page.open(&call.name);
        page.pair("doc", &call.doc);
        if call.method == "post" {
            page.comment("guessed from its name: a POST that only reads");
            self.guessed.push(format!("{}: a POST that only reads", call.name));
        }
        if let Some(auth) = logins.of(&call.whole) {
            page.list("auth", &auth);
        }
        page.open("request");
        call.write_request(page, "params", filled);
        if let Some(body) = &call.body {
            write_body(page, body, "params", &[]);
        }
        page.close();
        self.params(page, call, filled);
        self.selector(page, call, &records);
        if !records.is_list && call.at("path").next().is_some() {
            page.line("absent: {status: 404}  # guessed: no such record, which is an answer and no error");
        }
        if records.is_list && paging.is_none() {
            page.comment("guessed: one call gives all records, as nothing here looks like paging");
            self.guessed.push(format!("{}: one call gives all records", call.name));
        }
        if let Some(paging) = &paging {
            self.guessed.push(format!("{}: how its pages follow each other", call.name));
            paging.write(page);
        }
        page.open("schema");
        self.columns(page, call, &records);
        page.close();
        page.pair("source", &format!("{} {}", call.method.to_uppercase(), call.path));
        page.close();
    }

    fn params(&self, page: &mut Page, call: &Call, filled: &[(String, &'static str)]) {
        let of_body = call.body.as_ref().map(fields_of).unwrap_or_default();
        let given: Vec<_> =
            call.params.iter().filter(|param| !filled.iter().any(|(name, _)| *name == param.name)).collect();
        if given.is_empty() && of_body.is_empty() {
            return;
        }
        page.open("params");
        for param in given {
            entry(page, &param.name, &self.document.parameter(param));
        }
        for (name, schema, required) in &of_body {
            entry(page, name, &self.document.setting(schema, None, *required));
        }
        page.close();
    }

    fn selector(&self, page: &mut Page, call: &Call, records: &Records) {
        if let Some(media) = &call.other_answer {
            let format = match media.as_str() {
                media if media.contains("csv") => "csv",
                media if media.starts_with("text/") => "text, value: text",
                _ => "file",
            };
            page.line(&format!("record_selector: {{format: {format}}}  # {media}"));
            return;
        }
        let pairs = [("records", records.path.as_deref()), ("value", records.value)];
        let written: Vec<String> =
            pairs.iter().filter_map(|(key, value)| value.map(|value| format!("{key}: {}", scalar(value)))).collect();
        if !written.is_empty() {
            page.line(&format!("record_selector: {{{}}}", written.join(", ")));
        }
    }

    fn columns(&mut self, page: &mut Page, call: &Call, records: &Records) {
        if let Some(media) = &call.other_answer {
            match media.as_str() {
                media if media.contains("csv") => {
                    page.line("# the columns of the CSV, by their headers");
                    page.line("id: {type: text, doc: not described}");
                }
                media if media.starts_with("text/") => page.line("text: {type: text, doc: the whole answer}"),
                _ => {
                    page.line("content: {type: binary, doc: the file}");
                    page.line("content_type: {type: text, doc: its media type}");
                    page.line("file_name: {type: text, doc: its name}");
                    page.line("size: {type: int, doc: its size in bytes}");
                }
            }
            return;
        }
        if let Some(value) = records.value {
            return entry(page, value, &self.document.column(&records.schema));
        }
        let columns = properties(&records.schema);
        if columns.is_empty() {
            self.left_out.push(format!("the columns of `{}`: the document does not describe its answer", call.name));
            page.comment("the document does not describe the answer: name the columns that are needed");
            page.line("id: {type: json, doc: not described in the document}");
        }
        for (name, schema, _) in columns {
            entry(page, &name, &self.document.column(&schema));
        }
    }

    /// Where the records of an answer are, and what they look like.
    fn records(&mut self, call: &Call) -> Records {
        let answer = &call.answer;
        if kind(answer) == "array" {
            return self.list_of("$[*]".to_owned(), &answer["items"]);
        }
        let lists: Vec<(String, Json)> = (properties(answer).into_iter())
            .map(|(name, schema, _)| (name, self.document.schema(&schema)))
            .filter(|(_, schema)| kind(schema) == "array")
            .collect();
        let by_name = lists.iter().find(|(name, _)| LISTS.contains(&name.to_ascii_lowercase().as_str()));
        // One list beside a few plain members is what the answer is about; with more, the answer is a record with lists in it.
        let others = properties(answer).len().saturating_sub(lists.len());
        let only = lists.first().filter(|(_, schema)| {
            lists.len() == 1
                && (others == 0 || paging::guess(call).is_some())
                && is_object(&self.document.schema(&schema["items"]))
        });
        if let Some((name, schema)) = by_name.or(only) {
            if others > 0 {
                self.guessed.push(format!("{}: its records are in `{name}`", call.name));
            }
            let at = if is_plain_name(name) { format!("$.{name}[*]") } else { format!("$['{name}'][*]") };
            return self.list_of(at, &schema["items"]);
        }
        let inner = properties(answer).into_iter().find(|(name, schema, _)| {
            properties(answer).len() == 1 && LISTS.contains(&name.as_str()) && is_object(&self.document.schema(schema))
        });
        // One list in an object in the answer, as in `{data: {rows: […]}}`.
        let lists_of = |schema: &Json| -> Vec<(String, Json)> {
            let properties = properties(&self.document.schema(schema)).into_iter();
            let resolved = properties.map(|(name, schema, _)| (name, self.document.schema(&schema)));
            resolved.filter(|(_, schema)| kind(schema) == "array").collect()
        };
        if let Some((outer, lists)) = inner.as_ref().map(|(name, schema, _)| (name, lists_of(schema)))
            && let [(name, list)] = lists.as_slice()
            && is_object(&self.document.schema(&list["items"]))
            && [outer, name].iter().all(|name| is_plain_name(name))
        {
            self.guessed.push(format!("{}: its records are in `{outer}.{name}`", call.name));
            return self.list_of(format!("$.{outer}.{name}[*]"), &list["items"]);
        }
        match inner {
            Some((name, schema, _)) => Records {
                path: Some(format!("$.{name}")),
                schema: self.document.schema(&schema),
                value: None,
                is_list: false,
            },
            None => {
                let is_plain = matches!(kind(answer), "string" | "integer" | "number" | "boolean");
                Records { path: None, schema: answer.clone(), value: is_plain.then_some("value"), is_list: false }
            }
        }
    }

    fn list_of(&self, path: String, items: &Json) -> Records {
        let schema = self.document.schema(items);
        let is_plain = matches!(kind(&schema), "string" | "integer" | "number" | "boolean");
        Records { path: Some(path), schema, value: is_plain.then_some("value"), is_list: true }
    }
}

/// Whether a JSONPath can have the name behind a dot.
fn is_plain_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The fields a body is made of: the members of an object, or one for all of it.
pub(crate) fn fields_of(body: &Body) -> Vec<(String, Json, bool)> {
    if !is_object(&body.schema) {
        return vec![("body".to_owned(), body.schema.clone(), body.required)];
    }
    properties(&body.schema).into_iter().filter(|(_, schema, _)| schema["readOnly"] != true).collect()
}

/// Writes a body whose fields are of a scope. `elsewhere` are the parameters of the call.
pub(crate) fn write_body(page: &mut Page, body: &Body, scope: &str, elsewhere: &[&str]) {
    if !is_object(&body.schema) {
        return page.line(&format!("body: {{json: {}}}", scalar(&template(scope, "body"))));
    }
    let kind = match body.kind {
        BodyKind::Json => "json",
        BodyKind::Form => "form",
        BodyKind::Multipart => "multipart",
    };
    // A field that is not given is left out of a record; in a template it is null, and a null may take a value away.
    if scope == "record" && body.kind == BodyKind::Json {
        let fields = fields_of(body);
        let is_of_body = |name: &str| fields.iter().any(|(field, _, _)| field == name);
        let without: Vec<String> = elsewhere.iter().filter(|name| !is_of_body(name)).map(|name| scalar(name)).collect();
        return page.line(&match without.as_slice() {
            [] => "body: record".to_owned(),
            without => format!("body: {{without: [{}]}}", without.join(", ")),
        });
    }
    page.open("body");
    page.open(kind);
    for (name, schema, _) in fields_of(body) {
        let is_file = matches!(schema["format"].as_str(), Some("binary"));
        if body.kind == BodyKind::Multipart && is_file {
            entry(
                page,
                &name,
                &format!("{{file: {{content: {}}}, file_name: {}}}", scalar(&template(scope, &name)), scalar(&name)),
            );
        } else {
            page.pair(&name, &template(scope, &name));
        }
    }
    page.close();
    page.close();
}
