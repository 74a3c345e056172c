//! Nested XML → Parquet, beside a bare scan of the same file's events.

mod data;
pub(crate) mod scan;

use crate::Result;
use crate::bench::{Bench, Finding, Pairs, Report, most, seconds};
use crate::csv::rows_of;
use crate::table::{count, megabytes, size};
use std::cell::RefCell;

/// Records unless other numbers are asked for: files of about 100 MB and 1 GB.
const SIZES: [u64; 2] = [170_000, 1_700_000];
/// What speed must be, as a share of the bare scan's.
const SPEED: f64 = 0.7;
/// Most resident memory.
const MEMORY: u64 = 300_000_000;

const PIPELINE: &str = r#"version: 1
pipeline: history-to-parquet
params:
  in: {type: text, default: history.xml}
sources:
  history:
    connector: xml
    path: "{{ params.in }}"
    records: //trainingRecord
    fields:
      record_id: "@id"
      parent_id: ^@id
      user_id: userId
      module_id: learningModule/id
      module_title: learningModule/title
      module_type: learningModule/type
      enrollment_date: enrollmentDate
      end_date: endDate
      overall_status: overallStatus
      score: score
sinks:
  out: {input: history, connector: parquet, path: history.parquet, compression: zstd}
"#;

/// Measures.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut peaks = Vec::new();
    for records in bench.sizes(&SIZES) {
        let input = bench.data(&data::name(records), |out| data::write(out, records))?;
        let bytes = std::fs::metadata(&input)?.len();
        let pairs = of_size(bench, report, records)?;
        let name = format!("xml, {}", megabytes(bytes));
        let rate = |runs| format!("{:.0} MB/s", bytes as f64 / 1e6 / seconds(runs));
        let speed = pairs.speed();
        let events: f64 = pairs.bare.first().and_then(|run| run.printed.trim().parse().ok()).unwrap_or_default();
        let events = count(events);
        report.findings.push(Finding {
            bench: name.clone(),
            what: "speed",
            towpath: rate(&pairs.towpath),
            other: format!("{}, {events} events", rate(&pairs.bare)),
            result: format!("{speed:.2} (CPU {:.2})", pairs.thrift()),
            target: "≥ 0.70",
            met: speed >= SPEED,
        });
        let peak = most(&pairs.towpath, |taken| taken.resident);
        report.findings.push(Finding {
            bench: name,
            what: "resident memory",
            towpath: megabytes(peak),
            other: megabytes(most(&pairs.bare, |taken| taken.resident)),
            result: megabytes(peak),
            target: "< 300 MB",
            met: peak < MEMORY,
        });
        peaks.push(peak);
    }
    report.growth("xml", "resident memory", &peaks);
    Ok(())
}

fn of_size(bench: &Bench, report: &mut Report, records: u64) -> Result<Pairs> {
    let input = data::name(records);
    let name = format!("xml {} records", size(records));
    let report = RefCell::new(report);
    let output = bench.folder.join("history.parquet");
    let pairs = bench.pairs(
        || {
            let pipeline = bench.file("xml.yaml", PIPELINE)?;
            let mut command = bench.run(&pipeline)?;
            command.args(["--param", &format!("in={input}")]);
            bench.watch(&mut report.borrow_mut(), &name, "towpath", &mut command)
        },
        || bench.watch(&mut report.borrow_mut(), &name, "quick-xml", bench.child("xml-scan").arg(&input)),
    )?;
    let rows = rows_of(&output)?;
    std::fs::remove_file(output)?;
    if rows as u64 == records { Ok(pairs) } else { Err(format!("{records} records gave {rows} rows").into()) }
}
