use std::fmt::Write as _;

use spotpay_core::money::{Currency, Money, Rounding};
use spotpay_core::partner::WalletColumn;
use spotpay_core::time::{CivilDate, Span, Timestamp};
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::files::{
    Pricing, SettlementRow, SettlementType, StoreColumns, Style, TransactionRow, TransactionType,
};
use tempfile::TempDir;

use super::*;

/// So little that nearly every order goes through a file.
const TINY: Budget = Budget {
    part_bytes: 4_096,
    waiting_bytes: 65_536,
    breaks: 3,
};

/// Numbers without an order, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.roll(u64::try_from(at).unwrap() + 1);
            items.swap(at, usize::try_from(other).unwrap());
        }
    }
}

/// What is wrong with one trade of the made-up day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Plant {
    Nothing,
    NoOrder,
    NoRow,
    Amount,
    Currency,
    OrderTwice,
    RowTwice,
    ClosedHere,
    CancelledThere,
    Commission,
    PaidOutLess,
    NotSettled,
}

const PLANTS: [Plant; 11] = [
    Plant::NoOrder,
    Plant::NoRow,
    Plant::Amount,
    Plant::Currency,
    Plant::OrderTwice,
    Plant::RowTwice,
    Plant::ClosedHere,
    Plant::CancelledThere,
    Plant::Commission,
    Plant::PaidOutLess,
    Plant::NotSettled,
];

impl Plant {
    /// The kind of break that it is when all files are there.
    const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::NoOrder => Some("missing_here"),
            Self::NoRow => Some("missing_there"),
            Self::Amount => Some("amount"),
            Self::Currency => Some("currency"),
            Self::OrderTwice | Self::RowTwice => Some("duplicate"),
            Self::ClosedHere | Self::CancelledThere => Some("state"),
            Self::Commission => Some("commission"),
            Self::PaidOutLess | Self::NotSettled => Some("settled_short"),
        }
    }
}

/// A day of a shop: orders and files that agree, but for what is planted.
struct Day {
    folder: TempDir,
    orders: u64,
    planted: Vec<(Plant, String)>,
}

/// One trade with the rows that it leaves.
struct Trade {
    id: String,
    number: String,
    amount: Money,
    fee: Money,
    at: Timestamp,
    plant: Plant,
}

#[derive(Default)]
struct Rows {
    orders: Vec<String>,
    transactions: Vec<String>,
    settlements: Vec<String>,
}

const STYLE: Style = Style::Hk(WalletColumn::PaymentInst);

impl Trade {
    /// Both rows of something that took place.
    fn rows(&self, kind: TransactionType, id: &str, amount: Money, fee: Money, rows: &mut Rows) {
        let mut row = TransactionRow {
            partner_transaction_id: id,
            transaction_id: &self.number,
            amount,
            fee,
            payment_time: self.at,
            kind,
            remark: "",
            store: StoreColumns::default(),
            order_scene: "",
            pricing: Some(Pricing::equal(amount)),
            wallet: Some(PaymentInst::AlipayHk),
            rmb: None,
        };
        let mut line = String::new();
        STYLE.transaction(&row, &mut line);
        rows.transactions.push(line.clone());
        if self.plant == Plant::RowTwice && kind == TransactionType::Payment {
            rows.transactions.push(line);
        }
        if self.plant == Plant::NotSettled {
            return;
        }
        let short = i64::from(self.plant == Plant::PaidOutLess);
        let net = amount.minor() - fee.minor() - short;
        if kind == TransactionType::Cancel {
            row.partner_transaction_id = &self.number;
        }
        let mut line = String::new();
        STYLE.settlement(
            &SettlementRow {
                partner_transaction_id: row.partner_transaction_id,
                transaction_id: row.transaction_id,
                amount,
                fee,
                settlement: Money::of_minor(net, amount.currency()),
                payment_time: row.payment_time,
                settlement_time: self.at.plus(Span::hours(24)),
                kind: match kind {
                    TransactionType::Payment => SettlementType::P,
                    TransactionType::Refund
                    | TransactionType::Cancel
                    | TransactionType::Reverse => SettlementType::R,
                },
                remark: "",
                store: row.store,
                order_scene: "",
                pricing: row.pricing,
                wallet: row.wallet,
                rmb: None,
            },
            &mut line,
        );
        rows.settlements.push(line);
    }

