//! From the document to the plan: everything a definition can be wrong about is found here, all at once.

use crate::body::{BodyTemplate, PartTemplate};
use crate::call::Call;
use crate::describe;
use crate::json_path::JsonPath;
use crate::limiter::Pace;
use crate::plan::{
    Api, AuthPlan, ColumnPlan, Given, IncrementalPlan, OperationPlan, PagerKind, PagerPlan, RecordsPlan, StreamPlan,
    TokenPlan,
};
use crate::policy::{Absent, Filter, Policy, Success};
use crate::template::{PathTemplate, Scope, Slot, Template};
use crate::xml_shim::Selector;
use reqwest::header::HeaderName;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::Setting;
use towpath_spec::definition::{
    AbsentDoc, AuthDoc, AuthKind, BodyDoc, ColumnDoc, ColumnRules, DefaultsDoc, Definition, ErrorHandlerDoc,
    ExpiryUnit, Format, IncrementalStreamDoc, OperationDoc, PaginatorDoc, PaginatorKind, PartDoc, PartValue,
    RequestDoc, SettingDoc, StreamDoc, SuccessDoc, TokenDoc, TokenFrom,
};
use towpath_spec::document::Tree;
use towpath_spec::{Diagnostic, Field, Files, Schema, Text, codes};

/// Requests at a time when a definition does not say.
const CONCURRENCY: usize = 8;

/// What a request of a stream may read of `page`.
const PAGE: [&str; 4] = ["number", "size", "offset", "key"];

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
fn names(settings: &[SettingDoc]) -> impl Iterator<Item = String> {
    settings.iter().map(|setting| setting.name.value.clone())
}

