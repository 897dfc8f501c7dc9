//! Requests, made and signed before anything is measured.

#![expect(clippy::disallowed_methods, reason = "a driver: it signs on all cores")]

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, anyhow, bail};
use serde_json::{Value, json};
use spotpay_core::id::{PartnerId, PartnerTransId};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode, SLOT};
use spotpay_core::time::{Span, Timestamp};
use spotpay_wire::charset::Charset;
use spotpay_wire::pay::{self, CodeType, StoreData};
use spotpay_wire::query;
use spotpay_wire::request;
use spotpay_wire::signature::Signer;

use super::server::Target;
use super::{PayArgs, Sign};

/// Partners of a run that is not about one hot merchant.
const PARTNERS: usize = 1_000;
/// Codes of one device, one for each of the last slots; the oldest is good for another minute.
const CODES_PER_DEVICE: u64 = 10;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A payment each.
    Pay,
    /// The same trades, asked for.
    Query,
}

/// Who pays and who is paid.
pub(super) struct Cast {
    partners: Vec<(String, Signer)>,
    devices: Vec<(Alias, CodeSecret)>,
    codes: AtomicU64,
    run: String,
}

impl Cast {
    /// Partners and wallets of the sandbox, enough for so many payments.
    pub(super) fn hire(target: &Target, args: &PayArgs, payments: u64) -> anyhow::Result<Self> {
        let sandbox = target.get("/sandbox/v1/sandbox.json")?;
        let first = sandbox["partners"]
            .get(0)
            .context("the sandbox has no partner")?
            .clone();
        let mut partners = vec![partner(&first, args.sign)?];
        if !args.hot_merchant {
            let public = match args.sign {
                Sign::Md5 => None,
                Sign::Rsa2 => Some(public_key(&first)?),
            };
            let prefix = unique();
            for number in 1..PARTNERS {
                let name = format!("bench-{prefix}-{number}");
                let mut made = target.post(
                    "/sandbox/v1/partners",
                    &json!({"name": name, "product": "HK"}),
                )?;
                if let Some(public) = &public {
                    target.post(
                        &format!("/sandbox/v1/partners/{name}/keys"),
                        &json!({"public_key": public}),
                    )?;
                    made["rsa_private_key"] = first["rsa_private_key"].clone();
                }
                partners.push(partner(&made, args.sign)?);
            }
        }
        let count = if args.hot_wallet {
            1
        } else {
            payments.div_ceil(CODES_PER_DEVICE).max(100)
        };
        let devices = hire_wallets(target, count)?;
        Ok(Self {
            partners,
            devices,
            codes: AtomicU64::new(0),
            run: unique(),
        })
    }
}

/// A word that no other run has.
fn unique() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}", now.as_micros())
}

fn partner(found: &Value, sign: Sign) -> anyhow::Result<(String, Signer)> {
    let text = |field: &str| {
        found[field]
            .as_str()
            .with_context(|| format!("a partner has no {field}"))
    };
    let signer = match sign {
        Sign::Md5 => Signer::Md5(text("md5_key")?.parse()?),
        Sign::Rsa2 => Signer::Rsa2(text("rsa_private_key")?.parse()?),
    };
    Ok((text("partner_id")?.to_owned(), signer))
}

fn public_key(found: &Value) -> anyhow::Result<String> {
    let private: spotpay_wire::keys::PrivateKey = found["rsa_private_key"]
        .as_str()
        .context("a partner has no RSA key")?
        .parse()?;
    Ok(private.public_key().to_spki_base64())
}

fn hire_wallets(target: &Target, count: u64) -> anyhow::Result<Vec<(Alias, CodeSecret)>> {
    let mut devices = Vec::new();
    let mut left = count;
    while left > 0 {
        let some = left.min(10_000);
        left -= some;
        let body = json!({"payment_inst": "ALIPAYHK", "balance": "10000000000.00", "count": some});
        let made = target.post("/sandbox/v1/wallets", &body)?;
        for wallet in made["wallets"].as_array().context("no wallets were made")? {
            devices.push(device(wallet)?);
        }
    }
    Ok(devices)
}

