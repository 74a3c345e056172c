//! Types of operators.

use std::ops::Range;

use minijinja::machinery::ast;
use towpath_spec::Type;

use super::{Checker, MISMATCH, span_of, unify, widen};
use crate::expr::{Arithmetic, Comparison, Kind, Node};
use crate::narrow::{not_null_where, nullable_given};
use crate::ops;
use crate::value::Value;

/// A node that is never null, as boolean operators give.
fn boolean(kind: Kind, fallible: bool, span: Range<usize>) -> Node {
    Node { kind, ty: Type::Bool, nullable: false, fallible, span }
}

/// The type of arithmetic, and whether it can fail; `None`: the types do not go together.
fn arithmetic_type(op: Arithmetic, left: &Type, right: &Type) -> Option<(Type, bool)> {
    use Arithmetic::{Add, Divide, FloorDivide, Multiply, Power, Remainder, Subtract};
    use Type::{Date, DateTime, Decimal, Duration, Float, Int, Json, Null, Text};
    Some(match (op, left, right) {
        (_, Null, other) | (_, other, Null) if matches!(other, Int | Float | Decimal { .. } | Null | Json) => {
            (if op == Divide && *other == Int { Float } else { other.clone() }, true)
        }
        (Add, Null, Text) | (Add, Text, Null) => (Text, false),
        (_, Json, _) | (_, _, Json) => (Json, true),
        (Divide, Int, Int) => (Float, true),
        (_, Int, Int) => (Int, true),
        (Add | Subtract | Multiply, Float, Int | Float) | (Add | Subtract | Multiply, Int, Float) => (Float, false),
        (_, Float, Int | Float) | (_, Int, Float) => (Float, true),
        (_, Float, Decimal { .. }) | (_, Decimal { .. }, Float) => (Float, true),
        (Power, Decimal { .. }, _) | (Power, _, Decimal { .. }) => return None,
        (_, Decimal { .. } | Int, Decimal { .. } | Int) => {
            let scale = |ty: &Type| {
                if let Decimal { scale, .. } = ty { *scale } else { 0 }
            };
            let (l, r) = (scale(left), scale(right));
            let scale = match op {
                Multiply => (l + r).min(38),
                Divide => l.max(r).max(ops::DIVISION_SCALE),
                FloorDivide => 0,
                _ => l.max(r),
            };
            (Decimal { precision: 38, scale }, true)
        }
        (Add, Text, Text) => (Text, false),
        (Subtract, Date, Date) => (Duration, true),
        (Subtract, DateTime { zone: l }, DateTime { zone: r }) if l.is_some() == r.is_some() => (Duration, true),
        (Add | Subtract, DateTime { .. } | Date, Duration) => (left.clone(), true),
        (Add, Duration, DateTime { .. } | Date) => (right.clone(), true),
        (Add | Subtract, Duration, Duration) => (Duration, true),
        (Multiply, Duration, Int) | (Multiply, Int, Duration) => (Duration, true),
        (Remainder, ..) => return None,
        _ => return None,
    })
}

