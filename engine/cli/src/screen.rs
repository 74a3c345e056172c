//! What the terminal can do, and plain messages on it, all of them without secrets.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::sync::OnceLock;
use towpath_connector::redact;

static COLOUR: OnceLock<bool> = OnceLock::new();

/// Decides about colours once: never with `--no-color`, `NO_COLOR`, or where stderr is no terminal.
pub fn set_up(no_color: bool) {
    let wanted = !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let _ = COLOUR.set(wanted && std::io::stderr().is_terminal());
}

/// What is said when the program itself fails. When the reader of our output goes away (`towpath … | head`), there is
/// nobody left to tell: the command ends there.
pub fn tell_crashes_without_secrets() {
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>().map_or("", String::as_str);
        if message.starts_with("failed printing to stdout") {
            if message.contains("Broken pipe") {
                std::process::exit(0);
            }
            error(message, Some("the output could not be written; check where stdout goes"));
            std::process::exit(1);
        }
        // Not by the usual hook: what a panic says may hold what it stumbled over.
        let thread = std::thread::current();
        let crash = crash_message(thread.name(), &info.to_string(), &Backtrace::capture());
        eprintln!("{crash}");
    }));
}

/// What is said of a crash: a bug of ours, never a secret of the user's.
fn crash_message(thread: Option<&str>, what: &str, trace: &Backtrace) -> String {
    let trace = match trace.status() {
        BacktraceStatus::Captured => trace.to_string(),
        _ => "set RUST_BACKTRACE=1 to see where it came from".to_owned(),
    };
    let said = format!("thread `{}` {what}\nthis is a bug of Towpath; {trace}", thread.unwrap_or("unnamed"));
    redact(&said)
}

/// Whether messages have colours.
pub fn colour() -> bool {
    COLOUR.get().copied().unwrap_or(false)
}

/// Whether a person watches stderr.
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Text in a style (an ANSI code), where there are colours.
pub fn style(text: &str, code: &str) -> String {
    if colour() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// An error with what to do about it.
pub fn error(message: &str, help: Option<&str>) {
    eprintln!("{} {}", style("error:", "1;31"), redact(message));
    if let Some(help) = help {
        eprintln!("{} {}", style(" help:", "1;36"), redact(help));
    }
}

/// Something worth knowing.
pub fn warning(message: &str) {
    eprintln!("{} {}", style("warning:", "1;33"), redact(message));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set where this test runs itself a second time, to crash there.
    const CRASH: &str = "TOWPATH_TEST_CRASH";

    #[test]
    fn a_crash_tells_no_secret() {
        if std::env::var_os(CRASH).is_some() {
            towpath_connector::register_secret("planted/crash marker");
            tell_crashes_without_secrets();
            panic!("cannot read planted/crash marker of planted%2Fcrash%20marker");
        }
        let test = std::env::current_exe().expect("a test knows its own file");
        let this = "screen::tests::a_crash_tells_no_secret";
        for trace in ["0", "1"] {
            let mut again = Command::new(&test);
            again.args(["--exact", this, "--nocapture"]).env(CRASH, "1").env("RUST_BACKTRACE", trace);
            let output = again.output().expect("the test runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
            assert!(!output.status.success(), "{said}");
            assert!(said.contains("cannot read ••• of •••") && said.contains("a bug of Towpath"), "{said}");
            assert!(!said.contains("planted"), "{said}");
            assert_eq!(said.contains("core::panicking") || said.contains("panic_fmt"), trace == "1", "{said}");
        }
    }
}
