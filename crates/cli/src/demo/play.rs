//! Plays one row of the day: tills through the SDK, phones through the sandbox API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use spotpay_client::{
    Action, Amount, Client, Currency, Ending, FileJournal, Gateway, HttpSettings, HttpTransport,
    Money, NotPaid, Outcome, Pace as _, PartnerTransId, Patience, PaymentCode, Receipt, RefundMode,
    RefundOrder, RefundStatus, Refunding, Sale, Settings, Silent, Span, TradeNo,
};

use super::day_end::Orders;
use super::paper::{Seen, Step, signed};
use super::script::{self, Act, Phone, Row, SHOPS, Shop, Sign};
use super::shop::{Api, Cable, Plan, ShopClock, Weather};
use crate::sandbox_file::{Partner, SandboxFile};

/// One shop's till.
struct Till {
    shop: &'static Shop,
    settings: Settings,
    currency: Currency,
    journal: PathBuf,
}

/// What is remembered of a sale.
struct Sold {
    code: PaymentCode,
    number: Option<TradeNo>,
}

/// Everything that the day needs.
pub(super) struct Stage {
    pub(super) api: Api,
    clock: ShopClock,
    cable: Cable,
    /// Where the shop hears notifications.
    listens_at: String,
    tills: Vec<Till>,
    sold: BTreeMap<&'static str, Sold>,
    /// What the shop's own program takes down.
    pub(super) orders: Orders,
}

impl Stage {
    /// From what the gateway left in its folder; journals go into the other one.
    pub(super) fn open(data: &Path, folder: &Path, listens_at: &str) -> anyhow::Result<Self> {
        let file = SandboxFile::read(data).map_err(|failure| {
            let path = data.display();
            anyhow::anyhow!("{path} has no sandbox.json to begin with: {failure:?}")
        })?;
        let http = HttpTransport::new(&HttpSettings::default())?;
        let api = Api::new(http.clone(), file.sandbox_url.clone());
        let tills = SHOPS.iter().map(|shop| {
            let partner = file.partners.iter().find(|it| it.name == shop.name);
            let partner = partner.with_context(|| format!("there is no {}", shop.name))?;
            Till::new(shop, partner, &file.gateway_url, folder)
        });
        Ok(Self {
            clock: ShopClock::new(api.clone())?,
            api,
            cable: Cable::new(http),
            listens_at: format!("{listens_at}/notify"),
            tills: tills.collect::<anyhow::Result<_>>()?,
            sold: BTreeMap::new(),
            orders: Orders::default(),
        })
    }

    /// What is in every wallet.
    pub(super) fn balances(&self) -> anyhow::Result<Vec<Money>> {
        let names = script::WALLETS.iter();
        names.map(|(name, _)| self.api.balance(name)).collect()
    }

    /// Moves the clock.
    pub(super) fn turn(&self, body: &Value) -> anyhow::Result<()> {
        self.clock.turn(body)
    }

    /// The partner id of a shop.
    pub(super) fn partner_id(&self, shop: &str) -> anyhow::Result<(String, Currency)> {
        let till = self.till(shop)?;
        Ok((till.settings.partner.to_string(), till.currency))
    }

    /// Checkouts without an end in any journal.
    pub(super) fn unfinished(&self) -> anyhow::Result<usize> {
        let mut open = 0;
        for till in &self.tills {
            open += FileJournal::open(&till.journal)?.unfinished().len();
        }
        Ok(open)
    }

    fn till(&self, shop: &str) -> anyhow::Result<&Till> {
        let found = self.tills.iter().find(|till| till.shop.name == shop);
        found.with_context(|| format!("there is no {shop}"))
    }

    /// Plays a row; what kept it from being played to its end stands beside what it came to.
    pub(super) fn play(&mut self, row: &'static Row) -> (Step, anyhow::Result<()>) {
        let played = self.play_through(row);
        let (seen, trouble) = match played {
            Ok(seen) => (seen, Ok(())),
            Err(error) => (Seen::nothing(), Err(error)),
        };
        let own = self.till(row.shop).map_or(Currency::HKD, |it| it.currency);
        let named = if let Act::Refund { currency, .. } = row.act {
            currency.and_then(|code| code.parse().ok())
        } else {
            None
        };
        let currency = named.unwrap_or(own);
        (Step::new(row, currency, self.clock.now(), seen), trouble)
    }