    fn order(&self, rows: &mut Rows) {
        let mut amount = self.amount;
        if self.plant == Plant::Amount {
            amount = Money::of_minor(amount.minor() + 1, Currency::HKD);
        }
        let currency = if self.plant == Plant::Currency {
            "USD"
        } else {
            "HKD"
        };
        let states = [
            (Plant::ClosedHere, "TRADE_CLOSED"),
            (Plant::CancelledThere, "TRADE_SUCCESS"),
        ];
        let state = states.iter().find(|(plant, _)| *plant == self.plant);
        let state = state.map_or("", |(_, state)| state);
        let (id, amount) = (&self.id, amount.major());
        let line = format!(
            "PAYMENT,{id},{amount},{currency},{},{state}",
            self.at.spaced()
        );
        if self.plant == Plant::OrderTwice {
            rows.orders.push(line.clone());
        }
        rows.orders.push(line);
    }
}

impl Day {
    fn new(seed: u64, trades: u64, plants_of_a_kind: u64) -> Self {
        let mut dice = Dice(seed);
        let mut rows = Rows::default();
        let mut planted = Vec::new();
        let start = CivilDate::new(2026, 11, 23).unwrap().start();
        let step = trades / (plants_of_a_kind * 11 + 1);
        for number in 0..trades {
            let planted_here = number % step == 7 && number / step < plants_of_a_kind * 11;
            let which = usize::try_from(number / step % 11).unwrap();
            let plant = match planted_here {
                true => PLANTS[which],
                false => Plant::Nothing,
            };
            let amount = Money::of_minor(
                i64::try_from(dice.roll(100_000) + 100).unwrap(),
                Currency::HKD,
            );
            let rate: FeeRate = "0.012".parse().unwrap();
            let mut fee = rate.of(amount, Rounding::HalfUp).unwrap();
            if plant == Plant::Commission {
                fee = Money::of_minor(fee.minor() + 1, Currency::HKD);
            }
            let trade = Trade {
                id: format!("TILL{:02}-{number:08}", number % 20),
                number: format!("20261123220014{number:014}"),
                amount,
                fee,
                at: start.plus(Span::seconds(i64::try_from(dice.roll(86_400)).unwrap())),
                plant,
            };
            if plant != Plant::Nothing {
                planted.push((plant, trade.id.clone()));
            }
            Self::tell(&trade, &mut dice, &mut rows);
        }
        dice.shuffle(&mut rows.orders);
        dice.shuffle(&mut rows.transactions);
        dice.shuffle(&mut rows.settlements);
        Self {
            folder: Self::write(&rows),
            orders: u64::try_from(rows.orders.len()).unwrap(),
            planted,
        }
    }

