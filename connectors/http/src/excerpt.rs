//! The first bytes of an answer, fit to be shown in an error.

use crate::policy::looks_like_html;
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

/// `: WORDS` of an error page, its tags and scripts left out; anything else as [`with_excerpt`] shows it.
pub(crate) fn with_words(body: &[u8]) -> String {
    if !looks_like_html(body) {
        return with_excerpt(body);
    }
    // Markup is long: the words may begin far behind the first bytes.
    let page = redact(&String::from_utf8_lossy(&body[..body.len().min(LENGTH * 80)]));
    match excerpt(words(&page).as_bytes()) {
        text if text.is_empty() => with_excerpt(body),
        text => format!(": {text}"),
    }
}

fn words(page: &str) -> String {
    let mut words = String::new();
    // Of the same length as the page, so that what is found in it is there in the page, too.
    let lower = page.to_ascii_lowercase();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once('<') {
        words.push_str(before);
        words.push(' ');
        let name = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        let end = match name.as_str() {
            "script" | "style" => format!("</{name}"),
            _ if after.starts_with("!--") => "-->".to_owned(),
            _ => ">".to_owned(),
        };
        let Some(at) = lower[page.len() - after.len()..].find(&end) else { return words };
        rest = after[at + end.len()..].trim_start_matches('>');
    }
    words.push_str(rest);
    let named = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(words, |words, (name, meant)| words.replace(name, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_an_error_page_are_shown() {
        let page = "<!DOCTYPE html><html><head><title>Bad Request</title><style>p {color: red}</style></head>\n<body>\
                    <script>if (a > b) { c(); }</script><!-- <p>secret</p> --><h1>Bad  Request</h1><p>Learner&nbsp;7 &amp; others: no \
                    e-mail</p></body></html>";
        assert_eq!(with_words(page.as_bytes()), ": Bad Request Bad Request Learner 7 & others: no e-mail");
        assert_eq!(with_words(b"<html><body></body></html>"), ": <html><body></body></html>");
        assert_eq!(with_words(b"{\"a\": 1}"), ": {\"a\": 1}");
        assert_eq!(with_words(b"<html><p>cut <scri"), ": cut");
    }

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
