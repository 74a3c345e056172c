//! What is wrong with an authored file, where, and how to mend it.

use crate::source_text::Span;

/// Stable kebab-case name of a kind of problem, e.g. `unknown-key`; `towpath explain CODE` tells more about it.
pub type Code = &'static str;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the file is valid.
    Warning,
    /// The file cannot be used as it is.
    Error,
}

/// A second place that helps to understand the problem, with what is to be seen there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there, e.g. `first written here`.
    pub message: String,
}

/// One problem of an authored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable name of the kind of problem.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One self-sufficient sentence: lower case, no final period, says found and expected.
    pub message: String,
    /// The place the problem is at.
    pub span: Span,
    /// Further places.
    pub labels: Vec<Label>,
    /// How to mend it: the nearest valid name, the key to change.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), span, labels: Vec::new(), help: None }
    }

    /// A warning at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// Adds help when there is some; an empty sentence is none.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        if help.as_ref().is_some_and(|help| !help.trim().is_empty()) {
            self.help = help;
        }
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Whether the file cannot be used.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Bytes of a misspelt name beyond which nobody can tell what was meant; comparing takes the product of both lengths.
const LONGEST_NAME: usize = 100;

/// Characters of a written value that a message repeats.
const SHOWN: usize = 60;

/// What was written, cut to a length a message can hold, with line breaks and control characters escaped.
pub fn shown(written: &str) -> String {
    let mut out: String = written
        .chars()
        .take(SHOWN)
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            escaped.into_iter().flatten().chain((!c.is_control()).then_some(c))
        })
        .collect();
    if written.chars().nth(SHOWN).is_some() {
        out.push('…');
    }
    out
}

/// The valid name nearest to what was written, if one is near enough to be meant.
pub fn nearest<'a>(written: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST_NAME {
        return None;
    }
    let lower = written.to_lowercase();
    let limit = (written.chars().count() / 3).max(1) + 1;
    valid
        .into_iter()
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Help for an unknown name: the nearest valid one, else the list of valid ones when it is short.
pub fn did_you_mean<'a>(written: &str, valid: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(written, valid.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let names: Vec<String> = valid.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => None,
        1..=24 => Some(format!("valid here: {}", names.join(", "))),
        n => Some(format!("{n} names are valid here, among them {}", names[..12].join(", "))),
    }
}
