//! Where secrets come from: a file given with `--secrets`, else the environment.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::path::Path;
use towpath_connector::register_secret;

/// Secrets by name.
#[derive(Clone, Default)]
pub struct Secrets {
    from_file: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads a file of NAME=VALUE lines; `#` starts a comment line, quotes around a value are taken off.
    pub fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::usage(format!("cannot read the secrets file {}: {error}", file.display()), "check the path")
        })?;
        let mut from_file = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = line.split_once('=') else {
                // The line itself is not shown: it may be a secret.
                let message = format!("{}:{}: expected NAME=VALUE", file.display(), at + 1);
                return Err(Failure::usage(message, "one secret a line"));
            };
            let value = value.trim();
            let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            let value = quoted('"').or_else(|| quoted('\'')).unwrap_or(value);
            register_secret(value);
            from_file.insert(name.trim().to_owned(), value.to_owned());
        }
        Ok(Self { from_file })
    }

    /// A secret's value.
    pub fn get(&self, name: &str) -> Option<String> {
        self.from_file.get(name).cloned().or_else(|| std::env::var(name).ok())
    }
}
