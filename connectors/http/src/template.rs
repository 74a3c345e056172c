//! Templates of a definition: parsed and checked once, filled in for every call.

use serde_json::{Map, Value as Json};
use std::sync::LazyLock;
use towpath_connector::{Error, Result};
use towpath_mapping::Value;
use towpath_mapping::scalar::ScalarTemplate;
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::document::{Tree, Value as Node};
use towpath_spec::{Diagnostic, Files, Span, Text, codes};

/// The names a template may use where it stands, and what each of them holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    roots: Vec<(&'static str, Vec<String>)>,
}

impl Scope {
    pub(crate) fn with(mut self, root: &'static str, members: impl IntoIterator<Item = String>) -> Self {
        self.roots.push((root, members.into_iter().collect()));
        self
    }

    fn check(&self, template: &ScalarTemplate, problems: &mut Vec<Diagnostic>) {
        for root in template.roots() {
            let known = self.roots.iter().find(|(name, _)| *name == root.name);
            let Some((_, members)) = known else {
                let names = self.roots.iter().map(|(name, _)| *name);
                let message = format!("unknown name `{}` in a template", root.name);
                let problem = Diagnostic::error(codes::INVALID_VALUE, root.span, message);
                problems.push(problem.maybe_help(did_you_mean(&root.name, names)));
                continue;
            };
            let Some(field) = root.field.as_ref().filter(|field| !members.contains(field)) else { continue };
            let span = root.field_span.unwrap_or(root.span);
            let message = format!("`{}` has no `{field}`", root.name);
            let problem = Diagnostic::error(codes::INVALID_VALUE, span, message);
            problems.push(problem.maybe_help(did_you_mean(field, members.iter().map(String::as_str))));
        }
    }
}

/// What the names stand for while a template is filled in.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) config: &'a Json,
    pub(crate) params: &'a Json,
    pub(crate) record: &'a Json,
    pub(crate) page: &'a Json,
    /// Names that are only there for some calls: `records` of a batch, `slice`, `token`, `found` and their like.
    pub(crate) more: &'a [(&'static str, &'a Json)],
}

static NOTHING: LazyLock<Json> = LazyLock::new(|| Json::Object(Map::new()));

impl<'a> Names<'a> {
    /// The configuration alone.
    pub(crate) fn config(config: &'a Json) -> Self {
        let nothing = &*NOTHING;
        Self { config, params: nothing, record: nothing, page: nothing, more: &[] }
    }

    /// The same with further names.
    pub(crate) fn with(self, more: &'a [(&'static str, &'a Json)]) -> Self {
        Self { more, ..self }
    }

    /// The records of the call: those of a batch, or the one there is.
    pub(crate) fn records(&self) -> Vec<&'a Json> {
        match self.more.iter().find(|(name, _)| *name == "records") {
            Some((_, Json::Array(records))) => records.iter().collect(),
            _ => vec![self.record],
        }
    }

    fn get(&self, name: &str) -> Option<Value> {
        let value = match name {
            "config" => self.config,
            "params" => self.params,
            "record" => self.record,
            "page" => self.page,
            name => self.more.iter().find(|(known, _)| *known == name)?.1,
        };
        Some(Value::Json(value.clone()))
    }
}

/// A text with `{{ }}`.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    inner: ScalarTemplate,
}

impl Template {
    /// Parses a template and checks its names.
    pub(crate) fn parse(text: &Text, files: &Files, scope: &Scope, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        match ScalarTemplate::parse(text, files) {
            Ok(inner) => {
                scope.check(&inner, problems);
                Some(Self { inner })
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        }
    }

    /// Its value; a template of one expression keeps that one's type and null.
    ///
    /// # Errors
    /// A value in it cannot be converted.
    pub(crate) fn value(&self, names: &Names<'_>) -> Result<Json> {
        let value = self
            .inner
            .render(&|name| names.get(name))
            .map_err(|reason| Error::data(format!("cannot fill in `{}`: {reason}", self.inner.source())))?;
        Ok(value.to_json())
    }

    /// Its value as text; `None` for null.
    ///
    /// # Errors
    /// A value in it cannot be converted.
    pub(crate) fn text(&self, names: &Names<'_>) -> Result<Option<String>> {
        Ok(plain_text(&self.value(names)?))
    }

    /// The members of a name it cannot do without, e.g. the settings a password is made of.
    pub(crate) fn members(&self, root: &str) -> Vec<String> {
        let reads = self.inner.roots().iter().filter(|read| read.name == root && !read.optional);
        reads.filter_map(|read| read.field.clone()).collect()
    }
}

/// A scalar as text; lists and objects as JSON; null as nothing.
pub(crate) fn plain_text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A tree of values with templates in it.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    Fixed(Json),
    Template(Box<Template>),
    List(Vec<Slot>),
    Object(Vec<(String, Slot)>),
}

