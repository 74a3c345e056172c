-- Version 2. What is written while a run sends is put down one line after the other, and entered in `journal` in bulk: keys
-- are hashes, so that entering each at once would change another page of `journal_by_key` for every record. Together the two
-- tables are the journal; whoever reads it enters what is under way first.
--
-- One row for each call. The table is always emptied as a whole, so the last id is the number of rows. Routes and runs are
-- checked when a line is entered.
CREATE TABLE under_way (
    id    INTEGER PRIMARY KEY,
    route INTEGER NOT NULL,
    run   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    -- One after the other: kind (0 intent; receipts: 1 confirmed, 2 refused, 3 unknown; 4 an intent is withdrawn), key hash;
    -- of an intent the payload's hash and the key, of a receipt its fields and message. A text is its length in four bytes,
    -- the lowest first, plus one, and UTF-8; no text is a zero.
    lines BLOB NOT NULL
) STRICT;
