//! A function bound to one call: its result type and how it runs on a row and on columns.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use polars::prelude::Expr;
use towpath_spec::{Code, Type};

use crate::scope::Constants;
use crate::value::Value;

/// Runs on the evaluated arguments of one row; `Err` rejects the row.
pub(crate) type Run = Arc<dyn Fn(&[Value], &Constants) -> Result<Value, String> + Send + Sync>;

/// What null arguments mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// An argument that varies by row being null makes the result null, and `run` is not asked.
    Propagate,
    /// `run` sees them.
    Seen,
}

type OnText<T> = Arc<dyn Fn(&str) -> Result<T, String> + Send + Sync>;

/// Text in, text out, or why there is none.
pub(crate) type Bytes = Arc<dyn for<'t> Fn(&'t str) -> Result<Cow<'t, str>, String> + Send + Sync>;

/// Builds an expression of the arguments' expressions.
type Build = Arc<dyn Fn(Vec<Expr>, &Constants) -> Expr + Send + Sync>;

/// How the columns are computed. All but `Rows` give null exactly where the first argument is null or the row fails.
#[derive(Clone)]
pub(crate) enum Kernel {
    /// `run` on each row.
    Rows(&'static str),
    /// A Polars expression over the arguments' expressions, equal to `run` for every input.
    Polars(Build),
    /// One closure over a text column.
    Text(Bytes),
    /// A text column looked up in a table of texts; what is not in it fails.
    TextTable(Arc<HashMap<String, String>>),
    TextToInt(OnText<i64>),
    TextToFloat(OnText<f64>),
    TextToBool(OnText<bool>),
    /// To days since 1970.
    TextToDate(OnText<i32>),
    /// To microseconds since 1970 in UTC.
    TextToInstant(OnText<i64>),
    /// From the physical integer of an int, datetime or duration column.
    IntToText(Arc<dyn Fn(i64) -> Result<String, String> + Send + Sync>),
    /// From days.
    DaysToText(Arc<dyn Fn(i32) -> Result<String, String> + Send + Sync>),
    FloatToInt(Arc<dyn Fn(f64) -> Result<i64, String> + Send + Sync>),
    FloatToFloat(Arc<dyn Fn(f64) -> f64 + Send + Sync>),
}

/// A function bound to one call.
#[derive(Clone)]
pub(crate) struct Bound {
    pub ty: Type,
    /// Whether it can give null by itself; `None`: exactly when one of its varying arguments is null.
    pub nullable: Option<bool>,
    /// Whether it can fail by itself.
    pub fallible: bool,
    pub nulls: Nulls,
    pub run: Run,
    pub kernel: Kernel,
}

/// What is wrong with a call.
#[derive(Debug)]
pub(crate) struct Problem {
    pub code: Code,
    pub message: String,
    pub help: Option<String>,
    /// The argument at fault; `None`: the call as a whole.
    pub argument: Option<usize>,
    /// Bytes inside that argument's text.
    pub within: Option<Range<usize>>,
}

impl Problem {
    pub fn new(code: Code, argument: usize, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, argument: Some(argument), within: None }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// An argument as known when the template is compiled.
pub(crate) struct Argument<'a> {
    /// The name it was given by; of further named arguments only.
    pub name: Option<String>,
    pub ty: &'a Type,
    pub nullable: bool,
    /// Its value, when it is known now.
    pub constant: Option<&'a Value>,
}

/// A call being bound. Slots are the declared parameters in order (`None`: left out), then the rest.
pub(crate) struct Binder<'a> {
    pub function: &'static str,
    pub arguments: Vec<Option<Argument<'a>>>,
}

pub(crate) const MISMATCH: Code = towpath_spec::codes::TYPE_MISMATCH;
pub(crate) const ARGUMENTS: Code = towpath_spec::codes::WRONG_ARGUMENTS;

