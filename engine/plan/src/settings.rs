//! Settings of connections, sources and sinks: checked against what the connector declares, filled in when a run starts.

use crate::context::Context;
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use towpath_connector::{Setting, Settings};
use towpath_mapping::Value;
use towpath_mapping::scalar::ScalarTemplate;
use towpath_spec::document::{Scalar, Tree, Value as Node};
use towpath_spec::{Diagnostic, Span, Text, Type, codes};

/// A setting as it was written.
#[derive(Debug, Clone)]
pub struct SettingTemplate {
    /// Its key.
    pub name: String,
    /// Its value.
    pub value: ValueTemplate,
    /// Whether it must never be printed.
    pub secret: bool,
    /// Where the value is written.
    pub span: Span,
}

/// A value with templates inside.
#[derive(Debug, Clone)]
pub enum ValueTemplate {
    /// No template in it.
    Literal(Json),
    /// Text with a template.
    Template(ScalarTemplate),
    /// A list.
    List(Vec<ValueTemplate>),
    /// A mapping.
    Map(Vec<(String, ValueTemplate)>),
}

impl ValueTemplate {
    /// Fills in the templates; `names` gives the value of each name in scope, `now` the time of the run.
    ///
    /// # Errors
    /// The first name without a value, in a sentence.
    pub fn render(&self, names: &dyn Fn(&str) -> Option<Value>, now: DateTime<Utc>) -> Result<Json, String> {
        Ok(match self {
            Self::Literal(json) => json.clone(),
            Self::Template(template) => template.render_at(names, now)?.to_json(),
            Self::List(items) => {
                Json::Array(items.iter().map(|item| item.render(names, now)).collect::<Result<_, _>>()?)
            }
            Self::Map(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), value.render(names, now)?)))
                    .collect::<Result<_, String>>()?,
            ),
        })
    }

    /// All templates inside.
    pub fn templates(&self) -> Vec<&ScalarTemplate> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Template(template) => vec![template],
            Self::List(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Map(fields) => fields.iter().flat_map(|(_, value)| value.templates()).collect(),
        }
    }
}

/// Names templates of settings may use.
const NAMES: [&str; 5] = ["env", "secret", "params", "run", "state"];

