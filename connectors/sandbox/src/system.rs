//! Starting, asking and stopping a stand-in.

use std::{fmt, io, net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{Router, middleware};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    ENABLEY, HEALTHIER_BUSINESS, ONE_FILE, PEOPLE_FLUENT, admin,
    books::RequestBook,
    enabley,
    faults::{FaultError, FaultSwitch, Faults},
    gate::{self, Gate},
    healthier_business,
    human_focus::{self, AbsentUser},
    names, one_file, people_fluent,
    saved::{self, RestoreProblem},
    seed::Seed,
    server::{CuttableListener, Line},
};

/// How long a stop waits for requests under way before it leaves them.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// How a stand-in is started. The default: a small world, no faults, any free port.
#[derive(Debug, Clone)]
pub struct Options {
    /// The invented world; give both stand-ins the same.
    pub seed: Seed,
    /// Faults from the first request on.
    pub faults: Faults,
    /// The port on 127.0.0.1; none: any that is free.
    pub port: Option<u16>,
    /// How long a token lives; Human Focus tells it in whole seconds, Enabley in milliseconds.
    pub token_lifetime: Duration,
    /// What Human Focus's `GetUserID` answers for a person it does not know; the vendor does not say.
    pub absent_user: AbsentUser,
    /// Most rows Human Focus gives on one page, whatever `PageSize` asks for; of Enabley at most 10.
    pub page_cap: usize,
    /// Requests a minute that version 2 of Healthier Business takes, before it answers 429; none: as many as come.
    /// The vendor documents 60 for its sibling systems.
    pub most_a_minute: Option<u32>,
    /// What [`System::save`] gave; none: the world is as the seed invents it. Must be of the same system and an
    /// equal [`seed`](Self::seed); the other options may differ.
    pub restore: Option<Value>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: Seed::default(),
            faults: Faults::none(),
            port: None,
            token_lifetime: Duration::from_secs(86_399),
            absent_user: AbsentUser::default(),
            page_cap: 100,
            most_a_minute: None,
            restore: None,
        }
    }
}

/// Why a stand-in did not start.
#[derive(Debug)]
pub enum Error {
    /// There is no stand-in of that name.
    UnknownSystem(String),
    /// The port could not be taken.
    Bind {
        /// The port asked for; none: any.
        port: Option<u16>,
        /// What the operating system said.
        source: io::Error,
    },
    /// The stand-in cannot do one of the faults.
    Faults(FaultError),
    /// What was saved cannot be gone on from.
    Restore {
        /// The system that was to start.
        system: &'static str,
        /// What is wrong with it, and what to do.
        problem: RestoreProblem,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSystem(name) => {
                write!(f, "there is no stand-in for `{name}`; there are {}", names().join(" and "))
            }
            Self::Bind { port: Some(port), source } => write!(f, "cannot listen on 127.0.0.1:{port}: {source}"),
            Self::Bind { port: None, source } => write!(f, "cannot listen on 127.0.0.1: {source}"),
            Self::Faults(error) => error.fmt(f),
            Self::Restore { system, problem } => {
                write!(f, "the stand-in for `{system}` cannot go on from what was saved: {problem}")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::UnknownSystem(_) | Self::Restore { .. } => None,
            Self::Bind { source, .. } => Some(source),
            Self::Faults(error) => Some(error),
        }
    }
}

/// What the gate and the admin surface need of a stand-in.
pub(crate) trait StandIn: Send + Sync + 'static {
    fn name(&self) -> &'static str;
    /// The path under which it lives and the connection settings beside the address.
    fn base_path(&self) -> &'static str;
    fn settings(&self) -> Vec<(&'static str, &'static str)>;
    /// The operation a path belongs to; `unknown` when there is none.
    fn operation(&self, path: &str) -> &'static str;
    /// The same for systems where the method counts as well.
    fn operation_of(&self, _method: &str, path: &str) -> &'static str {
        self.operation(path)
    }
    fn seed(&self) -> &Seed;
    /// All that is held now.
    fn books(&self) -> Value;
    /// All that the next start needs beside the seed, as its constructor takes it.
    fn save(&self) -> Value;
    /// Back to what the seed invents.
    fn reset(&self);
    /// False: there are no tokens.
    fn revoke_tokens(&self) -> bool {
        false
    }
    /// False: there is no history.
    fn add_records(&self, _count: u64) -> bool {
        false
    }
}

