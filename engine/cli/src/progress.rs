//! What a person or a log sees of a run while it goes on.

use crate::args::{LogFormat, Shared};
use crate::{screen, table};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use towpath_run::{Event, Observer};

/// Lines about progress in a log are not closer together than this.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Bars on a terminal, lines elsewhere.
pub fn observer(shared: &Shared) -> Arc<dyn Observer> {
    if screen::is_watched() && !shared.quiet && shared.verbose == 0 && shared.log_format == LogFormat::Text {
        Arc::new(Bars { all: MultiProgress::new(), nodes: Mutex::default() })
    } else {
        // In a log each line stands for itself; beside text, the end of the command says it once for all.
        Arc::new(Lines { nodes: Mutex::default(), has_report: shared.log_format == LogFormat::Text })
    }
}

/// One spinner a node.
struct Bars {
    all: MultiProgress,
    nodes: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn with(&self, node: &str, what: impl FnOnce(&ProgressBar)) {
        let Ok(nodes) = self.nodes.lock() else { return };
        if let Some(bar) = nodes.get(node) {
            what(bar);
        }
    }

    fn say(&self, line: String) {
        // Without a terminal there are no bars, so this can only fail when the terminal is gone.
        let _ = self.all.println(line);
    }
}

impl Observer for Bars {
    fn event(&self, event: Event) {
        match event {
            Event::Started { node, kind } => {
                let template = "{spinner:.cyan} {prefix:<28} {pos:>12} rows  {per_sec:<18} {elapsed:>5}  {msg}";
                let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
                let bar = self.all.add(ProgressBar::new_spinner().with_style(style));
                bar.set_prefix(format!("{node} ({kind})"));
                bar.enable_steady_tick(Duration::from_millis(120));
                if let Ok(mut nodes) = self.nodes.lock() {
                    nodes.insert(node, bar);
                }
            }
            Event::Rows { node, rows } => self.with(&node, |bar| bar.inc(rows)),
            Event::Retrying { node, error, attempt, wait_millis } => self.with(&node, |bar| {
                bar.set_message(format!("try {attempt} in {}: {error}", table::duration(wait_millis)));
            }),
            Event::Finished { report } => self.with(&report.node, |bar| bar.finish_and_clear()),
            // What failed is told at the end.
            Event::Failed { node, .. } => self.with(&node, |bar| bar.finish_and_clear()),
            Event::Warning { node, message } => {
                self.say(format!("{} {node}: {message}", screen::style("warning:", "1;33")));
            }
            Event::Note { node, message } => self.say(format!("{node}: {message}")),
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // Nodes that are part of their reader's plan end without a word of their own.
        let _ = self.all.clear();
    }
}

/// Log lines.
struct Lines {
    /// Whether failures are told in the report at the end.
    has_report: bool,
    nodes: Mutex<HashMap<String, (u64, Instant)>>,
}

impl Observer for Lines {
    fn event(&self, event: Event) {
        match event {
            Event::Started { node, kind } => {
                tracing::debug!(node, kind, "started");
                if let Ok(mut nodes) = self.nodes.lock() {
                    nodes.insert(node, (0, Instant::now()));
                }
            }
            Event::Rows { node, rows } => {
                let Ok(mut nodes) = self.nodes.lock() else { return };
                let Some((all, last)) = nodes.get_mut(&node) else { return };
                *all += rows;
                if last.elapsed() >= LOG_EVERY {
                    *last = Instant::now();
                    tracing::info!(node, rows = *all, "going on");
                }
            }
            Event::Retrying { node, error, attempt, wait_millis } => {
                tracing::warn!(node, attempt, wait_millis, %error, "will try again");
            }
            Event::Finished { report } => {
                let c = report.counts;
                tracing::info!(
                    node = report.node,
                    rows_in = c.rows_in,
                    rows_out = c.rows_out,
                    filtered = c.filtered,
                    rejected = c.rejected,
                    skipped = c.skipped,
                    unknown = c.unknown,
                    millis = c.millis,
                    "finished"
                );
            }
            Event::Failed { .. } if self.has_report => {}
            Event::Failed { node, error } => {
                tracing::error!(node, help = error.help, "{error}");
            }
            Event::Warning { node, message } => tracing::warn!(node, "{message}"),
            Event::Note { node, message } => tracing::info!(node, "{message}"),
        }
    }
}
