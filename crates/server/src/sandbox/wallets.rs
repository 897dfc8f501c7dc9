//! Wallets: what a person does with a phone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_core::command::{
    AmendWallet, BuyerAnswer, Command, Confirm, LimitsChange, OpenWallet, TopUp,
};
use spotpay_core::decide::{ConfirmRefusal, WalletRefusal};
use spotpay_core::id::WalletId;
use spotpay_core::money::Amount;
use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, CodeUse, PaymentCode, slot_at};
use spotpay_core::trade::{Trade, TradeKey, TradeState};
use spotpay_core::wallet::{Confirmation, Device, PaymentInst, Wallet, WalletState};

use super::error::{ApiError, amount, money, read};
use super::sent::{Named, Sent};
use crate::app::App;
use crate::entropy::number_below;

type Answer = Result<Json<Value>, ApiError>;

/// Trades of one wallet in one answer.
const TRADES_MAX: usize = 100;
/// Wallets or codes in one answer.
const MANY_MAX: u32 = 10_000;

fn wallet_json(wallet: &Wallet) -> Value {
    let limit = |limit: Option<Amount>| limit.map(|limit| limit.money().major());
    json!({
        "name": wallet.name,
        "wallet_id": wallet.id.to_string(),
        "payment_inst": wallet.inst.as_str(),
        "currency": wallet.balance.currency().code(),
        "balance": wallet.balance.major(),
        "frozen": wallet.state == WalletState::Frozen,
        "confirm": wallet.confirmation == Confirmation::Asked,
        "limit_per_payment": limit(wallet.limits.per_payment),
        "limit_per_day": limit(wallet.limits.per_day),
        "limit_per_month": limit(wallet.limits.per_month),
    })
}

/// The name of a state in the sandbox API, as query answers name it.
pub(super) fn state_name(state: TradeState) -> &'static str {
    match state {
        TradeState::Waiting => "WAIT_BUYER_PAY",
        TradeState::Paid(_) => "TRADE_SUCCESS",
        TradeState::Closed { .. } => "TRADE_CLOSED",
    }
}

fn trade_json(app: &App, trade: &Trade) -> Value {
    let paid = trade.buyer_amount().money();
    let refunded = trade.payment();
    let partner = app
        .snapshot
        .load()
        .partner(trade.key.partner)
        .map(|entry| entry.partner.name.clone());
    json!({
        "alipay_trans_id": trade.id.to_string(),
        "partner": partner,
        "partner_trans_id": trade.key.id.as_str(),
        "title": trade.title,
        "state": state_name(trade.state),
        "amount": trade.amount.money().major(),
        "currency": trade.amount.currency().code(),
        "paid_amount": paid.major(),
        "paid_currency": paid.currency().code(),
        "refunded_amount": refunded.map(|payment| payment.refunded.major()),
        "refunded_paid_amount": refunded.map(|payment| payment.refunded_buyer.major()),
        "rate": trade.conversion.map(|conversion| conversion.rate.to_string()),
        "created_at": trade.created_at().to_string(),
        "paid_at": trade.payment().map(|payment| payment.at.to_string()),
    })
}

fn find(app: &App, name: &str) -> Result<Wallet, ApiError> {
    let found = app.readers.read(|reader| reader.wallet_named(name))?;
    found.ok_or_else(|| ApiError::not_found("wallet", name))
}

/// Where a list goes on, and how far.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer {
    let Query(page) = page.map_err(ApiError::query)?;
    let after = page
        .after
        .map(|id| {
            id.parse()
                .map_err(|_| ApiError::field("after", "a wallet id", &id))
        })
        .transpose()?;
    let limit = page.limit.unwrap_or(1_000).clamp(1, 1_000);
    let wallets = app.readers.read(|reader| reader.wallets(after, limit))?;
    Ok(Json(Value::Array(
        wallets.iter().map(wallet_json).collect(),
    )))
}

