//! Text with `{{ }}` and `{% %}`: `if` and `set` become expressions, `for` a loop.

use minijinja::machinery::ast;
use towpath_spec::Type;

use super::{Checker, MISMATCH, SYNTAX, bytes, loop_type, span_of};
use crate::expr::{Kind, Loop, Node};
use crate::value::Value;

/// Nodes a name of `{% set %}` may stand for.
const MAX_SIZE: usize = 2_000;

impl Checker<'_> {
    /// The tree of a template: exactly one `{{ }}` keeps its type, all else is text.
    pub fn template(&mut self, template: &ast::Stmt<'_>) -> Option<Node> {
        let ast::Stmt::Template(template) = template else {
            return None;
        };
        if let [ast::Stmt::EmitExpr(only)] = template.children.as_slice() {
            return self.expr(&only.expr);
        }
        let statements = &template.children;
        // `{% set %}` before one `{{ }}` keeps the type as well.
        if let [sets @ .., ast::Stmt::EmitExpr(last)] = statements.as_slice()
            && sets.iter().all(|statement| matches!(statement, ast::Stmt::Set(_)))
        {
            for set in sets {
                self.statement(set)?;
            }
            return self.expr(&last.expr);
        }
        self.body(statements)
    }

    fn body(&mut self, statements: &[ast::Stmt<'_>]) -> Option<Node> {
        let outer = self.locals.len();
        let mut parts = Vec::with_capacity(statements.len());
        let mut sound = true;
        for statement in statements {
            match self.statement(statement) {
                Some(Some(part)) => parts.push(part),
                Some(None) => {}
                None => sound = false,
            }
        }
        self.locals.truncate(outer);
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

    /// What a statement prints, if it prints; the outer `None`: something was reported.
    #[expect(clippy::option_option, reason = "outer: soundness; inner: whether there is text")]
    fn statement(&mut self, statement: &ast::Stmt<'_>) -> Option<Option<Node>> {
        match statement {
            ast::Stmt::EmitRaw(raw) => Some(Some(Node::constant(Value::from(raw.raw), bytes(raw.span())))),
            ast::Stmt::EmitExpr(emit) => self.expr(&emit.expr).map(Some),
            ast::Stmt::IfCond(condition) => {
                let test = self.expr(&condition.expr);
                let then = self.body(&condition.true_body);
                let other = self.body(&condition.false_body);
                let (test, then, other) = (test?, then?, other?);
                let fallible = test.fallible || then.fallible || other.fallible;
                let kind = Kind::If(Box::new(test), Box::new(then), Box::new(other));
                let span = bytes(condition.span());
                Some(Some(Node { kind, ty: Type::Text, nullable: false, fallible, span }))
            }
            ast::Stmt::Set(set) => {
                let ast::Expr::Var(var) = &set.target else {
                    self.report(SYNTAX, span_of(&set.target), "`set` gives a value to one name");
                    return None;
                };
                let value = self.expr(&set.expr)?;
                let mut size = 0usize;
                value.walk(&mut |_| size += 1);
                if size > MAX_SIZE {
                    // Every use of the name repeats the expression, so that names built on names grow without bound.
                    self.report(
                        SYNTAX,
                        span_of(&set.target),
                        format!("`{}` stands for too large an expression", var.id),
                    )
                    .help = Some("make it a field of its own with a `set` step".into());
                    return None;
                }
                self.locals.push((var.id.to_owned(), value));
                Some(None)
            }
            ast::Stmt::ForLoop(each) => self.each(each, bytes(each.span())).map(Some),
            other => {
                let (name, place) = unsupported(other);
                self.report(SYNTAX, place, format!("`{{% {name} %}}` is not offered in mappings")).help =
                    Some("`if`, `for` and `set` are".into());
                None
            }
        }
    }

    fn each(&mut self, each: &ast::ForLoop<'_>, place: std::ops::Range<usize>) -> Option<Node> {
        let ast::Expr::Var(var) = &each.target else {
            self.report(SYNTAX, span_of(&each.target), "a loop has one variable here");
            return None;
        };
        if each.recursive {
            self.report(SYNTAX, place, "recursive loops are not offered in mappings");
            return None;
        }
        let items = self.expr(&each.iter)?;
        let inner = match &items.ty {
            Type::List(inner) => (**inner).clone(),
            Type::Json | Type::Null => Type::Json,
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
        self.locals.push((var.id.to_owned(), local(slot, inner, true)));
        let filter = match &each.filter_expr {
            Some(filter) => Some(self.expr(filter)?),
            None => None,
        };
        self.locals.push(("loop".into(), local(slot + 1, loop_type(), false)));
        let body = self.body(&each.body);
        self.locals.truncate(outer);
        let empty = self.body(&each.else_body);
        let (body, empty) = (body?, empty?);
        let fallible = items.fallible
            || items.ty == Type::Json
            || body.fallible
            || empty.fallible
            || filter.as_ref().is_some_and(|filter| filter.fallible);
        let kind = Kind::For(Box::new(Loop { slot, items, filter, body, empty }));
        Some(Node { kind, ty: Type::Text, nullable: false, fallible, span: place })
    }
}

fn unsupported(statement: &ast::Stmt<'_>) -> (&'static str, std::ops::Range<usize>) {
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