    /// The orders and rows of one trade, with a refund or a cancel now and then.
    fn tell(trade: &Trade, dice: &mut Dice, rows: &mut Rows) {
        let zero = Money::zero(Currency::HKD);
        if trade.plant != Plant::NoOrder {
            trade.order(rows);
        }
        if trade.plant != Plant::NoRow {
            let (amount, fee) = (trade.amount, trade.fee);
            trade.rows(TransactionType::Payment, &trade.id, amount, fee, rows);
        }
        if trade.plant == Plant::CancelledThere {
            let (amount, fee) = (trade.amount, trade.fee);
            trade.rows(TransactionType::Cancel, &trade.id, amount, fee, rows);
        }
        if trade.plant != Plant::Nothing {
            return;
        }
        let (id, time) = (&trade.id, trade.at.spaced());
        match dice.roll(50) {
            0 | 1 => {
                let part = Money::of_minor(trade.amount.minor() / 2, Currency::HKD);
                rows.orders
                    .push(format!("REFUND,R-{id},{},HKD,{time},", part.major()));
                trade.rows(
                    TransactionType::Refund,
                    &format!("R-{id}"),
                    part,
                    zero,
                    rows,
                );
            }
            2 => {
                let amount = trade.amount.major();
                rows.orders
                    .push(format!("cancel,{id},-{amount},hkd,{time},"));
                trade.rows(TransactionType::Cancel, id, trade.amount, trade.fee, rows);
            }
            3 => {
                // Paid and refunded in full, and closed by that.
                let order = rows.orders.last_mut().unwrap();
                order.push_str("TRADE_CLOSED");
                let amount = trade.amount.major();
                rows.orders
                    .push(format!("REFUND,R-{id},{amount},HKD,{time},REFUNDED"));
                trade.rows(
                    TransactionType::Refund,
                    &format!("R-{id}"),
                    trade.amount,
                    zero,
                    rows,
                );
            }
            4 => {
                // Cancelled, and known by its state alone.
                rows.orders.last_mut().unwrap().push_str("CANCELLED");
                trade.rows(TransactionType::Cancel, id, trade.amount, trade.fee, rows);
            }
            5 => rows
                .orders
                .push(format!("PAYMENT,X-{id},1.00,HKD,{time},FAILED")),
            _ => {}
        }
    }

    fn write(rows: &Rows) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put =
            |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        put(
            "orders.csv",
            format!(
                "type,id,amount,currency,time,state\n{}\n",
                rows.orders.join("\n")
            ),
        );
        let mut text = String::new();
        let count = u64::try_from(rows.transactions.len()).unwrap();
        let date = CivilDate::new(2026, 11, 23).unwrap();
        STYLE.transaction_head("2088000000000001".parse().unwrap(), date, count, &mut text);
        put("transaction.txt", text + &rows.transactions.concat());
        let mut text = String::new();
        STYLE.settlement_head(&mut text);
        put("settlement.txt", text + &rows.settlements.concat());
        folder
    }

    /// What a run finds: the matched orders, and kind and id of each break.
    fn run(&self, files: &[&str], budget: Budget) -> (u64, Vec<(String, String)>) {
        let command = Reconcile {
            orders: self.folder.path().join("orders.csv"),
            files: files
                .iter()
                .map(|name| self.folder.path().join(name))
                .collect(),
            columns: Vec::new(),
            commission: "0.012".parse().ok(),
            csv: None,
            temp: Some(self.folder.path().to_owned()),
            json: false,
        };
        let (matched, mut breaks) = command.compare(budget, &mut Progress::silent()).unwrap();
        let mut found = Vec::new();
        breaks
            .each(|told| {
                found.push((told.kind.clone(), told.id.clone()));
                Ok(())
            })
            .unwrap();
        let counts: u64 = breaks.by_kind().iter().map(|(_, count)| count).sum();
        assert_eq!(counts, u64::try_from(found.len()).unwrap());
        found.sort();
        (matched, found)
    }

    /// What a run must find, when each plant is this kind of break.
    fn expected(&self, kind: fn(Plant) -> Option<&'static str>) -> (u64, Vec<(String, String)>) {
        let shown = || {
            let all = self.planted.iter();
            all.filter_map(|(plant, id)| Some((*plant, kind(*plant)?.to_owned(), id.clone())))
        };
        let matched_anyway = [Plant::NoOrder, Plant::RowTwice];
        let broken = shown().filter(|(plant, _, _)| !matched_anyway.contains(plant));
        let matched = self.orders - u64::try_from(broken.count()).unwrap();
        let mut breaks: Vec<_> = shown().map(|(_, kind, id)| (kind, id)).collect();
        breaks.sort();
        (matched, breaks)
    }
}

