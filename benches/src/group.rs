//! A group-by with more keys than memory is allowed for: how much it takes all the same.

use crate::Result;
use crate::bench::{Bench, Finding, Report, most, seconds};
use crate::numbers::roll;
use crate::table::{count, megabytes, size};
use std::io::Write;

/// Rows unless others are asked for. Two fifths as many keys.
const SIZES: [u64; 1] = [50_000_000];
/// Most resident memory, where `limits.memory` is 2 GiB.
const MEMORY: u64 = 3 << 30;

const PIPELINE: &str = r#"version: 1
pipeline: group
params:
  in: {type: text, default: sales.csv}
limits: {memory: 2GiB}
sources:
  sales:
    connector: csv
    path: "{{ params.in }}"
    columns: {customer: int, amount: int}
transforms:
  totals:
    input: sales
    steps:
      - aggregate: {by: [customer], values: {sales: count(), total: sum(amount), largest: max(amount)}}
sinks:
  out: {input: totals, connector: parquet, path: totals.parquet, compression: lz4}
"#;

/// Measures.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    for rows in bench.sizes(&SIZES) {
        let file = format!("sales-{rows}.csv");
        bench.data(&file, |out| {
            writeln!(out, "customer,amount")?;
            let customers = (rows * 2 / 5).max(1);
            (0..rows).try_for_each(|row| writeln!(out, "{},{}", roll(row) % customers, roll(row) >> 50))
        })?;
        let name = format!("group-by, {} rows", size(rows));
        let pipeline = bench.file("group.yaml", PIPELINE)?;
        let mut command = bench.run(&pipeline)?;
        command.args(["--param", &format!("in={file}")]);
        let taken = [bench.watch(report, &name, "towpath", &mut command)?];
        let peak = most(&taken, |taken| taken.resident);
        report.findings.push(Finding {
            bench: name,
            what: "resident memory",
            towpath: format!("{}, {} rows/s", megabytes(peak), count(rows as f64 / seconds(&taken))),
            other: "–".into(),
            result: megabytes(peak),
            target: "< 3221 MB",
            met: peak < MEMORY,
        });
        std::fs::remove_file(bench.folder.join("totals.parquet"))?;
    }
    Ok(())
}
