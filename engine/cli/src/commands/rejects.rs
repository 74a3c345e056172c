//! `towpath rejects`.

use super::{rejects_replay, runs};
use crate::args::{Format, RejectsArgs, RejectsCommand, Shared};
use crate::failure::{Ended, Failure};
use crate::table;
use std::collections::BTreeSet;
use std::process::ExitCode;
use towpath_state::{RejectFilter, Store, StoredReject};

/// Lists rejects, shows one, or replays them.
pub fn rejects(args: &RejectsArgs, shared: &Shared) -> Ended {
    let Some(store) = runs::store(shared)? else {
        eprintln!("there are no runs yet");
        return Ok(ExitCode::SUCCESS);
    };
    match &args.command {
        None => list(&store, None, RejectFilter::default(), 50, shared),
        Some(RejectsCommand::List { run, pipeline, node, all, limit }) => {
            let (pipeline, node) = (pipeline.as_deref(), node.as_deref());
            let filter = RejectFilter { run: None, pipeline, node, closed_too: *all };
            list(&store, run.as_deref(), filter, *limit, shared)
        }
        Some(RejectsCommand::Show { id }) => show(&store, *id, shared),
        Some(RejectsCommand::Replay(args)) => rejects_replay::replay(args, &store, shared),
    }
}

fn json(reject: &StoredReject) -> serde_json::Value {
    serde_json::json!({
        "id": reject.id,
        "run": reject.run.to_string(),
        "node": reject.reject.node,
        "step": reject.reject.step.map(|step| step + 1),
        "field": reject.reject.field,
        "value": reject.reject.value,
        "reason": reject.reject.reason,
        "row": reject.reject.row,
        "state": if reject.closed_by.is_some() { "closed" } else { "open" },
        "closed_by": reject.closed_by.map(|run| run.to_string()),
    })
}

fn shown(value: Option<&serde_json::Value>) -> String {
    match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => table::cut(text, 40),
        Some(other) => table::cut(&other.to_string(), 40),
    }
}

fn list(store: &Store, run: Option<&str>, filter: RejectFilter<'_>, limit: usize, shared: &Shared) -> Ended {
    let run = match run {
        Some(run) => runs::resolve(store, Some(run))?,
        None => None,
    };
    let filter = RejectFilter { run: run.as_deref(), ..filter };
    let rejects = store.find_rejects(filter, limit)?;
    if shared.format == Format::Json {
        rejects.iter().for_each(|reject| println!("{}", json(reject)));
        return Ok(ExitCode::SUCCESS);
    }
    if rejects.is_empty() {
        let of = filter.run.map_or_else(|| "there are".to_owned(), |run| format!("run {run} has"));
        eprintln!("{of} no {}rejects", if filter.closed_too { "" } else { "open " });
        return Ok(ExitCode::SUCCESS);
    }
    let runs: BTreeSet<&str> = rejects.iter().map(|reject| reject.run.as_str()).collect();
    println!("{}", table_of(&rejects, runs.len() > 1, filter.closed_too));
    let all = store.count_rejects(filter)?;
    if all > rejects.len() as u64 {
        eprintln!("{} of {} rejects; see more with --limit", rejects.len(), table::grouped(all));
    }
    eprintln!("see one with its whole row: `towpath rejects show ID`");
    let run = if runs.len() == 1 { runs.first().copied() } else { None };
    eprintln!("once the cause is mended, send them again: `towpath rejects replay {}`", run.unwrap_or("RUN"));
    Ok(ExitCode::SUCCESS)
}

/// The rejects with their run and their state, where these are not the same for all.
fn table_of(rejects: &[StoredReject], several_runs: bool, closed_too: bool) -> comfy_table::Table {
    let columns = [
        ("id", true),
        ("run", several_runs),
        ("node", true),
        ("step", true),
        ("field", true),
        ("value", true),
        ("reason", true),
        ("state", closed_too),
    ];
    let shown_columns = || columns.iter().filter(|(_, is_shown)| *is_shown);
    let mut out = table::bordered(shown_columns().map(|(name, _)| (*name).to_owned()).collect());
    for StoredReject { id, run, closed_by, reject } in rejects {
        let cell = |name: &str| match name {
            "id" => id.to_string(),
            "run" => run.to_string(),
            "node" => reject.node.clone(),
            "step" => reject.step.map_or_else(String::new, |step| (step + 1).to_string()),
            "field" => reject.field.clone().unwrap_or_default(),
            "value" => shown(reject.value.as_ref()),
            "reason" => table::cut(&reject.reason, 200),
            _ => closed_by.map_or_else(|| "open".to_owned(), |run| format!("closed by {run}")),
        };
        out.add_row(shown_columns().map(|(name, _)| cell(name)));
    }
    out
}

fn show(store: &Store, id: i64, shared: &Shared) -> Ended {
    let Some(reject) = store.reject(id)? else {
        return Err(Failure::usage(format!("there is no reject {id}"), "`towpath rejects list` names them"));
    };
    let json = json(&reject);
    if shared.format == Format::Json {
        println!("{json}");
    } else {
        println!("{json:#}");
    }
    Ok(ExitCode::SUCCESS)
}
