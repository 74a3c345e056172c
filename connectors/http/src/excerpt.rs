//! The first bytes of an answer, fit to be shown in an error.

use towpath_connector::redact;

/// Characters shown.
const LENGTH: usize = 200;

/// The first characters of a body: secrets masked, control characters and runs of white space as one space.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(LENGTH * 8)];
    let text = redact(&String::from_utf8_lossy(head));
    let mut out = String::new();
    let mut characters = 0;
    for c in text.trim().chars() {
        let c = if c.is_control() || c.is_whitespace() { ' ' } else { c };
        if c == ' ' && out.ends_with(' ') {
            continue;
        }
        if characters == LENGTH {
            out.push('…');
            break;
        }
        out.push(c);
        characters += 1;
    }
    out
}

/// `: FIRST BYTES`, or `, with an empty body`.
pub(crate) fn with_excerpt(body: &[u8]) -> String {
    match excerpt(body) {
        text if text.is_empty() => ", with an empty body".to_owned(),
        text => format!(": {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_short_clean_and_without_secrets() {
        towpath_connector::register_secret("hunter2-marker");
        let body = format!("<html>\r\n\t\x1b[31mpassword=hunter2-marker\0 {}", "x".repeat(1000));
        let shown = excerpt(body.as_bytes());
        assert!(shown.starts_with("<html> [31mpassword=••• x"), "{shown}");
        assert!(!shown.contains('\x1b') && shown.chars().count() == LENGTH + 1);
        assert_eq!(with_excerpt(b"  \n"), ", with an empty body");
    }

    #[test]
    fn a_secret_cut_by_the_limit_does_not_show_its_beginning() {
        towpath_connector::register_secret("another-marker-of-secrecy");
        let body = format!("{}another-marker-of-secrecy", "y".repeat(LENGTH - 4));
        assert!(!excerpt(body.as_bytes()).contains("anot"));
    }
}
