//! A plan for people: a block for each sink, then what would be rejected, then one sentence.

use crate::table::{count, cut, duration, grouped};
use towpath_connector::{Differences, redact};
use towpath_run::{Planned, PlannedSink, Request, SinkPlan, Update};

/// Longest line of a request that is shown.
const LINE: usize = 160;

/// The whole text.
pub fn whole(planned: &Planned) -> String {
    let mut out = String::new();
    for sink in &planned.sinks {
        out += &block(sink);
        out += "\n";
    }
    let rejects: Vec<_> = planned.nodes.iter().filter(|node| node.rejected > 0).collect();
    if !rejects.is_empty() {
        out += "rejects\n";
        for node in rejects {
            out += &format!("  {}: {} of {}\n", node.node, grouped(node.rejected), count(node.rows, "row"));
            for reason in &node.reasons {
                out += &format!("  {:>9} × {}\n", grouped(reason.times), cut(&redact(&reason.reason), LINE));
            }
        }
        out += "\n";
    }
    out + &sentence(planned) + "\n"
}

fn block(planned: &PlannedSink) -> String {
    let (sink, connection) = (&planned.sink, &planned.connection);
    match &planned.plan {
        SinkPlan::Operation { operation, samples, sends_email, .. } => {
            let mut out = format!("{sink} → {connection}, {operation}\n{}", counts(&planned.plan));

            if *sends_email {
                out += "  warning: people get mail from this operation\n";
            }
            out + &samples.iter().map(request).collect::<String>()
        }
        SinkPlan::File { path, rows, replaces } => {
            let verb = if *replaces { "replace" } else { "create" };
            let path = path.as_deref().unwrap_or("a file");
            format!("{sink} → {connection}\n  {verb} {path} with {}\n", count(*rows, "row"))
        }
        SinkPlan::Table { table, mode, rows, differences } => {
            let (table, mode) = (table.as_deref().unwrap_or("a table"), mode.as_deref().unwrap_or("its mode"));
            let head = format!("{sink} → {connection}\n  {mode} {} into {table}", count(*rows, "row"));
            match differences {
                Some(differences) => format!("{head}\n{}", changes(differences)),
                None => format!("{head} (not compared with what is in it)\n"),
            }
        }
        SinkPlan::Waits { on } => {
            let names = on.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
            format!(
                "{sink} → {connection}\n  cannot be planned before {names} ran: it depends on what is answered there\n"
            )
        }
    }
}

/// What a load would change in a table.
fn changes(found: &Differences) -> String {
    let mut out = String::new();
    if found.makes_table {
        out += "  the table is made\n";
    }
    for column in &found.new_columns {
        out += &format!("  the table gets the column `{column}`\n");
    }
    let figures = [
        ("+", "insert", found.insert),
        ("~", "update", found.update),
        ("=", "unchanged", found.unchanged),
        ("-", "delete", found.delete),
    ];
    for (sign, word, rows) in figures {
        if rows > 0 || word == "insert" {
            out += &format!("  {sign} {word:<10} {:>9}\n", grouped(rows));
        }
    }
    for (column, rows) in &found.changed {
        out += &format!("    `{column}` changes in {}\n", count(*rows, "row"));
    }
    for sample in &found.samples {
        let fields = sample.fields.iter().map(|(name, before, after)| format!("{name}: {before} → {after}"));
        let line =
            format!("{} {}", serde_json::Value::Object(sample.key.clone()), fields.collect::<Vec<_>>().join(", "));
        out += &format!("    {}\n", cut(&redact(&line), LINE));
    }
    out
}

fn counts(plan: &SinkPlan) -> String {
    let SinkPlan::Operation { create, update, unchanged, held, verify, reject, .. } = plan else {
        return String::new();
    };
    let figures = [
        ("+", "create", create, ""),
        ("~", "update", update, "delivered before with other content"),
        ("=", "unchanged", unchanged, "not sent"),
        ("?", "held", held, "of unknown outcome, not sent"),
        ("?", "verify", verify, "of unknown outcome, looked up first"),
        ("!", "reject", reject, ""),
    ];
    let mut out = String::new();
    for (sign, name, number, remark) in figures.into_iter().filter(|(.., number, _)| **number > 0) {
        let line = format!("  {sign} {name:<9} {:>11}  {remark}", grouped(*number));
        out += line.trim_end();
        out += "\n";
        if name == "update" {
            out += &updates(plan);
        }
    }
    if out.is_empty() {
        return "  nothing to do\n".into();
    }
    out + &calls(plan)
}

/// Which fields of records that were delivered would be others.
fn updates(plan: &SinkPlan) -> String {
    let SinkPlan::Operation { changed, updates, .. } = plan else {
        return String::new();
    };
    let mut out = String::new();
    for (field, records) in changed {
        out += &format!("      `{field}` changes in {}\n", count(*records, "record"));
    }
    for Update { key, delivered_by, fields, gone } in updates {
        let mut fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: … → {value}")).collect();
        match gone {
            0 => {}
            1 => fields.push("one field less".into()),
            many => fields.push(format!("{many} fields less")),
        }
        let line = format!("{key} (run {delivered_by}) {}", fields.join(", "));
        out += &format!("      {}\n", cut(&redact(&line), LINE));
    }
    out
}

fn calls(plan: &SinkPlan) -> String {
    let SinkPlan::Operation { calls, seconds, concurrency, .. } = plan else {
        return String::new();
    };
    let mut out = String::new();
    if *calls > 0 {
        let time = match seconds {
            Some(seconds) => format!("at least {} under its rate", duration((seconds * 1_000.0) as u64)),
            None => "no rate is set".into(),
        };
        out += &format!("  {}, {concurrency} at a time; {time}\n", count(*calls, "call"));
    }
    out
}

fn request(request: &Request) -> String {
    let mut out = match (&request.method, &request.url) {
        (Some(method), Some(url)) => format!("    {method} {}\n", cut(&redact(url), LINE)),
        _ => "    a record; its call depends on what is answered before\n".into(),
    };
    for (name, value) in &request.headers {
        out += &format!("      {}\n", cut(&redact(&format!("{name}: {value}")), LINE));
    }
    for line in request.body.iter().flat_map(|body| body.lines()) {
        out += &format!("      {}\n", cut(&redact(line), 4 * LINE));
    }
    out
}

fn sentence(planned: &Planned) -> String {
    let (mut create, mut update, mut rows, mut waits) = (0, 0, 0, 0);
    for sink in &planned.sinks {
        match &sink.plan {
            SinkPlan::Operation { create: new, update: changed, .. } => {
                create += new;
                update += changed;
            }
            SinkPlan::Table { differences: Some(found), .. } => rows += found.insert + found.update,
            SinkPlan::File { rows: more, .. } | SinkPlan::Table { rows: more, .. } => rows += more,
            SinkPlan::Waits { .. } => waits += 1,
        }
    }
    if !planned.has_changes() {
        return "plan: nothing would change".into();
    }
    let mut parts = vec![format!("{} to create", grouped(create)), format!("{} to update", grouped(update))];
    if rows > 0 {
        parts.push(format!("{} to write", count(rows, "row")));
    }
    if waits > 0 {
        parts.push(format!("{} not known before the run", count(waits, "sink")));
    }
    format!("plan: {}", parts.join(", "))
}
