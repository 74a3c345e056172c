//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Moves data between systems from YAML: SaaS APIs, files, databases.
#[derive(Debug, Parser)]
#[command(name = "towpath", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What most commands take.
    #[command(flatten)]
    pub shared: Shared,
}

/// Flags most commands take.
#[derive(Debug, Clone, Args)]
pub struct Shared {
    /// The environment of towpath.yaml to use
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// A parameter's value
    #[arg(long = "param", global = true, value_name = "K=V", value_parser = pair)]
    pub params: Vec<(String, String)>,
    /// The folder in which state is kept [default: .towpath beside the project]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<String>,
    /// A file with secrets, one NAME=VALUE a line; variables of the environment serve as well
    #[arg(long, global = true, value_name = "FILE")]
    pub secrets: Option<PathBuf>,
    /// How findings are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Says more; twice: every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Says only what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Without colours (NO_COLOR does the same)
    #[arg(long, global = true)]
    pub no_color: bool,
    /// The time `now()` gives, e.g. 2026-01-31T12:00:00Z
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub now: Option<chrono::DateTime<chrono::Utc>>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON object for each finding or row.
    Json,
    /// Annotations of GitHub's CI.
    Github,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a working project: pipeline and data
    Init(InitArgs),
    /// Checks files; no network, secrets or environment needed
    Validate(ValidateArgs),
    /// Checks credentials and reachability of a pipeline's connections; writes nothing
    Check(PipelineArgs),
    /// Runs pipelines
    Run(RunArgs),
    /// Shows what a run would do, and writes nothing
    Plan(PlanArgs),
    /// Shows rows of one node
    Preview(PreviewArgs),
    /// Draws a pipeline
    Graph(GraphArgs),
    /// Lists connectors, or shows one
    Connectors(ConnectorsArgs),
    /// Starts local stand-ins of SaaS systems
    Sandbox(SandboxArgs),
    /// Lists runs, or shows one
    Runs(RunsArgs),
    /// Lists rejects, shows one, or sends them again once their cause is mended
    Rejects(RejectsArgs),
    /// Lists, shows and changes what is remembered between runs: cursors, journal, held records
    State(StateArgs),
    /// Says what an error code means and how to mend it
    Explain(ExplainArgs),
    /// Writes a completion script for a shell
    Completions(CompletionsArgs),
    /// Writes the generated pages of docs/reference
    #[command(hide = true)]
    Reference(ReferenceArgs),
}

/// `towpath init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder, made if it is not there
    #[arg(default_value = ".")]
    pub dir: PathBuf,
}

/// `towpath validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Files or folders [default: the project, or the working directory]
    pub paths: Vec<PathBuf>,
    /// Prints the columns of a node
    #[arg(long, value_name = "NODE")]
    pub schema: Option<String>,
    /// Says for each field whether it is compiled or interpreted, and why
    #[arg(long)]
    pub explain: bool,
}

/// A pipeline.
#[derive(Debug, Args)]
pub struct PipelineArgs {
    /// The pipeline file
    pub pipeline: PathBuf,
}

/// `towpath run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Pipeline files, run one after the other
    #[arg(required = true)]
    pub pipelines: Vec<PathBuf>,
    /// Points the connections at local stand-ins
    #[arg(long)]
    pub sandbox: bool,
    /// Reads everything, whatever the cursors say
    #[arg(long)]
    pub full_refresh: bool,
    /// Reads at most so many rows of each source, and keeps no cursor
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Says first for each field whether it is compiled or interpreted, and why
    #[arg(long)]
    pub explain: bool,
    /// Goes on with what that run read; a run that died, was stopped or failed in passing is gone on with unasked
    #[arg(long, value_name = "RUN", conflicts_with_all = ["full_refresh", "limit"])]
    pub resume: Option<String>,
    /// Carries out a plan that `towpath plan --out` wrote, and sends nothing else; refuses where something has changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["full_refresh", "limit", "resume"])]
    pub plan: Option<PathBuf>,
    /// Keeps the staged data of the run
    #[arg(long)]
    pub keep_stage: bool,
    /// Seconds a request may take without a byte coming back, whatever connections say [default: theirs, else 60]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Names of the records the stand-ins are filled with
    #[command(flatten)]
    pub seed: SeedArgs,
}

