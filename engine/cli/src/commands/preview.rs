//! `towpath preview`.

use crate::args::{Format, PreviewArgs, SeedArgs, Shared};
use crate::documents::Workspace;
use crate::failure::{Ended, Failure};
use crate::secrets::Secrets;
use crate::stand_ins::StandIns;
use crate::world;
use crate::{fields, screen, table};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use towpath_connector::Error;
use towpath_mapping::frame_to_json_rows;
use towpath_run::Preview;
use towpath_spec::diagnostic::did_you_mean;
use towpath_state::{RunId, private};

/// Longest text shown in a cell.
const CELL: usize = 60;

/// Shows the first rows of a node. Nothing is written anywhere.
pub fn preview(args: &PreviewArgs, shared: &Shared) -> Ended {
    let mut workspace = Workspace::around(&args.pipeline)?;
    workspace.tells_unread = false;
    let plan = workspace.plan_or_fail(&args.pipeline, shared)?;
    if args.explain {
        fields::explain(&plan, shared.format);
    }
    let base = args.node.strip_suffix(".rejects").unwrap_or(&args.node);
    if plan.node(base).is_none() {
        let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
        let help = did_you_mean(&args.node, names).unwrap_or_default();
        return Err(Failure::usage(format!("pipeline `{}` has no node `{}`", plan.pipeline, args.node), help));
    }
    let secrets = Secrets::read(shared.secrets.as_deref())?;
    let place = world::state_place(&plan, &workspace, shared, &secrets)?;
    let runtime = world::runtime()?;
    let shown = runtime.block_on(async {
        let cancel = CancellationToken::new();
        world::stop_on_signals(cancel.clone());
        let seed = SeedArgs { sandbox_people: 24, sandbox_records: 120 };
        let (stand_ins, overrides) = StandIns::if_wanted(args.sandbox, &plan, &seed, place.folder()).await?;
        // State is not touched: what has to be staged goes to a folder of its own.
        // Temporary folders are everybody's: this one is new, and nobody else may look into it.
        let stages = std::env::temp_dir().join(format!("towpath-preview-{}", RunId::generate()));
        private::new_folder(&stages).map_err(|error| Error::from(error).at(stages.display()))?;
        let options = towpath_run::Options { limit: Some(args.sample), ..world::options(shared, stages.clone(), None) };
        let world = world::world(&workspace, &secrets, overrides, Arc::new(Notes), cancel);
        let shown = towpath_run::preview(Arc::new(plan), &args.node, args.limit, options, world).await;
        let _ = std::fs::remove_dir_all(stages);
        if let Some(stand_ins) = stand_ins {
            stand_ins.forget().await;
        }
        Ok::<_, Failure>(shown?)
    })?;
    print(&shown, shared.format)?;
    if shown.rejected > 0 {
        screen::warning(&format!(
            "{} on the way became rejects",
            if shown.rejected == 1 { "1 row".to_owned() } else { format!("{} rows", shown.rejected) }
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells only what a person must know of a preview.
pub(super) struct Notes;

impl towpath_run::Observer for Notes {
    fn event(&self, event: towpath_run::Event) {
        match event {
            towpath_run::Event::Note { node, message } | towpath_run::Event::Warning { node, message } => {
                screen::warning(&format!("{node}: {message}"))
            }
            towpath_run::Event::Retrying { node, error, .. } => screen::warning(&format!("{node}: {error}")),
            _ => {}
        }
    }
}

fn print(preview: &Preview, format: Format) -> Result<(), Failure> {
    let rows = frame_to_json_rows(&preview.rows, &preview.columns).map_err(Error::bug)?;
    let mut out = std::io::stdout().lock();
    if format == Format::Json {
        for row in rows {
            let line = towpath_connector::redact(&serde_json::Value::Object(row).to_string());
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    let headers = preview.columns.fields.iter().map(|field| format!("{}\n{}", field.name, field.ty)).collect();
    let mut shown = table::bordered(headers);
    let count = rows.len();
    for row in rows {
        let cells = preview.columns.fields.iter().map(|field| match row.get(&field.name) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => table::cut(&text.replace(['\n', '\r', '\t'], " "), CELL),
            Some(other) => table::cut(&other.to_string(), CELL),
        });
        shown.add_row(cells.collect::<Vec<_>>());
    }
    writeln!(out, "{}", towpath_connector::redact(&shown.to_string()))?;
    writeln!(out, "{count} {}", if count == 1 { "row" } else { "rows" })?;
    Ok(())
}
