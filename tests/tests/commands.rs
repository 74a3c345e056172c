//! Every command as a newcomer meets it.

use serde_json::Value;
use towpath_tests::{MAIN_JOB, Scratch, World, repository, towpath_binary, until};

/// A project as `init` makes it.
fn project() -> Scratch {
    let scratch = Scratch::new();
    scratch.run("init .").ended(0);
    scratch
}

#[test]
fn a_new_project_validates_runs_and_shows_what_it_did() {
    let scratch = Scratch::new();
    scratch.run("init made").ended(0).says("made/towpath.yaml");
    let towpath = |line: &str| towpath_tests::Towpath::in_folder(&scratch.at("made")).line(line);
    towpath("validate").run().ended(0).says("all well");
    towpath("run pipelines/first.yaml").run().ended(0);
    let rows = scratch.read("made/out/people.jsonl");
    assert!(!rows.is_empty());
    rows.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).expect("JSON lines")));

    let preview = towpath("preview pipelines/first.yaml clean --limit 2 --format json").run().ended(0);
    let first: Vec<Value> = rows.lines().take(2).map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(preview.json_lines(), first, "a preview shows what a run writes");
    let preview = towpath("preview pipelines/first.yaml clean").run().ended(0);
    assert!(preview.stdout.contains("name") && preview.stdout.contains("text"), "{}", preview.stdout);

    let runs = towpath("runs list --format json").run().ended(0).json_lines();
    assert_eq!(runs.len(), 1, "a preview is no run");
    assert_eq!(
        (&runs[0]["pipeline"], &runs[0]["status"], &runs[0]["exit_code"]),
        (&"first".into(), &"done".into(), &0.into())
    );
    let name = runs[0]["run"].as_str().expect("a name");
    let shown = towpath(&format!("runs show {}", &name[..8])).run().ended(0);
    assert!(shown.stdout.contains(name) && shown.stdout.contains("clean"), "{}", shown.stdout);
    towpath("rejects list").run().ended(0);
}

#[test]
fn init_leaves_a_project_alone() {
    let scratch = project();
    scratch.write("pipelines/first.yaml", "mine");
    scratch.run("init .").ended(2).says("is a project already");
    assert_eq!(scratch.read("pipelines/first.yaml"), "mine");
}

