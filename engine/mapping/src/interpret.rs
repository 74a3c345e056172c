//! The reference meaning of a template: the typed tree evaluated on one row.

use indexmap::IndexMap;
use serde_json::Value as Json;
use towpath_spec::Type;

use crate::compiled::Reason;
use crate::expr::{Call, Kind, Loop, Node};
use crate::functions::{Bound, Nulls};
use crate::ops;
use crate::scope::{Constants, Row};
use crate::value::Value;

/// What evaluation may look at.
pub(crate) struct Machine<'a> {
    pub row: &'a dyn Row,
    pub constants: &'a Constants,
    /// Loop variables by slot.
    pub locals: Vec<Value>,
    /// Whether values of type json are kept as JSON from node to node, as columns of JSON do. Outside rows there are
    /// no columns to agree with, and a datetime stays a datetime.
    pub as_columns: bool,
}

fn because(value: &Value) -> impl Fn(String) -> Reason {
    let value = value.clone();
    move |message| Reason { value: value.clone(), message }
}

impl Machine<'_> {
    /// The value of a node, or why its row is rejected.
    pub fn eval(&mut self, node: &Node) -> Result<Value, Reason> {
        let value = self.raw(node)?;
        let settled = !self.as_columns || matches!(node.kind, Kind::Const(_) | Kind::Column(_));
        Ok(if settled { value } else { conform(value, &node.ty) })
    }

    fn raw(&mut self, node: &Node) -> Result<Value, Reason> {
        match &node.kind {
            Kind::Const(value) => Ok(value.clone()),
            Kind::Column(name) => Ok(self.row.get(name)),
            Kind::Param(name) => Ok(self.constants.params.get(name).cloned().unwrap_or(Value::Null)),
            Kind::RunFact(name) => Ok(self.constants.run_fact(name)),
            Kind::Local(slot) => Ok(self.locals.get(*slot).cloned().unwrap_or(Value::Null)),
            Kind::Not(of) => Ok(Value::Bool(!ops::truthy(&self.eval(of)?))),
            Kind::Truth(of) => Ok(Value::Bool(ops::truthy(&self.eval(of)?))),
            Kind::Negate(of) => {
                let value = self.eval(of)?;
                ops::negate(&value).map_err(because(&value))
            }
            Kind::And(left, right) => self.and_or(node, left, right, false),
            Kind::Or(left, right) => self.and_or(node, left, right, true),
            Kind::Compare(op, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                ops::compare(*op, &left, &right).map(Value::Bool).map_err(because(&left))
            }
            Kind::Arithmetic(op, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                ops::arithmetic(*op, &left, &right).map_err(because(&left))
            }
            Kind::In(item, set) => {
                let (item, set) = (self.eval(item)?, self.eval(set)?);
                ops::contains(&item, &set).map(Value::Bool).map_err(because(&item))
            }
            Kind::If(test, then, other) => {
                if ops::truthy(&self.eval(test)?) {
                    self.eval(then)
                } else {
                    self.eval(other)
                }
            }
            Kind::Default(value, other, empty_too) => match self.eval(value) {
                Ok(value) if !(value.is_null() || *empty_too && !ops::truthy(&value)) => Ok(value),
                _ => self.eval(other),
            },
            Kind::Attribute(of, name) => Ok(ops::attribute(&self.eval(of)?, name)),
            Kind::Widen(of) if node.ty == Type::Json && !self.as_columns => self.eval(of),
            Kind::Widen(of) => {
                let value = self.eval(of)?;
                crate::cast::convert(&value, &node.ty).map_err(because(&value))
            }
            Kind::Call(call) => self.call(call),
            _ => self.compound(node),
        }
    }

    fn compound(&mut self, node: &Node) -> Result<Value, Reason> {
        match &node.kind {
            Kind::Concat(parts) => {
                let mut out = String::new();
                for part in parts {
                    self.eval(part)?.write_text(&mut out);
                }
                Ok(Value::from(out))
            }
            Kind::Item(of, index) => {
                let (value, index) = (self.eval(of)?, self.eval(index)?);
                Ok(ops::item(&value, &index))
            }
            Kind::Slice(of, start, stop) => {
                let value = self.eval(of)?;
                let start = start.as_ref().map_or(Ok(Value::Null), |start| self.eval(start))?;
                let stop = stop.as_ref().map_or(Ok(Value::Null), |stop| self.eval(stop))?;
                ops::slice(&value, &start, &stop).map_err(because(&value))
            }
            Kind::List(items) => items.iter().map(|item| self.eval(item)).collect::<Result<_, _>>().map(Value::List),
            Kind::Struct(fields) => {
                let mut values = IndexMap::with_capacity(fields.len());
                for (name, field) in fields {
                    values.insert(name.clone(), self.eval(field)?);
                }
                Ok(Value::Struct(values))
            }
            Kind::For(each) => self.each(each),
            _ => Ok(Value::Null),
        }
    }

    fn and_or(&mut self, node: &Node, left: &Node, right: &Node, is_or: bool) -> Result<Value, Reason> {
        let left = self.eval(left)?;
        let value = if ops::truthy(&left) == is_or { left } else { self.eval(right)? };
        Ok(if node.ty == Type::Bool { Value::Bool(ops::truthy(&value)) } else { value })
    }

    fn call(&mut self, call: &Call) -> Result<Value, Reason> {
        let args = call.args.iter().map(|arg| self.eval(arg)).collect::<Result<Vec<_>, _>>()?;
        run(&call.bound, &call.varying, &args, self.constants)
            .map_err(|message| Reason { value: args.first().cloned().unwrap_or(Value::Null), message })
    }

    fn each(&mut self, each: &Loop) -> Result<Value, Reason> {
        let items = self.eval(&each.items)?;
        let mut items = match items {
            Value::List(items) => items,
            Value::Json(Json::Array(items)) => items.into_iter().map(Value::Json).collect(),
            Value::Json(Json::Object(fields)) if each.unpack == 2 => fields
                .into_iter()
                .map(|(key, value)| Value::Json(Json::Array(vec![Json::String(key), value])))
                .collect(),
            Value::Struct(fields) if each.unpack == 2 => {
                fields.into_iter().map(|field| pair(field, &each.items.ty)).collect()
            }
            other if other.is_null() => Vec::new(),
            other => {
                return Err(because(&other)(format!("cannot loop over {}", other.type_of())));
            }
        };
        if let Some(odd) = items.iter().find(|item| each.unpack > 0 && !has_parts(item, each.unpack)) {
            return Err(because(odd)(format!("cannot take {} parts of {}", each.unpack, odd.type_of())));
        }
        self.locals.resize(self.locals.len().max(each.slot + 2), Value::Null);
        if let Some(filter) = &each.filter {
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                self.locals[each.slot] = item.clone();
                if ops::truthy(&self.eval(filter)?) {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            return self.eval(&each.empty);
        }
        let length = items.len();
        let mut out = String::new();
        for (at, item) in items.into_iter().enumerate() {
            self.locals[each.slot] = item;
            self.locals[each.slot + 1] = loop_facts(at, length);
            self.eval(&each.body)?.write_text(&mut out);
        }
        Ok(Value::from(out))
    }
}

