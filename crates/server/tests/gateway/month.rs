//! A month of days: what the script did, against the files that the gateway makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use spotpay_core::time::CivilDate;

use crate::world::World;

/// An event as both sides can tell it: kind, the partner's number, the amount, and the gateway's
/// number of the trade.
type Event = (String, String, String, String);

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn cents(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn minor(text: &str) -> i64 {
    let digits: String = text.chars().filter(|letter| *letter != '.').collect();
    digits.parse().unwrap()
}

/// A trade that can still be refunded.
struct Paid {
    partner: &'static str,
    id: String,
    left: u64,
}

/// The script's own memory.
struct Month {
    world: World,
    dice: Dice,
    paid: Vec<Paid>,
    /// By partner and business date.
    events: BTreeMap<(&'static str, CivilDate), BTreeSet<Event>>,
    count: u32,
}

const SHOPS: [(&str, &str); 3] = [
    ("tea-house", "alice"),
    ("dim-sum", "alice"),
    ("duty-free", "bob"),
];

impl Month {
    fn note(
        &mut self,
        partner: &'static str,
        date: CivilDate,
        kind: &str,
        ids: (&str, &str),
        amount: u64,
    ) {
        let (id, trade) = ids;
        let names = self.world.names.lock().unwrap();
        let number = names[&format!("{partner}/{trade}")].clone();
        drop(names);
        let event = (kind.to_owned(), id.to_owned(), cents(amount), number);
        assert!(
            self.events
                .entry((partner, date))
                .or_default()
                .insert(event)
        );
    }

    /// A payment, now and then cancelled at once.
    async fn pay(&mut self, date: CivilDate) {
        let (partner, wallet) = SHOPS[usize::try_from(self.dice.below(3)).unwrap()];
        let (amount, id) = (1 + self.dice.below(20_000), format!("T{}", self.count));
        self.count += 1;
        let line = format!("pay {partner} {id} {wallet} {} -> SUCCESS", cents(amount));
        self.world.check(&line).await;
        self.note(partner, date, "PAYMENT", (&id, &id), amount);
        match self.dice.below(6) {
            0 => {
                self.world
                    .check(&format!("cancel {partner} {id} -> SUCCESS"))
                    .await;
                self.note(partner, date, "CANCEL", (&id, &id), amount);
            }
            1 => {
                self.world
                    .check(&format!("reverse {partner} {id} -> SUCCESS"))
                    .await;
                self.note(partner, date, "REVERSAL", (&id, &id), amount);
            }
            // Who has no reserve could not pay a refund of what is settled.
            _ if partner == "dim-sum" => {}
            _ => self.paid.push(Paid {
                partner,
                id,
                left: amount,
            }),
        }
    }

    /// A part or the rest of an earlier payment, at once or in the night of the same date.
    async fn refund(&mut self, date: CivilDate, is_night: bool) {
        if self.paid.is_empty() {
            return;
        }
        let place = self.dice.below(self.paid.len().try_into().unwrap());
        let mut paid = self.paid.swap_remove(place.try_into().unwrap());
        let amount = match self.dice.below(3) {
            0 => paid.left,
            _ => 1 + self.dice.below(paid.left),
        };
        let id = format!("R{}", self.count);
        self.count += 1;
        let sync = if is_night || self.dice.below(2) == 0 {
            "Y"
        } else {
            "N"
        };
        let (partner, trade) = (paid.partner, &paid.id);
        let line = format!(
            "refund {partner} {trade} {id} {} is_sync={sync} -> SUCCESS",
            cents(amount)
        );
        self.world.check(&line).await;
        self.note(partner, date, "REFUND", (&id, trade), amount);
        paid.left -= amount;
        if paid.left > 0 {
            self.paid.push(paid);
        }
    }

    /// The rows of a day's file: column by name.
    async fn rows(
        &self,
        partner: &str,
        date: CivilDate,
        kind: &str,
    ) -> Vec<BTreeMap<String, String>> {
        let wish = format!(r#"{{"partner":"{partner}","date":"{date}","kind":"{kind}"}}"#);
        let file = self.world.does("POST", "/files", &wish).await;
        let Some(name) = file["name"].as_str() else {
            return Vec::new();
        };
        let text = std::fs::read_to_string(self.world.app().data.join("files").join(name)).unwrap();
        let mut lines = text.lines();
        if kind == "transaction" {
            let head = lines.next().unwrap();
            assert!(
                head.ends_with(&format!("|Total_count:{}", file["rows"])),
                "{head}"
            );
        }
        let columns: Vec<&str> = lines.next().unwrap().split('|').collect();
        let row = |line: &str| {
            let values = line.split('|').map(str::to_owned);
            columns
                .iter()
                .map(|name| (*name).to_owned())
                .zip(values)
                .collect()
        };
        let rows: Vec<_> = lines.map(row).collect();
        assert_eq!(file["rows"], rows.len());
        rows
    }

    /// Checks a partner's transaction files against the script.
    async fn check_transactions(&self, partner: &'static str, dates: &[CivilDate]) {
        for date in dates {
            let rows = self.rows(partner, *date, "transaction").await;
            let told: Vec<Event> = rows
                .iter()
                .map(|row| {
                    let get = |name: &str| row[name].clone();
                    assert_eq!(&get("Payment_time")[..10], date.to_string());
                    let id = (get("Transaction_type"), get("Partner_transaction_id"));
                    (id.0, id.1, get("Transaction_amount"), get("Transaction_id"))
                })
                .collect();
            let expected = self
                .events
                .get(&(partner, *date))
                .cloned()
                .unwrap_or_default();
            assert_eq!(told.len(), expected.len(), "{partner} {date}");
            assert_eq!(
                told.into_iter().collect::<BTreeSet<_>>(),
                expected,
                "{partner} {date}"
            );
        }
    }

    /// Checks a partner's settlement files against the script and its batches; what was paid out.
    async fn check_settlements(
        &self,
        partner: &'static str,
        days: &[CivilDate],
        off: &[CivilDate],
    ) -> i64 {
        let mut left: BTreeMap<CivilDate, BTreeSet<Event>> = BTreeMap::new();
        for ((name, date), events) in &self.events {
            if *name == partner {
                let mut day = date.plus_days(1);
                while day.is_weekend() || off.contains(&day) {
                    day = day.plus_days(1);
                }
                left.entry(day).or_default().extend(events.iter().cloned());
            }
        }
        let number = self.world.till(partner).await.partner;
        let batches = self.world.does("GET", "/batches", "").await;
        let mut paid_out = 0;
        for day in days {
            let mut net = 0;
            for row in self.rows(partner, *day, "settlement").await {
                let get = |name: &str| row[name].clone();
                let (id, trade) = (get("Partner_transaction_id"), get("Transaction_id"));
                let sign = if get("Type") == "P" { 1 } else { -1 };
                net += sign * minor(&get("Settlement"));
                assert_eq!(
                    minor(&get("Amount")) - minor(&get("Fee")),
                    minor(&get("Settlement"))
                );
                assert_eq!(get("Settlement_time"), format!("{day} 15:30:00"));
                let events = left
                    .get_mut(day)
                    .unwrap_or_else(|| panic!("{partner} {day} {row:?}"));
                let found = events
                    .iter()
                    .find(|event| {
                        let is_cancel = event.0 == "CANCEL" || event.0 == "REVERSAL";
                        let own = if is_cancel { &event.3 } else { &event.1 };
                        let is_back = event.0 != "PAYMENT";
                        (own, &event.2, &event.3) == (&id, &get("Amount"), &trade)
                            && is_back == (sign < 0)
                    })
                    .cloned();
                let found = found.unwrap_or_else(|| panic!("{partner} {day}: nothing is {row:?}"));
                events.remove(&found);
            }
            let of_day: Vec<&Value> = batches
                .as_array()
                .unwrap()
                .iter()
                .filter(|batch| {
                    batch["partner"] == number.as_str() && batch["date"] == day.to_string()
                })
                .collect();
            let told: i64 = of_day
                .iter()
                .map(|batch| minor(batch["net"].as_str().unwrap()))
                .sum();
            assert!(of_day.len() <= 1);
            assert_eq!(told, net, "{partner} {day}");
            paid_out += of_day
                .iter()
                .map(|batch| minor(batch["paid_out"].as_str().unwrap()))
                .sum::<i64>();
        }
        let missing: Vec<_> = left
            .iter()
            .filter(|(_, events)| !events.is_empty())
            .collect();
        assert_eq!(missing, Vec::new(), "{partner}: settled nowhere");
        paid_out
    }
}

// Goal: over weekends and holidays, with refunds and cancels up to the cut-offs, every event is in
// exactly one transaction file and in exactly one settlement file, that of the next working day;
// batches equal the files to the cent, and the bank moved what was paid out.
#[tokio::test]
async fn a_month_of_days() {
    let world = World::start().await;
    let holidays = "calendar,date\nCN,2026-12-02\nCN,2026-12-03\nCN,2026-12-14\n";
    world.does("POST", "/holidays", holidays).await;
    let off: Vec<CivilDate> = ["2026-12-02", "2026-12-03", "2026-12-14"]
        .into_iter()
        .filter_map(CivilDate::parse_dashed)
        .collect();
    let mut month = Month {
        world,
        dice: Dice(20_261_123),
        paid: Vec::new(),
        events: BTreeMap::new(),
        count: 0,
    };
    let first = CivilDate::parse_dashed("2026-11-24").unwrap();
    let dates: Vec<CivilDate> = (0..30).map(|day| first.plus_days(day)).collect();
    for date in &dates {
        for time in [
            "00:00:00", "09:00:00", "15:29:59", "15:30:00", "22:59:59", "23:59:59",
        ] {
            if month.dice.below(3) > 0 {
                continue;
            }
            month
                .world
                .check(&format!("clock {date}T{time}+08:00"))
                .await;
            for _ in 0..=month.dice.below(2) {
                if month.dice.below(3) == 0 {
                    month.refund(*date, time.starts_with("23")).await;
                } else {
                    month.pay(*date).await;
                }
            }
        }
    }
    month.world.check("clock P7D\nbooks").await;
    let days: Vec<CivilDate> = (0..37).map(|day| first.plus_days(day)).take(35).collect();
    for (currency, shops) in [("HKD", &SHOPS[..2]), ("USD", &SHOPS[2..])] {
        let mut paid_out = 0;
        for (partner, _) in shops {
            month.check_transactions(partner, &dates).await;
            paid_out += month.check_settlements(partner, &days, &off).await;
        }
        assert!(paid_out > 0);
        let paid_out = cents(paid_out.try_into().unwrap());
        let line = format!("account bank-clearing {currency} -> balance={paid_out}");
        month.world.check(&line).await;
    }
    assert!(month.events.values().map(BTreeSet::len).sum::<usize>() > 80);
}