pub(super) async fn show(State(app): State<Arc<App>>, Named(name): Named) -> Answer {
    let wallet = find(&app, &name)?;
    let trades = app
        .readers
        .read(|reader| reader.wallet_trades(wallet.id, TRADES_MAX))?;
    let mut answer = wallet_json(&wallet);
    let trades = trades.iter().map(|found| {
        let mut trade = trade_json(&app, &found.trade);
        trade["store_name"] = Value::from(&*found.shop.store_name);
        trade
    });
    answer["trades"] = trades.collect();
    Ok(Json(answer))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWallet {
    name: Option<String>,
    payment_inst: String,
    balance: Option<String>,
    /// So many wallets at once, named `name-1` and so on, each with its device: for load tests.
    count: Option<u32>,
}

/// A name that fits in a path and on a screen.
pub(super) fn checked_name(name: &str) -> Result<(), ApiError> {
    let fits = (1..=64).contains(&name.chars().count());
    let plain = name
        .chars()
        .all(|letter| letter.is_alphanumeric() || "-_.".contains(letter));
    if fits && plain {
        Ok(())
    } else {
        Err(ApiError::field(
            "name",
            "1 to 64 letters, digits, '-', '_' or '.'",
            name,
        ))
    }
}

pub(super) async fn open(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let wanted: NewWallet = read(&body)?;
    let inst: PaymentInst = wanted.payment_inst.parse().map_err(|_| {
        ApiError::field("payment_inst", "ALIPAYHK or ALIPAYCN", &wanted.payment_inst)
    })?;
    let balance = wanted
        .balance
        .as_deref()
        .map(|text| money("balance", text, inst.currency()))
        .transpose()?;
    let balance = balance.and_then(|balance| Amount::new(balance).ok());
    match wanted.count {
        None => {
            let name = wanted
                .name
                .ok_or_else(|| ApiError::bad("name is missing"))?;
            checked_name(&name)?;
            let (wallet, _) = open_one(&app, &name, inst, balance).await?;
            Ok(Json(wallet_json(&wallet)))
        }
        Some(count) if (1..=MANY_MAX).contains(&count) => {
            let prefix = wanted.name.unwrap_or_else(|| {
                format!("wallet-{}", number_below(&*app.entropy, 1_000_000_000))
            });
            checked_name(&prefix)?;
            open_many(&app, &prefix, inst, balance, count).await
        }
        Some(count) => Err(ApiError::field("count", "1 to 10000", &count.to_string())),
    }
}

async fn open_many(
    app: &App,
    prefix: &str,
    inst: PaymentInst,
    balance: Option<Amount>,
    count: u32,
) -> Answer {
    let mut wallets = Vec::new();
    // A few at a time share their commits; all at once would fill the queue.
    let numbers: Vec<u32> = (1..=count).collect();
    for some in numbers.chunks(64) {
        let names: Vec<String> = some
            .iter()
            .map(|number| format!("{prefix}-{number}"))
            .collect();
        let opened = names.iter().map(|name| open_one(app, name, inst, balance));
        for result in join_all(opened).await {
            let (wallet, device) = result?;
            let mut answer = wallet_json(&wallet);
            answer["alias"] = format!("{:09}", device.alias.number()).into();
            answer["secret"] = hex(device.secret.expose()).into();
            wallets.push(answer);
        }
    }
    Ok(Json(json!({"wallets": wallets})))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs futures side by side and keeps their order.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, slot) in running.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(output) => *slot = Some(output),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

fn new_device(app: &App, wallet: WalletId) -> Device {
    let mut secret = [0; CodeSecret::BYTES];
    app.entropy.fill(&mut secret);
    Device {
        alias: new_alias(app),
        wallet,
        secret: CodeSecret::new(secret),
    }
}

fn new_alias(app: &App) -> Alias {
    let number = number_below(&*app.entropy, u64::from(Alias::COUNT));
    let alias = u32::try_from(number).ok().and_then(Alias::from_number);
    alias.unwrap_or_else(|| unreachable!("a number below the count of aliases is one"))
}

async fn open_one(
    app: &App,
    name: &str,
    inst: PaymentInst,
    balance: Option<Amount>,
) -> Result<(Wallet, Device), ApiError> {
    loop {
        let number = number_below(&*app.entropy, 1_000_000_000_000);
        let id = WalletId::from_number(number)
            .unwrap_or_else(|| unreachable!("a number of twelve digits"));
        let login = match inst {
            PaymentInst::AlipayHk => format!("852****{:04}", number % 10_000),
            PaymentInst::AlipayCn => format!("138****{:04}", number % 10_000),
        };
        let device = new_device(app, id);
        let open = OpenWallet {
            id,
            name: name.into(),
            login: login.into(),
            inst,
            balance,
            confirmation: Confirmation::NotAsked,
            state: WalletState::Active,
            device: device.clone(),
        };
        match wallet_command(app, Command::OpenWallet(Box::new(open))).await? {
            Err(WalletRefusal::IdTaken | WalletRefusal::AliasTaken) => {}
            Ok(wallet) => return Ok((wallet, device)),
            Err(refusal) => return Err(refused(refusal)),
        }
    }
}

async fn wallet_command(
    app: &App,
    command: Command,
) -> Result<Result<Wallet, WalletRefusal>, ApiError> {
    let reply = app.engine.submit(command).await?;
    Ok(reply
        .wallet()
        .ok_or_else(ApiError::confused)?
        .map(|wallet| *wallet))
}

fn refused(refusal: WalletRefusal) -> ApiError {
    match refusal {
        WalletRefusal::Unknown => ApiError::conflict("gone", "the wallet is gone"),
        WalletRefusal::IdTaken | WalletRefusal::AliasTaken => {
            ApiError::conflict("taken", "the number is taken")
        }
        WalletRefusal::NameTaken => {
            ApiError::conflict("name_taken", "another wallet has this name")
        }
        WalletRefusal::CurrencyDiffers => {
            ApiError::rule("currency", "the money is not in the wallet's currency")
        }
        WalletRefusal::Money(error) => {
            ApiError::rule("amount", format!("the amount does not fit: {error}"))
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WalletChange {
    frozen: Option<bool>,
    confirm: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    limit_per_payment: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    limit_per_day: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    limit_per_month: Option<Option<String>>,
}

/// Tells `null` (take the limit away) from a field that is not there (leave it).
pub(super) fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

pub(super) async fn amend(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Sent(body): Sent,
) -> Answer {
    let change: WalletChange = read(&body)?;
    let wallet = find(&app, &name)?;
    let limit = |field, given: &Option<Option<String>>| match given {
        None => Ok(None),
        Some(None) => Ok(Some(None)),
        Some(Some(text)) => {
            amount(field, text, wallet.inst.currency()).map(|limit| Some(Some(limit)))
        }
    };
    let limits = LimitsChange {
        per_payment: limit("limit_per_payment", &change.limit_per_payment)?,
        per_day: limit("limit_per_day", &change.limit_per_day)?,
        per_month: limit("limit_per_month", &change.limit_per_month)?,
    };
    let state = change.frozen.map(|frozen| {
        if frozen {
            WalletState::Frozen
        } else {
            WalletState::Active
        }
    });
    let confirmation = change.confirm.map(|asked| {
        if asked {
            Confirmation::Asked
        } else {
            Confirmation::NotAsked
        }
    });
    let command = AmendWallet {
        wallet: wallet.id,
        state,
        confirmation,
        limits,
    };
    wallet_answer(&app, Command::AmendWallet(command)).await
}

async fn wallet_answer(app: &App, command: Command) -> Answer {
    let wallet = wallet_command(app, command).await?.map_err(refused)?;
    Ok(Json(wallet_json(&wallet)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMoney {
    amount: String,
}

pub(super) async fn top_up(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Sent(body): Sent,
) -> Answer {
    let wanted: NewMoney = read(&body)?;
    let wallet = find(&app, &name)?;
    let amount = amount("amount", &wanted.amount, wallet.inst.currency())?;
    wallet_answer(
        &app,
        Command::TopUp(TopUp {
            wallet: wallet.id,
            amount,
        }),
    )
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeWish {
    digits: Option<u32>,
    count: Option<u32>,
}

pub(super) async fn code(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Sent(body): Sent,
) -> Answer {
    let wish: CodeWish = read(&body)?;
    let length = match wish.digits {
        None | Some(18) => CodeLength::Short,
        Some(24) => CodeLength::Long,
        Some(other) => return Err(ApiError::field("digits", "18 or 24", &other.to_string())),
    };
    let count = wish.count.unwrap_or(1);
    if !(1..=MANY_MAX).contains(&count) {
        return Err(ApiError::field("count", "1 to 10000", &count.to_string()));
    }
    let wallet = find(&app, &name)?;
    let mut codes = Vec::new();
    for _ in 0..count {
        codes.push(fresh_code(&app, &wallet, length).await?);
    }
    let instant = |code: CodeUse| code.expires_at().to_string();
    match (wish.count, codes.first()) {
        (None, Some((code, place))) => Ok(Json(
            json!({"code": code.as_str(), "expires_at": instant(*place)}),
        )),
        _ => {
            let expires_at = codes.iter().map(|(_, place)| instant(*place)).min();
            let codes: Vec<&str> = codes.iter().map(|(code, _)| code.as_str()).collect();
            Ok(Json(json!({"codes": codes, "expires_at": expires_at})))
        }
    }
}

/// A code that was not given before. A phone that is online and is asked for a second code within
/// the same six seconds fetches another alias; so does this.
async fn fresh_code(
    app: &App,
    wallet: &Wallet,
    length: CodeLength,
) -> Result<(PaymentCode, CodeUse), ApiError> {
    let now = app.clock.now();
    let slot = slot_at(now);
    let known = app.readers.read(|reader| reader.first_device(wallet.id))?;
    let device = match known.filter(|device| {
        app.given.take(CodeUse {
            alias: device.alias,
            slot,
        })
    }) {
        Some(device) => device,
        None => loop {
            // The device keeps its secret; only the alias is new.
            let old = app.readers.read(|reader| reader.first_device(wallet.id))?;
            let fresh = new_device(app, wallet.id);
            let device = old.map_or(fresh, |old| Device {
                alias: new_alias(app),
                ..old
            });
            // Taken before anyone can read the alias: nobody else may give its first code.
            app.given.take(CodeUse {
                alias: device.alias,
                slot,
            });
            match wallet_command(app, Command::IssueAlias(device.clone())).await? {
                Err(WalletRefusal::AliasTaken) => {}
                Err(refusal) => return Err(refused(refusal)),
                Ok(_) => break device,
            }
        },
    };
    let code = CodeUse {
        alias: device.alias,
        slot,
    };
    Ok((
        PaymentCode::make(device.alias, &device.secret, now, length),
        code,
    ))
}

/// The slot of the last code that each alias was given, so that no code is given twice.
#[derive(Debug, Default)]
pub struct GivenCodes(Mutex<HashMap<Alias, i64>>);

/// Aliases remembered; older ones are out of their slot long since.
const GIVEN_MAX: usize = 100_000;

impl GivenCodes {
    /// Whether the code of this alias and slot was not given yet; it counts as given from now on.
    fn take(&self, code: CodeUse) -> bool {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if given.len() >= GIVEN_MAX {
            given.retain(|_, slot| code.slot <= *slot);
        }
        given
            .insert(code.alias, code.slot)
            .is_none_or(|last| last < code.slot)
    }

    /// Forgets everything, for a reset store.
    pub fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmWish {
    partner_trans_id: String,
    accept: bool,
    partner: Option<String>,
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Sent(body): Sent,
) -> Answer {
    let wish: ConfirmWish = read(&body)?;
    let wallet = find(&app, &name)?;
    let key = waiting_key(&app, &wallet, &wish)?;
    let answer = if wish.accept {
        BuyerAnswer::Accept
    } else {
        BuyerAnswer::Decline
    };
    let confirm = Confirm {
        key,
        wallet: wallet.id,
        answer,
    };
    let reply = app.engine.submit(Command::Confirm(confirm)).await?;
    let trade = reply
        .confirm()
        .ok_or_else(ApiError::confused)?
        .map_err(confirm_refused)?;
    Ok(Json(trade_json(&app, &trade)))
}

/// The trade that is meant: the partner's number may stand under several partners.
fn waiting_key(app: &App, wallet: &Wallet, wish: &ConfirmWish) -> Result<TradeKey, ApiError> {
    let id = &wish.partner_trans_id;
    let id: spotpay_core::id::PartnerTransId = id
        .parse()
        .map_err(|error| ApiError::bad(format!("partner_trans_id is {id:?}: it {error}")))?;
    let snapshot = app.snapshot.load();
    if let Some(name) = &wish.partner {
        let entry = snapshot
            .partner_named(name)
            .or_else(|| snapshot.partner(name.parse().ok()?));
        let partner = entry
            .ok_or_else(|| ApiError::not_found("partner", name))?
            .partner
            .id;
        return Ok(TradeKey { partner, id });
    }
    let mut keys = Vec::new();
    for partner in snapshot.config.partners.keys() {
        let key = TradeKey {
            partner: *partner,
            id: id.clone(),
        };
        let slot = app.readers.read(|reader| reader.slot(&key))?;
        if let Some(spotpay_core::trade::Slot::Trade(trade)) = slot
            && trade.wallet == wallet.id
        {
            keys.push(key);
        }
    }
    match keys.len() {
        0 => Err(ApiError::not_found("payment of this wallet", id.as_str())),
        1 => Ok(keys.remove(0)),
        _ => Err(ApiError::conflict(
            "ambiguous",
            "several partners have this id; name one as partner",
        )),
    }
}

fn confirm_refused(refusal: ConfirmRefusal) -> ApiError {
    match refusal {
        ConfirmRefusal::TradeUnknown => ApiError::not_found("payment", "this partner_trans_id"),
        ConfirmRefusal::NotThisWallet => {
            ApiError::conflict("not_this_wallet", "another wallet's code was scanned")
        }
        ConfirmRefusal::NotWaiting => {
            ApiError::conflict("not_waiting", "the payment is paid or closed already")
        }
        ConfirmRefusal::WalletFrozen => {
            ApiError::conflict("frozen", "the wallet may not pay; the payment waits on")
        }
        ConfirmRefusal::AbovePartnerDayLimit => ApiError::conflict(
            "partner_day_limit",
            "above what the partner takes in a day; the payment waits on",
        ),
        ConfirmRefusal::AboveWalletLimit(limit) => ApiError::conflict(
            "wallet_limit",
            format!("above a limit of the wallet ({limit:?}); the payment waits on"),
        ),
        ConfirmRefusal::FundsShort => ApiError::conflict(
            "funds_short",
            "the wallet has too little; the payment waits on",
        ),
        ConfirmRefusal::Money(error) => {
            ApiError::rule("amount", format!("the amount does not fit: {error}"))
        }
    }
}