impl<'a> Binder<'a> {
    /// The argument of a slot.
    pub fn get(&self, slot: usize) -> Option<&Argument<'a>> {
        self.arguments.get(slot).and_then(Option::as_ref)
    }

    /// The type of a slot; null when it was left out.
    pub fn ty(&self, slot: usize) -> &Type {
        self.get(slot).map_or(&Type::Null, |argument| argument.ty)
    }

    /// All arguments after the first `skip` slots.
    pub fn rest(&self, skip: usize) -> impl Iterator<Item = (usize, &Argument<'a>)> {
        self.arguments.iter().enumerate().skip(skip).filter_map(|(slot, a)| a.as_ref().map(|a| (slot, a)))
    }

    /// Whether all arguments but the first are known now.
    pub fn only_first_varies(&self) -> bool {
        self.rest(1).all(|(_, argument)| argument.constant.is_some())
    }

    /// Values of all slots but the first; left-out ones are null. Only sensible when they are constants.
    pub fn constants(&self) -> Vec<Value> {
        let value = |a: &Option<Argument>| a.as_ref().and_then(|a| a.constant).cloned().unwrap_or(Value::Null);
        self.arguments.iter().skip(1).map(value).collect()
    }

    fn mismatch(&self, slot: usize, expected: &str) -> Problem {
        let found = self.ty(slot);
        let what = if slot == 0 { format!("`{}` takes", self.function) } else { "expected".into() };
        let problem = Problem::new(MISMATCH, slot, format!("{what} {expected}, found {found}"));
        let cast = match expected {
            "text" if !matches!(found, Type::Binary | Type::List(_) | Type::Struct(_)) => "| string",
            "an int" if matches!(found, Type::Text | Type::Float | Type::Decimal { .. } | Type::Bool) => "| int",
            "a number" if *found == Type::Text => "| float",
            "a datetime" | "a date or datetime" if *found == Type::Text => "| to_datetime",
            "a date" if *found == Type::Text => "| to_date",
            _ => return problem,
        };
        problem.help(format!("convert it first: `{cast}`"))
    }

    /// Demands one of the types that `fits` accepts; JSON is accepted and looked at row by row, null always fits.
    pub fn expect(&self, slot: usize, expected: &str, fits: impl Fn(&Type) -> bool) -> Result<(), Problem> {
        let ty = self.ty(slot);
        if matches!(ty, Type::Json | Type::Null) || fits(ty) { Ok(()) } else { Err(self.mismatch(slot, expected)) }
    }

    /// Demands text.
    pub fn text(&self, slot: usize) -> Result<(), Problem> {
        self.expect(slot, "text", |ty| *ty == Type::Text)
    }

    /// Demands a whole number.
    pub fn int(&self, slot: usize) -> Result<(), Problem> {
        self.expect(slot, "an int", |ty| *ty == Type::Int)
    }

    /// A constant text.
    pub fn constant_text(&self, slot: usize) -> Result<Option<&str>, Problem> {
        match self.constant(slot)? {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_text().map(Some).ok_or_else(|| self.mismatch(slot, "text")),
        }
    }

    /// A constant whole number.
    pub fn constant_int(&self, slot: usize) -> Result<Option<i64>, Problem> {
        match self.constant(slot)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Int(i)) => Ok(Some(*i)),
            Some(_) => Err(self.mismatch(slot, "an int")),
        }
    }

    /// A constant, if the slot was given.
    pub fn constant(&self, slot: usize) -> Result<Option<&'a Value>, Problem> {
        let Some(argument) = self.get(slot) else {
            return Ok(None);
        };
        argument.constant.map(Some).ok_or_else(|| {
            Problem::new(ARGUMENTS, slot, format!("this argument of `{}` must be a constant", self.function))
        })
    }

    /// Text in, text out; `apply` also gets the values of all other slots.
    pub fn text_to_text(
        &self,
        fallible: bool,
        apply: impl for<'t> Fn(&'t str, &[Value]) -> Result<Cow<'t, str>, String> + Send + Sync + 'static,
    ) -> Result<Bound, Problem> {
        self.text(0)?;
        let apply = Arc::new(apply);
        let on_row = apply.clone();
        let run: Run = Arc::new(move |args, _| {
            let text = need_text(&args[0])?;
            Ok(Value::from(on_row(text, &args[1..])?.into_owned()))
        });
        let kernel = if self.only_first_varies() && *self.ty(0) == Type::Text {
            let rest = self.constants();
            Kernel::Text(Arc::new(move |text| apply(text, &rest)))
        } else {
            Kernel::Rows("its other arguments vary by row")
        };
        Ok(Bound {
            ty: Type::Text,
            nullable: None,
            fallible: fallible || self.any_dynamic(),
            nulls: Nulls::Propagate,
            run,
            kernel,
        })
    }

    /// Whether any argument is JSON, so that its type is known only row by row.
    pub fn any_dynamic(&self) -> bool {
        self.rest(0).any(|(_, a)| *a.ty == Type::Json)
    }

    /// Runs row by row, null in, null out.
    pub fn rows(
        &self,
        ty: Type,
        fallible: bool,
        why: &'static str,
        run: impl Fn(&[Value], &Constants) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Bound {
        Bound {
            ty,
            nullable: None,
            fallible: fallible || self.any_dynamic(),
            nulls: Nulls::Propagate,
            run: Arc::new(run),
            kernel: Kernel::Rows(why),
        }
    }
}

