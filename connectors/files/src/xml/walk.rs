//! The state of a walk through a document: open elements, values found so far.
//!
//! A frame is kept for each open element that can still matter; below one that cannot, only the depth is counted.
//! Values live as long as the element they were found from (the *anchor*), so that every row below it sees them.

use super::columns::Columns;
use super::error::XmlErrorKind;
use super::selector::{Selector, Up};
use super::token::Tag;
use quick_xml::XmlVersion;

/// What went wrong, without the place.
pub(super) type Fail = (XmlErrorKind, String);

/// A value, or a list of them, for one column.
#[derive(Debug, Default)]
pub(super) struct Slot {
    text: String,
    /// Ends of the list's items in `text`, and whether each had any text.
    items: Vec<(usize, bool)>,
    list: bool,
    /// The first value has begun: later ones do not count.
    taken: bool,
    /// The value, or the list's item being read, has some text, if only of no characters.
    present: bool,
    /// A row was made without it.
    missed: bool,
}

impl Slot {
    fn reset(&mut self, list: bool) {
        self.text.clear();
        self.items.clear();
        self.list = list;
        self.taken = false;
        self.present = false;
        self.missed = false;
    }

    #[inline]
    pub(super) fn text(&self) -> Option<&str> {
        self.present.then_some(self.text.as_str())
    }

    pub(super) fn items(&self) -> Vec<Option<&str>> {
        let mut start = 0;
        let item = |&(end, present): &(usize, bool)| {
            let text = &self.text[start..end];
            start = end;
            present.then_some(text)
        };
        self.items.iter().map(item).collect()
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    #[inline]
    fn append(&mut self, text: &str) {
        self.present = true;
        self.text.push_str(text);
    }

    #[inline]
    fn end(&mut self) {
        if self.list {
            self.items.push((self.text.len(), self.present));
            self.present = false;
        }
    }
}

/// An open element.
#[derive(Debug, Clone, Copy)]
struct Frame {
    states: u64,
    /// Lengths of the stacks below before this element.
    places: usize,
    anchors: usize,
    captures: usize,
}

/// A node of a tree of names an open element is at.
#[derive(Debug, Clone, Copy)]
struct Place {
    node: usize,
    slots: usize,
}

/// An element columns are found from.
#[derive(Debug, Clone, Copy)]
struct Open {
    anchor: usize,
    frame: usize,
    slots: usize,
}

/// A walk; the selector is the same in all calls.
pub(super) struct Walk {
    frames: Vec<Frame>,
    places: Vec<Place>,
    anchors: Vec<Open>,
    /// Slots of open anchors; those behind `slots_len` are kept for their memory.
    slots: Vec<Slot>,
    slots_len: usize,
    /// Slots that take the text being read.
    captures: Vec<usize>,
    /// Depth below the last frame.
    skipped: usize,
    /// Length of `captures` before the outermost element that has no frame.
    leaf: usize,
    /// For each node the child that matched last: elements tend to come in the same order.
    hints: Vec<usize>,
    root_seen: bool,
    max_depth: usize,
    max_value: usize,
}

impl Walk {
    pub(super) fn new(selector: &Selector, max_depth: usize, max_value: usize) -> Self {
        Self {
            frames: Vec::new(),
            places: Vec::new(),
            anchors: Vec::new(),
            slots: Vec::new(),
            slots_len: 0,
            captures: Vec::new(),
            skipped: 0,
            leaf: 0,
            hints: vec![0; selector.nodes.len()],
            root_seen: false,
            max_depth,
            max_value,
        }
    }

    /// Whether every element is closed.
    pub(super) fn is_outside(&self) -> bool {
        self.frames.is_empty() && self.skipped == 0
    }

    /// Whether there was an element at all.
    pub(super) fn has_root(&self) -> bool {
        self.root_seen
    }