    fn play_through(&mut self, row: &'static Row) -> anyhow::Result<Seen> {
        self.clock.turn(&json!({"set": row.at}))?;
        let before = self.measure(row)?;
        let result = self.act(row)?;
        self.orders.note(row, &result);
        self.clock.trouble()?;
        let after = self.measure(row)?;
        let change = |(after, before): (Money, Money)| -> anyhow::Result<String> {
            Ok(signed(after.checked_sub(before)?))
        };
        Ok(Seen {
            result,
            wallet: change((after.0, before.0))?,
            commission: change((after.1, before.1))?,
        })
    }

    /// The wallet, and our income in the shop's currency.
    fn measure(&self, row: &Row) -> anyhow::Result<(Money, Money)> {
        let currency = self.till(row.shop)?.currency;
        let income = self.api.account("commission-income", currency)?;
        Ok((self.api.balance(row.wallet)?, income))
    }

    fn act(&mut self, row: &'static Row) -> anyhow::Result<String> {
        match row.act {
            Act::Pay => self.pay(row, Weather::Fair),
            Act::LoseAnswer => self.pay(row, Weather::LosesAnswer),
            Act::LoseNetwork => self.pay(row, Weather::Breaks),
            Act::PayWithCodeOf(id) => {
                let code = self.sold(id)?.code.clone();
                self.check_out(row, code, None)
            }
            Act::PayWithOldCode { minutes } => {
                let code = self.api.code(row.wallet)?;
                self.clock.advance(Span::minutes(minutes))?;
                self.check_out(row, code, None)
            }
            Act::Confirm { phone, limit_s } => {
                let code = self.api.code(row.wallet)?;
                self.clock.expect(self.plan(row, phone));
                let told = self.check_out(row, code, Some(Span::seconds(limit_s)));
                self.clock.expect(None);
                told
            }
            Act::ConfirmAlone => Ok(match self.api.confirm(row.wallet, row.id, true)? {
                Ok(()) => "paid".to_owned(),
                Err(word) => format!("refused: {word}"),
            }),
            Act::Repeat => self.repeat(row),
            Act::Resume => self.resume(row),
            Act::Cancel => self.cancel(row),
            Act::Refund { id, currency } => self.refund(row, id, currency, RefundMode::Sync),
            Act::RefundLater(id) => self.refund(row, id, None, RefundMode::Async),
            Act::RefundQuery(id) => self.refund_query(row, id),
            Act::LoseNews => {
                let rule = json!({"service": "notify_refund", "effect": {"notify": "lose"}});
                self.api.post("/faults", &rule)?;
                Ok("a fault rule waits".to_owned())
            }
            Act::Night(id) => {
                self.clock.turn(&json!({"set": script::NIGHT}))?;
                self.refund_query(row, id)
            }
            Act::Told(id) => self.told(id),
        }
    }

    /// A refund, at once or by the batch.
    fn refund(
        &self,
        row: &Row,
        refund_id: &str,
        currency: Option<&str>,
        mode: RefundMode,
    ) -> anyhow::Result<String> {
        let till = self.till(row.shop)?;
        let currency = currency.map_or(Ok(till.currency), str::parse)?;
        let amount = Amount::new(Money::parse_major(row.amount, currency)?)?;
        let mut order = RefundOrder::new(id(row)?, refund_id.parse()?, amount);
        order.mode = mode;
        order.notify_url = match mode {
            RefundMode::Sync => None,
            RefundMode::Async => Some(self.listens_at.as_str().into()),
        };
        let client = Client::new(till.settings.clone(), &self.cable);
        Ok(match client.refund(&order, &self.clock) {
            Outcome::Success(Refunding::Refunded(receipt)) => match receipt.conversion {
                Some(conversion) => format!("refunded {} CNY", conversion.cny.major()),
                None => "refunded".to_owned(),
            },
            Outcome::Success(Refunding::Accepted(_)) => "accepted".to_owned(),
            Outcome::Success(_) => "neither refunded nor accepted".to_owned(),
            Outcome::Refused(refusal) => refusal.code().to_owned(),
            Outcome::Unknown(doubt) => format!("not known: {doubt}"),
            _ => "not known".to_owned(),
        })
    }

