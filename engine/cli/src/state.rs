//! Where state is kept.

use crate::args::Shared;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use towpath_connector::register_secret;
use towpath_state::{Server, Snapshot, Store};

/// The folder of state, when nothing else is said.
pub const FOLDER: &str = ".towpath";

/// Where state is kept, and where what this machine alone needs is: staged segments, the state of stand-ins.
pub struct Place {
    server: Option<Server>,
    folder: PathBuf,
}

impl Place {
    /// The folder on this machine. It holds the state, too, unless a server does.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens the state, and makes it if it is not there.
    pub fn open(&self) -> Result<Store, Failure> {
        Ok(match &self.server {
            Some(server) => Store::connect(server)?,
            None => Store::open(&self.folder)?,
        })
    }

    /// Opens state for reading; a folder without state is an answer of its own.
    pub fn open_existing(&self) -> Result<Option<Store>, Failure> {
        if self.server.is_none() && !self.folder.join("state.db").is_file() {
            return Ok(None);
        }
        self.open().map(Some)
    }

    /// A private copy in `copy`, a folder that is not there yet. The state itself is not touched.
    pub fn snapshot(&self, copy: &Path) -> Result<Snapshot, Failure> {
        Ok(match &self.server {
            Some(server) => Snapshot::of_server(server, copy)?,
            None => Snapshot::of(&self.folder, copy)?,
        })
    }
}

/// Where state is: `--state`, else what the project says, else `.towpath` beside the project, else in the working directory.
pub fn place(shared: &Shared, project: Option<&str>, project_folder: Option<&Path>) -> Result<Place, Failure> {
    let beside = project_folder.unwrap_or(Path::new(".")).join(FOLDER);
    let written = shared.state.as_deref().map(|state| (state, None)).or(project.map(|state| (state, project_folder)));
    let Some((state, base)) = written else {
        return Ok(Place { server: None, folder: beside });
    };
    if Server::is_address(state) {
        register_secret(state);
        let server = Server::parse(state).map_err(|wrong| {
            Failure::usage(wrong, "write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; special characters as %XX")
        })?;
        server.password().iter().for_each(|password| register_secret(password));
        return Ok(Place { server: Some(server), folder: beside });
    }
    if let Some((scheme, _)) = state.split_once("://") {
        let message = format!("state in `{scheme}` is not available; state is kept in a folder or in PostgreSQL");
        return Err(Failure::usage(message, "write a path, e.g. `--state .towpath`, or `postgres://…`"));
    }
    Ok(Place { server: None, folder: base.unwrap_or(Path::new("")).join(state) })
}