impl Context<'_> {
    /// Reads a value with templates; problems are reported.
    pub fn value_template(&mut self, tree: &Tree) -> Option<ValueTemplate> {
        Some(match &tree.value {
            Node::Scalar(Scalar::Text(text)) if text.value.contains("{{") || text.value.contains("{%") => {
                let template = self.take(ScalarTemplate::parse(text, self.files))?;
                let mut known = true;
                for root in template.roots() {
                    known &= self.known(codes::UNKNOWN_NAME, "name", &Text::new(root.name.clone(), root.span), NAMES);
                    if let ("params", Some(param)) = (root.name.as_str(), &root.field) {
                        let written = Text::new(param.clone(), root.field_span.unwrap_or(root.span));
                        let params: Vec<String> = self.param_fields.iter().map(|field| field.name.clone()).collect();
                        let names = params.iter().map(String::as_str);
                        known &= self.known(codes::UNKNOWN_PARAM, "parameter", &written, names);
                    }
                }
                return known.then_some(ValueTemplate::Template(template));
            }
            Node::Scalar(_) => ValueTemplate::Literal(tree.to_json()),
            Node::List(items) => {
                ValueTemplate::List(items.iter().map(|item| self.value_template(item)).collect::<Option<_>>()?)
            }
            Node::Map(map) => ValueTemplate::Map(
                map.entries
                    .iter()
                    .map(|entry| Some((entry.key.value.clone(), self.value_template(&entry.value)?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }

    /// Checks what was written against what a connector declares, and reads the values.
    pub fn check_settings(
        &mut self,
        what: &str,
        declared: &[&Setting],
        written: &[(&Text, &Tree)],
        whole: Span,
    ) -> Vec<SettingTemplate> {
        let mut out = Vec::new();
        for (key, tree) in written {
            let names = declared.iter().map(|setting| setting.name.as_str());
            if key.value.starts_with("x-") || !self.known(codes::UNKNOWN_KEY, &format!("key of {what}"), key, names) {
                continue;
            }
            let Some(setting) = declared.iter().find(|setting| setting.name == key.value) else {
                continue;
            };
            let Some(value) = self.value_template(tree) else {
                continue;
            };
            match &value {
                ValueTemplate::Literal(json) => self.check_literal(setting, json, tree),
                ValueTemplate::Template(_) => {}
                // Lists and mappings are what they are, whatever stands in them.
                ValueTemplate::List(_) | ValueTemplate::Map(_) => self.check_literal(setting, &tree.to_json(), tree),
            }
            let secret = setting.secret;
            out.push(SettingTemplate { name: key.value.clone(), value, secret, span: tree.span });
        }
        for setting in declared.iter().filter(|setting| setting.required && setting.default.is_none()) {
            if !written.iter().any(|(key, _)| key.value == setting.name) {
                let message = format!("{what} needs `{}`: {}", setting.name, setting.doc);
                self.push(
                    Diagnostic::error(codes::MISSING_KEY, whole, message)
                        .help(format!("write `{}: …` ({})", setting.name, setting.ty)),
                );
            }
        }
        out
    }

    fn check_literal(&mut self, setting: &Setting, json: &Json, tree: &Tree) {
        if json.is_null() {
            return;
        }
        let loose = matches!(setting.ty, Type::Json | Type::Struct(_) | Type::List(_) | Type::Text);
        let mismatch = match (&setting.ty, json) {
            (Type::Text, Json::Array(_) | Json::Object(_)) => Some("text".to_owned()),
            _ if loose => None,
            (ty, json) => Value::from_json(json, ty).err().map(|_| ty.to_string()),
        };
        if let Some(expected) = mismatch {
            let message = format!("`{}` expects {expected}, found {}", setting.name, tree.kind());
            self.push(Diagnostic::error(codes::WRONG_TYPE, tree.span, message));
        }
        let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
        if !setting.values.is_empty() && !setting.values.contains(&text) {
            let written = Text::new(text, tree.span);
            let what = format!("value of `{}`", setting.name);
            self.known(codes::INVALID_VALUE, &what, &written, setting.values.iter().map(String::as_str));
        }
    }

    /// The settings whose values are known now: literals, templates over parameters that have values, and everything
    /// else when the plan is to be carried out.
    pub fn known_settings(&self, declared: &[&Setting], templates: &[SettingTemplate]) -> Settings {
        let mut settings = Settings::default();
        for setting in declared {
            if let Some(default) = &setting.default {
                settings.set(&setting.name, default.clone());
            }
        }
        for template in templates {
            settings.set(&template.name, self.known_value(&template.value).unwrap_or(Json::Null));
        }
        settings
    }

    fn known_value(&self, value: &ValueTemplate) -> Option<Json> {
        let templates = value.templates();
        let Some(outside) = &self.outside else {
            let names = |name: &str| (name == "params").then(|| self.params_value());
            let known = templates.iter().all(|template| only_params(template));
            return known.then(|| value.render(&names, DateTime::UNIX_EPOCH).ok()).flatten();
        };
        let fields = |root: &str, get: &dyn Fn(&str) -> Option<String>| -> Option<Value> {
            let named = templates.iter().flat_map(|template| template.roots()).filter(|found| found.name == root);
            let read = named.filter_map(|found| found.field.clone()).map(|name| {
                let value = get(&name).filter(|value| !value.is_empty())?;
                Some((name, Value::from(value)))
            });
            // What is missing or empty is said by the run, which knows whether it may be.
            read.collect::<Option<_>>().map(Value::Struct)
        };
        let (env, secret) = (fields("env", outside.env)?, fields("secret", outside.secret)?);
        let names = |name: &str| match name {
            "params" => Some(self.params_value()),
            "env" => Some(env.clone()),
            "secret" => Some(secret.clone()),
            _ => None,
        };
        let reads_run = templates.iter().flat_map(|template| template.roots()).any(|root| root.name == "run");
        if reads_run { None } else { value.render(&names, outside.now).ok() }
    }

    /// The first variable or secret that settings of a node need and that has no value.
    pub fn missing_outside(&self, node: &Text, settings: &[SettingTemplate]) -> Option<Diagnostic> {
        let outside = self.outside.as_ref()?;
        settings.iter().find_map(|setting| {
            let templates = setting.value.templates();
            let root = templates.iter().flat_map(|template| template.roots()).find(|root| {
                let Some(name) = &root.field else { return false };
                match root.name.as_str() {
                    "env" => (outside.env)(name).is_none(),
                    "secret" => (outside.secret)(name).is_none(),
                    _ => false,
                }
            })?;
            let name = root.field.as_deref().unwrap_or_default();
            let what = if root.name == "env" { "environment variable" } else { "secret" };
            let message = format!("`{}` of `{node}` needs the {what} {name}, which is not set", setting.name);
            Some(
                Diagnostic::error(codes::SOURCE_NOT_THERE, root.span, message)
                    .help(format!("set it, e.g. `export {name}=…`")),
            )
        })
    }

    /// `params` as a value.
    pub fn params_value(&self) -> Value {
        Value::Struct(
            self.params
                .iter()
                .map(|param| (param.field.name.clone(), param.value.clone().unwrap_or_default()))
                .collect(),
        )
    }
}

/// Whether a template's value is known without a run: it reads parameters only, and not the clock.
fn only_params(template: &ScalarTemplate) -> bool {
    let reads_clock = ["now(", "today("].iter().any(|call| template.source().contains(call));
    !reads_clock && template.roots().iter().all(|root| root.name == "params")
}
