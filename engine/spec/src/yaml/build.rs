//! Events to a tree: containers on a stack of our own, aliases and merge keys filled in within a budget.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{self as parser, Event, ScalarStyle, StructureStyle, Tag};

use super::{MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_PROBLEMS, scalar, syntax};
use crate::codes;
use crate::diagnostic::{Diagnostic, shown};
use crate::document::{Entry, Map, Scalar, Tree, Value};
use crate::source_text::{FileId, Span, Style, Text};

/// Builds the tree of one document.
pub(super) struct Builder<'t> {
    text: &'t str,
    file: FileId,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Tree>,
    root: Option<Tree>,
    documents: usize,
    nodes: usize,
    copied: usize,
    problems: Vec<Diagnostic>,
}

/// A container that is not closed yet.
struct Frame {
    start: usize,
    anchor: usize,
    /// Written `{{ … }}` without quotes: its inside is not looked at.
    template: bool,
    items: Items,
}

enum Items {
    List(Vec<Tree>),
    Map { entries: Vec<Entry>, places: HashMap<String, Span>, key: Key, merges: Vec<Tree> },
}

/// Where in a mapping the next value goes.
enum Key {
    /// The next value is a key.
    Next,
    /// The next value belongs to this key.
    Of(Text),
    /// The next value belongs to `<<`.
    Merge,
    /// The next value belongs to a key that was refused.
    Refused,
}

impl<'t> Builder<'t> {
    pub(super) fn new(text: &'t str, file: FileId) -> Self {
        let (stack, anchors, problems) = (Vec::new(), HashMap::new(), Vec::new());
        Self { text, file, stack, anchors, root: None, documents: 0, nodes: 0, copied: 0, problems }
    }