/// What the stand-ins are filled with.
#[derive(Debug, Clone, Args)]
pub struct SeedArgs {
    /// People in the stand-ins
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub sandbox_people: usize,
    /// Training records in the stand-ins
    #[arg(long, value_name = "N", default_value_t = 120)]
    pub sandbox_records: usize,
}

/// `towpath plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The pipeline file
    pub pipeline: PathBuf,
    /// Writes the plan into this file as well, as JSON; `towpath run --plan FILE` carries it out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Says first for each field whether it is compiled or interpreted, and why
    #[arg(long)]
    pub explain: bool,
    /// Ends with exit code 4 when a run would change something
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Points the connections at local stand-ins
    #[arg(long)]
    pub sandbox: bool,
    /// Reads at most so many rows of each source
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Names of the records the stand-ins are filled with
    #[command(flatten)]
    pub seed: SeedArgs,
}

/// `towpath preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The pipeline file
    pub pipeline: PathBuf,
    /// The node
    pub node: String,
    /// How many rows
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
    /// Says first for each field whether it is compiled or interpreted, and why
    #[arg(long)]
    pub explain: bool,
    /// Reads at most so many rows of each source
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub sample: u64,
    /// Points the connections at local stand-ins
    #[arg(long)]
    pub sandbox: bool,
}

/// `towpath graph`.
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The pipeline file
    pub pipeline: PathBuf,
    /// The language of the drawing
    #[arg(long = "as", value_enum, default_value_t = GraphFormat::Mermaid)]
    pub language: GraphFormat,
}

/// Languages of drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Markdown.
    Mermaid,
    /// For Graphviz.
    Dot,
}

/// `towpath connectors`.
#[derive(Debug, Args)]
pub struct ConnectorsArgs {
    /// What to do; lists them when nothing is said
    #[command(subcommand)]
    pub command: Option<ConnectorsCommand>,
}

