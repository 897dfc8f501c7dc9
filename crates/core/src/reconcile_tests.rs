use super::*;
use crate::money::Currency;

/// Reads `ORDERS` and `ROWS` of a case, one a line:
/// `o KIND ID AMOUNT [done|not] [CUR]`, `t KIND ID AMOUNT FEE [refunded] [CUR]` and
/// `s KIND ID AMOUNT FEE NET [CUR]`; rows are of 2026-11-23 unless they say `later`.
fn read(case: &str) -> (Vec<Order<'_>>, Vec<Row<'_>>) {
    let (mut orders, mut rows) = (Vec::new(), Vec::new());
    for (at, line) in case.trim().lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let has = |word| words.contains(&word);
        let currency = if has("USD") {
            Currency::USD
        } else {
            Currency::HKD
        };
        let money = |at: usize| {
            let text = words.get(at)?;
            Money::parse_major(text, currency).ok()
        };
        let kind = match words[1] {
            "payment" => Kind::Payment,
            "refund" => Kind::Refund,
            _ => Kind::Cancel,
        };
        let line = u64::try_from(at).unwrap() + 1;
        if words[0] == "o" {
            let claim = match (has("done"), has("not")) {
                (true, _) => Claim::Done,
                (_, true) => Claim::NotDone,
                (false, false) => Claim::Unstated,
            };
            orders.push(Order {
                kind,
                id: words[2],
                amount: money(3).unwrap(),
                claim,
                state: "",
                time: "",
                line,
            });
            continue;
        }
        let day = if has("later") { 24 } else { 23 };
        let settled = words[0] == "s";
        rows.push(Row {
            family: if settled {
                Family::Settlement
            } else {
                Family::Transaction
            },
            kind,
            id: words[2],
            amount: money(3).unwrap(),
            fee: money(4),
            settlement: money(5).filter(|_| settled),
            at: CivilDate::new(2026, 11, day).unwrap().at(12, 0, 0),
            refunds: if has("refunded") {
                Refunds::All
            } else {
                Refunds::Less
            },
            file: 0,
            line,
        });
    }
    (orders, rows)
}

/// What comes of a case: how many orders are matched, then each break with the lines it names.
fn say(case: &str) -> String {
    let (mut orders, mut rows) = read(case);
    let is_payment = |row: &&Row<'_>| row.family == Family::Settlement && row.kind == Kind::Payment;
    let dates = rows.iter().filter(is_payment).filter_map(|row| row.at);
    let settled = dates.map(Timestamp::business_date).collect();
    let terms = Terms {
        commission: "0.012".parse().ok(),
        settled: &settled,
    };
    let mut said = Vec::new();
    let matched = match_rows(&mut orders, &mut rows, &terms, &mut |found| {
        let order = found.order.map(|order| format!(" o{}", order.line));
        let row = found.row.map(|row| format!(" r{}", row.line));
        let expected = found.expected.map(|money| format!(" {}", money.major()));
        let parts = [order, row, expected].map(Option::unwrap_or_default);
        said.push(format!("{}{}", found.kind.as_str(), parts.concat()));
    });
    said.insert(0, matched.to_string());
    said.join(", ")
}

// Goal: each rule of matching, one by one; the rest of a case is in order.
#[test]
fn rules() {
    for (case, expected) in [
        ("", "0"),
        ("o payment A 10.00\nt payment A 10.00 0.12", "1"),
        ("o payment A 10.00\ns payment A 10.00 0.12 9.88", "1"),
        (
            "o payment A 10.00\nt payment A 10.00 0.12\ns payment A 10.00 0.12 9.88",
            "1",
        ),
        // Nothing on one side; both kinds of file count once.
        ("o payment A 10.00", "0, missing_there o1"),
        (
            "t payment A 10.00 0.12\ns payment A 10.00 0.12 9.88",
            "0, missing_here r1",
        ),
        (
            "o payment A 10.00\nt payment B 10.00 0.12",
            "0, missing_there o1, missing_here r2",
        ),
        // A refund and a payment may have one id, and are two things.
        (
            "o payment A 10.00\no refund A 4.00\nt payment A 10.00 0.12\nt refund A 4.00 0.00",
            "2",
        ),
        (
            "o payment A 10.00\nt refund A 10.00 0.00",
            "0, missing_there o1, missing_here r2",
        ),
        // Amounts and currencies; what follows from them is not told again.
        (
            "o payment A 10.00\nt payment A 10.01 0.50",
            "0, amount o1 r2",
        ),
        (
            "o payment A 10.00\nt payment A 10.00 0.12 USD",
            "0, currency o1 r2",
        ),
        (
            "o payment A 10.00\nt payment A 9.00 0.11\ns payment A 9.00 0.11 8.89",
            "0, amount o1 r2",
        ),
        // Duplicates, of either side and of one kind of file.
        (
            "o payment A 10.00\no payment A 10.00\nt payment A 10.00 0.12",
            "1, duplicate o2",
        ),
        (
            "o payment A 11.00\no payment A 10.00\nt payment A 10.00 0.12",
            "1, duplicate o1",
        ),
        (
            "o payment A 10.00\nt payment A 10.00 0.12\nt payment A 10.00 0.12",
            "1, duplicate r3",
        ),
        (
            "t payment A 10.00 0.12\nt payment A 10.00 0.12",
            "0, duplicate r2, missing_here r1",
        ),
        (
            "o payment A 10.00\no payment A 10.00",
            "0, duplicate o2, missing_there o1",
        ),
        // Commission: a refund's may stay or come back, a cancel's comes back.
        (
            "o payment A 10.00\nt payment A 10.00 0.13",
            "0, commission o1 r2 0.12",
        ),
        ("o payment A 10.00\nt payment A 10.00", "1"),
        ("o refund R 4.00\nt refund R 4.00 0.00", "1"),
        ("o refund R 4.00\nt refund R 4.00 0.05", "1"),
        ("o refund R 4.00\nt refund R 4.00 0.06", "1"),
        (
            "o refund R 4.00\nt refund R 4.00 0.07",
            "0, commission o1 r2 0.05",
        ),
        (
            "o cancel A 10.00\nt cancel A 10.00 0.00",
            "0, commission o1 r2 0.12",
        ),
        (
            "o payment A 10.00\no cancel A 6.00\nt payment A 10.00 0.12\nt cancel A 6.00 0.12",
            "2",
        ),
        // Settlement.
        (
            "o payment A 10.00\ns payment A 10.00 0.12 9.87",
            "0, settled_short o1 r2 9.88",
        ),
        (
            "o payment A 10.00\ns payment A 10.00 0.12 9.89",
            "0, settled_short o1 r2 9.88",
        ),
        ("o refund R 4.00\ns refund R 4.00 0.00 4.00", "1"),
        (
            "o payment A 10.00\no payment B 5.00\nt payment A 10.00 0.12\nt payment B 5.00 0.06\ns payment A 10.00 0.12 9.88",
            "1, settled_short o2 r4 4.94",
        ),
        (
            "o payment A 10.00\no payment B 5.00\nt payment A 10.00 0.12\nt payment B 5.00 0.06 later\ns payment A 10.00 0.12 9.88",
            "2",
        ),
    ] {
        assert_eq!(say(case), expected, "{case}");
    }
}

