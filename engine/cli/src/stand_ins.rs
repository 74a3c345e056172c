//! Local stand-ins in the place of the systems a pipeline talks to (`run --sandbox`).
//!
//! What they were left with is kept beside the state, so that a second run meets the same systems.

use crate::args::SeedArgs;
use crate::failure::Failure;
use crate::world::Overrides;
use std::path::{Path, PathBuf};
use towpath_connector::Error;
use towpath_plan::Plan;
use towpath_run::StandIn;
use towpath_sandbox::{Options, Seed, System};
use towpath_state::private;

/// Stand-ins that run as long as this lives.
pub struct StandIns {
    systems: Vec<System>,
    folder: PathBuf,
    world: String,
}

/// The seed for stand-ins of a size.
pub fn seed(args: &SeedArgs) -> Seed {
    Seed { people: args.sandbox_people, records: args.sandbox_records, ..Seed::default() }
}

/// What stand-ins of a size are told apart by: each size is a world of its own.
pub fn world(args: &SeedArgs) -> String {
    format!("{}-people-{}-records", args.sandbox_people, args.sandbox_records)
}

impl StandIns {
    /// Starts them where they are wanted, below the folder of the state.
    pub async fn if_wanted(
        wanted: bool,
        plan: &Plan,
        args: &SeedArgs,
        state: &Path,
    ) -> Result<(Option<Self>, Overrides), Failure> {
        if !wanted {
            return Ok((None, Overrides::new()));
        }
        let (stand_ins, overrides) = Self::start(plan, args, &state.join("sandbox")).await?;
        Ok((Some(stand_ins), overrides))
    }

    /// Starts a stand-in for each system among a plan's connections; `folder` keeps what they are left with.
    async fn start(plan: &Plan, args: &SeedArgs, folder: &Path) -> Result<(Self, Overrides), Failure> {
        let mut overrides = Overrides::new();
        let mut stand_ins = Self { systems: Vec::new(), folder: folder.to_owned(), world: world(args) };
        for connection in &plan.connections {
            let Some(name) = towpath_sandbox::names().iter().find(|name| **name == connection.connector) else {
                continue;
            };
            if !stand_ins.systems.iter().any(|system| system.name() == *name) {
                let options = Options { seed: seed(args), restore: stand_ins.kept(name)?, ..Options::default() };
                let system = towpath_sandbox::start(name, options).await.map_err(|error| {
                    Failure::World(Error::user(error.to_string()).at(stand_ins.file(name).display()))
                })?;
                tracing::info!(system = system.name(), url = system.url(), "stand-in started");
                stand_ins.systems.push(system);
            }
            if let Some(system) = stand_ins.systems.iter().find(|system| system.name() == *name) {
                overrides.insert(connection.name.clone(), StandIn::new(&stand_ins.world, system.settings()));
            }
        }
        if stand_ins.systems.is_empty() {
            let known: Vec<_> = towpath_sandbox::names().iter().map(|name| format!("`{name}`")).collect();
            return Err(Failure::usage(
                format!("pipeline `{}` talks to no system that has a stand-in", plan.pipeline),
                format!("there are stand-ins of {}", known.join(", ")),
            ));
        }
        Ok((stand_ins, overrides))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}-{}.json", self.world))
    }

    fn kept(&self, name: &str) -> Result<Option<serde_json::Value>, Failure> {
        let file = self.file(name);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from(error).at(file.display()).into()),
        };
        let kept = serde_json::from_str(&text);
        kept.map(Some).map_err(|error| {
            Failure::World(Error::user(format!("{}: {error}", file.display())).help("delete that file to start afresh"))
        })
    }

    /// Stops them without a trace.
    pub async fn forget(self) {
        for system in self.systems {
            system.stop().await;
        }
    }

    /// Keeps what the stand-ins hold and stops them.
    pub async fn stop(self) -> Result<(), Failure> {
        private::folder(&self.folder).map_err(|error| Error::from(error).at(self.folder.display()))?;
        for system in &self.systems {
            let file = self.file(system.name());
            let new = file.with_extension("new");
            private::write(&new, system.save().to_string())
                .and_then(|()| std::fs::rename(&new, &file))
                .map_err(|error| Error::from(error).at(file.display()))?;
        }
        self.forget().await;
        Ok(())
    }
}
