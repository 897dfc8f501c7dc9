//! Random sequences of commands over few ids, wallets and clock steps.
//!
//! Each sequence is a table in the language of `rules.rs`; a failure prints it, so that it can be
//! pasted there. The world audits the books after every step (`world/audit.rs`).

#![expect(
    clippy::unwrap_used,
    reason = "a line that does not parse is a failed test"
)]

mod world;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use spotpay_core::money::{Currency, Money};

use world::World;

const PARTNERS: [(&str, &str); 3] = [("tea-house", "HKD"), ("noodles", "HKD"), ("louvre", "USD")];
const IDS: [&str; 3] = ["T1", "T2", "T3"];
const REFUNDS: [&str; 4] = ["R1", "R2", "R3", "R4"];
const WALLETS: [&str; 4] = ["alice", "carol", "ming", "tang"];
const SETUP: &str = "
    partner tea-house HK day=60.00 reserve=1.00 notify_url=http://shop commission_on_refund=returned
    partner noodles HK rate=0.5 grace=unpaid_only async_refund=same_day
    partner louvre STANDARD USD payment=12.00 reserve=5.00 refund_days=1 sync_refund_pause=after_midnight
    rate HKD CNY 0.92
    rate USD CNY 7.20
    wallet alice HK 100.00
    wallet carol HK 50.00 ask=yes
    wallet ming CN 100.00
    wallet tang CN 60.00 ask=yes
    amend tang payment=40.00 day=50.00 month=70.00
";

/// A number of the trade, or of the wallet: a place in the lists above.
type Place = usize;

#[derive(Clone, Debug)]
enum Code {
    Fresh,
    /// One of a few that are shown again and again.
    Old(u8),
    Bad,
}

