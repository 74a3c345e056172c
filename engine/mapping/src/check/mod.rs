//! From syntax to the typed tree: names are looked up, types and nullability worked out, problems gathered at their place.

mod calls;
mod loops;
mod macros;
mod operators;
mod statements;

use std::ops::Range;

use minijinja::machinery::{Span as Place, ast};
use towpath_spec::diagnostic::did_you_mean;
use towpath_spec::{Code, Diagnostic, Field, Text, Type};

use crate::expr::{Kind, Node};
use crate::interpret::LOOP_FACTS;
use crate::macros::Macros;
use crate::scope::{Scope, run_fields};
use crate::value::Value;

pub(crate) const UNKNOWN_COLUMN: Code = towpath_spec::codes::UNKNOWN_COLUMN;
const UNKNOWN_NAME: Code = towpath_spec::codes::UNKNOWN_NAME;
const MISMATCH: Code = towpath_spec::codes::TYPE_MISMATCH;
const SYNTAX: Code = crate::parse::SYNTAX;

pub(crate) use statements::statement_place;

/// Turns the syntax of one template into a typed tree.
pub(crate) struct Checker<'a> {
    pub scope: &'a Scope<'a>,
    pub text: &'a Text,
    pub problems: Vec<Diagnostic>,
    /// What is worth knowing, though not wrong.
    pub warnings: Vec<Diagnostic>,
    /// What `{% set %}` and `{% for %}` named, innermost last.
    locals: Vec<(String, Node)>,
    /// Macros of the template itself.
    pub own: Option<&'a Macros<'a>>,
    /// Macros one is inside of, outermost first.
    frames: Vec<macros::Frame<'a>>,
    /// Whether a macro is looked at by itself, with parameters of any type.
    defining: bool,
    /// Nodes that macros and names have put where they were not written.
    expanded: usize,
    /// Blocks of `{% if %}` and `{% for %}` one is inside of.
    nesting: usize,
    /// Items of the unrolled loops one is inside of, multiplied.
    unrolled: usize,
    /// How deep in expressions one is.
    depth: usize,
    /// Slots for loop variables given out so far.
    slots: usize,
    /// Whether `params`, `run` and `row` mean what they mean in rows.
    in_rows: bool,
}

/// The narrowest type both fit without loss of meaning; `None`: there is none.
pub(crate) fn unify(left: &Type, right: &Type) -> Option<Type> {
    Some(match (left, right) {
        (l, r) if l == r => l.clone(),
        (Type::Null, other) | (other, Type::Null) => other.clone(),
        (Type::Json, _) | (_, Type::Json) => Type::Json,
        (Type::Int | Type::Decimal { .. }, Type::Float) | (Type::Float, Type::Int | Type::Decimal { .. }) => {
            Type::Float
        }
        (Type::Decimal { scale, .. }, Type::Int) | (Type::Int, Type::Decimal { scale, .. }) => {
            Type::Decimal { precision: 38, scale: *scale }
        }
        (Type::Decimal { scale: l, .. }, Type::Decimal { scale: r, .. }) => {
            Type::Decimal { precision: 38, scale: *l.max(r) }
        }
        (Type::DateTime { zone: Some(_) }, Type::DateTime { zone: Some(_) }) => left.clone(),
        (Type::List(l), Type::List(r)) => Type::List(Box::new(unify(l, r)?)),
        _ => return None,
    })
}

/// Whether a name is that of null in other languages.
fn is_null_elsewhere(name: &str) -> bool {
    ["null", "nil"].iter().any(|null| name.eq_ignore_ascii_case(null))
}

/// Bytes of a place.
pub(crate) fn bytes(place: Place) -> Range<usize> {
    place.start_offset as usize..(place.end_offset as usize).max(place.start_offset as usize)
}

