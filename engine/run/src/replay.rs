//! Replay: rows an earlier run rejected go in again at the step that rejected them, and on to the sinks.
//!
//! No source is read for them: to what comes behind it is as if the sources had given these rows and no others. A sum over
//! the few rows that are replayed is not the sum, and a file that is written as a whole would hold nothing else: a row that
//! leads to any such place is left out, with the reason, and stays open. What the journal knows was delivered by a later run is not sent again, whatever its
//! content. A row that fails again is a reject of the replay; a replay that ends well closes all that it took up.

use crate::flow::Flow;
use crate::runner::Runner;
use polars::prelude::{IntoLazy, UnionArgs, concat};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use towpath_connector::{Error, Kind, MASK, Record, Registry, Result};
use towpath_mapping::rows_to_frame;
use towpath_plan::{NodeKind, Output, Plan, Port, SinkNode, Step, StepPlan, ValueTemplate};
use towpath_spec::Schema as Columns;
use towpath_spec::document::JoinHow;
use towpath_state::{RunId, Scope, StoredReject};

/// Where rows go in: a node, and the step of it, counted as in its `steps`; none for a sink.
type Entry = (usize, Option<usize>);

/// Rejects of a run that go through the pipeline again.
#[derive(Debug)]
pub struct Replay {
    /// The run that rejected them.
    pub of: RunId,
    /// Its pipeline and environment; a replay has the same.
    pub scope: Scope,
    /// Their numbers.
    pub(crate) ids: Vec<i64>,
    rows: BTreeMap<Entry, Vec<Record>>,
    /// Nodes to which replayed rows come.
    live: BTreeSet<usize>,
}

/// Rejects that cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The node that rejected them.
    pub node: String,
    /// Why, and what to do.
    pub why: String,
    /// How many.
    pub rows: usize,
}