// Goal: of a hundred thousand rows every planted break is found, with its kind, and nothing else;
// and it makes no difference whether the work fits into memory.
#[test]
fn planted_breaks_are_found() {
    let day = Day::new(0x5107, 32_000, 7);
    let both = ["transaction.txt", "settlement.txt"];
    let all = day.expected(Plant::kind);
    assert_eq!(all.1.len(), 77);
    assert_eq!(day.run(&both, BUDGET), all);
    assert_eq!(day.run(&both, TINY), all);
}

// Goal: one kind of file shows what it can: the transaction file not what was paid out, the
// settlement file nothing that stands twice in the other, and cancels under another number.
#[test]
fn one_kind_of_file() {
    let day = Day::new(0x5e77, 4_000, 5);
    let transactions = day.expected(|plant| {
        let shown = ![Plant::PaidOutLess, Plant::NotSettled].contains(&plant);
        plant.kind().filter(|_| shown)
    });
    assert_eq!(day.run(&["transaction.txt"], TINY), transactions);
    let settlements = day.expected(|plant| {
        let missing = Some("missing_there").filter(|_| plant == Plant::NotSettled);
        missing.or(plant.kind().filter(|_| plant != Plant::RowTwice))
    });
    assert_eq!(day.run(&["settlement.txt"], TINY), settlements);
}

// Goal: a seed that was not tuned finds the same with many sizes of partitions.
#[test]
fn sizes_make_no_difference() {
    for seed in 1..4 {
        let day = Day::new(seed * 0x9e37, 1_000, 1);
        let all = day.expected(Plant::kind);
        for part_bytes in [1, 1 << 30] {
            for waiting_bytes in [0, 5_000] {
                let budget = Budget {
                    part_bytes,
                    waiting_bytes,
                    breaks: 1,
                };
                let found = day.run(&["settlement.txt", "transaction.txt"], budget);
                assert_eq!(found, all, "seed {seed}, {budget:?}");
            }
        }
    }
}

/// Files of a test, written into a folder of their own.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn command(folder: &TempDir, orders: &str, files: &[&str], columns: &[&str]) -> Reconcile {
    Reconcile {
        orders: folder.path().join(orders),
        files: files.iter().map(|name| folder.path().join(name)).collect(),
        columns: columns.iter().map(|text| text.parse().unwrap()).collect(),
        commission: None,
        csv: None,
        temp: None,
        json: false,
    }
}

const FILE: &str = "\
Partner:2088000000000001|Payment_time: 2026-11-23|Total_count:4
Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|Currency|Payment_time|Transaction_type|Remark
T1|1|39.30|0.47|HKD|2026-11-23 12:00:00|PAYMENT|
T2|2|10.00|0.12|HKD|2026-11-23 12:01:00|PAYMENT|
T3|3|5.00|0.06|HKD|2026-11-23 12:02:00|PAYMENT|
T4|4|5.00|0.06|HKD|2026-11-23 12:03:00|PAYMENT|
";
const ORDERS: &str = "\
type,id,amount,currency,time,state
PAYMENT,T1,39.30,HKD,2026-11-23 12:00:00,
PAYMENT,T2,10.01,HKD,,
PAYMENT,T3,5.00,HKD,noon,UNKNOWN
PAYMENT,T9,7.00,HKD,,
";