impl Compiler<'_> {
    fn api(&mut self) -> Api {
        let definition = self.definition;
        let defaults = &definition.defaults;
        self.base_url();
        let auth = definition.auth.iter().filter_map(|auth| self.auth(auth)).collect();
        let headers = self.headers(&defaults.headers, &self.config_scope());
        let streams: Vec<_> = definition.streams.iter().filter_map(|doc| self.stream(doc)).map(Arc::new).collect();
        let operations: Vec<_> =
            definition.operations.iter().filter_map(|doc| self.operation(doc)).map(Arc::new).collect();
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

    fn auth(&mut self, doc: &AuthDoc) -> Option<AuthPlan> {
        let scope = self.config_scope();
        Some(match &doc.kind {
            AuthKind::None => AuthPlan::None,
            AuthKind::Basic { username, password } => {
                let (username, password) = (self.template(username, &scope), self.template(password, &scope));
                AuthPlan::Basic { username: username?, password: password? }
            }
            AuthKind::Bearer { token } => AuthPlan::Bearer { token: self.template(token, &scope)? },
            AuthKind::Header { headers } => AuthPlan::Header { headers: self.headers(headers, &scope) },
            AuthKind::Token(token) => self.token(&doc.name, token, &scope)?,
        })
    }

    fn token(&mut self, name: &Text, doc: &TokenDoc, scope: &Scope) -> Option<AuthPlan> {
        let call = self.call(&doc.request, scope, &[]);
        let from = match &doc.from {
            TokenFrom::Path(path) => Some(self.path(path)),
            TokenFrom::Body => None,
        };
        let expiry_path = doc.expires.path.as_ref().and_then(|path| self.path(path));
        let header = self.header_name(&doc.header);
        let mut settings: Vec<String> = doc.credentials.iter().map(|text| text.value.clone()).collect();
        if settings.is_empty() {
            settings = describe::settings_of(&doc.request, &self.definition.config);
        }
        Some(AuthPlan::Token {
            name: name.value.clone(),
            call: Box::new(call?),
            spec: TokenPlan {
                from: match from {
                    Some(parsed) => Some(parsed?),
                    None => None,
                },
                expiry_path,
                per_second: match doc.expires.unit {
                    ExpiryUnit::Seconds => 1.0,
                    ExpiryUnit::Milliseconds => 1000.0,
                },
                lifetime: doc.expires.lifetime,
                header: header?,
                scheme: doc.scheme.value.clone(),
                settings,
            },
        })
    }

    /// The places of the auth profiles of a call.
    fn profiles(&self, chosen: Option<&Vec<Text>>) -> Vec<usize> {
        let chosen = chosen.unwrap_or(&self.definition.defaults.auth);
        let at = |name: &Text| self.definition.auth.iter().position(|auth| auth.name == *name);
        chosen.iter().filter_map(at).collect()
    }

    fn call(&mut self, doc: &RequestDoc, scope: &Scope, declared: &[SettingDoc]) -> Option<Call> {
        let path = PathTemplate::parse(&doc.path, self.files, scope, &mut self.problems);
        let base = doc.base.as_ref().map(|base| self.template(base, scope));
        let query =
            doc.query.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, scope)?))).collect();
        let headers = self.headers(&doc.headers, scope);
        let body = self.body(&doc.body, scope);
        let secret = |name: &str| {
            let settings = declared.iter().chain(&self.definition.config);
            settings.filter(|setting| setting.secret).any(|setting| setting.name.value == name)
        };
        let hidden = doc
            .query
            .iter()
            .filter(|(name, tree)| secret(&name.value) || describe::reads_secret(tree, &self.definition.config))
            .map(|(name, _)| name.value.clone())
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
        })
    }

    fn body(&mut self, doc: &BodyDoc, scope: &Scope) -> BodyTemplate {
        match doc {
            BodyDoc::None => BodyTemplate::None,
            BodyDoc::Record => BodyTemplate::Record,
            BodyDoc::Json(tree) => self.slot(tree, scope).map_or(BodyTemplate::None, BodyTemplate::Json),
            BodyDoc::Form(fields) => BodyTemplate::Form(
                fields.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, scope)?))).collect(),
            ),
            BodyDoc::Multipart(parts) => {
                BodyTemplate::Multipart(parts.iter().filter_map(|part| self.part(part, scope)).collect())
            }
        }
    }

    fn part(&mut self, doc: &PartDoc, scope: &Scope) -> Option<(String, PartTemplate)> {
        let part = match &doc.value {
            PartValue::Text(tree) => PartTemplate::Text(self.slot(tree, scope)?),
            PartValue::File { path, file_name, content_type } => PartTemplate::File {
                path: self.template(path, scope)?,
                file_name: file_name.as_ref().and_then(|text| self.template(text, scope)),
                content_type: content_type.as_ref().and_then(|text| self.template(text, scope)),
            },
        };
        Some((doc.name.value.clone(), part))
    }

    fn given(&mut self, docs: &[SettingDoc]) -> Vec<Given> {
        let scope = self.config_scope();
        docs.iter()
            .map(|doc| Given {
                setting: describe::setting(doc),
                default: doc.default.as_ref().and_then(|tree| self.slot(tree, &scope)),
            })
            .collect()
    }

    fn stream(&mut self, doc: &StreamDoc) -> Option<StreamPlan> {
        let scope = self.config_scope().with("params", names(&doc.params)).with("page", PAGE.map(str::to_owned));
        let call = self.call(&doc.request, &scope, &doc.params);
        let params = self.given(&doc.params);
        let columns: Vec<ColumnPlan> = doc.schema.iter().map(|column| self.column(doc, column)).collect();
        let records = self.records(doc);
        let pager = doc.paginator.as_ref().map(|paginator| self.pager(paginator));
        let incremental = doc.incremental.as_ref().map(|incremental| self.incremental(incremental));
        let policy =
            self.policy(&doc.success, doc.absent.as_ref(), doc.error_message.as_ref(), &doc.error_handler, false);
        let fields = columns.iter().map(|column| Field::new(&column.name, column.ty.clone())).collect();
        Some(StreamPlan {
            name: doc.name.value.clone(),
            call: call?,
            params,
            auth: self.profiles(doc.auth.as_ref()),
            records: records?,
            columns,
            schema: Schema::new(fields),
            pager: match pager {
                Some(pager) => Some(pager?),
                None => None,
            },
            incremental,
            policy,
        })
    }

    fn column(&mut self, stream: &StreamDoc, doc: &ColumnDoc) -> ColumnPlan {
        let defaults: &DefaultsDoc = &self.definition.defaults;
        let rules: [&ColumnRules; 3] = [&doc.rules, &stream.columns, &defaults.columns];
        let zone_name = rules.iter().find_map(|rules| rules.zone.clone());
        let zone = match &zone_name {
            None => chrono_tz::Tz::UTC,
            Some(name) => name.value.parse().unwrap_or_else(|_| {
                self.wrong(name, format!("`{name}` is not a time zone")).help =
                    Some("zones have names like `UTC` and `Europe/London`".to_owned());
                chrono_tz::Tz::UTC
            }),
        };
        let texts = |pick: fn(&ColumnRules) -> &Option<Vec<Text>>| -> Vec<String> {
            let found = rules.iter().find_map(|rules| pick(rules).as_ref());
            found.into_iter().flatten().map(|text| text.value.clone()).collect()
        };
        ColumnPlan {
            name: doc.name.value.clone(),
            ty: doc.ty.clone(),
            nulls: texts(|rules| &rules.nulls),
            formats: texts(|rules| &rules.formats),
            trim: rules.iter().find_map(|rules| rules.trim).unwrap_or(true),
            zone,
            from: match stream.record_selector.format {
                Format::Json => doc.from.as_ref().and_then(|from| self.path(from)),
                Format::Xml => None,
            },
        }
    }

    fn records(&mut self, doc: &StreamDoc) -> Option<RecordsPlan> {
        let selector = &doc.record_selector;
        match selector.format {
            Format::Json => Some(RecordsPlan::Json {
                path: match &selector.records {
                    Some(path) => Some(self.path(path)?),
                    None => None,
                },
                value: selector.value.as_ref().map(|name| name.value.clone()),
            }),
            Format::Xml => self.xml_records(doc),
        }
    }

    /// Each column is tried by itself first, so that a wrong one is reported where it stands.
    fn xml_records(&mut self, doc: &StreamDoc) -> Option<RecordsPlan> {
        let records = doc.record_selector.records.as_ref()?;
        let mut good = true;
        if let Err(problems) = Selector::compile(&records.value, &[]) {
            good = false;
            for problem in problems {
                self.wrong(records, problem.message).help = problem.help;
            }
        }
        let field = |column: &ColumnDoc| {
            let from = column.from.as_ref().unwrap_or(&column.name);
            (column.name.value.clone(), from.value.clone(), column.ty.clone())
        };
        for column in doc.schema.iter().filter(|_| good) {
            if let Err(problems) = Selector::compile(&records.value, &[field(column)]) {
                let at = column.from.as_ref().unwrap_or(&column.name);
                for problem in problems {
                    self.wrong(at, problem.message).help = problem.help;
                }
            }
        }
        let fields: Vec<_> = doc.schema.iter().map(field).collect();
        Selector::compile(&records.value, &fields).ok().map(|selector| RecordsPlan::Xml(Arc::new(selector)))
    }

    fn pager(&mut self, doc: &PaginatorDoc) -> Option<PagerPlan> {
        let total = doc.total.as_ref().map(|path| self.path(path));
        let kind = match &doc.kind {
            PaginatorKind::Page { first, last } => {
                PagerKind::Page { first: *first, last: last.as_ref().and_then(|path| self.path(path)) }
            }
            PaginatorKind::Offset { first } => PagerKind::Offset { first: *first },
            PaginatorKind::Key { from } => PagerKind::Key { from: self.path(from)? },
            PaginatorKind::Next { from } => PagerKind::Next { from: self.path(from)? },
            PaginatorKind::Link => PagerKind::Link,
        };
        Some(PagerPlan { kind, size: doc.size, total: total.flatten(), stop_when_short: doc.stop_when_short })
    }

    fn incremental(&mut self, doc: &IncrementalStreamDoc) -> IncrementalPlan {
        let lookback = doc.lookback.and_then(|lookback| chrono::TimeDelta::from_std(lookback).ok());
        if chrono::format::StrftimeItems::new(&doc.format.value).any(|item| item == chrono::format::Item::Error) {
            self.wrong(&doc.format, format!("`{}` is not a format in strftime's letters", doc.format));
        }
        IncrementalPlan {
            start: doc.start.value.clone(),
            format: doc.format.value.clone(),
            precision: doc.precision,
            lookback: lookback.unwrap_or_default(),
        }
    }

    fn policy(
        &mut self,
        success: &SuccessDoc,
        absent: Option<&AbsentDoc>,
        messages: Option<&Vec<Text>>,
        handler: &ErrorHandlerDoc,
        writes: bool,
    ) -> Policy {
        let defaults = &self.definition.defaults;
        let filters = handler.response_filters.iter().chain(&defaults.error_handler.response_filters);
        let filters = filters
            .map(|filter| Filter {
                codes: filter.http_codes.clone(),
                contains: filter.error_message_contains.as_ref().map(|text| text.value.clone()),
                action: filter.action,
                message: filter.error_message.as_ref().map(|text| text.value.clone()),
            })
            .collect();
        let success = match success {
            SuccessDoc::Status => Some(Success::Status),
            SuccessDoc::Equals { path, values } => {
                self.path(path).map(|path| Success::Equals { path, values: values.iter().map(Tree::to_json).collect() })
            }
            SuccessDoc::Present { path } => self.path(path).map(|path| Success::Present { path }),
        };
        Policy {
            success: success.unwrap_or(Success::Status),
            absent: absent.map(|absent| Absent {
                status: absent.status.clone(),
                empty_body: absent.empty_body,
                values: absent.values.iter().map(Tree::to_json).collect(),
            }),
            messages: self.paths(messages.unwrap_or(&defaults.error_message)),
            filters,
            writes,
        }
    }

    fn operation(&mut self, doc: &OperationDoc) -> Option<OperationPlan> {
        let scope = self.config_scope().with("record", names(&doc.fields));
        let call = self.call(&doc.request, &scope, &doc.fields);
        let fields = self.given(&doc.fields);
        let policy = self.policy(&doc.success, None, doc.error_message.as_ref(), &doc.error_handler, true);
        let results = doc
            .results
            .iter()
            .filter_map(|result| Some((result.name.value.clone(), result.ty.clone(), self.path(&result.from)?)))
            .collect();
        let call = call?;
        let settings: Vec<Setting> = fields.iter().map(|field| field.setting.clone()).collect();
        Some(OperationPlan {
            info: describe::operation(self.definition, doc, &call, settings),
            call,
            fields,
            auth: self.profiles(doc.auth.as_ref()),
            policy,
            results,
        })
    }
}
