//! `towpath runs`.

use crate::args::{Format, RunsArgs, RunsCommand, Shared};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::state::Place;
use crate::{table, world};
use std::path::Path;
use std::process::ExitCode;
use towpath_state::{RunRecord, RunStatus, RunSummary, Store};

/// Lists runs, or shows one.
pub fn runs(args: &RunsArgs, shared: &Shared) -> Ended {
    let Some(store) = store(shared)? else {
        eprintln!("there are no runs yet");
        return Ok(ExitCode::SUCCESS);
    };
    match &args.command {
        None => list(&store, None, 20, shared),
        Some(RunsCommand::List { pipeline, limit }) => list(&store, pipeline.as_deref(), *limit, shared),
        Some(RunsCommand::Show { run }) => show(&store, run, shared),
    }
}

/// The state of the project around the working directory, if there is any.
pub fn store(shared: &Shared) -> Result<Option<Store>, Failure> {
    place(shared)?.open_existing()
}

/// Where that state is, whether it is there or not.
pub fn place(shared: &Shared) -> Result<Place, Failure> {
    world::project_state_place(&Workspace::around(Path::new("."))?, shared)
}

/// A run's name: `last` is the latest.
pub fn resolve(store: &Store, run: Option<&str>) -> Result<Option<String>, Failure> {
    match run {
        None | Some("last") => Ok(store.runs(1, None)?.first().map(|run| run.start.id.to_string())),
        Some(run) => Ok(Some(run.to_owned())),
    }
}

fn status(run: &RunSummary) -> String {
    match &run.outcome {
        None => "not finished".to_owned(),
        // Both end a run alike; records of unknown outcome are what somebody has to look at first.
        Some(outcome) if outcome.status == RunStatus::Rejects && run.held > 0 => "held".to_owned(),
        Some(outcome) => outcome.status.to_string(),
    }
}

fn took(run: &RunSummary) -> String {
    run.outcome.as_ref().map_or_else(String::new, |outcome| {
        let millis = (outcome.finished_at - run.start.started_at).num_milliseconds();
        table::duration(u64::try_from(millis).unwrap_or(0))
    })
}

fn summary_json(run: &RunSummary) -> serde_json::Value {
    serde_json::json!({
        "run": run.start.id.to_string(),
        "pipeline": run.start.scope.pipeline,
        "environment": run.start.scope.environment,
        "file": run.start.pipeline_file,
        "started_at": run.start.started_at.to_rfc3339(),
        "finished_at": run.outcome.as_ref().map(|outcome| outcome.finished_at.to_rfc3339()),
        "status": run.outcome.as_ref().map(|_| status(run)),
        "held": run.held,
        "replays": run.replays.map(|of| of.to_string()),
        "exit_code": run.outcome.as_ref().and_then(|outcome| outcome.exit_code),
        "error": run.outcome.as_ref().and_then(|outcome| outcome.error.clone()),
    })
}

fn list(store: &Store, pipeline: Option<&str>, limit: usize, shared: &Shared) -> Ended {
    let runs = store.runs(limit, pipeline)?;
    if shared.format == Format::Json {
        runs.iter().for_each(|run| println!("{}", summary_json(run)));
        return Ok(ExitCode::SUCCESS);
    }
    if runs.is_empty() {
        eprintln!("there are no runs yet");
        return Ok(ExitCode::SUCCESS);
    }
    let headers = ["run", "pipeline", "environment", "started", "took", "status"];
    let mut out = table::bordered(headers.iter().map(|header| (*header).to_owned()).collect());
    for run in &runs {
        out.add_row(vec![
            run.start.id.to_string(),
            run.start.scope.pipeline.clone(),
            run.start.scope.environment.clone(),
            run.start.started_at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            took(run),
            status(run),
        ]);
    }
    println!("{out}");
    Ok(ExitCode::SUCCESS)
}

fn show(store: &Store, run: &str, shared: &Shared) -> Ended {
    let Some(name) = resolve(store, Some(run))? else {
        eprintln!("there are no runs yet");
        return Ok(ExitCode::SUCCESS);
    };
    let record = store.run(&name)?;
    if shared.format == Format::Json {
        println!("{}", record_json(&record));
        return Ok(ExitCode::SUCCESS);
    }
    let summary = &record.summary;
    let mut facts = table::plain();
    facts.add_row(vec!["run".to_owned(), summary.start.id.to_string()]);
    facts.add_row(vec!["pipeline".to_owned(), summary.start.scope.pipeline.clone()]);
    facts.add_row(vec!["file".to_owned(), summary.start.pipeline_file.clone()]);
    facts.add_row(vec!["started".to_owned(), summary.start.started_at.to_rfc3339()]);
    facts.add_row(vec!["took".to_owned(), took(summary)]);
    facts.add_row(vec!["status".to_owned(), status(summary)]);
    if let Some(of) = summary.replays {
        facts.add_row(vec!["replays".to_owned(), format!("rejects of run {of}")]);
    }
    if let Some(error) = summary.outcome.as_ref().and_then(|outcome| outcome.error.as_ref()) {
        facts.add_row(vec!["error".to_owned(), error.clone()]);
    }
    println!("{facts}");
    let headers = [
        "node",
        "kind",
        "in",
        "out",
        "filtered",
        "merged",
        "added",
        "rejected",
        "unchanged",
        "unknown",
        "requests",
        "bytes",
        "time",
    ];
    let mut nodes = table::bordered(headers.iter().map(|header| (*header).to_owned()).collect());
    for node in &record.nodes {
        let mut row = vec![comfy_table::Cell::new(&node.node), comfy_table::Cell::new(&node.kind)];
        let extra = |name: &str| node.extra[name].as_u64().unwrap_or_default();
        let counts = [
            node.rows_in,
            node.rows_out,
            node.filtered,
            extra("merged"),
            extra("added"),
            node.rejected,
            node.skipped,
            extra("unknown"),
            extra("calls"),
            node.bytes,
        ];
        row.extend(counts.iter().enumerate().map(|(at, count)| table::number(*count, at > 1)));
        row.push(comfy_table::Cell::new(table::duration(node.millis)));
        nodes.add_row(row);
    }
    println!("{nodes}");
    Ok(ExitCode::SUCCESS)
}

fn record_json(record: &RunRecord) -> serde_json::Value {
    let nodes = record.nodes.iter().map(|node| {
        let mut out = serde_json::json!({
            "node": node.node,
            "kind": node.kind,
            "rows_in": node.rows_in,
            "rows_out": node.rows_out,
            "filtered": node.filtered,
            "rejected": node.rejected,
            "skipped": node.skipped,
            "bytes": node.bytes,
            "millis": node.millis,
        });
        if let (Some(out), Some(extra)) = (out.as_object_mut(), node.extra.as_object()) {
            out.extend(extra.clone());
        }
        out
    });
    let mut out = summary_json(&record.summary);
    out["params"] = record.summary.start.params.clone();
    out["nodes"] = nodes.collect();
    out
}
