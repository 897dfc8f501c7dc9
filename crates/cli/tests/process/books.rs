//! An independent reader of `spotpay.db`: it takes the files as they lie on the disk, and has the
//! checkers judge them that share nothing with the store.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

/// The whole store at one instant.
pub(crate) struct Books {
    /// 0 waiting, 1 paid, 2 closed, 3 the mark of a cancel that came first.
    pub(crate) trades: BTreeMap<String, i64>,
    /// 0 accepted, 1 done, 2 funds short, 3 cancelled; and the amount.
    refunds: BTreeMap<String, (i64, i64)>,
    /// Settlement batches.
    pub(crate) batches: i64,
}

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
        let books = spotpay_sim::books::Books::read(&file).expect("rows");
        let books = books.with_files(&data.join("files")).expect("files");
        assert_eq!(books.breaks(), []);
        let trades = rows(&file, "SELECT partner_trans_id, state, 0 FROM trade");
        Self {
            trades: trades
                .into_iter()
                .map(|(id, (state, _))| (id, state))
                .collect(),
            refunds: rows(&file, "SELECT partner_refund_id, state, amount FROM refund"),
            batches: file
                .query_row("SELECT count(*) FROM settlement_batch", [], |row| {
                    row.get(0)
                })
                .expect("a count"),
        }
    }

    /// The state of a trade; `None` when there is none.
    pub(crate) fn state(&self, id: &str) -> Option<i64> {
        self.trades.get(id).copied()
    }

    /// The state and the amount of a refund; `None` when there is none.
    pub(crate) fn refund(&self, id: &str) -> Option<(i64, i64)> {
        self.refunds.get(id).copied()
    }
}

fn rows(file: &Connection, sql: &str) -> BTreeMap<String, (i64, i64)> {
    let mut statement = file.prepare(sql).expect("a statement");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))
        .expect("rows");
    rows.collect::<Result<_, _>>().expect("a row")
}