impl Checker<'_> {
    /// Bytes of the operator between two operands.
    fn between(&self, left: Range<usize>, right: Range<usize>) -> Range<usize> {
        let source = &self.text.value;
        match source.get(left.end..right.start) {
            Some(gap) => {
                let inner = gap.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
                let start = left.end + gap.find(inner).unwrap_or(0);
                start..start + inner.len()
            }
            None => left.start..right.end.max(left.start),
        }
    }

    pub(super) fn unary(&mut self, op: &ast::UnaryOp<'_>, place: Range<usize>) -> Option<Node> {
        let of = self.expr(&op.expr)?;
        let fallible = of.fallible;
        if matches!(op.op, ast::UnaryOpKind::Not) {
            return Some(boolean(Kind::Not(Box::new(of)), fallible, place));
        }
        if let Some(value) = of.as_const().filter(|value| !value.is_null()).and_then(|value| ops::negate(value).ok()) {
            return Some(Node { ty: of.ty.clone(), ..Node::constant(value, place) });
        }
        if !matches!(of.ty, Type::Int | Type::Float | Type::Decimal { .. } | Type::Duration | Type::Json | Type::Null) {
            self.report(MISMATCH, place, format!("`-` takes a number or duration, found {}", of.ty));
            return None;
        }
        let own = matches!(of.ty, Type::Int | Type::Duration | Type::Json);
        let (ty, nullable) = (of.ty.clone(), of.nullable);
        Some(Node { kind: Kind::Negate(Box::new(of)), ty, nullable, fallible: fallible || own, span: place })
    }

    pub(super) fn binary(&mut self, op: &ast::BinOp<'_>, place: Range<usize>) -> Option<Node> {
        use ast::BinOpKind as Op;
        if matches!(op.op, Op::Concat) {
            return self.concat(op, place);
        }
        let (left, right) = (self.expr(&op.left), self.expr(&op.right));
        let (left, right) = (left?, right?);
        let comparison = match op.op {
            Op::Eq => Comparison::Equal,
            Op::Ne => Comparison::Unequal,
            Op::Lt => Comparison::Less,
            Op::Lte => Comparison::LessEqual,
            Op::Gt => Comparison::Greater,
            Op::Gte => Comparison::GreaterEqual,
            Op::In => return self.contains(left, right, place),
            Op::ScAnd => return Some(and_or(left, right, false, place)),
            Op::ScOr => return Some(and_or(left, right, true, place)),
            Op::Add => return self.arithmetic(Arithmetic::Add, left, right, place),
            Op::Sub => return self.arithmetic(Arithmetic::Subtract, left, right, place),
            Op::Mul => return self.arithmetic(Arithmetic::Multiply, left, right, place),
            Op::Div => return self.arithmetic(Arithmetic::Divide, left, right, place),
            Op::FloorDiv => return self.arithmetic(Arithmetic::FloorDivide, left, right, place),
            Op::Rem => return self.arithmetic(Arithmetic::Remainder, left, right, place),
            Op::Pow => return self.arithmetic(Arithmetic::Power, left, right, place),
            Op::Concat => return None,
        };
        self.compare(comparison, left, right, place)
    }

    fn concat(&mut self, op: &ast::BinOp<'_>, place: Range<usize>) -> Option<Node> {
        let (left, right) = (self.expr(&op.left), self.expr(&op.right));
        let (left, right) = (left?, right?);
        let mut parts = Vec::new();
        for side in [left, right] {
            match side.kind {
                Kind::Concat(inner) => parts.extend(inner),
                _ => parts.push(side),
            }
        }
        let fallible = parts.iter().any(|part| part.fallible);
        Some(Node { kind: Kind::Concat(parts), ty: Type::Text, nullable: false, fallible, span: place })
    }

    pub(super) fn compare(&mut self, op: Comparison, left: Node, right: Node, place: Range<usize>) -> Option<Node> {
        let equality = matches!(op, Comparison::Equal | Comparison::Unequal);
        let nested = |ty: &Type| matches!(ty, Type::List(_) | Type::Struct(_));
        let fits = match (&left.ty, &right.ty) {
            (Type::Null | Type::Json, _) | (_, Type::Null | Type::Json) => true,
            (l, r) if l.is_numeric() && r.is_numeric() => true,
            (Type::Struct(_), Type::Struct(_)) => equality,
            (l, r) => unify(l, r).is_some_and(|ty| equality || !nested(&ty)),
        };
        if !fits {
            let at = self.between(left.span.clone(), right.span.clone());
            let message = format!("cannot compare {} with {}", left.ty, right.ty);
            let help = compare_help(&left, &right);
            self.report_with(MISMATCH, at, message, help);
            return None;
        }
        let dynamic = left.ty == Type::Json || right.ty == Type::Json;
        let fallible = left.fallible || right.fallible || (dynamic && !equality);
        Some(boolean(Kind::Compare(op, Box::new(left), Box::new(right)), fallible, place))
    }

    /// `a < b < c`: each neighbouring pair holds.
    pub(super) fn chain(&mut self, chain: &ast::Compare<'_>, place: Range<usize>) -> Option<Node> {
        use ast::CompareOpKind as Op;
        let mut left = self.expr(&chain.expr)?;
        let mut all: Option<Node> = None;
        for step in &chain.ops {
            let right = self.expr(&step.expr)?;
            let at = left.span.start..span_of(&step.expr).end;
            let pair = match step.op {
                Op::Eq => self.compare(Comparison::Equal, left, right.clone(), at),
                Op::Ne => self.compare(Comparison::Unequal, left, right.clone(), at),
                Op::Lt => self.compare(Comparison::Less, left, right.clone(), at),
                Op::Lte => self.compare(Comparison::LessEqual, left, right.clone(), at),
                Op::Gt => self.compare(Comparison::Greater, left, right.clone(), at),
                Op::Gte => self.compare(Comparison::GreaterEqual, left, right.clone(), at),
                Op::In => self.contains(left, right.clone(), at),
                Op::NotIn => self.contains(left, right.clone(), at).map(|found| {
                    let (fallible, span) = (found.fallible, found.span.clone());
                    boolean(Kind::Not(Box::new(found)), fallible, span)
                }),
            }?;
            all = Some(match all {
                None => pair,
                Some(before) => and_or(before, pair, false, place.clone()),
            });
            left = right;
        }
        all
    }

    pub(super) fn contains(&mut self, item: Node, set: Node, place: Range<usize>) -> Option<Node> {
        let fits = match (&item.ty, &set.ty) {
            (Type::Json | Type::Null, _) | (_, Type::Json | Type::Null) => true,
            (item, Type::List(inner)) => unify(item, inner).is_some() || (item.is_numeric() && inner.is_numeric()),
            (Type::Text, Type::Text | Type::Struct(_)) => true,
            _ => false,
        };
        if !fits {
            let at = self.between(item.span.clone(), set.span.clone());
            let message = format!("{} cannot be in {}", item.ty, set.ty);
            let help = match &set.ty {
                Type::List(inner) if matches!(**inner, Type::Text) => {
                    Some("convert the value first: `| string`".into())
                }
                _ => None,
            };
            self.report_with(MISMATCH, at, message, help);
            return None;
        }
        let dynamic = item.ty == Type::Json || set.ty == Type::Json;
        let fallible = item.fallible || set.fallible || dynamic;
        Some(boolean(Kind::In(Box::new(item), Box::new(set)), fallible, place))
    }

    fn arithmetic(&mut self, op: Arithmetic, left: Node, right: Node, place: Range<usize>) -> Option<Node> {
        let Some((ty, mut own)) = arithmetic_type(op, &left.ty, &right.ty) else {
            let at = self.between(left.span.clone(), right.span.clone());
            let message = format!("`{}` does not work on {} and {}", op.sign(), left.ty, right.ty);
            let help = match (&left.ty, &right.ty, op) {
                (Type::Text, r, _) if r.is_numeric() && op != Arithmetic::Add => {
                    Some("convert the text first: `| int` or `| float`")
                }
                (l, Type::Text, _) if l.is_numeric() && op != Arithmetic::Add => {
                    Some("convert the text first: `| int` or `| float`")
                }
                (Type::Text, ..) | (_, Type::Text, _) => {
                    Some("`~` joins texts of any values; `| int` or `| float` makes a number of text")
                }
                (Type::Date | Type::DateTime { .. }, Type::Int, _) => Some("add a duration, e.g. `duration('P1D')`"),
                _ => None,
            };
            self.report_with(MISMATCH, at, message, help.map(str::to_owned));
            return None;
        };
        let zero = right.as_const().and_then(ops::to_float).is_none_or(|x| x == 0.0);
        if op == Arithmetic::Divide && ty == Type::Float && !zero && matches!(left.ty, Type::Int | Type::Float) {
            own = false;
        }
        if ty == Type::Float && right.as_const() == Some(&Value::Int(0)) && op == Arithmetic::Divide {
            self.report(MISMATCH, right.span.clone(), ops::BY_ZERO);
            return None;
        }
        let nullable = left.nullable || right.nullable;
        let fallible = left.fallible || right.fallible || own;
        Some(Node { kind: Kind::Arithmetic(op, Box::new(left), Box::new(right)), ty, nullable, fallible, span: place })
    }

    pub(super) fn choice(&mut self, choice: &ast::IfExpr<'_>, place: Range<usize>) -> Option<Node> {
        let test = self.expr(&choice.test_expr);
        let then = self.expr(&choice.true_expr);
        let other = match &choice.false_expr {
            Some(expr) => self.expr(expr),
            None => Some(Node::constant(Value::Null, place.end..place.end)),
        };
        let (test, then, other) = (test?, then?, other?);
        let Some(ty) = unify(&then.ty, &other.ty) else {
            let message = format!("the two outcomes are of different types: {} and {}", then.ty, other.ty);
            self.report(MISMATCH, other.span.clone(), message).help =
                Some("convert one of them, e.g. `| string`".into());
            return None;
        };
        let (then, other) = (widen(then, &ty), widen(other, &ty));
        // In each outcome what the test says about null holds.
        let nullable = nullable_given(&then, &not_null_where(&test, true))
            || nullable_given(&other, &not_null_where(&test, false));
        let fallible = test.fallible || then.fallible || other.fallible;
        let kind = Kind::If(Box::new(test), Box::new(then), Box::new(other));
        Some(Node { kind, ty, nullable, fallible, span: place })
    }
}

