//! The closing table: what the day must leave behind.

use std::collections::BTreeMap;

use serde_json::Value;
use spotpay_client::Money;

use super::paper::{Check, Paper, with_currency};
use super::play::{Stage, count_states};
use super::script;

/// Looks at everything that can be counted and compares.
pub(super) fn close(stage: &Stage, before: &[Money], paper: &mut Paper) -> anyhow::Result<()> {
    paper.closing();
    trades(stage, paper)?;
    for ((name, must), before) in script::WALLETS.iter().zip(before) {
        let now = with_currency(stage.api.balance(name)?);
        paper.check(Check::new("wallet", name, must, now).from(with_currency(*before)));
    }
    for (shop, must) in script::PAYABLE {
        let (id, currency) = stage.partner_id(shop)?;
        let account = format!("partner-payable:{id}");
        let now = with_currency(stage.api.account(&account, currency)?);
        paper.check(Check::new("owed to partner", shop, must, now).from(zero(currency)));
    }
    for (code, must) in script::INCOME {
        let currency = code.parse()?;
        let now = with_currency(stage.api.account("commission-income", currency)?);
        paper.check(Check::new("commission income", code, must, now).from(zero(currency)));
    }
    ledger(stage, paper)?;
    let open = stage.unfinished()?.to_string();
    paper.check(Check::new("tills", "sales left open", "0", open));
    Ok(())
}

/// What the shop's own receiver printed: a line a notification, and whether it is to be believed.
pub(super) fn heard(printed: &str, paper: &mut Paper) {
    let lines: Vec<Value> = printed
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let believed = lines.iter().filter(|line| line["verified"] == true).count();
    let got = format!("{believed} of {}", lines.len());
    paper.check(Check::new(
        "notifications",
        "believed by the shop",
        script::BELIEVED,
        got,
    ));
}

fn zero(currency: spotpay_client::Currency) -> String {
    with_currency(Money::zero(currency))
}

fn trades(stage: &Stage, paper: &mut Paper) -> anyhow::Result<()> {
    let mut counts = BTreeMap::new();
    for (name, _) in script::WALLETS {
        let wallet = stage.api.fetch(&format!("/wallets/{name}"))?;
        count_states(&wallet, &mut counts)?;
    }
    for (state, must) in script::TRADES {
        let count = counts.remove(*state).unwrap_or_default().to_string();
        paper.check(Check::new("trades", state, must, count));
    }
    for (state, count) in counts {
        paper.check(Check::new("trades", &state, "0", count.to_string()));
    }
    Ok(())
}

/// The sums, and whether every table agrees.
pub(super) fn ledger(stage: &Stage, paper: &mut Paper) -> anyhow::Result<()> {
    let books = stage.api.fetch("/ledger/trial-balance")?;
    let mut sums: BTreeMap<&str, &str> = BTreeMap::new();
    for (code, sum) in books
        .get("sums")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        sums.insert(code, sum.as_str().unwrap_or("no text"));
    }
    for (code, must) in script::SUMS {
        let sum = sums.remove(code).unwrap_or("missing").to_owned();
        paper.check(Check::new("sum of all accounts", code, must, sum));
    }
    for (code, sum) in sums {
        paper.check(Check::new(
            "sum of all accounts",
            code,
            "not there",
            sum.to_owned(),
        ));
    }
    let checked = books
        .get("checked")
        .map_or("missing".to_owned(), Value::to_string);
    paper.check(Check::new(
        "books",
        "every balance equals its entries",
        "true",
        checked,
    ));
    Ok(())
}
