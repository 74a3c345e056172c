//! What the terminal can do, and plain messages on it.

use std::io::IsTerminal;
use std::sync::OnceLock;

static COLOUR: OnceLock<bool> = OnceLock::new();

/// Decides about colours once: never with `--no-color`, `NO_COLOR`, or where stderr is no terminal.
pub fn set_up(no_color: bool) {
    let wanted = !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let _ = COLOUR.set(wanted && std::io::stderr().is_terminal());
}

/// When the reader of our output goes away (`towpath … | head`), there is nobody left to tell: the command ends there.
pub fn end_quietly_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>().map_or("", String::as_str);
        if message.starts_with("failed printing to stdout") {
            if message.contains("Broken pipe") {
                std::process::exit(0);
            }
            error(message, Some("the output could not be written; check where stdout goes"));
            std::process::exit(1);
        }
        usual(info);
    }));
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
    eprintln!("{} {message}", style("error:", "1;31"));
    if let Some(help) = help {
        eprintln!("{} {help}", style(" help:", "1;36"));
    }
}

/// Something worth knowing.
pub fn warning(message: &str) {
    eprintln!("{} {message}", style("warning:", "1;33"));
}
