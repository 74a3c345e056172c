//! Reading an API: a thousand pages, and ten thousand calls, each beside a bare loop that makes the same calls.

pub(crate) mod bare;
pub(crate) mod server;

use crate::Result;
use crate::bench::{Bench, Finding, Report, most, seconds};
use crate::memory::Taken;
use crate::served::Served;
use crate::table::{count, megabytes, size};
use serde_json::Value;
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;

/// Records of a page.
pub(crate) const PAGE: u64 = 1_000;
/// Calls under way at a time.
pub(crate) const CONCURRENCY: usize = 32;
/// Results of a person.
pub(crate) const RESULTS: u64 = 3;
/// The variable that says where the server is.
pub(crate) const VARIABLE: &str = "BENCH_API_URL";
/// Bytes of resident memory that are allowed.
const MEMORY: u64 = 250_000_000;

const DEFINITION: &str = r#"version: 1
connector: bench-api
config: {base_url: {type: text, required: true}}
streams:
  people:
    request: {path: /people, query: {key: "{{ page.key }}"}}
    record_selector: {records: "$.items[*]"}
    paginator: {type: key, from: $.next}
    schema: &person {id: int, name: text, email: text, department: text, active: bool, score: float, updated: datetime}
    key: id
  results:
    request: {path: "/people/{{ params.person }}/results"}
    params: {person: {type: int, required: true}}
    partition_router: {stream: people, params: {person: id}, take: {person: id}}
    record_selector: {records: "$.items[*]"}
    schema: {course: text, score: float, passed: bool}
"#;

/// A way to read it.
struct Kind {
    /// The benchmark's name.
    name: &'static str,
    stream: &'static str,
    /// The bare competitor.
    child: &'static str,
    /// Sizes unless others are asked for: pages, or people.
    sizes: [u64; 1],
    /// What the speed must be, as a share of the bare loop's.
    speed: f64,
    target: &'static str,
    /// Rows that come out.
    rows: fn(u64) -> u64,
    /// People there are.
    people: fn(u64) -> u64,
    what: &'static str,
    memory: bool,
}

const PAGES: Kind = Kind {
    name: "pages",
    stream: "people",
    child: "bare-pages",
    sizes: [1_000],
    speed: 0.8,
    target: "≥ 0.80",
    rows: |pages| pages * PAGE,
    people: |pages| pages * PAGE,
    what: "rows/s",
    memory: true,
};

const FAN_OUT: Kind = Kind {
    name: "fan-out",
    stream: "results",
    child: "bare-fan-out",
    sizes: [10_000],
    speed: 0.6,
    target: "≥ 0.60",
    rows: |people| people * RESULTS,
    people: |people| people,
    what: "rows/s",
    memory: false,
};

/// Measures a read by pages.
pub(crate) fn pages(bench: &Bench, report: &mut Report) -> Result<()> {
    measure(bench, report, &PAGES)
}

/// Measures calls for each record of a parent.
pub(crate) fn fan_out(bench: &Bench, report: &mut Report) -> Result<()> {
    measure(bench, report, &FAN_OUT)
}

fn measure(bench: &Bench, report: &mut Report, kind: &Kind) -> Result<()> {
    let pipeline = project(bench, kind)?;
    for number in bench.sizes(&kind.sizes) {
        let name = format!("{} {}", kind.name, size(number));
        let people = (kind.people)(number);
        let rows = (kind.rows)(number);
        let shared = RefCell::new(&mut *report);
        let pairs = bench.pairs(
            || {
                let mut command = bench.run(&pipeline)?;
                let taken = against(bench, &mut shared.borrow_mut(), (&name, "towpath"), &mut command, people)?;
                written(&pipeline, rows)?;
                Ok(taken)
            },
            || {
                let mut command = bench.child(kind.child);
                command.arg(rows.to_string());
                against(bench, &mut shared.borrow_mut(), (&name, "reqwest loop"), &mut command, people)
            },
        )?;
        let rate = |runs: &[Taken]| count(rows as f64 / seconds(runs));
        let speed = pairs.speed();
        report.findings.push(Finding {
            bench: name.clone(),
            what: kind.what,
            towpath: rate(&pairs.towpath),
            other: rate(&pairs.bare),
            result: format!("{speed:.2} (CPU {:.2})", pairs.thrift()),
            target: kind.target,
            met: speed >= kind.speed,
        });
        let peak = most(&pairs.towpath, |taken| taken.resident);
        report.findings.push(Finding {
            bench: name,
            what: "resident memory",
            towpath: megabytes(peak),
            other: megabytes(most(&pairs.bare, |taken| taken.resident)),
            result: if kind.memory { megabytes(peak) } else { "–".into() },
            target: if kind.memory { "< 250 MB" } else { "–" },
            met: !kind.memory || peak < MEMORY,
        });
    }
    Ok(())
}

/// A project with the definition and a pipeline.
fn project(bench: &Bench, kind: &Kind) -> Result<PathBuf> {
    std::fs::create_dir_all(bench.folder.join("api/connectors"))?;
    bench.file("api/connectors/bench-api.yaml", DEFINITION)?;
    bench.file("api/towpath.yaml", "version: 1\nproject: bench-api\n")?;
    let (name, stream) = (kind.name, kind.stream);
    let pipeline = format!(
        "version: 1\npipeline: {name}\nconnections:\n  api: {{connector: bench-api, base_url: \"{{{{ env.{VARIABLE} }}}}\", concurrency: {CONCURRENCY}}}\nsources:\n  rows: {{connection: api, stream: {stream}}}\nsinks:\n  file: {{input: rows, connector: parquet, path: {name}.parquet}}\n"
    );
    bench.file(&format!("api/{name}.yaml"), &pipeline)
}

/// Runs a process against a server of its own.
fn against(
    bench: &Bench,
    report: &mut Report,
    (name, who): (&str, &'static str),
    command: &mut Command,
    people: u64,
) -> Result<Taken> {
    let server = Served::start(bench, "api", &[people.to_string()])?;
    let url = server.start["url"].as_str().ok_or("the server has no address")?;
    command.env(VARIABLE, url);
    let taken = bench.watch(report, name, who, command)?;
    let books: Value = server.stop()?;
    eprintln!("{name}: {who}: {} calls", books["calls"]);
    Ok(taken)
}

/// Checks what was written, and removes it.
fn written(pipeline: &std::path::Path, expected: u64) -> Result<()> {
    use polars::prelude::{LazyFrame, PlRefPath, ScanArgsParquet, len};
    let path = pipeline.with_extension("parquet");
    let scan = LazyFrame::scan_parquet(PlRefPath::new(path.to_string_lossy().as_ref()), ScanArgsParquet::default())?;
    let rows = scan.select([len()]).collect()?;
    let rows: u64 = rows.columns()[0].get(0)?.try_extract()?;
    std::fs::remove_file(&path)?;
    if rows == expected { Ok(()) } else { Err(format!("{rows} rows were written, expected {expected}").into()) }
}