    /// Takes one event in. An `Err` ends the reading of this file.
    pub(super) fn event(&mut self, event: Event<'_>, at: &parser::Span) -> Result<(), Diagnostic> {
        let span = self.span(at);
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(value, style, anchor, tag) => {
                self.count(span)?;
                let scalar = self.scalar(&value, style, tag.as_deref(), span);
                let span = if let Scalar::Text(text) = &scalar { text.span } else { span };
                self.value(Tree { value: Value::Scalar(scalar), span }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(Items::List(Vec::new()), false, anchor, tag.as_deref(), span)
            }
            Event::MappingStart(style, anchor, tag) => {
                let template = style == StructureStyle::Flow && self.text[span.start..].starts_with("{{");
                let items =
                    Items::Map { entries: Vec::new(), places: HashMap::new(), key: Key::Next, merges: Vec::new() };
                self.open(items, template, anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    /// Remembers what ended the reading, unless an unquoted template on that line explains it already.
    pub(super) fn stop(&mut self, fatal: Diagnostic) {
        let one_line = |from: usize, to: usize| self.text.get(from..to).is_some_and(|between| !between.contains('\n'));
        let last = self.problems.last().filter(|known| known.code == codes::UNQUOTED_TEMPLATE);
        let explained = last.is_some_and(|known| one_line(known.span.start, fatal.span.start));
        if !explained {
            self.problems.push(fatal);
        }
    }

    /// The tree, `None` for an empty document, or everything that was wrong.
    pub(super) fn finish(self) -> Result<Option<Tree>, Vec<Diagnostic>> {
        if self.problems.is_empty() {
            Ok(self.root.filter(|root| !matches!(root.value, Value::Scalar(Scalar::Null))))
        } else {
            Err(self.problems)
        }
    }

    fn span(&self, at: &parser::Span) -> Span {
        let range = at.byte_range().unwrap_or(0..0);
        let end = range.end.min(self.text.len());
        Span::new(self.file, range.start.min(end), end)
    }

    /// Adds a problem, unless there are enough, or it is with the inside of an unquoted template. Only a problem that
    /// is wanted is made: making hundreds of thousands would take seconds.
    fn problem(&mut self, problem: impl FnOnce(&Self) -> Diagnostic) {
        let inside_template = self.stack.iter().any(|frame| frame.template);
        if !inside_template && self.problems.len() < MAX_PROBLEMS {
            let problem = problem(self);
            self.problems.push(problem);
        }
    }

    fn document(&mut self, span: Span) -> Result<(), Diagnostic> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        Err(Diagnostic::error(codes::SEVERAL_DOCUMENTS, span, "a second document starts here, expected one per file")
            .help("put each document into a file of its own"))
    }

    fn count(&mut self, span: Span) -> Result<(), Diagnostic> {
        self.nodes += 1;
        self.within_budget(span)
    }

    fn within_budget(&self, span: Span) -> Result<(), Diagnostic> {
        if self.nodes + self.copied <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the document has more than {MAX_NODES} keys and values");
        Err(Diagnostic::error(codes::TOO_MANY_NODES, span, message)
            .help("keep data in files of its own, and let no alias repeat another that repeats a third"))
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, tag: Option<&Tag>, mut span: Span) -> Scalar {
        let style = match style {
            ScalarStyle::Plain if tag.is_none() => return scalar::resolve(value, span),
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let indent = self.indent(span.start);
                span.start = self.over_blank_lines(span.start - indent, value, span.start);
                Style::Block { indent }
            }
        };
        if let Some(tag) = tag {
            self.tag(tag, span);
        }
        Scalar::Text(Text { value: value.to_owned(), span, style })
    }

    /// Bytes of space before `at` on its line.
    fn indent(&self, at: usize) -> usize {
        let before = &self.text[..at];
        before.len() - before.trim_end_matches(' ').len()
    }

    /// The parser gives the first line with something on it; a value that starts with blank lines starts above.
    fn over_blank_lines(&self, line_start: usize, value: &str, first: usize) -> usize {
        let blank = value.bytes().take_while(|byte| *byte == b'\n').count();
        let above = self.text[..line_start].rmatch_indices('\n').nth(blank).map(|(at, _)| at + 1);
        if blank == 0 { first } else { above.unwrap_or(first) }
    }

    fn tag(&mut self, tag: &Tag, span: Span) {
        let written = tag.to_string().replace("tag:yaml.org,2002:", "!!");
        if !matches!(written.as_str(), "!" | "!!str") {
            self.problem(|_| {
                let message = format!("found the tag `{}`, which has no meaning here", shown(&written));
                Diagnostic::error(codes::YAML_TAG, span, message)
                    .help("remove it; quotes make a number text, and `| int` in a template makes text a number")
            });
        }
    }

    fn open(
        &mut self,
        items: Items,
        template: bool,
        anchor: usize,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Diagnostic> {
        self.count(span)?;
        if let Some(tag) = tag {
            self.tag(tag, span);
        }
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} lists and mappings stand inside each other");
            return Err(Diagnostic::error(codes::TOO_DEEP, span, message)
                .help("no document needs this depth; is the file what you meant to read?"));
        }
        if template {
            self.problem(|builder| {
                let value = syntax::value_at(builder.text, span.start, builder.file);
                syntax::unquoted_template(builder.text, value)
            });
        }
        self.stack.push(Frame { start: span.start, anchor, template, items });
        Ok(())
    }

    fn close(&mut self, at: Span) -> Result<(), Diagnostic> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let span = Span::new(self.file, frame.start, self.end_of(&frame, at));
        let value = match frame.items {
            Items::List(items) => Value::List(items),
            Items::Map { mut entries, merges, .. } => {
                for merge in merges {
                    self.merge(merge, &mut entries);
                }
                Value::Map(Map { entries })
            }
        };
        self.value(Tree { value, span }, frame.anchor)
    }

    /// Where a container ends: behind its bracket, or behind its last item.
    fn end_of(&self, frame: &Frame, at: Span) -> usize {
        let flow = self.text[frame.start..].starts_with(['{', '[']);
        let last = match &frame.items {
            Items::List(items) => items.last().map(|item| item.span),
            Items::Map { entries, .. } => entries
                .last()
                .map(|entry| if entry.value.span.end > entry.key.span.end { entry.value.span } else { entry.key.span }),
        };
        let end = if flow { at.end } else { last.map_or(frame.start, |last| last.end) };
        let written = self.text.get(frame.start..end).unwrap_or_default();
        frame.start + written.trim_end().len()
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, tree: Tree, anchor: usize) -> Result<(), Diagnostic> {
        if anchor > 0 {
            self.copy(&tree)?;
            self.anchors.insert(anchor, tree.clone());
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(tree);
            return Ok(());
        };
        match &mut frame.items {
            Items::List(items) => items.push(tree),
            Items::Map { entries, places, key, merges } => match std::mem::replace(key, Key::Next) {
                Key::Next => match key_of(&tree, places) {
                    Ok(next) => *key = next,
                    Err(why) => {
                        *key = Key::Refused;
                        self.problem(|builder| why.diagnostic(&tree, builder.text));
                    }
                },
                Key::Of(key) => entries.push(Entry { key, value: tree }),
                Key::Merge => merges.push(tree),
                Key::Refused => {}
            },
        }
        Ok(())
    }

