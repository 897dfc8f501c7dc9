//! The rules as tables: one action per line, and what it must lead to.
//!
//! After every line the world audits the books without core's own arithmetic (`world/audit.rs`).

#![expect(
    clippy::unwrap_used,
    reason = "a table that does not parse is a failed test"
)]

#[path = "rules/close.rs"]
mod close;
#[path = "rules/limits.rs"]
mod limits;
#[path = "rules/nights.rs"]
mod nights;
#[path = "rules/notifications.rs"]
mod notifications;
#[path = "rules/pay.rs"]
mod pay;
#[path = "rules/refund.rs"]
mod refund;
#[path = "rules/stores.rs"]
mod stores;
mod world;

use world::World;

/// Plays a table. What is not said after `->` is only that nothing is refused; lines between
/// `batch` and `end` are decided as one batch.
fn check(table: &str) {
    let mut world = World::new();
    let mut wrong = Vec::new();
    let mut batch: Option<Vec<(usize, &str)>> = None;
    for (place, text) in table.lines().enumerate() {
        let line = text.split('#').next().unwrap_or_default().trim();
        match (line, &mut batch) {
            ("", _) => {}
            ("batch", None) => batch = Some(Vec::new()),
            ("end", Some(lines)) => {
                let actions: Vec<_> = lines.iter().map(|(_, line)| action(line).0).collect();
                let outcomes = world.batch(&actions);
                for ((place, line), outcome) in lines.iter().zip(outcomes) {
                    wrong.extend(complaint(*place, line, &outcome));
                }
                batch = None;
            }
            (_, Some(lines)) => lines.push((place, line)),
            (_, None) => {
                let outcome = world.step(action(line).0);
                wrong.extend(complaint(place, line, &outcome));
            }
        }
    }
    assert_eq!(batch, None, "a batch has no end");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn action(line: &str) -> (&str, Option<&str>) {
    match line.split_once("->") {
        Some((action, expected)) => (action.trim(), Some(expected.trim())),
        None => (line, None),
    }
}

fn complaint(place: usize, line: &str, outcome: &str) -> Option<String> {
    let fine = match action(line).1 {
        Some(expected) => expected == outcome,
        None => !outcome.starts_with("refused") && !outcome.starts_with("broken"),
    };
    (!fine).then(|| format!("line {}: {line}\n    got {outcome}", place + 1))
}
