//! What checking pipelines costs: one, and a project of two hundred.

use crate::Result;
use crate::bench::{Bench, Finding, Report, median_of};
use crate::table::megabytes;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Pipelines unless other numbers are asked for.
const SIZES: [u64; 2] = [1, 200];
/// Milliseconds of processor time for one.
const ONE: f64 = 50.0;
/// Milliseconds for more, by the clock and of processor time.
const MANY: f64 = 1000.0;
/// The pipeline of the main job.
const PIPELINE: &str = include_str!("../../pipelines/peoplefluent-to-human-focus.yaml");

/// Measures.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    for pipelines in bench.sizes(&SIZES) {
        let path = copies(bench, pipelines)?;
        let name = format!("validate {pipelines}");
        let runs =
            bench.repeated(|| bench.watch(report, &name, "towpath", bench.towpath().arg("validate").arg(&path)))?;
        let wall = median_of(&runs, |taken| taken.wall.as_secs_f64() * 1e3);
        let cpu = median_of(&runs, |taken| taken.cpu.as_secs_f64() * 1e3);
        let peak = crate::bench::most(&runs, |taken| taken.resident);
        let (target, most, compared) =
            if pipelines == 1 { ("CPU < 50 ms", ONE, cpu) } else { ("< 1000 ms", MANY, cpu.max(wall)) };
        let mut result = format!("{cpu:.0} ms CPU, {wall:.0} ms");
        let _ = write!(result, ", {}", megabytes(peak));
        report.findings.push(Finding {
            bench: format!("validate, {pipelines} pipelines"),
            what: "time, memory",
            towpath: result.clone(),
            other: "–".into(),
            result: format!("{compared:.0} ms"),
            target,
            met: compared < most,
        });
    }
    Ok(())
}

/// The pipeline itself, or a folder with so many of other names.
fn copies(bench: &Bench, pipelines: u64) -> Result<PathBuf> {
    if pipelines == 1 {
        return bench.file("one.yaml", PIPELINE);
    }
    let folder = bench.folder.join(format!("pipelines-{pipelines}"));
    std::fs::create_dir_all(&folder)?;
    for number in 0..pipelines {
        copy(&folder, number)?;
    }
    Ok(folder)
}

fn copy(folder: &Path, number: u64) -> Result<()> {
    let name = "pipeline: peoplefluent-to-human-focus";
    let text = PIPELINE.replacen(name, &format!("{name}-{number}"), 1);
    Ok(std::fs::write(folder.join(format!("pipeline-{number}.yaml")), text)?)
}