impl Replay {
    /// Sorts the rejects of a run into those that can be replayed through `plan` and those that cannot.
    pub fn of(
        plan: &Plan,
        registry: &Registry,
        (of, scope): (RunId, Scope),
        rejects: Vec<StoredReject>,
    ) -> (Self, Vec<LeftOut>) {
        let mut replay = Self { of, scope, ids: Vec::new(), rows: BTreeMap::new(), live: BTreeSet::new() };
        let mut left_out: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut going: BTreeMap<Entry, Vec<(i64, String, Record)>> = BTreeMap::new();
        let mut ways: BTreeMap<Entry, std::result::Result<Way, String>> = BTreeMap::new();
        for StoredReject { id, reject, .. } in rejects {
            let fits = entry(plan, &reject.node, reject.step).and_then(|entry| {
                ways.entry(entry).or_insert_with(|| way(plan, registry, entry)).clone()?;
                Ok((entry, fitting(reject.row, columns(plan, entry))?))
            });
            match fits {
                Ok((entry, row)) => going.entry(entry).or_default().push((id, reject.node, row)),
                Err(why) => *left_out.entry((reject.node, why)).or_default() += 1,
            }
        }
        ways.retain(|entry, way| way.is_ok() && going.contains_key(entry));
        let all: BTreeSet<usize> = ways.values().flatten().flatten().copied().collect();
        for (entry, rows) in going {
            let way = ways.get(&entry).cloned().and_then(std::result::Result::ok).unwrap_or_default();
            if let Some(other) = thin_side(plan, entry, &way, &all) {
                let why = format!(
                    "they join `{other}`, to which other rejects go: replay one after the other, with `--node`"
                );
                for (_, node, _) in rows {
                    *left_out.entry((node, why.clone())).or_default() += 1;
                }
                continue;
            }
            replay.ids.extend(rows.iter().map(|(id, _, _)| *id));
            replay.rows.insert(entry, rows.into_iter().map(|(_, _, row)| row).collect());
            replay.live.extend(way);
        }
        let left_out = left_out.into_iter().map(|((node, why), rows)| LeftOut { node, why, rows }).collect();
        (replay, left_out)
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// Whether replayed rows come to a node.
    pub(crate) fn reaches(&self, node: usize) -> bool {
        self.live.contains(&node)
    }
}

const AGAIN: &str = "run the pipeline again, with `--full-refresh` where a source is incremental";

/// Where a row that was rejected there goes in.
fn entry(plan: &Plan, name: &str, step: Option<u32>) -> std::result::Result<Entry, String> {
    let at = plan.nodes.iter().position(|node| node.name == name);
    let at = at.ok_or_else(|| format!("the pipeline no longer has this node: {AGAIN}"))?;
    match &plan.nodes[at].kind {
        NodeKind::Source(_) => Err(format!("a source reads its rows itself: mend the data, then {AGAIN}")),
        NodeKind::Sink(_) => Ok((at, None)),
        NodeKind::Transform(transform) => {
            let step = step.and_then(|step| usize::try_from(step).ok()).unwrap_or(0);
            match transform.steps.iter().any(|known| known.index == step) {
                true => Ok((at, Some(step))),
                false => Err(format!("step {} is no longer there: {AGAIN}", step + 1)),
            }
        }
    }
}

/// The columns of the rows that go in there.
fn columns(plan: &Plan, (node, step): Entry) -> Option<Columns> {
    match &plan.nodes[node].kind {
        NodeKind::Source(_) => None,
        NodeKind::Sink(sink) => sink.input_schema.clone().or_else(|| plan.port_schema(sink.input)),
        NodeKind::Transform(transform) => {
            transform.steps.iter().find(|known| Some(known.index) == step).map(|step| step.input.clone())
        }
    }
}

/// The row, if it has just these columns, of these types, and all of its content.
fn fitting(row: Json, columns: Option<Columns>) -> std::result::Result<Record, String> {
    let columns = columns.ok_or_else(|| format!("the columns at this place are not known: {AGAIN}"))?;
    if row.to_string().contains(MASK) {
        return Err(format!("a secret was masked in its row, which is not whole: {AGAIN}"));
    }
    let Json::Object(row) = row else {
        return Err(format!("its row was not kept: {AGAIN}"));
    };
    let same = row.len() == columns.fields.len() && columns.fields.iter().all(|field| row.contains_key(&field.name));
    if !same {
        return Err(format!("the rows at this place have other columns now: {AGAIN}"));
    }
    match rows_to_frame(std::slice::from_ref(&row), &columns) {
        Ok((_, bad)) => match bad.first() {
            None => Ok(row),
            Some(bad) => Err(format!("its column `{}` has another type now: {AGAIN}", bad.column)),
        },
        Err(error) => Err(error),
    }
}

/// All nodes to which rows come that go in somewhere.
type Way = BTreeSet<usize>;

/// All nodes to which rows come that go in there; or what on the way cannot take them.
///
/// To the nodes of a way it is as if the sources had given these rows and no others, as in a run that reads only what is new.
fn way(plan: &Plan, registry: &Registry, entry: Entry) -> std::result::Result<Way, String> {
    let mut way = Way::from([entry.0]);
    // A node stands behind those it reads.
    for (at, planned) in plan.nodes.iter().enumerate().skip(entry.0) {
        let name = &planned.name;
        let input = match &planned.kind {
            NodeKind::Source(_) => continue,
            NodeKind::Sink(sink) => sink.input,
            NodeKind::Transform(transform) => transform.input,
        };
        let steps = steps_behind(plan, at, entry);
        if at != entry.0 && !is_on(&way, input) {
            if steps.iter().flat_map(|step| step.plan.others()).any(|port| touches(plan, &way, port)) {
                return Err(format!("they lead into `{name}` from the side: {AGAIN}"));
            }
            continue;
        }
        for step in steps {
            takes_few_rows(plan, &way, step)
                .map_err(|why| format!("they lead to the step `{}` of `{name}`, {why}: {AGAIN}", step.name))?;
        }
        if let NodeKind::Sink(sink) = &planned.kind
            && let Some(what) = written_whole(plan, registry, sink)
        {
            return Err(format!("they lead to `{name}`, {what}: {AGAIN}"));
        }
        way.insert(at);
    }
    if way.iter().any(|at| matches!(plan.nodes[*at].kind, NodeKind::Sink(_))) {
        Ok(way)
    } else {
        Err("they lead to no sink".into())
    }
}

/// Whether what comes out there is made of replayed rows.
fn is_on(way: &Way, port: Port) -> bool {
    port.output != Output::Rejects && way.contains(&port.node)
}

/// Whether any of what comes out there hangs on replayed rows.
fn touches(plan: &Plan, way: &Way, port: Port) -> bool {
    way.contains(&port.node) || plan.upstream(port.node).iter().any(|before| way.contains(before))
}

/// The steps of a node through which rows go that go in there.
fn steps_behind(plan: &Plan, at: usize, entry: Entry) -> &[Step] {
    let NodeKind::Transform(transform) = &plan.nodes[at].kind else { return &[] };
    let from = if at == entry.0 { entry.1.unwrap_or(0) } else { 0 };
    let before = transform.steps.iter().take_while(|step| step.index < from).count();
    &transform.steps[before..]
}

/// Whether a step gives for a few rows what it gives for them among all; otherwise why not.
fn takes_few_rows(plan: &Plan, way: &Way, step: &Step) -> std::result::Result<(), &'static str> {
    let takes = match &step.plan {
        StepPlan::Lookup(_) | StepPlan::Sort(_) | StepPlan::Distinct { .. } => true,
        StepPlan::Join(join) => join.how != JoinHow::Full,
        StepPlan::Union(others) if !others.iter().all(|other| is_on(way, *other)) => {
            return Err("which would bring all rows of another node again");
        }
        StepPlan::Union(_) => true,
        plan => plan.is_row_wise(),
    };
    if !takes {
        return Err("which needs all rows");
    }
    // The other side is either made of the same rows, or read whole.
    for other in step.plan.others().into_iter().filter(|other| !is_on(way, *other)) {
        if touches(plan, way, other) {
            return Err("where the other side would not be whole");
        }
        let is_sink = |at: &usize| matches!(plan.nodes[*at].kind, NodeKind::Sink(_));
        if is_sink(&other.node) || plan.upstream(other.node).iter().any(is_sink) {
            return Err("where the other side is what another sink gives");
        }
    }
    Ok(())
}

