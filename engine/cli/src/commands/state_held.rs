//! `towpath state held` and `towpath state settle`: records of which nobody knows whether they arrived.

use super::state;
use crate::args::{Format, Shared, VerdictArg};
use crate::failure::{Ended, Failure};
use crate::table;
use serde_json::{Value as Json, json};
use std::process::ExitCode;
use towpath_state::{Outcome, Scope, Store, Unsettled, Verdict};

/// Hexadecimal digits of a key's hash that are shown as the record's id.
const ID: usize = 12;
/// As few of them are taken.
const LEAST: usize = 6;

/// A name for a record that is short, and there whatever its key is.
fn id(record: &Unsettled) -> String {
    record.key_hash.iter().map(|byte| format!("{byte:02x}")).collect()
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
    let headers = ["sink", "id", "key", "since", "run", "reason"];
    let mut out = table::bordered(headers.iter().map(|header| (*header).to_owned()).collect());
    for record in &records {
        out.add_row(vec![
            record.sink.clone(),
            id(record)[..ID].to_owned(),
            table::cut(&record.key.to_string(), 80),
            record.receipt.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            record.receipt.run.to_string(),
            table::cut(&why(record), 120),
        ]);
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
    let chosen: Vec<[u8; 16]> = match keys {
        None => records.iter().map(|record| record.key_hash).collect(),
        Some(keys) => keys.iter().map(|key| named(&records, sink, key)).collect::<Result<_, Failure>>()?,
    };
    let verdict = match verdict {
        VerdictArg::Delivered => Verdict::Delivered,
        VerdictArg::NotDelivered => Verdict::NotDelivered,
    };
    let settled = store.settle(&lock, scope, sink, &chosen, verdict)? as u64;
    lock.release()?;
    if settled == 0 {
        eprintln!("`{sink}` holds no records");
        return Ok(ExitCode::SUCCESS);
    }
    let records =
        if settled == 1 { "1 record of".to_owned() } else { format!("{} records of", table::grouped(settled)) };
    match verdict {
        Verdict::Delivered => eprintln!("{records} `{sink}` count as delivered now, and are not sent again"),
        Verdict::NotDelivered => {
            eprintln!("{records} `{sink}` count as not delivered now; the next run that brings them sends them");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The one record that is meant by an id or a key.
fn named(records: &[Unsettled], sink: &str, key: &str) -> Result<[u8; 16], Failure> {
    let written: Option<Json> = serde_json::from_str(key).ok();
    let low = key.to_ascii_lowercase();
    let is_meant = |record: &&Unsettled| {
        let by_id = key.len() >= LEAST && id(record).starts_with(&low);
        let only_value = record.key.as_object().filter(|fields| fields.len() == 1).and_then(|it| it.values().next());
        by_id || written.as_ref() == Some(&record.key) || only_value.is_some_and(|value| text(value) == key)
    };
    let mut hashes: Vec<[u8; 16]> = records.iter().filter(is_meant).map(|record| record.key_hash).collect();
    hashes.dedup();
    let help = "`towpath state held` lists them with their ids";
    match hashes.as_slice() {
        [one] => Ok(*one),
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