// Goal: a cancelled payment is two rows, and an order's state is a claim about both.
#[test]
fn states_and_cancels() {
    const PAID: &str = "t payment A 10.00 0.12";
    const BOTH: &str = "t payment A 10.00 0.12\nt cancel A 10.00 0.12";
    for (orders, rows, expected) in [
        ("o payment A 10.00\no cancel A 10.00", BOTH, "2"),
        (
            "o payment A 10.00\no cancel A 10.00",
            PAID,
            "1, missing_there o2",
        ),
        ("o payment A 10.00", BOTH, "1, missing_here r3"),
        (
            "o payment A 10.00\no cancel A 10.00",
            "",
            "0, missing_there o1, missing_there o2",
        ),
        // Paid, it says.
        ("o payment A 10.00 done", PAID, "1"),
        ("o payment A 10.00 done", BOTH, "0, state o1 r3"),
        ("o payment A 10.00 done\no cancel A 10.00", BOTH, "2"),
        ("o payment A 10.00 done", "", "0, missing_there o1"),
        (
            "o payment A 10.00 done",
            "t cancel A 10.00 0.12",
            "0, missing_there o1, missing_here r2",
        ),
        // Not paid, it says: then there is nothing, or it was undone.
        ("o payment A 10.00 not", "", "1"),
        ("o payment A 10.00 not", PAID, "0, state o1 r2"),
        ("o payment A 10.00 not", BOTH, "1"),
        ("o payment A 11.00 not", BOTH, "0, amount o1 r2"),
        (
            "o payment A 10.00 not",
            "t payment A 10.00 0.12 refunded",
            "1",
        ),
        (
            "o payment A 10.00 not\no cancel A 10.00",
            PAID,
            "1, missing_there o2",
        ),
        ("o payment A 10.00 not\no cancel A 10.00", BOTH, "2"),
        ("o payment A 10.00 not\no cancel A 10.00", "", "2"),
        ("o cancel A 10.00", "", "0, missing_there o1"),
        // The same of refunds and cancels.
        ("o refund R 4.00 not", "", "1"),
        (
            "o refund R 4.00 not",
            "t refund R 4.00 0.00",
            "0, state o1 r2",
        ),
        ("o refund R 4.00 done", "t refund R 4.00 0.00", "1"),
        (
            "o payment A 10.00\no cancel A 10.00 not",
            BOTH,
            "1, state o2 r4",
        ),
    ] {
        assert_eq!(
            say(&format!("{orders}\n{rows}")),
            expected,
            "{orders}\n{rows}"
        );
    }
}

// Goal: the order in which things come does not matter, and ids keep apart.
#[test]
fn any_order() {
    let case = "o payment A 1.00\no payment B 2.00\no refund C 3.00\nt refund C 3.00 0.00\nt payment B 2.00 0.02\nt payment A 1.00 0.01\nt payment AA 1.00 0.01";
    let expected = "3, missing_here r7";
    assert_eq!(say(case), expected);
    let (mut orders, mut rows) = read(case);
    orders.reverse();
    rows.reverse();
    let terms = Terms {
        commission: None,
        settled: &BTreeSet::new(),
    };
    let mut lines = Vec::new();
    let matched = match_rows(&mut orders, &mut rows, &terms, &mut |found| {
        lines.push(found.row.map(|row| row.line));
    });
    assert_eq!((matched, lines), (3, vec![Some(7)]));
}
