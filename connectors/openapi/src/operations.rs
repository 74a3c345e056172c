//! Operations: calls that write.

use crate::Work;
use crate::auth::Logins;
use crate::call::{Call, entry, is_object, properties};
use crate::streams::{fields_of, write_body};
use crate::write::{Page, inline, scalar};
use serde_json::Value as Json;

impl Work<'_> {
    /// Writes all operations and says how many there are.
    pub(crate) fn operations(&mut self, page: &mut Page, calls: &[Call], logins: &Logins) -> usize {
        let writing: Vec<&Call> = calls.iter().filter(|call| !call.reads()).collect();
        if writing.is_empty() {
            return 0;
        }
        page.line("");
        page.open("operations");
        for (index, call) in writing.iter().enumerate() {
            if index > 0 {
                page.line("");
            }
            self.operation(page, call, logins);
        }
        page.close();
        writing.len()
    }

    fn operation(&mut self, page: &mut Page, call: &Call, logins: &Logins) {
        page.open(&call.name);
        page.pair("doc", &call.doc);
        let kind = match call.method {
            "put" | "patch" => "update",
            "delete" => "delete",
            _ if call.path.ends_with('}') => "update",
            _ => "create",
        };
        page.line(&format!("kind: {kind}  # guessed from {}", call.method.to_uppercase()));
        if matches!(call.method, "put" | "delete") {
            page.line("idempotent: true  # guessed: what PUT and DELETE promise, sent twice they do the same as once");
        }
        if let Some(auth) = logins.of(&call.whole) {
            page.list("auth", &auth);
        }
        page.open("request");
        call.write_request(page, "record", &[]);
        if let Some(body) = &call.body {
            let elsewhere: Vec<&str> = call.params.iter().map(|param| param.name.as_str()).collect();
            write_body(page, body, "record", &elsewhere);
        }
        page.close();
        self.fields(page, call);
        self.results(page, call);
        page.pair("source", &format!("{} {}", call.method.to_uppercase(), call.path));
        page.close();
    }

    fn fields(&mut self, page: &mut Page, call: &Call) {
        let of_body = call.body.as_ref().map(fields_of).unwrap_or_default();
        if call.params.is_empty() && of_body.is_empty() {
            return;
        }
        page.open("fields");
        let mut written: Vec<&str> = Vec::new();
        for param in &call.params {
            entry(page, &param.name, &self.document.parameter(param));
            written.push(&param.name);
        }
        for (name, schema, required) in &of_body {
            if written.contains(&name.as_str()) {
                // One field serves both; two of one name cannot be told apart in a record.
                self.guessed.push(format!("{}: `{name}` of the body and of the call are the same", call.name));
                continue;
            }
            // Many documents leave out that a body is required; what it cannot do without is told all the same.
            entry(page, name, &self.document.setting(schema, None, *required));
        }
        page.close();
    }

    /// Plain members of the answer, or of the one object in it.
    fn results(&mut self, page: &mut Page, call: &Call) {
        let (prefix, answer) = match properties(&call.answer).as_slice() {
            [(name, inner, _)] if is_object(&self.document.schema(inner)) => {
                (format!("$.{name}."), self.document.schema(inner))
            }
            _ => ("$.".to_owned(), call.answer.clone()),
        };
        let plain: Vec<(String, Json)> = (properties(&answer).into_iter())
            .filter(|(name, _, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
            .map(|(name, schema, _)| (name, schema))
            .filter(|(_, schema)| {
                matches!(
                    self.document.type_of(schema).as_str(),
                    "text" | "int" | "float" | "bool" | "datetime" | "date"
                )
            })
            .collect();
        if plain.is_empty() {
            return;
        }
        page.open("results");
        for (name, schema) in plain {
            let pairs = [("type", self.document.type_of(&schema)), ("from", scalar(&format!("{prefix}{name}")))];
            entry(page, &name, &inline(&pairs));
        }
        page.close();
    }
}
