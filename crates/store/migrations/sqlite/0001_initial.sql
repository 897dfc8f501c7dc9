-- Amounts are minor units, instants microseconds since 1970 UTC, dates days since 1970 in GMT+8,
-- currencies ISO 4217 numbers. Keys of trades and entries grow with time, so rows are appended.

-- One row per writer: the last batch that it committed, and its instant.
CREATE TABLE lane (
    lane  INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL,
    at    INTEGER NOT NULL
) STRICT;

CREATE TABLE trade (
    key                 INTEGER PRIMARY KEY,
    partner             INTEGER NOT NULL,
    partner_trans_id    TEXT NOT NULL,
    state               INTEGER NOT NULL,  -- 0 waiting, 1 paid, 2 closed, 3 mark of a cancel that came first
    amount              INTEGER,
    currency            INTEGER,
    wallet              INTEGER,
    inst                INTEGER,           -- 0 ALIPAYHK, 1 ALIPAYCN
    shop                INTEGER,
    content             BLOB,
    code                INTEGER,
    title               TEXT,
    terminal            TEXT,
    memo                TEXT,
    notify_url          TEXT,
    rate                INTEGER,           -- 1e-8
    buyer_amount        INTEGER,
    paid_after          INTEGER,           -- microseconds after the second of creation
    event               INTEGER,           -- the payment's entries, where not under the trade's key
    commission          INTEGER,
    refunded            INTEGER,
    refunded_buyer      INTEGER,
    commission_returned INTEGER,
    closed_at           INTEGER,
    close_cause         INTEGER            -- 1 expired, 2 declined, 3 cancel, 4 spot.cancel, 5 spot.reverse, 6 refunded
) STRICT;
CREATE UNIQUE INDEX trade_by_partner_trans_id ON trade (partner, partner_trans_id);

-- One move of money; never changed, never deleted. key = event x 4 + number within it.
CREATE TABLE entry (
    key      INTEGER PRIMARY KEY,
    trade    INTEGER,                      -- where the event is not the trade's own
    debit    INTEGER NOT NULL,
    credit   INTEGER NOT NULL,
    amount   INTEGER NOT NULL CHECK (amount > 0),
    currency INTEGER NOT NULL,
    cause    INTEGER NOT NULL
) STRICT;
CREATE INDEX entry_by_trade ON entry (trade) WHERE trade IS NOT NULL;

CREATE TABLE account_total (
    account  INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    date     INTEGER NOT NULL,
    lane     INTEGER NOT NULL,
    debits   INTEGER NOT NULL,
    credits  INTEGER NOT NULL,
    PRIMARY KEY (account, currency, date, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE wallet (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE,
    login             TEXT NOT NULL,
    inst              INTEGER NOT NULL,
    balance           INTEGER NOT NULL CHECK (balance >= 0),
    state             INTEGER NOT NULL,    -- 0 active, 1 frozen
    confirmation      INTEGER NOT NULL,    -- 0 not asked, 1 asked
    limit_per_payment INTEGER,
    limit_per_day     INTEGER,
    limit_per_month   INTEGER,
    spent_date        INTEGER NOT NULL,
    spent_day         INTEGER NOT NULL,
    spent_month       INTEGER NOT NULL,
    codes_used        BLOB                 -- alias (4), first slot (8), bits (8), repeated
) STRICT;

CREATE TABLE device (
    alias  INTEGER PRIMARY KEY,
    wallet INTEGER NOT NULL,
    secret BLOB NOT NULL
) STRICT;
CREATE INDEX device_by_wallet ON device (wallet);

-- Whose trade it is, wallet's and partner's, newest last; filled behind the commit from
-- trade.key > activity_cursor. As indexes of trade these two would cost a page each per payment.
CREATE TABLE activity (
    account INTEGER NOT NULL,
    trade   INTEGER NOT NULL,
    PRIMARY KEY (account, trade)
) STRICT, WITHOUT ROWID;

CREATE TABLE timer (
    due   INTEGER NOT NULL,
    trade INTEGER NOT NULL,
    PRIMARY KEY (due, trade)
) STRICT, WITHOUT ROWID;

-- What a partner took in on a date, where its contract limits that.
CREATE TABLE turnover (
    partner INTEGER NOT NULL,
    date    INTEGER NOT NULL,
    taken   INTEGER NOT NULL,
    currency INTEGER NOT NULL,
    PRIMARY KEY (partner, date)
) STRICT, WITHOUT ROWID;

-- Stores as they were named when a trade used them; the key is made from the content.
CREATE TABLE shop (
    key                         INTEGER PRIMARY KEY,
    partner                     INTEGER NOT NULL,
    secondary_merchant_id       TEXT NOT NULL,
    secondary_merchant_name     TEXT NOT NULL,
    secondary_merchant_industry TEXT NOT NULL,
    store_id                    TEXT NOT NULL,
    store_name                  TEXT NOT NULL
) STRICT;

CREATE TABLE registration (
    partner               INTEGER NOT NULL,
    secondary_merchant_id TEXT NOT NULL,
    store_id              TEXT NOT NULL,
    shop                  INTEGER NOT NULL,
    PRIMARY KEY (partner, secondary_merchant_id, store_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE partner (
    id                   INTEGER PRIMARY KEY,
    name                 TEXT NOT NULL UNIQUE,
    product              INTEGER NOT NULL, -- 0 HK, 1 standard
    country              TEXT NOT NULL,
    settlement_currency  INTEGER NOT NULL,
    wallets              INTEGER NOT NULL, -- 0 both, 1 ALIPAYHK, 2 ALIPAYCN
    commission           INTEGER NOT NULL, -- millionths
    commission_on_refund INTEGER NOT NULL, -- 0 kept, 1 returned
    async_refund         INTEGER NOT NULL, -- 0 batch, 1 same day
    refund_days          INTEGER NOT NULL,
    notify_url           TEXT,
    reserve              INTEGER NOT NULL,
    store_data           INTEGER NOT NULL, -- 0 optional, 1 required
    cancel_grace         INTEGER NOT NULL, -- 0 paid too, 1 unpaid only
    wallet_column        INTEGER NOT NULL, -- 0 payment_inst, 1 Issue
    client_ips           TEXT NOT NULL,    -- separated by blanks
    limit_per_payment    INTEGER,
    limit_per_day        INTEGER,
    limit_product        INTEGER,
    default_shop         INTEGER NOT NULL
) STRICT;

CREATE TABLE partner_key (
    partner  INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    kind     INTEGER NOT NULL,             -- 0 MD5, 1 the partner's RSA public key
    text     TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER,
    PRIMARY KEY (partner, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE rate (
    base      INTEGER NOT NULL,
    quote     INTEGER NOT NULL,
    from_date INTEGER NOT NULL,
    rate      INTEGER NOT NULL,            -- 1e-8
    source    TEXT NOT NULL,
    PRIMARY KEY (base, quote, from_date)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
