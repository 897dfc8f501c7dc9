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

use world::World;

const PARTNERS: [(&str, &str); 3] = [("tea-house", "HKD"), ("noodles", "HKD"), ("louvre", "USD")];
const IDS: [&str; 3] = ["T1", "T2", "T3"];
const WALLETS: [&str; 4] = ["alice", "carol", "ming", "tang"];
const SETUP: &str = "
    partner tea-house HK day=60.00
    partner noodles HK rate=0.5 grace=unpaid_only
    partner louvre STANDARD USD payment=12.00
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
        let rate = vec!["HKD CNY 0.90", "HKD CNY 0.005", "USD CNY 7.1234"];
        let wait = vec![
            "0.000001", "0.5", "6", "60", "179.5", "180", "600", "43200", "86400",
        ];
        prop_oneof![
            10 => (trade(), amount.clone(), wallet(), code)
                .prop_map(|((p, t), amount, w, code)| Self::Pay(p, t, amount, w, code)),
            6 => (answer, trade(), wallet()).prop_map(|(verb, (p, t), w)| Self::Answer(verb, p, t, w)),
            5 => (trade(), name).prop_map(|((p, t), name)| Self::Cancel(p, t, name)),
            2 => trade().prop_map(|(p, t)| Self::Close(p, t)),
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
            Self::TopUp(w, amount) => format!("topup {} {amount}", WALLETS[*w]),
            Self::Amend(w, term) => format!("amend {} {term}", WALLETS[*w]),
            Self::Rate(rate) => format!("rate {rate}"),
            Self::Wait(seconds) => format!("wait {seconds}"),
        }
    }

    /// Whether it goes through the engine and leaves the configuration alone.
    fn batches(&self) -> bool {
        match self {
            Self::Rate(_) | Self::Wait(_) => false,
            Self::Pay(..)
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

/// All trades as a query tells them.
fn shown(world: &mut World) -> BTreeMap<String, String> {
    let keys = PARTNERS
        .iter()
        .flat_map(|(partner, _)| IDS.map(|id| format!("{partner} {id}")));
    keys.map(|key| (key.clone(), world.step(&format!("show {key}"))))
        .collect()
}

/// Nothing may become anything; a mark and a closed trade stay; a paid one closes after payment.
fn may_follow(was: &str, is: &str) -> bool {
    let settled = was.starts_with("mark") || was.starts_with("closed");
    let paid =
        was.starts_with("paid") && !(is.starts_with("closed") && is.contains("after payment"));
    was == is || !(settled || paid || is == "nothing" || is.starts_with("mark") && was != "nothing")
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

    // Goal: the books hold after every step, nothing that is final moves, every payment said again
    // at once is a repeat, and three quiet minutes later nothing waits.
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
            if lasts || line.starts_with("cancel") && !outcome.starts_with("refused") {
                let rows = world.rows();
                prop_assert_eq!(world.step(&line), format!("repeat, {first}"), "{:#?}", trace);
                prop_assert_eq!(world.rows(), rows, "{:#?}", trace);
            }
            before = after;
        }
        world.step("wait 180");
        for (key, told) in shown(&mut world) {
            prop_assert!(!told.starts_with("waiting"), "{key} {told}");
            let closed = world.step(&format!("close {key}"));
            prop_assert!(closed == "Done" || closed == "Nothing", "{key} {closed} {trace:#?}");
            prop_assert_eq!(world.step(&format!("timer {key}")), "none");
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
}