    #[inline]
    pub(super) fn start(&mut self, selector: &Selector, tag: Tag<'_>) -> Result<(), Fail> {
        if self.skipped > 0 {
            return self.skip();
        }
        let name = tag.local_name();
        let (states, from, to) = match self.frames.last() {
            Some(frame) => (frame.states, frame.places, self.places.len()),
            None => {
                self.open_root(selector, name)?;
                (1, 0, 0)
            }
        };
        let states = if states == 0 { 0 } else { selector.advance(states, name) };
        let frame = Frame { states, places: to, anchors: self.anchors.len(), captures: self.captures.len() };
        for at in from..to {
            self.descend(selector, self.places[at], name);
        }
        if states == 0
            && !self.frames.is_empty()
            && self.places[to..].iter().all(|at| selector.nodes[at.node].is_leaf())
        {
            return self.leaf(selector, to);
        }
        if self.frames.len() >= self.max_depth {
            return Err(self.too_deep());
        }
        for (at, anchor) in selector.anchors.iter().enumerate() {
            if states & anchor.states != 0 && (at == 0 || !anchor.slots.is_empty()) {
                self.open_anchor(at, anchor.root, &anchor.slots);
            }
        }
        self.frames.push(frame);
        for at in to..self.places.len() {
            let place = self.places[at];
            let node = &selector.nodes[place.node];
            for slot in &node.texts {
                self.capture(selector, place.slots + slot)?;
            }
            if !node.attributes.is_empty() {
                self.attributes(selector, place, tag)?;
            }
        }
        Ok(())
    }

    /// Closes the innermost element; a row is complete when it was a record.
    #[inline]
    pub(super) fn end(&mut self, selector: &Selector, columns: &mut Columns) -> Result<(), Fail> {
        if self.skipped > 0 {
            self.skipped -= 1;
            if self.skipped == 0 && self.captures.len() > self.leaf {
                self.end_captures(self.leaf);
            }
            return Ok(());
        }
        // The parser has checked that there is an element to close.
        let Some(frame) = self.frames.last().copied() else {
            return Ok(());
        };
        self.end_captures(frame.captures);
        if frame.states & selector.record_state() != 0 {
            self.row(selector, columns)?;
        }
        if let Some(open) = self.anchors.get(frame.anchors) {
            self.slots_len = open.slots;
        }
        self.anchors.truncate(frame.anchors);
        self.places.truncate(frame.places);
        self.frames.pop();
        Ok(())
    }

    #[inline]
    pub(super) fn is_capturing(&self) -> bool {
        !self.captures.is_empty()
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) -> Result<(), Fail> {
        for &slot in &self.captures {
            let slot = &mut self.slots[slot];
            slot.append(text);
            if slot.text.len() > self.max_value {
                return Err((XmlErrorKind::Limit, format!("a value is longer than {} bytes", self.max_value)));
            }
        }
        Ok(())
    }

    #[inline]
    fn end_captures(&mut self, from: usize) {
        for at in from..self.captures.len() {
            self.slots[self.captures[at]].end();
        }
        self.captures.truncate(from);
    }

    /// An element of which at most the text matters: no frame is needed.
    #[inline]
    fn leaf(&mut self, selector: &Selector, places: usize) -> Result<(), Fail> {
        self.leaf = self.captures.len();
        for at in places..self.places.len() {
            let place = self.places[at];
            for slot in &selector.nodes[place.node].texts {
                self.capture(selector, place.slots + slot)?;
            }
        }
        self.places.truncate(places);
        self.skip()
    }

    #[inline]
    fn skip(&mut self) -> Result<(), Fail> {
        self.skipped += 1;
        if self.skipped + self.frames.len() > self.max_depth {
            return Err(self.too_deep());
        }
        Ok(())
    }

    fn too_deep(&self) -> Fail {
        (XmlErrorKind::Limit, format!("elements are nested more than {} deep", self.max_depth))
    }

    fn open_root(&mut self, selector: &Selector, name: &str) -> Result<(), Fail> {
        if self.root_seen {
            return Err((XmlErrorKind::Malformed, format!("a second outermost element, `{name}`")));
        }
        self.root_seen = true;
        if selector.advance(1, name) == 0 {
            return Err((
                XmlErrorKind::Root,
                format!("the outermost element is `{name}`, but records are looked for at `{}`", selector.written),
            ));
        }
        Ok(())
    }

    #[inline]
    fn descend(&mut self, selector: &Selector, place: Place, name: &str) {
        let children = &selector.nodes[place.node].children;
        let count = children.len();
        let mut at = self.hints[place.node];
        for _ in 0..count {
            if at >= count {
                at = 0;
            }
            let (wanted, node) = &children[at];
            if wanted.matches(name) {
                self.hints[place.node] = at + 1;
                self.places.push(Place { node: *node, slots: place.slots });
                // Only `*` can match beside a name.
                if count == 1 || !selector.has_any(place.node) {
                    break;
                }
            }
            at += 1;
        }
    }

