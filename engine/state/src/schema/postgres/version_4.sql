-- Version 4. What the fields of a payload hash to, see the script for SQLite.
ALTER TABLE journal ADD COLUMN content BYTEA;
ALTER TABLE journal ADD COLUMN confirmed_content BYTEA;
