//! The types of columns and values, as users name them.

use std::fmt;

use crate::diagnostic::{nearest, shown};

/// A type of the language. Every column, parameter and expression has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// The type of `none` alone: fits wherever null is allowed.
    Null,
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A floating point number of 64 bits.
    Float,
    /// An exact decimal number.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits behind the point.
        scale: u8,
    },
    /// Unicode text.
    Text,
    /// A calendar day.
    Date,
    /// An instant, microseconds since 1970 in UTC, shown in a zone. `None`: a wall-clock time without a zone.
    DateTime {
        /// IANA name of the zone, e.g. `UTC`, `Europe/London`.
        zone: Option<String>,
    },
    /// A span of time in microseconds.
    Duration,
    /// Bytes.
    Binary,
    /// A list of values of one type.
    List(Box<Type>),
    /// Named fields.
    Struct(Vec<Field>),
    /// Any JSON value, kept as its text.
    Json,
}

/// A named, typed value that may or may not be null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether null can occur.
    pub nullable: bool,
}

impl Field {
    /// A nullable field.
    pub fn new(name: impl Into<String>, ty: Type) -> Self {
        Self { name: name.into(), ty, nullable: true }
    }

    /// The same field, never null.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.nullable = false;
        self
    }
}

/// The columns of a data set, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

impl Schema {
    /// A schema of these columns.
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    /// A column by name.
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Adds a column or puts it in the place of the one of that name.
    pub fn set(&mut self, field: Field) {
        match self.fields.iter_mut().find(|old| old.name == field.name) {
            Some(old) => *old = field,
            None => self.fields.push(field),
        }
    }
}

impl Type {
    /// A datetime in UTC.
    pub fn utc() -> Self {
        Self::DateTime { zone: Some("UTC".into()) }
    }

    /// Whether values are numbers one can calculate with.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Decimal { .. })
    }

    /// Reads a type as users write it: `int`, `decimal(10,2)`, `datetime('Europe/London')`, `list<text>`,
    /// `struct{a: int, b: text}`. `datetime` alone is in UTC; `datetime(none)` is without a zone.
    ///
    /// # Errors
    /// A sentence saying what is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        let mut parser = TypeParser { rest: written.trim(), depth: 0 };
        let ty = parser.ty()?;
        if parser.rest.is_empty() { Ok(ty) } else { Err(format!("unexpected `{}` after the type", shown(parser.rest))) }
    }
}

/// Names that open a type, for help with misspelt ones.
pub const TYPE_NAMES: [&str; 12] =
    ["bool", "int", "float", "decimal", "text", "date", "datetime", "duration", "binary", "list", "struct", "json"];

/// Lists and structs that may stand inside each other.
const MAX_DEPTH: usize = 32;

struct TypeParser<'a> {
    rest: &'a str,
    depth: usize,
}

