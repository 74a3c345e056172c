//! Printing what came out, as Markdown.

use crate::bench::{Report, Run};
use crate::machine;
use comfy_table::{Table, presets::ASCII_MARKDOWN};

/// Prints the findings, then every run.
pub(crate) fn print(report: &Report) {
    println!("{} cores.\n", machine::cores());
    let mut findings = with(&["benchmark", "what", "towpath", "bare", "result", "target", "met"]);
    for finding in &report.findings {
        let met = if finding.met { "yes" } else { "no" };
        let (what, target) = (finding.what, finding.target);
        findings.add_row([&finding.bench, what, &finding.towpath, &finding.other, &finding.result, target, met]);
    }
    println!("{findings}\n");
    let mut runs = with(&["run", "process", "s", "CPU s", "RssAnon", "VmHWM", "max RSS", "others' cores", "load"]);
    for Run { bench, who, taken } in &report.runs {
        runs.add_row([
            bench.clone(),
            (*who).to_owned(),
            format!("{:.2}", taken.wall.as_secs_f64()),
            format!("{:.2}", taken.cpu.as_secs_f64()),
            megabytes(taken.anonymous),
            megabytes(taken.resident),
            megabytes(taken.max_resident),
            format!("{:.1}", taken.others),
            format!("{:.1}", taken.load),
        ]);
    }
    println!("{runs}");
}

fn with(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header.iter().copied());
    table
}

/// Bytes for people.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6)
}

/// A large number for people.
pub(crate) fn count(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{:.2} M", n / 1e6),
        n if n >= 1e4 => format!("{:.1} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// A number of rows as a name.
pub(crate) fn size(rows: u64) -> String {
    match rows {
        n if n >= 1_000_000 && n % 100_000 == 0 => format!("{} M", n as f64 / 1e6),
        n if n >= 1_000 && n % 100 == 0 => format!("{} k", n as f64 / 1e3),
        n => n.to_string(),
    }
}
