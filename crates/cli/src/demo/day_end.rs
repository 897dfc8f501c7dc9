//! The end of the day: settlement, the files, and the shop's own orders beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use spotpay_client::Money;

use super::books;
use super::paper::{Check, Paper, with_currency};
use super::play::Stage;
use super::script::{self, Act, Row};
use crate::companion;

/// What the shop's own books say of a sale or a refund.
#[derive(Clone)]
struct Order {
    kind: &'static str,
    amount: &'static str,
    state: &'static str,
}

/// The orders of one shop as its own program knows them: by what its till was told.
#[derive(Clone, Default)]
pub(super) struct Orders(BTreeMap<String, Order>);

impl Orders {
    /// Takes down what came of a row.
    pub(super) fn note(&mut self, row: &Row, result: &str) {
        if row.shop != script::LISTENER {
            return;
        }
        match row.act {
            Act::Pay
            | Act::LoseAnswer
            | Act::LoseNetwork
            | Act::Repeat
            | Act::PayWithCodeOf(_)
            | Act::PayWithOldCode { .. }
            | Act::Confirm { .. } => {
                let state = match result {
                    paid if paid.starts_with("paid") => "PAID",
                    doubt if doubt.starts_with("not known") => "UNKNOWN",
                    _ => "CLOSED",
                };
                self.put(row.id, "PAYMENT", row.amount, state);
            }
            Act::Cancel | Act::Resume if result == "cancelled, money back" => {
                self.put(row.id, "PAYMENT", row.amount, "CANCELLED");
            }
            Act::Resume if result == "refunded in full" => {
                self.put(row.id, "PAYMENT", row.amount, "REFUNDED");
                // The number that the SDK makes of the sale's, the same for ever.
                let refund = format!("{}-UNDO-1", row.id);
                self.put(&refund, "REFUND", row.amount, "DONE");
            }
            Act::Refund { id, .. } if result.starts_with("refunded") => {
                self.put(id, "REFUND", row.amount, "DONE");
            }
            Act::RefundLater(id) if result == "accepted" => {
                self.put(id, "REFUND", row.amount, "DONE");
            }
            Act::Cancel
            | Act::Resume
            | Act::Refund { .. }
            | Act::RefundLater(_)
            | Act::ConfirmAlone
            | Act::RefundQuery(_)
            | Act::LoseNews
            | Act::Night(_)
            | Act::Told(_) => {}
        }
    }

    fn put(&mut self, id: &str, kind: &'static str, amount: &'static str, state: &'static str) {
        let order = Order {
            kind,
            amount,
            state,
        };
        self.0.insert(id.to_owned(), order);
    }

    /// One break of four kinds.
    fn plant(&mut self) {
        self.0.remove(script::FORGOTTEN);
        self.put("DEMO-99", "PAYMENT", "77.00", "PAID");
        if let Some(order) = self.0.get_mut(script::MISTYPED.0) {
            order.amount = script::MISTYPED.1;
        }
        if let Some(order) = self.0.get_mut(script::NOT_CANCELLED) {
            order.state = "PAID";
        }
    }

    fn write(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = "type,id,amount,currency,state\n".to_owned();
        for (id, order) in &self.0 {
            let Order {
                kind,
                amount,
                state,
            } = order;
            text.push_str(&format!("{kind},{id},{amount},HKD,{state}\n"));
        }
        std::fs::write(path, text).with_context(|| format!("{}", path.display()))
    }
}

/// Lets the days end, and looks at what they leave.
pub(super) fn play(
    stage: &Stage,
    data: &Path,
    folder: &Path,
    paper: &mut Paper,
) -> anyhow::Result<()> {
    stage.turn(&json!({"set": script::OVER}))?;
    let batches = stage.api.fetch("/batches")?;
    for (shop, must) in script::PAID_OUT {
        let (id, currency) = stage.partner_id(shop)?;
        let mut paid_out = Money::zero(currency);
        let own = |batch: &&Value| batch["partner"] == id.as_str();
        for batch in batches.as_array().into_iter().flatten().filter(own) {
            let text = batch["paid_out"].as_str().unwrap_or_default();
            paid_out = paid_out.checked_add(Money::parse_major(text, currency)?)?;
        }
        let paid_out = with_currency(paid_out);
        paper.check(Check::new("paid out to partner", shop, must, paid_out));
    }
    for (shop, must) in script::CARRIED {
        let (id, currency) = stage.partner_id(shop)?;
        let account = format!("partner-payable:{id}");
        let left = with_currency(stage.api.account(&account, currency)?);
        paper.check(Check::new("carried forward", shop, must, left));
    }
    let files = fetch(data, folder, paper)?;
    let mut orders = stage.orders.clone();
    let breaks = reconcile(&orders, &files, folder)?.values().sum::<u64>();
    let (name, must) = script::MATCHED;
    paper.check(Check::new("reconcile", name, must, breaks.to_string()));
    orders.plant();
    let mut breaks = reconcile(&orders, &files, folder)?;
    for (kind, must) in script::PLANTED {
        let found = breaks.remove(*kind).unwrap_or(0).to_string();
        paper.check(Check::new("planted breaks", kind, must, found));
    }
    let others = breaks.values().sum::<u64>().to_string();
    paper.check(Check::new(
        "planted breaks",
        "of any other kind",
        "0",
        others,
    ));
    books::ledger(stage, paper)
}

/// Both files of both days, with the command that merchants use.
fn fetch(data: &Path, folder: &Path, paper: &mut Paper) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (date, kind, must) in script::FILES {
        let path = folder.join(format!("{kind}-{date}.txt"));
        let run = companion::run(&[
            "files".as_ref(),
            "get".as_ref(),
            date.as_ref(),
            "--kind".as_ref(),
            kind.as_ref(),
            "--partner".as_ref(),
            script::LISTENER.as_ref(),
            "--data".as_ref(),
            data.as_os_str(),
            "--out".as_ref(),
            path.as_os_str(),
        ])?;
        let heads = if *kind == "transaction" { 2 } else { 1 };
        let rows = match std::fs::read_to_string(&path) {
            Ok(text) => format!("{} rows", text.lines().count().saturating_sub(heads)),
            Err(_) => String::from_utf8_lossy(&run.stderr).trim().to_owned(),
        };
        paper.check(Check::new(kind, date, must, rows));
        files.push(path);
    }
    Ok(files)
}

/// The breaks that the merchant's command finds, by kind.
fn reconcile(
    orders: &Orders,
    files: &[PathBuf],
    folder: &Path,
) -> anyhow::Result<BTreeMap<String, u64>> {
    let path = folder.join("orders.csv");
    orders.write(&path)?;
    let mut args = vec!["reconcile".as_ref(), "--json".as_ref(), "--orders".as_ref()];
    args.push(path.as_os_str());
    args.push("--file".as_ref());
    args.extend(files.iter().map(|file| file.as_os_str()));
    let run = companion::run(&args)?;
    let told: Value = serde_json::from_slice(&run.stdout)
        .with_context(|| String::from_utf8_lossy(&run.stderr).trim().to_owned())?;
    let by_kind = told["by_kind"].as_object().context("it told no kinds")?;
    let count = |(kind, count): (&String, &Value)| (kind.clone(), count.as_u64().unwrap_or(0));
    Ok(by_kind.iter().map(count).collect())
}
