//! Routers: the parent and its columns, found by name and typed before anything runs.

use super::{Compiler, names};
use crate::plan::Given;
use crate::slices::{Over, RouterPlan, Take};
use towpath_spec::definition::{RouterDoc, RouterOver, StreamDoc};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::document::Tree;
use towpath_spec::{Diagnostic, Text, Type, codes};

/// What `slice` holds in the requests of a stream; nothing where it is one call.
pub(super) fn slice_names(doc: &StreamDoc) -> Vec<String> {
    let router = doc.partition_router.iter().flat_map(|router| {
        let taken = router.take.iter().map(|(name, _)| name);
        taken.chain(router.fills()).map(|name| name.value.clone())
    });
    let windows = doc.incremental.as_ref().is_some_and(|incremental| incremental.end.is_some());
    let bounds = ["start", "end"].into_iter().filter(|_| windows).map(str::to_owned);
    router.chain(bounds).collect()
}

/// What slices fill need not be given, and says so.
pub(super) fn filled_by_slices(doc: &StreamDoc, router: Option<&RouterPlan>, params: &mut [Given]) {
    let windows = doc.incremental.as_ref().filter(|incremental| incremental.end.is_some());
    for given in params {
        let setting = &mut given.setting;
        let filled = router.and_then(|router| match &router.over {
            Over::Stream { stream, params, .. } => params
                .iter()
                .find(|(name, _)| *name == setting.name)
                .map(|(_, column)| format!("each `{column}` of `{stream}` in turn when not given")),
            Over::Values(values) => values
                .iter()
                .any(|(name, _)| *name == setting.name)
                .then(|| "one value after the other when not given".to_owned()),
        });
        let filled = filled.or_else(|| {
            let incremental = windows?;
            let bound = incremental.start.value == setting.name
                || incremental.end.as_ref().is_some_and(|end| end.value == setting.name);
            bound.then(|| "a bound of the windows it is read in".to_owned())
        });
        let Some(filled) = filled else { continue };
        setting.required = false;
        setting.doc = if setting.doc.is_empty() { filled } else { format!("{}; {filled}", setting.doc) };
    }
}

