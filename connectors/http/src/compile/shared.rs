//! What streams and operations share: settings with defaults, and what answers mean.

use super::Compiler;
use crate::describe;
use crate::plan::Given;
use crate::policy::{Absent, Filter, Policy, Success};
use crate::written::Written;
use towpath_spec::definition::{AbsentDoc, ColumnRules, ErrorHandlerDoc, SettingDoc, SuccessDoc};
use towpath_spec::document::Tree;
use towpath_spec::{Text, Type};

impl Compiler<'_> {
    pub(super) fn given(&mut self, docs: &[SettingDoc]) -> Vec<Given> {
        let scope = self.config_scope();
        docs.iter()
            .map(|doc| Given {
                setting: describe::setting(doc),
                default: doc.default.as_ref().and_then(|tree| self.slot(tree, &scope)),
                written: self.written(doc),
            })
            .collect()
    }

    /// How a parameter or field is written.
    fn written(&mut self, doc: &SettingDoc) -> Written {
        let written = &doc.written;
        let timed = matches!(doc.ty, Type::Date | Type::DateTime { .. });
        if let Some(format) = &written.format {
            self.time_format(format);
        }
        for text in written.format.iter().chain(&written.zone).filter(|_| !timed).take(1) {
            self.wrong(text, format!("`format` and `zone` are for dates and times, and the type is `{}`", doc.ty))
                .help = Some("write `type: date` or `type: datetime`".to_owned());
        }
        if let Some(join) = written.join.as_ref().filter(|_| !matches!(doc.ty, Type::List(_))) {
            self.wrong(join, format!("`join` makes one text of a list, and the type is `{}`", doc.ty)).help =
                Some("write `type: list<text>`".to_owned());
        }
        Written {
            max_length: written.max_length.and_then(|length| usize::try_from(length).ok()),
            case: written.case,
            format: written.format.as_ref().map(|format| format.value.clone()),
            zone: written.zone.as_ref().and_then(|zone| self.zone(zone)),
            words: written.words.iter().map(|(name, word)| (name.value.clone(), word.to_json())).collect(),
            join: written.join.as_ref().map(|join| join.value.clone()),
        }
    }

    /// The formats of rules of columns.
    pub(super) fn time_formats(&mut self, rules: &ColumnRules) {
        rules.formats.iter().flatten().for_each(|format| self.time_format(format));
    }

    /// A format in strftime's letters.
    pub(super) fn time_format(&mut self, format: &Text) {
        use chrono::format::{Item, StrftimeItems};
        let fixed = |item: Item<'_>| matches!(item, Item::Literal(_) | Item::Space(_));
        // `DD.MM.YYYY` has no letter that stands for anything, and would be sent as it is.
        if StrftimeItems::new(&format.value).any(|item| item == Item::Error)
            || StrftimeItems::new(&format.value).all(fixed)
        {
            self.wrong(format, format!("`{format}` is not a format in strftime's letters")).help =
                Some("a day is `%d/%m/%Y` or `%Y-%m-%d`, a time `%H:%M:%S`".to_owned());
        }
    }

    pub(super) fn zone(&mut self, name: &Text) -> Option<chrono_tz::Tz> {
        let zone = name.value.parse();
        if zone.is_err() {
            self.wrong(name, format!("`{name}` is not a time zone")).help =
                Some("zones have names like `UTC` and `Europe/London`".to_owned());
        }
        zone.ok()
    }

    pub(super) fn policy(
        &mut self,
        success: &SuccessDoc,
        absent: Option<&AbsentDoc>,
        messages: Option<&Vec<Text>>,
        handler: &ErrorHandlerDoc,
        writes: bool,
    ) -> Policy {
        let defaults = &self.definition.defaults;
        let filters = handler.response_filters.iter().chain(&defaults.error_handler.response_filters);
        let filters = filters
            .map(|filter| Filter {
                codes: filter.http_codes.clone(),
                contains: filter.error_message_contains.as_ref().map(|text| text.value.clone()),
                action: filter.action,
                message: filter.error_message.as_ref().map(|text| text.value.clone()),
            })
            .collect();
        let success = match success {
            SuccessDoc::Status => Some(Success::Status),
            SuccessDoc::Equals { path, values } => {
                self.path(path).map(|path| Success::Equals { path, values: values.iter().map(Tree::to_json).collect() })
            }
            SuccessDoc::LastLineContains(text) => Some(Success::LastLineContains(text.value.clone())),
            SuccessDoc::Present { path } => self.path(path).map(|path| Success::Present { path }),
        };
        Policy {
            success: success.unwrap_or(Success::Status),
            absent: absent.map(|absent| Absent {
                status: absent.status.clone(),
                empty_body: absent.empty_body,
                values: absent.values.iter().map(Tree::to_json).collect(),
            }),
            messages: self.paths(messages.unwrap_or(&defaults.error_message)),
            filters,
            writes,
        }
    }
}
