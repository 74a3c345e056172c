//! A compiled template: what it reads, gives and may fail at, as columns and row by row.

use polars::prelude::Expr;
use towpath_spec::document::{Scalar, Tree, Value as TreeValue};
use towpath_spec::{Diagnostic, Field, Text, Type};

use crate::check::Checker;
use crate::expr::{Kind, Node};
use crate::functions::Kernel;
use crate::interpret::Machine;
use crate::lower;
use crate::macros::Macros;
use crate::parse;
use crate::scope::{Constants, Row, Scope};
use crate::value::Value;

/// How a template runs on columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// As column expressions and column kernels.
    Compiled,
    /// Some part of it row by row.
    Interpreted {
        /// Which part and why, a sentence without a period.
        why: String,
    },
}

/// Why a row is rejected.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The value that could not be used.
    pub value: Value,
    /// What was wrong with it: lower case, no final period.
    pub message: String,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// A template as Polars expressions. Both are elementwise; a template that reads no column gives one value, so add
/// them to a frame with `with_columns`, not with a `select` of their own.
#[derive(Clone)]
pub struct Lowered {
    /// The value; of no meaning where the row failed.
    pub value: Expr,
    /// True where the row must be rejected, never null; `None`: no row can fail.
    pub failed: Option<Expr>,
    /// Whether the value is surely null in each row that fails.
    pub(crate) null_where_failed: bool,
}

/// A checked template, ready to run.
#[derive(Debug, Clone)]
pub struct Compiled {
    root: Node,
    columns: Vec<String>,
    mode: Mode,
    warnings: Vec<Diagnostic>,
}

impl Compiled {
    pub(crate) fn of(root: Node) -> Self {
        let columns = root.columns();
        let mode = mode(&root);
        Self { root, columns, mode, warnings: Vec::new() }
    }

    fn with(mut self, warnings: Vec<Diagnostic>) -> Self {
        self.warnings = warnings;
        self
    }

    /// The type of the value, and whether it can be null.
    pub fn field(&self) -> (&Type, bool) {
        (&self.root.ty, self.root.nullable)
    }

    /// The value as a field of this name.
    pub fn named(&self, name: &str) -> Field {
        Field { name: name.to_owned(), ty: self.root.ty.clone(), nullable: self.root.nullable }
    }

    /// Whether a row can be rejected by it.
    pub fn is_fallible(&self) -> bool {
        self.root.fallible
    }

    /// How it runs on columns.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// Names of the columns it reads, in order of appearance.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The value, when it is the same for every row and every run.
    pub fn constant(&self) -> Option<&Value> {
        self.root.as_const()
    }

    /// The columns that cannot be null in rows for which this condition holds: `x` of `x is not none and …`.
    pub fn not_null_where_true(&self) -> Vec<String> {
        crate::narrow::not_null_where_true(&self.root)
    }

    /// As Polars expressions.
    pub fn lower(&self, constants: &Constants) -> Lowered {
        let lower::Column { value, failed } = lower::lower(&self.root, constants);
        Lowered { value, failed, null_where_failed: self.root.is_null_where_failed() }
    }

    /// The value for one row.
    ///
    /// # Errors
    /// Why the row is rejected.
    pub fn interpret(&self, row: &dyn Row, constants: &Constants) -> Result<Value, Reason> {
        Machine { row, constants, locals: Vec::new(), as_columns: true }.eval(&self.root)
    }
}

/// Something that was compiled from what a user wrote.
pub trait Checked {
    /// What is worth knowing about it, though it is not wrong.
    fn warnings(&self) -> &[Diagnostic] {
        &[]
    }
}

impl Checked for Compiled {
    fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}

impl Checked for crate::Aggregate {}

impl Checked for crate::WindowValue {}

fn mode(root: &Node) -> Mode {
    let mut why: Option<String> = None;
    root.walk(&mut |node| {
        let reason = match &node.kind {
            Kind::For(_) => Some("a loop runs row by row".to_owned()),
            Kind::Call(call) => match &call.bound.kernel {
                Kernel::Rows(reason) => Some(format!("`{}` runs row by row: {reason}", call.function.name)),
                _ => None,
            },
            Kind::Attribute(of, _) | Kind::Item(of, _) if of.ty == Type::Json => {
                Some("json is looked at row by row".to_owned())
            }
            Kind::Compare(_, left, right) | Kind::Arithmetic(_, left, right) | Kind::In(left, right)
                if left.ty == Type::Json || right.ty == Type::Json =>
            {
                Some("json is looked at row by row".to_owned())
            }
            _ => None,
        };
        if why.is_none() {
            why = reason;
        }
    });
    why.map_or(Mode::Compiled, |why| Mode::Interpreted { why })
}

fn finish(checker: Checker<'_>, root: Option<Node>) -> Result<Compiled, Vec<Diagnostic>> {
    let Checker { problems, warnings, .. } = checker;
    match root {
        Some(root) if problems.is_empty() => Ok(Compiled::of(root).with(warnings)),
        _ => Err(problems),
    }
}