/// Bytes an expression was written as; the parser starts some spans a token early.
pub(crate) fn span_of(expr: &ast::Expr<'_>) -> Range<usize> {
    let own = bytes(expr.span());
    let start = match expr {
        ast::Expr::BinOp(op) => span_of(&op.left).start,
        ast::Expr::Compare(op) => span_of(&op.expr).start,
        ast::Expr::IfExpr(choice) => span_of(&choice.true_expr).start,
        ast::Expr::Filter(filter) => filter.expr.as_ref().map_or(own.start, |expr| span_of(expr).start),
        ast::Expr::Test(test) => span_of(&test.expr).start,
        ast::Expr::GetAttr(get) => span_of(&get.expr).start,
        ast::Expr::GetItem(get) => span_of(&get.expr).start,
        ast::Expr::Call(call) => span_of(&call.expr).start,
        ast::Expr::UnaryOp(op) => return own.start.min(span_of(&op.expr).start)..own.end,
        _ => own.start,
    };
    start..own.end.max(start)
}

impl<'a> Checker<'a> {
    pub fn new(scope: &'a Scope<'a>, text: &'a Text) -> Self {
        Self {
            scope,
            text,
            problems: Vec::new(),
            warnings: Vec::new(),
            locals: Vec::new(),
            own: None,
            frames: Vec::new(),
            defining: false,
            expanded: 0,
            nesting: 0,
            unrolled: 1,
            depth: 0,
            slots: 0,
            in_rows: true,
        }
    }

    /// Makes `params`, `run` and `row` names like others.
    pub fn reserve_nothing(&mut self) {
        self.in_rows = false;
    }

