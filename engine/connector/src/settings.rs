//! What a connection, a stream or a sink can be told.

use serde_json::Value as Json;
use towpath_spec::Type;

/// One thing that can be set, as `connectors show` and the checks see it.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its key.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// Its value when none is given.
    pub default: Option<Json>,
    /// Whether it must never be printed.
    pub secret: bool,
    /// The only values it can have; any when empty.
    pub values: Vec<String>,
    /// What it is for, with its unit.
    pub doc: String,
}

impl Setting {
    /// Something that may be given.
    pub fn new(name: impl Into<String>, ty: Type, doc: impl Into<String>) -> Self {
        let (name, doc) = (name.into(), doc.into());
        Self { name, ty, required: false, default: None, secret: false, values: Vec::new(), doc }
    }

    /// It must be given.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Its value when none is given.
    #[must_use]
    pub fn default(mut self, value: impl Into<Json>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// It must never be printed.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The only values it can have.
    #[must_use]
    pub fn one_of(mut self, values: &[&str]) -> Self {
        self.values = values.iter().map(|value| (*value).to_owned()).collect();
        self
    }
}

/// Settings with their values. At `validate` it holds only what is known without environment and secrets.
#[derive(Clone, Default)]
pub struct Settings {
    values: crate::Record,
}

impl Settings {
    /// From name and value pairs.
    pub fn new(values: crate::Record) -> Self {
        Self { values }
    }

    /// A value; null counts as not given.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A value as text; numbers and booleans are written out.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// A value as a whole number; text that is one counts.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(|value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()))
    }

    /// A value as true or false; so are 1 and 0, and the texts `true`, `yes`, `on` and `false`, `no`, `off`.
    pub fn bool(&self, name: &str) -> Option<bool> {
        let value = self.get(name)?;
        if let Some(known) = value.as_bool() {
            return Some(known);
        }
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_lowercase());
        match text.as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// Sets a value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Json>) {
        self.values.insert(name.into(), value.into());
    }

    /// All values.
    pub fn values(&self) -> &crate::Record {
        &self.values
    }
}

// Values may be secret, so only the names show.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}
