//! Every worked example of every function, compiled and interpreted.

use super::all;
use crate::scope::Constants;
use crate::{Scope, Value, compile_template};
use polars::prelude::{DataFrame, IntoColumn, IntoLazy, NamedFrom, Series};
use towpath_spec::{Files, Schema, Text};

fn constants() -> Constants {
    Constants::at(chrono::DateTime::from_timestamp(1_709_632_800, 0).expect("a time"))
}

fn shown(outcome: Result<Value, impl Sized>) -> String {
    match outcome {
        Err(_) => "reject".into(),
        Ok(value) if value.is_null() => "null".into(),
        Ok(value) => value.to_text(),
    }
}

#[test]
fn examples_give_what_they_say() {
    let mut wrong = Vec::new();
    for function in all() {
        assert!(!function.examples.is_empty(), "`{}` has no example", function.name);
        for example in function.examples {
            let text = Text { value: example.template.into(), ..Text::default() };
            let (files, schema) = (Files::new(), Schema::default());
            let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
            let compiled = match compile_template(&text, &scope) {
                Ok(compiled) => compiled,
                Err(problems) => {
                    wrong.push(format!("{}: {problems:?}", example.template));
                    continue;
                }
            };
            let interpreted = shown(compiled.interpret(&(), &constants()));
            if interpreted != example.gives {
                wrong.push(format!("{}: interpreted {interpreted}, expected {}", example.template, example.gives));
            }
            let lowered = compiled.lower(&constants());
            let frame = DataFrame::new(1, vec![Series::new("x".into(), [1i64]).into_column()]).expect("a frame");
            let failed = lowered.failed.unwrap_or_else(|| polars::prelude::lit(false));
            let columns = [lowered.value.alias("value"), failed.alias("failed")];
            let out = frame.lazy().with_columns(columns).collect().expect("runs");
            let ty = compiled.field().0.clone();
            let value = crate::columns::Reader::new(out.column("value").expect("there").as_materialized_series(), &ty);
            let failed = out.column("failed").expect("there").bool().expect("bool").get(0) == Some(true);
            let columnar = shown(if failed { Err(()) } else { Ok(value.expect("readable").get(0)) });
            if columnar != example.gives {
                wrong.push(format!("{}: columns give {columnar}, expected {}", example.template, example.gives));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
