//! SaaS systems from definitions: the runtime that carries out `connector:` documents.
//!
//! A definition ([`towpath_spec::definition`]) is compiled once: templates, JSONPaths and XML selectors are parsed and
//! everything wrong with them is reported at its place. What comes out is a [`Connector`](towpath_connector::Connector)
//! like any other. Nothing is system-specific here: whatever a vendor does oddly is said in its definition.
//!
//! The runtime never retries (an error says whether to), never keeps a cookie, never sends credentials to another host
//! than that of `base_url`, and never logs a body or an `Authorization` header.

mod auth;
mod body;
mod builtin;
mod call;
mod column;
mod compile;
mod connection;
mod connector;
mod describe;
mod excerpt;
mod exchange;
mod given;
mod incremental;
mod instant;
mod json_path;
mod limiter;
mod lookup;
mod operation;
mod overrides;
mod pager;
mod plan;
mod policy;
mod reader;
mod records;
mod retry_after;
mod stream;
mod template;
mod transport;
mod typed;
mod writer;
mod xml;

pub use builtin::{BUILTIN, builtin, from_definition};
