//! What happens to each request, and what the checkout comes to.

use spotpay_client::{Client, Ending, Event, NotPaid, Sale, Stuck, Watcher};

use crate::model::{Fate, Memory, Temper, World, folded, hkd, settings};

/// Words between the fates: what the buyer or the cashier does before the next request.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Confirm,
    Decline,
    CodeExpires,
    GiveUp,
    /// Midnight: the time for cancelling is over.
    Midnight,
    /// Others give everything back.
    ByHand,
}

struct Script<'w> {
    world: &'w World,
    deeds: Vec<(usize, Deed)>,
    replies: usize,
    given_up: bool,
}

impl Watcher for Script<'_> {
    fn see(&mut self, event: &Event<'_>) {
        if let Event::Answered(_) = event {
            self.replies += 1;
            for (_, deed) in self.deeds.iter().filter(|(at, _)| *at == self.replies) {
                match deed {
                    Deed::Confirm => self.world.answer_waiting(true),
                    Deed::Decline => self.world.answer_waiting(false),
                    Deed::CodeExpires => self.world.change(|temper| temper.code_good = false),
                    Deed::GiveUp => self.given_up = true,
                    Deed::Midnight => self.world.change(|temper| temper.window_over = true),
                    Deed::ByHand => self.world.refund_by_hand(),
                }
            }
        }
    }

    fn gives_up(&mut self) -> bool {
        self.given_up
    }
}

pub(crate) fn describe(ending: &Ending) -> String {
    match ending {
        Ending::Paid(receipt) => format!("paid {}", receipt.amount.money().major()),
        Ending::NotPaid(NotPaid::Refused(refusal)) => format!("refused {}", refusal.code()),
        Ending::NotPaid(NotPaid::Closed) => "closed".to_owned(),
        Ending::NotPaid(NotPaid::Cancelled { action }) => match action {
            Some(action) => format!("cancelled {}", action.as_str()),
            None => "cancelled".to_owned(),
        },
        Ending::NotPaid(NotPaid::Refunded { partner_refund_id }) => match partner_refund_id {
            Some(id) => format!("refunded {id}"),
            None => "refunded".to_owned(),
        },
        Ending::NotPaid(NotPaid::NeverSent(_)) => "never sent".to_owned(),
        Ending::Unknown(Stuck::OtherTrade) => "unknown other trade".to_owned(),
        Ending::Unknown(stuck) => format!("unknown {}", stuck.name()),
        other => format!("{other:?}"),
    }
}

fn temper(words: &str) -> Temper {
    let mut temper = Temper::default();
    for word in words.split_whitespace() {
        match word {
            "poor" => temper.funds = false,
            "careful" => temper.confirms = true,
            "late" => temper.window_over = true,
            "frozen" => temper.frozen = true,
            "broke" => temper.broke = true,
            "old" => temper.too_late = true,
            _ => panic!("{word}"),
        }
    }
    temper
}

fn fate(word: &str) -> Fate {
    match word {
        "ok" => Fate::Ok,
        "unreachable" => Fate::Unreachable,
        "lost" => Fate::Lost,
        "mute" => Fate::Mute,
        "fault" => Fate::Fault,
        "unknown" => Fate::Unknown,
        "done-unknown" => Fate::DoneUnknown,
        "forged" => Fate::Forged,
        "page" => Fate::Page,
        "huge" => Fate::Huge,
        "crossed" => Fate::Crossed,
        late => Fate::Late(late.strip_prefix("late").unwrap().parse().unwrap()),
    }
}

