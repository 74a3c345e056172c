//! What a run did, in a table.

use crate::table;
use towpath_run::{NodeReport, Outcome, Status};

/// A column: its name and what it shows of a node.
type Figure = (&'static str, fn(&NodeReport) -> u64);

/// The table of nodes.
pub fn nodes(reports: &[NodeReport]) -> String {
    let any = |read: fn(&NodeReport) -> u64| reports.iter().any(|report| read(report) > 0);
    let mut columns: Vec<Figure> =
        vec![("in", |report| report.counts.rows_in), ("out", |report| report.counts.rows_out)];
    let optional: [Figure; 7] = [
        ("filtered", |report| report.counts.filtered),
        ("merged", |report| report.counts.merged),
        ("added", |report| report.counts.added),
        ("unchanged", |report| report.counts.skipped),
        ("rejected", |report| report.counts.rejected),
        ("unknown", |report| report.counts.unknown),
        ("requests", |report| report.counts.calls),
    ];
    columns.extend(optional.into_iter().filter(|(_, read)| any(*read)));
    let mut headers = vec!["node".to_owned(), "kind".to_owned()];
    headers.extend(columns.iter().map(|(name, _)| (*name).to_owned()));
    headers.push("time".to_owned());
    let mut out = table::bordered(headers);
    for report in reports {
        let mut row = vec![comfy_table::Cell::new(&report.node), comfy_table::Cell::new(report.kind)];
        row.extend(columns.iter().enumerate().map(|(at, (_, read))| table::number(read(report), at > 1)));
        row.push(
            comfy_table::Cell::new(table::duration(report.counts.millis))
                .set_alignment(comfy_table::CellAlignment::Right),
        );
        out.add_row(row);
    }
    out.to_string()
}

/// One sentence about how the run ended.
pub fn sentence(outcome: &Outcome) -> String {
    let sum = |read: fn(&NodeReport) -> u64| outcome.nodes.iter().map(read).sum::<u64>();
    let sinks = || outcome.nodes.iter().filter(|report| report.kind == "sink");
    let written: u64 = sinks().filter(|report| report.is_file).map(|report| report.counts.rows_out).sum();
    let delivered: u64 = sinks().filter(|report| !report.is_file).map(|report| report.counts.rows_out).sum();
    let unchanged: u64 = sinks().map(|report| report.counts.skipped).sum();
    let rejected = sum(|report| report.counts.rejected);
    let mut parts = Vec::new();
    if sinks().any(|report| !report.is_file) {
        parts.push(format!("{} delivered", table::grouped(delivered)));
    }
    if sinks().any(|report| report.is_file) {
        parts.push(format!("{} written", table::grouped(written)));
    }
    if unchanged > 0 {
        parts.push(format!("{} unchanged and not sent again", table::grouped(unchanged)));
    }
    let unknown = sum(|report| report.counts.unknown);
    if unknown > 0 {
        parts.push(format!("{} held, outcome unknown", table::grouped(unknown)));
    }
    if rejected > 0 {
        parts.push(format!("{} rejected", table::grouped(rejected)));
    }
    let word = match outcome.status {
        Status::Done => "done",
        Status::Rejects => "done, but not all is well",
        Status::Failed => "failed",
        Status::FailedPassing => "failed for a passing reason; run it again later",
        Status::Interrupted => "interrupted",
    };
    let colon = if parts.is_empty() { "" } else { ": " };
    format!("run {} {word}{colon}{}", outcome.run, parts.join(", "))
}