    /// Reports a problem at bytes of the template.
    fn report(&mut self, code: Code, place: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let span = self.scope.files.inside(self.text, place.start, place.end);
        let problem = Diagnostic::error(code, span, message);
        let problem = self.callers().into_iter().fold(problem, |problem, (at, what)| problem.label(at, what));
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn report_with(&mut self, code: Code, place: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.report(code, place, message).help = help;
    }

    /// The tree of an expression; `None` when something in it was reported.
    pub fn expr(&mut self, expr: &ast::Expr<'_>) -> Option<Node> {
        let place = span_of(expr);
        if !self.frames.is_empty() && !self.expand(1, place.clone()) {
            return None;
        }
        // What is written is bounded by the parser, what macros make of it is not.
        if self.depth > 2 * macros::MAX_DEPTH {
            self.report(crate::macros::BAD_MACRO, place, "macros call each other too deep");
            return None;
        }
        self.depth += 1;
        let node = self.expr_at(expr, place);
        self.depth -= 1;
        node
    }

    fn expr_at(&mut self, expr: &ast::Expr<'_>, place: Range<usize>) -> Option<Node> {
        match expr {
            ast::Expr::Const(constant) => self.constant(&constant.value, place),
            ast::Expr::Var(var) => self.name(var.id, place),
            ast::Expr::GetAttr(get) => self.attribute(&get.expr, get.name, place),
            ast::Expr::GetItem(get) => self.item(get, place),
            ast::Expr::Slice(slice) => self.slice(slice, place),
            ast::Expr::UnaryOp(op) => self.unary(op, place),
            ast::Expr::BinOp(op) => self.binary(op, place),
            ast::Expr::Compare(chain) => self.chain(chain, place),
            ast::Expr::IfExpr(choice) => self.choice(choice, place),
            ast::Expr::Filter(filter) => self.filter(filter, place),
            ast::Expr::Test(test) => self.test(test, place),
            ast::Expr::Call(call) => self.function(call, place),
            ast::Expr::List(list) => self.list(&list.items, place),
            ast::Expr::Tuple(tuple) => self.list(&tuple.items, place),
            ast::Expr::Map(map) => self.map(map, place),
        }
    }

    fn constant(&mut self, value: &minijinja::Value, place: Range<usize>) -> Option<Node> {
        use minijinja::value::ValueKind;
        let value = match value.kind() {
            ValueKind::None | ValueKind::Undefined => Value::Null,
            ValueKind::Bool => Value::Bool(value.is_true()),
            ValueKind::Number if value.is_integer() => match i64::try_from(value.clone()) {
                Ok(i) => Value::Int(i),
                Err(_) => {
                    self.report(MISMATCH, place, format!("{value} is beyond 64 bits")).help =
                        Some("write it as text and convert it: `'…' | decimal(38, 0)`".into());
                    return None;
                }
            },
            ValueKind::Number => Value::Float(f64::try_from(value.clone()).unwrap_or(f64::NAN)),
            _ => Value::from(value.as_str().unwrap_or_default()),
        };
        Some(Node::constant(value, place))
    }

    fn column(&self, field: &Field, place: Range<usize>) -> Node {
        Node {
            kind: Kind::Column(field.name.clone()),
            ty: field.ty.clone(),
            nullable: field.nullable,
            fallible: false,
            span: place,
        }
    }

    /// A bare name: a local, a reserved name, a further name of the row, or a column.
    fn name(&mut self, name: &str, place: Range<usize>) -> Option<Node> {
        if let Some((_, node)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            // Each use repeats the tree; the node stands where the name is used.
            let mut size = 0;
            node.walk(&mut |_| size += 1);
            let node = Node { span: place.clone(), ..node.clone() };
            return self.expand(size - 1, place).then_some(node);
        }
        match name {
            _ if !self.in_rows => {}
            "params" | "run" => {
                let message = format!("`{name}` is not a value, expected `{name}.NAME`");
                self.report(SYNTAX, place, message);
                return None;
            }
            "row" if self.frames.is_empty() => return self.whole_row(place),
            _ => {}
        }
        self.named_column(name, place, true)
    }

    fn named_column(&mut self, name: &str, place: Range<usize>, bare: bool) -> Option<Node> {
        if let Some(field) =
            self.scope.extra.iter().filter(|_| bare && self.frames.is_empty()).find(|field| field.name == name)
        {
            return Some(self.column(field, place));
        }
        if !self.frames.is_empty() {
            self.unknown_in_macro(name, place);
            return None;
        }
        let Some(schema) = self.scope.columns else {
            return Some(self.column(&Field::new(name, Type::Json), place));
        };
        if let Some(field) = schema.get(name) {
            return Some(self.column(field, place));
        }
        let columns: Vec<&str> = schema.names().collect();
        let mut known = columns.clone();
        if bare {
            known.extend(self.locals.iter().map(|(name, _)| name.as_str()));
            known.extend(self.scope.extra.iter().map(|field| field.name.as_str()));
        }
        let help = if bare && crate::functions::find(name, crate::functions::FunctionKind::Function).is_some() {
            Some(format!("`{name}` is a function: call it with `{name}()`"))
        } else if bare && self.macro_named(name).is_some() {
            Some(format!("`{name}` is a macro: call it with `{name}(…)`"))
        } else if bare && is_null_elsewhere(name) {
            Some("did you mean `none`?".into())
        } else {
            did_you_mean(name, known.iter().copied())
        };
        let message =
            if columns.is_empty() { format!("unknown name `{name}`") } else { format!("no column is named `{name}`") };
        self.report_with(UNKNOWN_COLUMN, place, message, help);
        None
    }

    /// `row` by itself: all columns as one struct.
    fn whole_row(&mut self, place: Range<usize>) -> Option<Node> {
        let Some(schema) = self.scope.columns else {
            self.report(SYNTAX, place, "`row` as a whole needs columns that are known beforehand");
            return None;
        };
        let fields: Vec<(String, Node)> =
            schema.fields.iter().map(|field| (field.name.clone(), self.column(field, place.clone()))).collect();
        let ty = Type::Struct(schema.fields.clone());
        Some(Node { kind: Kind::Struct(fields), ty, nullable: false, fallible: false, span: place })
    }

    /// `params.x`, `run.x` and `row.x`, when the left side is that very name.
    fn reserved(&mut self, of: &ast::Expr<'_>, name: &str, place: &Range<usize>) -> Option<Option<Node>> {
        let ast::Expr::Var(var) = of else { return None };
        if !self.in_rows || self.locals.iter().any(|(local, _)| local == var.id) {
            return None;
        }
        let fields = match var.id {
            "params" => self.scope.params.to_vec(),
            "run" => run_fields().to_vec(),
            "row" => return Some(self.named_column(name, place.clone(), false)),
            _ => return None,
        };
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let help = did_you_mean(name, fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>());
            self.report_with(UNKNOWN_NAME, place.clone(), format!("unknown name `{name}` in `{}`", var.id), help);
            return Some(None);
        };
        let name = name.to_owned();
        let kind = if var.id == "params" { Kind::Param(name) } else { Kind::RunFact(name) };
        Some(Some(Node { kind, ty: field.ty.clone(), nullable: field.nullable, fallible: false, span: place.clone() }))
    }

