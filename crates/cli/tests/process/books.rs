//! An independent reader of `spotpay.db`: it takes the files as they lie on the disk and adds up
//! in Rust what the entries say, sharing no query with the store's own checker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

/// A trade as its row and its entries tell it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    /// 0 waiting, 1 paid, 2 closed, 3 the mark of a cancel that came first.
    pub(crate) state: i64,
    pub(crate) amount: i64,
    /// What left its wallet by its entries, and what came back.
    pub(crate) taken: Vec<i64>,
    pub(crate) returned: Vec<i64>,
    wallet: i64,
    commission: i64,
    commissions: Vec<i64>,
    commissions_back: Vec<i64>,
}

impl Row {
    /// Whether all of it is there: a payment with everything that belongs to it, or nothing.
    fn is_whole(&self) -> bool {
        let commission: Vec<i64> = [self.commission].into_iter().filter(|it| *it > 0).collect();
        let paid = self.taken == [self.amount] && self.commissions == commission;
        let kept = self.returned.is_empty() && self.commissions_back.is_empty();
        let given_back = self.returned == [self.amount] && self.commissions_back == commission;
        let untouched = self.taken.is_empty() && self.commissions.is_empty() && kept;
        match self.state {
            0 | 3 => untouched,
            1 => paid && kept,
            2 => untouched || (paid && given_back),
            _ => false,
        }
    }
}

/// The whole store at one instant.
pub(crate) struct Books {
    pub(crate) trades: BTreeMap<String, Row>,
}

/// Causes of entries, as the store numbers them.
const TOP_UP: i64 = 1;
const PAYMENT: i64 = 2;
const COMMISSION: i64 = 3;
const CANCEL: i64 = 4;
const COMMISSION_BACK: i64 = 5;

impl Books {
    /// Copies the files of a gateway that does not run, so that looking changes nothing for the
    /// next start, and checks everything that can be checked without knowing who paid what.
    pub(crate) fn read(data: &Path) -> Self {
        let copy = TempDir::new().expect("a temporary folder");
        for name in ["spotpay.db", "spotpay.db-wal"] {
            let from = data.join(name);
            if from.exists() {
                std::fs::copy(from, copy.path().join(name)).expect("a copy");
            }
        }
        let file = Connection::open(copy.path().join("spotpay.db")).expect("a store");
        let sound: String = file
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("a check");
        assert_eq!(sound, "ok");
        let (mut by_key, ids) = trades(&file);
        let balances = enter(&file, &mut by_key);
        assert_wallets(&file, &balances);
        assert_totals(&file, &balances);
        for (key, row) in &by_key {
            assert!(row.is_whole(), "{}: {row:?}", ids[key]);
        }
        let trades = by_key
            .into_iter()
            .map(|(key, row)| (ids[&key].clone(), row))
            .collect();
        Self { trades }
    }

    /// The state of a trade; `None` when there is none.
    pub(crate) fn state(&self, id: &str) -> Option<i64> {
        self.trades.get(id).map(|row| row.state)
    }
}

fn trades(file: &Connection) -> (BTreeMap<i64, Row>, BTreeMap<i64, String>) {
    let mut statement = file
        .prepare(
            "SELECT key, partner, partner_trans_id, state, amount, wallet, commission FROM trade",
        )
        .expect("a statement");
    let mut rows = statement.query([]).expect("rows");
    let (mut by_key, mut ids) = (BTreeMap::new(), BTreeMap::new());
    let mut seen = BTreeSet::new();
    while let Some(row) = rows.next().expect("a row") {
        let number = |place: usize| row.get::<_, Option<i64>>(place).expect("a number");
        let key = number(0).expect("a key");
        let id: String = row.get(2).expect("an id");
        assert!(seen.insert((number(1), id.clone())), "{id} is there twice");
        ids.insert(key, id);
        let trade = Row {
            state: number(3).expect("a state"),
            amount: number(4).unwrap_or(0),
            taken: Vec::new(),
            returned: Vec::new(),
            wallet: number(5).unwrap_or(0) * 8 + 1,
            commission: number(6).unwrap_or(0),
            commissions: Vec::new(),
            commissions_back: Vec::new(),
        };
        by_key.insert(key, trade);
    }
    (by_key, ids)
}

/// Adds each entry to its trade; what each account has by all of them.
fn enter(file: &Connection, trades: &mut BTreeMap<i64, Row>) -> BTreeMap<(i64, i64), i64> {
    let mut statement = file
        .prepare(
            "SELECT coalesce(trade, key / 4), debit, credit, amount, currency, cause FROM entry",
        )
        .expect("a statement");
    let mut rows = statement.query([]).expect("rows");
    let mut balances = BTreeMap::new();
    while let Some(row) = rows.next().expect("a row") {
        let [trade, debit, credit, amount, currency, cause] =
            std::array::from_fn(|place| row.get::<_, i64>(place).expect("a number"));
        *balances.entry((debit, currency)).or_insert(0) -= amount;
        *balances.entry((credit, currency)).or_insert(0) += amount;
        if cause == TOP_UP {
            continue;
        }
        let row = trades
            .get_mut(&trade)
            .unwrap_or_else(|| panic!("an entry without a trade: {trade}"));
        match cause {
            PAYMENT if debit == row.wallet => row.taken.push(amount),
            COMMISSION => row.commissions.push(amount),
            CANCEL if credit == row.wallet => row.returned.push(amount),
            COMMISSION_BACK => row.commissions_back.push(amount),
            _ => panic!("an entry of trade {trade} with cause {cause} from {debit} to {credit}"),
        }
    }
    balances
}

fn assert_wallets(file: &Connection, balances: &BTreeMap<(i64, i64), i64>) {
    let mut by_account: BTreeMap<i64, i64> = BTreeMap::new();
    for ((account, _), balance) in balances {
        *by_account.entry(*account).or_insert(0) += balance;
    }
    let mut statement = file
        .prepare("SELECT id * 8 + 1, balance FROM wallet")
        .expect("a statement");
    let wallets = statement
        .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .expect("rows");
    for wallet in wallets {
        let (account, balance) = wallet.expect("a wallet");
        let by_entries = by_account.get(&account).copied().unwrap_or(0);
        assert_eq!(balance, by_entries, "wallet {}", account / 8);
    }
}

/// The running totals say what the entries say, and come to zero in each currency.
fn assert_totals(file: &Connection, balances: &BTreeMap<(i64, i64), i64>) {
    let mut by_entries: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for ((account, currency), balance) in balances {
        // All wallets are one line.
        let line = if account % 8 == 1 { 0 } else { *account };
        *by_entries.entry((line, *currency)).or_insert(0) += balance;
    }
    let mut statement = file
        .prepare("SELECT account, currency, credits - debits FROM account_total")
        .expect("a statement");
    let mut rows = statement.query([]).expect("rows");
    let mut totals: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    while let Some(row) = rows.next().expect("a row") {
        let [account, currency, moved] =
            std::array::from_fn(|place| row.get::<_, i64>(place).expect("a number"));
        *totals.entry((account, currency)).or_insert(0) += moved;
    }
    assert_eq!(totals, by_entries);
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for ((_, currency), total) in totals {
        *sums.entry(currency).or_insert(0) += total;
    }
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
}
