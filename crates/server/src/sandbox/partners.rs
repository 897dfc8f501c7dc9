//! Partners and their contracts.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_core::calendar::CalendarName;
use spotpay_core::command::Command;
use spotpay_core::config::ConfigChange;
use spotpay_core::id::PartnerId;
use spotpay_core::money::{Amount, Currency};
use spotpay_core::partner::{
    AcceptedWallets, AsyncRefund, CancelGrace, CommissionOnRefund, Contract, ContractRefusal,
    ContractService, Country, KeyKind, Partner, PartnerKey, Product, RmbColumns, Services,
    StoreData, StoreReview, SyncRefundPause, WalletColumn,
};

use super::control::read_span;
use super::error::{ApiError, amount, money, read};
use super::sent::{Named, Sent};
use super::wallets::{checked_name, present};
use spotpay_wire::keys::PublicKey;

use crate::app::App;
use crate::entropy::{letters, number_below};
use crate::seed;

type Answer = Result<Json<Value>, ApiError>;

/// A word in the API for each variant of a term.
type Words<T> = [(&'static str, T)];

const PRODUCTS: &Words<Product> = &[("HK", Product::Hk), ("STANDARD", Product::Standard)];
const ON_REFUND: &Words<CommissionOnRefund> = &[
    ("kept", CommissionOnRefund::Kept),
    ("returned", CommissionOnRefund::Returned),
];
const ASYNC_REFUNDS: &Words<AsyncRefund> = &[
    ("batch", AsyncRefund::Batch),
    ("same_day", AsyncRefund::SameDay),
];
const STORE_DATA: &Words<StoreData> = &[
    ("optional", StoreData::Optional),
    ("required", StoreData::Required),
];
const GRACES: &Words<CancelGrace> = &[
    ("paid_too", CancelGrace::PaidToo),
    ("unpaid_only", CancelGrace::UnpaidOnly),
];
const WALLET_COLUMNS: &Words<WalletColumn> = &[
    ("payment_inst", WalletColumn::PaymentInst),
    ("Issue", WalletColumn::Issue),
];

const CALENDARS: &Words<CalendarName> = &[("CN", CalendarName::Cn), ("HK", CalendarName::Hk)];
const RMB_COLUMNS: &Words<RmbColumns> =
    &[("shown", RmbColumns::Shown), ("hidden", RmbColumns::Hidden)];
const REVIEWS: &Words<StoreReview> = &[
    ("instant", StoreReview::Instant),
    ("manual", StoreReview::Manual),
];
const PAUSES: &Words<SyncRefundPause> = &[
    ("none", SyncRefundPause::None),
    ("after_midnight", SyncRefundPause::AfterMidnight),
];
const SERVICES: &Words<ContractService> = &[
    ("alipay.acquire.overseas.spot.pay", ContractService::Pay),
    ("alipay.acquire.overseas.query", ContractService::Query),
    ("alipay.acquire.cancel", ContractService::Cancel),
    (
        "alipay.acquire.overseas.spot.refund",
        ContractService::Refund,
    ),
    ("alipay.acquire.refund.query", ContractService::RefundQuery),
    (
        "alipay.overseas.secmerchant.offline.maintain",
        ContractService::StoreMaintain,
    ),
    (
        "alipay.overseas.secmerchant.maintain.queryStatus",
        ContractService::StoreQuery,
    ),
];

fn pick<T: Copy>(field: &str, words: &Words<T>, text: &str) -> Result<T, ApiError> {
    let found = words.iter().find(|(word, _)| *word == text);
    let all = || {
        words
            .iter()
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
            .join(" or ")
    };
    found
        .map(|(_, value)| *value)
        .ok_or_else(|| ApiError::field(field, &all(), text))
}

fn word<T: PartialEq>(words: &Words<T>, value: &T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| known == value)
        .map_or("", |(word, _)| word)
}

fn wallets_json(wallets: AcceptedWallets) -> Value {
    match wallets {
        AcceptedWallets::Both => json!(["ALIPAYHK", "ALIPAYCN"]),
        AcceptedWallets::HkOnly => json!(["ALIPAYHK"]),
        AcceptedWallets::CnOnly => json!(["ALIPAYCN"]),
    }
}

/// A key in force, or one that will be.
fn key_json(key: &PartnerKey) -> Value {
    let kind = match key.kind {
        KeyKind::Md5 => "md5",
        KeyKind::PartnerRsa => "rsa",
    };
    json!({
        "kind": kind,
        "key": key.text,
        "from": key.from.to_string(),
        "until": key.until.map(|until| until.to_string()),
    })
}

fn partner_json(app: &App, partner: &Partner) -> Value {
    let (contract, now) = (&partner.contract, app.clock.now());
    let limit = |limit: Option<Amount>| limit.map(|limit| limit.money().major());
    let newest = |kind| {
        partner
            .keys
            .iter()
            .rev()
            .find(|key| key.kind == kind)
            .map(|key| key.text.clone())
    };
    json!({
        "name": partner.name,
        "partner_id": partner.id.to_string(),
        "product": contract.product.as_str(),
        "country": contract.country.as_str(),
        "settlement_currency": contract.settlement_currency.code(),
        "wallets": wallets_json(contract.wallets),
        "commission": contract.commission.to_string(),
        "commission_on_refund": word(ON_REFUND, &contract.commission_on_refund),
        "async_refund": word(ASYNC_REFUNDS, &contract.async_refund),
        "refund_days": contract.refund_days,
        "notify_url": contract.notify_url,
        "reserve": contract.reserve.major(),
        "store_data": word(STORE_DATA, &contract.store_data),
        "cancel_grace": word(GRACES, &contract.cancel_grace),
        "wallet_column": word(WALLET_COLUMNS, &contract.wallet_column),
        "rmb_columns": word(RMB_COLUMNS, &contract.rmb_columns),
        "calendar": word(CALENDARS, &contract.calendar),
        "store_review": word(REVIEWS, &contract.store_review),
        "sync_refund_pause": word(PAUSES, &contract.sync_refund_pause),
        "services": SERVICES.iter().filter(|(_, service)| contract.services.has(*service)).map(|(word, _)| *word).collect::<Vec<_>>(),
        "client_ips": contract.client_ips.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "limit_per_payment": limit(contract.limit_per_payment),
        "limit_per_day": limit(contract.limit_per_day),
        "limit_product": limit(contract.limit_product),
        "keys": partner.keys.iter().filter(|key| key.until.is_none_or(|until| now < until)).map(key_json).collect::<Vec<_>>(),
        "md5_key": newest(KeyKind::Md5),
        "rsa_public_key": newest(KeyKind::PartnerRsa),
        "rsa_private_key": seed::private_key_of(partner),
        "gateway_rsa_public_key": app.gateway_key.public_key().to_spki_base64(),
    })
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Answer {
    let snapshot = app.snapshot.load();
    Ok(Json(
        snapshot
            .config
            .partners
            .values()
            .map(|partner| partner_json(&app, partner))
            .collect(),
    ))
}

/// Terms as a body gives them; what is not there stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    name: Option<String>,
    product: Option<String>,
    country: Option<String>,
    settlement_currency: Option<String>,
    wallets: Option<Vec<String>>,
    commission: Option<String>,
    commission_on_refund: Option<String>,
    async_refund: Option<String>,
    refund_days: Option<u16>,
    #[serde(default, deserialize_with = "present")]
    notify_url: Option<Option<String>>,
    reserve: Option<String>,
    store_data: Option<String>,
    cancel_grace: Option<String>,
    wallet_column: Option<String>,
    rmb_columns: Option<String>,
    calendar: Option<String>,
    store_review: Option<String>,
    sync_refund_pause: Option<String>,
    services: Option<Vec<String>>,
    client_ips: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    limit_per_payment: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    limit_per_day: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    limit_product: Option<Option<String>>,
}

impl Terms {
    /// The contract that these terms make of another one.
    fn over(&self, base: Contract) -> Result<Contract, ApiError> {
        let mut contract = base;
        self.choose_words(&mut contract)?;
        self.read_values(&mut contract)?;
        let currency = contract.settlement_currency;
        limit(
            &mut contract.limit_per_payment,
            "limit_per_payment",
            &self.limit_per_payment,
            currency,
        )?;
        limit(
            &mut contract.limit_per_day,
            "limit_per_day",
            &self.limit_per_day,
            currency,
        )?;
        limit(
            &mut contract.limit_product,
            "limit_product",
            &self.limit_product,
            currency,
        )?;
        contract.checked().map_err(contract_refused)
    }

    fn choose_words(&self, contract: &mut Contract) -> Result<(), ApiError> {
        choose(
            &mut contract.commission_on_refund,
            "commission_on_refund",
            ON_REFUND,
            &self.commission_on_refund,
        )?;
        choose(
            &mut contract.async_refund,
            "async_refund",
            ASYNC_REFUNDS,
            &self.async_refund,
        )?;
        choose(
            &mut contract.store_data,
            "store_data",
            STORE_DATA,
            &self.store_data,
        )?;
        choose(
            &mut contract.cancel_grace,
            "cancel_grace",
            GRACES,
            &self.cancel_grace,
        )?;
        choose(
            &mut contract.wallet_column,
            "wallet_column",
            WALLET_COLUMNS,
            &self.wallet_column,
        )?;
        choose(
            &mut contract.rmb_columns,
            "rmb_columns",
            RMB_COLUMNS,
            &self.rmb_columns,
        )?;
        choose(
            &mut contract.calendar,
            "calendar",
            CALENDARS,
            &self.calendar,
        )?;
        choose(
            &mut contract.store_review,
            "store_review",
            REVIEWS,
            &self.store_review,
        )?;
        choose(
            &mut contract.sync_refund_pause,
            "sync_refund_pause",
            PAUSES,
            &self.sync_refund_pause,
        )
    }

    fn read_values(&self, contract: &mut Contract) -> Result<(), ApiError> {
        if let Some(text) = &self.country {
            contract.country = read_country(text)?;
        }
        if let Some(wallets) = &self.wallets {
            contract.wallets = read_wallets(wallets)?;
        }
        if let Some(text) = &self.commission {
            let rule = "a share such as 0.012, with at most six decimals";
            contract.commission = text
                .parse()
                .map_err(|_| ApiError::field("commission", rule, text))?;
        }
        if let Some(days) = self.refund_days {
            contract.refund_days = days;
        }
        if let Some(url) = &self.notify_url {
            contract.notify_url = url.as_deref().map(read_url).transpose()?;
        }
        if let Some(text) = &self.reserve {
            contract.reserve = money("reserve", text, contract.settlement_currency)?;
        }
        if let Some(names) = &self.services {
            let read = |name: &String| pick("services", SERVICES, name);
            let services: Vec<ContractService> =
                names.iter().map(read).collect::<Result<_, _>>()?;
            contract.services = Services::of(services);
        }
        if let Some(addresses) = &self.client_ips {
            let wrong = |text: &String| ApiError::field("client_ips", "IP addresses", text);
            let read = |text: &String| text.parse::<IpAddr>().map_err(|_| wrong(text));
            contract.client_ips = addresses.iter().map(read).collect::<Result<_, _>>()?;
        }
        Ok(())
    }
}

fn choose<T: Copy>(
    term: &mut T,
    field: &str,
    words: &Words<T>,
    given: &Option<String>,
) -> Result<(), ApiError> {
    if let Some(text) = given {
        *term = pick(field, words, text)?;
    }
    Ok(())
}

fn limit(
    term: &mut Option<Amount>,
    field: &str,
    given: &Option<Option<String>>,
    currency: Currency,
) -> Result<(), ApiError> {
    if let Some(given) = given {
        *term = given
            .as_deref()
            .map(|text| amount(field, text, currency))
            .transpose()?;
    }
    Ok(())
}

fn contract_refused(refusal: ContractRefusal) -> ApiError {
    let word = match refusal {
        ContractRefusal::HkEntityRequired => "hk_entity_required",
        ContractRefusal::HkSettlesInHkd => "hk_settles_in_hkd",
        ContractRefusal::StandardTakesCnOnly => "standard_takes_alipaycn_only",
        ContractRefusal::CurrencyDiffers => "currency",
    };
    ApiError::rule(word, refusal.to_string())
}

fn read_country(text: &str) -> Result<Country, ApiError> {
    Country::parse(text)
        .ok_or_else(|| ApiError::field("country", "two capital letters of ISO 3166", text))
}

fn read_wallets(names: &[String]) -> Result<AcceptedWallets, ApiError> {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        ["ALIPAYCN", "ALIPAYHK"] => Ok(AcceptedWallets::Both),
        ["ALIPAYHK"] => Ok(AcceptedWallets::HkOnly),
        ["ALIPAYCN"] => Ok(AcceptedWallets::CnOnly),
        other => Err(ApiError::field(
            "wallets",
            "ALIPAYHK, ALIPAYCN or both",
            &other.join(","),
        )),
    }
}

