//! SaaS systems from definitions: the runtime that carries out `connector:` documents.
//!
//! A definition ([`towpath_spec::definition`]) is compiled once: templates, JSONPaths and XML selectors are parsed and
//! everything wrong with them is reported at its place. What comes out is a [`Connector`](towpath_connector::Connector)
//! like any other. Nothing is system-specific here: whatever a vendor does oddly is said in its definition.
//!
//! The runtime never retries (an error says whether to), never keeps a cookie, never sends credentials to another host
//! than that of `base_url`, and never logs a body or an `Authorization` header.

mod answer;
mod auth;
mod batch;
mod body;
mod builtin;
mod call;
mod column;
mod compile;
mod connection;
mod connection_settings;
mod connector;
mod csv_text;
mod describe;
mod direct;
mod echo;
mod excerpt;
mod exchange;
mod find;
mod formats;
mod given;
mod incremental;
mod instant;
mod json_path;
mod json_path_limits;
mod lazy;
mod limiter;
mod lookup;
mod operation;
mod operation_plan;
mod overrides;
mod pager;
mod plain;
mod plan;
mod policy;
mod reader;
mod received;
mod records;
mod retry_after;
mod sketch;
mod slices;
mod stream;
mod template;
mod transport;
mod typed;
mod upload;
mod upsert;
mod writer;
mod written;
mod xml;
mod xml_body;
mod xml_json;

pub use builtin::{BUILTIN, builtin, from_definition};
pub use json_path::JsonPath;
pub use lazy::builtin_by_name;
