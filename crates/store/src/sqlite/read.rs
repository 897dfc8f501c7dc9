//! What is read: the rows of a batch by the writer, and everything that pages and queries show.

use std::path::Path;

use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension, params};
use spotpay_core::command::{Command, Keys};
use spotpay_core::id::{EventId, PartnerId, TradeId, WalletId};
use spotpay_core::ledger::{Account, Cause};
use spotpay_core::money::{Amount, Money};
use spotpay_core::notification::Notification;
use spotpay_core::payment_code::{Alias, CodeSecret};
use spotpay_core::refund::{Refund, RefundKey};
use spotpay_core::registration::{Registration, StoreKey};
use spotpay_core::settlement::{Batch, FileKey, PublishedFile, SettlementKey};
use spotpay_core::shop::{Shop, ShopKey};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::trade::{Slot, Trade, TradeKey};
use spotpay_core::wallet::{Device, Wallet};
use spotpay_core::working_set::{TurnoverKey, WorkingSet};

use super::notifications::{self, DeliveryRow};
use super::rows::{self, concat_columns, corrupt};
use super::settlement::{self, DayMoves, StatementRow};
use super::{refunds, stores};
use crate::StoreError;
use crate::check::{self, Report};

pub(super) fn working_set(connection: &Connection, keys: &Keys) -> Result<WorkingSet, StoreError> {
    let mut set = WorkingSet::default();
    let mut slots = connection.prepare_cached(SLOT_BY_KEY)?;
    let mut wallets = connection.prepare_cached(WALLET_BY_ID)?;
    for key in &keys.trades {
        load_slot(&mut slots, &mut wallets, &mut set, key)?;
    }
    for key in &keys.refunds {
        if set.refund(key).is_none()
            && let Some(refund) = refunds::by_key(connection, key)?
        {
            load_slot(&mut slots, &mut wallets, &mut set, &refund.trade_key)?;
            set.loaded_refund(refund);
        }
    }
    for key in &keys.trades_to_cancel {
        load_accepted(connection, &mut set, key)?;
    }
    for id in &keys.wallets {
        load_wallet(&mut wallets, &mut set, *id)?;
    }
    for name in &keys.wallet_names {
        if let Some(wallet) = wallet_by_name(connection, name)? {
            set.loaded_wallet(wallet);
        }
    }
    for alias in &keys.aliases {
        if device(connection, *alias)?.is_some() {
            set.loaded_alias(*alias);
        }
    }
    for key in &keys.turnovers {
        if let Some(taken) = turnover(connection, *key)? {
            set.loaded_turnover(*key, taken);
        }
    }
    load_rare(connection, &mut set, keys)?;
    Ok(set)
}

/// What payments never name.
fn load_rare(connection: &Connection, set: &mut WorkingSet, keys: &Keys) -> Result<(), StoreError> {
    for partner in &keys.funds {
        for funds in refunds::funds(connection, *partner)? {
            set.loaded_funds(*partner, funds);
        }
    }
    for key in &keys.stores {
        if let Some(registration) = stores::by_key(connection, key)? {
            set.loaded_store(registration);
        }
    }
    for key in &keys.settlements {
        if let Some(batch) = settlement::last_batch(connection, *key)? {
            set.loaded_batch(batch);
        }
    }
    for key in &keys.files {
        if let Some(file) = settlement::file(connection, *key)? {
            set.loaded_file(file);
        }
    }
    for id in &keys.notifications {
        if let Some(notification) = notifications::by_id(connection, *id)? {
            set.loaded_notification(notification);
        }
    }
    Ok(())
}

fn load_slot(
    slots: &mut CachedStatement<'_>,
    wallets: &mut CachedStatement<'_>,
    set: &mut WorkingSet,
    key: &TradeKey,
) -> Result<(), StoreError> {
    if set.slot(key).is_none()
        && let Some(slot) = first(slots, slot_params(key), rows::slot)?
    {
        if let Slot::Trade(trade) = &slot {
            load_wallet(wallets, set, trade.wallet)?;
        }
        set.loaded_slot(slot);
    }
    Ok(())
}

