//! The little languages of `records` and `fields`, and what they compile to.

use towpath_connector::Problem;
use towpath_spec::Type;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Any,
    Is(String),
}

impl Name {
    #[inline]
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(wanted) => wanted == name,
        }
    }
}

/// One step up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Up {
    Parent,
    Record,
}

/// What a node of a tree of names gives its children and columns.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) children: Vec<(Name, usize)>,
    /// Whether one of them is `*`.
    pub(super) any: bool,
    /// Slots that take the element's text.
    pub(super) texts: Vec<usize>,
    /// Attributes and the slots that take them.
    pub(super) attributes: Vec<(Name, usize)>,
}

impl Node {
    /// Whether nothing but the element's text matters.
    #[inline]
    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty() && self.attributes.is_empty()
    }
}

/// Columns that are found from the same element: the record or one around it.
#[derive(Debug)]
pub(super) struct Anchor {
    /// The way from the record to the element; empty for the record itself.
    pub(super) ups: Vec<Up>,
    /// States of the record path in which an element may be the one.
    pub(super) states: u64,
    /// Where the tree of names starts.
    pub(super) root: usize,
    /// For each slot whether it collects a list.
    pub(super) slots: Vec<bool>,
}

/// Where a column's value is.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) selector: String,
    pub(super) anchor: usize,
    pub(super) slot: usize,
    pub(super) list: bool,
}

/// Which elements are records and what their columns are. Compiled once, used by any number of readers.
#[derive(Debug)]
pub struct Selector {
    pub(super) written: String,
    pub(super) steps: Vec<Name>,
    /// States that an element of any name leaves as they are: the next step is `//`.
    pub(super) loops: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) anchors: Vec<Anchor>,
    pub(super) columns: Vec<Column>,
}

/// A field's selector, taken apart.
struct Parsed {
    ups: Vec<Up>,
    down: Vec<Name>,
    attribute: Option<Name>,
    list: bool,
}

impl Selector {
    /// Compiles a record path and fields of name, selector and type. A list is collected where the type is a list;
    /// its items, like all values, come as text.
    ///
    /// # Errors
    /// Everything that is wrong with them, with `records` or `fields` as the setting.
    pub fn compile(records: &str, fields: &[(String, String, Type)]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let (steps, loops) = record_path(records).unwrap_or_else(|problem| {
            problems.push(problem);
            (vec![Name::Any], 0)
        });
        let record = Anchor { ups: Vec::new(), states: 1 << steps.len(), root: 0, slots: Vec::new() };
        let mut selector = Self {
            written: records.to_owned(),
            steps,
            loops,
            nodes: vec![Node::default()],
            anchors: vec![record],
            columns: Vec::new(),
        };
        for (name, written, ty) in fields {
            if let Err(problem) = selector.add(name, written, ty) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(selector) } else { Err(problems) }
    }

    /// Whether a field's selector collects a list.
    pub fn is_list(selector: &str) -> bool {
        selector.contains("[]")
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// Whether a column is a list, by its place.
    pub fn collects(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|column| column.list)
    }

    /// The states an element is in, given those of the element around it.
    #[inline]
    pub(super) fn advance(&self, states: u64, name: &str) -> u64 {
        let mut next = states & self.loops;
        let mut rest = states & (self.record_state() - 1);
        while rest != 0 {
            let at = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            if self.steps[at].matches(name) {
                next |= 1 << (at + 1);
            }
        }
        next
    }

    /// Whether a node has children of any name.
    #[inline]
    pub(super) fn has_any(&self, node: usize) -> bool {
        self.nodes[node].any
    }

    /// The state of a record.
    #[inline]
    pub(super) fn record_state(&self) -> u64 {
        1 << self.steps.len()
    }

    fn add(&mut self, name: &str, written: &str, ty: &Type) -> Result<(), Problem> {
        let problem =
            |message: String| Problem::with("fields", format!("field `{name}`: selector `{written}`: {message}"));
        if self.columns.iter().any(|column| column.name == name) {
            return Err(problem("a field of this name is there already".into()));
        }
        let parsed = field_path(written).map_err(|message| {
            problem(message).help("for example `title`, `module/title`, `@id`, `../@id`, `^@id`, `role[]`")
        })?;
        let list = matches!(ty, Type::List(_));
        if parsed.list && !list {
            return Err(problem(format!("`[]` collects a list, but the type is {ty}"))
                .help(format!("declare it `list<{ty}>`, or leave `[]` out for the first one")));
        }
        let anchor = self.anchor(&parsed.ups);
        let mut node = self.anchors[anchor].root;
        for step in parsed.down {
            node = self.child(node, step);
        }
        let slot = self.anchors[anchor].slots.len();
        self.anchors[anchor].slots.push(list);
        match parsed.attribute {
            Some(attribute) => self.nodes[node].attributes.push((attribute, slot)),
            None => self.nodes[node].texts.push(slot),
        }
        self.columns.push(Column { name: name.to_owned(), selector: written.to_owned(), anchor, slot, list });
        Ok(())
    }

