//! Macros: `{% macro name(x, y='z') %}…{% endmacro %}`, read from files of their own or from the top of a template.
//!
//! A macro has no types of its own: each call is checked as if its body stood there, with the arguments in the place of
//! the parameters. What is wrong with it whatever it is called with (unknown names, names of its own it shadows, macros
//! that call each other in a circle) is said once, where it is written, and calls of such a macro are let be.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use minijinja::machinery::{Token, ast, tokenize};
use towpath_spec::{Code, Diagnostic, Field, Files, Schema, Text, codes};

use crate::check::{Checker, bytes};
use crate::functions::{self, FunctionKind};
use crate::parse;
use crate::scope::Scope;

pub(crate) const BAD_MACRO: Code = codes::BAD_MACRO;

/// Problems a macro has whatever it is called with.
const OWN_PROBLEMS: [Code; 7] = [
    BAD_MACRO,
    codes::TEMPLATE_SYNTAX,
    codes::UNKNOWN_COLUMN,
    codes::UNKNOWN_NAME,
    codes::UNKNOWN_FUNCTION,
    codes::BAD_REGEX,
    codes::UNKNOWN_ZONE,
];

/// The macros templates may call.
#[derive(Default)]
pub struct Macros<'t> {
    sources: Vec<(&'t Text, ast::Stmt<'t>)>,
    all: Vec<Entry>,
    /// Where each name is in `all`.
    by_name: HashMap<String, usize>,
    /// Whether a file could not be read, so that an unknown name may be one of its macros.
    partial: bool,
}

#[derive(Debug)]
struct Entry {
    name: String,
    source: usize,
    child: usize,
    /// Bytes of its name in its source.
    place: Range<usize>,
    /// Whether nothing was wrong with it by itself.
    sound: bool,
}

/// A macro that was looked up.
pub(crate) struct Found<'m> {
    pub text: &'m Text,
    pub ast: &'m ast::Macro<'m>,
    pub sound: bool,
}

impl std::fmt::Debug for Macros<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all.iter().map(|entry| &entry.name)).finish()
    }
}

impl<'t> Macros<'t> {
    /// Reads files of macros: each text is a whole file. All problems come beside the macros that are sound; `params` is
    /// what `params.…` may read in them.
    pub fn read(texts: &'t [Text], files: &Files, params: &[Field]) -> (Self, Vec<Diagnostic>) {
        let mut macros = Self::default();
        let mut problems = Vec::new();
        for text in texts {
            match parse::template(text, files) {
                Ok(parsed) => macros.sources.push((text, parsed)),
                Err(found) => {
                    macros.partial = true;
                    problems.extend(found);
                }
            }
        }
        for source in 0..macros.sources.len() {
            problems.extend(macros.stray(source, files));
            problems.extend(macros.declare(source, files, None));
        }
        problems.extend(macros.examine(files, params, None));
        (macros, problems)
    }

    /// The macros at the top of a template.
    pub(crate) fn own(text: &'t Text, parsed: ast::Stmt<'t>, scope: &Scope<'_>) -> (Self, Vec<Diagnostic>) {
        let mut macros = Self { sources: vec![(text, parsed)], ..Self::default() };
        let mut problems = macros.declare(0, scope.files, scope.macros);
        problems.extend(macros.examine(scope.files, scope.params, scope.macros));
        (macros, problems)
    }