/// The accepted refunds of a trade, where it has some.
fn load_accepted(
    connection: &Connection,
    set: &mut WorkingSet,
    key: &TradeKey,
) -> Result<(), StoreError> {
    let Some(Slot::Trade(trade)) = set.slot(key) else {
        return Ok(());
    };
    let pending = trade
        .payment()
        .is_some_and(|payment| !payment.refund_pending.is_zero());
    if pending {
        for refund in refunds::of_trade(connection, trade.id, true)? {
            set.loaded_refund(refund);
        }
    }
    Ok(())
}

fn load_wallet(
    wallets: &mut CachedStatement<'_>,
    set: &mut WorkingSet,
    id: WalletId,
) -> Result<(), StoreError> {
    if set.wallet(id).is_none()
        && let Some(wallet) = first(wallets, [rows::number(id.number())], rows::wallet)?
    {
        set.loaded_wallet(wallet);
    }
    Ok(())
}

/// The first row of a prepared query, read by a function of ours.
fn first<P: rusqlite::Params, T>(
    statement: &mut CachedStatement<'_>,
    params: P,
    read: impl FnOnce(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut found = statement.query(params)?;
    found.next()?.map(read).transpose()
}

/// The first row of a query, read by a function of ours.
pub(super) fn one<P: rusqlite::Params, T>(
    connection: &Connection,
    sql: &str,
    params: P,
    read: impl FnOnce(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    first(&mut connection.prepare_cached(sql)?, params, read)
}

/// All rows of a query, read by a function of ours.
pub(super) fn all<P: rusqlite::Params, T>(
    connection: &Connection,
    sql: &str,
    params: P,
    read: impl Fn(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let mut list = Vec::new();
    while let Some(row) = found.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}

const SLOT_BY_KEY: &str = concat_columns!(
    "SELECT ",
    TRADE,
    " FROM trade WHERE partner = ? AND partner_trans_id = ?"
);
const WALLET_BY_ID: &str = concat_columns!("SELECT ", WALLET, " FROM wallet WHERE id = ?");

fn slot_params(key: &TradeKey) -> (i64, &str) {
    (rows::number(key.partner.number()), key.id.as_str())
}

fn slot_by_key(connection: &Connection, key: &TradeKey) -> Result<Option<Slot>, StoreError> {
    one(connection, SLOT_BY_KEY, slot_params(key), rows::slot)
}

fn wallet_by_id(connection: &Connection, id: WalletId) -> Result<Option<Wallet>, StoreError> {
    one(
        connection,
        WALLET_BY_ID,
        [rows::number(id.number())],
        rows::wallet,
    )
}

fn wallet_by_name(connection: &Connection, name: &str) -> Result<Option<Wallet>, StoreError> {
    const SQL: &str = concat_columns!("SELECT ", WALLET, " FROM wallet WHERE name = ?");
    one(connection, SQL, [name], rows::wallet)
}

fn device(connection: &Connection, alias: Alias) -> Result<Option<Device>, StoreError> {
    one(
        connection,
        "SELECT wallet, secret FROM device WHERE alias = ?",
        [alias.number()],
        |row| {
            let secret: [u8; CodeSecret::BYTES] = row.get(1)?;
            Ok(Device {
                alias,
                wallet: rows::wallet_id(row.get(0)?, "device")?,
                secret: CodeSecret::new(secret),
            })
        },
    )
}

fn turnover(connection: &Connection, key: TurnoverKey) -> Result<Option<Money>, StoreError> {
    let sql = "SELECT taken, currency FROM turnover WHERE partner = ? AND date = ?";
    one(
        connection,
        sql,
        params![rows::number(key.partner.number()), key.date.as_days()],
        |row| {
            Ok(Money::of_minor(
                row.get(0)?,
                rows::currency(row.get(1)?, "turnover")?,
            ))
        },
    )
}

/// The commands of everything that is due, the earliest first.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Command>, StoreError> {
    let sql =
        "SELECT partner, partner_trans_id, due FROM timer JOIN trade ON trade.key = timer.trade
               WHERE due <= ? ORDER BY due, trade LIMIT ?";
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = all(connection, sql, params![now.as_micros(), most], |row| {
        Ok((row.get::<_, i64>(2)?, Command::Close(trade_key(row)?)))
    })?;
    let refunds = refunds::due(connection, now, most)?.into_iter();
    found.extend(refunds.map(|(due, key)| (due, Command::WorkOff(key))));
    found.sort_by_key(|(due, _)| *due);
    found.truncate(limit);
    Ok(found.into_iter().map(|(_, command)| command).collect())
}

/// When the next of them is due.
pub(super) fn next_due(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(due) FROM (SELECT min(due) AS due FROM timer
               UNION ALL SELECT min(due) FROM refund WHERE due IS NOT NULL)";
    let due = one(connection, sql, [], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    Ok(due.flatten().map(Timestamp::from_micros))
}

/// A trade's key from its two columns.
fn trade_key(row: &rusqlite::Row<'_>) -> Result<TradeKey, StoreError> {
    let text: String = row.get(1)?;
    let id = text
        .parse()
        .map_err(|_| corrupt("trade", "partner_trans_id"))?;
    Ok(TradeKey {
        partner: rows::partner_id(row.get(0)?, "trade")?,
        id,
    })
}

/// An entry as pages show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    /// When, to the second.
    pub at: Timestamp,
    /// The account that gave.
    pub debit: Account,
    /// The account that took.
    pub credit: Account,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub cause: Cause,
}

/// A trade in a wallet's activity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WalletTrade {
    /// The trade.
    pub trade: Trade,
    /// Where it took place.
    pub shop: Shop,
}

/// Reads beside the writer; each call is one short read transaction.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens the file of a store for reading.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch("PRAGMA query_only = 1; PRAGMA cache_size = -8192;")?;
        Ok(Self { connection })
    }

    /// What stands under a partner's number.
    ///
    /// # Errors
    /// A fault of the store, as for every function here.
    pub fn slot(&self, key: &TradeKey) -> Result<Option<Slot>, StoreError> {
        slot_by_key(&self.connection, key)
    }

    /// The partner's key of a trade of ours; none for a mark.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn trade_key(&self, id: TradeId) -> Result<Option<TradeKey>, StoreError> {
        let sql = "SELECT partner, partner_trans_id FROM trade WHERE key = ? AND state <> 3";
        one(
            &self.connection,
            sql,
            [rows::row_key(id.as_i64())],
            trade_key,
        )
    }

    /// A wallet by its number.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn wallet(&self, id: WalletId) -> Result<Option<Wallet>, StoreError> {
        wallet_by_id(&self.connection, id)
    }

    /// A wallet by its name.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn wallet_named(&self, name: &str) -> Result<Option<Wallet>, StoreError> {
        wallet_by_name(&self.connection, name)
    }

    /// Wallets in order of their numbers, from behind one on.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn wallets(
        &self,
        after: Option<WalletId>,
        limit: usize,
    ) -> Result<Vec<Wallet>, StoreError> {
        const SQL: &str = concat_columns!(
            "SELECT ",
            WALLET,
            " FROM wallet WHERE id > ? ORDER BY id LIMIT ?"
        );
        let after = after.map_or(-1, |id| rows::number(id.number()));
        all(
            &self.connection,
            SQL,
            params![after, i64::try_from(limit).unwrap_or(i64::MAX)],
            rows::wallet,
        )
    }

    /// The device behind an alias.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn device(&self, alias: Alias) -> Result<Option<Device>, StoreError> {
        device(&self.connection, alias)
    }

    /// One of a wallet's devices, the same one as long as it is given no other alias.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn first_device(&self, wallet: WalletId) -> Result<Option<Device>, StoreError> {
        let sql = "SELECT alias, secret FROM device WHERE wallet = ? ORDER BY alias LIMIT 1";
        one(
            &self.connection,
            sql,
            [rows::number(wallet.number())],
            |row| {
                let alias = Alias::from_number(row.get(0)?).ok_or(corrupt("device", "alias"))?;
                let secret: [u8; CodeSecret::BYTES] = row.get(1)?;
                Ok(Device {
                    alias,
                    wallet,
                    secret: CodeSecret::new(secret),
                })
            },
        )
    }

    /// A shop by its number.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn shop(&self, key: ShopKey) -> Result<Option<Shop>, StoreError> {
        const SQL: &str = concat_columns!("SELECT ", SHOP, " FROM shop WHERE key = ?");
        one(&self.connection, SQL, [key.0], rows::shop)
    }

    /// A registered store.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn registration(&self, key: &StoreKey) -> Result<Option<Registration>, StoreError> {
        stores::by_key(&self.connection, key)
    }

    /// A partner's registered stores, by merchant and place.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn registrations(&self, partner: PartnerId) -> Result<Vec<Registration>, StoreError> {
        stores::of_partner(&self.connection, partner)
    }

    /// A refund by its partner's number.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn refund(&self, key: &RefundKey) -> Result<Option<Refund>, StoreError> {
        refunds::by_key(&self.connection, key)
    }

    /// A refund by our number.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn refund_by_id(&self, id: EventId) -> Result<Option<Refund>, StoreError> {
        refunds::by_id(&self.connection, id)
    }

    /// The refunds of a trade, the oldest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn refunds(&self, trade: TradeId) -> Result<Vec<Refund>, StoreError> {
        refunds::of_trade(&self.connection, trade, false)
    }

    /// A notification by its number.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn notification(&self, id: EventId) -> Result<Option<Notification>, StoreError> {
        notifications::by_id(&self.connection, id)
    }

    /// The notifications about a trade and its refunds, the oldest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn notifications_of(&self, trade: TradeId) -> Result<Vec<Notification>, StoreError> {
        notifications::of_trade(&self.connection, trade)
    }

    /// Notifications, the newest first, from before one on.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn notifications(
        &self,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        notifications::recent(&self.connection, before, limit)
    }

    /// The sendings of a notification, in order.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn deliveries(&self, id: EventId) -> Result<Vec<DeliveryRow>, StoreError> {
        notifications::deliveries(&self.connection, id)
    }

    /// The partners that have something to hear, each with the instant of its first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn waiting_partners(&self) -> Result<Vec<(PartnerId, Timestamp)>, StoreError> {
        notifications::waiting_partners(&self.connection)
    }

    /// What a partner must hear until an instant, the earliest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn notifications_due(
        &self,
        partner: PartnerId,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        notifications::due(&self.connection, partner, until, limit)
    }

    /// The last settlement batch of an account.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn last_batch(&self, key: SettlementKey) -> Result<Option<Batch>, StoreError> {
        settlement::last_batch(&self.connection, key)
    }

    /// Settlement batches, of one date or of all, the newest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn batches(&self, date: Option<CivilDate>, limit: usize) -> Result<Vec<Batch>, StoreError> {
        settlement::batches(&self.connection, date, limit)
    }

    /// The accounts on which something moved until a date and is in no batch, each with the last
    /// date of its last batch, and the first date that is to be settled.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn unsettled(
        &self,
        until: CivilDate,
    ) -> Result<Vec<(SettlementKey, Option<CivilDate>, CivilDate)>, StoreError> {
        settlement::unsettled(&self.connection, until)
    }

    /// What moved on every partner's account on a business date.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn moves_of_day(&self, date: CivilDate) -> Result<Vec<DayMoves>, StoreError> {
        settlement::moves_of_day(&self.connection, date)
    }

    /// Whether partners' statements hold everything until an instant.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn are_statements_filled(&self, until: Timestamp) -> Result<bool, StoreError> {
        settlement::are_filled(&self.connection, until)
    }

    /// How many events a partner's account has on some business dates.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn count_events(
        &self,
        partner: PartnerId,
        dates: (CivilDate, CivilDate),
    ) -> Result<u64, StoreError> {
        settlement::count_events(&self.connection, partner, dates)
    }

    /// A page of a partner's events on some business dates, in order.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn events(
        &self,
        partner: PartnerId,
        dates: (CivilDate, CivilDate),
        after: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<StatementRow>, StoreError> {
        settlement::events(&self.connection, partner, dates, after, limit)
    }

    /// A published file.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn file(&self, key: FileKey) -> Result<Option<PublishedFile>, StoreError> {
        settlement::file(&self.connection, key)
    }

    /// A partner's published files, the newest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn files(
        &self,
        partner: PartnerId,
        limit: usize,
    ) -> Result<Vec<PublishedFile>, StoreError> {
        settlement::files(&self.connection, partner, limit)
    }

    /// A trade by our number.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn trade(&self, id: TradeId) -> Result<Option<Trade>, StoreError> {
        const SQL: &str = concat_columns!("SELECT ", TRADE, " FROM trade WHERE key = ?");
        let slot = one(
            &self.connection,
            SQL,
            [rows::row_key(id.as_i64())],
            rows::slot,
        )?;
        Ok(match slot {
            Some(Slot::Trade(trade)) => Some(*trade),
            Some(Slot::Mark(_)) | None => None,
        })
    }

    /// The refund that an event did.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn refund_by_event(&self, event: EventId) -> Result<Option<Refund>, StoreError> {
        refunds::by_event(&self.connection, event)
    }

    /// A wallet's trades, the newest first, with those that the activity list does not hold yet.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn wallet_trades(
        &self,
        wallet: WalletId,
        limit: usize,
    ) -> Result<Vec<WalletTrade>, StoreError> {
        const SQL: &str = concat_columns!(
            "SELECT ",
            TRADE,
            " FROM trade WHERE key IN (
               SELECT trade FROM activity WHERE account = ?1 * 8 + 1
               UNION SELECT key FROM trade WHERE wallet = ?1 AND key >
                 (SELECT coalesce(max(value), 0) FROM setting WHERE name = 'activity_cursor'))
             ORDER BY key DESC LIMIT ?2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let slots = all(
            &self.connection,
            SQL,
            params![rows::number(wallet.number()), limit],
            rows::slot,
        )?;
        let trades = slots.into_iter().filter_map(|slot| match slot {
            Slot::Trade(trade) => Some(*trade),
            Slot::Mark(_) => None,
        });
        trades
            .map(|trade| {
                let shop = self.shop(trade.shop)?.ok_or(corrupt("trade", "shop"))?;
                Ok(WalletTrade { trade, shop })
            })
            .collect()
    }

    /// The entries of a trade, in order.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn entries(&self, trade: TradeId) -> Result<Vec<EntryRow>, StoreError> {
        let sql = "SELECT key, debit, credit, amount, currency, cause FROM entry WHERE key >= ?1 AND key <= ?2
                   UNION ALL SELECT key, debit, credit, amount, currency, cause FROM entry WHERE trade = ?3
                   ORDER BY key";
        let key = rows::row_key(trade.as_i64());
        let range = params![
            rows::entry_key(trade.into(), 0),
            rows::entry_key(trade.into(), 3),
            key
        ];
        all(&self.connection, sql, range, |row| {
            let account = |index, column| -> Result<Account, StoreError> {
                Account::from_code(row.get(index)?).ok_or(corrupt("entry", column))
            };
            Ok(EntryRow {
                at: rows::event_of_entry(row.get(0)?).at(),
                debit: account(1, "debit")?,
                credit: account(2, "credit")?,
                amount: rows::amount(row.get(3)?, rows::currency(row.get(4)?, "entry")?, "entry")?,
                cause: Cause::from_code(row.get(5)?).ok_or(corrupt("entry", "cause"))?,
            })
        })
    }

    /// Every row of every table as text, in order: to compare two stores.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn dump(&self) -> Result<Vec<u8>, StoreError> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let tables = all(
            &self.connection,
            sql,
            [],
            |row| Ok(row.get::<_, String>(0)?),
        )?;
        let mut text = Vec::new();
        for table in tables {
            let mut statement = self.connection.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|column| Ok(format!("{:?}", row.get_ref(column)?)));
                let values: Vec<String> = values.collect::<Result<_, StoreError>>()?;
                text.extend_from_slice(format!("{table} {}\n", values.join(" ")).as_bytes());
            }
        }
        Ok(text)
    }

    /// The size of the store, pages of the WAL that replace none included.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        let pragma = |name: &str| {
            self.connection
                .query_row(name, [], |row| row.get::<_, i64>(0))
        };
        let (pages, size) = (pragma("PRAGMA page_count")?, pragma("PRAGMA page_size")?);
        Ok(u64::try_from(pages.saturating_mul(size)).unwrap_or(0))
    }

    /// How many trades are stored; for benches and metrics, since it reads a whole index.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn count_trades(&self) -> Result<u64, StoreError> {
        let count: i64 = self.connection.query_row(
            "SELECT count(*) FROM trade WHERE state <> 3",
            [],
            |row| row.get(0),
        )?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The trial balance, and whether everything that must agree does.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn check(&self) -> Result<Report, StoreError> {
        check::run(&self.connection)
    }
}

impl Reader {
    /// The newest instant that a commit carries; it answers only when the store does.
    ///
    /// # Errors
    /// A fault of the store.
    pub fn last_commit(&self) -> Result<Option<Timestamp>, StoreError> {
        let at = self
            .connection
            .query_row("SELECT max(at) FROM lane", [], |row| {
                row.get::<_, Option<i64>>(0)
            });
        Ok(at.optional()?.flatten().map(Timestamp::from_micros))
    }
}
