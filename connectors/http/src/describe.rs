//! What a definition says of itself, as `connectors show` prints it and the checks use it.

use crate::plan::{OperationPlan, StreamPlan};
use std::sync::Arc;
use towpath_connector::{CursorInfo, Descriptor, Kind, OperationInfo, OperationKind, Setting, StreamInfo};
use towpath_spec::definition::{
    AuthDoc, AuthKind, BodyDoc, Definition, OperationDoc, PaginatorDoc, PaginatorKind, RequestDoc, RouterOver,
    SettingDoc, StreamDoc, WriteKind,
};
use towpath_spec::document::{Tree, Value};
use towpath_spec::{Field, Schema, Text, Type};

/// Settings every connection of a definition has beside its own.
pub(crate) const STANDARD: [&str; 7] =
    ["rate", "concurrency", "timeout", "overrides", "headers", "files", crate::plain::ALLOW];

fn standard(definition: &Definition) -> Vec<Setting> {
    let defaults = &definition.defaults;
    let rate = match defaults.rate {
        Some(rate) => match rate.per_seconds {
            1.0 => format!("`{}/s`", rate.requests),
            60.0 => format!("`{}/min`", rate.requests),
            3600.0 => format!("`{}/hour`", rate.requests),
            seconds => format!("{} in {seconds} s", rate.requests),
        },
        None => "unlimited".to_owned(),
    };
    vec![
        Setting::new("rate", Type::Text, format!("requests per time to one host, e.g. `600/min`; {rate} if not set")),
        Setting::new("concurrency", Type::Int, "requests at a time to one host")
            .default(i64::try_from(defaults.concurrency.unwrap_or(8)).unwrap_or(8)),
        Setting::new("timeout", Type::Float, "seconds without a byte after which an answer is given up"),
        Setting::new(
            "overrides",
            Type::Json,
            "by stream or operation: `path` (with `{name}` for parameters or fields), `method`, `first_page`, `page_size`; \
             by login: `path`, `method`, `refresh_path`, `expires_unit`, `lifetime`",
        ),
        Setting::new("headers", Type::Json, "headers sent with every call, by name; their values are never shown"),
        Setting::new(
            "files",
            Type::Text,
            "the folder files to upload are taken from, and from nowhere else; the pipeline's if not set",
        ),
        Setting::new(
            crate::plain::ALLOW,
            Type::Bool,
            "whether credentials may go over `http://` to another machine, where anybody on the way can read them",
        )
        .default(false),
    ]
}

/// The connector's page.
pub(crate) fn descriptor(
    definition: &Definition,
    streams: &[Arc<StreamPlan>],
    operations: &[Arc<OperationPlan>],
) -> Descriptor {
    let mut settings: Vec<Setting> = definition.config.iter().map(setting).collect();
    settings.extend(standard(definition));
    let infos: Vec<StreamInfo> = streams
        .iter()
        .filter_map(|plan| {
            let doc = definition.streams.iter().find(|doc| doc.name.value == plan.name)?;
            Some(stream(definition, doc, plan))
        })
        .collect();
    let lookback = Setting::new(
        "lookback",
        Type::Text,
        "for incremental reads: how far before the last cursor to read again, e.g. `PT1H`; the stream's own if not set",
    );
    Descriptor {
        name: definition.name.value.clone(),
        doc: text(definition.description.as_ref()),
        kind: Kind::Api,
        settings,
        source_settings: vec![lookback],
        sink_settings: Vec::new(),
        reads: !infos.is_empty(),
        writes: !operations.is_empty(),
        streams: infos,
        operations: operations.iter().map(|operation| operation.info.clone()).collect(),
        logins: definition.auth.iter().map(|auth| (auth.name.value.clone(), login(auth))).collect(),
    }
}

fn text(text: Option<&Text>) -> String {
    text.map(|text| text.value.trim().to_owned()).unwrap_or_default()
}

