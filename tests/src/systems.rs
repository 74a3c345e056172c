//! Stand-ins of any of the systems, inside the test, and the environment variables by which pipelines find them.

use crate::{Scratch, Towpath};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::runtime::Runtime;
use towpath_sandbox::{Options, System};

/// The variables that point at a system: its name, the variable, the setting of its stand-in.
const VARIABLES: [(&str, &str, &str); 14] = [
    ("peoplefluent", "PEOPLEFLUENT_URL", "base_url"),
    ("peoplefluent", "PEOPLEFLUENT_KEY", "system_key"),
    ("human-focus", "HUMAN_FOCUS_URL", "base_url"),
    ("human-focus", "HUMAN_FOCUS_ORGANISATION", "organisation"),
    ("human-focus", "HUMAN_FOCUS_USER", "username"),
    ("human-focus", "HUMAN_FOCUS_PASSWORD", "password"),
    ("onefile", "ONEFILE_URL", "base_url"),
    ("onefile", "ONEFILE_TOKEN", "customer_token"),
    ("enabley", "ENABLEY_URL", "base_url"),
    ("enabley", "ENABLEY_CLIENT_KEY", "client_key"),
    ("enabley", "ENABLEY_SECRET", "secret"),
    ("healthier-business", "HEALTHIER_BUSINESS_URL", "base_url"),
    ("healthier-business", "HEALTHIER_BUSINESS_KEY", "api_key"),
    ("healthier-business", "HEALTHIER_BUSINESS_CLIENT", "client_id"),
];

/// The threads stand-ins run on.
pub(crate) fn runtime() -> Runtime {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    threads.expect("a runtime")
}

/// A command that knows where a stand-in is.
pub(crate) fn pointed_at(towpath: Towpath, system: &System) -> Towpath {
    let settings: BTreeMap<String, String> = system.settings().into_iter().collect();
    let known = VARIABLES.iter().filter(|(name, _, _)| *name == system.name());
    known.fold(towpath, |towpath, (_, variable, setting)| match settings.get(*setting) {
        Some(value) => towpath.env(variable, value),
        None => towpath,
    })
}

/// Stand-ins by name, and a folder for pipelines and state. All of it is gone after the test.
pub struct Systems {
    systems: BTreeMap<&'static str, System>,
    /// The folder commands are run in.
    pub scratch: Scratch,
    /// Where state is, if that is not in the folder.
    pub state: Option<String>,
    _runtime: Runtime,
}

impl Systems {
    /// Starts stand-ins of these systems alike.
    pub fn start(names: &[&'static str], options: &Options, scratch: Scratch) -> Self {
        let runtime = runtime();
        let start = |name| runtime.block_on(towpath_sandbox::start(name, options.clone())).expect("it starts");
        let systems = names.iter().map(|name| (*name, start(name))).collect();
        Self { systems, scratch, state: None, _runtime: runtime }
    }

    /// A command in the folder that knows where the stand-ins and the state are.
    pub fn towpath(&self, line: &str) -> Towpath {
        let towpath = self.systems.values().fold(self.scratch.towpath(line), pointed_at);
        match &self.state {
            Some(state) => towpath.args(["--state", state]),
            None => towpath,
        }
    }

    /// A stand-in.
    #[track_caller]
    pub fn system(&self, name: &str) -> &System {
        self.systems.get(name).unwrap_or_else(|| panic!("no stand-in of {name} was started"))
    }

    /// The names of the systems that have a stand-in here.
    pub fn has(&self, name: &str) -> bool {
        self.systems.contains_key(name)
    }

    /// What a stand-in holds.
    #[track_caller]
    pub fn books(&self, name: &str) -> Value {
        self.system(name).books()
    }

    /// The record of the latest run.
    #[track_caller]
    pub fn last_run(&self) -> Value {
        self.towpath("runs show last --format json").run().ended(0).json_lines().remove(0)
    }
}
