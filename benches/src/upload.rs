//! Records into Human Focus's stand-in, beside a bare loop that does the same POSTs.

pub(crate) mod bare;
mod data;
pub(crate) mod journal;
pub(crate) mod server;

use crate::Result;
use crate::bench::{Bench, Finding, Report, most, seconds};
use crate::memory::Taken;
use crate::table::{count, megabytes, size};
use server::Server;
use std::cell::RefCell;
use std::process::Command;

/// Records unless another number is asked for.
const SIZES: [u64; 1] = [20_000];
/// What requests per second must be, as a share of the bare loop's.
const SPEED: f64 = 0.6;
/// Requests under way at a time.
pub(crate) const CONCURRENCY: usize = 32;

/// Variables that say where the stand-in is.
pub(crate) const VARIABLES: [(&str, &str); 4] = [
    ("base_url", "HUMAN_FOCUS_URL"),
    ("organisation", "HUMAN_FOCUS_ORGANISATION"),
    ("username", "HUMAN_FOCUS_USER"),
    ("password", "HUMAN_FOCUS_PASSWORD"),
];

const PIPELINE: &str = r#"version: 1
pipeline: upload
params:
  in: {type: text, default: completions.jsonl}
connections:
  hf:
    connector: human-focus
    base_url: "{{ env.HUMAN_FOCUS_URL }}"
    organisation: "{{ env.HUMAN_FOCUS_ORGANISATION }}"
    username: "{{ env.HUMAN_FOCUS_USER }}"
    password: "{{ secret.HUMAN_FOCUS_PASSWORD }}"
    concurrency: 32
sources:
  completions: {connector: json, path: "{{ params.in }}", columns: {completed_at: datetime}}
sinks:
  upload:
    input: completions
    connection: hf
    operation: UploadExternalTraining
    concurrency: 32
    key: [user_id, title, completed_at]
    record:
      UserID: "{{ user_id }}"
      OrganID: "{{ organ_id }}"
      ProviderID: "{{ provider_id }}"
      TrainingID: "{{ training_id }}"
      ProviderName: "{{ provider }}"
      TrainingTitle: "{{ title }}"
      CompletionDate: "{{ completed_at | format_datetime('%Y-%m-%dT%H:%M:%S.000Z') }}"
      CompletionDateMonth: "{{ completed_at | format_datetime('%m') }}"
      CompletionDateYear: "{{ completed_at | format_datetime('%Y') }}"
      ValidityDuration: 24
"#;

/// Measures.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    for records in bench.sizes(&SIZES) {
        let name = format!("upload {}", size(records));
        let input = data::name(records);
        data::make(bench, records)?;
        let shared = RefCell::new(&mut *report);
        let pairs = bench.pairs(
            || {
                let pipeline = bench.file("upload.yaml", PIPELINE)?;
                let mut command = bench.run(&pipeline)?;
                command.args(["--param", &format!("in={input}")]);
                against(bench, &mut shared.borrow_mut(), (&name, "towpath"), &mut command, records)
            },
            || {
                let mut command = bench.child("bare-upload");
                command.arg(&input);
                against(bench, &mut shared.borrow_mut(), (&name, "reqwest loop"), &mut command, records)
            },
        )?;
        let rate = |runs: &[Taken]| count(records as f64 / seconds(runs));
        let speed = pairs.speed();
        report.findings.push(Finding {
            bench: format!("upload, {} records", size(records)),
            what: "requests/s",
            towpath: rate(&pairs.towpath),
            other: rate(&pairs.bare),
            result: format!("{speed:.2} (CPU {:.2})", pairs.thrift()),
            target: "≥ 0.60",
            met: speed >= SPEED,
        });
        report.findings.push(Finding {
            bench: format!("upload, {} records", size(records)),
            what: "resident memory",
            towpath: megabytes(most(&pairs.towpath, |taken| taken.resident)),
            other: megabytes(most(&pairs.bare, |taken| taken.resident)),
            result: "–".into(),
            target: "–",
            met: true,
        });
    }
    Ok(())
}

/// Runs a process against a stand-in of its own, which must have got every record once.
fn against(
    bench: &Bench,
    report: &mut Report,
    (name, who): (&str, &'static str),
    command: &mut Command,
    records: u64,
) -> Result<Taken> {
    let server = Server::start(bench)?;
    command.envs(server.variables());
    let taken = bench.watch(report, name, who, command)?;
    let books = server.stop()?;
    if books.uploads == records && books.refused == 0 {
        return Ok(taken);
    }
    Err(format!("{who}: of {records} records {} arrived and {} were refused", books.uploads, books.refused).into())
}
