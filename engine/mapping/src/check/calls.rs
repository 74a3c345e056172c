//! Calls of filters, functions and tests: arguments to parameters, types to the function, problems to their place.

use std::ops::Range;

use minijinja::machinery::ast;
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Code, Diagnostic, codes};

use super::{Checker, MISMATCH, bytes, is_null_elsewhere, span_of, unify, widen};
use crate::expr::{Call, Kind, Node};
use crate::functions::{self, Argument, Binder, Function, FunctionKind, Problem, Rest};
use crate::macros::Macros;
use crate::value::Value;

const UNKNOWN_FUNCTION: Code = codes::UNKNOWN_FUNCTION;
const ARGUMENTS: Code = codes::WRONG_ARGUMENTS;

impl Checker<'_> {
    pub(super) fn filter(&mut self, filter: &ast::Filter<'_>, place: Range<usize>) -> Option<Node> {
        let Some(expr) = &filter.expr else {
            self.report(super::SYNTAX, place, "a filter needs a value before it");
            return None;
        };
        let start = (filter_start(filter, expr, &self.text.value)).unwrap_or(place.start);
        let at = start..start + filter.name.len();
        let value = self.expr(expr);
        let function = self.look_up(filter.name, FunctionKind::Filter, at.clone());
        let rest = self.arguments(&filter.args);
        let (value, function, rest) = (value?, function?, rest?);
        self.apply(function, Some(value), rest, at, place)
    }

    pub(super) fn test(&mut self, test: &ast::Test<'_>, place: Range<usize>) -> Option<Node> {
        let end = span_of(&test.expr).end;
        let offset = self.text.value.get(end..place.end).and_then(|rest| rest.find(test.name)).unwrap_or(0);
        let at = end + offset..end + offset + test.name.len();
        let value = self.expr(&test.expr);
        let function = self.look_up(test.name, FunctionKind::Test, at.clone());
        let rest = self.arguments(&test.args);
        let (value, function, rest) = (value?, function?, rest?);
        self.apply(function, Some(value), rest, at, place)
    }

    pub(super) fn function(&mut self, call: &ast::Call<'_>, place: Range<usize>) -> Option<Node> {
        let ast::Expr::Var(var) = &call.expr else {
            let help = match &call.expr {
                ast::Expr::GetAttr(get) if get.name == "cycle" => {
                    Some("choose by the place: `'a' if loop.index0 % 2 == 0 else 'b'`".into())
                }
                ast::Expr::GetAttr(get) => {
                    let name = match get.name {
                        "strip" => "trim",
                        "strftime" => "format_datetime",
                        other => other,
                    };
                    functions::find(name, FunctionKind::Filter)
                        .map(|f| format!("write it as a filter: `… | {}`", f.name))
                }
                _ => None,
            };
            self.report_with(UNKNOWN_FUNCTION, span_of(&call.expr), "values have no methods here", help);
            return None;
        };
        let at = bytes(var.span());
        if let ("len", [ast::CallArg::Pos(of)]) = (var.id, call.args.as_slice()) {
            let of = self.text.value.get(span_of(of)).unwrap_or("…");
            let help = Some(format!("did you mean `{of} | length`?"));
            self.report_with(UNKNOWN_FUNCTION, at, "unknown function `len`", help);
            self.arguments(&call.args);
            return None;
        }
        if let Some(found) = self.macro_named(var.id) {
            return self.call_macro(&found, call, at, place);
        }
        if var.id == "caller" && !self.frames.is_empty() {
            self.unknown_in_macro(var.id, at);
            return None;
        }
        let function = self.look_up(var.id, FunctionKind::Function, at.clone());
        let rest = self.arguments(&call.args);
        let (function, rest) = (function?, rest?);
        self.apply(function, None, rest, at, place)
    }

    fn look_up(&mut self, name: &str, kind: FunctionKind, at: Range<usize>) -> Option<&'static Function> {
        if let Some(function) = functions::find(name, kind) {
            return Some(function);
        }
        if kind == FunctionKind::Function && self.scope.macros.is_some_and(Macros::is_partial) {
            // It may be a macro of the file that cannot be read, which was said.
            return None;
        }
        let negated = self.text.value.get(..at.start).is_some_and(|before| before.trim_end().ends_with(" not"));
        let other = [FunctionKind::Filter, FunctionKind::Function, FunctionKind::Test]
            .into_iter()
            .find_map(|other| functions::find(name, other).map(|_| other));
        let help = match other {
            Some(FunctionKind::Filter) => Some(format!("`{name}` is a filter: write `… | {name}`")),
            Some(FunctionKind::Function) => Some(format!("`{name}` is a function: write `{name}(…)`")),
            Some(FunctionKind::Test) => Some(format!("`{name}` is a test: write `… is {name}`")),
            None if kind == FunctionKind::Test && is_null_elsewhere(name) => {
                Some(format!("did you mean `is {}none`?", if negated { "not " } else { "" }))
            }
            None if name == "len" => Some("did you mean `length`?".into()),
            None if self.macro_named(name).is_some() => Some(format!("`{name}` is a macro: write `{name}(…)`")),
            None if kind == FunctionKind::Function => self.nearest_callable(name, functions::names(kind).collect()),
            None => did_you_mean(name, functions::names(kind)),
        };
        self.report_with(UNKNOWN_FUNCTION, at, format!("unknown {kind} `{name}`"), help);
        None
    }

    /// The written arguments with their names.
    pub(super) fn arguments<'t>(&mut self, args: &[ast::CallArg<'t>]) -> Option<Vec<(Option<&'t str>, Node)>> {
        let mut nodes = Vec::with_capacity(args.len());
        let mut sound = true;
        for arg in args {
            let (name, expr) = match arg {
                ast::CallArg::Pos(expr) => (None, expr),
                ast::CallArg::Kwarg(name, expr) => (Some(*name), expr),
                ast::CallArg::PosSplat(expr) | ast::CallArg::KwargSplat(expr) => {
                    self.report(super::SYNTAX, span_of(expr), "arguments cannot be unpacked here");
                    return None;
                }
            };
            match self.expr(expr) {
                Some(node) => nodes.push((name, node)),
                None => sound = false,
            }
        }
        sound.then_some(nodes)
    }

    /// Puts arguments into the slots of the parameters, further ones behind them.
    fn slots(
        &mut self,
        function: &'static Function,
        value: Option<Node>,
        rest: Vec<(Option<&str>, Node)>,
        at: &Range<usize>,
    ) -> Option<Vec<(Option<String>, Option<Node>)>> {
        let mut slots: Vec<(Option<String>, Option<Node>)> = function.parameters.iter().map(|_| (None, None)).collect();
        let mut next = 0;
        let declared = function.parameters.iter().filter(|parameter| !parameter.by_name).count();
        for (name, node) in value.map(|value| (None, value)).into_iter().chain(rest) {
            let slot = match name {
                None => {
                    next += 1;
                    Some(next - 1).filter(|slot| *slot < declared)
                }
                Some(name) => function.parameters.iter().position(|parameter| parameter.name == name),
            };
            // Parameters given by name come last in the list, so the first ones are those given by place.
            match slot {
                Some(slot) if slots[slot].1.is_none() => slots[slot].1 = Some(node),
                Some(slot) => {
                    let message = format!("`{}` is given twice", function.parameters[slot].name);
                    self.report(ARGUMENTS, node.span, message);
                    return None;
                }
                None if function.rest == Rest::Values && name.is_none() => slots.push((None, Some(node))),
                None if function.rest == Rest::Named && name.is_some() => {
                    slots.push((name.map(str::to_owned), Some(node)));
                }
                None => {
                    let message = match name {
                        Some(name) => format!("`{}` has no parameter `{name}`", function.name),
                        None => format!("too many arguments: `{}` takes {}", function.name, count(function)),
                    };
                    let help = Some(format!("it is `{}`", function.signature));
                    self.report_with(ARGUMENTS, node.span, message, help);
                    return None;
                }
            }
        }
        for (parameter, (_, slot)) in function.parameters.iter().zip(&slots) {
            if parameter.required && slot.is_none() {
                let message = format!("`{}` needs its argument `{}`", function.name, parameter.name);
                let help = Some(format!("it is `{}`", function.signature));
                self.report_with(ARGUMENTS, at.clone(), message, help);
                return None;
            }
        }
        Some(slots)
    }

    fn apply(
        &mut self,
        function: &'static Function,
        value: Option<Node>,
        rest: Vec<(Option<&str>, Node)>,
        at: Range<usize>,
        place: Range<usize>,
    ) -> Option<Node> {
        let piped = value.is_some();
        let mut slots = self.slots(function, value, rest, &at)?;
        if function.name == "default" {
            return self.default(slots, at, place);
        }
        if let [left, right] = slots.as_mut_slice()
            && function.kinds == [FunctionKind::Test]
            && (functions::comparison(function.name).is_some() || function.name == "in")
        {
            let (left, right) = (left.1.take()?, right.1.take()?);
            return match functions::comparison(function.name) {
                Some(op) => self.compare(op, left, right, place),
                None => self.contains(left, right, place),
            };
        }
        // A parameter `default` means the same everywhere: what to take for null and for what cannot be converted.
        let default = function.parameters.iter().position(|parameter| parameter.name == "default");
        let default = default.and_then(|slot| slots[slot].1.take());
        let arguments = slots
            .iter()
            .map(|(name, node)| {
                node.as_ref().map(|node| Argument {
                    name: name.clone(),
                    ty: &node.ty,
                    nullable: node.nullable,
                    constant: node.as_const(),
                })
            })
            .collect();
        let bound = match (function.bind)(&Binder { function: function.name, arguments }) {
            Ok(bound) => bound,
            Err(problem) => {
                self.report_problem(problem, &slots, at, piped);
                return None;
            }
        };
        let null = |place: &Range<usize>| Node::constant(Value::Null, place.clone());
        let args: Vec<Node> = slots.into_iter().map(|(_, node)| node.unwrap_or_else(|| null(&at))).collect();
        let varying: Vec<usize> =
            (0..args.len()).filter(|slot| *slot == 0 || args[*slot].as_const().is_none()).collect();
        let nullable = bound.nullable.unwrap_or_else(|| varying.iter().any(|slot| args[*slot].nullable));
        let fallible = bound.fallible || args.iter().any(|arg| arg.fallible);
        let ty = bound.ty.clone();
        let node = Node {
            kind: Kind::Call(Call { function, bound, args, varying }),
            ty,
            nullable,
            fallible,
            span: place.clone(),
        };
        match default {
            None => Some(node),
            Some(other) => self.with_default(node, other, false, place),
        }
    }

    fn default(
        &mut self,
        slots: Vec<(Option<String>, Option<Node>)>,
        at: Range<usize>,
        place: Range<usize>,
    ) -> Option<Node> {
        let mut slots = slots.into_iter().map(|(_, node)| node);
        let value = slots.next().flatten()?;
        let other = slots.next().flatten().unwrap_or_else(|| Node::constant(Value::from(""), place.clone()));
        let empty_too = match slots.next().flatten() {
            None => false,
            Some(node) => match node.as_const() {
                Some(value) => crate::ops::truthy(value),
                None => {
                    self.report(ARGUMENTS, node.span, "this argument of `default` must be a constant");
                    return None;
                }
            },
        };
        // In a macro or a loop that is unrolled it may have one for another value.
        let is_once = self.frames.is_empty() && self.unrolled == 1;
        if is_once && !value.nullable && !value.fallible && !empty_too {
            let span = self.scope.files.inside(self.text, at.start, at.end);
            self.warnings.push(
                Diagnostic::warning(codes::NO_EFFECT, span, "`default` is without effect: the value is never null")
                    .help("leave it away; for empty text as well write `| default(…, true)`"),
            );
        }
        self.with_default(value, other, empty_too, place)
    }

    fn with_default(&mut self, value: Node, other: Node, empty_too: bool, place: Range<usize>) -> Option<Node> {
        let Some(ty) = unify(&value.ty, &other.ty) else {
            let message = format!("the value is {}, but its default is {}", value.ty, other.ty);
            self.report(MISMATCH, other.span, message).help =
                Some("give a default of the same type, or convert the value first".into());
            return None;
        };
        let (value, other) = (widen(value, &ty), widen(other, &ty));
        let (nullable, fallible) = (other.nullable, other.fallible);
        let kind = Kind::Default(Box::new(value), Box::new(other), empty_too);
        Some(Node { kind, ty, nullable, fallible, span: place })
    }

    fn report_problem(
        &mut self,
        problem: Problem,
        slots: &[(Option<String>, Option<Node>)],
        at: Range<usize>,
        piped: bool,
    ) {
        let argument = problem.argument.and_then(|slot| slots.get(slot)).and_then(|(_, node)| node.as_ref());
        let place = match (argument, problem.within) {
            (Some(node), Some(within)) => self.inside_literal(node, within),
            // What a filter is applied to can be long: the name of the filter is the better place.
            (Some(node), None) if !(piped && problem.argument == Some(0)) => node.span.clone(),
            _ => at,
        };
        self.report_with(problem.code, place, problem.message, problem.help);
    }

    /// Bytes inside a text literal, when it is written without escapes.
    fn inside_literal(&self, node: &Node, within: Range<usize>) -> Range<usize> {
        let written = self.text.value.get(node.span.start + 1..node.span.end.saturating_sub(1));
        if written.is_some() && written == node.as_const().and_then(Value::as_text) {
            let start = node.span.start + 1;
            return start + within.start..start + within.end;
        }
        node.span.clone()
    }
}

/// Where the name of a filter stands.
fn filter_start(filter: &ast::Filter<'_>, value: &ast::Expr<'_>, source: &str) -> Option<usize> {
    let end = span_of(value).end;
    let pipe = source.get(end..)?.find('|')? + end;
    Some(source.get(pipe..)?.find(filter.name)? + pipe)
}

fn count(function: &Function) -> String {
    let filter = usize::from(!function.kinds.contains(&FunctionKind::Function));
    let most = function.parameters.iter().filter(|parameter| !parameter.by_name).count().saturating_sub(filter);
    let least = function.parameters.iter().filter(|parameter| parameter.required).count().saturating_sub(filter);
    match (least, most) {
        (_, 0) => "none".into(),
        (least, most) if least == most => format!("{most}"),
        (least, most) => format!("{least} to {most}"),
    }
}