#[test]
fn a_preview_touches_nothing() {
    let world = World::new();
    let ran = world.towpath(&format!("preview {MAIN_JOB} matched --limit 3 --format json")).run().ended(0);
    assert_eq!(ran.json_lines().len(), 3);
    let ran = world.towpath(&format!("preview {MAIN_JOB} ready --limit 3")).run();
    assert!(ran.code.is_some() && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    let books = world.hf.books();
    assert_eq!(books["uploads"], Value::Array(vec![]));
    assert_eq!(books["requests"]["operations"]["AddExternalTrainingProvider"], Value::Null, "nothing was made");
    assert!(!world.scratch.at("state").exists(), "no state");
}

#[test]
fn rejects_are_listed_and_shown_with_their_rows() {
    let scratch = Scratch::new();
    scratch.write("in.csv", "id,n\n1,7\n2,seven\n");
    scratch.write(
        "p.yaml",
        "version: 1\npipeline: p\nsources:\n  in: {connector: csv, path: in.csv}\ntransforms:\n  t: {input: in, steps: \
         [{cast: {n: int}}]}\nsinks:\n  out: {input: t, connector: json, path: out.jsonl, max_rejects: 0}\n",
    );
    scratch.run("run p.yaml").ended(3).says("its limit of 0");
    let rejects = scratch.rejects();
    assert_eq!(rejects.len(), 1);
    let id = &rejects[0]["id"];
    let shown = scratch.run(&format!("rejects show {id}")).ended(0);
    assert!(shown.stdout.contains("seven") && shown.stdout.contains("\"id\": 2"), "{}", shown.stdout);
    scratch.run("rejects show 999").ended(2).says("there is no reject 999");
    let listed = scratch.run("rejects list --node t").ended(0);
    assert!(listed.stdout.contains("seven"), "{}", listed.stdout);
    scratch.run("rejects list --node in").ended(0).says("no open rejects");
}

#[test]
fn a_graph_is_drawn_in_two_languages() {
    let root = Scratch::new();
    let job = repository().join(MAIN_JOB);
    let graph = |line: &str| root.towpath("graph").args([&job]).line(line).run().ended(0).stdout;
    let mermaid = graph("");
    assert!(mermaid.starts_with("flowchart") || mermaid.starts_with("graph"), "{mermaid}");
    let dot = graph("--as dot");
    assert!(dot.starts_with("digraph") && dot.trim_end().ends_with('}'), "{dot}");
    for node in ["history", "completed", "matched", "create_provider", "all_trainings", "upload"] {
        assert!(mermaid.contains(node) && dot.contains(node), "{node} is drawn");
    }
    assert_eq!(root.files(), Vec::<std::path::PathBuf>::new(), "nothing is written");
}

#[test]
fn connectors_are_listed_and_shown() {
    let scratch = Scratch::new();
    let listed = scratch.run("connectors").ended(0).stdout;
    for name in ["csv", "json", "xml", "parquet", "peoplefluent", "human-focus"] {
        assert!(listed.contains(name), "{name}\n{listed}");
    }
    let shown = scratch.run("connectors show human-focus").ended(0).stdout;
    let names = [
        "Token",
        "GetOrganID",
        "GetUserGroups",
        "GetUserID",
        "GetUserDetails",
        "ListUsers",
        "GetCompletedTrainingResults",
        "GetUserTrainingHistory",
        "GetAllTrainings",
        "ListUploadedTrainings",
        "AddUser",
        "EditUser",
        "ArchiveOrRestoreUser",
        "AssignUserGroupsToUser",
        "CreateExternalTrainingProvider",
        "AddExternalTrainingDetails",
        "UploadCertificateFile",
        "UploadExternalTraining",
        "CreateUserGroup",
        "UpdateUserGroup",
        "AssignUsersToUserGroup",
        "CreateSiteLocation",
        "UpdateSiteLocation",
        "AssignUsersToSiteLocation",
        "CreateDepartment",
        "UpdateDepartment",
        "AssignUsersToDepartment",
    ];
    assert_eq!(names.len(), 27);
    for name in names {
        assert!(shown.contains(name), "{name}\n{shown}");
        if name != "Token" {
            let one = scratch.run(&format!("connectors show human-focus {name}")).ended(0).stdout;
            assert!(one.contains(name) && one.lines().count() > 3, "{one}");
        }
    }
    let shown = scratch.run("connectors show peoplefluent").ended(0).stdout;
    for name in ["trainingHistoryXml", "completedTrainingRecordsXml", "users200510Xml", "user200510Xml"] {
        assert!(shown.contains(name), "{name}\n{shown}");
    }
    scratch.run("connectors show human-fokus").ended(2).says("human-focus");
    scratch.run("connectors show human-focus UploadExternalTrainin").ended(2).says("UploadExternalTraining");
}

#[test]
fn completions_are_written_for_each_shell() {
    let scratch = Scratch::new();
    for (shell, part) in [("bash", "complete "), ("zsh", "#compdef towpath"), ("fish", "complete -c towpath")] {
        let script = scratch.run(&format!("completions {shell}")).ended(0).stdout;
        assert!(script.contains(part), "{shell}");
        assert!(script.contains("validate") && script.contains("rejects"), "{shell}");
    }
}

#[test]
fn every_code_is_explained() {
    let scratch = Scratch::new();
    let all = scratch.run("explain").ended(0).stdout;
    let codes: Vec<String> = std::fs::read_dir(repository().join("docs/errors"))
        .expect("the pages")
        .map(|page| page.expect("a page").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert!(codes.len() > 30);
    for code in codes {
        assert!(all.contains(&code), "{code} is listed");
        let page = scratch.run(&format!("explain {code}")).ended(0).stdout;
        assert!(page.len() > 80, "{code}: {page}");
    }
    scratch.run("explain unknown-kolumn").ended(2).says("unknown-column");
}

#[test]
fn findings_come_in_formats_for_machines() {
    let scratch = project();
    scratch.write("pipelines/first.yaml", "version: 1\npipeline: first\nsorces: {}\n");
    let findings = scratch.run("validate --format json").ended(78).json_lines();
    let finding = findings.iter().find(|finding| finding.to_string().contains("sorces")).expect("a finding");
    assert_eq!(finding["code"], "unknown-key", "{finding}");
    assert_eq!((&finding["line"], &finding["column"]), (&3.into(), &1.into()), "{finding}");
    assert!(finding["file"].as_str().is_some_and(|file| file.ends_with("pipelines/first.yaml")), "{finding}");
    let github = scratch.run("validate --format github").ended(78).stdout;
    let line = github.lines().find(|line| line.contains("sorces")).expect("an annotation");
    assert!(line.starts_with("::error file=pipelines/first.yaml,line=3,col=1"), "{line}");
}

#[test]
fn log_lines_are_json_when_asked_for() {
    let world = World::new();
    world.hf_faults("503:nth=2:op=GetUserID");
    let ran = world.job().line("--log-format json -v").run().ended(0);
    let mut kinds = 0;
    for line in ran.stderr.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["timestamp"].is_string() && entry["level"].is_string() && entry["message"].is_string(), "{line}");
        kinds += usize::from(entry["node"].is_string());
    }
    assert!(kinds > 10, "nodes are named: {}", ran.stderr);
}