impl Slot {
    pub(crate) fn parse(tree: &Tree, files: &Files, scope: &Scope, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        Some(match &tree.value {
            Node::List(items) => {
                Self::List(items.iter().filter_map(|item| Self::parse(item, files, scope, problems)).collect())
            }
            Node::Map(map) => Self::Object(
                map.entries
                    .iter()
                    .filter_map(|entry| {
                        Some((entry.key.value.clone(), Self::parse(&entry.value, files, scope, problems)?))
                    })
                    .collect(),
            ),
            Node::Scalar(_) => match tree.as_text().filter(|text| text.value.contains("{{")) {
                Some(text) => Self::Template(Box::new(Template::parse(text, files, scope, problems)?)),
                None => Self::Fixed(tree.to_json()),
            },
        })
    }

    /// Every template in it.
    pub(crate) fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        match self {
            Self::Fixed(_) => {}
            Self::Template(template) => found.push(template),
            Self::List(items) => items.iter().for_each(|item| item.templates(found)),
            Self::Object(members) => members.iter().for_each(|(_, member)| member.templates(found)),
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// A value in it cannot be converted.
    pub(crate) fn value(&self, names: &Names<'_>) -> Result<Json> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Template(template) => template.value(names)?,
            Self::List(items) => Json::Array(items.iter().map(|item| item.value(names)).collect::<Result<_>>()?),
            Self::Object(members) => {
                let mut object = Map::new();
                for (name, slot) in members {
                    object.insert(name.clone(), slot.value(names)?);
                }
                Json::Object(object)
            }
        })
    }
}

/// One piece of a path.
#[derive(Debug, Clone)]
enum Piece {
    Fixed(String),
    Value(Template),
}

/// A path in which each `{{ }}` is one segment, or part of one.
#[derive(Debug, Clone)]
pub(crate) struct PathTemplate {
    written: String,
    segments: Vec<Vec<Piece>>,
}

/// Why a path cannot be filled in.
#[derive(Debug)]
pub(crate) enum BadPath {
    /// A value that cannot be a segment: empty, `.` or `..` would change which resource is meant.
    Segment(String),
    Other(Error),
}

impl PathTemplate {
    pub(crate) fn parse(text: &Text, files: &Files, scope: &Scope, problems: &mut Vec<Diagnostic>) -> Option<Self> {
        let before = problems.len();
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text.value[at..].find("{{").map(|found| at + found) {
            let Some(end) = text.value[open..].find("}}").map(|found| open + found + 2) else {
                let span = files.inside(text, open, text.value.len());
                problems.push(Diagnostic::error(codes::INVALID_VALUE, span, "a `{{` of a path without its `}}`"));
                return None;
            };
            pieces.push(Piece::Fixed(text.value[at..open].to_owned()));
            let inner = Text::new(&text.value[open..end], files.inside(text, open, end));
            pieces.extend(Template::parse(&inner, files, scope, problems).map(Piece::Value));
            at = end;
        }
        pieces.push(Piece::Fixed(text.value[at..].to_owned()));
        if problems[before..].iter().any(Diagnostic::is_error) {
            return None;
        }
        Some(Self { written: text.value.clone(), segments: segments(pieces) })
    }

    /// The path as written, for descriptions.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// Every template in it.
    pub(crate) fn templates<'a>(&'a self, found: &mut Vec<&'a Template>) {
        found.extend(self.segments.iter().flatten().filter_map(|piece| match piece {
            Piece::Value(template) => Some(template),
            Piece::Fixed(_) => None,
        }));
    }

    /// Whether it is the same for all values.
    pub(crate) fn is_fixed(&self) -> bool {
        self.segments.iter().flatten().all(|piece| matches!(piece, Piece::Fixed(_)))
    }

    /// The path with its values percent-encoded. A segment that is one value and null is left out with its slash.
    pub(crate) fn fill(&self, names: &Names<'_>) -> std::result::Result<String, BadPath> {
        let mut path = Vec::new();
        for segment in &self.segments {
            let mut out = String::new();
            let mut absent = false;
            for piece in segment {
                match piece {
                    Piece::Fixed(text) => out.push_str(text),
                    Piece::Value(template) => match template.text(names).map_err(BadPath::Other)? {
                        None if segment.len() == 1 => absent = true,
                        None => {}
                        Some(value) if matches!(value.as_str(), "" | "." | "..") => {
                            return Err(BadPath::Segment(value));
                        }
                        Some(value) => out.extend(percent_encoding::utf8_percent_encode(&value, SEGMENT)),
                    },
                }
            }
            if !absent {
                path.push(out);
            }
        }
        Ok(path.join("/"))
    }
}

/// All but letters, digits and `-._~`.
const SEGMENT: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Cuts fixed text at its slashes.
fn segments(pieces: Vec<Piece>) -> Vec<Vec<Piece>> {
    let mut segments = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Fixed(text) => {
                for (at, part) in text.split('/').enumerate() {
                    if at > 0 {
                        segments.push(Vec::new());
                    }
                    if let (false, Some(last)) = (part.is_empty(), segments.last_mut()) {
                        last.push(Piece::Fixed(part.to_owned()));
                    }
                }
            }
            value => segments.last_mut().into_iter().for_each(|last| last.push(value.clone())),
        }
    }
    segments
}

/// A template of text that stands in no file, such as a path from the settings of a connection.
pub(crate) fn unplaced(text: impl Into<String>) -> Text {
    Text::new(text, Span::default())
}
