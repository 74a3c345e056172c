//! What can be written.

use super::batch::{BatchDoc, ItemsDoc, ResponseDoc};
use super::composed::{FindDoc, UpsertDoc, VerifyDoc};
use super::policy::{ErrorHandlerDoc, SuccessDoc};
use super::request::RequestDoc;
use super::setting::SettingDoc;
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::Diagnostic;
use crate::document::Tree;
use crate::source_text::{Span, Text};
use crate::types::Type;

/// An operation.
#[derive(Debug, Clone)]
pub struct OperationDoc {
    /// Its name.
    pub name: Text,
    /// What it does.
    pub doc: Option<Text>,
    /// What it does to the other system.
    pub kind: WriteKind,
    /// How it is carried out.
    pub how: HowDoc,
    /// The fields of its record.
    pub fields: Vec<SettingDoc>,
    /// Auth profiles in the place of the default ones.
    pub auth: Option<Vec<Text>>,
    /// What a good answer looks like.
    pub success: SuccessDoc,
    /// JSONPaths to the vendor's words, in the place of the default ones.
    pub error_message: Option<Vec<Text>>,
    /// Looked at before the default one.
    pub error_handler: ErrorHandlerDoc,
    /// How its answer is written.
    pub response: ResponseDoc,
    /// How many records a call takes; one when none.
    pub batch: Option<BatchDoc>,
    /// Where the answer says what became of each record of a batch.
    pub items: Option<ItemsDoc>,
    /// How the record is looked up once it is written, for what the answer does not tell.
    pub find_again: Option<FindDoc>,
    /// How to find out whether a record of unknown outcome was written.
    pub verify: Option<VerifyDoc>,
    /// What its answer holds.
    pub results: Vec<ResultDoc>,
    /// Whether sending the same record twice does no harm; an upsert that looks first does none if nothing else is said.
    pub idempotent: bool,
    /// Whether people get mail from it.
    pub sends_email: bool,
    /// Where these facts come from.
    pub source: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// How an operation is carried out.
#[derive(Debug, Clone)]
pub enum HowDoc {
    /// One call; names: `config`, `record`, or `records` with `batch`.
    Request(Box<RequestDoc>),
    /// A search and other operations.
    Upsert(Box<UpsertDoc>),
}

/// What an operation does to the other system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// Makes something new each time it is called.
    Create,
    /// Changes something that exists.
    Update,
    /// Makes or changes, by a key.
    Upsert,
    /// Removes or archives.
    Delete,
    /// Puts things into relation, starts something, and the like.
    Action,
    /// Moves a file.
    File,
}

/// A field of an answer: `NAME: {type: …, from: JSONPATH}`.
#[derive(Debug, Clone)]
pub struct ResultDoc {
    /// Its name in the sink's results.
    pub name: Text,
    /// Its type.
    pub ty: Type,
    /// Where in the answer it stands: a JSONPath, or one of the words `status` and `warning`.
    pub from: Text,
    /// What it is.
    pub doc: Option<Text>,
}

const KINDS: [(&str, WriteKind); 6] = [
    ("create", WriteKind::Create),
    ("update", WriteKind::Update),
    ("upsert", WriteKind::Upsert),
    ("delete", WriteKind::Delete),
    ("action", WriteKind::Action),
    ("file", WriteKind::File),
];

impl OperationDoc {
    pub(super) fn read(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, format!("operation `{name}`"), problems)?.at(name.span);
        let doc = reader.optional_text("doc");
        let kind = reader.required("kind", decode::choice(&KINDS));
        let how = how(&mut reader);
        let fields = SettingDoc::read_all(&mut reader, "fields", "a field");
        let auth = reader.optional("auth", decode::one_or_many(decode::text));
        let success = reader.optional("success", SuccessDoc::read).unwrap_or_default();
        let error_message = reader.optional("error_message", decode::one_or_many(decode::text));
        let error_handler = reader.optional("error_handler", ErrorHandlerDoc::read).unwrap_or_default();
        let response = reader.optional("response", ResponseDoc::read).unwrap_or_default();
        let batch = reader.optional("batch", BatchDoc::read);
        let items = reader.optional("items", ItemsDoc::read);
        let find_again = reader.optional("find_again", FindDoc::read);
        let verify = reader.optional("verify", VerifyDoc::read);
        let results = ResultDoc::read_all(&mut reader);
        let finds_first = matches!(&how, Some(HowDoc::Upsert(upsert)) if upsert.find.is_some());
        let idempotent = reader.bool("idempotent").unwrap_or(finds_first);
        let sends_email = reader.bool("sends_email").unwrap_or_default();
        let source = reader.optional_text("source");
        let echo = response.echo.as_ref();
        if let (Some(items), true) = (&items, batch.is_none() || echo.is_some()) {
            let (message, help) = match echo {
                Some(_) => ("`items` and `echo` both say what became of each record", "leave one of them out"),
                None => ("`items` is for operations that take several records", "add `batch: {size: …}`"),
            };
            reader.problem(Diagnostic::error(codes::CONFLICTING_KEYS, items.span, message).help(help));
        }
        if let (Some(batch), Some(_)) = (&batch, &find_again) {
            let message = "`find_again` looks up one record, and a batch has several";
            reader
                .problem(Diagnostic::error(codes::CONFLICTING_KEYS, batch.span, message).help("leave one of them out"));
        }
        reader.finish();
        Some(Self {
            name: name.clone(),
            doc,
            kind: kind?,
            how: how?,
            fields,
            auth,
            success,
            error_message,
            error_handler,
            response,
            batch,
            items,
            find_again,
            verify,
            results,
            idempotent,
            sends_email,
            source,
            span: tree.span,
        })
    }
}

/// Keys of a call, which an operation made of others does not make.
const OF_CALLS: [&str; 8] =
    ["response", "batch", "items", "find_again", "auth", "success", "error_message", "error_handler"];

fn how(reader: &mut MapReader<'_, '_>) -> Option<HowDoc> {
    let request = reader.optional("request", RequestDoc::read_post);
    let upsert = reader.optional("upsert", UpsertDoc::read);
    reader.require_one_of(&["request", "upsert"], "say which call it makes, or which operations it is made of");
    reader.conflict("request", "upsert", "an operation makes one call, or is made of others");
    for key in OF_CALLS {
        reader.conflict("upsert", key, "it belongs to the operations the upsert is made of");
    }
    match (request, upsert) {
        (Some(request), _) => Some(HowDoc::Request(Box::new(request))),
        (None, upsert) => upsert.map(|upsert| HowDoc::Upsert(Box::new(upsert))),
    }
}

impl ResultDoc {
    pub(super) fn read_all(reader: &mut MapReader<'_, '_>) -> Vec<Self> {
        let results = reader.map("results", Self::read);
        results.into_iter().map(|(name, result)| Self { name, ..result }).collect()
    }

    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a result", problems)?;
        let result = Self {
            name: Text::default(),
            ty: reader.optional("type", decode::column_type).unwrap_or(Type::Text),
            from: reader.required_text("from").unwrap_or_default(),
            doc: reader.optional_text("doc"),
        };
        reader.finish();
        Some(result)
    }
}
