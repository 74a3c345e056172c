//! Every function, filter and test, one file each, and what they are made of.
//!
//! A function is bound once per call site: it sees the types of its arguments and the values of the constant ones, and
//! gives back what it returns and how to compute it. Whatever can be one closure serves both the row interpreter and
//! the column kernel, so that the two cannot differ.

mod abs;
mod add;
mod base64_decode;
mod base64_encode;
mod bool;
mod bound;
mod capitalize;
mod coalesce;
mod date_part;
mod days_between;
mod decimal;
mod default;
mod duration;
mod empty;
mod first;
mod float;
mod format_datetime;
mod get;
mod hash;
mod in_timezone;
mod int;
mod is_defined;
mod is_matching;
mod is_none;
mod is_undefined;
mod join;
mod json_object;
mod last;
mod left;
mod length;
mod lower;
mod map_values;
mod mask;
mod max;
mod min;
mod now;
mod null_if;
mod pad_left;
mod pad_right;
mod parse_json;
mod regex_extract;
mod regex_replace;
mod registry;
mod replace;
mod reverse;
mod right;
mod round;
mod short_key;
mod slug;
mod sort;
mod split;
mod split_part;
mod string;
mod substring;
mod subtract;
mod sum;
mod title;
mod to_date;
mod to_datetime;
mod today;
mod tojson;
mod trim;
mod unique;
mod upper;
mod urlencode;

pub(crate) use bound::{Argument, Binder, Bound, Bytes, Kernel, Nulls, Problem};
pub(crate) use registry::{all, find, names};

/// What a name is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionKind {
    /// `value | name(…)`.
    Filter,
    /// `name(…)`.
    Function,
    /// `value is name(…)`.
    Test,
}

impl std::fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Filter => "filter",
            Self::Function => "function",
            Self::Test => "test",
        })
    }
}

/// A parameter of a function; a filter's or test's first is the value it is applied to.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub name: &'static str,
    pub required: bool,
    /// Whether it can only be given as `name=value`.
    pub by_name: bool,
}

/// A worked example: a template, and what it gives: text as printed, `null`, or `reject` when the row is rejected.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The template, complete.
    pub template: &'static str,
    /// What comes out.
    pub gives: &'static str,
}

/// How arguments beyond the declared parameters are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// There are none.
    None,
    /// Any number of further values.
    Values,
    /// Any `name=value`.
    Named,
}

/// A function of the language.
pub(crate) struct Function {
    pub name: &'static str,
    /// What it can be used as.
    pub kinds: &'static [FunctionKind],
    /// As the manual shows it.
    pub signature: &'static str,
    /// The manual's text: Markdown, first sentence is the summary.
    pub doc: &'static str,
    pub examples: &'static [Example],
    pub parameters: &'static [Parameter],
    pub rest: Rest,
    pub bind: fn(&Binder) -> Result<Bound, Problem>,
}

/// A required parameter.
pub(crate) const fn needed(name: &'static str) -> Parameter {
    Parameter { name, required: true, by_name: false }
}

/// A parameter that may be left out.
pub(crate) const fn optional(name: &'static str) -> Parameter {
    Parameter { name, required: false, by_name: false }
}

/// A parameter that is only given as `name=value`, and may be left out.
pub(crate) const fn named(name: &'static str) -> Parameter {
    Parameter { name, required: false, by_name: true }
}

/// An example.
pub(crate) const fn example(template: &'static str, gives: &'static str) -> Example {
    Example { template, gives }
}

#[cfg(test)]
mod tests;