/// A running stand-in. It stops when dropped, or in order with [`stop`](Self::stop).
pub struct System {
    gate: Arc<Gate>,
    port: u16,
    halt: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

/// Starts the stand-in of that name (see [`names`]) on 127.0.0.1.
///
/// # Errors
/// An unknown name, a port that is taken, a fault this system cannot have, a saved state that does not fit.
pub async fn start(name: &str, mut options: Options) -> Result<System, Error> {
    let system = *names().iter().find(|known| **known == name).ok_or_else(|| Error::UnknownSystem(name.to_owned()))?;
    let faults = FaultSwitch::new(system, options.faults.clone()).map_err(Error::Faults)?;
    let unfit = |problem| Error::Restore { system, problem };
    let saved = options.restore.take();
    let state = saved.map(|saved| saved::unlabelled(system, &options.seed, saved)).transpose().map_err(unfit)?;
    let port = options.port;
    let bind = |source| Error::Bind { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await.map_err(bind)?;
    let port = listener.local_addr().map_err(bind)?.port();
    let (stand_in, routes): (Arc<dyn StandIn>, Router) = match system {
        PEOPLE_FLUENT => people_fluent::stand_in(&options, state, port),
        ONE_FILE => one_file::stand_in(&options, state, faults.clone()),
        HEALTHIER_BUSINESS => healthier_business::stand_in(&options, state, faults.clone(), port),
        ENABLEY => enabley::stand_in(&options, state, faults.clone(), port),
        _ => human_focus::stand_in(&options, state, faults.clone()),
    }
    .map_err(unfit)?;
    let gate = Arc::new(Gate { stand_in, requests: RequestBook::new(), faults });
    let routes = routes
        .layer(middleware::from_fn_with_state(Arc::clone(&gate), gate::pass))
        .merge(admin::routes(Arc::clone(&gate)));

    let (halt, halted) = oneshot::channel();
    let serving = tokio::spawn(async move {
        let service = routes.into_make_service_with_connect_info::<Line>();
        let serve = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async move {
            // An error means that the system was dropped: a stop as well.
            let _ = halted.await;
        });
        if let Err(error) = serve.await {
            tracing::error!(%error, "the stand-in stopped serving");
        }
    });
    tracing::debug!(system, port, "stand-in started");
    Ok(System { gate, port, halt: Some(halt), serving })
}

impl System {
    /// The name it was started under.
    pub fn name(&self) -> &str {
        self.gate.stand_in.name()
    }

    /// The address a connection's `base_url` takes.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin(), self.gate.stand_in.base_path())
    }

    /// The address without a path, to which `/sandbox/…` is added.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The connection settings that point a connection here, `base_url` first.
    pub fn settings(&self) -> Vec<(String, String)> {
        let others = self.gate.stand_in.settings().into_iter();
        std::iter::once(("base_url".to_owned(), self.url()))
            .chain(others.map(|(key, value)| (key.to_owned(), value.to_owned())))
            .collect()
    }

    /// The switch of its faults.
    pub fn faults(&self) -> FaultSwitch {
        self.gate.faults.clone()
    }

    /// All that the system now holds, and under `requests` what was asked of it.
    pub fn books(&self) -> Value {
        self.gate.books()
    }

    /// All that was created or changed since the seed, for [`Options::restore`] of a later start: users, groups,
    /// providers, trainings, uploads, files, and where their ids stopped; of PeopleFluent, how many records were
    /// added. With it go a format version, the system's name and the seed. Tokens, faults, counts of traffic and
    /// the log of requests are left out, so no secret is in it.
    ///
    /// A moment's state, taken between two operations: what is asked for after that is not in it. Other
    /// requests wait meanwhile: a fraction of a second for 100,000 uploads, which make about 6 MB of text.
    pub fn save(&self) -> Value {
        saved::labelled(&*self.gate.stand_in)
    }

    /// Refuses every token issued so far. False when this system has no tokens.
    pub fn revoke_tokens(&self) -> bool {
        self.gate.stand_in.revoke_tokens()
    }

    /// Adds records to the history, updated later than all before. False when this system has no history.
    pub fn add_records(&self, count: u64) -> bool {
        self.gate.stand_in.add_records(count)
    }

    /// Stops listening, lets requests under way end for half a second, then leaves them.
    pub async fn stop(mut self) {
        if let Some(halt) = self.halt.take() {
            let _ = halt.send(());
        }
        if tokio::time::timeout(STOP_PATIENCE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}