// Goal: what people and programs are told, to the letter.
#[test]
fn reports() {
    let folder = folder(&[("orders.csv", ORDERS), ("f.txt", FILE)]);
    let command = command(&folder, "orders.csv", &["f.txt"], &[]);
    let (matched, mut breaks) = command.compare(BUDGET, &mut Progress::silent()).unwrap();
    let mut json = Vec::new();
    breaks.write_json(matched, &mut json).unwrap();
    let path = folder.path().join("f.txt").display().to_string();
    let json = String::from_utf8(json).unwrap().replace(&path, "f.txt");
    assert_eq!(
        json,
        concat!(
            r#"{"matched":1,"breaks":["#,
            r#"{"kind":"missing_here","id":"T4","ours":null,"theirs":"5.00","type":"PAYMENT","currency":"HKD","time":"2026-11-23 12:03:00","order_line":null,"file":"f.txt","file_line":6},"#,
            r#"{"kind":"amount","id":"T2","ours":"10.01","theirs":"10.00","type":"PAYMENT","currency":"HKD","time":"2026-11-23 12:01:00","order_line":3,"file":"f.txt","file_line":4},"#,
            r#"{"kind":"state","id":"T3","ours":"UNKNOWN","theirs":"PAYMENT","type":"PAYMENT","currency":"HKD","time":"noon","order_line":4,"file":"f.txt","file_line":5},"#,
            r#"{"kind":"missing_there","id":"T9","ours":"7.00","theirs":null,"type":"PAYMENT","currency":"HKD","time":null,"order_line":5,"file":null,"file_line":null}"#,
            r#"],"by_kind":{"amount":1,"missing_here":1,"missing_there":1,"state":1}}"#,
            "\n"
        )
    );
    let mut table = Vec::new();
    breaks.write_table(matched, &mut table).unwrap();
    assert_eq!(
        String::from_utf8(table).unwrap(),
        "\
kind           type     id     ours   theirs  where
missing_here   PAYMENT  T4        -     5.00  f.txt:6
amount         PAYMENT  T2    10.01    10.00  orders.csv:3 f.txt:4
state          PAYMENT  T3  UNKNOWN  PAYMENT  orders.csv:4 f.txt:5
missing_there  PAYMENT  T9     7.00        -  orders.csv:5
1 matched, 4 breaks: missing_here 1, missing_there 1, amount 1, state 1
"
    );
    let csv = folder.path().join("breaks.csv");
    breaks.report(matched, true, Some(&csv)).unwrap();
    let csv = std::fs::read_to_string(csv)
        .unwrap()
        .replace(&path, "f.txt");
    assert_eq!(
        csv,
        "\
kind,id,ours,theirs,type,currency,time,file,file_line,order_line
missing_here,T4,,5.00,PAYMENT,HKD,2026-11-23 12:03:00,f.txt,6,
amount,T2,10.01,10.00,PAYMENT,HKD,2026-11-23 12:01:00,f.txt,4,3
state,T3,UNKNOWN,PAYMENT,PAYMENT,HKD,noon,f.txt,5,4
missing_there,T9,7.00,,PAYMENT,HKD,,,,5
"
    );
}

// Goal: nothing found is a line, not a table; many breaks are cut for people.
#[test]
fn short_and_long_reports() {
    let orders: String = (0..60).fold("id,type,amount,currency\n".to_owned(), |mut text, at| {
        writeln!(text, "O{at},PAYMENT,1.00,HKD").unwrap();
        text
    });
    let fine = "id,type,amount,currency\nT1,PAYMENT,39.3,HKD\nT2,PAYMENT,10,HKD\nT3,PAYMENT,5,HKD\nT4,PAYMENT,5,HKD\n";
    let folder = folder(&[("fine.csv", fine), ("long.csv", &orders), ("f.txt", FILE)]);
    let table = |orders, budget| {
        let command = command(&folder, orders, &["f.txt"], &[]);
        let (matched, mut breaks) = command.compare(budget, &mut Progress::silent()).unwrap();
        let mut table = Vec::new();
        breaks.write_table(matched, &mut table).unwrap();
        String::from_utf8(table).unwrap()
    };
    assert_eq!(table("fine.csv", BUDGET), "4 matched, no breaks\n");
    for budget in [BUDGET, TINY] {
        let long = table("long.csv", budget);
        assert_eq!(long.lines().count(), 53);
        assert!(long.ends_with(
            "and 14 more; --csv FILE or --json has all\n\
            0 matched, 64 breaks: missing_here 4, missing_there 60\n"
        ));
    }
}