    /// Charges a copy of a value, nodes and bytes, to the budget.
    fn copy(&mut self, tree: &Tree) -> Result<(), Diagnostic> {
        let (nodes, bytes) = size(tree);
        // So many bytes of text count like a node: both take about as much memory.
        self.copied = self.copied.saturating_add(nodes + bytes / (MAX_BYTES / MAX_NODES));
        self.within_budget(tree.span)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Diagnostic> {
        let Some(tree) = self.anchors.get(&anchor).cloned() else {
            return Err(Diagnostic::error(codes::YAML_SYNTAX, span, "this alias stands inside the value it repeats")
                .help("a value cannot hold itself: write it out"));
        };
        self.copy(&tree)?;
        self.value(tree, 0)
    }

    /// `<<: *other`: its entries, except for keys that were written.
    fn merge(&mut self, merged: Tree, entries: &mut Vec<Entry>) {
        match merged.value {
            Value::Map(map) => {
                for entry in map.entries {
                    if entries.iter().all(|known| known.key.value != entry.key.value) {
                        entries.push(entry);
                    }
                }
            }
            Value::List(items) => items.into_iter().for_each(|item| self.merge(item, entries)),
            Value::Scalar(_) => {
                self.problem(|_| {
                    let message = format!("`<<` takes a mapping or a list of mappings, found {}", merged.kind());
                    Diagnostic::error(codes::WRONG_TYPE, merged.span, message)
                });
            }
        }
    }
}

/// Why a value cannot be a key.
enum BadKey {
    NotText,
    Template,
    /// The place it was written first.
    Twice(Span),
}

/// What a value in the place of a key is.
fn key_of(tree: &Tree, places: &mut HashMap<String, Span>) -> Result<Key, BadKey> {
    let text = tree.as_text().ok_or(BadKey::NotText)?;
    if text.style == Style::Plain && text.value == "<<" {
        return Ok(Key::Merge);
    }
    if text.value.contains("{{") {
        return Err(BadKey::Template);
    }
    if let Some(first) = places.get(&text.value) {
        return Err(BadKey::Twice(*first));
    }
    places.insert(text.value.clone(), text.span);
    Ok(Key::Of(text.clone()))
}

impl BadKey {
    fn diagnostic(self, key: &Tree, source: &str) -> Diagnostic {
        let written = source.get(key.span.start..key.span.end).unwrap_or_default();
        match self {
            Self::NotText => {
                let message = format!("a key must be text, found {}", key.kind());
                let help = match key.value {
                    Value::Scalar(_) if !written.is_empty() => {
                        format!("put the key between quotes: \"{}\"", shown(written))
                    }
                    _ => "write the key as text".to_owned(),
                };
                Diagnostic::error(codes::KEY_NOT_TEXT, key.span, message).help(help)
            }
            Self::Template => {
                let message = "found a template in a key; templates are filled in inside values only";
                Diagnostic::error(codes::TEMPLATE_IN_KEY, key.span, message).help("write the key out")
            }
            Self::Twice(first) => {
                let value = key.as_text().map_or(written, |text| text.as_str());
                let message = format!("the key `{}` is written twice", shown(value));
                Diagnostic::error(codes::DUPLICATE_KEY, key.span, message)
                    .label(first, "first written here")
                    .help("keep one of the two")
            }
        }
    }
}

/// Nodes of a tree and bytes of its text.
fn size(tree: &Tree) -> (usize, usize) {
    let add = |(nodes, bytes): (usize, usize), (more, text): (usize, usize)| (nodes + more, bytes + text);
    match &tree.value {
        Value::Scalar(Scalar::Text(text)) => (1, text.value.len()),
        Value::Scalar(_) => (1, 0),
        Value::List(items) => items.iter().map(size).fold((1, 0), add),
        Value::Map(map) => map.entries.iter().map(|e| add((1, e.key.value.len()), size(&e.value))).fold((1, 0), add),
    }
}