    fn refund_query(&self, row: &Row, refund_id: &str) -> anyhow::Result<String> {
        let till = self.till(row.shop)?;
        let client = Client::new(till.settings.clone(), &self.cable);
        Ok(match client.refund_query(&id(row)?, &refund_id.parse()?) {
            Outcome::Success(found) => match found.status {
                RefundStatus::Success => "refunded".to_owned(),
                RefundStatus::Processing => "accepted, not done yet".to_owned(),
                RefundStatus::Failed | RefundStatus::Cancelled => found.status.to_string(),
            },
            Outcome::Refused(refusal) => refusal.code().to_owned(),
            Outcome::Unknown(doubt) => format!("not known: {doubt}"),
            _ => "not known".to_owned(),
        })
    }

    /// How often the shop was told of a refund, and whether it heard.
    fn told(&self, refund_id: &str) -> anyhow::Result<String> {
        let all = self.api.fetch("/notifications")?;
        let found = all
            .as_array()
            .into_iter()
            .flatten()
            .find(|one| one["fields"]["out_return_no"] == refund_id);
        let found = found.context("there is no such notification")?;
        let attempts = found["attempts"].as_array().map_or(0, Vec::len);
        let times = match attempts {
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            more => format!("{more} times"),
        };
        let heard = if found["state"] == "acknowledged" {
            "heard"
        } else {
            "not heard"
        };
        Ok(format!("told {times}, {heard}"))
    }

    fn sold(&self, id: &str) -> anyhow::Result<&Sold> {
        let found = self.sold.get(id);
        found.with_context(|| format!("{id} was never sold"))
    }

    fn plan(&self, row: &'static Row, phone: Phone) -> Option<Plan> {
        let (accept, after_s) = match phone {
            Phone::Silent => return None,
            Phone::Accepts { after_s } => (true, after_s),
            Phone::Declines { after_s } => (false, after_s),
        };
        Some(Plan {
            wallet: row.wallet,
            id: row.id,
            accept,
            at: self.clock.now().plus(Span::seconds(after_s)),
        })
    }

    fn sale(till: &Till, row: &Row, code: PaymentCode) -> anyhow::Result<Sale> {
        let amount = Amount::new(Money::parse_major(row.amount, till.currency)?)?;
        Ok(Sale::new(id(row)?, amount, till.shop.goods, code))
    }

    /// A checkout with a fresh code.
    fn pay(&mut self, row: &'static Row, weather: Weather) -> anyhow::Result<String> {
        let code = self.api.code(row.wallet)?;
        self.cable.turn(weather);
        let told = self.check_out(row, code, None);
        self.cable.turn(Weather::Fair);
        told
    }

    /// A whole checkout, with its journal.
    fn check_out(
        &mut self,
        row: &'static Row,
        code: PaymentCode,
        limit: Option<Span>,
    ) -> anyhow::Result<String> {
        let till = self.till(row.shop)?;
        let mut settings = till.settings.clone();
        settings.patience = Patience {
            limit: limit.unwrap_or(settings.patience.limit),
            ..settings.patience
        };
        let client = Client::new(settings, &self.cable);
        let mut journal = FileJournal::open(&till.journal)?;
        let sale = Self::sale(till, row, code.clone())?;
        let ending = client.checkout(sale, &mut journal, &self.clock, &mut Silent)?;
        let kept = journal.unfinished().iter().any(|open| {
            open.key.partner_trans_id.as_str() == row.id && matches!(ending, Ending::Unknown(_))
        });
        let number = match &ending {
            Ending::Paid(receipt) => Some(receipt.alipay_trans_id.clone()),
            Ending::NotPaid(_) | Ending::Unknown(_) | _ => None,
        };
        self.sold.insert(row.id, Sold { code, number });
        Ok(match ending_words(&ending) {
            words if kept => format!("{words}, in the journal"),
            words => words,
        })
    }

    /// The pay request of an earlier sale, once more, past the journal.
    fn repeat(&self, row: &Row) -> anyhow::Result<String> {
        let till = self.till(row.shop)?;
        let first = self.sold(row.id)?;
        let client = Client::new(till.settings.clone(), &self.cable);
        let outcome = client.pay(Self::sale(till, row, first.code.clone())?);
        Ok(match outcome {
            Outcome::Success(receipt) => {
                let same = first.number.as_ref() == Some(&receipt.alipay_trans_id);
                if same {
                    "paid, the same trade".to_owned()
                } else {
                    "paid, another trade".to_owned()
                }
            }
            Outcome::Refused(refusal) => refusal.code().to_owned(),
            Outcome::Unknown(doubt) => format!("not known: {doubt}"),
            _ => "not known".to_owned(),
        })
    }