// Goal: other separators and other names of columns, an id with a pipe, and a file of each family.
#[test]
fn other_spellings() {
    let orders = "\u{feff}No;Kind;Sum;Cur\r\n\" A|1 \";payment;39.30;hkd\r\nR1;Refund;-5;HKD\r\nT2;Reversal;10.0;HKD\r\nT2;PAYMENT;10;HKD\r\n";
    let file = "T2|2|10.00|0.12|9.88|HKD|2026-11-23 12:01:00|2026-11-24 15:30:00|P|L||||||||||\n\
        2|2|10.00|0.12|9.88|HKD|2026-11-23 12:02:00|2026-11-24 15:30:00|R|L||||||||||\n\
        A 1|1|39.30|0.47|38.83|HKD|2026-11-23 12:00:00|2026-11-24 15:30:00|P|L||||||||||\n";
    let online = "Partner_transaction_id,Transaction_id,Amount,Fee,Settlement,Currency,Payment_time,Settlement_time,Issue,Product,Type,Status,Remarks,original_partner_transaction_ID\n\
        R1,3,5,0,-5,HKD,11/24/2026 12:00,,ALIPAYHK,Cross_wap,REFUND,P,,T3\n";
    let folder = folder(&[("o.csv", orders), ("s.txt", file), ("t.csv", online)]);
    let columns = ["id=no", "type=kind", "amount=sum", "currency=cur"];
    let command = command(&folder, "o.csv", &["s.txt", "t.csv"], &columns);
    let (matched, breaks) = command.compare(BUDGET, &mut Progress::silent()).unwrap();
    assert_eq!((matched, breaks.by_kind()), (4, Vec::new()));
}

// Goal: a cancel in a settlement file whose payment is in none stands under the gateway's number.
#[test]
fn cancel_without_its_payment() {
    let file = "2|2|10.00|0.12|9.88|HKD|2026-11-23 12:02:00|2026-11-24 15:30:00|R|L||||||||||\n";
    let folder = folder(&[
        ("o.csv", "type,id,amount,currency\nCANCEL,T2,10,HKD\n"),
        ("s.txt", file),
        ("t.txt", "T2|2|10.00|0.12|HKD|2026-11-23 12:02:00|CANCEL|\n"),
    ]);
    let kinds = |files: &[&str]| {
        let command = command(&folder, "o.csv", files, &[]);
        let (matched, breaks) = command.compare(BUDGET, &mut Progress::silent()).unwrap();
        (matched, breaks.by_kind())
    };
    let alone = vec![("missing_here", 1), ("missing_there", 1)];
    assert_eq!(kinds(&["s.txt"]), (0, alone));
    assert_eq!(kinds(&["s.txt", "t.txt"]), (1, Vec::new()));
}

// Goal: a trade that is closed because all of it was refunded agrees with a payment that stands
// uncancelled, also when its refund is in another kind of file; a part is not enough.
#[test]
fn closed_by_refund() {
    let settled = |amount| {
        format!(
            "R1|1|{amount}|0.00|{amount}|HKD|2026-11-24 12:00:00|2026-11-25 15:30:00|R|L||||||||||\n"
        )
    };
    let (all, part) = (settled("10.00"), settled("9.99"));
    let folder = folder(&[
        (
            "o.csv",
            "type,id,amount,currency,state\nPAYMENT,T1,10,HKD,TRADE_CLOSED\n",
        ),
        (
            "t.txt",
            "T1|1|10.00|0.12|HKD|2026-11-23 12:00:00|PAYMENT|\n",
        ),
        ("all.txt", &all),
        ("part.txt", &part),
    ]);
    for (file, expected) in [
        ("all.txt", vec![("missing_here", 1)]),
        ("part.txt", vec![("missing_here", 1), ("state", 1)]),
    ] {
        let command = command(&folder, "o.csv", &["t.txt", file], &[]);
        let (_, breaks) = command.compare(BUDGET, &mut Progress::silent()).unwrap();
        assert_eq!(breaks.by_kind(), expected, "{file}");
    }
}

