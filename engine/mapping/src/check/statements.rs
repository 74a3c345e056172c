//! Text with `{{ }}` and `{% %}`: `if` and `set` become expressions.

use std::ops::Range;

use minijinja::machinery::ast;
use towpath_spec::Type;

use super::{Checker, MISMATCH, SYNTAX, bytes, span_of, unify, widen};
use crate::expr::{Kind, Node};
use crate::macros::BAD_MACRO;
use crate::value::Value;

/// Nodes a name of `{% set %}` may stand for.
const MAX_SIZE: usize = 2_000;

impl Checker<'_> {
    /// The tree of a template: exactly one `{{ }}` keeps its type, all else is text.
    pub fn template(&mut self, template: &ast::Stmt<'_>) -> Option<Node> {
        let ast::Stmt::Template(template) = template else {
            return None;
        };
        self.statements(&template.children)
    }

    /// The tree of a template's statements, or of a macro's.
    pub(super) fn statements(&mut self, statements: &[ast::Stmt<'_>]) -> Option<Node> {
        // Macros of the template print nothing; `{% set %}` before one `{{ }}` keeps the type as well.
        if let [sets @ .., ast::Stmt::EmitExpr(last)] = statements
            && sets.iter().all(|statement| matches!(statement, ast::Stmt::Set(_) | ast::Stmt::Macro(_)))
        {
            for set in sets {
                self.statement(set)?;
            }
            return self.expr(&last.expr);
        }
        self.body(statements)
    }

    /// Statements with a scope of their own: names they give are forgotten behind them.
    pub(super) fn body(&mut self, statements: &[ast::Stmt<'_>]) -> Option<Node> {
        let outer = self.locals.len();
        let node = self.open_body(statements);
        self.locals.truncate(outer);
        node
    }

    /// Statements that leave the names they give behind them.
    fn open_body(&mut self, statements: &[ast::Stmt<'_>]) -> Option<Node> {
        let mut parts = Vec::with_capacity(statements.len());
        let mut sound = true;
        for statement in statements {
            match self.statement(statement) {
                Some(Some(part)) => parts.push(part),
                Some(None) => {}
                None => sound = false,
            }
        }
        if !sound {
            return None;
        }
        let mut flat: Vec<Node> = Vec::with_capacity(parts.len());
        for part in parts {
            match part.kind {
                Kind::Concat(inner) => flat.extend(inner),
                _ => flat.push(part),
            }
        }
        if let [Node { kind: Kind::Const(Value::Text(_)), .. }] = flat.as_slice() {
            return flat.pop();
        }
        let fallible = flat.iter().any(|part| part.fallible);
        Some(Node {
            kind: Kind::Concat(flat),
            ty: Type::Text,
            nullable: false,
            fallible,
            span: 0..self.text.value.len(),
        })
    }

    /// `{% if %}`. As in Jinja it is no scope: what is set in a branch is known behind it.
    fn condition(&mut self, condition: &ast::IfCond<'_>, span: Range<usize>) -> Option<Node> {
        let test = self.expr(&condition.expr);
        self.nesting += 1;
        let outer = self.locals.len();
        let then = self.open_body(&condition.true_body);
        let in_then = self.locals.split_off(outer);
        let other = self.open_body(&condition.false_body);
        let in_other = self.locals.split_off(outer);
        self.nesting -= 1;
        let (test, then, other) = (test?, then?, other?);
        let mut names: Vec<String> = Vec::new();
        for (name, _) in in_then.iter().chain(&in_other) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        for name in names {
            let value = |branch: &[(String, Node)]| {
                let set = branch.iter().rev().chain(self.locals.iter().rev()).find(|(known, _)| *known == name);
                set.map_or_else(|| Node::constant(Value::Null, span.clone()), |(_, node)| node.clone())
            };
            let (left, right) = (value(&in_then), value(&in_other));
            let Some(ty) = unify(&left.ty, &right.ty) else {
                let message = format!("`{name}` is {} or {}, as the condition is true or not", left.ty, right.ty);
                self.locals.push((name, Node { ty: Type::Json, ..Node::constant(Value::Null, span.clone()) }));
                self.report(MISMATCH, span, message).help = Some("convert one of them, e.g. `| string`".into());
                return None;
            };
            let (left, right) = (widen(left, &ty), widen(right, &ty));
            let nullable = left.nullable || right.nullable;
            let fallible = test.fallible || left.fallible || right.fallible;
            let kind = Kind::If(Box::new(test.clone()), Box::new(left), Box::new(right));
            let node = Node { kind, ty, nullable, fallible, span: span.clone() };
            self.bind(&name, node, span.clone())?;
        }
        let fallible = test.fallible || then.fallible || other.fallible;
        let kind = Kind::If(Box::new(test), Box::new(then), Box::new(other));
        Some(Node { kind, ty: Type::Text, nullable: false, fallible, span })
    }

    /// Gives a name to a tree that is repeated wherever the name is used.
    fn bind(&mut self, name: &str, value: Node, place: Range<usize>) -> Option<()> {
        let mut size = 0usize;
        value.walk(&mut |_| size += 1);
        if size > MAX_SIZE {
            // Names built on names grow without bound.
            self.report(SYNTAX, place, format!("`{name}` stands for too large an expression")).help =
                Some("make it a field of its own with a `set` step".into());
            return None;
        }
        if !self.depth_allowed(&value, place) {
            return None;
        }
        self.locals.push((name.to_owned(), value));
        Some(())
    }

    /// What a statement prints, if it prints; the outer `None`: something was reported.
    #[expect(clippy::option_option, reason = "outer: soundness; inner: whether there is text")]
    fn statement(&mut self, statement: &ast::Stmt<'_>) -> Option<Option<Node>> {
        match statement {
            ast::Stmt::EmitRaw(raw) => Some(Some(Node::constant(Value::from(raw.raw), bytes(raw.span())))),
            ast::Stmt::EmitExpr(emit) => self.expr(&emit.expr).map(Some),
            ast::Stmt::IfCond(condition) => self.condition(condition, bytes(condition.span())).map(Some),
            ast::Stmt::Set(set) => {
                let ast::Expr::Var(var) = &set.target else {
                    self.report(SYNTAX, span_of(&set.target), "`set` gives a value to one name");
                    return None;
                };
                let value = self.expr(&set.expr)?;
                self.bind(var.id, value, span_of(&set.target))?;
                Some(None)
            }
            ast::Stmt::Macro(_) if self.nesting == 0 && self.frames.is_empty() => Some(None),
            ast::Stmt::Macro(inner) => {
                let place = bytes(inner.span());
                self.report(BAD_MACRO, place, "a macro stands at the top of a template, not inside of something");
                None
            }
            ast::Stmt::ForLoop(each) => self.each(each, bytes(each.span())).map(Some),
            other => {
                let (name, place) = unsupported(other);
                self.report(SYNTAX, place, format!("`{{% {name} %}}` is not offered in mappings")).help =
                    Some("`if`, `for`, `set` and `macro` are".into());
                None
            }
        }
    }
}

/// Where a statement stands that is not offered.
pub(crate) fn statement_place(statement: &ast::Stmt<'_>) -> Range<usize> {
    match statement {
        ast::Stmt::Set(s) => bytes(s.span()),
        ast::Stmt::IfCond(s) => bytes(s.span()),
        ast::Stmt::ForLoop(s) => bytes(s.span()),
        other => unsupported(other).1,
    }
}

fn unsupported(statement: &ast::Stmt<'_>) -> (&'static str, Range<usize>) {
    match statement {
        ast::Stmt::WithBlock(s) => ("with", bytes(s.span())),
        ast::Stmt::SetBlock(s) => ("set", bytes(s.span())),
        ast::Stmt::AutoEscape(s) => ("autoescape", bytes(s.span())),
        ast::Stmt::FilterBlock(s) => ("filter", bytes(s.span())),
        ast::Stmt::Block(s) => ("block", bytes(s.span())),
        ast::Stmt::Import(s) => ("import", bytes(s.span())),
        ast::Stmt::FromImport(s) => ("from", bytes(s.span())),
        ast::Stmt::Extends(s) => ("extends", bytes(s.span())),
        ast::Stmt::Include(s) => ("include", bytes(s.span())),
        ast::Stmt::Macro(s) => ("macro", bytes(s.span())),
        ast::Stmt::CallBlock(s) => ("call", bytes(s.span())),
        ast::Stmt::Do(s) => ("do", bytes(s.span())),
        _ => ("this", 0..0),
    }
}