    fn attribute(&mut self, of: &ast::Expr<'_>, name: &str, place: Range<usize>) -> Option<Node> {
        let at = place.end.saturating_sub(name.len())..place.end;
        if let Some(found) = self.reserved(of, name, &at) {
            return found;
        }
        let of = self.expr(of)?;
        self.field_of(of, name, at, place)
    }

    fn field_of(&mut self, of: Node, name: &str, at: Range<usize>, place: Range<usize>) -> Option<Node> {
        let (ty, nullable) = match &of.ty {
            Type::Json | Type::Null => (of.ty.clone(), true),
            Type::Struct(fields) => match fields.iter().find(|field| field.name == name) {
                Some(field) => (field.ty.clone(), field.nullable || of.nullable),
                None => {
                    let help = did_you_mean(name, fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>());
                    self.report_with(UNKNOWN_NAME, at, format!("no field is named `{name}`"), help);
                    return None;
                }
            },
            other => {
                let message = format!("`.{name}` reads a field of a struct or json, found {other}");
                self.report(MISMATCH, at, message).help = Some(format!("apply a filter with a pipe: `… | {name}`"));
                return None;
            }
        };
        let fallible = of.fallible;
        Some(Node { kind: Kind::Attribute(Box::new(of), name.to_owned()), ty, nullable, fallible, span: place })
    }

    fn item(&mut self, get: &ast::GetItem<'_>, place: Range<usize>) -> Option<Node> {
        let subscript = self.expr(&get.subscript_expr)?;
        if let Some(name) = subscript.as_const().and_then(Value::as_text).map(str::to_owned) {
            if let Some(found) = self.reserved(&get.expr, &name, &subscript.span) {
                return found;
            }
            let of = self.expr(&get.expr)?;
            return self.field_of(of, &name, subscript.span, place);
        }
        let of = self.expr(&get.expr)?;
        let ty = match (&of.ty, &subscript.ty) {
            (Type::Json, Type::Int | Type::Text | Type::Json) => Type::Json,
            (Type::List(inner), Type::Int | Type::Json) => (**inner).clone(),
            (Type::Text, Type::Int | Type::Json) => Type::Text,
            (Type::Null, _) => Type::Null,
            (of, subscript) => {
                let message = format!("cannot look up {subscript} in {of}");
                self.report(MISMATCH, place, message);
                return None;
            }
        };
        let fallible = of.fallible || subscript.fallible;
        Some(Node { kind: Kind::Item(Box::new(of), Box::new(subscript)), ty, nullable: true, fallible, span: place })
    }

