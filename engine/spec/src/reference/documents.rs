//! The mappings of pipeline and project files.

use super::Need::{Default, OneOf, Optional, Required};
use super::{Example, Mapping, key};

/// The pipeline file and what is in it.
pub(super) const PIPELINE: &[Mapping] = &[
    Mapping {
        title: "Pipeline file",
        reader: "a pipeline",
        doc: "One file, one pipeline. Sources, transforms and sinks are its nodes; their names are unique in the file, \
              `input:` names the node another one reads, and the order in the file means nothing. Names start with a \
              letter and hold letters, digits, `_` and `-`.",
        entries: &[
            key("version", "`1`", Required, "The version of the language."),
            key(
                "pipeline",
                "name",
                Required,
                "The pipeline's name. State is kept under it and the environment's: another name starts afresh.",
            ),
            key("description", "text", Optional, "What it is for, in a sentence."),
            key(
                "params",
                "names to [params](#param)",
                Optional,
                "Values that differ from run to run: `{{ params.NAME }}`.",
            ),
            key(
                "connections",
                "names to [connections](#connection)",
                Optional,
                "Systems it talks to. One with the name of a project's connection takes its place.",
            ),
            key("sources", "names to [sources](#source)", Required, "What comes in. `{}` when there is none."),
            key("transforms", "names to [transforms](#transform)", Optional, "What is done to it."),
            key("sinks", "names to [sinks](#sink)", Optional, "Where it goes. Only what a sink needs is run."),
            key("limits", "[limits](#limits)", Optional, "Limits of a run."),
            key("tests", "any", Optional, "Kept for the pipeline's own tests. This version reads over it."),
        ],
        others: None,
        later: &[],
        example: Example::Pipeline(
            r#"version: 1
pipeline: paid-orders
description: Paid orders, cleaned, as Parquet.
params:
  country: {type: text, default: GB}
sources:
  orders: {connector: csv, path: "in/orders-*.csv"}
transforms:
  paid:
    input: orders
    steps:
      - filter: status == 'paid' and country == params.country
      - set: {email: "{{ email | trim | lower }}"}
sinks:
  out: {input: paid, connector: parquet, path: out/paid.parquet}
  bad: {input: paid.rejects, connector: csv, path: out/rejects.csv}
limits: {retries: 3}
"#,
        ),
    },
    Mapping {
        title: "Param",
        reader: "the parameter",
        doc: "`name: value` is short for `name: {default: value}`; the type is then the value's own. A value given with \
              `--param NAME=VALUE` comes before the environment's, and that before the default. One without any value is \
              valid and cannot be run.",
        entries: &[
            key(
                "type",
                "[type](#types)",
                Default("that of `default`, else `text`"),
                "Its type. Values from the command line are converted to it.",
            ),
            key(
                "default",
                "a value of the type",
                Optional,
                "Its value when none is given. Dates, decimals and durations are written as text.",
            ),
            key("description", "text", Optional, "What it is for."),
        ],
        others: None,
        later: &[],
        example: Example::InPipeline(
            r#"params:
  organisation: {type: text, description: whose training is read}
  since: {type: date, default: "2026-01-01"}
  page_size: 100
"#,
        ),
    },
    Mapping {
        title: "Connection",
        reader: "the connection",
        doc: "A connector with its settings, under a name that sources, lookups and sinks use. Settings are templates over \
              `env`, `secret`, `params`, `run` and `state`, filled in when a run starts; `validate` needs none of \
              them.",
        entries: &[key(
            "connector",
            "name",
            Required,
            "The connector. `towpath connectors list` names all. In an environment it may be left out.",
        )],
        others: Some("the settings of the connector: `towpath connectors show NAME`"),
        later: &[],
        example: Example::InPipeline(
            r#"connections:
  hf:
    connector: human-focus
    base_url: "{{ env.HUMAN_FOCUS_URL }}"
    organisation: "{{ params.organisation }}"
    username: "{{ env.HUMAN_FOCUS_USER }}"
    password: "{{ secret.HUMAN_FOCUS_PASSWORD }}"
params: {organisation: acme}
"#,
        ),
    },
    Mapping {
        title: "Source",
        reader: "the source",
        doc: "A node that brings data in. It names a connection, or writes a connector in place, with the settings of both \
              the connection and the source beside it.",
        entries: &[
            key("connection", "name", OneOf, "One of `connections`. Either this or `connector`."),
            key("connector", "name", OneOf, "A connector written in place."),
            key("stream", "name", Optional, "Which stream, for connectors that have several: there it is required."),
            key("with", "names to values", Optional, "Parameters of the stream: templates as in connections."),
            key(
                "incremental",
                "`true`, `false` or [incremental](#incremental)",
                Default("`false`"),
                "Reads only what is new since the last run that went well. For streams with a cursor.",
            ),
            key(
                "columns",
                "names to [types](#types)",
                Optional,
                "Columns and types, where the connector does not know them or should read them otherwise.",
            ),
        ],
        others: Some("settings of the connector's sources, e.g. `path` and `delimiter` of `csv`"),
        later: &[],
        example: Example::InPipeline(
            r#"connections:
  lms: {connector: peoplefluent, base_url: "{{ env.PEOPLEFLUENT_URL }}", system_key: "{{ secret.PEOPLEFLUENT_KEY }}"}
sources:
  history:
    connection: lms
    stream: trainingHistoryXml
    with: {organizationId: acme}
    incremental: true
  people:
    connector: csv
    path: in/people.csv
    columns: {id: text, joined: date, hours: "decimal(6,2)"}
"#,
        ),
    },
    Mapping {
        title: "Incremental",
        reader: "`incremental`",
        doc: "`true` takes all of it as the stream declares it. The cursor moves only after everything that the run \
              delivers is delivered; `--full-refresh` reads everything, `--limit` moves no cursor.",
        entries: &[
            key(
                "cursor",
                "name",
                Default("the stream's own"),
                "The cursor field. This version always uses the stream's own.",
            ),
            key(
                "lookback",
                "[duration](#quantities)",
                Default("the stream's own"),
                "How far before the last cursor to read again, for records that arrive late. What was delivered before is not sent again.",
            ),
            key("start", "value or template", Default("everything"), "Where the first run starts."),
        ],
        others: None,
        later: &[],
        example: Example::InPipeline(
            r#"sources:
  history:
    connection: lms
    stream: trainingHistoryXml
    incremental: {lookback: P1D, start: "2026-01-01"}
"#,
        ),
    },
    Mapping {
        title: "Transform",
        reader: "the transform",
        doc: "A node that changes data, [step](#steps) by step. `NAME.rejects` is its second output: see [Outputs](#outputs).",
        entries: &[
            key("input", "node", Required, "The node it reads: `orders`, or another output of it, `orders.rejects`."),
            key(
                "steps",
                "list of [steps](#steps)",
                Required,
                "What is done, in this order. Each item has exactly one step.",
            ),
        ],
        others: None,
        later: &[],
        example: Example::InPipeline(
            r#"transforms:
  adults:
    input: people
    steps:
      - filter: age >= 18
      - drop: [internal_*]
"#,
        ),
    },
    Mapping {
        title: "Sort key",
        reader: "a sort key",
        doc: "A column to sort by, in `sort` and wherever there is an `order_by`. `name` is short for `{column: name}`, `-name` for \
              `{column: name, descending: true}`.",
        entries: &[
            key("column", "column", Required, "The column."),
            key("descending", "`true` or `false`", Default("`false`"), "Largest first."),
            key("nulls", "`first` or `last`", Default("`last`"), "Where null goes, whatever the direction."),
        ],
        others: None,
        later: &[],
        example: Example::InPipeline(
            r#"transforms:
  latest:
    input: orders
    steps:
      - sort: [customer, {column: paid_on, descending: true, nulls: first}]
"#,
        ),
    },
    Mapping {
        title: "Asof",
        reader: "`asof`",
        doc: "What is near, for a [join](#join) with `how: asof`. Of the rows of the other node that are equal in `on`, the \
              nearest is taken; of several at the same place the last one, and with `forward` the first one. Rows with null in \
              `at` or `on` match nothing. The other node's column of `at` is kept, with the suffix when its name is taken, so \
              that one sees how near it was.",
        entries: &[
            key(
                "at",
                "column, or column here and column there: `[day, valid_from]`",
                Required,
                "What is compared: dates, times, durations or numbers, of the same type. The rows need not be sorted.",
            ),
            key(
                "direction",
                "`backward`, `forward` or `nearest`",
                Default("`backward`"),
                "The last row that is not later, the first that is not earlier, or the nearer of the two; the earlier one if both are as near.",
            ),
            key(
                "tolerance",
                "[duration](#quantities), or a number for columns of numbers",
                Default("any distance"),
                "How far away it may be at most.",
            ),
        ],
        others: None,
        later: &[],
        example: Example::InPipeline(
            r#"transforms:
  priced:
    input: trades
    steps:
      - join:
          with: quotes
          on: symbol
          how: asof
          asof: {at: [traded_at, quoted_at], direction: backward, tolerance: PT5M}
"#,
        ),
    },
    Mapping {
        title: "Sink",
        reader: "the sink",
        doc: "A node that takes data out: into files, into a table of a database, or record by record into an operation of \
              a SaaS system. Files appear under their name only when all is written; a table takes all rows of a run \
              or none of them. A record is journalled before it is sent and after it is \
              answered; the same key with the same content is not sent a second time.",
        entries: &[
            key("input", "node", Required, "The node it reads, or another output of it."),
            key("connection", "name", OneOf, "One of `connections`. Either this or `connector`."),
            key("connector", "name", OneOf, "A connector written in place."),
            key(
                "operation",
                "name",
                Optional,
                "Which operation; required for SaaS systems. `towpath connectors show NAME` lists them.",
            ),
            key(
                "key",
                "column, or a list of them",
                Default("the whole record"),
                "What names a record, so that the journal knows it again; of a table, the columns by which `mode: merge` finds a row. For operations and tables.",
            ),
            key(
                "record",
                "mapping with templates",
                Default("the columns named as the operation's fields"),
                "What is sent: the operation's fields, nested as they are there, with templates over the row. For operations.",
            ),
            key(
                "concurrency",
                "1 to 1024",
                Default("8"),
                "Requests at a time. For operations; the connector's own limit holds beside it.",
            ),
            key("rate", "[rate](#quantities)", Optional, "Requests in a time, over this sink."),
            key(
                "on_error",
                "`reject` or `fail`",
                Default("`reject`"),
                "What a record that the system refuses becomes: a reject, with the system's message, or the end of the run. For operations.",
            ),
            key(
                "max_rejects",
                "number, or share such as `1%`",
                Default("no limit"),
                "Above it the run ends with exit code 3. Counts the rejects of the sink and of every node that leads to it.",
            ),
        ],
        others: Some(
            "settings of the connector's sinks, e.g. `path` and `compression` of `parquet`, `table` and `mode` of `sqlite`",
        ),
        later: &[
            key(
                "on_unknown",
                "`hold`, `verify` or `resend`",
                Default("`verify` where the operation's definition says how, else `hold`"),
                "What the next run does with a record that was sent and never answered: hold and report it, look whether it is there and send it when it is not, or send it again. Where the operation is idempotent it is sent again in any case. For operations.",
            ),
            key(
                "ignore_changes",
                "field, or list of them",
                Optional,
                "Fields of the record that do not make it a changed one: what differs in nothing else from what was delivered is not sent again. For values that are new each time, such as a signed link. For operations.",
            ),
            key(
                "batch",
                "number",
                Default("as many as the operation takes"),
                "Records in one call, for operations that take several; a smaller number than the operation's own puts fewer in doubt when a call is lost.",
            ),
        ],
        example: Example::InPipeline(
            r#"sinks:
  upload:
    input: completed
    connection: hf
    operation: UploadExternalTraining
    key: [person, title, completed_at]
    record:
      UserID: "{{ user_id }}"
      TrainingTitle: "{{ title }}"
      CompletionDate: "{{ completed_at | format_datetime('%Y-%m-%dT%H:%M:%S.000Z') }}"
    concurrency: 4
    rate: 10/s
    on_error: reject
    on_unknown: hold
    max_rejects: 1%
"#,
        ),
    },
    Mapping {
        title: "Limits",
        reader: "`limits`",
        doc: "",
        entries: &[
            key(
                "retries",
                "0 to 1000",
                Default("5"),
                "Times one request is tried again for a passing reason, with growing waits; a wait the other system asks for (`Retry-After`) is kept.",
            ),
            key(
                "memory",
                "[size](#quantities)",
                Optional,
                "Memory for steps over many rows: an `aggregate` with `by`, a `distinct`, a `sort` or a `join` by key that would take more is done in parts on disk, with the same result.",
            ),
            key(
                "concurrency",
                "1 to 1024",
                Optional,
                "Sinks that are filled side by side, each with what leads to it; all of them if not set.",
            ),
        ],
        others: None,
        later: &[],
        example: Example::InPipeline("limits: {retries: 8, memory: 2GiB, concurrency: 4}\n"),
    },
];