    fn open_anchor(&mut self, anchor: usize, root: usize, lists: &[bool]) {
        let slots = self.slots_len;
        self.slots_len += lists.len();
        if self.slots.len() < self.slots_len {
            self.slots.resize_with(self.slots_len, Slot::default);
        }
        for (slot, list) in self.slots[slots..].iter_mut().zip(lists) {
            slot.reset(*list);
        }
        self.anchors.push(Open { anchor, frame: self.frames.len(), slots });
        self.places.push(Place { node: root, slots });
    }

    /// Begins to take an element's text into a slot.
    #[inline]
    fn capture(&mut self, selector: &Selector, at: usize) -> Result<(), Fail> {
        if self.begin(selector, at)? {
            self.captures.push(at);
        }
        Ok(())
    }

    /// Whether a slot takes the value that begins here.
    #[inline]
    fn begin(&mut self, selector: &Selector, at: usize) -> Result<bool, Fail> {
        let slot = &mut self.slots[at];
        if slot.taken && !slot.list {
            return Ok(false);
        }
        if slot.missed {
            return Err(self.late(selector, at));
        }
        slot.taken = true;
        Ok(true)
    }

    fn late(&self, selector: &Selector, at: usize) -> Fail {
        let open = self.anchors.iter().rev().find(|open| open.slots <= at);
        let column = open.and_then(|open| {
            let found =
                |column: &&super::selector::Column| column.anchor == open.anchor && column.slot == at - open.slots;
            selector.columns.iter().find(found)
        });
        let (name, written) = column.map_or(("", ""), |column| (&column.name, &column.selector));
        (
            XmlErrorKind::Late,
            format!(
                "field `{name}`: `{written}` stands after a record it belongs to; what is taken from \
                 around a record must stand before it"
            ),
        )
    }

    fn attributes(&mut self, selector: &Selector, place: Place, tag: Tag<'_>) -> Result<(), Fail> {
        for attribute in tag.parsed().attributes() {
            let attribute = attribute.map_err(|error| (XmlErrorKind::Malformed, error.to_string()))?;
            let key: &str = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let local = attribute.key.local_name();
            for (wanted, slot) in &selector.nodes[place.node].attributes {
                let slot = place.slots + slot;
                if !wanted.matches(local.as_ref()) || !self.begin(selector, slot)? {
                    continue;
                }
                let value = attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|error| attribute_error(key, &error))?;
                self.slots[slot].append(&value);
                self.slots[slot].end();
            }
        }
        Ok(())
    }

    fn row(&mut self, selector: &Selector, columns: &mut Columns) -> Result<(), Fail> {
        let record = self.frames.len() - 1;
        let mut anchor = (usize::MAX, None);
        for (at, column) in selector.columns.iter().enumerate() {
            if anchor.0 != column.anchor {
                anchor = (column.anchor, self.found_from(selector, column.anchor, record));
            }
            let slot = anchor.1.map(|slots| slots + column.slot);
            if column.anchor != 0
                && let Some(at) = slot
            {
                if self.captures.contains(&at) {
                    return Err(self.late(selector, at));
                }
                let slot = &mut self.slots[at];
                slot.missed = slot.list || !slot.taken;
            }
            columns.push(at, slot.map(|slot| &self.slots[slot]));
        }
        columns.end_row();
        Ok(())
    }

    /// The first slot of the element a record's columns of one anchor are found from.
    #[inline]
    fn found_from(&self, selector: &Selector, anchor: usize, record: usize) -> Option<usize> {
        let mut frame = record;
        for up in &selector.anchors[anchor].ups {
            frame = match up {
                Up::Parent => frame.checked_sub(1)?,
                Up::Record => {
                    self.frames[..frame].iter().rposition(|frame| frame.states & selector.record_state() != 0)?
                }
            };
        }
        let mut open = self.anchors.iter().rev();
        let found = open.find(|open| open.anchor == anchor && open.frame == frame)?;
        Some(found.slots)
    }
}

fn attribute_error(key: &str, error: &quick_xml::errors::Error) -> Fail {
    use quick_xml::errors::Error as ParseError;
    use quick_xml::escape::EscapeError;
    match error {
        ParseError::Escape(EscapeError::UnrecognizedEntity(_, name)) => (
            XmlErrorKind::Entity,
            format!("`&{name};` in attribute `{key}`; only the five of XML itself and numbers are known"),
        ),
        other => (XmlErrorKind::Malformed, format!("attribute `{key}`: {other}")),
    }
}
