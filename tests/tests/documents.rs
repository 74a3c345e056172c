//! Whole files as rows and rows as whole files: every byte survives every way, and no name leads out of the folder.

use serde_json::{Value, json};
use std::path::Path;
use towpath_tests::{Ran, Scratch, node};

const COPY: &str = r#"
version: 1
pipeline: copy
sources:
  files: {connector: documents, path: "certs/*"}
transforms:
  shaped:
    input: files
    steps:
      - filter: size >= 0
      - map: {file: "{{ name | upper }}", what: "{{ content }}", also: "{{ content | base64_encode }}", bytes: "{{ size }}", from: "{{ path }}"}
      - set: {again: "{{ what }}"}
sinks:
  copies: {input: shaped, connector: documents, folder: out/copies, name: file, content: what}
  packed: {input: shaped, connector: parquet, path: packed.parquet}
  listed: {input: shaped, connector: json, path: listed.json}
"#;

const BACK: &str = r#"
version: 1
pipeline: back
sources:
  packed: {connector: parquet, path: packed.parquet}
sinks:
  files: {input: packed, connector: documents, folder: back, name: file, content: again}
"#;

/// A file of each kind: every byte, nothing, text, and more than one batch may hold.
fn certificates() -> Vec<(&'static str, Vec<u8>)> {
    let all: Vec<u8> = (0..=255).collect();
    let large = all.iter().cycle().map(|byte| byte.wrapping_mul(31)).take(3 << 20).collect();
    vec![("all.bin", all), ("empty.pdf", Vec::new()), ("hello.txt", b"hello".to_vec()), ("large.pdf", large)]
}

fn run(scratch: &Scratch, name: &str, text: &str, code: i32) -> Ran {
    let file = scratch.write(&format!("{name}.yaml"), text);
    scratch.towpath("run").args([file]).run().ended(code)
}

fn bytes(scratch: &Scratch, path: &str) -> Vec<u8> {
    std::fs::read(scratch.at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder, hidden ones too.
fn names(scratch: &Scratch, folder: &str) -> Vec<String> {
    let folder = scratch.at(folder);
    let below = |file: &Path| file.strip_prefix(&folder).map(|file| file.display().to_string()).ok();
    scratch.files().iter().filter_map(|file| below(file)).collect()
}

#[test]
fn every_byte_survives_every_way() {
    let scratch = Scratch::new();
    for (name, content) in certificates() {
        scratch.write(&format!("certs/{name}"), content);
    }
    scratch.write("copy.yaml", COPY);
    scratch.run("validate copy.yaml").ended(0).says("all well");
    run(&scratch, "copy", COPY, 0);
    run(&scratch, "back", BACK, 0);
    for (name, content) in certificates() {
        let name = name.to_uppercase();
        assert!(bytes(&scratch, &format!("out/copies/{name}")) == content, "{name} over steps and a stage");
        assert!(bytes(&scratch, &format!("back/{name}")) == content, "{name} over Parquet");
    }
    assert_eq!(names(&scratch, "out/copies").len(), 4, "nothing else is left in the folder");

    let lines = scratch.read("listed.json");
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("a JSON record")).collect();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(row["what"], row["also"], "bytes are base64 in a JSON record");
    }
    assert_eq!(rows[2]["what"], "aGVsbG8=");
    assert_eq!(rows[2]["from"], "certs/hello.txt");
    assert_eq!([&rows[1]["what"], &rows[1]["bytes"]], [&json!(""), &json!(0)]);
}

const LETTERS: &str = r#"
version: 1
pipeline: letters
sources:
  letters: {connector: json, path: letters.json, columns: {name: text, content: text, number: int}}
transforms:
  checked:
    input: letters
    steps:
      - check: [{name: small, expect: number < 100, else: fail}]
sinks:
  files: {input: checked, connector: documents, folder: out}
  refused: {input: files.rejects, connector: json, path: refused.json}
"#;