/// The project file and what is in it.
pub(super) const PROJECT: &[Mapping] = &[
    Mapping {
        title: "Project file",
        reader: "a project",
        doc: "`towpath.yaml` marks a folder as a project: what its pipelines share. It may be left out.",
        entries: &[
            key("version", "`1`", Required, "The version of the language."),
            key("project", "name", Required, "The project's name."),
            key(
                "state",
                "folder",
                Default("`.towpath` beside the file"),
                "Where state is kept. A template over `env`.",
            ),
            key("connections", "names to [connections](#connection)", Optional, "Connections every pipeline may use."),
            key(
                "environments",
                "names to [environments](#environment)",
                Optional,
                "What differs from place to place; chosen with `--env NAME`.",
            ),
            key("params", "names to [params](#param)", Optional, "Parameters every pipeline has."),
        ],
        others: None,
        later: &[],
        example: Example::Project(
            r#"version: 1
project: training
connections:
  hf:
    connector: human-focus
    base_url: "{{ env.HF_URL }}"
    organisation: acme
    username: "{{ env.HF_USER }}"
    password: "{{ secret.HF_PASSWORD }}"
params:
  days: 7
environments:
  production: {}
"#,
        ),
    },
    Mapping {
        title: "Environment",
        reader: "the environment",
        doc: "Laid over project and pipeline. Settings of a connection are laid over those of the connection of that name; \
              another `connector` clears them first. State is kept apart for each environment.",
        entries: &[
            key("state", "folder", Default("the project's"), "State in the place of the project's."),
            key(
                "connections",
                "names to [connections](#connection)",
                Optional,
                "Settings to lay over; `connector` may be left out.",
            ),
            key("params", "names to values", Optional, "Values of parameters."),
        ],
        others: None,
        later: &[],
        example: Example::InProject(
            r#"connections:
  hf:
    connector: human-focus
    base_url: "{{ env.HF_URL }}"
    organisation: acme
    username: "{{ env.HF_USER }}"
    password: "{{ secret.HF_PASSWORD }}"
params:
  days: 7
environments:
  staging:
    connections:
      hf: {organisation: acme-staging}
    params: {days: 1}
"#,
        ),
    },
];
