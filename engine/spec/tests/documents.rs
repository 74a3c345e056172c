//! What was written arrives: every key of every document, in its type.

use towpath_spec::document::{
    Cardinality, CheckElse, Direction, DocumentKind, JoinHow, Keep, MaxRejects, Missing, OnError, Pipeline, Project,
    Rate, Scalar, StepKind, Target, Tolerance, Unlisted, Value, document_kind, read_pipeline, read_project,
};
use towpath_spec::{Files, Type, parse_yaml, render_human};

fn pipeline(text: &str) -> Pipeline {
    let mut files = Files::new();
    let id = files.add("a.yaml", text);
    let (pipeline, problems) = read_pipeline(&files, id);
    assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
    pipeline.expect("a pipeline")
}

fn project(text: &str) -> Project {
    let mut files = Files::new();
    let id = files.add("a.yaml", text);
    let (project, problems) = read_project(&files, id);
    assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
    project.expect("a project")
}

/// The steps of a transform, each given as one YAML list item.
fn steps(items: &str) -> Vec<StepKind> {
    let indented: String = items.lines().map(|line| format!("      {line}\n")).collect();
    let text =
        format!("version: 1\npipeline: a\nsources: {{}}\ntransforms:\n  t:\n    input: x\n    steps:\n{indented}");
    pipeline(&text).transforms.remove(0).steps.into_iter().map(|step| step.kind).collect()
}

const NIGHTLY: &str = r#"version: 1
pipeline: completed-training
description: Nightly upload.
x-owner: {team: data}
params:
  organisation: {type: text, default: acme, description: whose}
  days: 7
  since: {type: date}
connections:
  lms: {connector: peoplefluent, base_url: "{{ env.URL }}", system_key: "{{ secret.KEY }}", x-note: a}
sources:
  history:
    connection: lms
    stream: trainingHistoryXml
    with: {organizationId: "{{ params.organisation }}"}
    incremental: {cursor: endDate, lookback: PT1H, start: 2024-01-01}
    columns: {id: int, tags: list<text>}
    page_size: 50
  again: {connector: csv, path: "in/*.csv", incremental: true}
  whole: {connector: csv, path: a.csv, incremental: false}
transforms:
  completed:
    input: history
    steps:
      - filter: overall_status in ['completed'] and end_date is not none
sinks:
  upload:
    input: completed
    connection: hf
    operation: UploadExternalTraining
    key: [person, title]
    record: {UserID: "{{ user_id }}", Odd: [1, {a: b}]}
    concurrency: 4
    rate: 600/min
    on_error: fail
    max_rejects: 1%
    on_unknown: hold
  table: {input: completed.rejects, connection: dw, table: t, mode: merge, key: person, max_rejects: 10}
limits: {memory: 2GiB, concurrency: 4, retries: 5}
tests: [{name: a}]
"#;

#[test]
fn a_pipeline_in_full() {
    let pipeline = pipeline(NIGHTLY);
    assert_eq!(pipeline.name.value, "completed-training");
    assert_eq!(pipeline.description.as_ref().map(|text| text.as_str()), Some("Nightly upload."));
    let params: Vec<_> =
        pipeline.params.iter().map(|p| (p.name.as_str(), p.ty.to_string(), p.default.is_some())).collect();
    assert_eq!(
        params,
        [("organisation", "text".into(), true), ("days", "int".into(), true), ("since", "date".into(), false)]
    );
    let lms = &pipeline.connections[0];
    assert_eq!(lms.connector.as_ref().map(|text| text.as_str()), Some("peoplefluent"));
    assert_eq!(lms.settings.keys().collect::<Vec<_>>(), ["base_url", "system_key"]);
    assert_eq!(pipeline.limits.memory, Some(2 << 30));
    assert_eq!((pipeline.limits.concurrency, pipeline.limits.retries), (Some(4), Some(5)));
    assert!(pipeline.tests.is_some() && pipeline.unreadable.is_empty());
}

#[test]
fn sources_in_full() {
    let pipeline = pipeline(NIGHTLY);
    let history = &pipeline.sources[0];
    assert!(matches!(&history.target, Target::Connection(name) if name.value == "lms"));
    assert_eq!(history.stream.as_ref().map(|text| text.as_str()), Some("trainingHistoryXml"));
    assert_eq!(history.with.keys().collect::<Vec<_>>(), ["organizationId"]);
    let incremental = history.incremental.as_ref().expect("incremental");
    assert_eq!(incremental.cursor.as_ref().map(|text| text.as_str()), Some("endDate"));
    assert_eq!(incremental.lookback.as_ref().map(|text| text.as_str()), Some("PT1H"));
    assert_eq!(
        incremental.start.as_ref().and_then(|tree| tree.as_text()).map(|text| text.as_str()),
        Some("2024-01-01")
    );
    assert_eq!(history.columns[1].1, Type::List(Box::new(Type::Text)));
    assert_eq!(history.settings.keys().collect::<Vec<_>>(), ["page_size"]);
    assert_eq!(&NIGHTLY[history.span.start..history.span.start + 8], "history:");
    assert!(NIGHTLY[..history.span.end].ends_with("page_size: 50"));
    assert!(matches!(&pipeline.sources[1].target, Target::Connector(name) if name.value == "csv"));
    assert!(pipeline.sources[1].incremental.is_some() && pipeline.sources[2].incremental.is_none());
}