fn letters(rows: &[(&str, Option<&str>)]) -> String {
    let line = |(number, (name, content)): (usize, &(&str, Option<&str>))| {
        json!({"name": name, "content": content, "number": number}).to_string()
    };
    rows.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let scratch = Scratch::new();
    scratch.write("secret.txt", "as it was");
    scratch.write("out/folder/in it", "as it was");
    scratch.write("out/old.txt", "old");
    scratch.write("out/other.txt", "other");
    #[cfg(unix)]
    for (link, to) in [("out/link.txt", "secret.txt"), ("out/way", "elsewhere")] {
        std::fs::create_dir_all(scratch.at("elsewhere")).expect("a folder");
        std::os::unix::fs::symlink(scratch.at(to), scratch.at(link)).expect("a link");
    }
    let absolute = scratch.at("secret.txt").display().to_string();
    let bad = [
        ("../secret.txt", "leads out of the folder"),
        ("a/../../secret.txt", "leads out of the folder"),
        (absolute.as_str(), "leads out of the folder"),
        ("..", "leads out of the folder"),
        ("..\\secret.txt", "has a `\\`"),
        ("", "the name is empty"),
        ("a\u{0}b", "control character"),
        ("folder", "is a folder"),
        ("old.txt/new", "is a file, not a folder"),
        ("link.txt", "is a link"),
        ("way/new.txt", "is a link"),
        ("new.txt", "same name"),
        ("new.txt/below", "the other's folder"),
        ("2024", "the other's folder"),
    ];
    let mut rows = vec![("new.txt", Some("new")), ("2024/a b.txt", Some("deep")), ("old.txt", Some("newer"))];
    rows.extend(bad.iter().map(|(name, _)| (*name, Some("stolen"))));
    rows.push(("nothing.txt", None));
    scratch.write("letters.json", letters(&rows));
    run(&scratch, "letters", LETTERS, 0);

    assert_eq!(scratch.read("secret.txt"), "as it was");
    assert_eq!(std::fs::read_dir(scratch.at("elsewhere")).expect("a folder").count(), 0);
    assert_eq!(scratch.read("out/new.txt"), "new");
    assert_eq!(scratch.read("out/2024/a b.txt"), "deep");
    assert_eq!(scratch.read("out/old.txt"), "newer");
    assert_eq!(scratch.read("out/other.txt"), "other", "what is not written stays");

    let last = scratch.last_run();
    let figures = ["rows_in", "rows_out", "rejected"].map(|figure| node(&last, "files")[figure].clone());
    assert_eq!(figures, [json!(18), json!(3), json!(15)]);
    let refused = scratch.read("refused.json");
    let refused: Vec<Value> = refused.lines().map(|line| serde_json::from_str(line).expect("a reject")).collect();
    assert_eq!(refused.len(), 15);
    for ((name, why), reject) in bad.iter().zip(&refused) {
        let reason = reject["reason"].as_str().expect("a reason");
        assert!(reason.contains(why), "{name:?}: {reason}");
        assert!(!reject["row"].to_string().contains("stolen"), "what is in a file is not kept a second time: {reject}");
    }
    assert_eq!(refused[14]["reason"], "there is nothing to write");
}

#[test]
fn a_run_that_fails_leaves_the_folder_as_it_was() {
    let scratch = Scratch::new();
    scratch.write("out/letter-0.txt", "as it was");
    // What a run that was killed left behind.
    scratch.write("out/.towpath-letters-files/7", "half a fi");
    let names_of: Vec<String> = (0..=100).map(|number| format!("letter-{number}.txt")).collect();
    let rows: Vec<_> = names_of.iter().map(|name| (name.as_str(), Some("new"))).collect();
    scratch.write("letters.json", letters(&rows));
    run(&scratch, "letters", LETTERS, 1).says("small");
    assert_eq!(scratch.read("out/letter-0.txt"), "as it was");
    assert_eq!(names(&scratch, "out"), ["letter-0.txt"]);

    scratch.write("letters.json", letters(&rows[..100]));
    run(&scratch, "letters", LETTERS, 0);
    assert_eq!(names(&scratch, "out").len(), 100);
    assert_eq!(scratch.read("out/letter-0.txt"), "new");
}

#[test]
fn what_is_wrong_is_said_before_a_run() {
    let scratch = Scratch::new();
    let wrong = [
        ("folder: out", "folder: out, content: letter", "there is no column `letter`"),
        ("folder: out", "folder: out, name: nmae", "did you mean `name`"),
        ("folder: out", "folder: out, content: number", "column `number` is int, and `content` expects binary or text"),
        ("folder: out", "fodler: out", "did you mean `folder`"),
        ("folder: out", "folder: out, key: name", "`key` names records of an operation"),
    ];
    scratch.write("letters.json", letters(&[("a", Some("b"))]));
    for (from, to, said) in wrong {
        let file = scratch.write("wrong.yaml", LETTERS.replace(from, to));
        scratch.towpath("validate").args([file]).run().ended(78).says(said);
    }
    let columns = COPY.replace("\"certs/*\"", "\"certs/*\", columns: {name: text}");
    let file = scratch.write("columns.yaml", columns);
    scratch.towpath("validate").args([file]).run().ended(78).says("which nothing changes");
    // Without a file it is valid, and cannot be run.
    let file = scratch.write("copy.yaml", COPY);
    scratch.towpath("validate").args([file.clone()]).run().ended(0).says("no file matches `certs/*`");
    scratch.towpath("run").args([file]).run().ended(1).says("no file matches `certs/*`");
    assert!(!scratch.at("out").exists(), "nothing is made before there is something to write");
}
