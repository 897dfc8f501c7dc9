-- Settlement, the published files, and the days on which nothing settles.

ALTER TABLE partner ADD COLUMN calendar INTEGER NOT NULL DEFAULT 0;    -- 0 CN, 1 HK
ALTER TABLE partner ADD COLUMN rmb_columns INTEGER NOT NULL DEFAULT 0; -- 0 shown, 1 hidden

CREATE TABLE holiday (
    calendar INTEGER NOT NULL,
    date     INTEGER NOT NULL,
    PRIMARY KEY (calendar, date)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    job  INTEGER PRIMARY KEY,              -- 0 settlement, 1 files
    date INTEGER NOT NULL                  -- of its last run
) STRICT;

CREATE TABLE settlement_batch (
    key             INTEGER PRIMARY KEY,   -- the event of its entry, as a trade's key
    partner         INTEGER NOT NULL,
    currency        INTEGER NOT NULL,
    date            INTEGER NOT NULL,      -- S
    first           INTEGER NOT NULL,
    last            INTEGER NOT NULL,
    gross           INTEGER NOT NULL,
    refunds         INTEGER NOT NULL,
    commission      INTEGER NOT NULL,
    commission_back INTEGER NOT NULL,
    count           INTEGER NOT NULL,
    carried_in      INTEGER NOT NULL,      -- zero or below
    paid_out        INTEGER NOT NULL CHECK (paid_out >= 0),
    at              INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX settlement_batch_by_last ON settlement_batch (partner, currency, last);
CREATE INDEX settlement_batch_by_date ON settlement_batch (date, partner);

-- What moved on a partner's account, event by event: the rows of its files. Filled behind the
-- commits from entry.key > statement_cursor.
CREATE TABLE statement (
    partner INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    trade   INTEGER NOT NULL,
    PRIMARY KEY (partner, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_by_event ON refund (event) WHERE event IS NOT NULL;

CREATE TABLE published_file (
    partner INTEGER NOT NULL,
    kind    INTEGER NOT NULL,              -- 0 transaction, 1 settlement
    date    INTEGER NOT NULL,
    rows    INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    sha256  BLOB NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (partner, kind, date)
) STRICT, WITHOUT ROWID;
