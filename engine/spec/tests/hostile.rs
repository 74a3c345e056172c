//! Input made to exhaust the reader gets a diagnostic, soon, and on an ordinary stack; in debug builds, too.

use std::time::Duration;

use towpath_spec::document::read_pipeline;
use towpath_spec::yaml::MAX_BYTES;
use towpath_spec::{Files, codes, render_github, render_human, render_json};

/// Time this thread was on a processor, which a busy machine does not lengthen; the clock's time where Linux is not.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default(),
    }
}

/// Reads a text that must be refused with a code, within a second, snippets included.
#[track_caller]
fn refused(text: String, code: &str) {
    let mut files = Files::new();
    let id = files.add("hostile.yaml", text);
    let start = cpu_time();
    let (_, problems) = read_pipeline(&files, id);
    let rendered =
        render_human(&files, &problems, true) + &render_json(&files, &problems) + &render_github(&files, &problems);
    let took = cpu_time().saturating_sub(start);
    println!("{code} took {took:?}");
    let found: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
    assert!(found.contains(&code), "expected {code}, found {found:?}");
    assert!(took < Duration::from_secs(1), "took {took:?}");
    assert!(rendered.len() < 500_000, "{} bytes of diagnostics", rendered.len());
}

#[test]
fn alias_bomb() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    refused(text, codes::TOO_MANY_NODES);
}

#[test]
fn alias_bomb_of_text() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a, ".repeat(100_000));
    refused(text, codes::TOO_MANY_NODES);
}

#[test]
fn anchors_around_anchors() {
    let open: String = (0..60).map(|level| format!("&a{level} [")).collect();
    refused(format!("a: {open}{}{}\n", "x, ".repeat(100_000), "]".repeat(60)), codes::TOO_MANY_NODES);
}

#[test]
fn merge_bomb() {
    let mut text = String::from("a0: &a0 {k0: 1, j0: 2}\n");
    for level in 1..40 {
        let below = level - 1;
        text += &format!("a{level}: &a{level} {{<<: [*a{below}, *a{below}], k{level}: *a{below}}}\n");
    }
    refused(text, codes::TOO_MANY_NODES);
}

#[test]
fn deep_flow_lists() {
    refused("[".repeat(10_000), codes::TOO_DEEP);
    refused(format!("a: {}", "[".repeat(1_000_000)), codes::TOO_DEEP);
    refused("{a: ".repeat(1_000_000), codes::TOO_DEEP);
}

#[test]
fn deep_block_lists() {
    refused("- ".repeat(10_000), codes::TOO_DEEP);
    refused("- ".repeat(1_000_000), codes::TOO_DEEP);
    refused("? ".repeat(1_000_000), codes::TOO_DEEP);
}

#[test]
fn deep_block_mappings() {
    let text: String = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    refused(text, codes::TOO_DEEP);
}

#[test]
fn a_large_scalar() {
    refused(format!("a: {}", "x".repeat(100_000_000)), codes::FILE_TOO_LARGE);
    refused(format!("a: \"{}", "x".repeat(MAX_BYTES - 100)), codes::YAML_SYNTAX);
    refused(format!("version: 1\npipeline: {}\n", "x".repeat(MAX_BYTES - 100)), codes::INVALID_NAME);
    refused(format!("version: 1\npipeline: a\n? {}\n: b\n", "x".repeat(MAX_BYTES - 100)), codes::UNKNOWN_KEY);
    refused(format!("a: |\n{}\tb: {{\n", "  x y z\n".repeat(MAX_BYTES / 8 - 10)), codes::YAML_SYNTAX);
}

#[test]
fn a_large_comment() {
    refused(format!("a: 1\n#{}\nb: [", "x".repeat(MAX_BYTES - 100)), codes::YAML_SYNTAX);
    refused("#\n".repeat(MAX_BYTES / 2 - 10), codes::UNKNOWN_DOCUMENT);
}

#[test]
fn many_values() {
    refused("- x\n".repeat(1_000_000), codes::TOO_MANY_NODES);
    refused(format!("a: [{}]", "x, ".repeat(1_000_000)), codes::TOO_MANY_NODES);
}

#[test]
fn many_problems() {
    refused("a: 1\n".repeat(45_000), codes::DUPLICATE_KEY);
    let keys: String = (0..45_000).map(|at| format!("key{at}: 1\n")).collect();
    refused(format!("version: 1\npipeline: a\n{keys}"), codes::UNKNOWN_KEY);
    let sources: String = (0..20_000).map(|at| format!("  s{at}: {{path: 1}}\n")).collect();
    refused(format!("version: 1\npipeline: a\nsources:\n{sources}"), codes::TOO_MANY_PROBLEMS);
    let settings: String = (0..45_000).map(|at| format!("    k{at}: 1\n")).collect();
    refused(format!("version: 1\npipeline: a\nsources:\n  s:\n{settings}"), codes::MISSING_KEY);
}

#[test]
fn many_unquoted_templates() {
    refused("- {{ x }}\n".repeat(20_000), codes::UNQUOTED_TEMPLATE);
    refused(format!("- [{}", "{{ x }}, ".repeat(20_000)), codes::UNQUOTED_TEMPLATE);
}

#[test]
fn control_characters() {
    refused("version: 1\0\n".to_owned(), codes::CONTROL_CHARACTER);
    refused("version: \u{1b}[31m1\n".to_owned(), codes::CONTROL_CHARACTER);
    refused("\0".repeat(1_000_000), codes::CONTROL_CHARACTER);
}

#[test]
fn types_inside_types() {
    let ty = "list<".repeat(1_000_000);
    refused(
        format!("version: 1\npipeline: a\nsources: {{s: {{connector: csv, columns: {{a: \"{ty}\"}}}}}}"),
        codes::INVALID_TYPE,
    );
}

#[test]
fn oddities() {
    for text in [
        "%YAML 1.2\n---\na: 1",
        "*",
        "&",
        "!",
        "?",
        ":",
        "-",
        "\t",
        "---\n---\n",
        "...",
        "{",
        "]",
        "'",
        "\"\\",
        "a: |9\n x",
        "\u{feff}\u{feff}",
    ] {
        let mut files = Files::new();
        let id = files.add("odd.yaml", text);
        let (read, problems) = read_pipeline(&files, id);
        assert!(read.is_none() && !problems.is_empty(), "{text:?}");
        assert!(render_human(&files, &problems, false).contains("odd.yaml:"), "{text:?}");
    }
}
