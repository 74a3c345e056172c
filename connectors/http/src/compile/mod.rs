//! From the document to the plan: everything a definition can be wrong about is found here, all at once.

mod call;
mod composed;
mod login;
mod operation;
mod router;
mod shared;
mod stream;

use crate::describe;
use crate::json_path::JsonPath;
use crate::limiter::Pace;
use crate::plan::Api;
use crate::template::{Scope, Slot, Template};
use reqwest::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use towpath_spec::definition::{Definition, SettingDoc};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::document::Tree;
use towpath_spec::{Diagnostic, Files, Text, codes};

/// Requests at a time when a definition does not say.
const CONCURRENCY: usize = 8;

/// Compiles a definition. There is a plan only when nothing is wrong.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn compile(definition: &Definition, files: &Files) -> Result<Api, Vec<Diagnostic>> {
    let mut compiler = Compiler { definition, files, problems: Vec::new() };
    let api = compiler.api();
    if compiler.problems.iter().any(Diagnostic::is_error) { Err(compiler.problems) } else { Ok(api) }
}

struct Compiler<'a> {
    definition: &'a Definition,
    files: &'a Files,
    problems: Vec<Diagnostic>,
}

/// Names of settings.
pub(crate) fn names(settings: &[SettingDoc]) -> impl Iterator<Item = String> {
    settings.iter().map(|setting| setting.name.value.clone())
}

impl Compiler<'_> {
    fn api(&mut self) -> Api {
        let definition = self.definition;
        let defaults = &definition.defaults;
        self.base_url();
        let auth = definition.auth.iter().filter_map(|auth| self.auth(auth)).collect();
        let headers = self.headers(&defaults.headers, &self.config_scope());
        self.time_formats(&defaults.columns);
        let streams: Vec<_> = definition.streams.iter().filter_map(|doc| self.stream(doc)).map(Arc::new).collect();
        let operations: Vec<_> =
            definition.operations.iter().filter_map(|doc| self.operation(doc, &streams)).map(Arc::new).collect();
        Api {
            descriptor: describe::descriptor(definition, &streams, &operations),
            auth,
            headers,
            pace: defaults.rate.and_then(|rate| Pace::new(rate.requests, rate.per_seconds)),
            concurrency: defaults.concurrency.and_then(|n| usize::try_from(n).ok()).unwrap_or(CONCURRENCY),
            timeout: defaults.timeout.map(Duration::from_secs),
            check: definition.check.as_ref().map(|check| {
                let with = check.with.iter().map(|(name, tree)| (name.value.clone(), tree.to_json()));
                (check.stream.value.clone(), with.collect())
            }),
            streams,
            operations,
        }
    }

    /// Every call starts at `config.base_url`.
    fn base_url(&mut self) {
        let base = self.definition.config.iter().find(|setting| setting.name.value == "base_url");
        if base.is_none() {
            let message = "a connector needs the setting `base_url`, where its calls start";
            self.problems.push(
                Diagnostic::error(codes::MISSING_KEY, self.definition.name.span, message)
                    .help("add `config: {base_url: {type: text, required: true}}`"),
            );
        }
        for setting in &self.definition.config {
            if describe::STANDARD.contains(&setting.name.as_str()) {
                let message = format!("`{}` is a setting every connection has", setting.name);
                self.problems.push(
                    Diagnostic::error(codes::CONFLICTING_KEYS, setting.name.span, message).help("give it another name"),
                );
            }
        }
    }

    fn config_scope(&self) -> Scope {
        Scope::default().with("config", names(&self.definition.config))
    }

    fn wrong(&mut self, text: &Text, message: String) -> &mut Diagnostic {
        self.problems.push(Diagnostic::error(codes::INVALID_VALUE, text.span, message));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// Whether a name is that of something else in the document; a problem when not.
    fn must_be_one_of(&mut self, name: &Text, what: &str, known: &[String]) -> bool {
        let is_known = known.contains(&name.value);
        if !is_known {
            let help = did_you_mean(&name.value, known.iter().map(String::as_str));
            self.wrong(name, format!("there is no {what} `{name}` here")).help = help;
        }
        is_known
    }

    fn template(&mut self, text: &Text, scope: &Scope) -> Option<Template> {
        Template::parse(text, self.files, scope, &mut self.problems)
    }

    fn slot(&mut self, tree: &Tree, scope: &Scope) -> Option<Slot> {
        Slot::parse(tree, self.files, scope, &mut self.problems)
    }

    fn path(&mut self, text: &Text) -> Option<JsonPath> {
        JsonPath::parse(text).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn paths(&mut self, texts: &[Text]) -> Vec<JsonPath> {
        texts.iter().filter_map(|text| self.path(text)).collect()
    }

    fn header_name(&mut self, text: &Text) -> Option<HeaderName> {
        let name = text.value.parse();
        if name.is_err() {
            self.wrong(text, format!("`{text}` is not the name of a header"));
        }
        name.ok()
    }

    fn headers(&mut self, headers: &[(Text, Text)], scope: &Scope) -> Vec<(HeaderName, Template)> {
        headers
            .iter()
            .filter_map(|(name, value)| Some((self.header_name(name)?, self.template(value, scope)?)))
            .collect()
    }
}