/// Compiles a template: text with `{{ }}`. Exactly one `{{ }}` keeps its type and null, all else gives text.
///
/// # Errors
/// All problems found, each at its place inside the template.
pub fn compile_template(text: &Text, scope: &Scope) -> Result<Compiled, Vec<Diagnostic>> {
    if !text.value.contains("{{") && !text.value.contains("{%") && !text.value.contains("{#") {
        return Ok(Compiled::of(Node::constant(Value::from(text.value.as_str()), 0..text.value.len())));
    }
    let parsed = parse::template(text, scope.files)?;
    let (own, problems) = Macros::own(text, parsed, scope);
    let mut checker = Checker::new(scope, text);
    checker.problems = problems;
    checker.own = Some(&own);
    let root = own.source(0).and_then(|parsed| checker.template(parsed));
    finish(checker, root)
}

/// Compiles a bare expression.
///
/// # Errors
/// All problems found, each at its place inside the expression.
pub fn compile_expression(text: &Text, scope: &Scope) -> Result<Compiled, Vec<Diagnostic>> {
    let parsed = parse::expression(text, scope.files)?;
    let mut checker = Checker::new(scope, text);
    let root = checker.expr(&parsed);
    finish(checker, root)
}

/// Compiles a bare expression used as a condition: any type, by Jinja's truth; null is false, the result never null.
///
/// # Errors
/// All problems found, each at its place inside the expression.
pub fn compile_condition(text: &Text, scope: &Scope) -> Result<Compiled, Vec<Diagnostic>> {
    let compiled = compile_expression(text, scope)?;
    let Compiled { root, warnings, .. } = compiled;
    if root.ty == Type::Bool && !root.nullable {
        return Ok(Compiled::of(root).with(warnings));
    }
    let (fallible, span) = (root.fallible, root.span.clone());
    let root = Node { kind: Kind::Truth(Box::new(root)), ty: Type::Bool, nullable: false, fallible, span };
    Ok(Compiled::of(root).with(warnings))
}

/// Compiles a YAML value: text is a template, other scalars stand for themselves, lists and mappings are lists and
/// structs of such values.
///
/// # Errors
/// All problems found.
pub fn compile_value(tree: &Tree, scope: &Scope) -> Result<Compiled, Vec<Diagnostic>> {
    let mut warnings = Vec::new();
    value_node(tree, scope, &mut warnings).map(|root| Compiled::of(root).with(warnings))
}

fn value_node(tree: &Tree, scope: &Scope, warnings: &mut Vec<Diagnostic>) -> Result<Node, Vec<Diagnostic>> {
    let literal = |value| Ok(Node::constant(value, 0..0));
    match &tree.value {
        TreeValue::Scalar(Scalar::Null) => literal(Value::Null),
        TreeValue::Scalar(Scalar::Bool(b)) => literal(Value::Bool(*b)),
        TreeValue::Scalar(Scalar::Int(i)) => literal(Value::Int(*i)),
        TreeValue::Scalar(Scalar::Float(x)) => literal(Value::Float(*x)),
        TreeValue::Scalar(Scalar::Text(text)) => compile_template(text, scope).map(|compiled| {
            warnings.extend(compiled.warnings);
            compiled.root
        }),
        TreeValue::List(items) => {
            let nodes = all(items.iter().map(|item| value_node(item, scope, warnings)))?;
            let inner = nodes.iter().try_fold(Type::Null, |ty, node| crate::check::unify(&ty, &node.ty));
            let inner = inner.unwrap_or(Type::Json);
            let nodes: Vec<Node> = nodes.into_iter().map(|node| crate::check::widen(node, &inner)).collect();
            let fallible = nodes.iter().any(|node| node.fallible);
            let ty = Type::List(Box::new(inner));
            Ok(Node { kind: Kind::List(nodes), ty, nullable: false, fallible, span: 0..0 })
        }
        TreeValue::Map(map) => {
            let nodes = all(map.entries.iter().map(|entry| value_node(&entry.value, scope, warnings)))?;
            let fields: Vec<(String, Node)> =
                map.entries.iter().map(|entry| entry.key.value.clone()).zip(nodes).collect();
            let field = |(name, node): &(String, Node)| Field {
                name: name.clone(),
                ty: node.ty.clone(),
                nullable: node.nullable,
            };
            let ty = Type::Struct(fields.iter().map(field).collect());
            let fallible = fields.iter().any(|(_, node)| node.fallible);
            Ok(Node { kind: Kind::Struct(fields), ty, nullable: false, fallible, span: 0..0 })
        }
    }
}

/// All values, or all problems.
fn all(results: impl Iterator<Item = Result<Node, Vec<Diagnostic>>>) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let (mut nodes, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(node) => nodes.push(node),
            Err(more) => problems.extend(more),
        }
    }
    if problems.is_empty() { Ok(nodes) } else { Err(problems) }
}
