//! Templates outside rows: connections, the `with:` of sources, connector definitions.
//!
//! They are evaluated once for each use on named values (`env`, `config`, `response`, …) whose types are known only then.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::{DateTime, Utc};
use towpath_spec::{Diagnostic, Files, Span, Text};

use crate::check::Checker;
use crate::expr::{Kind, Node};
use crate::interpret::Machine;
use crate::parse;
use crate::scope::{Constants, Row, Scope};
use crate::value::Value;

/// A name a template reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The name, e.g. `config`.
    pub name: String,
    /// What is read of it, when that is a name: `base_url` in `config.base_url`.
    pub field: Option<String>,
    /// Where the name stands.
    pub span: Span,
    /// Where the field stands.
    pub field_span: Option<Span>,
    /// The template says what to do without it: it has a `default`, or is only taken where it is there.
    pub optional: bool,
}

/// A parsed template outside rows.
#[derive(Debug, Clone)]
pub struct ScalarTemplate {
    root: Node,
    roots: Vec<Root>,
    source: String,
}

impl PartialEq for ScalarTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

struct Names<'a>(&'a dyn Fn(&str) -> Option<Value>);

impl Row for Names<'_> {
    fn get(&self, name: &str) -> Value {
        (self.0)(name).unwrap_or(Value::Null)
    }
}

impl ScalarTemplate {
    /// Parses a template; any name is let through, see [`ScalarTemplate::roots`].
    ///
    /// # Errors
    /// All problems found, each at its place inside the template.
    pub fn parse(text: &Text, files: &Files) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_as(text, files, false)
    }

    /// Parses a bare expression.
    ///
    /// # Errors
    /// All problems found, each at its place inside the expression.
    pub fn parse_expression(text: &Text, files: &Files) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_as(text, files, true)
    }

    /// Parses a template that stands in no file.
    ///
    /// # Errors
    /// The first problem found.
    pub fn parse_str(source: &str) -> Result<Self, String> {
        let text = Text { value: source.to_owned(), ..Text::default() };
        Self::parse(&text, &Files::new()).map_err(|problems| {
            problems.into_iter().next().map_or_else(|| "the template is wrong".into(), |problem| problem.message)
        })
    }

    fn parse_as(text: &Text, files: &Files, bare: bool) -> Result<Self, Vec<Diagnostic>> {
        // `params` and `run` are names like others here, so the checker is not told of them.
        let scope = Scope { files, columns: None, params: &[], extra: &[], macros: None };
        let mut checker = Checker::new(&scope, text);
        checker.reserve_nothing();
        let root = if bare {
            let parsed = parse::expression(text, files)?;
            checker.expr(&parsed)
        } else if text.value.contains("{{") || text.value.contains("{%") || text.value.contains("{#") {
            let parsed = parse::template(text, files)?;
            checker.template(&parsed)
        } else {
            Some(Node::constant(Value::from(text.value.as_str()), 0..text.value.len()))
        };
        let problems = std::mem::take(&mut checker.problems);
        match root {
            Some(root) if problems.is_empty() => {
                let roots = roots(&root, text, files);
                Ok(Self { root, roots, source: text.value.clone() })
            }
            _ => Err(problems),
        }
    }

    /// The names it reads, in order of appearance, for checks against what is known where it stands.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value, when it reads no names.
    pub fn constant(&self) -> Option<&Value> {
        self.root.as_const()
    }

    /// Evaluates it on named values; a name without a value is null. One `{{ }}` keeps its type.
    ///
    /// # Errors
    /// What could not be computed, naming the value.
    pub fn render(&self, names: &dyn Fn(&str) -> Option<Value>) -> Result<Value, String> {
        self.render_at(names, DateTime::UNIX_EPOCH)
    }

    /// The same with the time that `now()` and `today()` give.
    ///
    /// # Errors
    /// What could not be computed, naming the value.
    pub fn render_at(&self, names: &dyn Fn(&str) -> Option<Value>, now: DateTime<Utc>) -> Result<Value, String> {
        let constants = Constants::at(now);
        let row = Names(names);
        Machine { row: &row, constants: &constants, locals: Vec::new(), as_columns: false }
            .eval(&self.root)
            .map(Value::peel)
            .map_err(|reason| reason.message)
    }

    /// Evaluates it on a map of values.
    ///
    /// # Errors
    /// What could not be computed, naming the value.
    pub fn render_with(&self, names: &BTreeMap<String, Value>) -> Result<Value, String> {
        self.render(&|name| names.get(name).cloned())
    }
}

fn roots(root: &Node, text: &Text, files: &Files) -> Vec<Root> {
    let mut found: Vec<(Range<usize>, Root)> = Vec::new();
    let inside = |range: &Range<usize>| files.inside(text, range.start, range.end);
    root.walk(&mut |node| {
        let (of, field) = match &node.kind {
            Kind::Attribute(of, name) => (&**of, Some(name)),
            _ => (node, None),
        };
        let Kind::Column(name) = &of.kind else { return };
        if let Some(known) = found.iter_mut().find(|(range, _)| *range == of.span) {
            if known.1.field.is_none() && field.is_some() {
                known.1.field = field.cloned();
            }
            return;
        }
        let field_range = field.map(|field| node.span.end.saturating_sub(field.len())..node.span.end);
        let root = Root {
            name: name.clone(),
            field: field.cloned(),
            span: inside(&of.span),
            field_span: field_range.as_ref().map(inside),
            optional: false,
        };
        found.push((of.span.clone(), root));
    });
    let mut asked = Vec::new();
    optional(root, false, &mut asked);
    found.sort_by_key(|(range, _)| range.start);
    let with_optional = |(_, root): (Range<usize>, Root)| Root {
        optional: asked.iter().any(|(name, field)| *name == root.name && Some(*field) == root.field.as_deref()),
        ..root
    };
    found.into_iter().map(with_optional).collect()
}

/// Names and fields of which a template asks whether they are there.
fn optional<'n>(node: &'n Node, asked: bool, found: &mut Vec<(&'n str, &'n str)>) {
    match &node.kind {
        Kind::Attribute(of, field) => {
            if let (Kind::Column(name), true) = (&of.kind, asked) {
                found.push((name, field));
            }
        }
        Kind::Default(value, other, _) | Kind::Or(value, other) => {
            optional(value, true, found);
            optional(other, asked, found);
        }
        Kind::If(test, then, other) => {
            optional(test, true, found);
            optional(then, asked, found);
            optional(other, asked, found);
        }
        Kind::Call(call) if call.function.name == "coalesce" => {
            if let Some((last, others)) = call.args.split_last() {
                others.iter().for_each(|arg| optional(arg, true, found));
                optional(last, asked, found);
            }
        }
        _ => node.children().into_iter().for_each(|child| optional(child, asked, found)),
    }
}