/// A way to log in, in a sentence or two.
fn login(auth: &AuthDoc) -> String {
    let how = match &auth.kind {
        AuthKind::None => "no credentials".to_owned(),
        AuthKind::Basic { .. } => "HTTP Basic on every call".to_owned(),
        AuthKind::Bearer { .. } => "a configured bearer token on every call".to_owned(),
        AuthKind::Header { headers } => {
            let names: Vec<String> = headers.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("{} on every call", names.join(", "))
        }
        AuthKind::Query { params } => {
            let names: Vec<String> = params.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("query parameters {} on every call, never shown", names.join(", "))
        }
        AuthKind::Choice { of } => {
            let names: Vec<String> = of.iter().map(|name| format!("`{name}`")).collect();
            format!("the first of {} whose settings are given", names.join(", "))
        }
        AuthKind::Token(token) => format!(
            "{} {}; the token is sent in `{}`, shared by all that use the connection and renewed by itself{}",
            token.request.method,
            token.request.path,
            token.header,
            token.refresh.as_ref().map(|refresh| format!(" by {}", refresh.request.path)).unwrap_or_default()
        ),
    };
    let doc = auth.doc.as_ref().map(|doc| format!(" {}", doc.value.trim())).unwrap_or_default();
    let source = auth.source.as_ref().map(|source| format!(" (source: {source})")).unwrap_or_default();
    format!("{how}.{doc}{source}")
}

/// A setting, parameter or field.
pub(crate) fn setting(doc: &SettingDoc) -> Setting {
    let source = doc.source.as_ref().map(|source| format!(" (source: {source})")).unwrap_or_default();
    Setting {
        name: doc.name.value.clone(),
        ty: doc.ty.clone(),
        required: doc.required,
        default: doc.default.as_ref().map(Tree::to_json),
        secret: doc.secret,
        values: doc.values.iter().map(|value| value.value.clone()).collect(),
        doc: format!("{}{source}", text(doc.doc.as_ref())),
    }
}

fn source(definition: &Definition, own: Option<&Text>) -> String {
    text(own.or(definition.source.as_ref()))
}

fn stream(definition: &Definition, doc: &StreamDoc, plan: &StreamPlan) -> StreamInfo {
    let cursor = doc.incremental.as_ref().map(|incremental| CursorInfo {
        doc: format!("the time the request started; `{}` is set from it", incremental.start),
        lookback: format!("PT{}S", incremental.lookback.unwrap_or_default().as_secs()),
    });
    StreamInfo {
        name: plan.name.clone(),
        doc: text(doc.doc.as_ref()),
        request: plan.call.summary(),
        params: plan.params.iter().map(|param| param.setting.clone()).collect(),
        schema: plan.schema.clone(),
        column_docs: plan.schema.fields.iter().map(|field| column_doc(doc, &field.name)).collect(),
        pages: doc.paginator.as_ref().map(pages),
        logins: logins(definition, doc.auth.as_ref()),
        key: doc.key.iter().map(|key| key.value.clone()).collect(),
        cursor,
        source: source(definition, doc.source.as_ref()),
    }
}

/// What a column holds: as the definition says, or where a router takes it from.
fn column_doc(doc: &StreamDoc, name: &str) -> String {
    if let Some(column) = doc.schema.iter().find(|column| column.name.value == name) {
        return text(column.doc.as_ref());
    }
    let Some(router) = &doc.partition_router else { return String::new() };
    let taken = router.take.iter().find(|(own, _)| own.value == name).map(|(_, from)| from);
    match (&router.over, taken) {
        (RouterOver::Stream { stream, .. }, Some(from)) => {
            format!("`{from}` of `{stream}`, for which the call was made")
        }
        (RouterOver::Values(_), Some(from)) => format!("the `{from}` for which the call was made"),
        (_, None) => String::new(),
    }
}