fn read_url(text: &str) -> Result<Box<str>, ApiError> {
    let http = text.starts_with("http://") || text.starts_with("https://");
    let plain = text.chars().all(|letter| letter.is_ascii_graphic());
    let uri = text.parse::<Uri>().ok();
    let host = uri.is_some_and(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    if http && plain && host && text.len() <= 200 {
        Ok(text.into())
    } else {
        Err(ApiError::field(
            "notify_url",
            "an http or https URL of at most 200 characters",
            text,
        ))
    }
}

pub(super) async fn create(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let terms: Terms = read(&body)?;
    let missing = |field| ApiError::bad(format!("{field} is missing"));
    let name = terms.name.as_deref().ok_or_else(|| missing("name"))?;
    checked_name(name)?;
    let product = pick(
        "product",
        PRODUCTS,
        terms.product.as_deref().ok_or_else(|| missing("product"))?,
    )?;
    let country = match (&terms.country, product) {
        (Some(text), _) => read_country(text)?,
        (None, Product::Hk) => Country::HK,
        (None, Product::Standard) => seed::country_abroad(),
    };
    let currency = match (&terms.settlement_currency, product) {
        (Some(text), _) => text
            .parse()
            .map_err(|_| ApiError::field("settlement_currency", "a currency of ISO 4217", text))?,
        (None, Product::Hk) => Currency::HKD,
        (None, Product::Standard) => Currency::USD,
    };
    let contract = terms.over(Contract::usual(product, country, currency))?;
    let _turn = app.partner_changes.lock().await;
    if app.snapshot.load().partner_named(name).is_some() {
        return Err(ApiError::conflict(
            "name_taken",
            "another partner has this name",
        ));
    }
    let id = free_id(&app);
    let key = PartnerKey {
        kind: KeyKind::Md5,
        text: letters(&*app.entropy, 32).into(),
        from: app.clock.now().min(app.clock.real()),
        until: None,
    };
    let default_shop = seed::default_shop(id, name);
    put(
        &app,
        Partner {
            id,
            name: name.into(),
            contract,
            default_shop,
            keys: vec![key],
        },
    )
    .await
}

fn free_id(app: &App) -> PartnerId {
    let snapshot = app.snapshot.load();
    loop {
        let number = number_below(&*app.entropy, 1_000_000_000_000);
        match PartnerId::from_number(number) {
            Some(id) if snapshot.partner(id).is_none() => return id,
            Some(_) | None => {}
        }
    }
}

pub(super) async fn amend(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Sent(body): Sent,
) -> Answer {
    let terms: Terms = read(&body)?;
    let _turn = app.partner_changes.lock().await;
    let partner = app
        .snapshot
        .load()
        .partner_named(&name)
        .map(|entry| Arc::clone(&entry.partner));
    let partner = partner.ok_or_else(|| ApiError::not_found("partner", &name))?;
    let fixed = [
        (
            "name",
            terms
                .name
                .as_deref()
                .is_some_and(|name| name != &*partner.name),
        ),
        (
            "product",
            terms
                .product
                .as_deref()
                .is_some_and(|product| product != partner.contract.product.as_str()),
        ),
        (
            "settlement_currency",
            terms
                .settlement_currency
                .as_deref()
                .is_some_and(|code| code != partner.contract.settlement_currency.code()),
        ),
    ];
    if let Some((field, _)) = fixed.iter().find(|(_, changed)| *changed) {
        return Err(ApiError::rule(
            "fixed",
            format!("{field} does not change; create another partner"),
        ));
    }
    let contract = terms.over(partner.contract.clone())?;
    put(
        &app,
        Partner {
            contract,
            ..Partner::clone(&partner)
        },
    )
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyChange {
    public_key: Option<String>,
    rotate: Option<String>,
    overlap: Option<String>,
}

/// A new key; the ones of its kind before it count on for the overlap, or end at once.
pub(super) async fn put_key(
    State(app): State<Arc<App>>,
    Named(name): Named,
    Sent(body): Sent,
) -> Answer {
    let change: KeyChange = read(&body)?;
    let (kind, text) = match (&change.public_key, change.rotate.as_deref()) {
        (Some(text), None) => {
            let key: PublicKey = text
                .parse()
                .map_err(|error| ApiError::rule("public_key", format!("public_key: {error}")))?;
            (KeyKind::PartnerRsa, key.to_spki_base64())
        }
        (None, Some("md5")) => (KeyKind::Md5, letters(&*app.entropy, 32)),
        (None, Some(other)) => return Err(ApiError::field("rotate", "md5", other)),
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::bad("give either public_key or rotate"));
        }
    };
    let overlap = change
        .overlap
        .as_deref()
        .map(|text| read_span("overlap", text))
        .transpose()?
        .unwrap_or_default();
    let _turn = app.partner_changes.lock().await;
    let partner = app
        .snapshot
        .load()
        .partner_named(&name)
        .map(|entry| Arc::clone(&entry.partner));
    let mut partner =
        Partner::clone(&*partner.ok_or_else(|| ApiError::not_found("partner", &name))?);
    let now = app.clock.now();
    let end = now.plus(overlap);
    for key in partner.keys.iter_mut().filter(|key| key.kind == kind) {
        key.until = Some(key.until.map_or(end, |until| until.min(end)));
    }
    partner
        .keys
        .retain(|key| key.until.is_none_or(|until| now < until));
    partner.keys.push(PartnerKey {
        kind,
        text: text.into(),
        from: now,
        until: None,
    });
    put(&app, partner).await
}

async fn put(app: &App, partner: Partner) -> Answer {
    let partner = Arc::new(partner);
    let change = ConfigChange::PutPartner(Arc::clone(&partner));
    app.engine.submit(Command::Configure(change)).await?;
    Ok(Json(partner_json(app, &partner)))
}