#[test]
fn there_are_no_colours_where_nobody_looks() {
    let scratch = project();
    for line in ["validate", "run pipelines/first.yaml", "runs list", "connectors list"] {
        for towpath in [
            scratch.towpath(line),
            scratch.towpath(line).env("NO_COLOR", "1"),
            scratch.towpath(line).line("--no-color"),
        ] {
            let ran = towpath.run().ended(0);
            assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{line}\n{}", ran.stderr);
        }
    }
}

#[test]
fn validate_takes_files_and_folders_and_finds_all_problems() {
    let scratch = project();
    scratch.write("pipelines/more/second.yaml", "version: 1\npipeline: second\nsorces: {}\n");
    scratch.write("pipelines/more/third.yaml", "version: 1\npipeline: third\nsnks: {}\n");
    let ran = scratch.run("validate pipelines").ended(78);
    let ran = ran.says("sorces").says("snks").says("second.yaml:3:1").says("third.yaml:3:1");
    assert!(ran.stdout.is_empty(), "findings for people go to stderr: {}", ran.stdout);
    scratch.run("validate pipelines/first.yaml").ended(0);
    scratch.run("validate pipelines/more/second.yaml pipelines/first.yaml").ended(78).says("sorces");
    scratch.run("validate nowhere.yaml").ended(2).says("nowhere.yaml");
    // The pipelines that ship.
    scratch.towpath("validate").args([repository().join("pipelines")]).run().ended(0);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let scratch = Scratch::new();
    for line in ["", "rn", "run", "run --sandbox", "validate --formt json", "preview p.yaml", "graph p.yaml --as png"] {
        scratch.run(line).ended(2);
    }
    scratch.run("rn p.yaml").ended(2).says("run");
    let help = scratch.run("--help").ended(0).stdout;
    for command in [
        "init",
        "validate",
        "check",
        "run",
        "preview",
        "graph",
        "connectors",
        "sandbox",
        "runs",
        "rejects",
        "completions",
        "explain",
    ] {
        assert!(help.contains(command), "{command}");
        let own = scratch.run(&format!("{command} --help")).ended(0).stdout;
        assert!(own.contains("Usage"), "{own}");
    }
    let version = scratch.run("--version").ended(0).stdout;
    assert!(version.starts_with("towpath "), "{version}");
}

#[test]
fn commands_without_state_say_so() {
    let scratch = Scratch::new();
    for line in ["runs list", "runs show last", "rejects list"] {
        scratch.run(line).ended(0).says("no runs yet");
    }
    assert!(!scratch.at(".towpath").exists(), "asking makes nothing");
    project().run("run pipelines/first.yaml --state mysql://somewhere/x").ended(2).says("postgres");
}

#[test]
fn parameters_and_environments_are_filled_in() {
    let scratch = Scratch::new();
    scratch.write("in.csv", "id\n1\n2\n");
    scratch.write(
        "towpath.yaml",
        "version: 1\nproject: p\nparams:\n  least: {type: int, default: 1}\nenvironments:\n  prod:\n    params: {least: 2}\n",
    );
    scratch.write(
        "p.yaml",
        "version: 1\npipeline: p\nsources:\n  in: {connector: csv, path: in.csv}\ntransforms:\n  t: {input: in, steps: \
         [{filter: id >= params.least}]}\nsinks:\n  out: {input: t, connector: json, path: out.jsonl}\n",
    );
    for (flags, expected) in [
        ("", "{\"id\":1}\n{\"id\":2}\n"),
        ("--env prod", "{\"id\":2}\n"),
        ("--param least=3", ""),
        ("--env prod --param least=1", "{\"id\":1}\n{\"id\":2}\n"),
    ] {
        scratch.run(&format!("run p.yaml {flags}")).ended(0);
        assert_eq!(scratch.read("out.jsonl"), expected, "{flags}");
    }
    scratch.run("run p.yaml --param leest=3").ended(78).says("least");
    scratch.run("run p.yaml --param least=many").ended(78).says("least");
    scratch.run("run p.yaml --env prd").ended(78).says("prod");
}

