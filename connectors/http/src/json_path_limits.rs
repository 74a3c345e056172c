//! What the JSONPath library takes and should not, and what it answers wrongly: refused where a path is read.
//!
//! Found with the compliance suite of RFC 9535 (`docs/jsonpath.md` has the numbers). A path of these kinds would give other
//! values than the standard says, or none, so it is better said at `validate` than found out in the data. What is
//! answered rightly is never refused here.

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction,
};

/// Why a path is not taken; `None`: it is.
pub(crate) fn refused(query: &JpQuery) -> Option<&'static str> {
    segments(&query.segments, false)
}

fn segments(list: &[Segment], in_filter: bool) -> Option<&'static str> {
    list.iter().find_map(|one| match one {
        Segment::Descendant(inner) => match &**inner {
            Segment::Selectors(many) if many.len() > 1 => Some(
                "`..` with several selectors gives them in another order than the standard; write one path for each",
            ),
            inner => segments(std::slice::from_ref(inner), in_filter),
        },
        Segment::Selector(one) => selector(one, in_filter),
        Segment::Selectors(many) => many.iter().find_map(|one| selector(one, in_filter)),
    })
}

fn selector(selector: &Selector, in_filter: bool) -> Option<&'static str> {
    match selector {
        Selector::Filter(_) if in_filter => {
            Some("a filter inside of a filter is not supported; filter the rows in the pipeline")
        }
        Selector::Filter(inner) => filter(inner),
        _ => None,
    }
}

fn filter(one: &Filter) -> Option<&'static str> {
    match one {
        Filter::Or(all) | Filter::And(all) => all.iter().find_map(filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => test(expr, true),
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (Comparison::Eq(left, right)
            | Comparison::Ne(left, right)
            | Comparison::Gt(left, right)
            | Comparison::Gte(left, right)
            | Comparison::Lt(left, right)
            | Comparison::Lte(left, right)) = &**comparison;
            [left, right].into_iter().find_map(|side| match side {
                Comparable::Function(inner) => function(inner),
                Comparable::Literal(_) | Comparable::SingularQuery(_) => None,
            })
        }
    }
}

/// A test stands alone when it is what a filter asks, and not an argument of a function.
fn test(one: &Test, alone: bool) -> Option<&'static str> {
    match one {
        Test::RelQuery(list) => segments(list, true),
        Test::AbsQuery(query) => segments(&query.segments, true),
        Test::Function(inner) if alone && inner.is_comparable() => {
            Some("`length`, `count` and `value` give a value, which has to be compared, as in `count(@.*) > 1`")
        }
        Test::Function(inner) => function(inner),
    }
}

fn function(one: &TestFunction) -> Option<&'static str> {
    let arguments: Vec<&FnArg> = match one {
        TestFunction::Custom(..) => return Some("the functions are `length`, `count`, `match`, `search` and `value`"),
        TestFunction::Length(one) => {
            if is_many(one) {
                return Some("`length` takes a path to one value");
            }
            vec![&**one]
        }
        TestFunction::Value(one) | TestFunction::Count(one) => vec![one],
        TestFunction::Search(one, two) | TestFunction::Match(one, two) => vec![one, two],
    };
    arguments.into_iter().find_map(|argument| match argument {
        FnArg::Literal(_) => None,
        FnArg::Test(inner) => test(inner, false),
        FnArg::Filter(inner) => filter(inner),
    })
}

/// Whether an argument is a path that may lead to several values.
fn is_many(argument: &FnArg) -> bool {
    let FnArg::Test(inner) = argument else { return false };
    let list = match &**inner {
        Test::RelQuery(list) => list,
        Test::AbsQuery(query) => &query.segments,
        Test::Function(_) => return false,
    };
    !list.iter().all(|one| matches!(one, Segment::Selector(Selector::Name(_) | Selector::Index(_))))
}
