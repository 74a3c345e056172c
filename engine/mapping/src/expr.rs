//! The typed tree every template becomes: names are resolved, types are known, functions are bound.
//!
//! Both meanings of a template, the row interpreter and the columns, are read off this tree and off nothing else.

use std::ops::Range;

use towpath_spec::Type;

use crate::functions::{Bound, Function};
use crate::value::Value;

/// A node with its type.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub kind: Kind,
    /// The type of its values.
    pub ty: Type,
    /// Whether it can be null.
    pub nullable: bool,
    /// Whether it can fail for some row, by itself or by what is in it.
    pub fallible: bool,
    /// Bytes of the template it was written as.
    pub span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

impl Arithmetic {
    /// As written in templates.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A value known now.
    Const(Value),
    /// A column of the row.
    Column(String),
    /// `params.NAME`.
    Param(String),
    /// `run.NAME`.
    RunFact(String),
    /// A loop variable, by its slot.
    Local(usize),
    /// Null counts as false; never null.
    Not(Box<Node>),
    /// `-x`.
    Negate(Box<Node>),
    /// Truthiness; never null.
    Truth(Box<Node>),
    /// `a and b`, with the type of both operands when they agree, else bool.
    And(Box<Node>, Box<Node>),
    /// `a or b`, likewise.
    Or(Box<Node>, Box<Node>),
    /// Two-valued; never null.
    Compare(Comparison, Box<Node>, Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// `item in set`; never null.
    In(Box<Node>, Box<Node>),
    /// `then if test else other`.
    If(Box<Node>, Box<Node>, Box<Node>),
    /// The texts of all parts, null as nothing; never null.
    Concat(Vec<Node>),
    /// `value | default(other, empty_too)`: catches null and failure.
    Default(Box<Node>, Box<Node>, bool),
    /// `value.name`; null when there is none.
    Attribute(Box<Node>, String),
    /// `value[index]`; null when there is none.
    Item(Box<Node>, Box<Node>),
    /// `value[start:stop]`.
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    List(Vec<Node>),
    Struct(Vec<(String, Node)>),
    /// The same value as the node's own, wider type; never fails.
    Widen(Box<Node>),
    Call(Call),
    For(Box<Loop>),
}

/// A call of a function, filter or test, bound to its arguments' types.
#[derive(Clone)]
pub(crate) struct Call {
    pub function: &'static Function,
    pub bound: Bound,
    pub args: Vec<Node>,
    /// Arguments that vary by row: where one of them is null, so is the result, unless the function wants to see nulls.
    pub varying: Vec<usize>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("function", &self.function.name).field("args", &self.args).finish()
    }
}

/// `{% for %}`: the texts of the body for each item of a list.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    /// Slot of the item; the next slot holds `loop`.
    pub slot: usize,
    pub items: Node,
    /// Names that take the parts of an item; 0: one name takes it whole.
    pub unpack: usize,
    pub filter: Option<Node>,
    pub body: Node,
    pub empty: Node,
}

impl Node {
    /// A value known now.
    pub fn constant(value: Value, span: Range<usize>) -> Self {
        let ty = value.type_of();
        Self { nullable: value.is_null(), ty, fallible: false, kind: Kind::Const(value), span }
    }

    /// The value, when it is known now.
    pub fn as_const(&self) -> Option<&Value> {
        match &self.kind {
            Kind::Const(value) => Some(value),
            _ => None,
        }
    }

    /// The nodes directly below.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Const(_) | Kind::Column(_) | Kind::Param(_) | Kind::RunFact(_) | Kind::Local(_) => Vec::new(),
            Kind::Not(a) | Kind::Negate(a) | Kind::Truth(a) | Kind::Attribute(a, _) | Kind::Widen(a) => vec![a],
            Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Compare(_, a, b)
            | Kind::Arithmetic(_, a, b)
            | Kind::In(a, b)
            | Kind::Default(a, b, _)
            | Kind::Item(a, b) => vec![a, b],
            Kind::If(a, b, c) => vec![a, b, c],
            Kind::Slice(a, start, stop) => std::iter::once(a).chain(start).chain(stop).map(|node| &**node).collect(),
            Kind::Concat(parts) | Kind::List(parts) => parts.iter().collect(),
            Kind::Struct(fields) => fields.iter().map(|(_, node)| node).collect(),
            Kind::Call(call) => call.args.iter().collect(),
            Kind::For(each) => {
                let mut all = vec![&each.items, &each.body, &each.empty];
                all.extend(&each.filter);
                all
            }
        }
    }

    /// Calls `visit` for this node and all below.
    pub fn walk<'n>(&'n self, visit: &mut impl FnMut(&'n Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }

    /// Names of the columns it reads, each once, in order of appearance.
    pub fn columns(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        self.walk(&mut |node| {
            if let Kind::Column(name) = &node.kind
                && !names.contains(name)
            {
                names.push(name.clone());
            }
        });
        names
    }
}
