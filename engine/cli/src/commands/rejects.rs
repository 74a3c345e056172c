//! `towpath rejects`.

use super::runs;
use crate::args::{Format, RejectsArgs, RejectsCommand, Shared};
use crate::failure::{Ended, Failure};
use crate::table;
use std::process::ExitCode;
use towpath_state::{Store, StoredReject};

/// Lists rejects, or shows one.
pub fn rejects(args: &RejectsArgs, shared: &Shared) -> Ended {
    let Some(store) = runs::store(shared)? else {
        eprintln!("there are no runs yet");
        return Ok(ExitCode::SUCCESS);
    };
    match &args.command {
        None => list(&store, None, None, 50, shared),
        Some(RejectsCommand::List { run, node, limit }) => {
            list(&store, run.as_deref(), node.as_deref(), *limit, shared)
        }
        Some(RejectsCommand::Show { id }) => show(&store, *id, shared),
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
    })
}

fn shown(value: Option<&serde_json::Value>) -> String {
    match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => table::cut(text, 40),
        Some(other) => table::cut(&other.to_string(), 40),
    }
}

fn list(store: &Store, run: Option<&str>, node: Option<&str>, limit: usize, shared: &Shared) -> Ended {
    let Some(run) = runs::resolve(store, run)? else {
        eprintln!("there are no runs yet");
        return Ok(ExitCode::SUCCESS);
    };
    let rejects = store.rejects(&run, node, limit, 0)?;
    if shared.format == Format::Json {
        rejects.iter().for_each(|reject| println!("{}", json(reject)));
        return Ok(ExitCode::SUCCESS);
    }
    if rejects.is_empty() {
        eprintln!("run {run} has no rejects");
        return Ok(ExitCode::SUCCESS);
    }
    let headers = ["id", "node", "step", "field", "value", "reason"];
    let mut out = table::bordered(headers.iter().map(|header| (*header).to_owned()).collect());
    for reject in &rejects {
        let StoredReject { id, reject, .. } = reject;
        out.add_row(vec![
            id.to_string(),
            reject.node.clone(),
            reject.step.map_or_else(String::new, |step| (step + 1).to_string()),
            reject.field.clone().unwrap_or_default(),
            shown(reject.value.as_ref()),
            table::cut(&reject.reason, 200),
        ]);
    }
    println!("{out}");
    let all: u64 = store.reject_counts(&run)?.iter().map(|count| count.rows).sum();
    if all > rejects.len() as u64 {
        eprintln!("{} of {} rejects; see more with --limit", rejects.len(), table::grouped(all));
    }
    eprintln!("see one with its whole row: `towpath rejects show ID`");
    Ok(ExitCode::SUCCESS)
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
