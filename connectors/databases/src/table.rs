//! What a sink of a table is told, whatever the database.

use towpath_connector::{Problem, Setting, Settings};
use towpath_spec::{Schema, Type};

/// What a load does to what is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The table is made; one that is there is an error.
    Create,
    /// The rows come to those that are there.
    Append,
    /// The rows take the place of those that are there.
    Replace,
    /// Rows whose key is there change that row, the others come to it.
    Merge,
}

/// What happens when rows and table do not have the same columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evolution {
    /// New columns are added to the table.
    Evolve,
    /// It is an error.
    Freeze,
    /// Rows that have something the table has no place for are rejects.
    DiscardRow,
    /// What the table has no place for is left out.
    DiscardValue,
}

const MODES: [(&str, Mode); 4] =
    [("create", Mode::Create), ("append", Mode::Append), ("replace", Mode::Replace), ("merge", Mode::Merge)];

const EVOLUTIONS: [(&str, Evolution); 4] = [
    ("evolve", Evolution::Evolve),
    ("freeze", Evolution::Freeze),
    ("discard_row", Evolution::DiscardRow),
    ("discard_value", Evolution::DiscardValue),
];

/// A load as a pipeline writes it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) table: String,
    pub(crate) mode: Mode,
    pub(crate) evolution: Evolution,
    pub(crate) key: Vec<String>,
}

/// The settings of a sink.
pub(crate) fn settings() -> Vec<Setting> {
    vec![
        Setting::new("table", Type::Text, "The table; made when it is not there.").required(),
        Setting::new(
            "mode",
            Type::Text,
            "What the rows do: `append` come to those that are there, `replace` take their place, `merge` change those with \
             the same `key` and come to the others, `create` make the table, which must not be there.",
        )
        .default("append")
        .one_of(&MODES.map(|(word, _)| word)),
        Setting::new(
            "schema",
            Type::Text,
            "When the rows have a column the table has not, or of another type: `evolve` adds it, `freeze` is an error, \
             `discard_row` rejects rows with something in it, `discard_value` leaves it out.",
        )
        .default("evolve")
        .one_of(&EVOLUTIONS.map(|(word, _)| word)),
    ]
}

impl Target {
    /// Reads the settings; `columns` are those that arrive, when they are known.
    pub(crate) fn read(settings: &Settings, columns: Option<&Schema>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mode = word(settings, "mode", &MODES, &mut problems).unwrap_or(Mode::Append);
        let evolution = word(settings, "schema", &EVOLUTIONS, &mut problems).unwrap_or(Evolution::Evolve);
        let table = settings.text("table").unwrap_or_default();
        if table.trim().is_empty() {
            problems.push(Problem::with("table", "a table has no name").help("write `table: NAME`"));
        }
        if table.starts_with("_towpath") || table.to_lowercase().starts_with("sqlite_") {
            problems.push(Problem::with("table", format!("`{table}` is a name the system keeps for itself")));
        }
        let key: Vec<String> = settings
            .get("key")
            .and_then(serde_json::Value::as_array)
            .map(|key| key.iter().filter_map(serde_json::Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        if mode == Mode::Merge && key.is_empty() {
            let problem = Problem::with("mode", "`merge` needs a `key`: by which columns is a row known?");
            problems.push(problem.help("write `key: [COLUMN, …]`, or `mode: append`"));
        }
        if let (false, false, Some(first)) = (mode == Mode::Merge, key.is_empty(), settings.text("mode").or(None)) {
            let problem = Problem::with("mode", format!("`key` is for `merge`, and the mode is `{first}`"));
            problems.push(problem.help("write `mode: merge`, or take `key` away"));
        }
        if columns.is_some_and(|columns| columns.fields.is_empty()) {
            problems.push(Problem::with("table", "no columns arrive, and a table needs one"));
        }
        let mut seen: Vec<String> = Vec::new();
        for field in columns.into_iter().flat_map(|columns| &columns.fields) {
            let lower = field.name.to_lowercase();
            if seen.contains(&lower) {
                let message =
                    format!("`{}` is there twice but for capitals, which a table does not tell apart", field.name);
                problems
                    .push(Problem::with("table", message).help("give one of them another name with the step `rename`"));
            }
            seen.push(lower);
        }
        if problems.is_empty() { Ok(Self { table, mode, evolution, key }) } else { Err(problems) }
    }
}

fn word<T: Copy>(settings: &Settings, name: &str, words: &[(&str, T)], problems: &mut Vec<Problem>) -> Option<T> {
    let written = settings.text(name)?;
    let found = words.iter().find(|(word, _)| *word == written).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{name}` is `{written}`, expected one of {}", names.join(", "));
        let help = towpath_spec::diagnostic::did_you_mean(&written, names);
        problems.push(Problem { help, ..Problem::with(name, message) });
    }
    found
}