    /// The syntax of a source.
    pub(crate) fn source(&self, source: usize) -> Option<&ast::Stmt<'t>> {
        self.sources.get(source).map(|(_, parsed)| parsed)
    }

    /// A macro by name.
    pub(crate) fn find(&self, name: &str) -> Option<Found<'_>> {
        let entry = self.entry(name)?;
        Some(Found { text: self.sources.get(entry.source)?.0, ast: self.ast(entry)?, sound: entry.sound })
    }

    /// The names of all macros.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|entry| entry.name.as_str())
    }

    /// Whether there may be more macros than could be read.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.all.get(*self.by_name.get(name)?)
    }

    fn children(&self, source: usize) -> &[ast::Stmt<'t>] {
        match self.source(source) {
            Some(ast::Stmt::Template(template)) => &template.children,
            _ => &[],
        }
    }

    fn ast(&self, entry: &Entry) -> Option<&ast::Macro<'t>> {
        match self.children(entry.source).get(entry.child) {
            Some(ast::Stmt::Macro(found)) => Some(found),
            _ => None,
        }
    }

    /// What stands in a file of macros beside macros.
    fn stray(&self, source: usize, files: &Files) -> Vec<Diagnostic> {
        let Some((text, _)) = self.sources.get(source) else { return Vec::new() };
        let place = |child: &ast::Stmt<'_>| match child {
            ast::Stmt::Macro(_) => None,
            ast::Stmt::EmitRaw(raw) if raw.raw.trim().is_empty() => None,
            ast::Stmt::EmitRaw(raw) => {
                let range = bytes(raw.span());
                let lead = raw.raw.len() - raw.raw.trim_start().len();
                let line = raw.raw.trim_start().lines().next().map_or(0, str::len);
                Some(range.start + lead..range.start + lead + line)
            }
            ast::Stmt::EmitExpr(emit) => Some(bytes(emit.span())),
            other => Some(crate::check::statement_place(other)),
        };
        let stray = self.children(source).iter().find_map(place);
        stray
            .map(|range| {
                let span = files.inside(text, range.start, range.end);
                Diagnostic::error(BAD_MACRO, span, "only macros stand in a file of macros")
                    .help("write `{% macro name(x) %}…{% endmacro %}`, or a comment: `{# … #}`")
            })
            .into_iter()
            .collect()
    }

    /// Takes the macros of a source in; those whose name is taken are reported and left out.
    fn declare(&mut self, source: usize, files: &Files, outer: Option<&Macros<'_>>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let Some((text, _)) = self.sources.get(source) else { return problems };
        let mut entries: Vec<Entry> = Vec::new();
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (child, statement) in self.children(source).iter().enumerate() {
            let ast::Stmt::Macro(found) = statement else { continue };
            let (name, place) = (found.name, name_place(text, found.name, bytes(found.span())));
            let earlier = names.get(name).and_then(|at: &usize| entries.get(*at)).map(|known: &Entry| (*text, known));
            let known = earlier
                .map(|(text, known)| (text, known.place.clone()))
                .or_else(|| self.place_of(name))
                .or_else(|| outer.and_then(|outer| outer.place_of(name)));
            let span = || files.inside(text, place.start, place.end);
            if let Some((other, range)) = known {
                let first = files.inside(other, range.start, range.end);
                problems.push(
                    Diagnostic::error(BAD_MACRO, span(), format!("there are two macros `{name}`"))
                        .label(first, "the other one")
                        .help("give one of them another name"),
                );
                continue;
            }
            let kinds = [FunctionKind::Function, FunctionKind::Filter, FunctionKind::Test];
            if let Some(kind) = kinds.into_iter().find(|kind| functions::find(name, *kind).is_some()) {
                problems.push(
                    Diagnostic::error(BAD_MACRO, span(), format!("a macro cannot be named `{name}`: that is a {kind}"))
                        .help("give it another name"),
                );
                continue;
            }
            names.insert(name, entries.len());
            entries.push(Entry { name: name.to_owned(), source, child, place, sound: true });
        }
        for entry in entries {
            self.by_name.insert(entry.name.clone(), self.all.len());
            self.all.push(entry);
        }
        problems
    }

    fn place_of(&self, name: &str) -> Option<(&Text, Range<usize>)> {
        let entry = self.entry(name)?;
        Some((self.sources.get(entry.source)?.0, entry.place.clone()))
    }

    /// Finds what is wrong with each macro by itself.
    fn examine(&mut self, files: &Files, params: &[Field], outer: Option<&Macros<'_>>) -> Vec<Diagnostic> {
        let mut problems = self.circles(files);
        let empty = Schema::default();
        let mut unsound = Vec::new();
        for (at, entry) in self.all.iter().enumerate() {
            let (Some((text, _)), Some(found)) = (self.sources.get(entry.source), self.ast(entry)) else { continue };
            let scope = Scope { files, columns: Some(&empty), params, extra: &[], macros: outer };
            let mut checker = Checker::new(&scope, text);
            checker.own = Some(self);
            checker.define(found);
            let own = checker.problems.into_iter().filter(|problem| OWN_PROBLEMS.contains(&problem.code));
            let before = problems.len();
            problems.extend(own);
            if problems.len() > before {
                unsound.push(at);
            }
        }
        unsound.into_iter().for_each(|at| self.all[at].sound = false);
        problems
    }

    /// Reports macros that call themselves, directly or through others, and marks them.
    fn circles(&mut self, files: &Files) -> Vec<Diagnostic> {
        let calls = self.calls();
        let mut problems = Vec::new();
        let mut known = vec![false; self.all.len()];
        for start in 0..self.all.len() {
            if known[start] {
                continue;
            }
            let Some(circle) = circle(&calls, start) else { continue };
            let names: Vec<String> = circle
                .iter()
                .chain(circle.first())
                .filter_map(|at| self.all.get(*at))
                .map(|entry| format!("`{}`", entry.name))
                .collect();
            let next = circle.get(1).unwrap_or(&start);
            let place = calls[start].iter().find(|(to, _)| to == next).map(|(_, place)| place.clone());
            let entry = &self.all[start];
            let place = place.unwrap_or_else(|| entry.place.clone());
            let span = files.inside(self.sources[entry.source].0, place.start, place.end);
            let message = format!("macro `{}` calls itself: {}", entry.name, names.join(" → "));
            problems.push(
                Diagnostic::error(BAD_MACRO, span, message)
                    .help("go over a list with `{% for %}`: macros do not recur"),
            );
            circle.iter().for_each(|at| known[*at] = true);
        }
        for (entry, known) in self.all.iter_mut().zip(known) {
            entry.sound &= !known;
        }
        problems
    }

    /// For each macro those it names as functions, each with its place.
    fn calls(&self) -> Vec<Vec<(usize, Range<usize>)>> {
        let mut out = vec![Vec::new(); self.all.len()];
        for (source, (text, _)) in self.sources.iter().enumerate() {
            // The macros of a source stand one behind the other.
            let mut bodies = self.all.iter().enumerate().filter(|(_, entry)| entry.source == source).peekable();
            let mut within: Option<usize> = None;
            let mut before: Option<(usize, Range<usize>)> = None;
            for token in tokenize(&text.value, false, Default::default()) {
                let Ok((token, span)) = token else { break };
                let range = bytes(span);
                if let Some((at, _)) = bodies.next_if(|(_, entry)| entry.place.start <= range.start) {
                    within = Some(at);
                    before = None;
                    continue;
                }
                let called = before.take();
                match (token, within) {
                    (Token::Ident("endmacro"), _) => within = None,
                    (Token::Ident(name), _) => before = self.by_name.get(name).map(|at| (*at, range)),
                    (Token::ParenOpen, Some(caller)) => out[caller].extend(called),
                    _ => {}
                }
            }
        }
        out
    }
}

/// A circle of calls that leads from a macro back to it, the shortest one.
fn circle(calls: &[Vec<(usize, Range<usize>)>], start: usize) -> Option<Vec<usize>> {
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(at) = waiting.pop_front() {
        for (to, _) in &calls[at] {
            if *to == start {
                let mut path = vec![at];
                let mut here = at;
                while let Some(before) = came_from.get(&here).filter(|_| here != start) {
                    path.push(*before);
                    here = *before;
                }
                path.reverse();
                return Some(path);
            }
            if !came_from.contains_key(to) {
                came_from.insert(*to, at);
                waiting.push_back(*to);
            }
        }
    }
    None
}

/// Bytes of a macro's name, given those of its statement.
fn name_place(text: &Text, name: &str, statement: Range<usize>) -> Range<usize> {
    let rest = text.value.get(statement.start..).unwrap_or_default();
    let keyword = if rest.starts_with("macro") { "macro".len() } else { 0 };
    let start = rest[keyword..].find(name).map_or(statement.start, |at| statement.start + keyword + at);
    start..start + name.len()
}
