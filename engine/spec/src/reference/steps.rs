//! The steps.

use super::Need::{Default, NotYet, OneOf, Optional, Required, RequiredBut};
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
              names are taken get the suffix. Rows stay in the order of the input.",
        keys: Some(StepKeys {
            reader: "the step `join`",
            entries: &[
                key("with", "node", Required, "The other node, or another output of it."),
                key(
                    "on",
                    "column, list of columns, or columns here to columns there",
                    RequiredBut("with `how: cross`, where it must be left out"),
                    "What must be equal.",
                ),
                key(
                    "how",
                    "`left`, `inner`, `full`, `semi`, `anti` or `cross`",
                    Default("`left`"),
                    "`left`: every row here, null where nothing matches. `inner`: only matches. `full`: all rows of both. `semi`, `anti`: rows here with, without a match, no new columns. `cross`: every pair.",
                ),
                key(
                    "suffix",
                    "text",
                    Default("`_right`"),
                    "Appended to the other node's columns whose names are taken.",
                ),
                key("validate", "", NotYet, "Not available in this version."),
            ],
        }),
        example: "- join: {with: people, on: {user_id: id}, how: inner}\n- join: {with: countries, on: country, suffix: _country}\n",
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
              `count()` (rows), `count(x)`, `sum(x)`, `min(x)`, `max(x)`, `mean(x)`, `first(x)`, `last(x)`, `collect(x)` (a \
              list), `count_distinct(x)`, each over an expression. Null is left out of all but `count()`, `first` and \
              `last`; the sum of no values is null.",
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
                    "column, or a list of them; `-` for descending",
                    Default("as the rows come"),
                    "The order in which first and last are meant; the rows come out in it.",
                ),
            ],
        }),
        example: "- distinct: {on: email, keep: last, order_by: updated_at}\n",
    },
    StepEntry {
        name: "sort",
        takes: "column, or a list of them; `-` for descending",
        doc: "Sorts. Null comes last; rows that are equal stay in their order.",
        keys: None,
        example: "- sort: [country, -total]\n",
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
];