impl Bound {
    /// Computes columns another way than row by row.
    #[must_use]
    pub fn with(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Computes columns another way when `when` holds.
    #[must_use]
    pub fn with_if(self, when: bool, kernel: impl FnOnce() -> Kernel) -> Self {
        if when { self.with(kernel()) } else { self }
    }

    /// Can give null, or not, by itself.
    #[must_use]
    pub fn nullable(mut self, nullable: bool) -> Self {
        self.nullable = Some(nullable);
        self
    }

    /// Asks `run` about nulls, too.
    #[must_use]
    pub fn seeing_nulls(mut self) -> Self {
        self.nulls = Nulls::Seen;
        self
    }
}

/// The text of a value, or what is wrong.
pub(crate) fn need_text(value: &Value) -> Result<&str, String> {
    value.as_text().ok_or_else(|| format!("expected text, found {}", value.type_of()))
}

/// The whole number of a value, or what is wrong.
pub(crate) fn need_int(value: &Value) -> Result<i64, String> {
    match value.clone().peel() {
        Value::Int(i) => Ok(i),
        other => Err(format!("expected an int, found {}", other.type_of())),
    }
}

/// Characters `skip..skip + count` of a text.
pub(super) fn characters(text: &str, skip: usize, count: usize) -> &str {
    let start = text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at);
    let rest = &text[start..];
    &rest[..rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at)]
}

/// The items of a list or JSON array.
pub(super) fn items(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::List(items) => Ok(items.clone()),
        Value::Json(serde_json::Value::Array(items)) => Ok(items.iter().cloned().map(Value::from_plain_json).collect()),
        other => Err(format!("expected a list, found {}", other.type_of())),
    }
}

/// What a list or text gives item by item.
pub(super) fn item_type(ty: &Type) -> Type {
    match ty {
        Type::List(inner) => (**inner).clone(),
        other => other.clone(),
    }
}

/// A constant regular expression; a mistake in it is reported at its place.
pub(super) fn pattern(binder: &Binder, slot: usize) -> Result<Arc<regex::Regex>, Problem> {
    let Some(written) = binder.constant_text(slot)? else {
        return Err(Problem::new(ARGUMENTS, slot, "expected a regular expression"));
    };
    regex::Regex::new(written).map(Arc::new).map_err(|error| {
        let text = error.to_string();
        let message = text.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
        // The crate shows the place with carets under the pattern, which it indents by four.
        let caret = text.lines().find(|line| line.trim_start().starts_with('^'));
        let within = caret.map(|line| {
            let from = line.find('^').unwrap_or(4).saturating_sub(4);
            let byte = |n: usize| written.char_indices().nth(n).map_or(written.len(), |(at, _)| at);
            byte(from)..byte(from + line.trim().chars().count())
        });
        let within = within.filter(|_| !written.contains('\n'));
        Problem {
            within,
            ..Problem::new(towpath_spec::codes::BAD_REGEX, slot, format!("the regular expression is wrong: {message}"))
        }
    })
}

/// A test of each text of a column; null where there is none.
pub(super) fn text_to_bool(input: Expr, test: impl Fn(&str) -> bool + Send + Sync + 'static) -> Expr {
    let kernel = Kernel::TextToBool(Arc::new(move |text| Ok(test(text))));
    crate::lower::apply(&kernel, vec![input], &Type::Bool, &Constants::at(chrono::DateTime::UNIX_EPOCH))
}

impl Binder<'_> {
    /// Text in, text or null out.
    pub fn text_to_optional_text(&self, find: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Bound {
        let find = Arc::new(find);
        let on_row = find.clone();
        let bound = self
            .rows(Type::Text, false, "its input is json", move |args, _| Ok(on_row(need_text(&args[0])?).into()))
            .nullable(true);
        bound.with_if(*self.ty(0) == Type::Text, || {
            Kernel::Text(Arc::new(move |text| find(text).map(Cow::Owned).ok_or_else(String::new)))
        })
    }

    /// The type all arguments have in common.
    pub fn common_type(&self) -> Result<Type, Problem> {
        let mut ty = Type::Null;
        for (slot, argument) in self.rest(0) {
            ty = crate::check::unify(&ty, argument.ty).ok_or_else(|| {
                Problem::new(
                    MISMATCH,
                    slot,
                    format!("`{}` takes values of one type, found {ty} and {}", self.function, argument.ty),
                )
            })?;
        }
        Ok(ty)
    }
}
