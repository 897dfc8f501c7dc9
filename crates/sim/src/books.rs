//! An independent judge of a store's file: it reads the rows by its own SQL and reckons everything
//! again, so that an error of the system is not repeated by what looks for it.
//!
//! It assumes that contracts keep the commission and the refund terms that they began with: the
//! file does not say what they were before.

mod files;
mod lists;
mod money;
mod refunds;
mod rows;
mod settled;
mod sight;
mod told;
mod trades;

use std::fmt;

pub use rows::Books;
pub use sight::Sight;

/// Something in the file that must not be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Break {
    /// The name of the rule.
    pub rule: &'static str,
    /// What the rule promises.
    pub promise: &'static str,
    /// Where it does not hold.
    pub place: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule, self.place, self.promise)
    }
}

/// One promise, and what looks for places where it does not hold.
struct Rule {
    name: &'static str,
    promise: &'static str,
    find: fn(&Books, &mut Vec<String>),
}

const fn rule(
    name: &'static str,
    promise: &'static str,
    find: fn(&Books, &mut Vec<String>),
) -> Rule {
    Rule {
        name,
        promise,
        find,
    }
}

const RULES: &[Rule] = &[
    rule(
        "sides",
        "an entry moves something between two accounts that fit its cause, in the wallet's currency",
        money::sides,
    ),
    rule(
        "totals",
        "account totals are the sums of the entries day by day, and every currency sums to zero",
        money::totals,
    ),
    rule(
        "balance",
        "a wallet has what its entries say",
        money::balance,
    ),
    rule(
        "below zero",
        "no wallet had less than nothing at the end of any second",
        money::below_zero,
    ),
    rule(
        "spent",
        "the spending counters are what the day and the month of the last payment came to",
        money::spent,
    ),
    rule(
        "explained",
        "every entry belongs to a payment, a refund, a cancel, a top-up or a batch that says so",
        money::explained,
    ),
    rule(
        "one debit",
        "a paid trade took its amount from its wallet to its partner, once",
        trades::one_debit,
    ),
    rule(
        "conversion",
        "the buyer's amount is the price at the trade's rate, half up, and never nothing",
        trades::conversion,
    ),
    rule(
        "commission",
        "our share is the contract's part of the price, half up, as the trade and its entry say",
        trades::commission,
    ),
    rule(
        "trade number",
        "a partner uses a number for one trade",
        trades::numbers,
    ),
    rule("code", "a payment code made one trade", trades::codes),
    rule(
        "code marks",
        "a wallet remembers the codes that were just used, each for a trade of its own",
        trades::code_marks,
    ),
    rule(
        "instants",
        "nothing happened after the last commit",
        trades::instants,
    ),
    rule(
        "unpaid",
        "a trade that was never paid moved no money",
        trades::unpaid,
    ),
    rule(
        "cancelled",
        "a cancel of a paid trade gave back all that was left, once",
        trades::cancelled,
    ),
    rule(
        "cancel in time",
        "a paid trade is cancelled on its day or within its grace, before it is settled",
        trades::cancelled_in_time,
    ),
    rule(
        "timers",
        "every waiting trade has its timer, and nothing else has one",
        trades::timers,
    ),
    rule(
        "refund number",
        "a partner uses a number for one refund",
        refunds::numbers,
    ),
    rule(
        "refund sums",
        "a trade says of its refunds what they say",
        refunds::sums,
    ),
    rule(
        "refund limit",
        "refunds, done and accepted, are never above the payment",
        refunds::limit,
    ),
    rule(
        "refund entries",
        "a refund that is done moved its amount, and its share of the buyer's amount and of ours",
        refunds::entries,
    ),
    rule(
        "batch sums",
        "a batch holds what its days moved on the partner's account",
        settled::sums,
    ),
    rule(
        "settled once",
        "an event is in one batch, of a day that was over",
        settled::once,
    ),
    rule(
        "paid out",
        "a batch paid out what was owed, and carries on what is left",
        settled::paid_out,
    ),
    rule(
        "told once",
        "whoever asked to hear of an event has one notification of it, nobody else has any",
        told::once,
    ),
    rule(
        "deliveries",
        "a notification is where its deliveries have brought it on the ladder",
        told::deliveries,
    ),
    rule(
        "activity",
        "a wallet and a partner list their trades, each once",
        lists::activity,
    ),
    rule(
        "statement",
        "a partner's statement lists what moved on its account, each event once",
        lists::statement,
    ),
    rule(
        "file bytes",
        "a published file is there as it was published, and no other is",
        files::bytes,
    ),
    rule(
        "file rows",
        "a published file tells each event of its days once, as the entries have it",
        files::rows,
    ),
];

impl Books {
    /// Everything that is wrong, rule by rule; nothing when all is well.
    pub fn breaks(&self) -> Vec<Break> {
        let mut breaks = Vec::new();
        for rule in RULES {
            let mut places = Vec::new();
            (rule.find)(self, &mut places);
            breaks.extend(places.into_iter().map(|place| Break {
                rule: rule.name,
                promise: rule.promise,
                place,
            }));
        }
        breaks
    }
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// The instant of a trade's or an event's number, to the second.
fn instant(key: i64) -> i64 {
    (key.div_euclid(1_000_000_000) + 1_577_808_000) * SECOND
}

/// Days since 1970 in GMT+8.
fn date(at: i64) -> i64 {
    (at + 8 * 3_600 * SECOND).div_euclid(DAY)
}

/// The quotient of two numbers that are not below zero, a half going up.
fn half_up(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator).div_euclid(2 * denominator)
}
