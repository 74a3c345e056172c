//! `towpath state`: what is remembered of pipelines between runs.

use super::{runs, state_copy, state_held};
use crate::args::{Format, Shared, StateArgs, StateCommand};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::table;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::ExitCode;
use towpath_connector::Error;
use towpath_state::{Lock, LockError, RunId, Scope, Store};

/// Does what a sub-command says.
pub fn state(args: &StateArgs, shared: &Shared) -> Ended {
    let command = args.command.as_ref().unwrap_or(&StateCommand::List);
    // The only one that makes a state where there is none.
    if let StateCommand::Import { file, replace } = command {
        return state_copy::import(file, *replace, shared);
    }
    let Some(store) = runs::store(shared)? else {
        eprintln!("there is no state yet");
        return Ok(ExitCode::SUCCESS);
    };
    match command {
        StateCommand::List => list(&store, shared),
        StateCommand::Show { pipeline } => show(&store, &scope(&store, pipeline, shared)?, shared),
        StateCommand::Set { pipeline, node, value } => set(&store, &scope(&store, pipeline, shared)?, node, value),
        StateCommand::Clear { pipeline, node, journal, yes } => {
            let scope = scope(&store, pipeline, shared)?;
            match journal {
                Some(sink) => clear_journal(&store, &scope, sink, *yes),
                None => clear_cursors(&store, &scope, node.as_deref(), *yes),
            }
        }
        StateCommand::Held { pipeline, sink } => {
            state_held::held(&store, &scope(&store, pipeline, shared)?, sink.as_deref(), shared)
        }
        StateCommand::Settle { pipeline, sink, keys, all, verdict } => {
            let chosen = if *all { None } else { Some(keys.as_slice()) };
            state_held::settle(&store, &scope(&store, pipeline, shared)?, sink, chosen, *verdict)
        }
        StateCommand::Export { file } => state_copy::export(&store, file.as_deref()),
        StateCommand::Import { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// The pipeline of that name, or of that file, in the environment that is meant; where none is said, the only one there is.
fn scope(store: &Store, pipeline: &str, shared: &Shared) -> Result<Scope, Failure> {
    let file = Path::new(pipeline);
    let of_file = if file.is_file() { Workspace::around(file)?.pipeline(file)?.0 } else { None };
    let pipeline = of_file.as_ref().map_or(pipeline, |found| found.name.as_str());
    let scopes = store.scopes()?;
    let named: Vec<&Scope> = scopes.iter().filter(|scope| scope.pipeline == pipeline).collect();
    let meant = |scope: &&&Scope| shared.env.as_ref().is_none_or(|env| scope.environment == *env);
    let found: Vec<&Scope> = named.iter().filter(meant).copied().collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let names: Vec<String> = scopes.iter().map(ToString::to_string).collect();
            let env = shared.env.as_ref().map(|env| format!(" in environment `{env}`")).unwrap_or_default();
            let message = format!("nothing is kept of a pipeline `{pipeline}`{env}");
            Err(Failure::usage(message, format!("there is state of: {}", names.join(", "))))
        }
        several => {
            let names: Vec<String> = several.iter().map(|scope| format!("--env '{}'", scope.environment)).collect();
            let message = format!("`{pipeline}` has been run in {} environments", several.len());
            Err(Failure::usage(message, format!("say which: {}", names.join(", "))))
        }
    }
}

/// Takes the lock, so that no run goes on meanwhile.
pub fn lock(store: &Store, scope: &Scope) -> Result<Lock, Failure> {
    store.lock(scope, &RunId::generate()).map_err(|error| match &error {
        LockError::Held { .. } => Failure::Busy(Error::user(error.to_string()).help(error.help())),
        LockError::State(inner) => Failure::from(inner.clone()),
    })
}

fn list(store: &Store, shared: &Shared) -> Ended {
    let headers = ["pipeline", "environment", "cursors", "delivered", "held", "last run"];
    let mut out = table::bordered(headers.iter().map(|header| (*header).to_owned()).collect());
    for scope in store.scopes()? {
        let journal = store.journal_counts(&scope)?;
        let delivered: u64 = journal.iter().map(|sink| sink.counts.confirmed).sum();
        let held: u64 = journal.iter().map(|sink| sink.counts.intents + sink.counts.unknown).sum();
        let cursors = store.cursors(&scope)?.len();
        let last = store.runs_of(&scope, 1)?.first().map(|run| run.start.id.to_string());
        if shared.format == Format::Json {
            let line = json!({
                "pipeline": scope.pipeline,
                "environment": scope.environment,
                "cursors": cursors,
                "delivered": delivered,
                "held": held,
                "last_run": last,
            });
            println!("{line}");
            continue;
        }
        let numbers = [cursors as u64, delivered, held].map(table::grouped);
        let mut row = vec![scope.pipeline, scope.environment];
        row.extend(numbers);
        row.push(last.unwrap_or_default());
        out.add_row(row);
    }
    if shared.format != Format::Json {
        println!("{out}");
    }
    Ok(ExitCode::SUCCESS)
}

fn show(store: &Store, scope: &Scope, shared: &Shared) -> Ended {
    let (cursors, journal) = (store.cursors(scope)?, store.journal_counts(scope)?);
    if shared.format == Format::Json {
        let cursors: Vec<Json> = cursors
            .iter()
            .map(|it| json!({"node": it.node, "value": it.value, "updated_at": it.updated_at.to_rfc3339(), "run": it.run.to_string()}))
            .collect();
        let sinks: Vec<Json> = journal
            .iter()
            .map(|it| {
                json!({
                    "sink": it.sink,
                    "target": it.target,
                    "confirmed": it.counts.confirmed,
                    "refused": it.counts.refused,
                    "held": it.counts.intents + it.counts.unknown,
                })
            })
            .collect();
        println!(
            "{}",
            json!({"pipeline": scope.pipeline, "environment": scope.environment, "cursors": cursors, "journal": sinks})
        );
        return Ok(ExitCode::SUCCESS);
    }
    let headers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut out = table::bordered(headers(&["source", "cursor", "moved", "by run"]));
    for cursor in cursors {
        let moved = cursor.updated_at.format("%Y-%m-%d %H:%M:%SZ").to_string();
        out.add_row(vec![cursor.node, cursor.value.to_string(), moved, cursor.run.to_string()]);
    }
    println!("{out}");
    let mut out = table::bordered(headers(&["sink", "target", "confirmed", "refused", "held"]));
    for sink in journal {
        let counts = sink.counts;
        let mut row = vec![sink.sink, sink.target];
        row.extend([counts.confirmed, counts.refused, counts.intents + counts.unknown].map(table::grouped));
        out.add_row(row);
    }
    println!("{out}");
    Ok(ExitCode::SUCCESS)
}

fn set(store: &Store, scope: &Scope, node: &str, value: &str) -> Ended {
    let value = serde_json::from_str(value).unwrap_or_else(|_| Json::from(value));
    let lock = lock(store, scope)?;
    store.set_cursors(&lock, scope, &[(node, value.clone())])?;
    lock.release()?;
    eprintln!("the cursor of `{node}` is {value} now");
    Ok(ExitCode::SUCCESS)
}

fn clear_cursors(store: &Store, scope: &Scope, node: Option<&str>, yes: bool) -> Ended {
    let cursors = store.cursors(scope)?;
    let meant: Vec<&str> =
        cursors.iter().map(|it| it.node.as_str()).filter(|it| node.is_none_or(|node| node == *it)).collect();
    if meant.is_empty() {
        let names: Vec<&str> = cursors.iter().map(|cursor| cursor.node.as_str()).collect();
        let help = format!("there are cursors of: {}", names.join(", "));
        return Err(Failure::usage(format!("{scope} has no such cursor"), help));
    }
    let what = format!("the cursors of {}", meant.join(", "));
    if !yes {
        return unless_yes(&what, "the next run reads all of these sources; what was delivered is not sent again");
    }
    let lock = lock(store, scope)?;
    store.clear_cursors(&lock, scope, node)?;
    lock.release()?;
    eprintln!("forgotten: {what}");
    Ok(ExitCode::SUCCESS)
}

fn clear_journal(store: &Store, scope: &Scope, sink: &str, yes: bool) -> Ended {
    let journal = store.journal_counts(scope)?;
    let counts = journal.iter().filter(|it| it.sink == sink).map(|it| it.counts);
    let keys: u64 = counts.map(|it| it.confirmed + it.refused + it.intents + it.unknown).sum();
    if keys == 0 {
        let names: Vec<&str> = journal.iter().map(|it| it.sink.as_str()).collect();
        let help = format!("there is a journal of: {}", names.join(", "));
        return Err(Failure::usage(format!("{scope} has no journal of a sink `{sink}`"), help));
    }
    let what = format!("what `{sink}` has delivered, {}", table::count(keys, "record"));
    if !yes {
        return unless_yes(&what, "the next run SENDS ALL OF THEM AGAIN, also those the other system has");
    }
    let lock = lock(store, scope)?;
    store.clear_journal(&lock, scope, sink)?;
    lock.release()?;
    eprintln!("forgotten: {what}");
    Ok(ExitCode::SUCCESS)
}

fn unless_yes(what: &str, then: &str) -> Ended {
    Err(Failure::usage(
        format!("this would forget {what}; nothing was changed"),
        format!("{then}; add `--yes` to do it"),
    ))
}
