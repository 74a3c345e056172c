//! CSV → filter → four mapped fields → Parquet, beside the same plan written by hand.

pub(crate) mod by_hand;
mod data;
mod equal;

pub(crate) use equal::rows as rows_of;

use crate::Result;
use crate::bench::{Bench, Finding, Pairs, Report, most, seconds};
use crate::table::{count, megabytes, size};
use std::path::Path;

/// Rows unless others are asked for.
const SIZES: [u64; 2] = [1_000_000, 10_000_000];
/// Rows on which both must give the same.
const EQUAL: u64 = 200_000;
/// What speed must be, as a share of that by hand.
const SPEED: f64 = 0.9;
/// Most anonymous memory.
const MEMORY: u64 = 1_000_000_000;

const PIPELINE: &str = r#"version: 1
pipeline: csv-to-parquet
params:
  in: {type: text, default: people.csv}
  out: {type: text, default: out.parquet}
sources:
  people: {connector: csv, path: "{{ params.in }}"}
transforms:
  clean:
    input: people
    steps:
      - filter: score >= 20
      - map:
          login: "{{ first | trim | lower }}"
          joined: "{{ joined | to_date('%Y-%m-%d', '%d/%m/%Y') }}"
          status: "{{ status | map_values({'P': 'Passed', 'F': 'Failed', 'I': 'In progress', 'N': 'Not started'}) }}"
          name: "{{ first | trim }} {{ last | upper }}"
sinks:
  out: {input: clean, connector: parquet, path: "{{ params.out }}", compression: zstd}
"#;

/// Measures.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    both_equal(bench)?;
    let mut peaks = Vec::new();
    let sizes = bench.sizes(&SIZES);
    for rows in &sizes {
        let pairs = of_size(bench, report, *rows)?;
        let name = format!("csv, {} rows", size(*rows));
        let rate = |runs| count(*rows as f64 / seconds(runs));
        let speed = pairs.speed();
        report.findings.push(Finding {
            bench: name.clone(),
            what: "rows/s",
            towpath: rate(&pairs.towpath),
            other: rate(&pairs.bare),
            result: format!("{speed:.2} (CPU {:.2})", pairs.thrift()),
            // A small file shows what starting costs; the target is for a large one.
            target: if sizes.last() == Some(rows) { "≥ 0.90" } else { "–" },
            met: speed >= SPEED || sizes.last() != Some(rows),
        });
        let peak = most(&pairs.towpath, |taken| taken.anonymous);
        report.findings.push(Finding {
            bench: name,
            what: "anonymous memory",
            towpath: megabytes(peak),
            other: megabytes(most(&pairs.bare, |taken| taken.anonymous)),
            result: megabytes(peak),
            target: "< 1000 MB",
            met: peak < MEMORY,
        });
        peaks.push(peak);
    }
    report.growth("csv", "anonymous memory", &peaks);
    Ok(())
}

fn of_size(bench: &Bench, report: &mut Report, rows: u64) -> Result<Pairs> {
    let input = bench.data(&data::name(rows), |out| data::write(out, rows))?;
    let name = format!("csv {}", size(rows));
    let report = std::cell::RefCell::new(report);
    let (ours, theirs) = (bench.folder.join("towpath.parquet"), bench.folder.join("by-hand.parquet"));
    let pairs = bench.pairs(
        || bench.watch(&mut report.borrow_mut(), &name, "towpath", &mut towpath(bench, &input, &ours)?),
        || bench.watch(&mut report.borrow_mut(), &name, "Polars by hand", &mut polars(bench, &input, &theirs)),
    )?;
    if rows_of(&ours)? != rows_of(&theirs)? {
        return Err("towpath and the plan by hand gave different numbers of rows".into());
    }
    std::fs::remove_file(ours)?;
    std::fs::remove_file(theirs)?;
    Ok(pairs)
}

/// Ratios of processes that do different things mean nothing.
fn both_equal(bench: &Bench) -> Result<()> {
    let input = bench.data(&data::name(EQUAL), |out| data::write(out, EQUAL))?;
    let (ours, theirs) = (bench.folder.join("towpath.parquet"), bench.folder.join("by-hand.parquet"));
    crate::memory::watch(&mut towpath(bench, &input, &ours)?, &bench.folder)?;
    crate::memory::watch(&mut polars(bench, &input, &theirs), &bench.folder)?;
    if !equal::same(&ours, &theirs)? {
        return Err("towpath and the plan by hand gave different rows".into());
    }
    Ok(())
}

fn towpath(bench: &Bench, input: &Path, output: &Path) -> Result<std::process::Command> {
    let pipeline = bench.file("csv.yaml", PIPELINE)?;
    let mut command = bench.run(&pipeline)?;
    for (name, path) in [("in", input), ("out", output)] {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        command.args(["--param", &format!("{name}={file}")]);
    }
    Ok(command)
}

fn polars(bench: &Bench, input: &Path, output: &Path) -> std::process::Command {
    let mut command = bench.child("polars-csv");
    command.arg(input).arg(output);
    command
}