/// Fates by request; `word*n` is n times; the rest is `ok`. `+confirm` is done before the next.
fn check(buyer: &str, script: &str, requests: &str, ending: &str) {
    let (mut fates, mut deeds) = (Vec::new(), Vec::new());
    for word in script.split_whitespace() {
        let (word, times) = word.split_once('*').unwrap_or((word, "1"));
        let deed = match word {
            "+confirm" => Deed::Confirm,
            "+decline" => Deed::Decline,
            "+expire" => Deed::CodeExpires,
            "+give-up" => Deed::GiveUp,
            "+midnight" => Deed::Midnight,
            "+by-hand" => Deed::ByHand,
            word => {
                let times = times.parse().unwrap();
                fates.extend(std::iter::repeat_n(fate(word), times));
                continue;
            }
        };
        deeds.push((fates.len(), deed));
    }
    let world = World::new(temper(buyer), fates);
    let client = Client::new(settings(), &world);
    let code = "288888888888888888".parse().unwrap();
    let sale = Sale::new("T1".parse().unwrap(), hkd("39.30"), "Tea", code);
    let mut journal = Memory::default();
    let mut watcher = Script {
        world: &world,
        deeds,
        replies: 0,
        given_up: false,
    };
    let got = client
        .checkout(sale, &mut journal, &world, &mut watcher)
        .unwrap();
    let line = format!("{buyer} | {script}");
    assert_eq!(folded(&world.log.borrow()), requests, "{line}");
    assert_eq!(describe(&got), ending, "{line}");
    let open = journal.unfinished().len();
    assert_eq!(open, usize::from(ending.starts_with("unknown")), "{line}");
    world.drain();
    match got {
        Ending::Paid(_) => assert!(world.money_taken("T1"), "{line}"),
        Ending::NotPaid(_) => assert!(!world.money_taken("T1"), "{line}"),
        _ => {}
    }
}

// Goal: the flow of `spec/09`, line by line.
#[test]
fn reference_flow() {
    check("", "ok", "pay", "paid 39.30");
    check("poor", "ok", "pay", "refused BUYER_BALANCE_NOT_ENOUGH");
    check("careful", "ok*3 +confirm", "pay query*3", "paid 39.30");
    check("careful", "ok*3 +decline", "pay query*3", "closed");
    check("careful", "", "pay query*20 cancel", "cancelled close");
    check(
        "careful",
        "ok*3 +give-up",
        "pay query*2 cancel",
        "cancelled close",
    );
    check("", "mute", "pay query", "paid 39.30");
    check("", "unknown", "pay query pay", "paid 39.30");
    check("", "done-unknown", "pay query", "paid 39.30");
    check("", "fault", "pay query pay", "paid 39.30");
}

// Goal: a pay that did not arrive is repeated under its id while the code is fresh, and a refusal
// of the repeat is not believed before the first pay can do no harm.
#[test]
fn lost_pays() {
    check("", "lost", "pay query pay", "paid 39.30");
    check("", "late0", "pay query", "paid 39.30");
    check("", "late1", "pay query pay", "paid 39.30");
    check(
        "",
        "late4 +expire",
        "pay query pay query cancel",
        "refused SOUNDWAVE_PARSER_FAIL",
    );
    check(
        "poor",
        "late9",
        "pay query pay query cancel",
        "refused BUYER_BALANCE_NOT_ENOUGH",
    );
    check(
        "poor",
        "lost ok*2 lost",
        "pay query pay query*2 cancel",
        "refused BUYER_BALANCE_NOT_ENOUGH",
    );
    check("", "lost*5", "pay query*3 cancel*2", "cancelled");
    check(
        "",
        "lost ok lost ok lost",
        "pay query pay query pay query cancel",
        "cancelled",
    );
    check(
        "",
        "fault*99",
        "pay query*20 cancel*10 query",
        "unknown SYSTEM_ERROR",
    );
}

// Goal: a gateway that was never reached took nothing.
#[test]
fn unreachable() {
    check("", "unreachable", "pay*2", "paid 39.30");
    check("", "unreachable*99", "pay*3", "never sent");
    check("", "unreachable +give-up", "pay", "cancelled");
    check("", "mute unreachable*2", "pay query*3", "paid 39.30");
    check(
        "",
        "mute unreachable*99",
        "pay query*8 cancel*10 query",
        "unknown not_sent",
    );
    check(
        "poor",
        "unreachable",
        "pay*2",
        "refused BUYER_BALANCE_NOT_ENOUGH",
    );
}

