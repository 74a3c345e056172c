#!/usr/bin/env bash
# Everything that must hold before a change is good: format, lints, documentation tests, generated pages, all tests.
set -euo pipefail
cd "$(dirname "$0")/.."

# The C compiler builds SQLite, zstd and the TLS library; cmake is not needed.
if ! command -v cc >/dev/null && command -v apt-get >/dev/null; then
    apt-get update -q && apt-get install -y -q build-essential
fi
# State is tested on PostgreSQL as well: tests start a server of their own from its programs.
if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null &&
    command -v apt-get >/dev/null; then
    apt-get update -q && apt-get install -y -q postgresql
fi

cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- -D warnings
# The same set of features as the tests have, so that Polars is built once; the binary is part of it.
cargo test --workspace --no-run --quiet
cargo test --workspace --doc --quiet
"${CARGO_TARGET_DIR:-target}/debug/towpath" reference docs/reference --check

# Tests last: the runner's own summary closes the output.
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --no-fail-fast
else
    cargo test --workspace --no-fail-fast
fi
