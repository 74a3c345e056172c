//! Calls of macros: the body is checked in the place of the call, the arguments in the place of the parameters.

use std::ops::Range;

use minijinja::machinery::ast;
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Span, Text, Type, codes};

use super::{Checker, span_of};
use crate::expr::{Kind, Node};
use crate::macros::{BAD_MACRO, Found};

/// Nodes all calls of macros and all uses of names may add to one template.
const MAX_EXPANDED: usize = 50_000;

/// How deep a tree may get by macros in macros and names in names: as deep as one may be written.
pub(super) const MAX_DEPTH: usize = crate::parse::MAX_DEPTH;

/// Calls that are told of a problem inside macros that call macros.
const CALLS_TOLD: usize = 4;

/// A macro one is inside of.
pub(super) struct Frame<'a> {
    pub name: String,
    pub parameters: Vec<String>,
    /// Where it is called.
    call: (&'a Text, Range<usize>),
}

impl<'a> Checker<'a> {
    /// The macro of a name: the template's own, then those of files.
    pub(super) fn macro_named(&self, name: &str) -> Option<Found<'a>> {
        let (own, shared) = (self.own, self.scope.macros);
        own.and_then(|own| own.find(name)).or_else(|| shared.and_then(|shared| shared.find(name)))
    }

    /// The names of all macros that may be called.
    pub(super) fn macro_names(&self) -> Vec<&'a str> {
        self.own.into_iter().chain(self.scope.macros).flat_map(|macros| macros.names()).collect()
    }

    /// Labels that say from where the macro one is inside of was called.
    pub(super) fn callers(&self) -> Vec<(Span, String)> {
        if self.defining {
            return Vec::new();
        }
        let told = self.frames.iter().rev().take(CALLS_TOLD);
        told.map(|frame| {
            (
                self.scope.files.inside(frame.call.0, frame.call.1.start, frame.call.1.end),
                format!("in this call of macro `{}`", frame.name),
            )
        })
        .collect()
    }

    /// Checks a macro by itself, with parameters of any type.
    pub fn define(&mut self, found: &ast::Macro<'_>) {
        self.defining = true;
        let mut required = found.args.len().saturating_sub(found.defaults.len());
        let mut parameters: Vec<String> = Vec::new();
        for arg in &found.args {
            let ast::Expr::Var(var) = arg else { continue };
            if parameters.iter().any(|known| known == var.id) {
                self.report(BAD_MACRO, span_of(arg), format!("two parameters are named `{}`", var.id));
            }
            parameters.push(var.id.to_owned());
        }
        self.frames.push(Frame {
            name: found.name.to_owned(),
            parameters: parameters.clone(),
            call: (self.text, 0..0),
        });
        let mut defaults = found.defaults.iter();
        for name in parameters {
            if required == 0 {
                defaults.next().and_then(|default| self.expr(default));
            }
            required = required.saturating_sub(1);
            self.locals.push((name, anything(0..0)));
        }
        self.statements(&found.body);
        self.frames.pop();
    }

    /// A call of a macro.
    pub(super) fn call_macro(
        &mut self,
        found: &Found<'a>,
        call: &ast::Call<'_>,
        at: Range<usize>,
        place: Range<usize>,
    ) -> Option<Node> {
        let given = self.arguments(&call.args)?;
        let given = self.parameters(found.ast, given, &at)?;
        if self.defining {
            return Some(anything(place));
        }
        if !found.sound {
            return None;
        }
        let frame = Frame {
            name: found.ast.name.to_owned(),
            parameters: given.iter().map(|(name, _)| name.clone()).collect(),
            call: (self.text, at.clone()),
        };
        let text = std::mem::replace(&mut self.text, found.text);
        let locals = std::mem::take(&mut self.locals);
        self.frames.push(frame);
        let node = self.enter(found.ast, given);
        self.frames.pop();
        self.locals = locals;
        self.text = text;
        let node = Node { span: place, ..node? };
        self.depth_allowed(&node, at).then_some(node)
    }

    /// The body with its parameters, which stand in the macro's text from here on.
    fn enter(&mut self, found: &ast::Macro<'_>, given: Vec<(String, Option<Node>)>) -> Option<Node> {
        let first = found.args.len().saturating_sub(found.defaults.len());
        for (slot, (name, node)) in given.into_iter().enumerate() {
            let node = match (node, slot.checked_sub(first).and_then(|at| found.defaults.get(at))) {
                (Some(node), _) => node,
                (None, Some(default)) => self.expr(default)?,
                (None, None) => return None,
            };
            self.locals.push((name, node));
        }
        self.statements(&found.body)
    }

    /// Puts the arguments of a call to the parameters; what is left open has a default.
    fn parameters(
        &mut self,
        found: &ast::Macro<'_>,
        given: Vec<(Option<&str>, Node)>,
        at: &Range<usize>,
    ) -> Option<Vec<(String, Option<Node>)>> {
        let names = found.args.iter().filter_map(|arg| match arg {
            ast::Expr::Var(var) => Some(var.id.to_owned()),
            _ => None,
        });
        let mut slots: Vec<(String, Option<Node>)> = names.map(|name| (name, None)).collect();
        let required = slots.len().saturating_sub(found.defaults.len());
        let signature = signature(found.name, &slots, required);
        let mut problem: Option<(Range<usize>, String)> = None;
        for (place, (name, node)) in given.into_iter().enumerate() {
            let slot = match name {
                None => Some(place).filter(|place| *place < slots.len()),
                Some(name) => slots.iter().position(|(known, _)| known == name),
            };
            match (slot, name) {
                (Some(slot), _) if slots[slot].1.is_none() => slots[slot].1 = Some(node),
                (Some(slot), _) => problem = Some((node.span, format!("`{}` is given twice", slots[slot].0))),
                (None, Some(name)) => {
                    problem = Some((node.span, format!("macro `{}` has no parameter `{name}`", found.name)));
                }
                (None, None) => problem = Some((node.span, format!("too many arguments for macro `{}`", found.name))),
            }
        }
        let open = slots.iter().take(required).find(|(_, node)| node.is_none());
        if let (None, Some((name, _))) = (&problem, open) {
            problem = Some((at.clone(), format!("macro `{}` needs its argument `{name}`", found.name)));
        }
        match problem {
            None => Some(slots),
            Some((place, message)) => {
                // Whatever the macro is called with, this is wrong where it is written.
                let code = if self.defining { BAD_MACRO } else { codes::WRONG_ARGUMENTS };
                self.report_with(code, place, message, Some(format!("it is `{signature}`")));
                None
            }
        }
    }

    /// A name that is none inside a macro.
    pub(super) fn unknown_in_macro(&mut self, name: &str, place: Range<usize>) {
        let Some(frame) = self.frames.last() else { return };
        let macro_name = frame.name.clone();
        if matches!(name, "caller" | "varargs" | "kwargs") {
            let message = format!("`{name}` is not offered in macros");
            self.report_with(BAD_MACRO, place, message, Some("declare each parameter by name".into()));
            return;
        }
        let parameters = frame.parameters.clone();
        let known = parameters.iter().map(String::as_str).chain(self.locals.iter().map(|(name, _)| name.as_str()));
        let known: Vec<&str> = known.collect();
        let near = towpath_spec::diagnostic::nearest(name, known.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "a macro sees its parameters, `params` and `run`, no columns: pass it as an argument".to_owned(),
        };
        let message = format!("macro `{macro_name}` has no parameter `{name}`");
        self.report_with(codes::UNKNOWN_NAME, place, message, Some(help));
    }

    /// Help for the name of a function that does not exist.
    pub(super) fn nearest_callable(&self, name: &str, functions: Vec<&'static str>) -> Option<String> {
        did_you_mean(name, self.macro_names().into_iter().chain(functions).collect::<Vec<_>>())
    }

    /// Counts nodes that were not written where they end up; false, and said once, when they are too many.
    pub(super) fn expand(&mut self, nodes: usize, place: Range<usize>) -> bool {
        if self.expanded > MAX_EXPANDED {
            return false;
        }
        self.expanded += nodes;
        if self.expanded <= MAX_EXPANDED {
            return true;
        }
        let message = format!("with its macros and names filled in, the template is of more than {MAX_EXPANDED} parts");
        self.report_with(
            BAD_MACRO,
            place,
            message,
            Some("make parts of it fields of their own with a `set` step".into()),
        );
        false
    }

    /// Whether a tree is no deeper than one may write; if not, it is said.
    pub(super) fn depth_allowed(&mut self, node: &Node, place: Range<usize>) -> bool {
        if depth(node) <= MAX_DEPTH {
            return true;
        }
        let message = format!("with its macros and names filled in, the expression is more than {MAX_DEPTH} deep");
        self.report_with(BAD_MACRO, place, message, Some("split it into several fields with `set`".into()));
        false
    }
}

/// A value of a parameter nothing is known about.
fn anything(span: Range<usize>) -> Node {
    Node { kind: Kind::Local(0), ty: Type::Json, nullable: true, fallible: false, span }
}

/// How deep a tree is.
fn depth(node: &Node) -> usize {
    1 + node.children().into_iter().map(depth).max().unwrap_or(0)
}

fn signature(name: &str, parameters: &[(String, Option<Node>)], required: usize) -> String {
    let shown: Vec<String> = parameters
        .iter()
        .enumerate()
        .map(|(at, (name, _))| if at < required { name.clone() } else { format!("{name}?") })
        .collect();
    format!("{name}({})", shown.join(", "))
}