#[test]
fn now_is_what_it_is_said_to_be() {
    let scratch = Scratch::new();
    scratch.write("in.csv", "id\n1\n");
    scratch.write(
        "p.yaml",
        "version: 1\npipeline: p\nsources:\n  in: {connector: csv, path: in.csv}\ntransforms:\n  t: {input: in, steps: \
         [{map: {day: \"{{ today() }}\"}}]}\nsinks:\n  out: {input: t, connector: json, path: out.jsonl}\n",
    );
    scratch.run("run p.yaml --now 2024-02-29T12:00:00Z").ended(0);
    assert_eq!(scratch.read("out.jsonl"), "{\"day\":\"2024-02-29\"}\n");
    scratch.run("run p.yaml --now yesterday").ended(2);
}

#[test]
fn a_limit_reads_no_more_than_that() {
    let scratch = Scratch::new();
    scratch.write("in.csv", "id\n1\n2\n3\n4\n");
    scratch.write(
        "p.yaml",
        "version: 1\npipeline: p\nsources:\n  in: {connector: csv, path: in.csv}\nsinks:\n  out: {input: in, connector: \
         json, path: out.jsonl}\n",
    );
    scratch.run("run p.yaml --limit 2").ended(0);
    assert_eq!(scratch.read("out.jsonl"), "{\"id\":1}\n{\"id\":2}\n");
}

#[test]
fn several_pipelines_run_one_after_the_other_and_the_worst_code_counts() {
    let scratch = project();
    scratch.write(
        "bad.yaml",
        "version: 1\npipeline: bad\nsources:\n  in: {connector: csv, path: nowhere.csv, columns: {id: int}}\nsinks:\n  \
         out: {input: in, connector: json, path: bad.jsonl}\n",
    );
    scratch.run("run pipelines/first.yaml pipelines/first.yaml").ended(0);
    assert_eq!(scratch.run("runs list --format json").json_lines().len(), 2);
    scratch.run("run bad.yaml pipelines/first.yaml").ended(1);
}

#[test]
fn the_stand_ins_of_the_command_line_remember() {
    // The one command of the README, twice.
    let scratch = Scratch::new();
    let run = || scratch.towpath("run --sandbox").args([repository().join(MAIN_JOB)]).run();
    run().ended(0).says("delivered");
    let again = run().ended(0).says("unchanged and not sent again");
    assert!(again.stderr.contains("done: 0 delivered"), "{}", again.stderr);
}

#[test]
fn the_sandbox_command_says_what_run_needs() {
    let scratch = Scratch::new();
    let running = scratch.towpath("sandbox --sandbox-records 40").start();
    // Lines for a shell: what a user would paste.
    let exports = || -> Vec<(String, String)> {
        let said = running.stdout();
        let pairs = said.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
    };
    // What the main job needs is said when its last line is.
    until("the stand-ins say where they are", || exports().iter().any(|(name, _)| name == "HUMAN_FOCUS_PASSWORD"));
    let job = scratch.towpath("run").args([repository().join(MAIN_JOB)]);
    let job = exports().into_iter().fold(job, |job, (name, value)| job.env(&name, value));
    let ran = job.run().ended(0);
    assert!(ran.stderr.contains("delivered") && !ran.stderr.contains("done: 0 delivered"), "{}", ran.stderr);
    job.run().ended(0).says("done: 0 delivered");
    running.signal("INT");
    let ran = running.wait();
    assert!(matches!(ran.code, Some(0 | 130)), "{:?} {}", ran.code, ran.stderr);
    job.run().ended(75).says("127.0.0.1:");
}

#[test]
fn the_reference_is_what_the_sources_say() {
    let folder = repository().join("docs/reference");
    if !folder.is_dir() {
        return;
    }
    let scratch = Scratch::new();
    scratch.towpath("reference --check").args([&folder]).run().ended(0);
    scratch.towpath("reference made").run().ended(0);
    let page = scratch.read("made/functions.md");
    scratch.write("made/functions.md", page.replacen("trim", "trym", 1));
    scratch.run("reference --check made").ended(1).says("functions.md");
}

#[test]
fn the_binary_is_where_it_should_be() {
    assert!(towpath_binary().is_file());
}
