//! What the journal costs: uploads with it and without, and the start of a run that finds a million receipts in it.

use super::server::Server;
use super::{PIPELINE, against, data};
use crate::Result;
use crate::bench::{Bench, Finding, Report, median_of, seconds};
use crate::memory::wait;
use crate::table::{count, size};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};

/// Records that are uploaded with and without a journal.
const SIZE: u64 = 20_000;
/// Share of the speed that is left with the journal, at least.
const SPEED: f64 = 0.85;
/// Receipts that are found.
const RECEIPTS: u64 = 1_000_000;
/// Seconds of processor time until the first record is sent, at most.
const START: f64 = 5.0;

/// Measures both.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    cost(bench, report)?;
    recovery(bench, report)
}

fn cost(bench: &Bench, report: &mut Report) -> Result<()> {
    let name = format!("journal {}", size(SIZE));
    let input = data::name(SIZE);
    data::make(bench, SIZE)?;
    let param = format!("in={input}");
    let pipeline = bench.file("upload.yaml", PIPELINE)?;
    let without = bench.without_journal()?;
    let shared = RefCell::new(&mut *report);
    let pairs = bench.pairs(
        || {
            let mut command = bench.run(&pipeline)?;
            against(bench, &mut shared.borrow_mut(), (&name, "with"), command.args(["--param", &param]), SIZE)
        },
        || {
            let mut command = bench.run_of(&without, &pipeline)?;
            against(bench, &mut shared.borrow_mut(), (&name, "without"), command.args(["--param", &param]), SIZE)
        },
    )?;
    let rate = |runs: &[_]| count(SIZE as f64 / seconds(runs));
    let speed = pairs.speed();
    report.findings.push(Finding {
        bench: format!("journal, {} records", size(SIZE)),
        what: "requests/s, with and without",
        towpath: rate(&pairs.towpath),
        other: rate(&pairs.bare),
        result: format!("{speed:.2} (CPU {:.2})", pairs.thrift()),
        target: "≥ 0.85",
        met: speed >= SPEED,
    });
    Ok(())
}

/// Runs that find what one before them has sent, and one record more: the first they come to, or the last. Each is killed when
/// that is under way.
fn recovery(bench: &Bench, report: &mut Report) -> Result<()> {
    let receipts = bench.sizes(&[RECEIPTS])[0];
    let all = receipts + 2 * u64::from(bench.repeat());
    data::make(bench, all)?;
    let mut lines = BufReader::new(File::open(bench.folder.join(data::name(all)))?).lines();
    let sent: Vec<String> = lines.by_ref().take(usize::try_from(receipts)?).collect::<std::io::Result<_>>()?;
    let new: Vec<String> = lines.collect::<std::io::Result<_>>()?;
    let input = |first: &[String], last: &[String]| -> Result<()> {
        let mut file = BufWriter::new(File::create(bench.folder.join("found.jsonl"))?);
        for line in first.iter().chain(&sent).chain(last) {
            writeln!(file, "{line}")?;
        }
        Ok(file.flush()?)
    };
    input(&[], &[])?;
    let pipeline = bench.file("upload.yaml", PIPELINE)?;
    let mut server = Server::start(bench)?;
    let mut fill = bench.run(&pipeline)?;
    fill.args(["--param", "in=found.jsonl"]).envs(server.variables());
    bench.watch(report, "recovery", "making receipts", &mut fill)?;
    let mut taken = [Vec::new(), Vec::new()];
    for (at, line) in new.chunks(1).enumerate() {
        if at % 2 == 0 {
            input(line, &[])?
        } else {
            input(&[], line)?
        }
        server.hold()?;
        let mut command = bench.run_again(&pipeline);
        command.args(["--param", "in=found.jsonl"]).envs(server.variables());
        taken[at % 2].push(until_it_sends(&mut command, &mut server)?);
        server.release()?;
    }
    for (taken, what, target) in
        [(&taken[0], "CPU until it sends", "< 5 s"), (&taken[1], "the same behind all of them", "–")]
    {
        let start = median_of(taken, |seconds| *seconds);
        report.findings.push(Finding {
            bench: format!("recovery, {} receipts", size(receipts)),
            what,
            towpath: format!("{start:.2} s"),
            other: "–".into(),
            result: format!("{start:.2} s"),
            target,
            met: target == "–" || start < START,
        });
    }
    server.stop().map(drop)
}

/// The processor time in seconds of a run that is killed when a record of it is on its way.
fn until_it_sends(command: &mut Command, server: &mut Server) -> Result<f64> {
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    server.until_held()?;
    run.kill()?;
    Ok(wait(run.id())?.cpu.as_secs_f64())
}