#[derive(Clone, Debug)]
enum Act {
    Pay(Place, Place, &'static str, Place, Code),
    Answer(&'static str, Place, Place, Place),
    Cancel(Place, Place, &'static str),
    Close(Place, Place),
    Refund(Place, Place, Place, &'static str, &'static str),
    WorkOff(Place, Place),
    Deliver(Place, &'static str, &'static str),
    Timers(usize),
    TopUp(Place, &'static str),
    Amend(Place, &'static str),
    Rate(&'static str),
    Wait(&'static str),
}

impl Act {
    fn any() -> impl Strategy<Value = Self> {
        let trade = || (0..PARTNERS.len(), 0..IDS.len());
        let wallet = || 0..WALLETS.len();
        let amount = prop::sample::select(vec!["0.01", "0.41", "1.00", "10.00", "35.05", "60.00"]);
        let code = prop_oneof![
            4 => Just(Code::Fresh),
            2 => (0_u8..2).prop_map(Code::Old),
            1 => Just(Code::Bad),
        ];
        let answer = prop::sample::select(vec!["accept", "accept", "decline"]);
        let name = prop::sample::select(vec!["", "", "by=spot", "by=reverse"]);
        let terms = vec![
            "state=frozen",
            "state=active",
            "ask=yes",
            "ask=no",
            "day=40.00",
            "month=45.00",
        ];
        let part = prop::sample::select(vec!["0.01", "0.40", "0.42", "1.00", "9.99", "34.05"]);
        let mode = prop::sample::select(vec!["sync", "async", "async"]);
        let refund = || (0..PARTNERS.len(), 0..REFUNDS.len());
        let about = prop::sample::select(vec!["T1", "T2", "R1", "R2"]);
        let sent = prop::sample::select(vec!["lost", "success"]);
        let rate = vec!["HKD CNY 0.90", "HKD CNY 0.005", "USD CNY 7.1234"];
        let wait = vec![
            "0.000001", "0.5", "6", "60", "179.5", "180", "600", "39600", "43200", "86400",
        ];
        prop_oneof![
            10 => (trade(), amount.clone(), wallet(), code)
                .prop_map(|((p, t), amount, w, code)| Self::Pay(p, t, amount, w, code)),
            6 => (answer, trade(), wallet()).prop_map(|(verb, (p, t), w)| Self::Answer(verb, p, t, w)),
            5 => (trade(), name).prop_map(|((p, t), name)| Self::Cancel(p, t, name)),
            2 => trade().prop_map(|(p, t)| Self::Close(p, t)),
            10 => (trade(), 0..REFUNDS.len(), part, mode)
                .prop_map(|((p, t), r, part, mode)| Self::Refund(p, t, r, part, mode)),
            2 => refund().prop_map(|(p, r)| Self::WorkOff(p, r)),
            1 => (0..PARTNERS.len(), about, sent)
                .prop_map(|(p, about, sent)| Self::Deliver(p, about, sent)),
            2 => (1_usize..4).prop_map(Self::Timers),
            1 => (wallet(), amount).prop_map(|(w, amount)| Self::TopUp(w, amount)),
            1 => (wallet(), prop::sample::select(terms)).prop_map(|(w, term)| Self::Amend(w, term)),
            1 => prop::sample::select(rate).prop_map(Self::Rate),
            4 => prop::sample::select(wait).prop_map(Self::Wait),
        ]
    }

    /// The line of the table; `place` makes fresh codes differ.
    fn line(&self, place: usize) -> String {
        match self {
            Self::Pay(p, t, amount, w, code) => {
                let ((partner, currency), id, wallet) = (PARTNERS[*p], IDS[*t], WALLETS[*w]);
                let code = match code {
                    Code::Fresh => format!("{wallet}/fresh{place}"),
                    Code::Old(number) => format!("{wallet}/old{number}"),
                    Code::Bad => "bad:Forged".to_owned(),
                };
                format!("pay {partner} {id} {amount} {currency} {code}")
            }
            Self::Answer(verb, p, t, w) => {
                format!("{verb} {} {} {}", PARTNERS[*p].0, IDS[*t], WALLETS[*w])
            }
            Self::Cancel(p, t, name) => format!("cancel {} {} {name}", PARTNERS[*p].0, IDS[*t]),
            Self::Close(p, t) => format!("close {} {}", PARTNERS[*p].0, IDS[*t]),
            Self::Refund(p, t, r, part, mode) => {
                let (partner, id, refund) = (PARTNERS[*p].0, IDS[*t], REFUNDS[*r]);
                format!("refund {partner} {id} {refund} {part} {mode} url=http://till")
            }
            Self::WorkOff(p, r) => format!("workoff {} {}", PARTNERS[*p].0, REFUNDS[*r]),
            Self::Deliver(p, about, sent) => format!("deliver {} {about} {sent}", PARTNERS[*p].0),
            Self::Timers(slice) => format!("timers {slice}"),
            Self::TopUp(w, amount) => format!("topup {} {amount}", WALLETS[*w]),
            Self::Amend(w, term) => format!("amend {} {term}", WALLETS[*w]),
            Self::Rate(rate) => format!("rate {rate}"),
            Self::Wait(seconds) => format!("wait {seconds}"),
        }
    }

    /// Whether it is one command that leaves the configuration alone, and whose line does not say
    /// what rows it is about only once the ones before it are written.
    fn batches(&self) -> bool {
        match self {
            Self::Rate(_) | Self::Wait(_) | Self::Deliver(..) | Self::Timers(_) => false,
            Self::Pay(..)
            | Self::Refund(..)
            | Self::WorkOff(..)
            | Self::Answer(..)
            | Self::Cancel(..)
            | Self::Close(..)
            | Self::TopUp(..)
            | Self::Amend(..) => true,
        }
    }
}

/// A day to begin in, and what happens; the flag joins an act to the batch of the one before.
fn story() -> impl Strategy<Value = (&'static str, Vec<(Act, bool)>)> {
    let begin = prop::sample::select(vec![
        "at 2026-11-23 12:00:00",
        "at 2026-11-29 23:44:59.999999",
        "at 2026-11-30 23:58:30.5",
    ]);
    let acts = prop::collection::vec((Act::any(), any::<bool>()), 1..48);
    (begin, acts)
}

fn begun(begin: &str) -> World {
    let mut world = World::new();
    world.step(begin);
    for line in SETUP.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let outcome = world.step(line);
        assert!(
            !outcome.starts_with("refused") && !outcome.starts_with("broken"),
            "{line}"
        );
    }
    world
}

/// Plays one act after the other; the trace is a table with its outcomes.
fn play(world: &mut World, acts: &[(Act, bool)]) -> Vec<String> {
    let lines = acts
        .iter()
        .enumerate()
        .map(|(place, (act, _))| act.line(place));
    lines
        .map(|line| format!("{line} -> {}", world.step(&line)))
        .collect()
}

/// Plays the same acts in the batches that the flags make.
fn play_batched(world: &mut World, acts: &[(Act, bool)]) -> Vec<String> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut open = false;
    for (place, (act, joined)) in acts.iter().enumerate() {
        let line = act.line(place);
        match batches.last_mut() {
            Some(batch) if open && *joined && act.batches() => batch.push(line),
            Some(_) | None => batches.push(vec![line]),
        }
        open = act.batches();
    }
    let mut trace = Vec::new();
    for batch in batches {
        let lines: Vec<&str> = batch.iter().map(String::as_str).collect();
        let outcomes = match lines.as_slice() {
            [line] => vec![world.step(line)],
            _ => world.batch(&lines),
        };
        trace.extend(
            lines
                .iter()
                .zip(outcomes)
                .map(|(line, outcome)| format!("{line} -> {outcome}")),
        );
    }
    trace
}

/// All trades and refunds as a query tells them.
fn shown(world: &mut World) -> BTreeMap<String, String> {
    let trades = PARTNERS
        .iter()
        .flat_map(|(partner, _)| IDS.map(|id| format!("{partner} {id}")));
    let refunds = PARTNERS
        .iter()
        .flat_map(|(partner, _)| REFUNDS.map(|id| format!("refund {partner} {id}")));
    trades
        .chain(refunds)
        .map(|key| (key.clone(), world.step(&format!("show {key}"))))
        .collect()
}

/// Nothing may become anything; a mark and a closed trade stay; a paid one is refunded in parts or
/// closes after payment; a refund that is over stays.
fn may_follow(was: &str, is: &str) -> bool {
    let state = |text: &str| text.split(", ").next().unwrap_or_default().to_owned();
    // Another day's instants are told with their date.
    let undated = |text: &str| {
        let what = text.split(" at ").next().unwrap_or_default().to_owned();
        (what, text.rsplit(' ').next().unwrap_or_default().to_owned())
    };
    let over = [" done ", " failed ", " cancelled "];
    if over.iter().any(|word| was.contains(word)) {
        return undated(was) == undated(is);
    }
    let settled = ["mark", "closed"].iter().any(|word| was.starts_with(word));
    let paid = was.starts_with("paid")
        && state(was) != state(is)
        && !(is.starts_with("closed") && is.contains("after payment"));
    was == is || !(settled || paid || is == "nothing" || is.starts_with("mark") && was != "nothing")
}

/// What a world's rows come to, without our own numbers.
fn sums(world: &mut World) -> Vec<String> {
    let mut sums: Vec<String> = shown(world).into_values().collect();
    let wallets = WALLETS.iter().map(|wallet| format!("balance {wallet}"));
    let partners = PARTNERS
        .iter()
        .map(|(partner, _)| format!("turnover {partner}"));
    let notifications = PARTNERS.iter().flat_map(|(partner, _)| {
        REFUNDS.map(|refund| format!("show notification {partner} {refund}"))
    });
    let lines: Vec<String> = wallets.chain(partners).chain(notifications).collect();
    sums.extend(lines.iter().map(|line| world.step(line)));
    sums.push(world.step("books"));
    sums
}

fn cents(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// A price in cents, and its parts: each takes so many thousandths of what is left, at least a
/// cent; the last takes the rest.
fn split() -> impl Strategy<Value = (i64, Vec<(i64, bool)>)> {
    let cuts = prop::collection::vec((1_i64..1_000, any::<bool>()), 0..8);
    let price = prop_oneof![1_i64..12, 1_i64..3_000];
    (price, cuts, any::<bool>()).prop_map(|(price, cuts, last)| {
        let (mut left, mut parts) = (price, Vec::new());
        for (cut, by_night) in cuts {
            let part = (left * cut / 1_000).max(1);
            if part < left {
                parts.push((part, by_night));
                left -= part;
            }
        }
        parts.push((left, last));
        (price, parts)
    })
}

/// What a partner is owed, in cents, as the books tell it.
fn owed(world: &mut World, partner: &str) -> i64 {
    let books = world.step("books");
    let line = books
        .split(", ")
        .find_map(|line| line.strip_prefix(&format!("{partner} HKD ")));
    line.map_or(0, |text| {
        let money = Money::parse_major(text, Currency::HKD);
        money.unwrap().minor()
    })
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/properties.regressions",
        ))),
        ..ProptestConfig::with_cases(256)
    }
}

proptest! {
    #![proptest_config(config())]

    // Goal: the books hold after every step, nothing that is final moves, every payment, cancel and
    // refund said again at once is a repeat; three quiet minutes later nothing waits, and a day
    // later no refund that has funds.
    #[test]
    fn books_hold_and_repeats_do_nothing((begin, acts) in story()) {
        let mut world = begun(begin);
        let mut trace = vec![begin.to_owned()];
        let mut before = shown(&mut world);
        for (place, (act, _)) in acts.iter().enumerate() {
            let line = act.line(place);
            let outcome = world.step(&line);
            trace.push(format!("{line} -> {outcome}"));
            prop_assert!(!outcome.contains("broken"), "{trace:#?}");
            let after = shown(&mut world);
            for (key, is) in &after {
                prop_assert!(may_follow(&before[key], is), "{key}: {} -> {is} {trace:#?}", before[key]);
            }
            let first = outcome.trim_start_matches("repeat, ");
            let lasts = line.starts_with("pay") && !outcome.starts_with("refused");
            let repeats = line.starts_with("cancel") || line.starts_with("refund");
            if lasts || repeats && !outcome.starts_with("refused") {
                let rows = world.rows();
                prop_assert_eq!(world.step(&line), format!("repeat, {first}"), "{:#?}", trace);
                prop_assert_eq!(world.rows(), rows, "{:#?}", trace);
            }
            before = after;
        }
        world.step("wait 180");
        for (key, told) in shown(&mut world) {
            prop_assert!(!told.starts_with("waiting"), "{key} {told}");
            if key.starts_with("refund") {
                continue;
            }
            let closed = world.step(&format!("close {key}"));
            prop_assert!(closed == "Done" || closed == "Nothing", "{key} {closed} {trace:#?}");
            prop_assert_eq!(world.step(&format!("timer {key}")), "none");
        }
        let told = world.step("pass 86400");
        prop_assert!(!told.contains("broken"), "{told} {trace:#?}");
        for (key, told) in shown(&mut world) {
            prop_assert!(!told.contains("accepted due"), "{key} {told} {trace:#?}");
        }
    }

    // Goal: the same commands give the same answers and rows, in another world as well and
    // however they fall into batches.
    #[test]
    fn traces_repeat_and_batches_do_not_matter((begin, acts) in story()) {
        let mut worlds = [begun(begin), begun(begin), begun(begin)];
        let trace = play(&mut worlds[0], &acts);
        prop_assert_eq!(&play(&mut worlds[1], &acts), &trace);
        prop_assert_eq!(&play_batched(&mut worlds[2], &acts), &trace);
        let [first, second, batched] = worlds.map(|world| world.rows());
        prop_assert_eq!(&second, &first);
        prop_assert_eq!(&batched, &first);
    }
    // Goal: a night in slices of any size ends like one that goes refund by refund, with funds for
    // all or for some.
    #[test]
    fn slices_of_a_night_do_not_matter(
        pays in prop::collection::vec(prop::sample::select(vec!["1.00", "5.00", "10.00"]), 9),
        asks in prop::collection::vec((0..3_usize, 0..3_usize, 1_i64..900), 8),
        cancels in prop::option::of((0..3_usize, 0..3_usize)),
        slice in 2_usize..9,
        late in any::<bool>(),
    ) {
        let mut lines = Vec::new();
        for (place, amount) in pays.iter().enumerate() {
            let ((partner, currency), id) = (PARTNERS[place / 3], IDS[place % 3]);
            let wallet = if currency == "USD" { "ming" } else { "alice" };
            lines.push(format!("pay {partner} {id} {amount} {currency} {wallet}/{place}"));
        }
        for (place, (p, t, minor)) in asks.iter().enumerate() {
            let (partner, id, refund) = (PARTNERS[*p].0, IDS[*t], REFUNDS[place % 4]);
            lines.push(format!("refund {partner} {id} {refund} {} async url=http://till", cents(*minor)));
        }
        lines.extend(cancels.map(|(p, t)| format!("cancel {} {}", PARTNERS[p].0, IDS[t])));
        let night = if late { "at 2026-11-24 06:00:00" } else { "at 2026-11-23 23:00:00" };
        let mut worlds = [begun("at 2026-11-23 12:00:00"), begun("at 2026-11-23 12:00:00")];
        for world in &mut worlds {
            for line in &lines {
                let outcome = world.step(line);
                prop_assert!(!outcome.contains("broken"), "{line} {outcome}");
            }
            world.step(night);
        }
        let [one, many] = &mut worlds;
        for (world, slice) in [(&mut *one, 1), (&mut *many, slice)] {
            let told = world.step(&format!("timers {slice}"));
            prop_assert!(!told.contains("broken"), "{told} {lines:#?}");
        }
        prop_assert_eq!(sums(many), sums(one), "{:#?}", lines);
    }

    // Goal: however a payment is given back, the parts give exactly the whole CNY and, where it is
    // returned, the whole commission: the books are as before the payment.
    #[test]
    fn parts_give_back_the_whole(
        (price, parts) in split(),
        (product, currency) in prop::sample::select(vec![("HK", "HKD"), ("STANDARD", "USD")]),
        rate in prop::sample::select(vec!["0.92", "7.1234", "0.004", "0.33333333", "12.00000001"]),
        share in prop::sample::select(vec!["0.012", "0.5", "0.999999", "1", "0"]),
    ) {
        let mut world = World::new();
        let mut lines = vec![
            format!("partner p {product} {currency} rate={share} commission_on_refund=returned"),
            format!("rate {currency} CNY {rate}"),
            "wallet ming CN 1000.00".to_owned(),
            format!("pay p T1 {} {currency} ming", cents(price)),
        ];
        for (place, (part, by_night)) in parts.iter().enumerate() {
            let mode = if *by_night { "async" } else { "sync" };
            lines.push(format!("refund p T1 R{place} {} {mode}", cents(*part)));
        }
        lines.push("until 23:00:00".to_owned());
        for line in &lines {
            let outcome = world.step(line);
            prop_assert!(!outcome.contains("broken"), "{lines:#?} {line} {outcome}");
            prop_assert!(!outcome.starts_with("refused"), "{lines:#?} {line} {outcome}");
        }
        prop_assert!(world.step("show p T1").starts_with("closed Refunded"), "{lines:#?}");
        prop_assert_eq!(world.step("books"), "ming CNY 1000.00, topups CNY -1000.00", "{:#?}", lines);
    }

    // Goal: refunds alone never take more than the merchant has and has deposited, and one that is
    // short goes through under a new number once exactly what it lacks is deposited.
    #[test]
    fn refunds_stay_within_the_funds(
        reserve in 1_i64..2_000,
        kept in prop::sample::select(vec!["kept", "returned"]),
        acts in prop::collection::vec((any::<bool>(), 1_i64..1_500), 1..16),
    ) {
        let mut world = World::new();
        world.step(&format!("partner p HK reserve={} commission_on_refund={kept}", cents(reserve)));
        world.step("wallet alice HK 10000.00");
        world.step("pay p T0 10.00 HKD alice/0");
        let mut trades = 1;
        for (place, (pays, minor)) in acts.iter().enumerate() {
            if *pays {
                world.step(&format!("pay p T{trades} {} HKD alice/{trades}", cents(*minor)));
                trades += 1;
                continue;
            }
            let before = owed(&mut world, "p");
            let line = format!("refund p T{} R{place} {} sync", trades - 1, cents(*minor));
            let outcome = world.step(&line);
            let after = owed(&mut world, "p");
            prop_assert!(-reserve <= after, "{line} {outcome}");
            prop_assert!(!outcome.contains("broken"), "{line} {outcome}");
            if outcome.starts_with("refused") {
                prop_assert_eq!(after, before, "{} {}", line, outcome);
            }
            if outcome == "refused FundsShort" && kept == "kept" {
                let lacks = minor - before - reserve;
                prop_assert!(0 < lacks, "{line} {outcome}");
                let more = format!("partner p HK reserve={}", cents(reserve + lacks));
                world.step(&more);
                let again = world.step(&line.replace(" R", " S"));
                prop_assert!(again.starts_with("done"), "{line} {again}");
                break;
            }
        }
    }
}
