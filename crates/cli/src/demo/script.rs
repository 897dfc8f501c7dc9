//! The day as a table: what happens, and what must come of it.

/// When the sandbox clock starts: a Monday morning.
pub(super) const OPENING: &str = "2026-11-23T08:55:00+08:00";

/// When the batch of the first day begins.
pub(super) const NIGHT: &str = "2026-11-23T23:00:00+08:00";

/// The shop that hears notifications, and what it must believe of them.
pub(super) const LISTENER: &str = "tea-house";
pub(super) const BELIEVED: &str = "1 of 1";

/// A shop with the way it signs and what it prices in.
pub(super) struct Shop {
    pub(super) name: &'static str,
    pub(super) sign: Sign,
    pub(super) goods: &'static str,
}

/// How a shop signs its requests.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    Md5,
    Rsa,
    Rsa2,
}

pub(super) const SHOPS: [Shop; 3] = [
    Shop {
        name: "tea-house",
        sign: Sign::Rsa2,
        goods: "Tea",
    },
    Shop {
        name: "dim-sum",
        sign: Sign::Md5,
        goods: "Dim sum",
    },
    Shop {
        name: "duty-free",
        sign: Sign::Rsa,
        goods: "Perfume",
    },
];

/// What a buyer does who is asked to confirm, and when.
#[derive(Clone, Copy)]
pub(super) enum Phone {
    /// Nothing.
    Silent,
    Accepts {
        after_s: i64,
    },
    Declines {
        after_s: i64,
    },
}

