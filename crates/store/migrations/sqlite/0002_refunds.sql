-- Refunds, notifications, and what partners say of their stores.

ALTER TABLE trade ADD COLUMN refund_pending INTEGER; -- accepted refunds that wait, where there are some
ALTER TABLE trade ADD COLUMN dialect INTEGER NOT NULL DEFAULT 0; -- sign type and charset of its request

CREATE TABLE refund (
    key                 INTEGER PRIMARY KEY,         -- its request, as a trade's key
    partner             INTEGER NOT NULL,
    partner_refund_id   TEXT NOT NULL,
    trade               INTEGER NOT NULL,
    amount              INTEGER NOT NULL CHECK (amount > 0),
    currency            INTEGER NOT NULL,
    mode                INTEGER NOT NULL,            -- 0 synchronous, 1 asynchronous
    state               INTEGER NOT NULL,            -- 0 accepted, 1 done, 2 funds short, 3 cancelled
    due                 INTEGER,                     -- accepted: when it is worked off next
    short               INTEGER,                     -- accepted: 1 when funds were short at the last try
    at                  INTEGER,                     -- of every other state
    event               INTEGER,                     -- done: its entries
    buyer_amount        INTEGER,                     -- done
    buyer_currency      INTEGER,                     -- done
    commission_returned INTEGER,                     -- done
    reason              TEXT,
    notify_url          TEXT,
    dialect             INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX refund_by_partner_refund_id ON refund (partner, partner_refund_id);
CREATE INDEX refund_by_trade ON refund (trade);
CREATE INDEX refund_by_due ON refund (due, key) WHERE due IS NOT NULL;

-- What a partner must still hear, or has heard; written with the change that causes it.
CREATE TABLE notification (
    key      INTEGER PRIMARY KEY,                    -- the event that caused it, as a trade's key
    partner  INTEGER NOT NULL,
    trade    INTEGER NOT NULL,
    tidings  INTEGER NOT NULL,                       -- 0 paid, 1 closed, 2 refund done
    refund   INTEGER,                                -- of tidings 2
    url      TEXT NOT NULL,
    dialect  INTEGER NOT NULL,
    state    INTEGER NOT NULL,                       -- 0 waiting, 1 acknowledged, 2 given up
    attempts INTEGER NOT NULL,
    next_at  INTEGER
) STRICT;
CREATE INDEX notification_by_due ON notification (partner, next_at, key) WHERE next_at IS NOT NULL;
CREATE INDEX notification_by_trade ON notification (trade);

CREATE TABLE delivery (
    notification INTEGER NOT NULL,
    attempt      INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    status       INTEGER,                            -- none when the receiver did not answer
    body         TEXT NOT NULL,
    next_at      INTEGER,
    PRIMARY KEY (notification, attempt)
) STRICT, WITHOUT ROWID;

ALTER TABLE registration ADD COLUMN state INTEGER NOT NULL DEFAULT 1;       -- 0 processing, 1 verified, 2 rejected
ALTER TABLE registration ADD COLUMN reject_reason TEXT;
ALTER TABLE registration ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE registration ADD COLUMN store_country TEXT NOT NULL DEFAULT 'HK';
ALTER TABLE registration ADD COLUMN register_country TEXT;
ALTER TABLE registration ADD COLUMN drivers TEXT NOT NULL DEFAULT '[]';     -- operation ids, JSON
ALTER TABLE registration ADD COLUMN details TEXT NOT NULL DEFAULT '[]';     -- pairs of name and value, JSON

ALTER TABLE partner ADD COLUMN store_review INTEGER NOT NULL DEFAULT 0;     -- 0 instant, 1 manual
ALTER TABLE partner ADD COLUMN sync_refund_pause INTEGER NOT NULL DEFAULT 0; -- 0 none, 1 after midnight
ALTER TABLE partner ADD COLUMN services INTEGER NOT NULL DEFAULT 127;       -- bits: pay, query, cancel, refund, refund query, maintain, store query