/// `towpath connectors …`.
#[derive(Debug, Subcommand)]
pub enum ConnectorsCommand {
    /// Lists all connectors
    List,
    /// Shows a connector, or one of its streams or operations
    Show {
        /// The connector
        name: String,
        /// A stream or an operation of it
        item: Option<String>,
    },
    /// Runs the tests that definitions carry; no network beyond this machine
    Test {
        /// Connectors or files of definitions [default: all of the project]
        names: Vec<String>,
    },
    /// Writes a first definition from an OpenAPI 3 or Swagger 2 document
    New {
        /// The connector's name
        name: String,
        /// The document, in JSON or YAML
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Where to write it [default: connectors/NAME.yaml of the project]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `towpath sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Which systems [default: all]
    pub names: Vec<String>,
    /// What they are filled with
    #[command(flatten)]
    pub seed: SeedArgs,
    /// The port of the first system; those after it take the next ones [default: any free port]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// What goes wrong, e.g. `503:every=7,cut:when=after:op=AddUser`; docs/guide/sandbox.md has all of it
    #[arg(long, value_name = "FAULTS", default_value = "")]
    pub faults: String,
    /// How long a token lives [default: a day]
    #[arg(long, value_name = "SECONDS")]
    pub token_lifetime: Option<u64>,
    /// Requests a minute that version 2 of Healthier Business takes before it answers 429; the vendor's own limit is 60
    /// [default: as many as come]
    #[arg(long, value_name = "N")]
    pub most_a_minute: Option<u32>,
}

/// `towpath runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// What to do; lists them when nothing is said
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// `towpath runs …`.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Lists runs, the latest first
    List {
        /// Only those of this pipeline
        #[arg(long)]
        pipeline: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Shows a run
    Show {
        /// The run; the beginning of its name will do; `last` is the latest
        run: String,
    },
}

/// A reject is a row that did not reach its sinks, with the reason.
///
/// Look at its whole row with `rejects show ID`, mend the cause (the mapping, or the data), then send the rows on their way
/// with `rejects replay RUN`.
#[derive(Debug, Args)]
pub struct RejectsArgs {
    /// What to do; lists the open ones when nothing is said
    #[command(subcommand)]
    pub command: Option<RejectsCommand>,
}

/// `towpath rejects …`.
#[derive(Debug, Subcommand)]
pub enum RejectsCommand {
    /// Lists rejects: those that are open, of all runs
    List {
        /// Only those of this run; the beginning of its name will do; `last` is the latest
        run: Option<String>,
        /// Only those of this pipeline, by its name
        #[arg(long, value_name = "NAME")]
        pipeline: Option<String>,
        /// Only those of this node
        #[arg(long)]
        node: Option<String>,
        /// Those that are closed as well
        #[arg(long)]
        all: bool,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Shows a reject with its whole row
    Show {
        /// Its number
        id: i64,
    },
    /// Sends the open rejects of a run again, from the step that rejected them to the sinks
    ///
    /// A replay that ends well closes them; what fails again is a reject of the replay. Rows that cannot go in where they were
    /// rejected are named with the reason and stay open.
    Replay(ReplayArgs),
}

/// `towpath rejects replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run that rejected them; the beginning of its name will do; `last` is the latest
    #[arg(required_unless_present = "pipeline")]
    pub run: Option<String>,
    /// The pipeline's file, if it has moved; without a run, those of all its runs are replayed, the oldest first
    #[arg(long, value_name = "FILE")]
    pub pipeline: Option<PathBuf>,
    /// Only those of this node
    #[arg(long)]
    pub node: Option<String>,
    /// Points the connections at local stand-ins
    #[arg(long)]
    pub sandbox: bool,
    /// Seconds a request may take without a byte coming back, whatever connections say [default: theirs, else 60]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Names of the records the stand-ins are filled with
    #[command(flatten)]
    pub seed: SeedArgs,
}

/// `towpath state`. A pipeline is said by its name; its environment with `--env`.
#[derive(Debug, Args)]
pub struct StateArgs {
    /// What to do; lists the pipelines when nothing is said
    #[command(subcommand)]
    pub command: Option<StateCommand>,
}

/// `towpath state …`.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Lists pipelines and environments with what is kept of each
    List,
    /// Shows the cursors of a pipeline, and what the journal has of each sink
    Show {
        /// The pipeline's name, or its file
        pipeline: String,
    },
    /// Sets the cursor of a source
    Set {
        /// The pipeline's name, or its file
        pipeline: String,
        /// The source
        node: String,
        /// The cursor, in JSON as `state show` has it; what is no JSON is text
        value: String,
    },
    /// Forgets cursors, so that everything is read again, or a sink's journal, so that everything is sent again
    Clear {
        /// The pipeline's name, or its file
        pipeline: String,
        /// Only the cursor of this source [default: all cursors]
        #[arg(long, value_name = "SOURCE", conflicts_with = "journal")]
        node: Option<String>,
        /// The journal of this sink, and no cursor
        #[arg(long, value_name = "SINK")]
        journal: Option<String>,
        /// Does it; otherwise it only says what would be forgotten
        #[arg(long)]
        yes: bool,
    },
    /// Lists records that are held, as nobody knows whether they arrived
    Held {
        /// The pipeline's name, or its file
        pipeline: String,
        /// Only those of this sink
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
    /// Says of held records, after a look at the other system, whether they arrived
    Settle {
        /// The pipeline's name, or its file
        pipeline: String,
        /// The sink that holds them
        #[arg(long, value_name = "NAME")]
        sink: String,
        /// A record: its id or its key as `state held` has it; may be given several times
        #[arg(long = "key", value_name = "KEY", required_unless_present = "all")]
        keys: Vec<String>,
        /// All that this sink holds
        #[arg(long, conflicts_with = "keys")]
        all: bool,
        /// What is so: `delivered` is never sent again, `not-delivered` is sent by the next run
        #[arg(long = "as", value_enum)]
        verdict: VerdictArg,
    },
    /// Writes everything as JSON lines to stdout, or to a file
    Export {
        /// The file; it must not be there yet
        file: Option<PathBuf>,
    },
    /// Takes in what `state export` wrote
    Import {
        /// The file
        file: PathBuf,
        /// Takes the place of what there is, which is gone
        #[arg(long)]
        replace: bool,
    },
}

/// Whether a record arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerdictArg {
    /// It is there.
    Delivered,
    /// It is not there.
    NotDelivered,
}

/// `towpath explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, as it stands in brackets in a message; all of them when none is given
    pub code: Option<String>,
}

/// `towpath completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `towpath reference`.
#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// The folder to write to
    #[arg(default_value = "docs/reference")]
    pub dir: PathBuf,
    /// Writes nothing; fails if what is there differs
    #[arg(long)]
    pub check: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

fn time(text: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| "expected a time such as 2026-01-31T12:00:00Z".into())
}
