//! The steps.

use super::Need::{Default, OneOf, Optional, Required, RequiredBut};
use super::{StepEntry, StepKeys, key};

/// All steps, in the order of the language.
pub(super) const STEP_ENTRIES: &[StepEntry] = &[
    StepEntry {
        name: "filter",
        takes: "expression",
        doc: "Keeps the rows for which it is true. Null counts as false.",
        keys: None,
        example: "- filter: status in ['paid', 'sent'] and total > 0\n",
    },
    StepEntry {
        name: "map",
        takes: "columns to templates",
        doc: "Exactly these columns come out, in this order. What is not text is itself a value: `active: true`.",
        keys: None,
        example: "- map:\n    person: \"{{ user_id | trim | lower }}\"\n    joined: \"{{ joined | to_date('%d/%m/%Y', '%Y-%m-%d') }}\"\n    source: import\n",
    },
    StepEntry {
        name: "set",
        takes: "columns to templates",
        doc: "Adds columns, or puts new values into them, and keeps the rest. All templates read the columns as they were \
              before the step.",
        keys: None,
        example: "- set: {name: \"{{ first | trim }} {{ last | upper }}\"}\n",
    },
    StepEntry {
        name: "select",
        takes: "name or glob, or a list of them",
        doc: "Keeps these columns, in this order. `*` stands for any characters, `?` for one.",
        keys: None,
        example: "- select: [id, name, address_*]\n",
    },
    StepEntry {
        name: "drop",
        takes: "name or glob, or a list of them",
        doc: "Leaves these columns out. A glob may match nothing.",
        keys: None,
        example: "- drop: [password, internal_*]\n",
    },
    StepEntry {
        name: "rename",
        takes: "old names to new names",
        doc: "Renames columns, all at once, so that two can swap names.",
        keys: None,
        example: "- rename: {user_id: person, \"Created On\": created}\n",
    },
    StepEntry {
        name: "cast",
        takes: "columns to types",
        doc: "Converts columns. A value that does not fit makes its row a reject; null stays null.",
        keys: None,
        example: "- cast: {amount: \"decimal(10,2)\", day: date, count: int}\n",
    },
    StepEntry {
        name: "join",
        takes: "the keys below",
        doc: "Puts the columns of another node beside those of this one where the columns of `on` are equal. Null equals \
              nothing. The types must be the same. The other node's columns of `on` are left out; its other columns whose \
              names are taken get the suffix. Rows stay in the order of the input; those a full join adds come last. An as-of \
              join keeps every row here and puts the nearest row of the other node beside it, null when there is none: \
              see [asof](#asof).",
        keys: Some(StepKeys {
            reader: "the step `join`",
            entries: &[
                key("with", "node", Required, "The other node, or another output of it."),
                key(
                    "on",
                    "column, list of columns, or columns here to columns there",
                    RequiredBut("with `how: cross`, where it must be left out, and `how: asof`"),
                    "What must be equal.",
                ),
                key(
                    "how",
                    "`left`, `inner`, `full`, `semi`, `anti`, `cross` or `asof`",
                    Default("`left`"),
                    "`left`: every row here, null where nothing matches. `inner`: only matches. `full`: all rows of both. `semi`, `anti`: rows here with, without a match, no new columns. `cross`: every pair. `asof`: every row here, with the nearest row there.",
                ),
                key(
                    "suffix",
                    "text",
                    Default("`_right`"),
                    "Appended to the other node's columns whose names are taken.",
                ),
                key("asof", "[asof](#asof)", Optional, "What is near. Goes with `how: asof`, which needs it."),
                key(
                    "validate",
                    "`1:1`, `m:1`, `1:m` or `m:m`",
                    Default("`m:m`"),
                    "How many rows of each side may have the same key: the input's side first. A key that is there more often than that ends the run, which names it. Keys with null match nothing and are not counted.",
                ),
            ],
        }),
        example: "- join: {with: people, on: {user_id: id}, how: inner, validate: \"m:1\"}\n- join: {with: countries, on: country, suffix: _country}\n- join: {with: rates, on: currency, how: asof, asof: {at: [day, valid_from]}}\n",
    },
    StepEntry {
        name: "union",
        takes: "node, or a list of them",
        doc: "Appends the rows of other nodes, column by name. A column one of them lacks is null there; columns of the \
              same name must have the same type.",
        keys: None,
        example: "- union: [archive, corrections]\n",
    },
    StepEntry {
        name: "aggregate",
        takes: "the keys below",
        doc: "One row per group, in the order in which groups first appear; without `by` one row in all. Aggregates: \
              `count()` (rows), `count(x)`, `sum(x)`, `min(x)`, `max(x)`, `mean(x)`, `median(x)`, `std(x)` (of a sample), \
              `any(x)`, `all(x)` (of true and false), `first(x)`, `last(x)`, `collect(x)` (a list), `count_distinct(x)`, \
              each over an expression. Null is left out of all but `count()`, `first` and `last`. Of no values at all, \
              the counts are 0, `collect` is an empty list, and everything else is null; so is `std` of fewer than two.",
        keys: Some(StepKeys {
            reader: "the step `aggregate`",
            entries: &[
                key("by", "column, or a list of them", OneOf, "The columns to group by. This, `values`, or both."),
                key("values", "columns to aggregates", OneOf, "The new columns."),
            ],
        }),
        example: "- aggregate:\n    by: [country]\n    values: {orders: count(), revenue: sum(total), last_day: max(day)}\n",
    },
    StepEntry {
        name: "window",
        takes: "the keys below",
        doc: "Adds columns that look at the other rows of a group, or puts new values into them. All rows stay, in their \
              order. By place in the group: `row_number()` from 1; `rank()`, in which rows that are equal in `order_by` \
              share a place and leave the next ones out; `dense_rank()`, which leaves none out; `lag(x)`, `lead(x)`: the \
              value one row before or after, `lag(x, 3)` three rows, null where there is no such row; `first(x)`, \
              `last(x)` of the whole group. `count()`, `count(x)`, `sum(x)`, `mean(x)`, `min(x)`, `max(x)`: with `order_by` over \
              the rows of the group up to and including the current one (SQL's `ROWS UNBOUNDED PRECEDING`), without it \
              over the whole group. Null is left out as in `aggregate`; a sum beyond 64 bits (38 digits for decimals) ends the \
              run. Rows that are equal in `order_by` stay in the order of the input. Null is a group of its own. \
              All rows are held in memory.",
        keys: Some(StepKeys {
            reader: "the step `window`",
            entries: &[
                key("by", "column, or a list of them", Default("all rows are one group"), "The columns to group by."),
                key(
                    "order_by",
                    "column, `-column` or [sort key](#sort-key), or a list of them",
                    Default("as the rows come"),
                    "The order inside of a group. `rank` and `dense_rank` need it.",
                ),
                key("values", "columns to functions of the window", Required, "The new columns."),
            ],
        }),
        example: "- window:\n    by: customer\n    order_by: [day, -total]\n    values:\n      place: row_number()\n      spent_so_far: sum(total)\n      day_before: lag(day)\n",
    },
    StepEntry {
        name: "distinct",
        takes: "the keys below",
        doc: "One row per key. `distinct: {}` compares whole rows.",
        keys: Some(StepKeys {
            reader: "the step `distinct`",
            entries: &[
                key("on", "column, or a list of them", Default("all columns"), "The key."),
                key("keep", "`first` or `last`", Default("`first`"), "Which row stays."),
                key(
                    "order_by",
                    "column, `-column` or [sort key](#sort-key), or a list of them",
                    Default("as the rows come"),
                    "The order in which first and last are meant; the rows come out in it.",
                ),
            ],
        }),
        example: "- distinct: {on: email, keep: last, order_by: updated_at}\n",
    },
    StepEntry {
        name: "sort",
        takes: "column, `-column` or [sort key](#sort-key), or a list of them",
        doc: "Sorts. `-` is for descending. Null comes last, whatever the direction, if the key does not say otherwise; rows that \
              are equal stay in their order.",
        keys: None,
        example: "- sort: [country, -total, {column: paid_on, nulls: first}]\n",
    },
    StepEntry {
        name: "limit",
        takes: "whole number, 0 or more",
        doc: "Keeps the first rows.",
        keys: None,
        example: "- limit: 100\n",
    },
    StepEntry {
        name: "explode",
        takes: "column",
        doc: "One row per item of a list. An empty list or null gives one row with null.",
        keys: None,
        example: "- explode: tags\n",
    },
    StepEntry {
        name: "unnest",
        takes: "column",
        doc: "The fields of a struct become columns in its place.",
        keys: None,
        example: "- unnest: address\n",
    },
    StepEntry {
        name: "pivot",
        takes: "the keys below",
        doc: "Rows become columns: one row per group of `by`, in the order in which groups first appear, with a column for \
              each code that is written down. A cell holds the aggregate `take` over the rows of its group and code; where \
              there are none, 0 for counts and null for all else.",
        keys: Some(StepKeys {
            reader: "the step `pivot`",
            entries: &[
                key(
                    "on",
                    "column",
                    Required,
                    "The column with the codes: text, `int`, `bool`, `decimal`, a date or a time.",
                ),
                key(
                    "values",
                    "new columns to codes, or a list of codes",
                    Required,
                    "The codes that become columns; in a list, the columns are named as the codes. They are written down so that the columns are known before a run.",
                ),
                key(
                    "by",
                    "column, or a list of them",
                    Default("one row in all"),
                    "The columns to group by. All others are left out.",
                ),
                key(
                    "take",
                    "an aggregate, as in `aggregate`",
                    Required,
                    "What fills a cell: `sum(total)`, `first(value)`, `count()`.",
                ),
                key(
                    "else",
                    "`reject`, `ignore` or `fail`",
                    Default("`reject`"),
                    "What becomes of a row whose code, null included, is not among `values`: a reject, so that it is not lost without a word; left out of the new columns, though its group stays; or the end of the run.",
                ),
            ],
        }),
        example: "- pivot:\n    on: status\n    values: [open, closed]\n    by: team\n    take: count()\n- pivot: {on: month, values: {january: 1, february: 2}, by: [shop], take: sum(total), else: ignore}\n",
    },
    StepEntry {
        name: "unpivot",
        takes: "the keys below",
        doc: "Columns become rows: each row gives one for each of the columns, in their order, with the column's name and its \
              value. All other columns stay and are repeated. The columns must have one type: `cast` them before.",
        keys: Some(StepKeys {
            reader: "the step `unpivot`",
            entries: &[
                key(
                    "columns",
                    "name or glob, or a list of them",
                    Required,
                    "The columns that become rows, as in `select`.",
                ),
                key("name", "new column", Required, "The column with their names."),
                key("value", "new column", Required, "The column with their values."),
                key("drop_null", "`true` or `false`", Default("`false`"), "Leaves rows whose value is null out."),
            ],
        }),
        example: "- unpivot: {columns: [jan, feb, q_*], name: month, value: total, drop_null: true}\n",
    },
    StepEntry {
        name: "lookup",
        takes: "the keys below",
        doc: "Asks a stream of a SaaS system and adds fields of what it finds: one request for each distinct set of \
              parameters, answers kept for the run. A system that answers \"no such thing\" (404, an empty list) found nothing.",
        keys: Some(StepKeys {
            reader: "the step `lookup`",
            entries: &[
                key("connection", "name", OneOf, "One of `connections`. Either this or `connector`."),
                key("connector", "name", OneOf, "A connector that needs no settings."),
                key("stream", "name", Required, "The stream."),
                key("with", "parameters to templates", Optional, "Parameters of the stream, over the row."),
                key(
                    "match",
                    "expression",
                    Default("the first record"),
                    "Which of the records found counts, over the row and `record`; the first for which it is true.",
                ),
                key(
                    "take",
                    "new columns to fields",
                    Required,
                    "The columns to add and the fields of the record they take.",
                ),
                key(
                    "missing",
                    "`reject`, `null` or `fail`",
                    Default("`reject`"),
                    "What becomes of a row for which nothing is found: a reject, null in the new columns, or the end of the run.",
                ),
                key(
                    "cache",
                    "`true` or `false`",
                    Default("`true`"),
                    "`false` keeps answers only for the batch of rows at hand.",
                ),
                key(
                    "concurrency",
                    "1 to 1024",
                    Default("8"),
                    "Requests at a time; the connector's own limit holds beside it.",
                ),
            ],
        }),
        example: "- lookup:\n    connection: hf\n    stream: GetUserID\n    with: {PersonIdentifier: \"{{ person }}\"}\n    take: {user_id: UserID}\n    missing: reject\n",
    },
    StepEntry {
        name: "check",
        takes: "the keys below, or a list of such",
        doc: "Data quality: says what must be true of a row, and what happens when it is not. Null counts as not true.",
        keys: Some(StepKeys {
            reader: "a check",
            entries: &[
                key("name", "text", Required, "What rejects and messages call it."),
                key("expect", "expression", Required, "What must be true."),
                key(
                    "else",
                    "`reject`, `warn` or `fail`",
                    Default("`reject`"),
                    "What happens otherwise: the row is a reject, it is counted and said, or the run ends.",
                ),
            ],
        }),
        example: "- check:\n    - {name: has an email, expect: \"email is not none\"}\n    - {name: total in range, expect: total < 1000000, else: warn}\n",
    },
    StepEntry {
        name: "sql",
        takes: "a query, or the keys below",
        doc: "What the query gives: one `SELECT`, with or without `WITH`, in the SQL of Polars, over the table `input` and the \
              nodes named in `with`. It reads nothing else, and changes nothing. Columns and types are known before a run: \
              whole numbers of any size come out as `int`, JSON as `text`. Without `ORDER BY` rows come in the order of the \
              tables they come from, groups as they first appear, so that two runs give the same. Arithmetic is \
              Polars' own: a sum of integers beyond 64 bits wraps around; take the step `aggregate` where that can be.",
        keys: Some(StepKeys {
            reader: "the step `sql`",
            entries: &[
                key("query", "text", Required, "The query."),
                key("with", "node, or a list of them", Optional, "Nodes it may read as tables, beside `input`."),
            ],
        }),
        example: "- sql: SELECT country, COUNT(*) AS people FROM input GROUP BY country\n- sql:\n    query: |\n      SELECT i.*, p.name FROM input AS i JOIN people AS p ON i.person = p.id\n    with: [people]\n",
    },
];