// Goal: what is not signed by the gateway, or not about this trade, is no answer.
#[test]
fn answers_that_are_none() {
    for word in ["forged", "page", "huge", "crossed"] {
        check("", word, "pay query", "paid 39.30");
        check(
            "poor",
            &format!("{word} ok*2"),
            match word {
                // An unsigned refusal to the first pay leaves it in doubt.
                "forged" | "page" | "huge" => "pay query pay query cancel",
                // A refusal carries our id here, so it counts.
                _ => "pay",
            },
            "refused BUYER_BALANCE_NOT_ENOUGH",
        );
        check("", &format!("mute {word}"), "pay query*2", "paid 39.30");
        check(
            "careful",
            &format!("ok*21 {word}"),
            "pay query*20 cancel*2",
            "cancelled",
        );
    }
}

// Goal: cancel is repeated until it is known; when it will not, people are called.
#[test]
fn cancels() {
    check(
        "careful",
        "ok*21 mute",
        "pay query*20 cancel*2",
        "cancelled",
    );
    check(
        "careful",
        "ok*21 unknown",
        "pay query*20 cancel*2",
        "cancelled close",
    );
    check(
        "careful",
        "ok*21 done-unknown",
        "pay query*20 cancel*2",
        "cancelled",
    );
    check(
        "careful",
        "ok*21 unreachable*9",
        "pay query*20 cancel*10",
        "cancelled close",
    );
    check(
        "careful",
        "ok*21 lost*99",
        "pay query*20 cancel*10 query",
        "unknown no_answer",
    );
    check(
        "careful",
        "ok*21 mute*10",
        "pay query*20 cancel*10 query",
        "cancelled",
    );
    check(
        "careful late",
        "",
        "pay query*20 cancel query",
        "unknown TRADE_CANCEL_TIME_OUT",
    );
    check(
        "careful frozen",
        "",
        "pay query*20 cancel query",
        "unknown REASON_TRADE_BEEN_FREEZEN",
    );
    check(
        "careful frozen",
        "ok*22 +confirm",
        "pay query*20 cancel query",
        "paid 39.30",
    );
    // A cancel is still under way, so paid is not certain.
    check(
        "careful frozen",
        "ok*21 late9 ok +confirm",
        "pay query*20 cancel*2 query",
        "unknown REASON_TRADE_BEEN_FREEZEN",
    );
}

/// A payment whose query is lost until it is midnight: the cancel comes too late for it.
fn late(buyer: &str, script: &str, requests: &str, ending: &str) {
    check(
        &format!("late {buyer}"),
        &format!("mute lost*3 {script}"),
        &format!("pay query*3 cancel {requests}"),
        ending,
    );
}

// Goal: what can no longer be cancelled is refunded in full, under one number, until it is known.
#[test]
fn last_resort() {
    late("", "", "query refund", "refunded T1-UNDO-1");
    for word in [
        "lost",
        "mute",
        "fault",
        "unknown",
        "done-unknown",
        "forged",
        "page",
        "huge",
        "crossed",
        "unreachable",
        "late0",
        "late3",
    ] {
        let script = format!("ok*2 {word}");
        late("", &script, "query refund*2", "refunded T1-UNDO-1");
    }
    late("", "ok*2 lost*9", "query refund*10", "refunded T1-UNDO-1");
    // Nobody answers the refund, but the trade is closed.
    late("", "ok*2 mute*10", "query refund*10 query", "refunded");
    late(
        "",
        "ok*2 lost*99",
        "query refund*10 query",
        "unknown no_answer",
    );
    late(
        "",
        "ok*2 fault*99",
        "query refund*10 query",
        "unknown SYSTEM_ERROR",
    );
    // What the query does not tell is not guessed.
    late("", "ok lost", "query", "unknown TRADE_CANCEL_TIME_OUT");
}

// Goal: a refund that is refused names its code, unless the query tells that all is back.
#[test]
fn last_resort_refused() {
    late(
        "broke",
        "",
        "query refund query",
        "unknown MERCHANT_BALANCE_NOT_ENOUGH",
    );
    late(
        "old",
        "",
        "query refund query",
        "unknown REFUNDMENT_VALID_DATE_EXCEED",
    );
    late("", "ok*2 +by-hand", "query refund query", "refunded");
    late("", "ok +by-hand", "query", "closed");
    check(
        "careful",
        "ok*21 lost +midnight",
        "pay query*20 cancel*2 query",
        "unknown TRADE_CANCEL_TIME_OUT",
    );
}
