//! Calls and their bodies.

use super::{Compiler, names};
use crate::body::{BodyTemplate, CsvTemplate, PartTemplate};
use crate::call::{Call, Made};
use crate::csv_text::CsvStyle;
use crate::describe;
use crate::template::{PathTemplate, Scope, Template};
use crate::upload::{FileTemplate, FromTemplate};
use crate::xml_body::is_name;
use towpath_spec::definition::{BodyDoc, CsvDoc, CsvValue, FileFrom, PartDoc, PartValue, RequestDoc, SettingDoc};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::document::{Tree, Value};
use towpath_spec::{Diagnostic, Text, codes};

impl Compiler<'_> {
    pub(super) fn call(&mut self, doc: &RequestDoc, scope: &Scope, declared: &[SettingDoc]) -> Option<Call> {
        let path = PathTemplate::parse(&doc.path, self.files, scope, &mut self.problems);
        let base = doc.base.as_ref().map(|base| self.template(base, scope));
        let query =
            doc.query.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, scope)?))).collect();
        let headers = self.headers(&doc.headers, scope);
        let body = self.body(&doc.body, scope, declared);
        let secret = |name: &str| {
            let settings = declared.iter().chain(&self.definition.config);
            settings.filter(|setting| setting.secret).any(|setting| setting.name.value == name)
        };
        let hidden = doc
            .query
            .iter()
            .filter(|(name, tree)| secret(&name.value) || describe::reads_secret(tree, &self.definition.config))
            .map(|(name, _)| name.value.clone())
            .chain(self.query_credentials())
            .collect();
        Some(Call {
            method: doc.method.value.parse().ok()?,
            path: path?,
            base: match base {
                Some(parsed) => Some(parsed?),
                None => None,
            },
            query,
            headers,
            body,
            hidden,
            made: Made::default(),
        })
    }

    pub(super) fn body(&mut self, doc: &BodyDoc, scope: &Scope, declared: &[SettingDoc]) -> BodyTemplate {
        match doc {
            BodyDoc::None => BodyTemplate::None,
            BodyDoc::Record { without } => {
                let fields: Vec<String> = declared.iter().map(|field| field.name.value.clone()).collect();
                let known = without.iter().filter(|name| self.must_be_one_of(name, "field", &fields));
                BodyTemplate::Record { without: known.map(|name| name.value.clone()).collect() }
            }
            BodyDoc::Json(tree) => self.slot(tree, scope).map_or(BodyTemplate::None, BodyTemplate::Json),
            BodyDoc::Form(fields) => BodyTemplate::Form(
                fields.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, scope)?))).collect(),
            ),
            BodyDoc::Multipart(parts) => {
                BodyTemplate::Multipart(parts.iter().filter_map(|part| self.part(part, scope)).collect())
            }
            BodyDoc::Text { text, content_type } => {
                let (text, content_type) = (self.template(text, scope), self.optional(content_type.as_ref(), scope));
                text.map_or(BodyTemplate::None, |text| BodyTemplate::Text { text, content_type })
            }
            BodyDoc::Csv(csv) => BodyTemplate::Csv(Box::new(self.csv(csv, scope, declared))),
            BodyDoc::Xml { tree, content_type } => {
                self.one_root(tree);
                let (tree, content_type) = (self.slot(tree, scope), self.optional(content_type.as_ref(), scope));
                tree.map_or(BodyTemplate::None, |tree| BodyTemplate::Xml { tree, content_type })
            }
        }
    }

    fn optional(&mut self, text: Option<&Text>, scope: &Scope) -> Option<Template> {
        text.and_then(|text| self.template(text, scope))
    }

    fn csv(&mut self, doc: &CsvDoc, scope: &Scope, declared: &[SettingDoc]) -> CsvTemplate {
        // A line is made of one record, also where the call has several.
        let of_a_line = scope.clone().with("record", names(declared));
        let columns = doc.columns.iter().map(|(header, value)| {
            let slot = match value {
                CsvValue::Field => {
                    self.field(header, declared);
                    None
                }
                CsvValue::Template(tree) => self.slot(tree, &of_a_line),
            };
            (header.value.clone(), slot)
        });
        let columns = columns.collect();
        CsvTemplate {
            columns,
            header: doc.header,
            style: CsvStyle { quote_always: doc.quote_always, crlf: doc.crlf },
            content_type: self.optional(doc.content_type.as_ref(), scope),
        }
    }

    /// A column that is named after a field of the record.
    fn field(&mut self, name: &Text, declared: &[SettingDoc]) {
        if !declared.iter().any(|field| field.name == *name) {
            let help = did_you_mean(&name.value, declared.iter().map(|field| field.name.as_str()));
            self.wrong(
                name,
                format!("a column of a body in CSV is a field of the record, and there is none `{name}`"),
            )
            .help = help;
        }
    }

    /// XML has one root element, and names of its own.
    fn one_root(&mut self, tree: &Tree) {
        let roots = tree.as_map().map_or(0, |map| map.entries.len());
        if roots != 1 {
            let problem = Diagnostic::error(codes::INVALID_VALUE, tree.span, "an XML body has one root element");
            self.problems.push(problem.help("write it as `xml: {root: {child: …, \"@attribute\": …}}`"));
        }
        self.element_names(tree);
    }

    fn element_names(&mut self, tree: &Tree) {
        match &tree.value {
            Value::Map(map) => {
                for entry in &map.entries {
                    let name = entry.key.value.strip_prefix('@').unwrap_or(&entry.key.value);
                    if name != "#text" && !is_name(name) {
                        self.wrong(&entry.key, format!("`{name}` cannot be the name of an element or attribute"));
                    }
                    self.element_names(&entry.value);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.element_names(item)),
            Value::Scalar(_) => {}
        }
    }

    pub(super) fn part(&mut self, doc: &PartDoc, scope: &Scope) -> Option<(String, PartTemplate)> {
        let part = match &doc.value {
            PartValue::Text(tree) => PartTemplate::Text(self.slot(tree, scope)?),
            PartValue::File { from, file_name, content_type } => {
                let from = from.iter().filter_map(|from| {
                    Some(match from {
                        FileFrom::Path(text) => FromTemplate::Path(self.template(text, scope)?),
                        FileFrom::Url(text) => FromTemplate::Url(self.template(text, scope)?),
                        FileFrom::Content(text) => FromTemplate::Content(self.template(text, scope)?),
                    })
                });
                let from = from.collect();
                PartTemplate::File(Box::new(FileTemplate {
                    from,
                    file_name: self.optional(file_name.as_ref(), scope),
                    content_type: self.optional(content_type.as_ref(), scope),
                }))
            }
        };
        Some((doc.name.value.clone(), part))
    }
}
