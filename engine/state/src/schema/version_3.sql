-- Version 3. A reject is open until a run has taken it up: a replay that ended well, or a later run in which the same node
-- turned the same row down again. Null = open.
ALTER TABLE reject ADD COLUMN closed_by INTEGER REFERENCES run (no);
-- The run whose rejects this one took up: it read no sources, so it settles nothing that other runs left. Null = an ordinary run.
ALTER TABLE run ADD COLUMN replays INTEGER REFERENCES run (no);
