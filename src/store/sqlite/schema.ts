/** Marks a SQLite file as a store of Troupe: "TRPE" in ASCII. Source: SQLite, PRAGMA application_id. */
export const applicationId = 0x54525045;
/** Grows with each change of the tables; a file with a higher number belongs to a newer Troupe. */
export const schemaVersion = 1;

/**
 * The tables. Facts are appended where they come, so that a commit writes few pages; everything else lies in the
 * order of its key (WITHOUT ROWID), so that what belongs to one run lies together.
 */
export const schema = `
CREATE TABLE run (
  id TEXT PRIMARY KEY, namespace TEXT NOT NULL, variant TEXT NOT NULL,
  workflow TEXT NOT NULL, version TEXT NOT NULL, definition TEXT NOT NULL,
  key TEXT, parent TEXT, parent_task TEXT,
  status TEXT NOT NULL, lane INTEGER NOT NULL, deadline_at REAL,
  created_at REAL NOT NULL, updated_at REAL NOT NULL, ended_at REAL,
  seq INTEGER NOT NULL, result TEXT
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX run_key ON run (namespace, key) WHERE key IS NOT NULL;
CREATE INDEX run_parent ON run (parent) WHERE parent IS NOT NULL;
CREATE INDEX run_open ON run (status, id) WHERE ended_at IS NULL;

CREATE TABLE fact (
  run TEXT NOT NULL, seq INTEGER NOT NULL, namespace TEXT NOT NULL, variant TEXT NOT NULL,
  at REAL NOT NULL, type TEXT NOT NULL, message TEXT, mark INTEGER NOT NULL, body TEXT NOT NULL,
  UNIQUE (run, seq)
) STRICT;
CREATE UNIQUE INDEX fact_message ON fact (run, message) WHERE message IS NOT NULL;

CREATE TABLE task (
  id TEXT PRIMARY KEY, run TEXT NOT NULL, namespace TEXT NOT NULL, variant TEXT NOT NULL,
  step TEXT NOT NULL, kind TEXT NOT NULL, capability TEXT NOT NULL, agent TEXT,
  attempt INTEGER NOT NULL, lane INTEGER NOT NULL, fence INTEGER NOT NULL,
  assignee TEXT, lease_until REAL, opened_at REAL NOT NULL, input TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE timer (
  run TEXT NOT NULL, id TEXT NOT NULL, due_at REAL NOT NULL,
  PRIMARY KEY (run, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX timer_due ON timer (due_at);

CREATE TABLE wait (
  run TEXT NOT NULL, id TEXT NOT NULL, namespace TEXT NOT NULL, event TEXT NOT NULL,
  PRIMARY KEY (run, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX wait_event ON wait (namespace, event);

CREATE TABLE snapshot (run TEXT PRIMARY KEY, seq INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID, STRICT;

CREATE TABLE value (hash TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE value_use (run TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (run, hash)) WITHOUT ROWID, STRICT;
CREATE INDEX value_use_hash ON value_use (hash);

CREATE TABLE definition (
  namespace TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, variant TEXT NOT NULL,
  hash TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, created_at REAL NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (namespace, key, version)
) WITHOUT ROWID, STRICT;
CREATE INDEX definition_hash ON definition (hash);

CREATE TABLE event (
  namespace TEXT NOT NULL, id TEXT NOT NULL, variant TEXT NOT NULL,
  event TEXT NOT NULL, at REAL NOT NULL, payload TEXT NOT NULL, delivered INTEGER NOT NULL,
  PRIMARY KEY (namespace, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX event_owed ON event (at) WHERE delivered = 0;

CREATE TABLE schedule (
  id TEXT PRIMARY KEY, namespace TEXT NOT NULL, variant TEXT NOT NULL,
  workflow TEXT NOT NULL, spec TEXT NOT NULL, input TEXT NOT NULL, next_at REAL NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE request (
  id TEXT PRIMARY KEY, at REAL NOT NULL, run TEXT NOT NULL, verb TEXT NOT NULL, body TEXT NOT NULL, answer TEXT
) WITHOUT ROWID, STRICT;

CREATE TABLE cell (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE entry (
  log TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (log, seq)
) WITHOUT ROWID, STRICT;

CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), pid INTEGER NOT NULL, since REAL NOT NULL) STRICT;
`;