fn compare_help(left: &Node, right: &Node) -> Option<String> {
    let cast = match (&left.ty, &right.ty) {
        (Type::Text, Type::Int) | (Type::Int, Type::Text) => "| int",
        (Type::Text, r) | (r, Type::Text) if r.is_numeric() => "| float",
        (Type::Text, Type::Date) | (Type::Date, Type::Text) => "| to_date",
        (Type::Text, Type::DateTime { .. }) | (Type::DateTime { .. }, Type::Text) => "| to_datetime",
        (Type::Text, Type::Bool) | (Type::Bool, Type::Text) => "| bool",
        (Type::DateTime { .. }, Type::Date) => {
            return Some("make a date of the datetime: `| to_date`".into());
        }
        (Type::Date, Type::DateTime { .. }) => {
            return Some("make a datetime of the date: `| to_datetime`".into());
        }
        _ => return None,
    };
    Some(format!("convert the text first: `{cast}`, or the other side with `| string`"))
}

/// `and`, `or`: the operand that decides when both are of one type, else a bool.
fn and_or(left: Node, right: Node, is_or: bool, place: Range<usize>) -> Node {
    let fallible = left.fallible || right.fallible;
    let same = left.ty == right.ty && left.ty != Type::Bool && left.ty != Type::Null;
    let ty = if same { left.ty.clone() } else { Type::Bool };
    let nullable = same && if is_or { right.nullable } else { left.nullable || right.nullable };
    let (left, right) = (Box::new(left), Box::new(right));
    let kind = if is_or { Kind::Or(left, right) } else { Kind::And(left, right) };
    Node { kind, ty, nullable, fallible, span: place }
}