/// How pages follow each other, in words.
fn pages(doc: &PaginatorDoc) -> String {
    let by = match &doc.kind {
        PaginatorKind::Page { first, .. } => format!("numbered from {first}"),
        PaginatorKind::Offset { .. } => "by the number of their first record".to_owned(),
        PaginatorKind::Key { .. } => "by the key the one before gives".to_owned(),
        PaginatorKind::Next { .. } | PaginatorKind::Link => "by the address the one before gives".to_owned(),
        PaginatorKind::Max => return "all at once, asked for again with a larger limit when it is reached".to_owned(),
    };
    match doc.size {
        Some(size) => format!("{by}, {size} records each"),
        None => by,
    }
}

/// The profiles of a call.
fn logins(definition: &Definition, own: Option<&Vec<Text>>) -> Vec<String> {
    own.unwrap_or(&definition.defaults.auth).iter().map(|name| name.value.clone()).collect()
}

/// An operation's page.
pub(crate) fn operation(
    definition: &Definition,
    doc: &OperationDoc,
    request: String,
    fields: Vec<Setting>,
) -> OperationInfo {
    OperationInfo {
        name: doc.name.value.clone(),
        doc: text(doc.doc.as_ref()),
        kind: match doc.kind {
            WriteKind::Create => OperationKind::Create,
            WriteKind::Update => OperationKind::Update,
            WriteKind::Upsert => OperationKind::Upsert,
            WriteKind::Delete => OperationKind::Delete,
            WriteKind::Action => OperationKind::Action,
            WriteKind::File => OperationKind::File,
        },
        request,
        fields,
        results: Schema::new(
            doc.results.iter().map(|result| Field::new(result.name.value.clone(), result.ty.clone())).collect(),
        ),
        result_docs: doc.results.iter().map(|result| text(result.doc.as_ref())).collect(),
        logins: logins(definition, doc.auth.as_ref()),
        idempotent: doc.idempotent,
        sends_email: doc.sends_email,
        batch: doc.batch.as_ref().map_or(1, |batch| batch.size),
        verifies: doc.verify.is_some(),
        source: source(definition, doc.source.as_ref()),
    }
}

/// Every text of a tree.
fn texts<'a>(tree: &'a Tree, found: &mut Vec<&'a str>) {
    match &tree.value {
        Value::List(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Map(map) => map.entries.iter().for_each(|entry| texts(&entry.value, found)),
        Value::Scalar(_) => found.extend(tree.as_text().map(|text| text.value.as_str())),
    }
}

/// Whether a value is made of a secret setting.
pub(crate) fn reads_secret(tree: &Tree, config: &[SettingDoc]) -> bool {
    let mut found = Vec::new();
    texts(tree, &mut found);
    let secrets = config.iter().filter(|setting| setting.secret);
    secrets.map(|setting| format!("config.{}", setting.name)).any(|name| found.iter().any(|text| text.contains(&name)))
}

/// The settings a request is made of, for whoever has to check them.
pub(crate) fn settings_of(request: &RequestDoc, config: &[SettingDoc]) -> Vec<String> {
    let mut found: Vec<&str> = request.headers.iter().map(|(_, value)| value.value.as_str()).collect();
    request.query.iter().for_each(|(_, tree)| texts(tree, &mut found));
    match &request.body {
        BodyDoc::Json(tree) => texts(tree, &mut found),
        BodyDoc::Form(fields) => fields.iter().for_each(|(_, tree)| texts(tree, &mut found)),
        BodyDoc::Text { text, .. } => found.push(&text.value),
        BodyDoc::Xml { tree, .. } => texts(tree, &mut found),
        BodyDoc::None | BodyDoc::Record { .. } | BodyDoc::Multipart(_) | BodyDoc::Csv(_) => {}
    }
    let used = config.iter().map(|setting| setting.name.value.clone());
    used.filter(|name| found.iter().any(|text| text.contains(&format!("config.{name}")))).collect()
}
