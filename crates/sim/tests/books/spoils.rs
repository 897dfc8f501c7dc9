//! One spoiled place each, and the rule that finds it.

use sha2::{Digest as _, Sha256};

use crate::filled::Filled;

/// Two moves of a cent there and back that nothing explains, with the totals to match.
const STRAY: &str = "
    INSERT INTO entry SELECT (SELECT max(key) FROM entry) / 4 * 4 + 400, key, wallet * 8 + 1, partner * 8 + 2, 1, 344, 2
        FROM trade WHERE partner_trans_id = 'L1';
    INSERT INTO entry SELECT (SELECT max(key) FROM entry) + 1, key, partner * 8 + 2, wallet * 8 + 1, 1, 344, 6
        FROM trade WHERE partner_trans_id = 'L1';
    UPDATE account_total SET debits = debits + 1, credits = credits + 1
        WHERE currency = 344 AND date = (SELECT max(date) FROM account_total)
        AND account IN (0, (SELECT partner * 8 + 2 FROM trade WHERE partner_trans_id = 'L1'));
";

const SPOILS: &[(&str, &str)] = &[
    ("sides", "UPDATE entry SET cause = 0 WHERE cause = 1 AND rowid = (SELECT max(rowid) FROM entry WHERE cause = 1)"),
    ("totals", "UPDATE account_total SET credits = credits + 1 WHERE account = 3 AND currency = 344"),
    ("totals", "DELETE FROM account_total WHERE account = 6"),
    ("balance", "UPDATE wallet SET balance = balance + 1 WHERE name = 'alice'"),
    ("balance", "UPDATE wallet SET balance = -1 WHERE name = 'poor'"),
    ("below zero", "UPDATE entry SET key = key + 4000000000 * 3000 WHERE cause = 1 AND amount = 10000000
        AND credit = (SELECT id * 8 + 1 FROM wallet WHERE name = 'bob')"),
    ("spent", "UPDATE wallet SET spent_day = spent_day + 1 WHERE name = 'alice'"),
    ("spent", "UPDATE wallet SET spent_month = spent_month - 1 WHERE name = 'careful'"),
    ("spent", "UPDATE wallet SET spent_date = spent_date - 1 WHERE name = 'bob'"),
    ("explained", STRAY),
    ("one debit", "UPDATE trade SET amount = amount + 1 WHERE partner_trans_id = 'L1'"),
    ("conversion", "UPDATE trade SET rate = rate + 1000000 WHERE partner_trans_id = 'L2'"),
    ("commission", "UPDATE trade SET commission = commission + 1 WHERE partner_trans_id = 'L1'"),
    ("trade number", "DROP INDEX trade_by_partner_trans_id;
        UPDATE trade SET partner_trans_id = 'L1' WHERE partner_trans_id = 'L4'"),
    ("code", "UPDATE trade SET code = (SELECT code FROM trade WHERE partner_trans_id = 'L1')
        WHERE partner_trans_id = 'L4'"),
    ("unpaid", "UPDATE trade SET refund_pending = 1 WHERE partner_trans_id = 'C2'"),
    ("unpaid", "UPDATE trade SET refunded = 100 WHERE partner_trans_id = 'X1'"),
    ("cancelled", "UPDATE trade SET commission_returned = commission - 1 WHERE partner_trans_id = 'T3'"),
    ("cancelled", "UPDATE trade SET refunded = amount - 1 WHERE partner_trans_id = 'T5' AND 0;
        UPDATE trade SET refunded_buyer = refunded_buyer - 1 WHERE partner_trans_id = 'T5'"),
    ("cancel in time", "UPDATE trade SET closed_at = closed_at + 86400000000 WHERE partner_trans_id = 'T3'"),
    ("code marks", "UPDATE wallet SET codes_used = NULL WHERE name = 'alice'"),
    (
        "code marks",
        "UPDATE wallet SET codes_used = CAST(substr(codes_used, 1, 12) || x'ffffffffffffffff' AS BLOB) WHERE name = 'bob'",
    ),
    (
        "code marks",
        "UPDATE wallet SET codes_used = CAST(x'01010101' || substr(codes_used, 5) AS BLOB) WHERE name = 'bob'",
    ),
    ("instants", "UPDATE lane SET at = at - 60000000"),
    ("timers", "DELETE FROM timer"),
    ("timers", "INSERT INTO timer SELECT 1, key FROM trade WHERE partner_trans_id = 'L1'"),
    ("refund number", "DROP INDEX refund_by_partner_refund_id;
        UPDATE refund SET partner_refund_id = 'R11' WHERE partner_refund_id = 'R12'"),
    ("refund sums", "UPDATE trade SET refund_pending = refund_pending - 1 WHERE partner_trans_id = 'L4'"),
    ("refund sums", "UPDATE trade SET refunded_buyer = refunded_buyer + 1 WHERE partner_trans_id = 'T2'"),
    ("refund sums", "UPDATE refund SET due = NULL WHERE partner_refund_id = 'R12'"),
    ("refund limit", "UPDATE refund SET amount = 2701 WHERE partner_refund_id = 'R12';
        UPDATE trade SET refund_pending = 2701 WHERE partner_trans_id = 'L4'"),
    ("refund entries", "UPDATE refund SET amount = amount - 1 WHERE partner_refund_id = 'R11';
        UPDATE trade SET refunded = refunded - 1, refunded_buyer = refunded_buyer - 1
        WHERE partner_trans_id = 'L4';
        UPDATE refund SET buyer_amount = buyer_amount - 1 WHERE partner_refund_id = 'R11'"),
    ("refund entries", "UPDATE refund SET buyer_currency = 840 WHERE partner_refund_id = 'R11'"),
    ("batch sums", "UPDATE settlement_batch SET count = count + 1 WHERE rowid = (SELECT min(rowid) FROM settlement_batch)"),
    ("batch sums", "UPDATE settlement_batch SET gross = gross + 1, refunds = refunds + 1
        WHERE rowid = (SELECT min(rowid) FROM settlement_batch)"),
    ("settled once", "UPDATE settlement_batch SET last = date WHERE key = (SELECT max(key) FROM settlement_batch)"),
    ("paid out", "UPDATE settlement_batch SET carried_in = -1, paid_out = paid_out - 1
        WHERE rowid = (SELECT min(rowid) FROM settlement_batch)"),
    ("told once", "DELETE FROM delivery WHERE notification = (SELECT event FROM refund WHERE partner_refund_id = 'R4');
        DELETE FROM notification WHERE tidings = 2"),
    ("told once", "UPDATE notification SET tidings = 1 WHERE trade = (SELECT key FROM trade WHERE partner_trans_id = 'T1')"),
    ("told once", "UPDATE trade SET notify_url = 'http://127.0.0.1/' WHERE partner_trans_id = 'L1'"),
    ("deliveries", "UPDATE delivery SET next_at = next_at + 1000000 WHERE attempt = 2"),
    ("deliveries", "DELETE FROM delivery WHERE attempt = 3"),
    ("deliveries", "UPDATE notification SET state = 2 WHERE state = 1"),
    ("deliveries", "UPDATE notification SET state = 0, next_at = 1 WHERE state = 2"),
    ("activity", "DELETE FROM activity WHERE trade = (SELECT key FROM trade WHERE partner_trans_id = 'T1')
        AND account % 8 = 1"),
    ("file bytes", "UPDATE published_file SET sha256 = zeroblob(32) WHERE rows > 0"),
    ("file bytes", "UPDATE published_file SET bytes = 1 WHERE rows = 0"),
    ("file bytes", "DELETE FROM published_file WHERE rows > 0"),
    ("file rows", "UPDATE published_file SET rows = rows + 1 WHERE rows > 0"),
    ("file rows", "UPDATE refund SET partner_refund_id = 'other' WHERE partner_refund_id = 'R1'"),
    ("statement", "DELETE FROM statement WHERE trade = (SELECT key FROM trade WHERE partner_trans_id = 'T3')"),
    ("statement", "INSERT INTO statement SELECT partner, event + 1, trade FROM statement LIMIT 1"),
];

// Goal: a file in which all of the system's doings stand breaks no rule; with one place spoiled it
// breaks the rule that speaks of it, and no other.
#[tokio::test]
async fn each_rule_finds_its_spoiled_place() {
    let filled = Filled::new().await;
    let whole = filled.books("");
    assert_eq!(whole.breaks(), []);
    let mut wrong = Vec::new();
    for (rule, sql) in SPOILS {
        let spoiled = filled.books(sql);
        let mut found: Vec<&str> = spoiled.breaks().iter().map(|found| found.rule).collect();
        found.dedup();
        if found != [*rule] {
            let breaks = spoiled.breaks();
            wrong.push(format!("{rule}: {sql}\n{breaks:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

type Change = fn(String) -> String;

// Goal: a file whose hash was made to fit is still held against the entries, row by row.
#[tokio::test]
async fn a_changed_file_is_found() {
    let filled = Filled::new().await;
    let changes: [(&str, Change); 4] = [
        ("transaction", |text| text.replacen("100.00", "100.01", 1)),
        ("transaction", |text| {
            text.replacen("|REVERSAL|", "|CANCEL|", 1)
        }),
        ("settlement", |text| text.replacen("|R|L|", "|P|L|", 1)),
        ("settlement", |text| {
            text.lines().take(2).collect::<Vec<_>>().join("\n")
        }),
    ];
    for (kind, change) in changes {
        let (path, before) = filled.change(kind, change);
        let after = std::fs::read(&path).unwrap();
        assert_ne!(before.as_bytes(), after);
        let hex =
            |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        let (old, new) = (hex(&Sha256::digest(&before)), hex(&Sha256::digest(&after)));
        let length = after.len();
        let sql = format!(
            "UPDATE published_file SET sha256 = x'{new}', bytes = {length} WHERE sha256 = x'{old}'"
        );
        let breaks = filled.books(&sql).breaks();
        let rules: Vec<&str> = breaks.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["file rows"], "{breaks:#?}");
        let breaks = filled.books("").breaks();
        let rules: Vec<&str> = breaks.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["file bytes", "file rows"], "{breaks:#?}");
        std::fs::write(&path, before).unwrap();
    }
    assert_eq!(filled.books("").breaks(), []);
}
