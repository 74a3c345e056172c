//! Reading is cheap enough that hundreds of pipelines validate within a second.

use towpath_spec::Files;
use towpath_spec::document::read_pipeline;

/// A pipeline of some hundred lines.
fn pipeline() -> String {
    let mut text =
        String::from("version: 1\npipeline: speed\nsources:\n  s: {connector: csv, path: \"in/*.csv\"}\ntransforms:\n");
    for node in 0..8 {
        text += &format!(
            "  t{node}:\n    input: s\n    steps:\n      - filter: a == {node} and b is not none\n      - map:\n"
        );
        for column in 0..6 {
            text += &format!("          c{column}: \"{{{{ column_{column} | trim | lower }}}}\"\n");
        }
        text += "      - sort: [c0, -c1]\n";
    }
    text
}

#[test]
fn a_hundred_lines_are_read_in_milliseconds() {
    let text = pipeline();
    assert!(text.lines().count() >= 80);
    let mut files = Files::new();
    let id = files.add("a.yaml", text);
    let once = || {
        let start = std::time::Instant::now();
        let (_, problems) = read_pipeline(&files, id);
        assert!(problems.is_empty(), "{problems:?}");
        start.elapsed()
    };
    let least = (0..20).map(|_| once()).min().unwrap_or_default();
    println!("{} lines in {least:?}", files.get(id).map_or(0, |file| file.text.lines().count()));
    // A release build has 5 ms; this limit holds for a debug build, which takes about one.
    assert!(least.as_millis() < 20, "took {least:?}");
}

#[test]
fn time_grows_with_the_size_and_not_faster() {
    let read = |copies: usize| {
        let one = pipeline();
        let steps: String = (0..copies).map(|_| "      - sort: [a, -b]\n").collect();
        let text = format!("{one}  big:\n    input: s\n    steps:\n{steps}");
        let mut files = Files::new();
        let id = files.add("a.yaml", text);
        let start = std::time::Instant::now();
        let (pipeline, problems) = read_pipeline(&files, id);
        assert!(pipeline.is_some() && problems.is_empty(), "{problems:?}");
        start.elapsed().as_secs_f64()
    };
    let least = |copies: usize| (0..5).map(|_| read(copies)).fold(f64::INFINITY, f64::min);
    let (small, large) = (least(1_000), least(10_000));
    // Ten times the text: a quadratic reader would take a hundred times as long.
    assert!(large < 30.0 * small, "1,000 steps took {small} s, 10,000 took {large} s");
}
