//! The invariant checker: the trial balance, and whether the tables agree with each other.
//!
//! It reads with plain SQL and shares no arithmetic with the code that wrote the rows.

use rusqlite::Connection;
use spotpay_core::ledger::AccountTotal;
use spotpay_core::money::{Currency, Money};

use crate::StoreError;

/// One account and currency of the trial balance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrialLine {
    /// The account; all wallets are one line.
    pub account: AccountTotal,
    /// All that it gave.
    pub debits: Money,
    /// All that it took.
    pub credits: Money,
}

/// The books at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Every account that ever moved.
    pub lines: Vec<TrialLine>,
    /// Credits less debits per currency: zero, or the books are wrong.
    pub sums: Vec<Money>,
    /// What does not agree, in words; empty when everything does.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether the books balance and every table agrees.
    pub fn is_right(&self) -> bool {
        self.problems.is_empty()
    }
}

/// What must find nothing, and what it means when it does.
const CHECKS: &[(&str, &str)] = &[
    (
        "a wallet's balance is not the sum of its entries",
        "SELECT wallet.id FROM wallet LEFT JOIN (
             SELECT account, sum(moved) AS moved FROM (
                 SELECT credit AS account, amount AS moved FROM entry
                 UNION ALL SELECT debit, -amount FROM entry) GROUP BY account) AS moves
         ON moves.account = wallet.id * 8 + 1 WHERE wallet.balance <> coalesce(moves.moved, 0) LIMIT 5",
    ),
    (
        "an account total is not the sum of its entries",
        "SELECT account FROM (
             SELECT account, currency, sum(debits) AS d, sum(credits) AS c FROM account_total GROUP BY 1, 2
             UNION ALL
             SELECT CASE WHEN account % 8 = 1 THEN 0 ELSE account END, currency, -sum(d), -sum(c) FROM (
                 SELECT debit AS account, currency, amount AS d, 0 AS c FROM entry
                 UNION ALL SELECT credit, currency, 0, amount FROM entry) GROUP BY 1, 2)
         GROUP BY account, currency HAVING sum(d) <> 0 OR sum(c) <> 0 LIMIT 5",
    ),
    (
        "a paid trade has no payment entry, or more than one debit of its wallet",
        "SELECT trade.key FROM trade LEFT JOIN entry
         ON entry.key BETWEEN coalesce(trade.event, trade.key) * 4 AND coalesce(trade.event, trade.key) * 4 + 3
            AND entry.cause = 2 AND entry.debit = trade.wallet * 8 + 1
         WHERE trade.paid_after IS NOT NULL GROUP BY trade.key HAVING count(entry.key) <> 1 LIMIT 5",
    ),
    (
        "a trade that was never paid has entries",
        "SELECT trade.key FROM trade JOIN entry ON entry.key BETWEEN trade.key * 4 AND trade.key * 4 + 3
         WHERE trade.state IN (0, 2) AND trade.paid_after IS NULL LIMIT 5",
    ),
    (
        "a cancelled trade did not give everything back",
        "SELECT key FROM trade WHERE state = 2 AND paid_after IS NOT NULL AND refunded <> amount LIMIT 5",
    ),
    (
        "more was given back than paid",
        "SELECT key FROM trade WHERE refunded > amount OR commission_returned > commission LIMIT 5",
    ),
    (
        "what a trade says of its refunds is not what they say",
        "SELECT trade.key FROM trade LEFT JOIN (
             SELECT trade, sum(CASE state WHEN 1 THEN amount END) AS done, sum(CASE state WHEN 1 THEN buyer_amount END) AS buyer,
             sum(CASE state WHEN 0 THEN amount END) AS pending FROM refund GROUP BY trade) AS sums ON sums.trade = trade.key
         WHERE coalesce(trade.refund_pending, 0) <> coalesce(sums.pending, 0)
            OR (trade.close_cause IS NULL OR trade.close_cause = 6) AND (coalesce(trade.refunded, 0) <> coalesce(sums.done, 0)
                OR coalesce(trade.refunded_buyer, 0) <> coalesce(sums.buyer, 0)) LIMIT 5",
    ),
    (
        "a refund is done without its entry, or has one without being done",
        "SELECT refund.key FROM refund LEFT JOIN entry
         ON entry.key BETWEEN refund.event * 4 AND refund.event * 4 + 3 AND entry.cause = 6
            AND entry.debit = refund.partner * 8 + 2 AND entry.amount = refund.amount
         GROUP BY refund.key HAVING count(entry.key) <> max(refund.state = 1) LIMIT 5",
    ),
    (
        "money was refunded without a refund",
        "SELECT key FROM entry WHERE cause = 6 AND debit % 8 = 2
         AND NOT EXISTS (SELECT 1 FROM refund WHERE refund.event = entry.key / 4) LIMIT 5",
    ),
    (
        "an accepted refund is never worked off, or belongs to no paid trade",
        "SELECT refund.key FROM refund LEFT JOIN trade ON trade.key = refund.trade
         WHERE refund.state = 0 AND (due IS NULL OR trade.state IS NOT 1) LIMIT 5",
    ),
    (
        "a notification is about no trade, or its deliveries are not its attempts",
        "SELECT notification.key FROM notification LEFT JOIN (
             SELECT notification AS key, count(*) AS sent FROM delivery GROUP BY 1) AS deliveries
         ON deliveries.key = notification.key
         WHERE notification.attempts <> coalesce(deliveries.sent, 0) OR (notification.state = 0) > (notification.next_at IS NOT NULL)
            OR NOT EXISTS (SELECT 1 FROM trade WHERE trade.key = notification.trade) LIMIT 5",
    ),
    (
        "a waiting trade has no timer",
        "SELECT key FROM trade WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM timer WHERE timer.trade = trade.key) LIMIT 5",
    ),
    (
        "a batch is not what its days moved",
        "SELECT key FROM settlement_batch AS batch
         WHERE gross - refunds - commission + commission_back <> coalesce((
             SELECT sum(credits - debits) FROM account_total WHERE account = batch.partner * 8 + 2
                 AND currency = batch.currency AND date BETWEEN batch.first AND batch.last), 0) + coalesce((
             SELECT sum(paid_out) FROM settlement_batch AS paid WHERE paid.partner = batch.partner
                 AND paid.currency = batch.currency
                 AND (paid.at + 28800000000) / 86400000000 BETWEEN batch.first AND batch.last), 0) LIMIT 5",
    ),
    (
        "a batch paid out something else than it owed, or than its entry says",
        "SELECT batch.key FROM settlement_batch AS batch LEFT JOIN entry
         ON entry.key BETWEEN batch.key * 4 AND batch.key * 4 + 3 AND entry.cause = 7
            AND entry.debit = batch.partner * 8 + 2 AND entry.currency = batch.currency
         GROUP BY batch.key HAVING paid_out <> coalesce(sum(entry.amount), 0)
            OR paid_out <> max(0, carried_in + gross - refunds - commission + commission_back) LIMIT 5",
    ),
    (
        "money was paid out without a batch",
        "SELECT key FROM entry WHERE cause = 7
         AND NOT EXISTS (SELECT 1 FROM settlement_batch AS batch WHERE batch.key = entry.key / 4) LIMIT 5",
    ),
    (
        "two batches share a day, or one does not carry on what the one before left",
        "SELECT key FROM (
             SELECT key, first, carried_in, lag(last) OVER account AS last_before,
                 lag(carried_in + gross - refunds - commission + commission_back - paid_out, 1, 0) OVER account AS left
             FROM settlement_batch WINDOW account AS (PARTITION BY partner, currency ORDER BY last))
         WHERE first <= last_before OR carried_in <> left LIMIT 5",
    ),
    (
        "a settled account has an earlier day in no batch",
        "SELECT account FROM account_total AS total WHERE account % 8 = 2
         AND total.date <= (SELECT max(last) FROM settlement_batch WHERE partner = account / 8 AND currency = total.currency)
         AND NOT EXISTS (SELECT 1 FROM settlement_batch WHERE partner = account / 8 AND currency = total.currency
             AND total.date BETWEEN first AND last) LIMIT 5",
    ),
    (
        "an entry belongs to no trade",
        "SELECT key FROM entry WHERE cause NOT IN (1, 7)
         AND NOT EXISTS (SELECT 1 FROM trade WHERE trade.key = coalesce(entry.trade, entry.key / 4)) LIMIT 5",
    ),
    (
        "a trade names a wallet or a shop that is not there",
        "SELECT trade.key FROM trade WHERE state <> 3 AND (
             NOT EXISTS (SELECT 1 FROM wallet WHERE wallet.id = trade.wallet)
             OR NOT EXISTS (SELECT 1 FROM shop WHERE shop.key = trade.shop)) LIMIT 5",
    ),
];

