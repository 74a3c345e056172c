//! A plan in a file: what `towpath plan --out` writes beside what people read, and `towpath run --plan` holds a run to.
//!
//! The file says what the plan was made of, part by part, so that a refusal names what has changed. Texts and the state are in
//! it as hashes, parameters without those that feed a secret.

use crate::documents::Workspace;
use crate::failure::Failure;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use towpath_connector::{Error, MASK};
use towpath_plan::{NodeKind, Plan};
use towpath_run::{Planned, Promise};
use towpath_state::private;

/// The members of the file that are not for people.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile {
    basis: Basis,
    /// The records of each sink, see [`towpath_run::packed`].
    sends: BTreeMap<String, String>,
}

/// What a plan is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// The release that made it: definitions are part of it.
    towpath: String,
    /// Hashes of the documents that were read.
    files: BTreeMap<String, String>,
    environment: String,
    params: BTreeMap<String, Json>,
    /// Hashes of the environment variables its connections and nodes read, but for secrets: they say where things go.
    variables: BTreeMap<String, String>,
    /// What stand-ins took the place of the systems.
    sandbox: Option<String>,
    /// What `now()` gave.
    pub now: DateTime<Utc>,
    /// Rows of each source at the most.
    pub limit: Option<u64>,
    #[serde(default)]
    state: String,
}

impl Basis {
    /// What a plan is made of that is made now.
    pub fn of(
        workspace: &Workspace,
        plan: &Plan,
        sandbox: Option<String>,
        now: DateTime<Utc>,
        limit: Option<u64>,
    ) -> Self {
        let hash = |text: &str| HEXLOWER.encode(&Sha256::digest(text)[..16]);
        let params = plan.params.iter().map(|param| {
            let name = param.field.name.clone();
            let hidden = plan.feeds_secret(&name);
            let value = param.value.as_ref().map_or(Json::Null, |value| value.to_json());
            (name, if hidden { MASK.into() } else { value })
        });
        Self {
            towpath: env!("CARGO_PKG_VERSION").to_owned(),
            files: workspace.files.iter().map(|(path, text)| (path.display().to_string(), hash(text))).collect(),
            environment: plan.environment.clone(),
            params: params.collect(),
            variables: variables(plan).map(|(name, value)| (name, hash(&value))).collect(),
            sandbox,
            now,
            limit,
            state: String::new(),
        }
    }

    /// What is not as it was, in words; the state is looked at by the run itself.
    fn changes(&self, now: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.towpath != now.towpath {
            changes.push(format!("it was made by towpath {}, and this is {}", self.towpath, now.towpath));
        }
        for (file, hash) in &self.files {
            match now.files.get(file) {
                Some(found) if found == hash => {}
                Some(_) => changes.push(format!("{file} has changed")),
                None => changes.push(format!("{file} is not read any more")),
            }
        }
        changes.extend(
            now.files.keys().filter(|file| !self.files.contains_key(*file)).map(|file| format!("{file} is new")),
        );
        if self.environment != now.environment {
            let named = |name: &str| if name.is_empty() { "none".to_owned() } else { format!("`{name}`") };
            changes.push(format!(
                "its environment was {}, and is {}",
                named(&self.environment),
                named(&now.environment)
            ));
        }
        let names = self.params.keys().chain(now.params.keys().filter(|name| !self.params.contains_key(*name)));
        changes.extend(
            names
                .filter(|name| self.params.get(*name) != now.params.get(*name))
                .map(|name| format!("the parameter `{name}` has another value")),
        );
        let names =
            self.variables.keys().chain(now.variables.keys().filter(|name| !self.variables.contains_key(*name)));
        changes.extend(
            names
                .filter(|name| self.variables.get(*name) != now.variables.get(*name))
                .map(|name| format!("the environment variable {name} has another value")),
        );
        match (&self.sandbox, &now.sandbox) {
            (Some(_), None) => changes.push("it was made with `--sandbox`".to_owned()),
            (None, Some(_)) => changes.push("it was made without `--sandbox`".to_owned()),
            (Some(one), Some(other)) if one != other => {
                changes.push(format!("its stand-ins were those of {one}, and these are of {other}"));
            }
            _ => {}
        }
        changes
    }
}

/// The environment variables a plan's settings read, with their values.
fn variables(plan: &Plan) -> impl Iterator<Item = (String, String)> {
    let of_nodes = plan.nodes.iter().flat_map(|node| match &node.kind {
        NodeKind::Source(source) => source.settings.as_slice(),
        NodeKind::Sink(sink) => sink.settings.as_slice(),
        NodeKind::Transform(_) => &[],
    });
    let settings = plan.connections.iter().flat_map(|connection| &connection.settings).chain(of_nodes);
    let roots = settings
        .filter(|setting| !setting.secret)
        .flat_map(|setting| setting.value.templates())
        .flat_map(|template| template.roots().to_vec());
    let named = roots.filter(|root| root.name == "env").filter_map(|root| root.field);
    named.map(|name| (name.clone(), std::env::var(name).unwrap_or_default()))
}

/// Writes a plan, for people and for a run: as a whole, for its owner alone, or not at all.
pub fn write(path: &Path, shown: &Json, planned: &Planned, basis: Basis) -> Result<(), Failure> {
    let kept =
        PlanFile { basis: Basis { state: planned.state.clone(), ..basis }, sends: towpath_run::packed(&planned.sends) };
    let mut whole = shown.clone();
    whole["basis"] = json!(kept.basis);
    whole["sends"] = json!(kept.sends);
    let text = serde_json::to_string_pretty(&whole).map_err(|error| Error::bug(error.to_string()))? + "\n";
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{}.new", std::process::id()));
    let aside = Path::new(&aside);
    let written = private::new_file(aside).and_then(|mut file| {
        let written = file.write_all(text.as_bytes()).and_then(|()| std::fs::rename(aside, path));
        // What is half there is nothing.
        written.inspect_err(|_| drop(std::fs::remove_file(aside)))
    });
    Ok(written.map_err(|error| Error::from(error).at(path.display()))?)
}

/// Reads a plan that a run is to be held to.
pub fn read(path: &Path) -> Result<PlanFile, Failure> {
    let text = std::fs::read(path).map_err(|error| Error::from(error).at(path.display()))?;
    serde_json::from_slice(&text).map_err(|error| {
        let message = format!("{}: this is no plan: {error}", path.display());
        Failure::usage(message, "`towpath plan PIPELINE --out FILE` writes one")
    })
}

impl PlanFile {
    /// What `now()` gave, and how many rows were read of each source.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// What the run is held to, if all is as it was.
    pub fn promise(&self, path: &Path, now: &Basis) -> Result<Promise, Failure> {
        let changes = self.basis.changes(now);
        if !changes.is_empty() {
            let message = format!("{} cannot be carried out: {}", path.display(), changes.join("; "));
            let help = "make the plan again, and look at it";
            return Err(Failure::World(Error::user(message).help(help)));
        }
        Promise::read(&self.basis.state, &self.sends).map_err(|error| error.at(path.display()).into())
    }
}