impl<'a> Compiler<'a> {
    /// A router, when nothing is wrong with it.
    pub(super) fn router(&mut self, doc: &StreamDoc, router: &RouterDoc) -> Option<RouterPlan> {
        let before = self.problems.len();
        for name in router.fills() {
            self.own_param(doc, name);
        }
        let over = match &router.over {
            RouterOver::Stream { stream, with, params } => self.over_stream(doc, stream, with, params),
            RouterOver::Values(values) => {
                let scope = self.config_scope().with("params", names(&doc.params));
                let slots =
                    values.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.values(tree, &scope)?)));
                Some(Over::Values(slots.collect()))
            }
        };
        let take = router.take.iter().filter_map(|(name, from)| self.take(doc, router, name, from)).collect();
        let concurrency = router.concurrency.and_then(|number| usize::try_from(number).ok());
        (self.problems.len() == before).then_some(RouterPlan { over: over?, take, concurrency })
    }

    fn values(&mut self, tree: &Tree, scope: &crate::template::Scope) -> Option<crate::template::Slot> {
        let text = tree.as_text().is_some_and(|text| text.value.contains("{{"));
        if tree.as_list().is_none_or(<[Tree]>::is_empty) && !text {
            let message = "expected a list of values, or a template that gives one";
            self.problems
                .push(Diagnostic::error(codes::INVALID_VALUE, tree.span, message).help("write `[open, closed]`"));
            return None;
        }
        self.slot(tree, scope)
    }

    fn over_stream(
        &mut self,
        doc: &StreamDoc,
        stream: &Text,
        with: &[(Text, Tree)],
        params: &[(Text, Text)],
    ) -> Option<Over> {
        let parent = self.parent(stream)?;
        if let Some(circle) = self.circle(doc, parent) {
            let message =
                format!("stream `{}` is read for each record of `{stream}`, which is read for {circle}", doc.name);
            self.problems.push(
                Diagnostic::error(codes::INVALID_VALUE, stream.span, message)
                    .help("one of them has to be a stream that can be read by itself"),
            );
            return None;
        }
        for (name, _) in with {
            let known = parent.params.iter().map(|param| param.name.as_str());
            self.known(name, &format!("stream `{stream}` has no parameter"), known);
        }
        self.all_given(parent, stream, with);
        for (_, column) in params {
            if let Some(ty) = self.column_of(parent, column)
                && matches!(ty, Type::List(_) | Type::Struct(_) | Type::Json | Type::Binary)
            {
                self.wrong(column, format!("column `{column}` of `{stream}` is {ty}, and a parameter takes one value"));
            }
        }
        let scope = self.config_scope().with("params", names(&doc.params));
        let with =
            with.iter().filter_map(|(name, tree)| Some((name.value.clone(), self.slot(tree, &scope)?))).collect();
        Some(Over::Stream {
            stream: stream.value.clone(),
            with,
            params: params.iter().map(|(name, column)| (name.value.clone(), column.value.clone())).collect(),
        })
    }

    /// A parent is read without a pipeline to give what it needs.
    fn all_given(&mut self, parent: &StreamDoc, stream: &Text, with: &[(Text, Tree)]) {
        let mut filled: Vec<&str> = with.iter().map(|(name, _)| name.as_str()).collect();
        filled.extend(parent.partition_router.iter().flat_map(RouterDoc::fills).map(Text::as_str));
        let windows = parent.incremental.as_ref().filter(|incremental| incremental.end.is_some());
        filled.extend(
            windows.iter().flat_map(|windows| [Some(&windows.start), windows.end.as_ref()]).flatten().map(Text::as_str),
        );
        for param in parent.params.iter().filter(|param| param.required && !filled.contains(&param.name.as_str())) {
            let name = &param.name;
            let message = format!("stream `{stream}` needs `{name}`");
            self.problems.push(
                Diagnostic::error(codes::MISSING_KEY, stream.span, message)
                    .help(format!("give it under `with:`, e.g. `with: {{{name}: \"{{{{ params.{name} }}}}\"}}`")),
            );
        }
    }

    fn take(&mut self, doc: &StreamDoc, router: &RouterDoc, name: &Text, from: &Text) -> Option<Take> {
        if let Some(own) = doc.schema.iter().find(|column| column.name == *name) {
            let message = format!("`{name}` is a column of its own and one that is taken, expected one of the two");
            self.problems.push(
                Diagnostic::error(codes::DUPLICATE_NAME, name.span, message).label(own.name.span, "the other one"),
            );
            return None;
        }
        let ty = match &router.over {
            RouterOver::Stream { stream, .. } => {
                let parent = self.definition.streams.iter().find(|one| one.name == *stream)?;
                self.column_of(parent, from)?
            }
            RouterOver::Values(values) => {
                let known = values.iter().map(|(name, _)| name.as_str());
                self.known(from, "there are no values for", known);
                doc.params.iter().find(|param| param.name == *from)?.ty.clone()
            }
        };
        Some(Take { column: name.value.clone(), ty, from: from.value.clone() })
    }

    fn parent(&mut self, stream: &Text) -> Option<&'a StreamDoc> {
        let definition = self.definition;
        self.known(stream, "there is no stream", definition.streams.iter().map(|one| one.name.as_str()));
        definition.streams.iter().find(|one| one.name == *stream)
    }

    fn own_param(&mut self, doc: &StreamDoc, name: &Text) {
        let what = format!("stream `{}` has no parameter", doc.name);
        self.known(name, &what, doc.params.iter().map(|param| param.name.as_str()));
    }

    /// The type of a column of a stream, be it its own or one it takes itself.
    fn column_of(&mut self, parent: &'a StreamDoc, name: &Text) -> Option<Type> {
        let taken = parent.partition_router.iter().flat_map(|router| &router.take).map(|(name, _)| name.as_str());
        let known = taken.chain(parent.schema.iter().map(|column| column.name.as_str()));
        self.known(name, &format!("stream `{}` has no column", parent.name), known);
        self.type_of(parent, name.as_str(), 0)
    }

    fn type_of(&self, stream: &StreamDoc, name: &str, depth: usize) -> Option<Type> {
        if let Some(column) = stream.schema.iter().find(|column| column.name.value == name) {
            return Some(column.ty.clone());
        }
        let router = stream.partition_router.as_ref()?;
        let (_, from) = router.take.iter().find(|(taken, _)| taken.value == name)?;
        match &router.over {
            RouterOver::Values(_) => {
                stream.params.iter().find(|param| param.name == *from).map(|param| param.ty.clone())
            }
            RouterOver::Stream { stream, .. } => {
                let streams = &self.definition.streams;
                let parent = streams.iter().find(|one| one.name == *stream).filter(|_| depth < streams.len())?;
                self.type_of(parent, from.as_str(), depth + 1)
            }
        }
    }

    /// The way from a parent back to the stream itself, in words; none when there is no way.
    fn circle(&self, doc: &StreamDoc, parent: &StreamDoc) -> Option<String> {
        let mut way = Vec::new();
        let mut at = parent;
        while at.name != doc.name {
            let RouterOver::Stream { stream, .. } = &at.partition_router.as_ref()?.over else { return None };
            at = self.definition.streams.iter().find(|one| one.name == *stream)?;
            way.push(format!("each of `{stream}`"));
            if way.len() > self.definition.streams.len() {
                // A circle further up: it is told there.
                return None;
            }
        }
        Some(if way.is_empty() { "each of its own".to_owned() } else { way.join(", and that for ") })
    }

    fn known<'n>(&mut self, name: &Text, what: &str, known: impl Iterator<Item = &'n str> + Clone) {
        if !known.clone().any(|one| one == name.value) {
            self.wrong(name, format!("{what} `{name}`")).help = did_you_mean(&name.value, known);
        }
    }
}