/// A node that rows on `way` join, and that would be whole but for rejects that go in elsewhere.
fn thin_side<'a>(plan: &'a Plan, entry: Entry, way: &Way, all: &Way) -> Option<&'a str> {
    let steps = way.iter().flat_map(|at| steps_behind(plan, *at, entry));
    let mut others = steps.flat_map(|step| step.plan.others());
    let thin = others.find(|other| !is_on(way, *other) && touches(plan, all, *other))?;
    Some(&plan.nodes[thin.node].name)
}

/// What a sink is, if it is written as a whole.
fn written_whole(plan: &Plan, registry: &Registry, sink: &SinkNode) -> Option<&'static str> {
    if sink.operation.is_some() {
        return None;
    }
    let connector = registry.get(&plan.connections[sink.connection].connector)?;
    if connector.descriptor().kind != Kind::Database {
        return Some("a file, which is written as a whole");
    }
    let mode = sink.settings.iter().find(|setting| setting.name == "mode").map(|setting| &setting.value);
    match mode {
        None => None,
        Some(ValueTemplate::Literal(Json::String(mode))) if matches!(mode.as_str(), "append" | "merge") => None,
        Some(_) => Some("a table that is replaced as a whole"),
    }
}

impl Runner {
    /// What comes to a node: in a replay, and where replayed rows come to the node, nothing but these.
    pub(crate) async fn input(
        self: &Arc<Self>,
        node: usize,
        port: Port,
        columns: impl FnOnce() -> Option<Columns>,
    ) -> Result<Flow> {
        let given = |replay: &Replay| replay.reaches(port.node) && port.output != Output::Rejects;
        match &self.options.replay {
            Some(replay) if replay.reaches(node) && !given(replay) => columns()
                .map(|columns| self.empty(&columns))
                .ok_or_else(|| Error::bug("the columns of a node that is replayed are not known")),
            _ => self.flow(port).await,
        }
    }

    /// What comes to a sink in a replay.
    pub(crate) async fn replayed_input(self: &Arc<Self>, node: usize, sink: &SinkNode) -> Result<Flow> {
        let columns = || sink.input_schema.clone().or_else(|| self.plan.port_schema(sink.input));
        let flow = self.input(node, sink.input, columns).await?;
        self.joined_by(flow, (node, None))
    }

    /// Whether replayed rows go in at a step.
    pub(crate) fn takes_replayed(&self, node: usize, step: usize) -> bool {
        self.options.replay.as_ref().is_some_and(|replay| replay.rows.contains_key(&(node, Some(step))))
    }

    /// The flow with the replayed rows that go in at a step, which are counted as rows that came in.
    pub(crate) fn with_replayed(self: &Arc<Self>, node: usize, step: Option<usize>, flow: Flow) -> Result<Flow> {
        match step {
            Some(at) if self.takes_replayed(node, at) => self.joined_by(flow, (node, step)),
            _ => Ok(flow),
        }
    }

    fn joined_by(self: &Arc<Self>, flow: Flow, entry: Entry) -> Result<Flow> {
        let Some(rows) = self.options.replay.as_ref().and_then(|replay| replay.rows.get(&entry)) else {
            return Ok(flow);
        };
        let (frame, bad) = rows_to_frame(rows, &flow.columns).map_err(Error::bug)?;
        if let Some(bad) = bad.first() {
            return Err(Error::bug(format!("column `{}` of a row that is replayed: {}", bad.column, bad.reason)));
        }
        let replayed = match entry.1 {
            Some(_) => self.tap(frame.lazy(), entry.0, |account| &account.rows_in),
            // A sink counts its rows itself.
            None => frame.lazy(),
        };
        let together = concat([flow.frame, replayed], UnionArgs::default())?;
        Ok(Flow { frame: together, rows: flow.rows + rows.len() as u64, columns: flow.columns })
    }
}
