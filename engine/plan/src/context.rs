//! What every part of the planner needs, and where problems are collected.

use crate::plan::{Connection, Param};
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use towpath_connector::{Problem, Registry};
use towpath_mapping::{Checked, Macros, Scope};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Code, Diagnostic, Field, Files, Schema, Span, Text};

/// What a plan that is to be carried out may read beside the files: without it, a path that depends on the environment is
/// not known, and nothing behind it can be checked.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// Values of `env.NAME`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Values of `secret.NAME`.
    pub secret: &'a dyn Fn(&str) -> Option<String>,
    /// The time `now()` gives.
    pub now: DateTime<Utc>,
}

impl std::fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("now", &self.now).finish_non_exhaustive()
    }
}

/// The planner's working state.
pub(crate) struct Context<'a> {
    pub files: &'a Files,
    pub registry: &'a Registry,
    pub base: PathBuf,
    pub params: Vec<Param>,
    pub param_fields: Vec<Field>,
    pub connections: Vec<Connection>,
    /// Macros templates may call.
    pub macros: Option<&'a Macros<'a>>,
    /// Values from outside, when the plan is to be carried out.
    pub outside: Option<Outside<'a>>,
    pub diagnostics: Vec<Diagnostic>,
    pub blocked: Vec<Diagnostic>,
}

impl<'a> Context<'a> {
    pub fn new(files: &'a Files, registry: &'a Registry, base: &Path) -> Self {
        Self {
            files,
            registry,
            base: base.to_owned(),
            params: Vec::new(),
            param_fields: Vec::new(),
            connections: Vec::new(),
            macros: None,
            outside: None,
            diagnostics: Vec::new(),
            blocked: Vec::new(),
        }
    }

    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// How many problems there are so far, to see later whether more came.
    pub fn problem_count(&self) -> usize {
        self.diagnostics.len()
    }

    /// Keeps the value, or the problems.
    pub fn take<T>(&mut self, result: Result<T, Vec<Diagnostic>>) -> Option<T> {
        result.map_err(|problems| self.diagnostics.extend(problems)).ok()
    }

    /// The scope of a row template.
    pub fn compile<T: Checked>(
        &mut self,
        columns: Option<&Schema>,
        extra: &[Field],
        compile: impl FnOnce(&Scope<'_>) -> Result<T, Vec<Diagnostic>>,
    ) -> Option<T> {
        let scope = Scope { files: self.files, columns, params: &self.param_fields, extra, macros: self.macros };
        let result = compile(&scope);
        if let Ok(value) = &result {
            self.diagnostics.extend_from_slice(value.warnings());
        }
        self.take(result)
    }

    /// A name that must be one of those known; the problem is reported.
    pub fn known<'n>(
        &mut self,
        code: Code,
        what: &str,
        written: &Text,
        known: impl IntoIterator<Item = &'n str> + Clone,
    ) -> bool {
        if known.clone().into_iter().any(|name| name == written.value) {
            return true;
        }
        let help = did_you_mean(&written.value, known);
        // `key of a sink`: the name stands behind what it is, not behind what it is of.
        let message = match what.split_once(" of ") {
            Some((what, of)) => format!("unknown {what} `{written}` of {of}"),
            None => format!("unknown {what} `{written}`"),
        };
        self.push(Diagnostic::error(code, written.span, message).maybe_help(help));
        false
    }

    /// A column that must be there; true when the columns are not known.
    pub fn column(&mut self, written: &Text, schema: Option<&Schema>) -> bool {
        schema.is_none_or(|schema| self.known(towpath_spec::codes::UNKNOWN_COLUMN, "column", written, schema.names()))
    }

    /// Reports names that are there twice; whether none is.
    pub fn once<'n>(&mut self, names: impl IntoIterator<Item = &'n Text>) -> bool {
        let mut seen: Vec<&Text> = Vec::new();
        let mut whole = true;
        for name in names {
            if let Some(first) = seen.iter().find(|known| known.value == name.value) {
                let problem = Diagnostic::error(
                    towpath_spec::codes::DUPLICATE_COLUMN,
                    name.span,
                    format!("`{name}` is named twice"),
                );
                self.push(problem.label(first.span, "first named here").help("leave one of the two out"));
                whole = false;
            }
            seen.push(name);
        }
        whole
    }

    /// Reports what a connector finds wrong, at the setting's value where there is one.
    pub fn problems(
        &mut self,
        code: Code,
        problems: Vec<Problem>,
        node: Span,
        place: impl Fn(&str) -> Option<Span>,
    ) -> Vec<Diagnostic> {
        problems
            .into_iter()
            .map(|problem| {
                let span = problem.setting.as_deref().and_then(&place).unwrap_or(node);
                Diagnostic::error(code, span, problem.message).maybe_help(problem.help)
            })
            .collect()
    }
}