    /// A till that starts again: each sale that its journal has open comes to an end.
    fn resume(&self, row: &Row) -> anyhow::Result<String> {
        let till = self.till(row.shop)?;
        let client = Client::new(till.settings.clone(), &self.cable);
        let mut journal = FileJournal::open(&till.journal)?;
        let open = journal.unfinished();
        let [open] = open.as_slice() else {
            bail!("the journal has {} open sales, not one", open.len());
        };
        if open.key.partner_trans_id != id(row)? || !client.owns(open) {
            bail!("the journal has {} open", open.key.partner_trans_id);
        }
        let ending = client.resume(open, &mut journal, &self.clock, &mut Silent)?;
        Ok(ending_words(&ending))
    }

    fn cancel(&self, row: &Row) -> anyhow::Result<String> {
        let till = self.till(row.shop)?;
        let client = Client::new(till.settings.clone(), &self.cable);
        Ok(match client.cancel(&id(row)?, self.clock.now()) {
            Outcome::Success(done) => cancel_words(done.action),
            Outcome::Refused(refusal) => refusal.code().to_owned(),
            Outcome::Unknown(doubt) => format!("not known: {doubt}"),
            _ => "not known".to_owned(),
        })
    }
}

impl Till {
    fn new(
        shop: &'static Shop,
        partner: &Partner,
        gateway: &str,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let gateway: Gateway = gateway.parse()?;
        let id = partner.partner_id.parse()?;
        let named = |field: &str, value: &Option<String>| {
            let missing = format!("{} has no {field} in sandbox.json", shop.name);
            value.clone().context(missing)
        };
        let ours = named("rsa_private_key", &partner.rsa_private_key)?;
        let theirs = named("gateway_rsa_public_key", &partner.gateway_rsa_public_key)?;
        let settings = match shop.sign {
            Sign::Md5 => Settings::md5(gateway, id, &named("md5_key", &partner.md5_key)?),
            Sign::Rsa => Settings::rsa(gateway, id, &ours, &theirs),
            Sign::Rsa2 => Settings::rsa2(gateway, id, &ours, &theirs),
        };
        let currency = named("settlement_currency", &partner.settlement_currency)?;
        Ok(Self {
            shop,
            settings: settings?,
            currency: currency.parse()?,
            journal: folder.join(format!("{}.jsonl", shop.name)),
        })
    }
}

fn id(row: &Row) -> anyhow::Result<PartnerTransId> {
    row.id.parse().with_context(|| row.id.to_owned())
}

fn receipt_words(receipt: &Receipt) -> String {
    match (receipt.payment_inst, &receipt.conversion) {
        (None, Some(conversion)) => {
            let (cny, rate) = (conversion.cny.major(), conversion.rate.to_string());
            let rate = rate.trim_end_matches('0').trim_end_matches('.');
            format!("paid {cny} CNY, rate {rate}")
        }
        (Some(inst), None) => format!("paid with {}", inst.as_str()),
        (inst, conversion) => format!("paid with {inst:?} at {conversion:?}"),
    }
}

fn cancel_words(action: Option<Action>) -> String {
    let what = match action {
        Some(Action::Refund) => "money back",
        Some(Action::Close) => "nothing paid",
        None => "nothing there",
    };
    format!("cancelled, {what}")
}

fn ending_words(ending: &Ending) -> String {
    match ending {
        Ending::Paid(receipt) => receipt_words(receipt),
        Ending::NotPaid(why) => match why {
            NotPaid::Refused(refusal) => refusal.code().to_owned(),
            NotPaid::Closed => "closed, not paid".to_owned(),
            NotPaid::Cancelled { action } => cancel_words(*action),
            NotPaid::NeverSent(failure) => format!("not sent: {failure}"),
            NotPaid::Refunded { .. } => "refunded in full".to_owned(),
            _ => format!("not paid: {why}"),
        },
        Ending::Unknown(_) | _ => "not known".to_owned(),
    }
}

/// Trades of a wallet by their state.
pub(super) fn count_states(
    answer: &Value,
    counts: &mut BTreeMap<String, u64>,
) -> anyhow::Result<()> {
    let trades = answer.get("trades").and_then(Value::as_array);
    for trade in trades.context("the sandbox's answer has no trades")? {
        let state = super::shop::text(trade, "state")?;
        *counts.entry(state.to_owned()).or_default() += 1;
    }
    Ok(())
}