    fn slice(&mut self, slice: &ast::Slice<'_>, place: Range<usize>) -> Option<Node> {
        if let Some(step) = &slice.step {
            self.report(SYNTAX, span_of(step), "a slice takes no step here");
            return None;
        }
        let of = self.expr(&slice.expr)?;
        let mut bound = |expr: &Option<ast::Expr<'_>>| -> Option<Option<Box<Node>>> {
            let Some(expr) = expr else { return Some(None) };
            let node = self.expr(expr)?;
            if !matches!(node.ty, Type::Int | Type::Null | Type::Json) {
                let message = format!("a bound of a slice is an int, found {}", node.ty);
                self.report(MISMATCH, node.span, message);
                return None;
            }
            Some(Some(Box::new(node)))
        };
        let (start, stop) = (bound(&slice.start)?, bound(&slice.stop)?);
        if !matches!(of.ty, Type::Text | Type::List(_) | Type::Json | Type::Null) {
            let message = format!("text and lists can be sliced, found {}", of.ty);
            self.report(MISMATCH, of.span, message);
            return None;
        }
        let fallible =
            of.ty == Type::Json || of.fallible || [&start, &stop].into_iter().flatten().any(|bound| bound.fallible);
        let (ty, nullable) = (of.ty.clone(), of.nullable);
        Some(Node { kind: Kind::Slice(Box::new(of), start, stop), ty, nullable, fallible, span: place })
    }

    fn list(&mut self, items: &[ast::Expr<'_>], place: Range<usize>) -> Option<Node> {
        let nodes: Vec<Option<Node>> = items.iter().map(|item| self.expr(item)).collect();
        let nodes: Vec<Node> = nodes.into_iter().collect::<Option<_>>()?;
        let mut inner = Type::Null;
        for node in &nodes {
            let Some(ty) = unify(&inner, &node.ty) else {
                let message = format!("items of a list are of one type, found {inner} and {}", node.ty);
                self.report(MISMATCH, node.span.clone(), message);
                return None;
            };
            inner = ty;
        }
        let nodes: Vec<Node> = nodes.into_iter().map(|node| widen(node, &inner)).collect();
        let fallible = nodes.iter().any(|node| node.fallible);
        let ty = Type::List(Box::new(inner));
        if let Some(values) = nodes.iter().map(|node| node.as_const().cloned()).collect::<Option<Vec<_>>>() {
            return Some(Node { ty, ..Node::constant(Value::List(values), place) });
        }
        Some(Node { kind: Kind::List(nodes), ty, nullable: false, fallible, span: place })
    }

    fn map(&mut self, map: &ast::Map<'_>, place: Range<usize>) -> Option<Node> {
        let mut fields: Vec<(String, Node)> = Vec::with_capacity(map.keys.len());
        let mut sound = true;
        for (key, value) in map.keys.iter().zip(&map.values) {
            let (Some(key), Some(value)) = (self.expr(key), self.expr(value)) else {
                sound = false;
                continue;
            };
            let Some(name) = key.as_const().filter(|key| !key.is_null()).map(Value::to_text) else {
                self.report(SYNTAX, key.span, "a key of a mapping is a constant");
                return None;
            };
            if fields.iter().any(|(known, _)| *known == name) {
                self.report(SYNTAX, key.span, format!("the key `{name}` is there twice"));
                return None;
            }
            fields.push((name, value));
        }
        if !sound {
            return None;
        }
        let field =
            |(name, node): &(String, Node)| Field { name: name.clone(), ty: node.ty.clone(), nullable: node.nullable };
        let ty = Type::Struct(fields.iter().map(field).collect());
        let fallible = fields.iter().any(|(_, node)| node.fallible);
        let constant = |(name, node): &(String, Node)| Some((name.clone(), node.as_const()?.clone()));
        if let Some(values) = fields.iter().map(constant).collect::<Option<_>>() {
            return Some(Node { ty, ..Node::constant(Value::Struct(values), place) });
        }
        Some(Node { kind: Kind::Struct(fields), ty, nullable: false, fallible, span: place })
    }
}

/// The node as a wider type; itself when it is of that type.
pub(crate) fn widen(node: Node, ty: &Type) -> Node {
    if node.ty == *ty {
        return node;
    }
    let span = node.span.clone();
    if let Some(value) = node.as_const().and_then(|value| crate::cast::convert(value, ty).ok()) {
        return Node { ty: ty.clone(), ..Node::constant(value, span) };
    }
    // An int or decimal may be too long for a decimal of another scale; nothing else can go wrong.
    let own = matches!(ty, Type::Decimal { .. }) && node.ty != Type::Null;
    let (nullable, fallible) = (node.nullable, node.fallible || own);
    Node { kind: Kind::Widen(Box::new(node)), ty: ty.clone(), nullable, fallible, span }
}

/// Type of what `loop` knows.
pub(crate) fn loop_type() -> Type {
    let ty = |name: &str| {
        if matches!(name, "first" | "last") { Type::Bool } else { Type::Int }
    };
    Type::Struct(LOOP_FACTS.iter().map(|name| Field::new(*name, ty(name)).required()).collect())
}
