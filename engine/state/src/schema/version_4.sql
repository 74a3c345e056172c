-- Version 4. What the fields of a payload hash to, so that it can be said later which of them differ: as the run made it, opaque
-- here; null where nobody said. A line of `under_way` has a kind more for it: 5, an intent with the key hash, the payload's hash,
-- the key, and the content, with a length as texts have.
ALTER TABLE journal ADD COLUMN content BLOB;
ALTER TABLE journal ADD COLUMN confirmed_content BLOB;