fn device(wallet: &Value) -> anyhow::Result<(Alias, CodeSecret)> {
    let alias = wallet["alias"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .and_then(Alias::from_number);
    let hex = wallet["secret"]
        .as_str()
        .context("a wallet has no secret")?;
    let byte = |place: usize| {
        hex.get(place * 2..place * 2 + 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok())
    };
    let bytes: Option<Vec<u8>> = (0..CodeSecret::BYTES).map(byte).collect();
    let secret = bytes
        .and_then(|bytes| bytes.try_into().ok())
        .context("a wallet's secret is no secret")?;
    Ok((
        alias.context("a wallet has no alias")?,
        CodeSecret::new(secret),
    ))
}

/// One request as it goes over the socket.
#[derive(Clone)]
pub(super) struct Prepared {
    /// Head and body.
    pub(super) bytes: Vec<u8>,
}

/// Makes and signs so many requests on all cores, for connections that take them in turn.
pub(super) fn requests(
    target: &Target,
    cast: &Cast,
    args: &PayArgs,
    count: u64,
    kind: Kind,
) -> anyhow::Result<Vec<Prepared>> {
    let now = target.get("/sandbox/v1/clock")?;
    let now = now["now"]
        .as_str()
        .and_then(spotpay_server::sandbox::parse_instant)
        .context("the clock is unreadable")?;
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let threads = u64::try_from(threads)?;
    let first = match kind {
        Kind::Pay => cast.codes.fetch_add(count, Ordering::Relaxed),
        Kind::Query => 0,
    };
    let parts: Vec<anyhow::Result<Vec<Prepared>>> = std::thread::scope(|scope| {
        let part = |thread: u64| {
            let range =
                (first + count * thread / threads)..(first + count * (thread + 1) / threads);
            scope.spawn(move || {
                range
                    .map(|number| one(target, cast, args, number, now, kind))
                    .collect()
            })
        };
        let running: Vec<_> = (0..threads).map(part).collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
            })
            .collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

/// Queries for the first trades of a run.
pub(super) fn queries(
    target: &Target,
    cast: &Cast,
    args: &PayArgs,
    count: u64,
) -> anyhow::Result<Vec<Prepared>> {
    requests(target, cast, args, count, Kind::Query)
}

fn one(
    target: &Target,
    cast: &Cast,
    args: &PayArgs,
    number: u64,
    now: Timestamp,
    kind: Kind,
) -> anyhow::Result<Prepared> {
    let place = usize::try_from(number)?;
    let (partner, signer) = cast
        .partners
        .get(place % cast.partners.len())
        .context("no partner")?;
    let till = number % 64;
    let id = if args.random_ids {
        let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{}{scattered:020}", cast.run)
    } else {
        format!("{}{till:03}{:012}", cast.run, number / 64)
    };
    let params = match kind {
        Kind::Query => {
            let query = query::Request {
                partner: partner.parse()?,
                partner_trans_id: Some(id.parse()?),
                alipay_trans_id: None,
            };
            owned(query.params())
        }
        Kind::Pay => {
            let (alias, secret) = cast
                .devices
                .get(place % cast.devices.len())
                .context("no wallet")?;
            let turn = u64::try_from(place / cast.devices.len())?;
            if turn >= CODES_PER_DEVICE && !args.hot_wallet {
                bail!("the wallets have no codes left");
            }
            let back = i64::try_from(turn % CODES_PER_DEVICE)?;
            let made = now.minus(Span::micros(SLOT.as_micros() * back));
            let code = PaymentCode::make(*alias, secret, made, CodeLength::Short);
            owned(payment(partner.parse()?, id.parse()?, number, code, now)?.params())
        }
    };
    Ok(Prepared {
        bytes: http(target.authority(), params, signer),
    })
}

fn owned(params: Vec<(&'static str, std::borrow::Cow<'_, str>)>) -> Vec<(&'static str, String)> {
    params
        .into_iter()
        .map(|(name, value)| (name, value.into_owned()))
        .collect()
}

/// A payment at the default store, of an amount that its number gives.
fn payment(
    partner: PartnerId,
    id: PartnerTransId,
    number: u64,
    code: PaymentCode,
    now: Timestamp,
) -> anyhow::Result<pay::Request> {
    let amount = Money::of_minor(1_000 + i64::try_from(number % 9_000)?, Currency::HKD);
    Ok(pay::Request {
        partner,
        partner_trans_id: id,
        amount: Amount::new(amount)?,
        trans_currency: None,
        trans_name: "Tea".into(),
        code: Ok(code),
        code_type: CodeType::Barcode,
        trans_create_time: Some(now),
        quantity: None,
        memo: None,
        notify_url: None,
        store: StoreData {
            secondary_merchant_id: Some("M001".parse()?),
            store_id: Some("S001".parse()?),
            ..StoreData::default()
        },
    })
}

/// A payment that no wallet made, for the path without the ledger.
pub(super) fn sample(authority: &str, partner: u64, signer: &Signer) -> anyhow::Result<Vec<u8>> {
    let partner = PartnerId::from_number(partner).context("no partner")?;
    let alias = Alias::from_number(1).context("no alias")?;
    let now = Timestamp::from_seconds(1_800_000_000);
    let code = PaymentCode::make(
        alias,
        &CodeSecret::new([0; CodeSecret::BYTES]),
        now,
        CodeLength::Short,
    );
    Ok(http(
        authority,
        owned(payment(partner, "SAMPLE-0001".parse()?, 1, code, now)?.params()),
        signer,
    ))
}

/// Head and body of a signed request.
fn http(authority: &str, params: Vec<(&'static str, String)>, signer: &Signer) -> Vec<u8> {
    let signed = request::sign(Charset::Utf8, params, signer);
    let head = format!(
        "POST /gateway.do?{} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        signed.query,
        authority,
        signed.body.len()
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(signed.body.as_bytes());
    bytes
}