#[test]
fn sinks_in_full() {
    let pipeline = pipeline(NIGHTLY);
    let upload = &pipeline.sinks[0];
    assert_eq!(upload.input.value, "completed");
    assert_eq!(upload.operation.as_ref().map(|text| text.as_str()), Some("UploadExternalTraining"));
    assert_eq!(upload.key.len(), 2);
    assert!(upload.record.is_some());
    assert_eq!(upload.rate, Some(Rate { requests: 600.0, per_seconds: 60.0 }));
    assert_eq!((upload.concurrency, upload.on_error), (Some(4), Some(OnError::Fail)));
    assert_eq!(upload.max_rejects, Some(MaxRejects::Percent(1.0)));
    assert_eq!(upload.settings.keys().collect::<Vec<_>>(), ["on_unknown"]);
    let table = &pipeline.sinks[1];
    assert_eq!((table.input.as_str(), table.key.len(), table.on_error), ("completed.rejects", 1, None));
    assert_eq!(table.max_rejects, Some(MaxRejects::Rows(10)));
    assert_eq!(table.settings.keys().collect::<Vec<_>>(), ["table", "mode"]);
}

#[test]
fn joins() {
    let read = steps(
        "- join: {with: y, on: id}\n- join: {with: y, on: [a, b], how: full, suffix: _y}\n- join: {with: y, on: {l: r}, how: anti}\n- join: {with: y, how: cross}",
    );
    let join = |at: usize| match &read[at] {
        StepKind::Join(join) => {
            let on: Vec<_> = join.on.iter().map(|(l, r)| format!("{l}={r}")).collect();
            (on.join(","), join.how, join.suffix.as_ref().map(|text| text.value.clone()))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(join(0), ("id=id".into(), JoinHow::Left, None));
    assert_eq!(join(1), ("a=a,b=b".into(), JoinHow::Full, Some("_y".into())));
    assert_eq!(join(2), ("l=r".into(), JoinHow::Anti, None));
    assert_eq!(join(3), (String::new(), JoinHow::Cross, None));
}

#[test]
fn lookups_and_checks() {
    let read = steps(
        "- lookup: {connection: hf, stream: S, with: {P: \"{{ p }}\"}, match: record.a == b, take: {c: D}, missing: null, cache: false, concurrency: 8}\n- lookup: {connector: c, stream: S, take: {c: D}}\n- check: [{name: n, expect: a > 1, else: warn}, {name: m, expect: true}]",
    );
    let [StepKind::Lookup(full), StepKind::Lookup(short), StepKind::Check(checks)] = read.as_slice() else {
        panic!("{read:?}")
    };
    assert_eq!((full.missing, full.cache, full.concurrency), (Missing::Null, false, Some(8)));
    assert_eq!(full.matching.as_ref().map(|text| text.as_str()), Some("record.a == b"));
    assert_eq!((short.missing, short.cache, short.concurrency), (Missing::Reject, true, None));
    assert_eq!((checks[0].otherwise, checks[1].otherwise), (CheckElse::Warn, CheckElse::Reject));
    assert_eq!(checks[1].expect.value, "true");
}

#[test]
fn the_other_steps() {
    let read = steps(
        "- map: {a: \"{{ b }}\", c: 5}\n- set: {a: null}\n- select: [a, \"b*\"]\n- drop: a\n- rename: {a: b}\n- cast: {a: \"decimal(9,2)\"}\n\
         - union: [x, y]\n- aggregate: {by: [a], values: {n: count()}}\n- distinct: {on: a, keep: last, order_by: [-b]}\n- sort: [a, -b]\n\
         - limit: 10\n- explode: a\n- unnest: a\n- distinct: {}",
    );
    let names: Vec<String> =
        read.iter().map(|step| format!("{step:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        names.join(" "),
        "Map Set Select Drop Rename Cast Union Aggregate Distinct Sort Limit Explode Unnest Distinct"
    );
    assert!(matches!(&read[0], StepKind::Map(columns) if columns[1].1.value == Value::Scalar(Scalar::Int(5))));
    assert!(matches!(&read[8], StepKind::Distinct { keep: Keep::Last, order_by, .. } if order_by[0].descending));
    assert!(
        matches!(&read[9], StepKind::Sort(keys) if keys[1].column.value == "b" && keys[1].descending && !keys[0].descending)
    );
    assert!(matches!(&read[10], StepKind::Limit(10)));
}

#[test]
fn a_project_in_full() {
    let project = project(
        "version: 1\nproject: acme\nstate: .towpath\nconnections: {dw: {connector: postgres, host: a}}\nparams: {p: 1}\n\
         environments:\n  prod:\n    state: \"{{ env.STATE }}\"\n    connections: {dw: {host: b}}\n    params: {p: 2}\n",
    );
    assert_eq!(project.name.value, "acme");
    let prod = &project.environments[0];
    assert!(prod.connections[0].connector.is_none());
    assert_eq!(prod.connections[0].settings.keys().collect::<Vec<_>>(), ["host"]);
    assert_eq!(prod.params[0].1.value, Value::Scalar(Scalar::Int(2)));
}

#[test]
fn aliases_and_merge_keys_are_filled_in() {
    let pipeline = pipeline(
        "version: 1\npipeline: a\nx-shared: &shared {connector: csv, path: a.csv, header: yes}\nsources:\n  a: *shared\n  b: {<<: *shared, path: b.csv}\n",
    );
    let path = |at: usize| {
        pipeline.sources[at].settings.get("path").and_then(|tree| tree.as_text()).map(|text| text.value.clone())
    };
    assert_eq!((path(0), path(1)), (Some("a.csv".into()), Some("b.csv".into())));
    let header = pipeline.sources[1].settings.get("header").and_then(|tree| tree.as_text());
    assert_eq!(header.map(|text| text.as_str()), Some("yes"));
}

#[test]
fn a_broken_node_is_remembered_by_name() {
    let mut files = Files::new();
    let id = files.add("a.yaml", "version: 1\npipeline: a\nsources:\n  x: {path: a}\n  y: {connector: csv}\nsinks:\n  s: {input: x, connector: csv}\n");
    let (pipeline, problems) = read_pipeline(&files, id);
    let pipeline = pipeline.expect("what could be read");
    assert_eq!(problems.len(), 1);
    assert_eq!(pipeline.unreadable.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["x"]);
    assert_eq!((pipeline.sources.len(), pipeline.sinks.len()), (1, 1));
}

#[test]
fn kinds_are_told_apart() {
    for (key, kind) in [
        ("project", DocumentKind::Project),
        ("pipeline", DocumentKind::Pipeline),
        ("connector", DocumentKind::Connector),
    ] {
        let mut files = Files::new();
        let id = files.add("a.yaml", format!("version: 1\n{key}: a\n"));
        let tree = parse_yaml(&files, id).expect("YAML");
        assert_eq!(document_kind(&tree), Ok(kind));
    }
}

#[test]
fn steps_over_many_rows() {
    let read = steps(
        "- window: {by: a, order_by: [-b, {column: c, descending: true, nulls: first}], values: {n: row_number()}}\n\
         - pivot: {on: a, values: {x: 1, y: \"2\"}, by: [b], take: sum(c), else: ignore}\n\
         - pivot: {on: a, values: [open, 7], take: count()}\n\
         - unpivot: {columns: \"m_*\", name: month, value: total, drop_null: true}\n\
         - sql: SELECT 1\n- sql: {query: SELECT 1, with: other}\n\
         - join: {with: y, on: k, how: asof, asof: {at: [d, e], direction: nearest, tolerance: PT5M}, validate: \"m:1\"}\n\
         - join: {with: y, how: asof, asof: {at: {d: e}, tolerance: 2.5}}",
    );
    let [
        StepKind::Window(window),
        StepKind::Pivot(named),
        StepKind::Pivot(listed),
        StepKind::Unpivot(unpivot),
        StepKind::Sql(plain),
        StepKind::Sql(with),
        StepKind::Join(timed),
        StepKind::Join(bare),
    ] = read.as_slice()
    else {
        panic!("{read:?}")
    };
    let order: Vec<_> =
        window.order_by.iter().map(|key| (key.column.as_str(), key.descending, key.nulls_first)).collect();
    assert_eq!(order, [("b", true, false), ("c", true, true)]);
    assert_eq!((window.by.len(), window.values[0].1.as_str()), (1, "row_number()"));
    assert_eq!((named.values[1].0.as_str(), named.otherwise), ("y", Unlisted::Ignore));
    let names: Vec<_> = listed.values.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names, listed.otherwise, listed.by.len()), (vec!["open", "7"], Unlisted::Reject, 0));
    assert!(unpivot.drop_null && unpivot.columns.len() == 1);
    assert_eq!((plain.with.len(), with.with[0].as_str()), (0, "other"));
    let asof = timed.asof.as_ref().expect("what is near");
    assert_eq!((asof.at.0.as_str(), asof.at.1.as_str(), asof.direction), ("d", "e", Direction::Nearest));
    let five_minutes = Tolerance::Time(std::time::Duration::from_secs(300));
    assert_eq!(asof.tolerance.map(|(tolerance, _)| tolerance), Some(five_minutes));
    assert_eq!(timed.validate, Some(Cardinality::ManyToOne));
    let bare = bare.asof.as_ref().expect("what is near");
    assert_eq!(
        (bare.at.1.as_str(), bare.tolerance.map(|(tolerance, _)| tolerance)),
        ("e", Some(Tolerance::Number(2.5)))
    );
}