    fn anchor(&mut self, ups: &[Up]) -> usize {
        if let Some(at) = self.anchors.iter().position(|anchor| anchor.ups == ups) {
            return at;
        }
        let parents = ups.iter().rev().take_while(|up| **up == Up::Parent).count();
        let states = (0..parents).fold(self.record_state(), |states, _| (states >> 1) | (states & self.loops));
        self.nodes.push(Node::default());
        self.anchors.push(Anchor { ups: ups.to_vec(), states, root: self.nodes.len() - 1, slots: Vec::new() });
        self.anchors.len() - 1
    }

    fn child(&mut self, node: usize, step: Name) -> usize {
        let found = self.nodes[node].children.iter().find(|(name, _)| *name == step);
        if let Some((_, child)) = found {
            return *child;
        }
        self.nodes.push(Node::default());
        let child = self.nodes.len() - 1;
        self.nodes[node].any |= step == Name::Any;
        self.nodes[node].children.push((step, child));
        child
    }
}

/// States are bits of a `u64`, and state 0 is the document.
const MOST_STEPS: usize = 60;

fn record_path(written: &str) -> Result<(Vec<Name>, u64), Problem> {
    let problem = |message: String| {
        Problem::with("records", format!("record path `{written}`: {message}"))
            .help("for example `/root/record`, or `//record` for any depth")
    };
    let mut rest = written.trim();
    if !rest.starts_with('/') {
        return Err(problem("it must start with `/` or `//`".into()));
    }
    let (mut steps, mut loops) = (Vec::new(), 0);
    while !rest.is_empty() {
        rest = &rest[1..];
        if let Some(deeper) = rest.strip_prefix('/') {
            loops |= 1 << steps.len();
            rest = deeper;
        }
        let (step, next) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        steps.push(step_name(step).map_err(problem)?);
        rest = next;
        if steps.len() > MOST_STEPS {
            return Err(problem(format!("more than {MOST_STEPS} steps")));
        }
    }
    Ok((steps, loops))
}

fn field_path(written: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed { ups: Vec::new(), down: Vec::new(), attribute: None, list: Selector::is_list(written) };
    let plain = written.trim().replace("[]", "");
    if plain.starts_with('/') || plain.contains("//") {
        return Err("it starts at the record and goes step by step, without `//`".into());
    }
    // `^@id` is short for `^/@id`.
    let plain = plain.replace("^@", "^/@");
    for step in plain.split('/') {
        if parsed.attribute.is_some() {
            return Err("nothing can come after an attribute".into());
        }
        match step {
            "." if plain == "." => {}
            ".." | "^" if !parsed.down.is_empty() => {
                return Err(format!("`{step}` can only stand at the front"));
            }
            ".." => parsed.ups.push(Up::Parent),
            "^" => parsed.ups.push(Up::Record),
            _ => match step.strip_prefix('@') {
                Some(attribute) => parsed.attribute = Some(step_name(attribute)?),
                None => parsed.down.push(step_name(step)?),
            },
        }
    }
    if !parsed.ups.is_empty() && parsed.down.is_empty() && parsed.attribute.is_none() {
        return Err("the text around a record is not complete while the record is read; name an \
            element or an attribute there"
            .into());
    }
    Ok(parsed)
}

/// A name without its prefix.
fn step_name(step: &str) -> Result<Name, String> {
    let local = step.rsplit(':').next().unwrap_or(step);
    if step.is_empty() {
        return Err("a step is empty".into());
    }
    if local == "*" {
        return Ok(Name::Any);
    }
    let named = local.chars().all(|c| c.is_alphanumeric() || ['_', '-', '.'].contains(&c) || !c.is_ascii());
    let starts = local.starts_with(|c: char| c.is_alphabetic() || c == '_' || !c.is_ascii());
    if named && starts { Ok(Name::Is(local.to_owned())) } else { Err(format!("`{step}` is not a name")) }
}