/// What happens in a row. Whoever is named by an id is the sale of an earlier row.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// A whole checkout with a fresh code.
    Pay,
    /// One with the code of an earlier sale.
    PayWithCodeOf(&'static str),
    /// One with a code that was shown this long ago.
    PayWithOldCode { minutes: i64 },
    /// One that the buyer must confirm; the till gives up at a limit.
    Confirm { phone: Phone, limit_s: i64 },
    /// The buyer confirms without a till that waits.
    ConfirmAlone,
    /// A checkout whose first answer gets lost.
    LoseAnswer,
    /// The pay request of an earlier sale, sent once more as it was.
    Repeat,
    /// A checkout whose network fails once the pay request is through.
    LoseNetwork,
    /// The till starts again and ends what its journal has open.
    Resume,
    /// A cancel.
    Cancel,
    /// A refund at once, in the shop's currency or another.
    Refund {
        id: &'static str,
        currency: Option<&'static str>,
    },
    /// A refund that the batch will do, which the shop wants to hear of.
    RefundLater(&'static str),
    /// What became of a refund.
    RefundQuery(&'static str),
    /// The first sending of a refund's notification will get lost.
    LoseNews,
    /// The clock goes to 23:00, then what became of a refund.
    Night(&'static str),
    /// How a refund was told.
    Told(&'static str),
}

/// One line of the day.
pub(super) struct Row {
    /// Time on the sandbox clock.
    pub(super) at: &'static str,
    pub(super) shop: &'static str,
    pub(super) wallet: &'static str,
    /// The sale's `partner_trans_id`.
    pub(super) id: &'static str,
    pub(super) act: Act,
    pub(super) what: &'static str,
    pub(super) amount: &'static str,
    /// What must come of it.
    pub(super) result: &'static str,
    /// What must change in the wallet.
    pub(super) moved: &'static str,
    /// What must change in our income in the shop's currency.
    pub(super) commission: &'static str,
}

/// Some rows under one heading.
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) rows: &'static [Row],
}

/// Rows without the names of their fields: when, where, who, which sale, what => what must come of it.
macro_rules! rows {
    ($($at:literal $shop:literal $wallet:literal $id:literal $act:expr, $what:literal, $amount:literal
        => $result:literal, $moved:literal, $commission:literal;)*) => {
        &[$(Row {
            at: concat!("2026-11-", $at, "+08:00"),
            shop: $shop,
            wallet: $wallet,
            id: $id,
            act: $act,
            what: $what,
            amount: $amount,
            result: $result,
            moved: $moved,
            commission: $commission,
        },)*]
    };
}

/// The day.
pub(super) const DAY: &[Part] = &[
    Part {
        title: "Payments: two wallets, two kinds of contract",
        rows: PAYMENTS,
    },
    Part {
        title: "Refusals: nothing is debited",
        rows: REFUSALS,
    },
    Part {
        title: "The buyer is asked on the phone while the till polls",
        rows: CONFIRMATIONS,
    },
    Part {
        title: "Answers get lost: one sale, one debit",
        rows: LOSSES,
    },
    Part {
        title: "Cancels",
        rows: CANCELS,
    },
    Part {
        title: "Refunds: at once, or by the batch from 23:00, of which the shop is told",
        rows: REFUNDS,
    },
    Part {
        title: "Around midnight: a sale may be cancelled on its day, and 15 minutes long in any case",
        rows: MIDNIGHT,
    },
];

const PAYMENTS: &[Row] = rows! {
    "23T09:00:00" "tea-house" "alice" "DEMO-01" Act::Pay, "alice pays from a HKD wallet", "39.30"
        => "paid with ALIPAYHK", "-39.30 HKD", "+0.47 HKD";
    "23T09:05:00" "tea-house" "bob" "DEMO-02" Act::Pay, "bob pays from a CNY wallet", "100.00"
        => "paid with ALIPAYCN", "-92.00 CNY", "+1.20 HKD";
    "23T09:10:00" "duty-free" "bob" "DEMO-03" Act::Pay, "bob pays, standard contract", "10.00"
        => "paid 72.00 CNY, rate 7.2", "-72.00 CNY", "+0.12 USD";
    "23T09:15:00" "dim-sum" "alice" "DEMO-04" Act::Pay, "alice pays, signed with MD5", "58.00"
        => "paid with ALIPAYHK", "-58.00 HKD", "+0.70 HKD";
};

const REFUSALS: &[Row] = rows! {
    "23T10:00:00" "dim-sum" "bob" "DEMO-05" Act::Pay, "bob, at a shop for HK wallets", "58.00"
        => "NOT_SUPPORT_PAYMENT_INST", "0.00 CNY", "0.00 HKD";
    "23T10:05:00" "duty-free" "alice" "DEMO-06" Act::Pay, "alice, at one for CN wallets", "10.00"
        => "NOT_SUPPORT_PAYMENT_INST", "0.00 HKD", "0.00 USD";
    "23T10:10:00" "tea-house" "poor" "DEMO-07" Act::Pay, "poor, whose wallet is empty", "39.30"
        => "BUYER_BALANCE_NOT_ENOUGH", "0.00 HKD", "0.00 HKD";
    "23T10:15:00" "tea-house" "frozen" "DEMO-08" Act::Pay, "frozen, who may not pay", "39.30"
        => "BUYER_ENABLE_STATUS_FORBID", "0.00 HKD", "0.00 HKD";
    "23T10:20:00" "tea-house" "alice" "DEMO-09" Act::Pay, "alice pays", "12.00"
        => "paid with ALIPAYHK", "-12.00 HKD", "+0.14 HKD";
    "23T10:20:30" "tea-house" "alice" "DEMO-10" Act::PayWithCodeOf("DEMO-09"),
        "her code, for another sale", "12.00"
        => "SOUNDWAVE_PARSER_FAIL", "0.00 HKD", "0.00 HKD";
    "23T10:30:00" "tea-house" "alice" "DEMO-11" Act::PayWithOldCode { minutes: 3 },
        "a code three minutes old", "12.00"
        => "SOUNDWAVE_PARSER_FAIL", "0.00 HKD", "0.00 HKD";
};

const CONFIRMATIONS: &[Row] = rows! {
    "23T11:00:00" "tea-house" "careful" "DEMO-12"
        Act::Confirm { phone: Phone::Accepts { after_s: 6 }, limit_s: 60 },
        "careful confirms after 6 s", "250.00"
        => "paid with ALIPAYHK", "-250.00 HKD", "+3.00 HKD";
    "23T11:10:00" "tea-house" "careful" "DEMO-13"
        Act::Confirm { phone: Phone::Declines { after_s: 6 }, limit_s: 60 },
        "careful declines after 6 s", "250.00"
        => "closed, not paid", "0.00 HKD", "0.00 HKD";
    "23T11:20:00" "tea-house" "careful" "DEMO-14"
        Act::Confirm { phone: Phone::Silent, limit_s: 60 },
        "silence; till gives up at 60 s", "250.00"
        => "cancelled, nothing paid", "0.00 HKD", "0.00 HKD";
    "23T11:30:00" "tea-house" "careful" "DEMO-15"
        Act::Confirm { phone: Phone::Silent, limit_s: 300 },
        "silence; till waits 3 minutes", "250.00"
        => "closed, not paid", "0.00 HKD", "0.00 HKD";
    "23T11:35:00" "tea-house" "careful" "DEMO-15" Act::ConfirmAlone,
        "careful confirms it too late", "250.00"
        => "refused: not_waiting", "0.00 HKD", "0.00 HKD";
};

const LOSSES: &[Row] = rows! {
    "23T13:00:00" "tea-house" "alice" "DEMO-16" Act::LoseAnswer,
        "the answer is lost; till asks", "45.00"
        => "paid with ALIPAYHK", "-45.00 HKD", "+0.54 HKD";
    "23T13:00:30" "tea-house" "alice" "DEMO-16" Act::Repeat,
        "the same request once more", "45.00"
        => "paid, the same trade", "0.00 HKD", "0.00 HKD";
    "23T13:10:00" "tea-house" "alice" "DEMO-17" Act::LoseNetwork,
        "network fails after request", "60.00"
        => "not known, in the journal", "-60.00 HKD", "+0.72 HKD";
    "23T13:30:00" "tea-house" "alice" "DEMO-17" Act::Resume,
        "network is back; till ends it", "60.00"
        => "cancelled, money back", "+60.00 HKD", "-0.72 HKD";
};

const CANCELS: &[Row] = rows! {
    "23T15:00:00" "tea-house" "alice" "DEMO-01" Act::Cancel,
        "cancel the sale of 09:00", "39.30"
        => "cancelled, money back", "+39.30 HKD", "-0.47 HKD";
    "23T15:00:30" "tea-house" "alice" "DEMO-01" Act::Cancel,
        "the same cancel again", "39.30"
        => "cancelled, money back", "0.00 HKD", "0.00 HKD";
    "23T15:10:00" "tea-house" "alice" "DEMO-18" Act::Cancel,
        "cancel what never arrived", "15.00"
        => "cancelled, nothing there", "0.00 HKD", "0.00 HKD";
    "23T15:10:30" "tea-house" "alice" "DEMO-18" Act::Pay,
        "then its pay request arrives", "15.00"
        => "TRADE_HAS_CLOSE", "0.00 HKD", "0.00 HKD";
};

const REFUNDS: &[Row] = rows! {
    "23T16:00:00" "tea-house" "alice" "DEMO-09" Act::Refund { id: "DEMO-R1", currency: None },
        "part of her 12.00, at once", "2.00"
        => "refunded", "+2.00 HKD", "0.00 HKD";
    "23T16:05:00" "tea-house" "bob" "DEMO-02" Act::Refund { id: "DEMO-R2", currency: None },
        "part of his 100.00, at once", "30.00"
        => "refunded", "+27.60 CNY", "0.00 HKD";
    "23T16:10:00" "tea-house" "bob" "DEMO-02" Act::Refund { id: "DEMO-R3", currency: Some("CNY") },
        "in CNY, at a shop in Hong Kong", "9.20"
        => "CURRENCY_NOT_SAME", "0.00 CNY", "0.00 HKD";
    "23T16:15:00" "duty-free" "bob" "DEMO-03" Act::Refund { id: "DEMO-R4", currency: None },
        "all of it, standard contract", "10.00"
        => "refunded 72.00 CNY", "+72.00 CNY", "0.00 USD";
    "23T16:20:00" "dim-sum" "alice" "DEMO-04" Act::Refund { id: "DEMO-R5", currency: None },
        "more than the shop is owed", "58.00"
        => "MERCHANT_BALANCE_NOT_ENOUGH", "0.00 HKD", "0.00 HKD";
    "23T16:30:00" "tea-house" "alice" "DEMO-16" Act::RefundLater("DEMO-R6"),
        "all of her 45.00, tonight", "45.00"
        => "accepted", "0.00 HKD", "0.00 HKD";
    "23T16:30:30" "tea-house" "alice" "DEMO-16" Act::RefundLater("DEMO-R6"),
        "the same request once more", "45.00"
        => "accepted", "0.00 HKD", "0.00 HKD";
    "23T16:31:00" "tea-house" "alice" "DEMO-16" Act::RefundQuery("DEMO-R6"),
        "what became of it", "45.00"
        => "accepted, not done yet", "0.00 HKD", "0.00 HKD";
    "23T22:59:00" "tea-house" "alice" "DEMO-16" Act::LoseNews,
        "the first news will get lost", "45.00"
        => "a fault rule waits", "0.00 HKD", "0.00 HKD";
    "23T22:59:30" "tea-house" "alice" "DEMO-16" Act::Night("DEMO-R6"),
        "the clock strikes 23:00", "45.00"
        => "refunded", "+45.00 HKD", "0.00 HKD";
    "23T23:01:00" "tea-house" "alice" "DEMO-16" Act::Told("DEMO-R6"),
        "was the shop told?", "45.00"
        => "told once, not heard", "0.00 HKD", "0.00 HKD";
    "23T23:02:30" "tea-house" "alice" "DEMO-16" Act::Told("DEMO-R6"),
        "and two minutes later?", "45.00"
        => "told twice, heard", "0.00 HKD", "0.00 HKD";
};

const MIDNIGHT: &[Row] = rows! {
    "23T23:30:00" "tea-house" "alice" "DEMO-21" Act::LoseNetwork,
        "network fails before midnight", "25.00"
        => "not known, in the journal", "-25.00 HKD", "+0.30 HKD";
    "23T23:58:00" "tea-house" "alice" "DEMO-19" Act::Pay, "alice pays", "20.00"
        => "paid with ALIPAYHK", "-20.00 HKD", "+0.24 HKD";
    "23T23:59:59" "tea-house" "alice" "DEMO-20" Act::Pay, "alice pays in the last second", "30.00"
        => "paid with ALIPAYHK", "-30.00 HKD", "+0.36 HKD";
    "24T00:05:00" "tea-house" "alice" "DEMO-20" Act::Cancel,
        "cancel 23:59:59 after 5 min", "30.00"
        => "cancelled, money back", "+30.00 HKD", "-0.36 HKD";
    "24T00:20:00" "tea-house" "alice" "DEMO-19" Act::Cancel,
        "cancel 23:58:00 after 22 min", "20.00"
        => "TRADE_CANCEL_TIME_OUT", "0.00 HKD", "0.00 HKD";
    "24T00:30:00" "tea-house" "alice" "DEMO-21" Act::Resume,
        "too late: the till refunds", "25.00"
        => "refunded in full", "+25.00 HKD", "0.00 HKD";
};

/// A line of the closing table: what it is about, and what it must say.
pub(super) type Must = (&'static str, &'static str);

/// Trades by state.
pub(super) const TRADES: &[Must] = &[
    ("TRADE_SUCCESS", "5"),
    ("TRADE_CLOSED", "9"),
    ("WAIT_BUYER_PAY", "0"),
];

/// Wallets at the end of the day.
pub(super) const WALLETS: &[Must] = &[
    ("alice", "99912.00 HKD"),
    ("bob", "99935.60 CNY"),
    ("poor", "0.00 HKD"),
    ("careful", "99750.00 HKD"),
    ("frozen", "100000.00 HKD"),
];

/// What is owed to the shops: what was paid, less what went back and the commission, which a refund
/// leaves with us.
pub(super) const PAYABLE: &[Must] = &[
    ("tea-house", "344.58 HKD"),
    ("dim-sum", "57.30 HKD"),
    ("duty-free", "-0.12 USD"),
];

/// What we earned.
pub(super) const INCOME: &[Must] = &[("HKD", "6.12 HKD"), ("USD", "0.12 USD")];

/// The sum of all accounts.
pub(super) const SUMS: &[Must] = &[("CNY", "0.00"), ("HKD", "0.00"), ("USD", "0.00")];

/// When both days are settled and their files are there.
pub(super) const OVER: &str = "2026-11-26T09:00:00+08:00";

/// What the bank paid out to the shops in all.
pub(super) const PAID_OUT: &[Must] = &[
    ("tea-house", "399.22 HKD"),
    ("dim-sum", "57.30 HKD"),
    ("duty-free", "0.00 USD"),
];

/// What stays for the next batch: what went back after the payment was settled.
pub(super) const CARRIED: &[Must] = &[
    ("tea-house", "-54.64 HKD"),
    ("dim-sum", "0.00 HKD"),
    ("duty-free", "-0.12 USD"),
];

/// The shop's files: date, kind, and what is in them.
pub(super) const FILES: &[(&str, &str, &str)] = &[
    ("2026-11-23", "transaction", "14 rows"),
    ("2026-11-24", "transaction", "2 rows"),
    ("2026-11-24", "settlement", "14 rows"),
    ("2026-11-25", "settlement", "2 rows"),
];

/// Breaks between the shop's orders and its files.
pub(super) const MATCHED: Must = ("breaks in the shop's orders", "0");

/// The same with a sale forgotten, one made up, an amount mistyped and a cancel not noted.
pub(super) const PLANTED: &[Must] = &[
    ("missing_here", "1"),
    ("missing_there", "1"),
    ("amount", "1"),
    ("state", "1"),
];
pub(super) const FORGOTTEN: &str = "DEMO-19";
pub(super) const MISTYPED: Must = ("DEMO-12", "205.00");
pub(super) const NOT_CANCELLED: &str = "DEMO-01";
