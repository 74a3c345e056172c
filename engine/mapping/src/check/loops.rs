//! `{% for %}`: a short list that is written out is unrolled, so that it compiles; all else is a loop.

use std::ops::Range;

use minijinja::machinery::ast;
use towpath_spec::Type;

use super::{Checker, MISMATCH, SYNTAX, loop_type, span_of, unify, widen};
use crate::expr::{Kind, Loop, Node};
use crate::interpret::loop_facts;
use crate::value::Value;

/// Items of a list that is written out up to which a loop over it is unrolled, loops in loops multiplied.
const MAX_UNROLLED: usize = 50;

impl Checker<'_> {
    pub(super) fn each(&mut self, each: &ast::ForLoop<'_>, place: Range<usize>) -> Option<Node> {
        if each.recursive {
            self.report(SYNTAX, place, "recursive loops are not offered in mappings");
            return None;
        }
        let names = self.targets(&each.target)?;
        let items = self.expr(&each.iter)?;
        if names.len() == 1
            && each.filter_expr.is_none()
            && let Some(written) = written_out(&items)
            && written.len() * self.unrolled <= MAX_UNROLLED
        {
            return self.unroll(&names[0], written, each, place);
        }
        self.loop_over(&names, items, each, place)
    }

    /// The names a loop gives its items, or their parts.
    fn targets(&mut self, target: &ast::Expr<'_>) -> Option<Vec<String>> {
        let parts = match target {
            ast::Expr::Var(var) => return Some(vec![var.id.to_owned()]),
            ast::Expr::List(list) => &list.items,
            ast::Expr::Tuple(tuple) => &tuple.items,
            _ => &Vec::new(),
        };
        let names = parts.iter().map(|part| match part {
            ast::Expr::Var(var) => Some(var.id.to_owned()),
            _ => None,
        });
        let names = names.collect::<Option<Vec<_>>>().filter(|names| names.len() > 1);
        if names.is_none() {
            self.report(SYNTAX, span_of(target), "a loop has one variable here, or several for lists of lists");
        }
        names
    }

    fn unroll(&mut self, name: &str, items: Vec<Node>, each: &ast::ForLoop<'_>, place: Range<usize>) -> Option<Node> {
        self.nesting += 1;
        if items.is_empty() {
            let node = self.body(&each.else_body);
            self.nesting -= 1;
            return node;
        }
        let (outer, around, length) = (self.locals.len(), self.unrolled, items.len());
        self.unrolled *= length;
        let mut parts = Some(Vec::with_capacity(length));
        for (at, item) in items.into_iter().enumerate() {
            self.locals.push((name.to_owned(), item));
            let facts = Node { ty: loop_type(), ..Node::constant(loop_facts(at, length), place.clone()) };
            self.locals.push(("loop".into(), facts));
            let part = self.body(&each.body);
            self.locals.truncate(outer);
            let Some(part) = part else {
                // What is wrong with the body is wrong with it for every item.
                parts = None;
                break;
            };
            parts.iter_mut().for_each(|parts| parts.push(part.clone()));
        }
        self.unrolled = around;
        self.body(&each.else_body)?;
        self.nesting -= 1;
        let parts = parts?;
        let fallible = parts.iter().any(|part| part.fallible);
        Some(Node { kind: Kind::Concat(parts), ty: Type::Text, nullable: false, fallible, span: place })
    }

    fn loop_over(
        &mut self,
        names: &[String],
        items: Node,
        each: &ast::ForLoop<'_>,
        place: Range<usize>,
    ) -> Option<Node> {
        let pairs = names.len() == 2;
        let inner = match &items.ty {
            Type::List(inner) => (**inner).clone(),
            Type::Json | Type::Null => Type::Json,
            Type::Struct(fields) if pairs => {
                let ty = fields.iter().try_fold(Type::Null, |ty, field| unify(&ty, &field.ty));
                Type::Struct(vec![
                    towpath_spec::Field::new("0", Type::Text).required(),
                    towpath_spec::Field::new("1", ty.unwrap_or(Type::Json)),
                ])
            }
            other => {
                let message = format!("a loop goes over a list, found {other}");
                self.report(MISMATCH, items.span, message);
                return None;
            }
        };
        let slot = self.slots;
        self.slots += 2;
        let outer = self.locals.len();
        let local = |slot, ty: Type, nullable| Node {
            kind: Kind::Local(slot),
            ty,
            nullable,
            fallible: false,
            span: place.clone(),
        };
        let item = local(slot, inner.clone(), true);
        if let [name] = names {
            self.locals.push((name.clone(), item));
        } else {
            let parts = self.parts(&item, names.len(), span_of(&each.target))?;
            self.locals.extend(names.iter().cloned().zip(parts));
        }
        let filter = match &each.filter_expr {
            Some(filter) => match self.expr(filter) {
                Some(filter) => Some(filter),
                None => {
                    self.locals.truncate(outer);
                    return None;
                }
            },
            None => None,
        };
        self.locals.push(("loop".into(), local(slot + 1, loop_type(), false)));
        self.nesting += 1;
        let body = self.body(&each.body);
        self.locals.truncate(outer);
        let empty = self.body(&each.else_body);
        self.nesting -= 1;
        let (body, empty) = (body?, empty?);
        let unpack = if names.len() > 1 { names.len() } else { 0 };
        let fallible = items.fallible
            || items.ty == Type::Json
            || unpack > 0
            || body.fallible
            || empty.fallible
            || filter.as_ref().is_some_and(|filter| filter.fallible);
        let kind = Kind::For(Box::new(Loop { slot, items, unpack, filter, body, empty }));
        Some(Node { kind, ty: Type::Text, nullable: false, fallible, span: place })
    }

    /// The parts of an item, each a tree of its own.
    fn parts(&mut self, item: &Node, count: usize, place: Range<usize>) -> Option<Vec<Node>> {
        let part = |at: usize, ty: &Type, nullable: bool| {
            let index = Node::constant(Value::Int(i64::try_from(at).unwrap_or(i64::MAX)), place.clone());
            let kind = Kind::Item(Box::new(item.clone()), Box::new(index));
            Node { kind, ty: ty.clone(), nullable, fallible: false, span: place.clone() }
        };
        match &item.ty {
            Type::Json => Some((0..count).map(|at| part(at, &Type::Json, true)).collect()),
            Type::List(inner) => Some((0..count).map(|at| part(at, inner, true)).collect()),
            Type::Struct(fields) if fields.len() == count => {
                let field = |field: &towpath_spec::Field| {
                    let kind = Kind::Attribute(Box::new(item.clone()), field.name.clone());
                    Node { kind, ..part(0, &field.ty, true) }
                };
                Some(fields.iter().map(field).collect())
            }
            other => {
                let message = format!("an item is {other}, which does not have {count} parts");
                self.report(MISMATCH, place, message);
                None
            }
        }
    }
}

/// The items of a list that is written out, each of the list's type, when none of them can fail.
fn written_out(items: &Node) -> Option<Vec<Node>> {
    let Type::List(inner) = &items.ty else { return None };
    if items.fallible || **inner == Type::Json {
        return None;
    }
    match &items.kind {
        Kind::Const(Value::List(values)) => {
            let node = |value: &Value| widen(Node::constant(value.clone(), items.span.clone()), inner);
            Some(values.iter().map(node).collect())
        }
        Kind::List(nodes) => Some(nodes.clone()),
        _ => None,
    }
}