/// Whether an item of a loop has as many parts as there are names for them.
fn has_parts(item: &Value, parts: usize) -> bool {
    match item {
        Value::List(values) => values.len() == parts,
        Value::Struct(values) => values.len() == parts,
        Value::Json(Json::Array(values)) => values.len() == parts,
        _ => false,
    }
}

/// A field of a struct that is looped over as name and value, the value of the type all of them have.
fn pair((name, value): (String, Value), of: &Type) -> Value {
    let common = match of {
        Type::Struct(fields) => fields.iter().try_fold(Type::Null, |ty, field| crate::check::unify(&ty, &field.ty)),
        _ => None,
    };
    let value = crate::cast::convert(&value, &common.unwrap_or(Type::Json)).unwrap_or(Value::Null);
    Value::Struct(IndexMap::from([("0".to_owned(), Value::from(name)), ("1".to_owned(), value)]))
}

/// Runs a bound function on evaluated arguments.
pub(crate) fn run(bound: &Bound, varying: &[usize], args: &[Value], constants: &Constants) -> Result<Value, String> {
    if bound.nulls == Nulls::Propagate && varying.iter().any(|slot| args[*slot].is_null()) {
        return Ok(Value::Null);
    }
    (bound.run)(args, constants)
}

/// Names and types of what `loop` knows.
pub(crate) const LOOP_FACTS: [&str; 6] = ["index", "index0", "revindex", "first", "last", "length"];

pub(crate) fn loop_facts(at: usize, length: usize) -> Value {
    let int = |n: usize| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let facts =
        [int(at + 1), int(at), int(length - at), Value::Bool(at == 0), Value::Bool(at + 1 == length), int(length)];
    Value::Struct(LOOP_FACTS.iter().map(|name| (*name).to_owned()).zip(facts).collect())
}

/// A value as a column of the type would give it back: what is json is JSON, at any depth.
pub(crate) fn conform(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (value, Type::Json) if value.is_null() => Value::Null,
        (value, Type::Json) => Value::Json(reread(value.to_json())),
        (Value::List(items), Type::List(inner)) if holds_json(inner) => {
            Value::List(items.into_iter().map(|item| conform(item, inner)).collect())
        }
        (Value::Struct(values), Type::Struct(fields)) if holds_json(ty) => {
            let ty = |name: &str| fields.iter().find(|field| field.name == name).map_or(&Type::Null, |field| &field.ty);
            Value::Struct(
                values
                    .into_iter()
                    .map(|(name, value)| {
                        let value = conform(value, ty(&name));
                        (name, value)
                    })
                    .collect(),
            )
        }
        (value, _) => value,
    }
}

/// JSON as it is read back from its text: serde_json reads a float to within one unit of its last place unless it is
/// built with `float_roundtrip`, and a JSON column is text.
fn reread(json: Json) -> Json {
    fn holds_float(json: &Json) -> bool {
        match json {
            Json::Number(number) => number.is_f64(),
            Json::Array(items) => items.iter().any(holds_float),
            Json::Object(fields) => fields.values().any(holds_float),
            _ => false,
        }
    }
    if holds_float(&json) { serde_json::from_str(&json.to_string()).unwrap_or(json) } else { json }
}

fn holds_json(ty: &Type) -> bool {
    match ty {
        Type::Json => true,
        Type::List(inner) => holds_json(inner),
        Type::Struct(fields) => fields.iter().any(|field| holds_json(&field.ty)),
        _ => false,
    }
}
