//! `towpath state held` and `towpath state settle`: records of which nobody knows whether they arrived.

use super::state;
use crate::args::{Format, Shared, VerdictArg};
use crate::failure::{Ended, Failure};
use crate::table;
use data_encoding::HEXLOWER;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::process::ExitCode;
use towpath_state::{Outcome, Scope, Store, Unsettled, Verdict};

/// Hexadecimal digits of a key's hash that are shown as the record's id.
const ID: usize = 12;
/// As few of them are taken.
const LEAST: usize = 6;

/// A name for a record that is short, and there whatever its key is.
fn id(record: &Unsettled) -> String {
    HEXLOWER.encode(&record.key_hash)
}

/// Why it is held, in a sentence.
fn why(record: &Unsettled) -> String {
    match (&record.receipt.outcome, &record.receipt.message) {
        (_, Some(message)) => message.clone(),
        (Outcome::Intent, None) => "its run ended before an answer was on record".into(),
        _ => "the answer does not tell whether it arrived".into(),
    }
}

/// Lists what is held.
pub fn held(store: &Store, scope: &Scope, sink: Option<&str>, shared: &Shared) -> Ended {
    let mut records = store.unknown(scope)?;
    records.retain(|record| sink.is_none_or(|sink| record.sink == sink));
    if shared.format == Format::Json {
        for record in &records {
            let line = json!({
                "sink": record.sink,
                "target": record.target,
                "id": id(record)[..ID],
                "key": record.key,
                "since": record.receipt.at.to_rfc3339(),
                "run": record.receipt.run.to_string(),
                "attempts": record.receipt.attempts,
                "reason": why(record),
            });
            println!("{line}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if records.is_empty() {
        eprintln!("{scope} holds no records");
        return Ok(ExitCode::SUCCESS);
    }
    // Where a sink has changed its target, both may hold a record of the same key.
    let targets: BTreeSet<(&str, &str)> = records.iter().map(|it| (it.sink.as_str(), it.target.as_str())).collect();
    let sinks: BTreeSet<&str> = records.iter().map(|record| record.sink.as_str()).collect();
    let to = (targets.len() > sinks.len()).then_some("target");
    let headers = ["sink"].into_iter().chain(to).chain(["id", "key", "since", "run", "reason"]);
    let mut out = table::bordered(headers.map(str::to_owned).collect());
    for record in &records {
        let mut row = vec![record.sink.clone()];
        row.extend(to.map(|_| record.target.clone()));
        row.extend([
            id(record)[..ID].to_owned(),
            table::cut(&record.key.to_string(), 80),
            record.receipt.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            record.receipt.run.to_string(),
            table::cut(&why(record), 120),
        ]);
        out.add_row(row);
    }
    println!("{out}");
    let meant = scope_args(scope);
    eprintln!(
        "look in the other system whether they are there, then say so:\n\
         `towpath state settle {meant} --sink NAME --key ID --as delivered` (it is never sent again), or\n\
         `towpath state settle {meant} --sink NAME --key ID --as not-delivered` (the next run sends it)"
    );
    Ok(ExitCode::SUCCESS)
}

/// How the commands of `state` are told which scope is meant.
pub fn scope_args(scope: &Scope) -> String {
    let Scope { pipeline, environment } = scope;
    if environment.is_empty() { pipeline.clone() } else { format!("{pipeline} --env '{environment}'") }
}

/// Settles records of a sink: those of these ids or keys, or all it holds.
pub fn settle(store: &Store, scope: &Scope, sink: &str, keys: Option<&[String]>, verdict: VerdictArg) -> Ended {
    // Taken first: a run that goes on would settle some of them itself.
    let lock = state::lock(store, scope)?;
    let mut records = store.unknown(scope)?;
    records.retain(|record| record.sink == sink);
    let chosen: Vec<Unsettled> = match keys {
        None => records,
        Some(keys) => keys.iter().map(|key| named(&records, sink, key)).collect::<Result<_, Failure>>()?,
    };
    let verdict = match verdict {
        VerdictArg::Delivered => Verdict::Delivered,
        VerdictArg::NotDelivered => Verdict::NotDelivered,
    };
    let settled = store.settle(&lock, scope, &chosen, verdict)? as u64;
    lock.release()?;
    if settled == 0 {
        eprintln!("`{sink}` holds no records");
        return Ok(ExitCode::SUCCESS);
    }
    let records = table::count(settled, "record");
    match verdict {
        Verdict::Delivered => eprintln!("{records} of `{sink}` count as delivered now, and are not sent again"),
        Verdict::NotDelivered => {
            eprintln!("{records} of `{sink}` count as not delivered now; the next run that brings them sends them");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The one record that is meant by an id or a key.
fn named(records: &[Unsettled], sink: &str, key: &str) -> Result<Unsettled, Failure> {
    let written: Option<Json> = serde_json::from_str(key).ok();
    let low = key.to_ascii_lowercase();
    let is_meant = |record: &&Unsettled| {
        let by_id = key.len() >= LEAST && id(record).starts_with(&low);
        let only_value = record.key.as_object().filter(|fields| fields.len() == 1).and_then(|it| it.values().next());
        by_id || written.as_ref() == Some(&record.key) || only_value.is_some_and(|value| text(value) == key)
    };
    let meant: Vec<&Unsettled> = records.iter().filter(is_meant).collect();
    let help = "`towpath state held` lists them with their ids";
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Failure::usage(format!("`{sink}` holds no record `{key}`; nothing was settled"), help)),
        _ => Err(Failure::usage(
            format!("more than one record of `{sink}` is meant by `{key}`; nothing was settled"),
            help,
        )),
    }
}

fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