// Goal: bad input is one line with the file, the line and the column, and exit 2.
#[test]
fn bad_input() {
    let head = "type,id,amount,currency,time,state";
    for (orders, file, expected) in [
        (
            "",
            FILE,
            "o.csv: line 1 names no column \"type\", only ; say what the type is called with --column type=HEADING",
        ),
        (
            "kind,id,amount,currency\n",
            FILE,
            "o.csv: line 1 names no column \"type\", only kind, id, amount, currency; say what the type is called with --column type=HEADING",
        ),
        (
            "PAID,T1,1,HKD,,",
            FILE,
            "o.csv: line 2, column 1 (type) is \"PAID\"; it must be PAYMENT, REFUND or CANCEL",
        ),
        (
            "PAYMENT,,1,HKD,,",
            FILE,
            "o.csv: line 2, column 2 (id) is \"\"; it must be an id",
        ),
        (
            "PAYMENT,T1,0,HKD,,",
            FILE,
            "o.csv: line 2, column 3 (amount) is \"0\"; it must be a decimal number above zero with the decimals of its currency",
        ),
        (
            "PAYMENT,T1,-1,HKD,,",
            FILE,
            "o.csv: line 2, column 3 (amount) is \"-1\"; it must be a decimal number above zero with the decimals of its currency",
        ),
        (
            "PAYMENT,T1,1.001,HKD,,",
            FILE,
            "o.csv: line 2, column 3 (amount) is \"1.001\"; it must be a decimal number above zero with the decimals of its currency",
        ),
        (
            "PAYMENT,T1,1,XXX,,",
            FILE,
            "o.csv: line 2, column 4 (currency) is \"XXX\"; it must be a currency such as HKD",
        ),
        (
            "PAYMENT,T1,1,HKD,,perhaps",
            FILE,
            "o.csv: line 2, column 6 (state) is \"perhaps\"; it must be empty or a state such as PAID, CLOSED or UNKNOWN (see --help)",
        ),
        (
            "PAYMENT,T1,1,HKD",
            FILE,
            "o.csv: line 2 has 4 columns; line 1 has 6",
        ),
        (
            "PAYMENT,T1,1,HKD,,",
            "x",
            "f.txt: line 1 has 1 columns separated by ',': it must name them, or have 8, 15, 16, 17, 18, 20 or 21 columns with '|', 6 or 14 with ','; it begins \"x\"",
        ),
        (
            "PAYMENT,T1,1,HKD,,",
            "Settle_batch_no,Settle_date,Amount,Fee,Settlement,Currency\n",
            "f.txt: line 1 names settlement batches; give the files of what they hold",
        ),
        (
            "PAYMENT,T1,1,HKD,,",
            "T1|1|x|0|HKD|2026-11-23 12:00:00|PAYMENT|\n",
            "f.txt: line 1, column 3 (Transaction_amount) is \"x\"; it must be a decimal number with the decimals of its currency",
        ),
        (
            "PAYMENT,T1,1,HKD,,",
            "Partner:1|Payment_time: 2026-11-23|Total_count:2\nT1|1|1|0|HKD|2026-11-23 12:00:00|PAYMENT|\n",
            "f.txt: line 1, column 3 (Total_count) is \"2\"; it must be the number of rows, and there are 1",
        ),
    ] {
        let whole = match orders.starts_with('P') {
            true => format!("{head}\n{orders}\n"),
            false => orders.to_owned(),
        };
        let folder = folder(&[("o.csv", &whole), ("f.txt", file)]);
        let failure = command(&folder, "o.csv", &["f.txt"], &[])
            .run()
            .unwrap_err();
        let path = format!("{}/", folder.path().display());
        assert_eq!(failure.message().replace(&path, ""), expected);
        assert_eq!(failure.tell(), Exit::Usage);
    }
    let folder = folder(&[("o.csv", "type,id,amount,currency\n")]);
    let failure = command(&folder, "o.csv", &["none.txt"], &[])
        .run()
        .unwrap_err();
    assert!(
        failure
            .message()
            .ends_with("none.txt cannot be read: No such file or directory (os error 2)")
    );
    let failure = command(&folder, "o.csv", &["none.txt"], &["time=when"])
        .run()
        .unwrap_err();
    assert!(failure.message().contains("names no column \"when\""));
    assert!("colour=red".parse::<Heading>().is_err());
}
