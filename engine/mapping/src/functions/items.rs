//! What filters over lists share: fields of items, case, and filters and tests named by text.

use towpath_spec::Type;
use towpath_spec::diagnostic::did_you_mean;

use super::bound::{ARGUMENTS, MISMATCH};
use super::{Argument, Binder, Bound, FunctionKind, Problem};
use crate::interpret;
use crate::ops;
use crate::scope::Constants;
use crate::value::Value;

/// The type of the items of a slot that has to be a list or json.
pub(super) fn item_type(binder: &Binder, slot: usize) -> Result<Type, Problem> {
    binder.expect(slot, "a list", |ty| matches!(ty, Type::List(_)))?;
    Ok(super::bound::item_type(binder.ty(slot)))
}

/// The type of a list of the same items as slot 0: what is json by itself becomes a list of json.
pub(super) fn list_type(binder: &Binder) -> Type {
    match binder.ty(0) {
        Type::Json => Type::List(Box::new(Type::Json)),
        other => other.clone(),
    }
}

/// Which field of an item a filter looks at: names and numbers with dots between them, or the item itself.
#[derive(Clone)]
pub(super) struct Attribute {
    path: Vec<Value>,
    slot: usize,
}

impl Attribute {
    /// The constant of a slot; the item itself when it was left out.
    pub fn of(binder: &Binder, slot: usize) -> Result<Self, Problem> {
        let part = |part: &str| part.parse::<i64>().map_or_else(|_| Value::from(part), Value::Int);
        let path = match binder.constant(slot)? {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Int(at)) => vec![Value::Int(*at)],
            Some(_) => binder.constant_text(slot)?.unwrap_or_default().split('.').map(part).collect(),
        };
        Ok(Self { path, slot })
    }

    /// Whether a field was named.
    pub fn is_named(&self) -> bool {
        !self.path.is_empty()
    }

    /// The type of the field in items of a type.
    pub fn ty(&self, item: &Type) -> Result<Type, Problem> {
        let mut ty = item.clone();
        for part in &self.path {
            ty = match (&ty, part) {
                (Type::Json | Type::Null, _) => ty,
                (Type::Struct(fields), Value::Text(name)) => {
                    let found = fields.iter().find(|field| field.name == **name).map(|field| field.ty.clone());
                    found.ok_or_else(|| Problem {
                        help: did_you_mean(name, fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>()),
                        ..Problem::new(
                            towpath_spec::codes::UNKNOWN_NAME,
                            self.slot,
                            format!("no field is named `{name}`"),
                        )
                    })?
                }
                (Type::List(inner), Value::Int(_)) => (**inner).clone(),
                (Type::Text, Value::Int(_)) => Type::Text,
                (other, part) => {
                    return Err(Problem::new(MISMATCH, self.slot, format!("{other} has no field `{part}`")));
                }
            };
        }
        Ok(ty)
    }

    /// The field of an item; null when there is none.
    pub fn get(&self, item: &Value) -> Value {
        let Some((first, rest)) = self.path.split_first() else {
            return item.clone();
        };
        rest.iter().fold(ops::item(item, first), |at, part| ops::item(&at, part)).peel()
    }
}

/// Whether a slot asks for texts to be compared without regard to case.
pub(super) fn folds(binder: &Binder, slot: usize) -> Result<bool, Problem> {
    Ok(binder.constant(slot)?.is_some_and(|value| !ops::truthy(value)))
}

/// Text in small letters, when asked for; other values stay.
pub(super) fn fold(value: Value, folds: bool) -> Value {
    match value.as_text() {
        Some(text) if folds => Value::from(text.to_lowercase()),
        _ => value,
    }
}

/// A filter or test named by a constant text, bound to items of a type; its arguments are those of the outer call.
pub(super) struct Named {
    bound: Bound,
    slots: usize,
    /// Slots of its own, and where in the outer call their values stand.
    given: Vec<(usize, usize)>,
    varying: Vec<usize>,
}

impl Named {
    /// `name`: the slot with the name; `arguments`: the first slot of its arguments.
    pub fn bind(
        binder: &Binder,
        kind: FunctionKind,
        item: &Type,
        name: usize,
        arguments: usize,
    ) -> Result<Self, Problem> {
        let written = binder.constant_text(name)?.unwrap_or_default();
        let wrong = |message: String| Problem::new(ARGUMENTS, name, message);
        let Some(function) = super::find(written, kind) else {
            let help = did_you_mean(written, super::names(kind));
            let message = format!("unknown {kind} `{written}`");
            return Err(Problem { help, ..Problem::new(towpath_spec::codes::UNKNOWN_FUNCTION, name, message) });
        };
        if function.name == "default" {
            return Err(wrong("`default` cannot be applied to items this way".into()).help("leave nulls out: `select`"));
        }
        let declared = function.parameters.iter().filter(|parameter| !parameter.by_name).count();
        let mut inner: Vec<Option<Argument>> = function.parameters.iter().map(|_| None).collect();
        inner[0] = Some(Argument { name: None, ty: item, nullable: true, constant: None });
        let (mut given, mut varying) = (Vec::new(), vec![0]);
        for (nth, (outer, argument)) in binder.rest(arguments).enumerate() {
            let slot = if nth + 1 < declared { nth + 1 } else { inner.len() };
            let is_default = function.parameters.get(slot).is_some_and(|parameter| parameter.name == "default");
            if is_default || slot == inner.len() && function.rest != super::Rest::Values {
                let message = format!("`{written}` takes no such argument here");
                return Err(Problem::new(ARGUMENTS, outer, message).help(format!("it is `{}`", function.signature)));
            }
            if slot == inner.len() {
                inner.push(None);
            }
            let Argument { ty, nullable, constant, .. } = *argument;
            inner[slot] = Some(Argument { name: None, ty, nullable, constant });
            given.push((slot, outer));
            if constant.is_none() {
                varying.push(slot);
            }
        }
        let lacks =
            function.parameters.iter().zip(&inner).find(|(parameter, slot)| parameter.required && slot.is_none());
        if let Some((parameter, _)) = lacks {
            return Err(wrong(format!("`{written}` needs its argument `{}`", parameter.name)));
        }
        let slots = inner.len();
        let bound = (function.bind)(&Binder { function: function.name, arguments: inner }).map_err(|problem| {
            let outer = |slot| given.iter().find(|(own, _)| *own == slot).map_or(name, |(_, outer)| *outer);
            Problem { argument: problem.argument.map(outer), ..problem }
        })?;
        Ok(Self { bound, slots, given, varying })
    }

    /// What it gives.
    pub fn ty(&self) -> &Type {
        &self.bound.ty
    }

    /// Whether it can fail for an item.
    pub fn is_fallible(&self) -> bool {
        self.bound.fallible
    }

    /// Runs it on one item; `outer` are the values of the outer call.
    pub fn run(&self, item: Value, outer: &[Value], constants: &Constants) -> Result<Value, String> {
        let mut args = vec![Value::Null; self.slots];
        args[0] = item;
        for (own, from) in &self.given {
            args[*own] = outer[*from].clone();
        }
        interpret::run(&self.bound, &self.varying, &args, constants)
    }
}