pub(crate) fn run(connection: &Connection) -> Result<Report, StoreError> {
    // One read transaction: the checks see the same commit.
    let tx = connection.unchecked_transaction()?;
    let mut report = Report::default();
    trial_balance(&tx, &mut report)?;
    for (problem, sql) in CHECKS {
        let found: Vec<i64> = tx
            .prepare(sql)?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        if !found.is_empty() {
            report.problems.push(format!("{problem}: {found:?}"));
        }
    }
    Ok(report)
}

fn trial_balance(connection: &Connection, report: &mut Report) -> Result<(), StoreError> {
    let bad = |column| StoreError::Corrupt {
        table: "account_total",
        column,
    };
    let mut statement = connection.prepare(
        "SELECT account, currency, sum(debits), sum(credits) FROM account_total GROUP BY account, currency
         ORDER BY account, currency",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let account = AccountTotal::from_code(row.get(0)?).ok_or(bad("account"))?;
        let currency = Currency::from_numeric(row.get(1)?).ok_or(bad("currency"))?;
        let money = |minor| Money::of_minor(minor, currency);
        report.lines.push(TrialLine {
            account,
            debits: money(row.get(2)?),
            credits: money(row.get(3)?),
        });
    }
    for currency in Currency::ALL {
        let lines = report
            .lines
            .iter()
            .filter(|line| line.debits.currency() == *currency);
        let moved: Vec<i128> = lines
            .map(|line| i128::from(line.credits.minor()) - i128::from(line.debits.minor()))
            .collect();
        if moved.is_empty() {
            continue;
        }
        let sum: i128 = moved.iter().sum();
        report.sums.push(Money::of_minor(
            i64::try_from(sum).unwrap_or(i64::MAX),
            *currency,
        ));
        if sum != 0 {
            report.problems.push(format!(
                "the books do not balance in {currency}: {sum} minor units"
            ));
        }
    }
    Ok(())
}
