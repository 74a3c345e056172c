//! What programs get to see.

use towpath_spec::{Diagnostic, Files, Span, render_github, render_human, render_json};

fn sample() -> (Files, Vec<Diagnostic>) {
    let mut files = Files::new();
    let first = files.add("a,b:c.yaml", "ä: 1\nnäme: 2\n");
    let second = files.add("z.yaml", "x: 1\n");
    let problems = vec![
        Diagnostic::warning("unread-node", Span::new(second, 0, 1), "nobody reads `x`"),
        Diagnostic::error("unknown-key", Span::new(first, 6, 11), "unknown key, 100% wrong")
            .label(Span::new(first, 0, 2), "here\tfirst")
            .help("did you mean `name`?"),
    ];
    (files, problems)
}

#[test]
fn json_has_one_object_a_line_in_order() {
    let (files, problems) = sample();
    let rendered = render_json(&files, &problems);
    let objects: Vec<serde_json::Value> =
        rendered.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(
        objects[0],
        serde_json::json!({
            "code": "unknown-key", "severity": "error", "message": "unknown key, 100% wrong", "file": "a,b:c.yaml",
            "line": 2, "column": 1, "end_line": 2, "end_column": 5, "help": "did you mean `name`?",
            "labels": [{"message": "here\tfirst", "file": "a,b:c.yaml", "line": 1, "column": 1}],
        })
    );
    assert_eq!((objects[1]["severity"].as_str(), &objects[1]["help"]), (Some("warning"), &serde_json::Value::Null));
}

#[test]
fn github_commands_are_escaped() {
    let (files, problems) = sample();
    assert_eq!(
        render_github(&files, &problems),
        "::error file=a%2Cb%3Ac.yaml,line=2,col=1,endLine=2,endColumn=5,title=unknown-key::unknown key, 100%25 wrong%0Ahelp: did you mean `name`?\n\
         ::warning file=z.yaml,line=1,col=1,endLine=1,endColumn=2,title=unread-node::nobody reads `x`\n"
    );
}

#[test]
fn colour_is_a_choice() {
    let (files, problems) = sample();
    assert!(render_human(&files, &problems, true).contains('\u{1b}'));
    let plain = render_human(&files, &problems, false);
    assert!(!plain.contains('\u{1b}') && plain.contains("a,b:c.yaml:2:1") && plain.contains("error[unknown-key]"));
    assert_eq!(render_human(&files, &[], true), "");
}