impl TypeParser<'_> {
    fn word(&mut self) -> String {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word.to_owned()
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.eat(token) {
            true => Ok(()),
            false if self.rest.is_empty() => Err(format!("expected `{token}` at the end")),
            false => Err(format!("expected `{token}` at `{}`", shown(self.rest))),
        }
    }

    fn until(&mut self, end: char) -> Result<String, String> {
        let at = self.rest.find(end).ok_or_else(|| format!("expected `{end}`"))?;
        let (inner, rest) = self.rest.split_at(at);
        self.rest = rest[end.len_utf8()..].trim_start();
        Ok(inner.trim().to_owned())
    }

    fn ty(&mut self) -> Result<Type, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} types stand inside each other"));
        }
        let ty = self.one();
        self.depth -= 1;
        ty
    }

    fn one(&mut self) -> Result<Type, String> {
        let word = self.word();
        Ok(match word.as_str() {
            "null" => Type::Null,
            "bool" | "boolean" => Type::Bool,
            "int" | "integer" => Type::Int,
            "float" | "number" => Type::Float,
            "text" | "string" => Type::Text,
            "date" => Type::Date,
            "duration" => Type::Duration,
            "binary" => Type::Binary,
            "json" => Type::Json,
            "datetime" => self.datetime()?,
            "decimal" => self.decimal()?,
            "list" => {
                self.expect("<")?;
                let inner = self.ty()?;
                self.expect(">")?;
                Type::List(Box::new(inner))
            }
            "struct" => self.fields()?,
            other => {
                let near = nearest(other, TYPE_NAMES);
                let hint = near.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default();
                return Err(format!("unknown type `{}`{hint}", shown(other)));
            }
        })
    }

    fn datetime(&mut self) -> Result<Type, String> {
        if !self.eat("(") {
            return Ok(Type::utc());
        }
        let zone = self.until(')')?;
        let zone = zone.trim_matches(['\'', '"']).to_owned();
        Ok(Type::DateTime { zone: if zone == "none" { None } else { Some(zone) } })
    }

    fn decimal(&mut self) -> Result<Type, String> {
        if !self.eat("(") {
            return Err("decimal needs its digits, e.g. `decimal(12,2)`".into());
        }
        let inner = self.until(')')?;
        let mut parts = inner.split(',').map(|part| part.trim().parse::<u8>());
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(precision @ 1..=38)), Some(Ok(scale)), None) if scale <= precision => {
                Ok(Type::Decimal { precision, scale })
            }
            _ => Err(format!("`decimal({})`: expected precision 1 to 38 and a scale not above it", shown(&inner))),
        }
    }

    fn fields(&mut self) -> Result<Type, String> {
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.eat("}") {
            let name = self.word();
            if name.is_empty() {
                return Err(format!("expected a field name at `{}`", shown(self.rest)));
            }
            self.expect(":")?;
            fields.push(Field::new(name, self.ty()?));
            if !self.eat(",") && !self.rest.starts_with('}') {
                return Err(format!("expected `,` or `}}` at `{}`", shown(self.rest)));
            }
        }
        Ok(Type::Struct(fields))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Text => f.write_str("text"),
            Self::Date => f.write_str("date"),
            Self::DateTime { zone: None } => f.write_str("datetime(none)"),
            Self::DateTime { zone: Some(zone) } if zone == "UTC" => f.write_str("datetime"),
            Self::DateTime { zone: Some(zone) } => write!(f, "datetime('{zone}')"),
            Self::Duration => f.write_str("duration"),
            Self::Binary => f.write_str("binary"),
            Self::List(inner) => write!(f, "list<{inner}>"),
            Self::Struct(fields) => {
                f.write_str("struct{")?;
                for (at, field) in fields.iter().enumerate() {
                    write!(f, "{}{}: {}", if at > 0 { ", " } else { "" }, field.name, field.ty)?;
                }
                f.write_str("}")
            }
            Self::Json => f.write_str("json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back_as_they_are_shown() {
        for written in [
            "bool",
            "int",
            "float",
            "decimal(12,2)",
            "text",
            "date",
            "datetime",
            "datetime('Europe/London')",
            "datetime(none)",
            "duration",
            "binary",
            "list<list<int>>",
            "struct{a: int, b: list<text>}",
            "json",
        ] {
            let ty = Type::parse(written).unwrap_or_else(|why| panic!("{written}: {why}"));
            assert_eq!(ty.to_string(), written);
        }
    }

    #[test]
    fn wrong_types_say_what_is_wrong() {
        for (written, why) in [
            ("itn", "did you mean `int`"),
            ("decimal", "needs its digits"),
            ("decimal(2,5)", "scale not above"),
            ("list<int", "expected `>` at the end"),
            ("struct{a int}", "expected `:`"),
            ("int int", "unexpected `int`"),
        ] {
            assert!(Type::parse(written).is_err_and(|found| found.contains(why)), "{written}");
        }
        let deep = format!("{}int{}", "list<".repeat(100_000), ">".repeat(100_000));
        assert!(Type::parse(&deep).is_err_and(|found| found.contains("more than 32")));
    }
}
