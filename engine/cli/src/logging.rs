//! Log lines: on stderr, as text or JSON, with every known secret masked.

use crate::args::{LogFormat, Shared};
use std::io::Write;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Sets up logging for the whole process.
pub fn set_up(shared: &Shared) {
    let level = match (shared.quiet, shared.verbose) {
        (true, _) => "error",
        (false, 0) => "info",
        (false, 1) => "towpath=debug,towpath_run=debug,towpath_http=debug,info",
        (false, _) => "trace,hyper=info,h2=info,rustls=info,polars=info,mio=info",
    };
    let filter = EnvFilter::try_from_env("TOWPATH_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Masked).with_target(false);
    // A second call in one process, as tests make it, changes nothing.
    let _ = match shared.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.with_ansi(crate::screen::colour()).compact().try_init(),
    };
}

/// Writes to stderr what is left when secrets are taken out.
struct Masked;

/// One line on its way.
struct Line(Vec<u8>);

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let text = towpath_connector::redact(&String::from_utf8_lossy(&self.0));
        // Nothing can be done when stderr is gone.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
